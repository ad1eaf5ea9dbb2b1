"""A report in words: what a message says of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rules.panels import FEW, Column, Number, Panel, Report, said
from rules.periods import zone_of
from rules.report_kept import TITLE

DIGEST = "digest"
"""the view of a report that is the weekly digest"""
END_DIGEST = "You asked for this. End it under Weekly digest, or choose under My account how messages reach you."
END_OWN = "You have this sent to yourself. Change or end it under Reports."
KIND = "report"
"""of the notice that brings one"""
_ROWS = 5
_LISTED = frozenset({"breaches", "repeats", "overdue_actions"})
"""panels whose first rows are told too"""


def end_others(name: str) -> str:
    """Why somebody gets what another person ordered."""
    return f"{name} has this sent to you, with the numbers that are open to you. Leave it under Reports."


def others_have(n: int) -> str:
    """'1 other has', '3 others have'."""
    return "1 other has" if n == 1 else f"{n:,} others have"


def subject(report: Report, name: str) -> str:
    """'Weekly digest: 23 to 29 Nov 2026', 'Network team: 1 to 30 Nov 2026'."""
    return f"{name}: {days(report)}"


def days(report: Report) -> str:
    """The local days of the report, first to last: '30 Nov to 6 Dec 2026'."""
    place = zone_of(report.zone)
    first = report.start.astimezone(place)
    last = max(report.end - timedelta(microseconds=1), report.start).astimezone(place)
    if first.date() == last.date():
        return _day(last)
    if first.year != last.year:
        return f"{_day(first)} to {_day(last)}"
    begins = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{begins} to {_day(last)}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def body(report: Report, filtered: Sequence[str], why: str) -> str:
    """Plain text: the numbers with what they were before, what the panels conclude, and why the reader gets it.

    `filtered`: the filters in words. Titles of incidents are left out: what is told of one that is restricted later
    can be read again.
    """
    at = report.as_of.astimezone(zone_of(report.zone))
    numbers = "\n".join(map(_number, report.numbers))
    parts = [numbers] if numbers else []
    parts += map(_panel, report.panels)
    if filtered:
        parts.append(f"Only: {'; '.join(filtered)}.")
    parts.append(f"As of {at:%a} {at.day} {at:%b %Y, %H:%M}, zone {report.zone}. {why}")
    return "\n\n".join(parts)


def _number(number: Number) -> str:
    rests = f" (n {number.n:,})" if number.kind != "count" and number.n else ""
    few = ", few cases" if number.kind != "count" and 0 < number.n < FEW else ""
    was = "" if number.before is None else f", {said(number.kind, number.before)} before"
    return f"{number.title}: {number.words}{rests}{few}{was}"


def _panel(panel: Panel) -> str:
    """What it concludes; of what is not usual each sentence on a line of its own."""
    unusual = [str(row["says"]) for row in panel.rows if row.get("says")]
    if unusual:
        return "\n".join([f"{panel.title}:", *(f"- {sentence}" for sentence in unusual)])
    return "\n".join([f"{panel.title}: {panel.says}", *_first_rows(panel)])


def _first_rows(panel: Panel) -> list[str]:
    if panel.key not in _LISTED:
        return []
    told = [column for column in panel.columns if column.field != TITLE]
    return [f"- {', '.join(filter(None, (cell(row, column) for column in told)))}" for row in panel.rows[:_ROWS]]


def first_part(body: str) -> str:
    """The numbers of a body in one line: what a list of messages shows of it."""
    return " · ".join(body.partition("\n\n")[0].splitlines())


def cell(row: Mapping[str, Any], column: Column) -> str:
    """A value of a panel's table in words."""
    return "" if row.get(column.field) is None else column.told(row)


def listed(names: list[str]) -> str:
    """'A, B and C', the first few of them."""
    if len(names) > _ROWS:
        return f"{', '.join(names[:_ROWS])} and {len(names) - _ROWS} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
