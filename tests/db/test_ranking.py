"""The order of work by hand: pins that end by themselves, and 'next up' for several people at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from db.commands import ranking
from db.commands.incidents import Conflict
from db.engine import reading, writing
from db.queries import triage
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker.timers import tick


@pytest.fixture
def office(engine):
    return Office(engine)


def _pin(office, number, seconds, by="Lena", until=MONDAY + DAY, reason="Board meeting", version=None):
    with writing(office.engine) as db:
        return ranking.pin(db, number, version, seconds, reason, until, actor=office.people[by], now=MONDAY + HOUR)


def _queue(office, by="Lena"):
    with reading(office.engine) as db:
        return [line.id for line in triage.queue(db, office.people[by], triage.Filters(), 1, MONDAY + HOUR).lines]


def test_a_pin_moves_it_and_ends_by_itself(office):
    first, second = office.report("First"), office.report("Second", at=MONDAY + HOUR)
    assert _queue(office) == [first, second]
    before = office.incident(second).rank_at
    with reading(office.engine) as db:
        seconds = ranking.to_the_top(db, second)
    pinned = _pin(office, second, seconds)
    assert _queue(office) == [second, first]
    assert (pinned.version, pinned.pin_seconds, pinned.pinned_by_id) == (2, seconds, office.people["Lena"].id)
    assert office.timeline(second)[-1].detail == "Board meeting"
    assert not office.timeline(second)[-1].public
    assert tick(MONDAY + DAY, office.engine) >= 1
    ended = office.incident(second)
    assert (ended.rank_at, ended.pin_seconds, ended.pin_until, ended.pin_reason) == (before, 0, None, "")
    assert _queue(office) == [first, second]


def test_a_pin_backward_and_taken_away(office):
    first, second = office.report("First"), office.report("Second", at=MONDAY + HOUR)
    before = office.incident(first).rank_at
    _pin(office, first, -7 * 86_400)
    assert _queue(office) == [second, first]
    with writing(office.engine) as db:
        ranking.unpin(db, first, 2, actor=office.people["Lena"], now=MONDAY + HOUR)
    assert office.incident(first).rank_at == before
    assert "pin_until" not in office.timers(first)


def test_a_pin_stays_through_a_change_of_priority(office):
    number = office.report()
    _pin(office, number, 3600)
    office.perform(number, "accept", "Lena", MONDAY + HOUR, **(office.triage | {"impact": 1}))
    found = office.incident(number)
    assert found.rank_at == found.resolution_due_at - timedelta(days=5, hours=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"seconds": 0}, "seconds"),
        ({"seconds": 10**9}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"seconds": 60, "reason": " "}, "reason"),
        ({"seconds": 60, "until": MONDAY}, "until"),
        ({"seconds": 60, "until": MONDAY + 100 * DAY}, "until"),
    ],
)
def test_a_wrong_pin_is_refused_with_a_sentence(office, given, field):
    number = office.report()
    with pytest.raises(RuleError) as refused:
        _pin(office, number, **given)
    assert field in refused.value.fields
    assert office.incident(number).version == 1


def test_only_a_lead_pins_what_is_open_and_as_it_was_seen(office):
    number = office.report()
    with pytest.raises(Forbidden):
        _pin(office, number, 60, by="Dora")
    _pin(office, number, 60, version=1)
    with pytest.raises(Conflict):
        _pin(office, number, 120, version=1)
    done = office.bring_to("resolved")
    with pytest.raises(RuleError, match="only open incidents"):
        _pin(office, done, 60)


def _waiting(office, count):
    numbers = []
    for place in range(count):
        number = office.report(f"Number {place}", at=MONDAY + place * HOUR)
        office.perform(number, "accept", "Lena", MONDAY + 9 * HOUR, **office.triage)
        numbers.append(number)
    return numbers


def _take(office, name):
    with writing(office.engine) as db:
        taken = ranking.next_up(db, actor=office.people[name], now=MONDAY + 10 * HOUR)
        return taken.id if taken else None


def test_next_up_is_the_first_of_my_teams_that_nobody_has(office):
    first, second = _waiting(office, 2)
    new = office.report("Not sorted yet")
    assert _take(office, "Sam") is None
    assert _take(office, "Priya") == first
    assert office.incident(first).assignee_id == office.people["Priya"].id
    assert office.timeline(first)[-1].kind == "assign"
    assert _take(office, "Lena") == second
    assert _take(office, "Priya") is None
    assert office.incident(new).assignee_id is None
    with pytest.raises(Forbidden):
        _take(office, "Max")


def test_next_up_pressed_at_once_gives_each_another(office):
    waiting = _waiting(office, 4)
    office.people["Priya2"] = office.people["Priya"]
    names = ["Priya", "Lena", "Priya2"]
    together = threading.Barrier(len(names))

    def press(name):
        together.wait(60)
        return _take(office, name)

    with ThreadPoolExecutor(len(names)) as pool:
        taken = list(pool.map(press, names))
    assert len(set(taken)) == 3
    assert set(taken) <= set(waiting)
