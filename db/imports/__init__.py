"""Taking in what another tool exported."""

from db.imports.report import Report
from db.imports.rows import BadFile
from db.imports.run import Progress, run

__all__ = ["BadFile", "Progress", "Report", "run"]
