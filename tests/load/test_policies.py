"""A change of policies over 20,000 open incidents: previewed and applied in seconds, and nobody waits long for it."""

import random
import threading
import time
from datetime import timedelta

from sqlalchemy import insert, select

from db.commands import assignments, clocks, incidents, policies, timers
from db.commands import settings as commands
from db.engine import reading, writing
from db.models import Assignment, Incident, Timer
from db.queries import settings
from rules.priority import priority
from tests.db.office import DAY, MONDAY, Office
from tests.load.measure import slowness, spin

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
    chance = random.Random(3)
    known = {(impact, urgency): priority(impact, urgency) for impact in (1, 2, 3) for urgency in (1, 2, 3)}
    rows = []
    for number in range(OPEN):
        cell = (chance.randint(1, 3), chance.randint(1, 3))
        at = MONDAY + timedelta(minutes=chance.randint(0, 20 * 1440))
        rows.append(
            {
                "number": f"X-{number}",
                "title": "Mail is slow",
                "impact": cell[0],
                "urgency": cell[1],
                "priority": known[cell],
                "reported_at": at,
                "changed_at": at,
                "rank_at": at,
                "team_id": office.teams["Network"],
            }
        )
    with writing(office.engine) as db:
        for start in range(0, OPEN, 1000):
            db.execute(insert(Incident), rows[start : start + 1000])
        usual = settings.policies(db)
        for incident in db.scalars(select(Incident).where(Incident.number.startswith("X-"))).all():
            for name, value in clocks.computed(incident, usual, ()).items():
                setattr(incident, name, value)
            stay = Assignment(
                incident_id=incident.id, team_id=incident.team_id, tier="2", began_at=incident.reported_at
            )
            assignments.time(stay, incident, usual, ())
            db.add(stay)
            due = timers.wanted(incident, False, stay)
            db.add_all(Timer(incident_id=incident.id, kind=kind, due_at=moment) for kind, moment in due.items())


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
