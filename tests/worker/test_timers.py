"""What falls due: once, at its moment, whatever happens to the worker."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import housekeeping, incidents, timers
from db.engine import DatabaseProblem, reading, writing
from db.models import OneTimeLink, Person, SignInSession, Throttle, Timer
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker import loop
from worker import timers as worker_timers
from worker.timers import tick

QUARTER = timedelta(minutes=15)
WARNED = QUARTER * 0.75
"""when 75 % of that have gone by"""
URGENT = {"scope": "everyone", "effect": "stopped"}
"""P1: answer within 15 minutes, resolve within 4 hours, warning after 3"""


@pytest.fixture
def office(engine):
    return Office(engine)


def _told(office, number):
    """(text, when it was due, when it was written down) of what the worker said."""
    return [
        (entry.text, entry.at - MONDAY, entry.recorded_at - MONDAY)
        for entry in office.timeline(number)
        if entry.kind in ("sla", "hold_over")
    ]


def test_nothing_fires_before_its_time(office):
    number = office.report(**URGENT)
    assert tick(MONDAY + WARNED - timedelta(seconds=1), office.engine) == 0
    assert _told(office, number) == []


def test_each_fires_once_at_its_moment_and_changes_nothing_else(office):
    number = office.report(**URGENT)
    before = office.incident(number)
    assert tick(MONDAY + WARNED, office.engine) == 1
    assert tick(MONDAY + QUARTER, office.engine) == 1
    assert tick(MONDAY + QUARTER, office.engine) == 0
    assert tick(MONDAY + 3 * HOUR, office.engine) == 1
    assert tick(MONDAY + 4 * HOUR, office.engine) == 1
    assert _told(office, number) == [
        ("used 75 % of the time to answer", WARNED, WARNED),
        ("missed the time to answer", QUARTER, QUARTER),
        ("used 75 % of the time to resolve", 3 * HOUR, 3 * HOUR),
        ("missed the time to resolve", 4 * HOUR, 4 * HOUR),
    ]
    after = office.incident(number)
    assert (after.version, after.changed_at, after.state) == (before.version, before.changed_at, "new")
    [entry] = [entry for entry in office.timeline(number) if entry.text == "missed the time to resolve"]
    assert (entry.actor_id, entry.actor_name, entry.public, entry.version) == (None, "Incident Desk", False, None)


def test_after_an_outage_all_fire_in_order_with_the_moment_they_were_due(office):
    first, second = office.report(**URGENT), office.report(at=MONDAY + HOUR, **URGENT)
    assert tick(MONDAY + DAY, office.engine) == 8
    assert _told(office, first) == [
        ("used 75 % of the time to answer", WARNED, DAY),
        ("missed the time to answer", QUARTER, DAY),
        ("used 75 % of the time to resolve", 3 * HOUR, DAY),
        ("missed the time to resolve", 4 * HOUR, DAY),
    ]
    entries = [entry for number in (first, second) for entry in office.timeline(number) if entry.kind == "sla"]
    in_order = sorted(entries, key=lambda entry: entry.id)
    assert [entry.at for entry in in_order] == sorted(entry.at for entry in entries)


def test_more_than_a_batch_is_worked_off(office, monkeypatch):
    monkeypatch.setattr("worker.timers.BATCH", 4)
    numbers = [office.report(**URGENT) for _ in range(5)]  # all due at the same moments
    assert tick(MONDAY + DAY, office.engine) == 20
    assert all(len(_told(office, number)) == 4 for number in numbers)


def test_one_tick_is_bounded_and_the_next_goes_on(office, monkeypatch):
    monkeypatch.setattr("worker.timers.BATCH", 2)
    monkeypatch.setattr("worker.timers.MOST", 4)
    for _ in range(2):
        office.report(**URGENT)
    assert [tick(MONDAY + DAY, office.engine) for _ in range(3)] == [4, 4, 0]


def test_two_workers_at_once_fire_each_timer_once(office):
    numbers = [office.report(**URGENT) for _ in range(8)]
    together = threading.Barrier(3)

    def work(_number):
        together.wait(60)
        fired = 0
        while done := tick(MONDAY + DAY, office.engine):
            fired += done
        return fired

    with ThreadPoolExecutor(3) as pool:
        fired = sum(pool.map(work, range(3)))
    fired += tick(MONDAY + DAY, office.engine)  # what a worker skipped because another was at it
    assert fired == 32
    assert all(len(_told(office, number)) == 4 for number in numbers)


def test_work_goes_on_while_timers_fire(office):
    """A change of an incident and the firing of its timers at the same moment do not block each other for good."""
    numbers = [office.report(**URGENT) for _ in range(10)]
    together = threading.Barrier(2)

    def change():
        together.wait(60)
        for number in numbers:
            office.perform(number, "accept", "Dora", MONDAY + 2 * HOUR, **office.triage)
            office.perform(number, "acknowledge", "Lena", MONDAY + 2 * HOUR)

    def fire():
        together.wait(60)
        for _ in range(10):
            tick(MONDAY + QUARTER, office.engine)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(change), pool.submit(fire)]:
            future.result(30)
    assert all(office.incident(number).version == 3 for number in numbers)
    assert all(len(_told(office, number)) <= 2 for number in numbers)


def test_a_crash_between_claim_and_commit_loses_nothing(office, monkeypatch):
    number = office.report(**URGENT)

    class Killed(BaseException):
        pass

    def die(*_args):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(timers, "fire", die)
        with pytest.raises(Killed):
            tick(MONDAY + QUARTER, office.engine)
    assert office.timers(number)["response_breach"].fired_at is None
    assert tick(MONDAY + HOUR, office.engine) == 2
    assert _told(office, number)[-1] == ("missed the time to answer", QUARTER, HOUR)


def test_a_timer_that_cannot_be_fired_does_not_hold_up_the_others(office, monkeypatch, caplog):
    bad, good = office.report(**URGENT), office.report(at=MONDAY + QUARTER, **URGENT)
    real = timers.fire

    def fail(db, timer, now):
        if timer.incident_id == bad:
            raise ZeroDivisionError
        real(db, timer, now)

    with monkeypatch.context() as patched:
        patched.setattr(timers, "fire", fail)
        assert tick(MONDAY + HOUR, office.engine) == 2
    assert len(_told(office, good)) == 2
    assert "could not be fired" in caplog.text
    assert tick(MONDAY + HOUR, office.engine) == 2
    assert len(_told(office, bad)) == 2


def test_a_timer_moved_after_it_was_read_is_left_alone(office, monkeypatch):
    number = office.report(**URGENT)
    read = worker_timers._due

    def read_then_moved(*given):
        batch = read(*given)
        with writing(office.engine) as db:
            db.execute(update(Timer).where(Timer.incident_id == number).values(due_at=MONDAY + 9 * HOUR))
        return batch

    with monkeypatch.context() as patched:
        patched.setattr(worker_timers, "_due", read_then_moved)
        assert tick(MONDAY + QUARTER, office.engine) == 0
    assert _told(office, number) == []
    assert tick(MONDAY + 9 * HOUR, office.engine) == 4


def test_a_due_time_that_moves_later_fires_again_then(office):
    number = office.report(**URGENT)
    tick(MONDAY + 3 * HOUR, office.engine)
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"impact": 2}, actor=office.people["Lena"], now=MONDAY + 3.5 * HOUR)
    assert office.timers(number)["resolution_warning"].due_at == MONDAY + 6 * HOUR
    assert tick(MONDAY + 5 * HOUR, office.engine) == 0
    assert tick(MONDAY + 6 * HOUR, office.engine) == 1


def test_an_acknowledged_incident_does_not_miss_its_answer(office):
    number = office.bring_to("in_progress")
    office.perform(number, "resolve", "Priya", MONDAY + 3 * HOUR, resolution_code="fixed", resolution_note="Done.")
    assert tick(MONDAY + 30 * DAY, office.engine) == 0
    assert _told(office, number) == []


def test_on_hold_the_clock_is_silent_until_the_day_has_come(office):
    number = office.bring_to("on_hold")
    assert tick(MONDAY + 5 * DAY - HOUR, office.engine) == 0
    assert tick(MONDAY + 5 * DAY, office.engine) == 1
    assert _told(office, number) == [("the day to look at it again has come", 5 * DAY, 5 * DAY)]
    assert office.incident(number).state == "on_hold"


def test_kinds_of_a_newer_version_are_left_to_it(office):
    number = office.report()
    with writing(office.engine) as db:
        db.add(Timer(incident_id=number, kind="of the future", due_at=MONDAY))
    assert tick(MONDAY, office.engine) == 0


def test_housekeeping_removes_only_what_is_spent(office):
    ada = office.people["Ada"].id
    with writing(office.engine) as db:
        for number, days in enumerate((-1, 1)):
            db.add(SignInSession(token_hash=bytes([number] * 32), person_id=ada, created_at=MONDAY - 9 * DAY,
                                 last_seen_at=MONDAY, expires_at=MONDAY + days * DAY))  # fmt: skip
        db.add(Throttle(key="old", failures=3, last_failure_at=MONDAY - 2 * DAY))
        db.add(Throttle(key="new", failures=3, last_failure_at=MONDAY - HOUR))
        blocked = MONDAY + HOUR
        db.add(Throttle(key="blocked", failures=9, last_failure_at=MONDAY - 2 * DAY, blocked_until=blocked))
        for number, (used, expires) in enumerate(((-31, -40), (-29, -40), (None, -31), (None, 2))):
            db.add(OneTimeLink(token_hash=bytes([number] * 32), purpose="invite", person_id=ada,
                               created_at=MONDAY - 50 * DAY, expires_at=MONDAY + expires * DAY,
                               used_at=None if used is None else MONDAY + used * DAY))  # fmt: skip
    with writing(office.engine) as db:
        assert housekeeping.tidy(db, MONDAY) == 4
    with reading(office.engine) as db:
        assert db.scalars(select(SignInSession.expires_at)).all() == [MONDAY + DAY]
        assert sorted(db.scalars(select(Throttle.key))) == ["blocked", "new"]
        assert sorted(hash_[0] for hash_ in db.scalars(select(OneTimeLink.token_hash))) == [1, 3]
        assert db.get(Person, ada) is not None


def test_the_loop_survives_a_failing_database_and_says_so_once(office, monkeypatch, caplog):
    number = office.report(**URGENT)
    running = loop.Loop(office.engine, clock=lambda: MONDAY + HOUR)

    @contextmanager
    def unreachable(_engine=None):
        raise DatabaseProblem("The database cannot be reached.")
        yield

    with monkeypatch.context() as patched:
        patched.setattr("worker.timers.reading", unreachable)
        waits = [running.turn() for _ in range(8)]
    assert waits == [4, 8, 16, 32, 60, 60, 60, 60]
    assert caplog.text.count("cannot be reached") == 1
    assert running.turn() == loop.EVERY_SECONDS
    assert len(_told(office, number)) == 2
    assert "goes on" in caplog.text


def test_the_thread_works_and_stops_when_asked(office):
    number = office.report(**URGENT)
    worked = threading.Event()
    turns = iter([MONDAY + HOUR])

    def clock():
        moment = next(turns, None)
        if moment is None:
            worked.set()
        return moment or MONDAY + HOUR

    running = loop.Loop(office.engine, clock=clock).start()
    assert worked.wait(60)
    assert running.stop(60)
    assert len(_told(office, number)) == 2


def test_stop_ends_every_worker_that_was_started(office):
    running = [loop.start(office.engine) for _ in range(2)]
    loop.stop()
    assert all(each.stop(0) for each in running)
