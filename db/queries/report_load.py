"""Trends, load: what each team has and did, how old the backlog is, and who carries the nights and weekends."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from db.models import Team
from db.queries import schedules
from db.queries.measures import tally
from db.queries.report_parts import Asked, counted, ranking_panel
from rules.paging import NIGHT
from rules.panels import Column, Number, Opens, Panel

AGES = {0: "Up to 1 day", 1: "1 to 3 days", 3: "3 to 7 days", 7: "1 to 4 weeks", 28: "4 to 13 weeks", 91: "Older"}
"""days since it was reported -> words"""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_ON_CALL = timedelta(days=366)
MOST_PEOPLE = 15
ON_CALL = (
    Column("name", "Person"),
    Column("hours", "On call", "hours"),
    Column("nights", "At night", "hours"),
    Column("weekends", "Weekends", "hours"),
    Column("pages", "Pages", "count"),
    Column("night_pages", "Pages at night", "count"),
)


def on_call_row(load: schedules.Load) -> dict[str, Any]:
    """What somebody carried, as a row of ON_CALL."""
    return {
        "name": load.name,
        "hours": load.hours,
        "nights": load.night_hours,
        "weekends": load.weekend_hours,
        "pages": load.pages,
        "night_pages": load.night_pages,
    }


def view(asked: Asked) -> tuple[list[Number], list[Panel]]:
    """Teams, age, on-call."""
    teams = {team: name for team, name in asked.db.execute(select(Team.id, Team.name))}
    panels = [
        by_team(asked, teams, "resolved", "Resolved by team", "resolved in the period"),
        by_team(asked, teams, "unresolved", "Open by team", "in the backlog when the period ends"),
        ages(asked),
        by_team(asked, teams, "handed_over", "Handed over, by the team that has it", "handed over at least once"),
        on_call(asked),
    ]
    return [counted(asked, "unresolved", "down"), counted(asked, "unclosed", "down")], panels


def by_team(asked: Asked, teams: dict[int, str], figure: str, title: str, words: str) -> Panel:
    """Teams by how many the figure counts."""
    counts = tally(asked.found.rows(figure, *asked.span), "team")
    named = [(teams[team], float(n), asked.opens(figure, team_id=team)) for team, n in counts.items() if team in teams]
    definition = f"Incidents {words}, by the team that has them."
    return ranking_panel(f"teams_{figure}", title, definition, named, left_out="What no team has.")


def ages(asked: Asked) -> Panel:
    """What is open now, by how long ago it was reported."""
    edges = [asked.now - timedelta(days=days) for days in AGES] + [_EVER]
    named = []
    for words, (end, start) in zip(AGES.values(), pairwise(edges), strict=True):
        n = asked.found.count("still_open", start, end)
        named.append((words, float(n), Opens("still_open", start, end, asked.filters)))
    return ranking_panel(
        "ages", "Age of what is open", "Not resolved, closed or cancelled now, by how long ago it was reported.", named
    )


def on_call(asked: Asked) -> Panel:
    """Who was on call how long, and how often they were paged."""
    end = min(asked.period.end, asked.now)
    start = max(asked.period.start, end - LONGEST_ON_CALL)
    loads = schedules.hours_of_everybody(asked.db, asked.actor, start, end)
    rows = [on_call_row(load) for load in loads[:MOST_PEOPLE]]
    woken = max(loads, key=lambda load: load.night_pages, default=None)
    says = "Nobody was paged at night." if woken else "Nobody was on call."
    if woken and woken.night_pages:
        says = f"Most pages at night: {woken.name}, {woken.night_pages:,}."
    return Panel(
        "on_call",
        "On call",
        f"Hours on call on all schedules in the period (at most its last 366 days), those at night ({NIGHT}) and "
        "at weekends, which may overlap, and pages. The filters do not narrow it.",
        says,
        "table",
        ON_CALL,
        rows,
        left_out=f"People with fewer hours than the first {MOST_PEOPLE}." if len(loads) > MOST_PEOPLE else "Nothing.",
    )
