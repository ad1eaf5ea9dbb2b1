"""Full-text search over what was reported and what was written since, on both databases."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Incident
from db.queries import text_spread
from db.queries.access import visible
from db.queries.text_search import candidates, found, once
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
    assert search(office, "relay scanner") == set(), "the words are of one incident"


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


@pytest.fixture
def apart(office):
    """An incident whose words stand in several texts, and others that have some of them."""
    incident = office.report("Scanner is dark", description="Since the storm.")
    office.report("Scanner hums")
    office.comment(incident, "Swapped the relay.", "Priya", MONDAY + HOUR)
    office.comment(incident, "Suspect sabotage.", "Priya", MONDAY + HOUR, public=False)
    office.comment(office.report("Mail is slow"), "The relay again.", "Priya", MONDAY + HOUR)
    return incident


@pytest.mark.parametrize("few", [text_spread.FEW, 1])
def test_words_are_found_together_though_they_stand_in_several_texts(office, apart, monkeypatch, few):
    """Also where all words but one are in many texts: these are then read, not looked up."""
    monkeypatch.setattr(text_spread, "FEW", few)
    number = str(apart)
    for words in ("storm relay", "scanner storm rel", "INC-000001 storm", f"{number} relay", "dark inc relay storm"):
        assert search(office, words) == {apart}, words
    assert search(office, "storm mail") == search(office, "storm sabotage hums") == set()
    assert search(office, "storm sabotage") == {apart}
    assert search(office, "storm sabotage", internal=False) == set()


def test_where_no_word_is_rare_only_what_meets_in_one_text_is_found(office, apart, monkeypatch):
    monkeypatch.setattr(text_spread, "FEW", 1)
    assert search(office, "scanner relay") == set()
    assert search(office, "scanner dark") == {apart}


def test_accents_and_case_are_no_matter_where_texts_are_read(office, monkeypatch):
    monkeypatch.setattr(text_spread, "FEW", 1)
    incident = office.report("Überspannung im Keller")
    office.report("ÜBERSPANNUNG im Dach")
    office.comment(incident, "Relais getauscht", "Priya", MONDAY + HOUR)
    assert search(office, "überspann relais") == {incident}


def test_what_is_restricted_is_not_found_by_words_apart_either(office, apart):
    with writing(office.engine) as db:
        db.get_one(Incident, apart).restricted = True
    with reading(office.engine) as db:
        for who, seen in (("Lena", []), ("Rita", [apart])):
            actor = office.people[who]
            ids = candidates(db, "storm relay", internal=True)
            found_ids = select(Incident.id).where(Incident.id.in_(once(ids)), visible(actor))
            assert list(db.scalars(found_ids)) == seen
