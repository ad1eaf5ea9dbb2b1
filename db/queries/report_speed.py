"""Trends, speed: how long people waited, which promises held by priority, what had to be done twice or handed on."""

from dataclasses import replace
from typing import Any

import numpy as np

from db.queries.report_parts import Asked, counted, median, quantile_panel, share, share_panel
from rules.measures import NO_CANCELLED, NO_TARGET
from rules.panels import Column, Number, Opens, Panel
from rules.priority import LABELS


def view(asked: Asked) -> tuple[list[Number], list[Panel]]:
    """Times, promises, rework and handovers."""
    numbers = [
        median(asked, "to_acknowledge"),
        median(asked, "to_recover"),
        counted(asked, "never_acknowledged", "down"),
        share(asked, "response_met", "response_due", "up"),
        counted(asked, "resolution_missed", "down"),
        first_line(asked),
        share(asked, "handed_over", "opened", "down"),
        share(asked, "ping_pong", "opened", "down"),
    ]
    return numbers, [
        quantile_panel(asked, "to_acknowledge"),
        quantile_panel(asked, "to_recover"),
        by_priority(asked),
        rework(asked),
        handovers(asked),
    ]


def first_line(asked: Asked) -> Number:
    """What the first line fixed at once; nothing is said where no team is one."""
    number = share(asked, "first_line", "to_resolve", "up")
    if asked.found.first_line:
        return number
    missing = "No team is of tier 1 yet: an administrator says which is, under Catalogue."
    return replace(number, value=None, before=None, definition=f"{number.definition} {missing}")


def by_priority(asked: Asked) -> Panel:
    """Promises met and missed by priority."""
    rows, opens = list[dict[str, Any]](), list[Opens | None]()
    for kind, word in (("response", "Answered"), ("resolution", "Resolved")):
        met = asked.found.rows(f"{kind}_met", *asked.span)["priority"]
        due = asked.found.rows(f"{kind}_due", *asked.span)["priority"]
        for level, label in LABELS.items():
            n, of = int(np.count_nonzero(met == level)), int(np.count_nonzero(due == level))
            if of:
                row = {"kind": word, "name": f"P{level} {label}", "met": n, "missed": of - n, "share": n / of}
                rows.append(row | {"told": f"P{level} {word.lower()}: {of - n:,} of {of:,} missed"})
                opens.append(asked.opens(f"{kind}_missed", priority=level))
    worst = min(rows, key=lambda row: row["share"], default=None)
    told = f"{worst['kind']} in time least often: {worst['name']}, {worst['share']:.0%}." if worst else ""
    return Panel(
        "promises_by_priority",
        "Promises by priority",
        "Of what was reported in the period. Each row opens what was missed.",
        told.replace("%", " %") or "Nothing had a target.",
        "table",
        (
            Column("kind", "What"),
            Column("name", "Priority"),
            Column("met", "In time", "count"),
            Column("missed", "Missed", "count"),
            Column("share", "Kept", "share"),
        ),
        rows,
        opens,
        NO_TARGET,
    )


def rework(asked: Asked) -> Panel:
    """What had to be opened again, and what the first line fixed at once."""
    parts = {"Reopened": ("reopened", "to_resolve")}
    if asked.found.first_line:
        parts["Fixed by the first line"] = ("first_line", "to_resolve")
    definition = f"Of what was resolved in each {asked.step}."
    return share_panel(asked, "rework", "Reopened, and fixed by the first line", definition, parts, NO_CANCELLED)


def handovers(asked: Asked) -> Panel:
    """What was given from team to team."""
    parts = {"Handed over": ("handed_over", "opened"), "Came back": ("ping_pong", "opened")}
    definition = (
        f"Changes of team, and returns to a team that had it before, of what was reported in each {asked.step}."
    )
    return share_panel(asked, "handovers", "Handed over", definition, parts, "Nothing is left out.")
