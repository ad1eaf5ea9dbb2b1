"""How an incident came in."""

from rules.callers import ANONYMOUS
from rules.callers import SOURCES as CALLERS

SOURCES = {
    "form": "Report form",
    **CALLERS,
    ANONYMOUS: "Without an account",
    "alert": "Monitoring",
    "api": "API",
    "import": "Import",
}
"""key -> words; the incident's source"""
