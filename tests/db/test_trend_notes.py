"""Notes on the time axis of trends: written for a day that has been, once, and taken away by whoever may write."""

from datetime import date, timedelta

import pytest

from db.commands import trend_notes as commands
from db.engine import reading, writing
from db.queries import trend_notes as queries
from db.queries.report import report
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from rules.measures import Filters
from rules.periods import preset
from tests.db.office import MONDAY, Office

TODAY = MONDAY.date()


@pytest.fixture
def office(engine):
    return Office(engine)


def note(office, words, day=TODAY, by="Max"):
    with writing(office.engine) as db:
        return commands.add(db, day, words, actor=office.people[by], now=MONDAY)


def noted(office, first=TODAY, last=TODAY):
    with reading(office.engine) as db:
        return [(each.text, each.author) for each in queries.notes(db, office.people["Dora"], first, last)]


def test_a_note_is_written_once_and_taken_away(office):
    one = note(office, " New \0 release ")
    assert note(office, "New \ufffd release") == one, "pressed twice"
    other = note(office, "New \ufffd release", TODAY - timedelta(days=1), by="Lena")
    assert noted(office, TODAY - timedelta(days=1)) == [("New \ufffd release", "Lena"), ("New \ufffd release", "Max")]
    with writing(office.engine) as db:
        commands.remove(db, one, actor=office.people["Ada"], now=MONDAY)
    with writing(office.engine) as db, pytest.raises(NotFound):
        commands.remove(db, one, actor=office.people["Ada"], now=MONDAY)
    assert noted(office, date(1900, 1, 1), date(2999, 1, 1)) == [("New \ufffd release", "Lena")]
    for by in ("Rita", "Priya", "Dora"):
        with pytest.raises(Forbidden):
            note(office, "Mine", by=by)
        with writing(office.engine) as db, pytest.raises(Forbidden):
            commands.remove(db, other, actor=office.people[by], now=MONDAY)


@pytest.mark.parametrize(
    ("day", "words", "field"),
    [
        (TODAY, " ", "text"),
        (TODAY, "x" * (commands.LIMIT + 1), "text"),
        (date(1899, 12, 31), "Long ago", "day"),
        (TODAY + timedelta(days=1), "To come", "day"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_noted_is_refused_at_its_field(office, day, words, field):
    with pytest.raises(RuleError) as refused:
        note(office, words, day)
    assert list(refused.value.fields) == [field]
    assert noted(office, date(1800, 1, 1), date(2999, 1, 1)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_day_has_few_notes(office):
    for number in range(commands.MOST_A_DAY):
        note(office, f"Release {number}")
    with pytest.raises(RuleError, match="at most 5 notes"):
        note(office, "One more")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_notes_of_one_place_in_a_picture_are_read_together(office):
    office.report()
    for words, day in (("Release", TODAY), ("New rota", TODAY), ("Move", TODAY - timedelta(days=20))):
        note(office, words, day)
    period = preset("90", MONDAY, "UTC", None)
    with reading(office.engine) as db:
        found = report(db, office.people["Max"], "overview", period, "UTC", Filters(), MONDAY)
    marks = {panel.key: panel.marks["notes"] for panel in found.panels if "notes" in panel.marks}
    assert len(marks) > 1
    for told in marks.values():
        assert [one["note"] for one in told] == ["Move", "Release · New rota"]
