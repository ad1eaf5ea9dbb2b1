"""Taking in what another tool exported."""

from db.imports.importer import Progress, run
from db.imports.report import Report
from db.imports.rows import BadFile

__all__ = ["BadFile", "Progress", "Report", "run"]
