"""Trends, causes: which categories, services, priorities and hours the incidents come from, and what repeats."""

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from db.models import Service, to_micros
from db.queries.columns import Rows
from db.queries.facts import MISSING, SOURCE_CODES
from db.queries.measures import HOUR, by_hour, restored, tally
from db.queries.report_parts import Asked, counted, ranking_panel
from db.queries.trends import pair_names, pair_words
from rules.measures import FIGURES, NO_CANCELLED
from rules.panels import Column, Number, Opens, Panel
from rules.priority import LABELS
from rules.sources import SOURCES

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
REPEATED = 3
"""so many of the same service and category in the period are a repeat"""
MOST_REPEATS = 10
_PAIRS = 1 << 31


def view(asked: Asked) -> tuple[list[Number], list[Panel]]:
    """Pareto, services, repeats, priorities, ways in, hours."""
    services = {service: name for service, name in asked.db.execute(select(Service.id, Service.name))}
    panels = [
        pareto(asked),
        by_service(asked, services),
        downtime(asked, services),
        repeats(asked, services),
        priorities(asked),
        sources(asked),
        heat(asked),
    ]
    return [counted(asked, "opened"), counted(asked, "severe", "down")], panels


def pareto(asked: Asked) -> Panel:
    """Category pairs, most first, with the running share."""
    names = pair_names(asked.db)
    counts = tally(asked.found.rows("opened", *asked.span), "pair")
    named = [(pair_words(names, pair), float(n), asked.opens("opened", pair_id=pair)) for pair, n in counts.items()]
    return ranking_panel(
        "categories", "Categories", "Incidents by category, and the running share.", named, running=True
    )


def by_service(asked: Asked, services: dict[int, str]) -> Panel:
    """Services by how many incidents they had."""
    counts = tally(asked.found.rows("opened", *asked.span), "service")
    named = [
        (services[service], float(n), asked.opens("opened", service_id=service))
        for service, n in counts.items()
        if service in services
    ]
    return ranking_panel(
        "services", "Services by count", "Incidents reported, by service.", named, left_out="What names no service."
    )


def downtime(asked: Asked, services: dict[int, str]) -> Panel:
    """Services by the time in which something severe was not recovered; what overlaps counts once."""
    hours = _disturbed(asked, *asked.span)
    named = [
        (services[service], spent, asked.opens("severe", service_id=service))
        for service, spent in sorted(hours.items(), key=lambda each: (-each[1], each[0]))
        if service in services
    ]
    definition = (
        "Time with an incident of priority 1 or 2, or a major one, from its start until it recovered. What is closed, "
        "and nobody said when it recovered, counts until it was resolved."
    )
    left_out = f"{NO_CANCELLED} So is what names no service. What overlaps counts once; what lasts counts until now."
    return ranking_panel(
        "downtime", "Services by downtime", definition, named, kind="hours", rest=False, left_out=left_out
    )


def _disturbed(asked: Asked, start: datetime, end: datetime) -> dict[int, float]:
    rows = asked.found.rows("severe", start, end)
    last = to_micros(min(end, asked.now))
    began = np.maximum(rows["began"], to_micros(start))
    ended = restored(rows)
    over = np.minimum(np.where(ended == MISSING, last, ended), last)
    services, hours = rows["service"], dict[int, float]()
    for service in np.unique(services[services > 0]):
        of = services == service
        hours[int(service)] = _union(began[of], over[of]) / HOUR
    return {service: spent for service, spent in hours.items() if spent > 0}


def _union(began: NDArray[Any], over: NDArray[Any]) -> int:
    """The length of all spans together; what overlaps counts once."""
    order = np.argsort(began, kind="stable")
    began, over = began[order], np.maximum(over[order], began[order])
    reached = np.maximum.accumulate(over)
    fresh = np.ones(len(began), bool)
    fresh[1:] = began[1:] > reached[:-1]
    firsts = np.flatnonzero(fresh)
    lasts = np.append(firsts[1:] - 1, len(began) - 1)
    return int((reached[lasts] - began[firsts]).sum())


def repeats(asked: Asked, services: dict[int, str]) -> Panel:
    """What came again and again: the same service and category."""
    keys, counts = asked.found.rows("opened", *asked.span).kept("repeats", _pairs_of_services)
    names, rows, opens = pair_names(asked.db), list[dict[str, Any]](), list[Opens | None]()
    for place in np.argsort(-counts, kind="stable")[:MOST_REPEATS]:
        service, pair = divmod(int(keys[place]), _PAIRS)
        if counts[place] >= REPEATED and service in services:
            row = {"service": services[service], "name": pair_words(names, pair), "n": int(counts[place])}
            rows.append(row | {"told": f"{row['n']:,} × {row['service']} · {row['name']}"})
            opens.append(asked.opens("opened", service_id=service, pair_id=pair))
    most = rows[0] if rows else None
    return Panel(
        "repeats",
        "Repeats",
        f"The same service and category at least {REPEATED} times in the period.",
        f"Most: {most['service']}, {most['name']}, {most['n']:,} times." if most else "Nothing came again and again.",
        "table",
        (Column("service", "Service"), Column("name", "Category"), Column("n", "Incidents", "count")),
        rows,
        opens,
        "What names no service or is not sorted yet.",
    )


def _pairs_of_services(rows: Rows) -> tuple[NDArray[Any], NDArray[Any]]:
    known = (rows["service"] > 0) & (rows["pair"] > 0)
    return np.unique(rows["service"][known].astype(np.int64) * _PAIRS + rows["pair"][known], return_counts=True)


def priorities(asked: Asked) -> Panel:
    """By present priority."""
    counts = tally(asked.found.rows("opened", *asked.span), "priority")
    named = [
        (f"P{level} {label}", float(counts[level]), asked.opens("opened", priority=level))
        for level, label in LABELS.items()
        if level in counts
    ]
    return ranking_panel(
        "priorities",
        "How bad they are",
        "Incidents reported, by present priority.",
        named,
        left_out="What has none yet.",
    )


def sources(asked: Asked) -> Panel:
    """By the way they came in."""
    counts = tally(asked.found.rows("opened", *asked.span), "source")
    named = [
        (SOURCES[name], float(counts[code]), asked.opens("opened", source=name))
        for name, code in SOURCE_CODES.items()
        if code in counts
    ]
    named.sort(key=lambda each: -each[1])
    return ranking_panel("sources", "How they come in", "Incidents reported, by the way they came in.", named)


def heat(asked: Asked) -> Panel:
    """By weekday and hour of the reader's clock."""
    counts = by_hour(asked.found.rows("opened", *asked.span), asked.zone)
    rows = [{"day": WEEKDAYS[at // 24], "hour": at % 24, "n": int(n)} for at, n in enumerate(counts)]
    busiest = rows[int(np.argmax(counts))]
    if not busiest["n"]:
        rows = []
    return Panel(
        "heat",
        "When they come in",
        "Incidents reported, by weekday and hour of your clock.",
        f"Most come on {busiest['day']} at {busiest['hour']:02d}:00." if busiest["n"] else "There is nothing to count.",
        "heat",
        (Column("day", "Day"), Column("hour", "Hour", "count"), Column("n", "Incidents", "count")),
        rows,
        [Opens("opened", *asked.span, asked.filters, at) for at in range(len(rows))],
        FIGURES["opened"].left_out,
    )
