"""Two people press the same button at the same moment: one of them does it, the other is told."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from db.commands.incidents import Conflict
from db.engine import writing
from db.models import Person, PersonRole
from rules.access import Actor
from tests.db.office import HOUR, MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def _at_once(office, number, action, names, version, **given):
    """What each got: 'done', or the names of who was first as the conflict tells them."""
    together = threading.Barrier(len(names))

    def press(name):
        together.wait(60)
        try:
            office.perform(number, action, name, MONDAY + 9 * HOUR, version, **given)
        except Conflict as conflict:
            return tuple(entry.actor_name for entry in conflict.since)
        return "done"

    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(press, names), strict=True))


@pytest.mark.parametrize(
    ("state", "action", "version", "given"),
    [
        ("assigned", "acknowledge", 2, {}),
        ("recovered", "close", 5, {"verification": "not_needed", "verification_note": "Seen."}),
        ("in_progress", "resolve", 3, {"resolution_code": "fixed", "resolution_note": "Done."}),
    ],
)
def test_exactly_one_wins_and_the_others_learn_who(office, state, action, version, given):
    number = office.bring_to(state)
    names = ["Dora", "Lena", "Priya", "Sam"]
    if action == "close":
        names = ["Dora", "Dirk"]
        office.people["Dirk"] = _one_more(office, "Dirk", "desk")
    got = _at_once(office, number, action, names, version, **given)
    winners = [name for name, result in got.items() if result == "done"]
    assert len(winners) == 1
    first = office.people[winners[0]].name
    assert all(result == (first,) for name, result in got.items() if name != winners[0])
    assert office.incident(number).version == version + 1
    assert [entry.kind for entry in office.timeline(number)].count(action) == 1


def _one_more(office, name, role):
    """Another person with this role."""
    with writing(office.engine) as db:
        made = Person(name=name, email=f"{name.lower()}@example.org", created_at=MONDAY)
        db.add(made)
        db.flush()
        db.add_all(PersonRole(person_id=made.id, role=held) for held in ("reporter", role))
        return Actor(made.id, name, frozenset({"reporter", role}))


def test_without_a_version_the_second_finds_the_state_changed(office):
    number = office.bring_to("assigned")
    together, refused = threading.Barrier(2), []

    def press(name):
        together.wait(60)
        try:
            office.perform(number, "acknowledge", name)
        except ValueError as error:
            refused.append(str(error))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, ["Lena", "Priya"]))
    assert refused == ["'Start work' cannot be done while the incident is in progress."]
    assert office.incident(number).version == 3


def test_many_comments_at_once_are_all_kept(office):
    number = office.report()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: office.comment(number, f"comment {n}", "Priya"), range(24)))
    assert {entry.detail for entry in office.timeline(number)[1:]} == {f"comment {n}" for n in range(24)}
