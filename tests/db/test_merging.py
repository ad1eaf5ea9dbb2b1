"""Merging two incidents and undoing it: who follows, what is read, which files open; two at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from db.commands import conversation, files, incidents
from db.commands.undo import undo
from db.engine import reading, writing
from db.models import Attachment, Follower
from db.queries import incidents as queries
from db.queries.relations import relations
from rules.access import NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office

NOW = MONDAY + 5 * HOUR


@pytest.fixture
def office(engine):
    return Office(engine)


def merge(office, loser, survivor, at=NOW, by="Dora"):
    return office.perform(loser, "merge", by, at, duplicate_of_id=survivor)


def followers(office, incident):
    """Names of those who follow it."""
    with reading(office.engine) as db:
        ids = set(db.scalars(select(Follower.person_id).where(Follower.incident_id == incident)))
    return {name for name, actor in office.people.items() if actor.id in ids}


def follow(office, incident, *names):
    with writing(office.engine) as db:
        for name in names:
            conversation.follow(db, incident, actor=office.people[name], now=MONDAY)


def restrict(office, *which):
    with writing(office.engine) as db:
        for incident in which:
            incidents.prioritise(db, incident, None, {"restricted": True}, actor=office.people["Lena"], now=MONDAY)


def detail(db, office, who, incident):
    return queries.by_number(db, office.people[who], f"INC-{incident:06d}")


def related(office, who, incident):
    with reading(office.engine) as db:
        return relations(db, office.people[who], detail(db, office, who, incident))


def test_who_follows_comes_along_and_leaves_again(office):
    loser, survivor = office.report(by="Otto"), office.report(by="Rita")
    follow(office, loser, "Sam", "Max")
    follow(office, survivor, "Max")
    merge(office, loser, survivor)
    assert followers(office, survivor) == {"Rita", "Max", "Otto", "Sam"}
    follow(office, survivor, "Sam")  # now by their own choice
    office.perform(loser, "unmerge", "Dora", NOW + HOUR)
    assert followers(office, survivor) == {"Rita", "Max", "Sam"}
    assert followers(office, loser) == {"Otto", "Sam", "Max"}


def test_whoever_follows_two_merged_ones_stays_for_the_other(office):
    one, two, survivor = office.report(by="Otto"), office.report(by="Otto"), office.report()
    merge(office, one, survivor)
    merge(office, two, survivor)
    office.perform(one, "unmerge", "Dora", NOW + HOUR)
    assert followers(office, survivor) == {"Rita", "Otto"}
    office.perform(two, "unmerge", "Dora", NOW + HOUR)
    assert followers(office, survivor) == {"Rita"}


def test_a_chain_of_merges_is_followed_to_its_end_and_taken_apart_from_its_beginning(office):
    first, middle, last = office.report(by="Otto"), office.report(by="Max"), office.report(by="Rita")
    merge(office, first, middle)
    merge(office, middle, last)
    assert followers(office, last) == {"Rita", "Max", "Otto"}
    assert [found.id for found in related(office, "Priya", last).duplicates] == [middle, first]
    office.perform(first, "unmerge", "Dora", NOW + HOUR)
    assert (followers(office, middle), followers(office, last)) == ({"Max"}, {"Rita", "Max"})


def test_the_reporter_of_what_was_imported_without_followers_follows(office):
    loser, survivor = office.report(by="Otto"), office.report()
    with writing(office.engine) as db:
        db.delete(db.get_one(Follower, (loser, office.people["Otto"].id)))
    merge(office, loser, survivor)
    assert "Otto" in followers(office, survivor)


@pytest.mark.parametrize("state", ["new", "assigned", "in_progress", "on_hold"])
def test_undoing_it_brings_back_the_state_it_had(office, state):
    loser, survivor = office.bring_to(state), office.report()
    before = office.incident(loser)
    merge(office, loser, survivor)
    after = office.perform(loser, "unmerge", "Dora", NOW + HOUR)
    for name in ("state", "team_id", "assignee_id", "acknowledged_at", "hold_reason", "hold_until", "priority"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.duplicate_of_id, after.cancelled_at) == (None, None)
    running = [pause for pause in office.pauses(loser) if pause.ended_at is None]
    assert len(running) == (state == "on_hold")
    if state != "on_hold":
        assert after.resolution_due_at > before.resolution_due_at, "the hour it was merged does not count"


def test_taking_it_back_at_once_takes_back_what_was_set_with_it(office):
    loser, survivor = office.report(), office.report()
    before = office.incident(loser)
    merged = office.perform(loser, "merge", "Dora", NOW, duplicate_of_id=survivor, impact=1, urgency=1)
    with writing(office.engine) as db:
        undo(db, loser, merged.version, actor=office.people["Dora"], now=NOW)
    after = office.incident(loser)
    assert (after.state, after.impact, after.priority) == ("new", before.impact, before.priority)


def test_what_was_merged_is_not_reopened_by_the_way(office):
    loser, survivor = office.report(), office.report()
    merge(office, loser, survivor)
    with pytest.raises(RuleError, match="Undo the merge instead"):
        office.perform(loser, "reopen", "Priya", NOW, reason="Again.")
    assert office.incident(loser).state == "cancelled"


@pytest.mark.parametrize("wrong", [None, "", "abc", 999_999, 1.5])
def test_a_survivor_that_is_none_is_refused_in_words(office, wrong):
    loser = office.report()
    with pytest.raises(RuleError, match="Choose the incident it repeats"):
        merge(office, loser, wrong)
    assert office.incident(loser).state == "new"


def test_a_restricted_one_merges_only_with_a_restricted_one(office):
    loser, survivor = office.report(by="Otto"), office.report(by="Rita")
    restrict(office, loser)
    with pytest.raises(RuleError, match="Only one of INC-000001 and INC-000002 is restricted"):
        merge(office, loser, survivor, by="Lena")
    with pytest.raises(RuleError, match="Only one of"):
        merge(office, survivor, loser, by="Lena")
    with pytest.raises(RuleError, match="there is none with this number"):
        merge(office, survivor, loser, by="Dora")  # who may not even see it
    restrict(office, survivor)
    merge(office, loser, survivor, by="Lena")
    with reading(office.engine) as db, pytest.raises(NotFound):
        detail(db, office, "Otto", survivor)  # to follow one is not to be named on the other


def attached(office, incident, by):
    with writing(office.engine) as db:
        kept = files.attach(
            db,
            db.get_one(incidents.Incident, incident),
            files.Upload("a.txt", b"seen"),
            actor=office.people[by],
            now=NOW,
        )
        return kept.id


def opens(office, who, file_id):
    try:
        with reading(office.engine) as db:
            return queries.file_content(db, office.people[who], file_id)[1] == b"seen"
    except NotFound:
        return False


def test_texts_and_files_of_the_merged_are_read_at_the_survivor_and_by_no_stranger(office):
    loser, survivor = office.report("It hangs", by="Otto", description="Since noon."), office.report(by="Rita")
    kept = attached(office, loser, "Otto")
    assert not opens(office, "Rita", kept)
    merge(office, loser, survivor)
    (found,) = related(office, "Priya", survivor).duplicates
    assert (found.description, found.reporter, found.files, found.open) == (
        "Since noon.", "Otto", ((kept, "a.txt"),), True,
    )  # fmt: skip
    assert opens(office, "Rita", kept)
    assert opens(office, "Otto", kept)
    assert not opens(office, "Ada", kept)
    office.perform(loser, "unmerge", "Dora", NOW + HOUR)
    assert not opens(office, "Rita", kept)
    assert related(office, "Priya", survivor).duplicates == ()


def test_a_restricted_ones_files_open_only_by_way_of_a_restricted_one(office):
    loser, survivor = office.report(by="Otto"), office.report(by="Rita")
    kept = attached(office, loser, "Otto")
    restrict(office, loser, survivor)
    merge(office, loser, survivor, by="Lena")
    assert opens(office, "Rita", kept)
    assert [found.open for found in related(office, "Rita", survivor).duplicates] == [False]
    assert not opens(office, "Sam", kept)
    with writing(office.engine) as db:
        incidents.prioritise(db, survivor, None, {"restricted": False}, actor=office.people["Lena"], now=NOW)
    assert not opens(office, "Rita", kept)
    assert not opens(office, "Sam", kept)
    assert opens(office, "Otto", kept)
    assert related(office, "Sam", survivor).duplicates == ()


def test_an_import_that_goes_in_circles_stops_nobody(office):
    one, two = office.report(by="Otto"), office.report(by="Otto")
    kept = attached(office, one, "Otto")
    with writing(office.engine) as db:
        for incident, other in ((one, two), (two, one)):
            db.get_one(incidents.Incident, incident).duplicate_of_id = other
        assert db.get_one(Attachment, kept)
    assert not opens(office, "Rita", kept)
    assert [found.id for found in related(office, "Priya", one).duplicates] == [two]
    office.perform(one, "cancel", "Dora", NOW, reason="Twice.")
    assert office.perform(one, "unmerge", "Dora", NOW + DAY).state == "new"


def test_two_people_who_merge_two_into_each_other_at_once(office):
    one, two = office.report(by="Otto"), office.report(by="Rita")
    together = threading.Barrier(2)

    def press(which):
        together.wait(60)
        try:
            merge(office, *which, by="Dora" if which[0] == one else "Lena")
        except RuleError as refused:
            return refused.sentence
        return "done"

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            got = list(pool.map(press, [(one, two), (two, one)]))
        assert got.count("done") == 1, got
        assert any("merged into another" in said for said in got), got
        loser = one if got[0] == "done" else two
        assert {office.incident(incident).state for incident in (one, two)} == {"new", "cancelled"}
        office.perform(loser, "unmerge", "Dora", NOW + HOUR)
