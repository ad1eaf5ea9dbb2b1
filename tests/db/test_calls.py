"""The call of a room: one link for all, started by two at once too, and on the timeline without the link itself."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db.commands import calls
from db.engine import reading, writing
from db.queries import incidents, rooms
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
TEMPLATE = "https://meet.jit.si/{room}"


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya"):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=NOW)


def running(office, number, by="Lena"):
    with reading(office.engine) as db:
        detail = incidents.by_number(db, office.people[by], office.incident(number).number)
        return rooms.talk(db, office.people[by], detail, NOW).call


def told(office, number):
    return [(entry.actor_name, entry.text, entry.public) for entry in office.timeline(number) if entry.kind == "call"]


def test_a_call_is_started_once_changed_by_a_pasted_link_and_ended(office):
    number = office.report()
    with ThreadPoolExecutor(2) as both:
        links = set(both.map(lambda who: do(office, calls.start, number, TEMPLATE, by=who), ["Priya", "Lena"]))
    [link] = links
    assert link.startswith("https://meet.jit.si/inc000001-")
    assert len(link.rpartition("-")[2]) >= 16
    assert running(office, number).url == link
    pasted = "https://zoom.example/j/123?pwd=a%20b"
    for _ in range(2):
        assert do(office, calls.start, number, TEMPLATE, f" {pasted} ", by="Sam") == pasted
    assert (running(office, number).url, running(office, number).by) == (pasted, "Sam")
    for _ in range(2):
        do(office, calls.end, number)
    assert running(office, number) is None
    assert [text for _, text, _ in told(office, number)] == [
        "started a call (meet.jit.si)",
        "changed the call (zoom.example)",
        "ended the call",
    ]
    assert not any(public for *_, public in told(office, number))
    assert do(office, calls.start, number, TEMPLATE) != link, "each call has a name of its own"


@pytest.mark.parametrize(
    "pasted", ["", "  ", "javascript:alert(1)", "zoom.example/j/1", "https://", "https://x/" + "a" * 500]
)
def test_what_is_no_link_is_refused_and_changes_nothing(office, pasted):
    number = office.report()
    with pytest.raises(RuleError):
        do(office, calls.start, number, TEMPLATE, pasted)
    assert running(office, number) is None
    assert told(office, number) == []


@pytest.mark.parametrize("who", ["Rita", "Otto", "Max", "Ada"])
def test_only_who_works_on_it_starts_and_ends(office, who):
    number = office.report()
    do(office, calls.start, number, TEMPLATE)
    for command, given in ((calls.start, (TEMPLATE,)), (calls.end, ())):
        with pytest.raises((Forbidden, NotFound)):
            do(office, command, number, *given, by=who)
    assert len(told(office, number)) == 1
