"""Writing all incidents into one file for other programs and spreadsheets: python -m db export."""

from db.exports.write import Written, export

__all__ = ["Written", "export"]
