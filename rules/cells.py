"""Cells of tables for spreadsheets: what a spreadsheet would run as a formula is written as the text that it is.

OWASP, CSV injection: a cell that begins with = + - @, a tab or a line break gets a leading apostrophe.
"""

from datetime import UTC, datetime

RISKY = frozenset("=+-@\t\r\n")
LONGEST = 32_767
"""characters that a cell of a workbook holds"""
FIRST_YEAR = 1901
"""Spreadsheets know no earlier day for sure."""
_CUT = " … (cut)"


def defused(value: str) -> str:
    """`value` as a cell of a CSV file: text that nothing runs."""
    return f"'{value}" if value[:1] in RISKY else value


def fitting(value: str) -> str:
    """`value` as a cell of a workbook, cut with a word about it where it is too long for one."""
    # Spreadsheets count in units of UTF-16.
    if len(value.encode("utf-16-le")) // 2 <= LONGEST:
        return value
    cut = value.encode("utf-16-le")[: 2 * (LONGEST - len(_CUT))].decode("utf-16-le", "ignore")
    return cut + _CUT


def instant(value: datetime | None) -> str:
    """'2026-03-02T09:00:00Z', to the second; empty for none."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
