"""A change of policies over 20,000 open incidents: previewed and applied in seconds, and nobody waits long for it."""

import random
import threading
import time
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import insert, select

from db.commands import assignments, clocks, incidents, policies, timers
from db.commands import settings as commands
from db.engine import reading, writing
from db.models import Assignment, Incident, Timer
from db.queries import settings
from rules.priority import priority
from tests.db.office import DAY, MONDAY, Office
from tests.load.measure import slowness, spin

Row = dict[str, Any]
OPEN = 20_000
NOW = MONDAY + 20 * DAY
PREVIEW_SECONDS, APPLY_SECONDS, BATCH_SECONDS = 4, 24, 0.5
"""at the speed of a core that has no busy neighbour; see tests.load.measure"""
OTHERS_WAIT_SECONDS = 1.0
SPINS = 20
TARGETS = settings.DEFAULTS["sla.targets"]
CHANGE = {
    "organisation.name": "Clinic",
    "priority.matrix": settings.DEFAULTS["priority.matrix"] | {"13": 2},
    "sla.targets": TARGETS | {"3": {"response": 7200, "resolution": 20 * 3600, "calendar": "business"}},
}


def fill(office: Office) -> None:
    """Open incidents of every priority, reported over twenty days, each with a team, and their timers."""
    incidents, stays, due = computed(office.teams["Network"])
    with writing(office.engine) as db:
        _put(db, Incident, incidents)
        ids = dict(db.execute(select(Incident.number, Incident.id)).all())
        _put(db, Assignment, [stay | {"incident_id": ids[number]} for number, stay in stays.items()])
        _put(db, Timer, [timer | {"incident_id": ids[number]} for number, timers in due.items() for timer in timers])


def _put(db, model, rows):
    for start in range(0, len(rows), 1000):
        db.execute(insert(model), rows[start : start + 1000])


@cache
def computed(team_id: int) -> tuple[list[Row], dict[str, Row], dict[str, list[Row]]]:
    """Incidents, and by their numbers the stay of each with its team and its timers; the same for every database."""
    chance, usual = random.Random(3), settings.of_values({})
    rows, stays, due = list[Row](), dict[str, Row](), dict[str, list[Row]]()
    for place in range(OPEN):
        impact, urgency = chance.randint(1, 3), chance.randint(1, 3)
        at = MONDAY + timedelta(minutes=chance.randint(0, 20 * 1440))
        row = {
            "number": f"X-{place}",
            "title": "Mail is slow",
            "impact": impact,
            "urgency": urgency,
            "priority": priority(impact, urgency),
            "reported_at": at,
            "changed_at": at,
            "rank_at": at,
            "team_id": team_id,
        }
        incident = Incident(**row, state="new")
        times = clocks.computed(incident, usual, ())
        for name, value in times.items():
            setattr(incident, name, value)
        stay = Assignment(team_id=team_id, tier="2", began_at=at)
        assignments.time(stay, incident, usual, ())
        rows.append(row | times)
        stays[row["number"]] = {
            name: getattr(stay, name) for name in ("team_id", "tier", "began_at", "due_at", "warn_at")
        }
        wanted = timers.wanted(incident, False, stay)
        due[row["number"]] = [{"kind": kind, "due_at": moment} for kind, moment in wanted.items()]
    return rows, stays, due


def test_twenty_thousand_open_incidents_are_moved_in_seconds_and_others_go_on_writing(engine):
    office = Office(engine)
    fill(office)
    spins = [spin() for _ in range(SPINS)]
    began = time.perf_counter()
    with reading(engine) as db:
        found = commands.preview(db, CHANGE, actor=office.people["Ada"], now=NOW)
    preview = time.perf_counter() - began
    with writing(engine) as db:
        commands.change(db, CHANGE, seen=None, actor=office.people["Ada"], now=NOW)
    waits, done = [], threading.Event()

    def others():
        while not done.is_set():
            since = time.perf_counter()
            with writing(engine) as db:
                incidents.report(db, title="Mail", affected="Mail", actor=office.people["Rita"], now=NOW)
            waits.append(time.perf_counter() - since)
            done.wait(0.05)

    writer = threading.Thread(target=others)
    writer.start()
    batches, began = [], time.perf_counter()
    try:
        while True:
            since = time.perf_counter()
            with writing(engine) as db:
                progress = policies.apply_some(db, NOW)
            batches.append(time.perf_counter() - since)
            if progress.done:
                break
    finally:
        done.set()
        writer.join()
    took = time.perf_counter() - began
    slow = slowness(spins + [spin() for _ in range(SPINS)])
    print(
        f"{engine.dialect.name}: preview {preview:.1f} s, applied {took:.1f} s, longest batch {max(batches):.2f} s, "
        f"longest wait of {len(waits)} reports {max(waits):.2f} s, "
        f"slowness {slow:.2f}"
    )
    assert progress.moved == found.moved > OPEN // 4
    assert preview < PREVIEW_SECONDS * slow
    assert took < APPLY_SECONDS * slow
    assert max(batches) < BATCH_SECONDS * slow
    assert max(waits) < OTHERS_WAIT_SECONDS
