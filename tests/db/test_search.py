"""Full-text search over what was reported and what was written since, on both databases."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.models import Incident
from db.queries.text_search import found
from tests.db.office import HOUR, MONDAY, Office


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


def search(office: Office, text: str, *, internal: bool = True) -> set[int]:
    with reading(office.engine) as db:
        matched = found(db, text, internal=internal)
        assert matched is not None
        return set(db.scalars(select(Incident.id).where(Incident.id.in_(matched))))


def test_words_of_the_timeline_are_found(office):
    mail, other = office.report("Mail is slow"), office.report("Scanner is dark")
    office.perform(mail, "accept", "Lena", MONDAY + HOUR, **office.triage)
    office.comment(mail, "The Überspannung broke a relay.", "Priya", MONDAY + HOUR)
    assert search(office, "relay") == search(office, "überspann broke") == {mail}
    assert search(office, "scanner") == {other}
    assert search(office, "relay scanner") == set(), "the words belong together"


def test_what_was_done_to_resolve_it_is_found(office):
    incident = office.bring_to("assigned")
    office.perform(
        incident, "resolve", "Priya", MONDAY + 3 * HOUR, resolution_code="fixed", resolution_note="Swapped the gizmo."
    )
    assert search(office, "gizmo") == {incident}


def test_notes_among_those_who_work_are_not_found_by_others(office):
    incident = office.report("Mail is slow")
    office.comment(incident, "Suspect sabotage.", "Priya", MONDAY + HOUR, public=False)
    office.comment(incident, "We look into it tonight.", "Priya", MONDAY + HOUR)
    assert search(office, "sabotage") == {incident}
    assert search(office, "sabotage", internal=False) == set()
    assert search(office, "tonight", internal=False) == {incident}


@pytest.mark.parametrize(
    "typed", ['"', "a OR b", "near(", "*", "'; drop table incident; --", "-x", "&|!:*", "(", "🖨️", "\x00"]
)
def test_no_text_breaks_the_search(office, typed):
    office.report("Mail is slow")
    with reading(office.engine) as db:
        matched = found(db, typed, internal=True)
        if matched is not None:
            db.execute(matched).all()
