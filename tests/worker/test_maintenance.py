"""Maintenance begins: what pages for its services stops, once for each beginning, whatever happens to the worker."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from db.commands import escalation, maintenance
from db.engine import reading, writing
from db.models import (
    ContactMethod,
    Escalation,
    EscalationPolicy,
    Incident,
    MaintenanceWindow,
    NotificationRule,
    OutboxMessage,
)
from rules.weekly import Weekly
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker import loop
from worker import maintenance as worker
from worker.maintenance import tick

MINUTE = timedelta(minutes=1)


@pytest.fixture
def office(engine, set_up):
    set_up(SMTP_URL="smtp://mail.example.org?from=desk@example.org", BASE_URL="https://desk.example")
    made = Office(engine)
    with writing(engine) as db:
        person = made.people["Sam"].id
        method = ContactMethod(person_id=person, channel="email", address="sam@example.org", created_at=MONDAY,
                               verified_at=MONDAY, position=0)  # fmt: skip
        db.add(method)
        db.flush()
        db.add(NotificationRule(person_id=person, urgency="high", method_id=method.id, delay=86_400, position=0))
        steps = [{"delay": 86_400, "targets": [{"kind": "person", "id": person}]}]
        policy = EscalationPolicy(name="Sam", steps=steps, created_at=MONDAY)
        db.add(policy)
        db.flush()
        made.policy = policy.id
    return made


def plan(office, start=MONDAY + HOUR, end=MONDAY + 3 * HOUR, recurring=None):
    with writing(office.engine) as db:
        given = {"name": "New disks", "service_ids": [office.service], "start": start, "end": end}
        return maintenance.add(db, **given, recurring=recurring, actor=office.people["Lena"], now=MONDAY).id


def alert(office, at=MONDAY, service=True):
    """An incident from monitoring for which Sam is asked; the page waits a day."""
    number = office.report("Disk is full", at=at, scope="everyone", effect="stopped")
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        about.source, about.service_id = "alert", office.service if service else None
        assert escalation.start(db, about, at, office.policy)
    return number


def stopped(office, number):
    return [entry.at - MONDAY for entry in office.timeline(number) if entry.text.startswith("stopped paging")]


def waiting(office):
    with reading(office.engine) as db:
        pages = OutboxMessage.urgent, OutboxMessage.cancelled_at.is_(None)
        return set(db.scalars(select(OutboxMessage.incident_id).where(*pages)))


def test_what_runs_for_its_services_stops_when_it_begins_and_the_timeline_says_why(office):
    ours, other, answered = alert(office), alert(office, service=False), alert(office)
    office.perform(answered, "accept", "Lena", **office.triage)
    office.perform(answered, "acknowledge", "Priya")
    plan(office)
    assert tick(MONDAY + HOUR - timedelta.resolution, office.engine) == 0
    assert (stopped(office, ours), waiting(office)) == ([], {ours, other})
    assert tick(MONDAY + HOUR, office.engine) == 1
    assert waiting(office) == {other}
    [entry] = [entry for entry in office.timeline(ours) if entry.text.startswith("stopped paging")]
    assert (entry.text, entry.actor_name) == ("stopped paging: maintenance has begun, New disks", "Incident Desk")
    assert [stopped(office, number) for number in (other, answered)] == [[], []]
    with reading(office.engine) as db:
        ended = [db.get_one(Escalation, number).ended_by for number in (ours, other, answered)]
    assert ended == ["maintenance", "", "handed_over"], "what has ended before stays as it ended"


def test_it_begins_once(office):
    number = alert(office)
    plan(office)
    assert [tick(MONDAY + HOUR + after * MINUTE, office.engine) for after in range(4)] == [1, 0, 0, 0]
    late = alert(office, MONDAY + 2 * HOUR)  # somebody pages by hand, although it is maintenance
    assert tick(MONDAY + 2 * HOUR, office.engine) == 0
    assert (stopped(office, number), waiting(office)) == ([HOUR], {late})


def test_each_night_begins_once_through_the_change_of_the_clock(office):
    """Berlin leaves winter time on Sunday 29 March 2026 at 02:00, winter comes back on 25 October at 03:00."""
    nights = Weekly((4, 5, 6), "22:00", "04:00", "Europe/Berlin")
    start, end = nights.bounds(date(2026, 3, 27), date(2026, 3, 30))
    window = plan(office, start, end, nights.intervals())
    begun, moment = [], start - HOUR
    while moment < end + HOUR:
        begun += [moment] * tick(moment, office.engine)
        moment += 30 * MINUTE
    assert begun == [
        datetime(2026, 3, 27, 21, tzinfo=UTC),
        datetime(2026, 3, 28, 21, tzinfo=UTC),
        datetime(2026, 3, 29, 20, tzinfo=UTC),
    ]
    with reading(office.engine) as db:
        assert db.get_one(MaintenanceWindow, window).applied_at == begun[-1]


def test_an_hour_that_comes_twice_begins_twice(office):
    twice = Weekly((6,), "02:15", "02:45", "Europe/Berlin")
    start, end = twice.bounds(date(2026, 10, 25), date(2026, 10, 25))
    plan(office, start, end, twice.intervals())
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    moments = [first - MINUTE, first, first + 20 * MINUTE, first + 40 * MINUTE, first + HOUR, first + 80 * MINUTE]
    assert [tick(moment, office.engine) for moment in moments] == [0, 1, 0, 0, 1, 0]


def test_after_an_outage_only_what_still_lasts_begins(office):
    number = alert(office)
    plan(office)
    nights = Weekly((0, 1), "22:00", "04:00", "UTC")
    plan(office, MONDAY, MONDAY + 2 * DAY, nights.intervals())
    assert tick(MONDAY + 12 * HOUR, office.engine) == 0, "the first is over, the night has not come"
    assert stopped(office, number) == []
    assert tick(MONDAY + 2 * DAY - 6 * HOUR, office.engine) == 1, "the second night lasts, late"
    assert tick(MONDAY + 2 * DAY - 5 * HOUR, office.engine) == 0


def test_what_is_covered_later_begins_with_the_change(office):
    window = plan(office)
    assert tick(MONDAY + HOUR, office.engine) == 1
    number = alert(office, MONDAY + 90 * MINUTE)
    given = {"name": "New disks", "service_ids": [office.service], "start": MONDAY + HOUR}
    with writing(office.engine) as db:
        maintenance.change(
            db, window, 1, **given, end=MONDAY + 3 * HOUR, words="Long", actor=office.people["Lena"], now=MONDAY + HOUR
        )
    assert tick(MONDAY + 2 * HOUR, office.engine) == 0, "words begin nothing"
    with writing(office.engine) as db:
        maintenance.change(
            db, window, 2, **given, end=MONDAY + 4 * HOUR, actor=office.people["Lena"], now=MONDAY + 2 * HOUR
        )
    assert tick(MONDAY + 2 * HOUR, office.engine) == 1
    assert stopped(office, number) == [2 * HOUR]


def test_cancelled_and_ended_windows_begin_nothing(office):
    for version, now in ((1, MONDAY), (1, MONDAY + 2 * HOUR)):
        window = plan(office)
        with writing(office.engine) as db:
            maintenance.cancel(db, window, version, actor=office.people["Dora"], now=now)
    assert tick(MONDAY + 2 * HOUR, office.engine) == 0


def test_two_workers_at_once_begin_it_once(office):
    numbers = [alert(office) for _ in range(6)]
    plan(office)
    together = threading.Barrier(3)

    def work(_number):
        together.wait(60)
        return tick(MONDAY + HOUR, office.engine)

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 1
    assert [stopped(office, number) for number in numbers] == [[HOUR]] * 6


def test_one_that_fails_holds_up_no_other_and_is_tried_again(office, monkeypatch, caplog):
    first, second = plan(office), plan(office, end=MONDAY + 4 * HOUR)
    real = maintenance.begin

    def begin(db, window_id, now):
        if window_id == first:
            raise LookupError("broken")
        return real(db, window_id, now)

    with monkeypatch.context() as patch:
        patch.setattr(worker.maintenance, "begin", begin)
        assert tick(MONDAY + HOUR, office.engine) == 1
    assert f"Maintenance {first} could not begin" in caplog.text
    assert tick(MONDAY + HOUR, office.engine) == 1
    assert second != first


def test_the_worker_begins_it_in_its_turn(office):
    number = alert(office)
    plan(office)
    running = loop.Loop(office.engine, lambda: MONDAY + HOUR)
    try:
        running.turn()
    finally:
        running.stop()
        running._post.stop()
    assert stopped(office, number) == [HOUR]


def test_a_clock_that_was_set_back_is_no_reason_to_wait(office):
    window = plan(office)
    with writing(office.engine) as db:
        db.execute(update(MaintenanceWindow).values(applied_at=MONDAY + 300 * DAY))
    assert tick(MONDAY + HOUR, office.engine) == 1
    with reading(office.engine) as db:
        assert db.get_one(MaintenanceWindow, window).applied_at == MONDAY + HOUR
