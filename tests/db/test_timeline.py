"""The timeline of an incident: by kind, page by page, added to afterwards, and told whole to whoever may read it."""

from datetime import timedelta

import pytest

from db.commands import conversation, corrections, timeline
from db.engine import reading, writing
from db.models import Incident
from db.queries import incidents as queries
from db.queries import timeline as stored
from rules.access import SYSTEM, Forbidden, NotFound
from rules.errors import RuleError
from rules.phases import DETECTED, DIAGNOSING, RESOLVED
from tests.db.office import DAY, HOUR, MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def told(office, incident, group="all", before=None, by="Priya"):
    with reading(office.engine) as db:
        actor = office.people[by]
        return queries.told(db, actor, queries.by_number(db, actor, office.incident(incident).number), group, before)


def happened(office, incident, words="The backup began.", at=MONDAY - HOUR, by="Priya", now=MONDAY + HOUR):
    with writing(office.engine) as db:
        conversation.happened(db, incident, words, at, actor=office.people[by], now=now)


def texts(found):
    return [entry.text for entry in found.entries]


def test_a_group_shows_its_kinds_and_all_shows_everything(office):
    incident = office.bring_to("resolved")
    office.comment(incident, "Looking.", "Priya", MONDAY + 4 * HOUR)
    assert [entry.kind for entry in told(office, incident, "talk").entries] == ["comment"]
    assert {entry.kind for entry in told(office, incident, "people").entries} == {"accept", "acknowledge"}
    assert "comment" not in {entry.kind for entry in told(office, incident, "key").entries}
    assert told(office, incident).total == len(office.timeline(incident))
    assert told(office, incident, "no such group").total == told(office, incident).total


def test_every_page_is_reached_and_nothing_is_told_twice(office, monkeypatch):
    incident = office.report()
    with writing(office.engine) as db:
        kept = db.get_one(Incident, incident)
        for number in range(450):  # several at one moment, so that pages end between them
            at = MONDAY + timedelta(minutes=number // 7)
            kind = "note" if number % 2 else "sla"
            timeline.add(db, kept, SYSTEM, at, kind, f"{number}", versioned=False)
    for group, expected in (("all", 451), ("talk", 225)):
        seen, before = [], None
        while True:
            page = told(office, incident, group, before)
            assert page.total == expected
            assert len(page.entries) <= stored.PAGE
            seen += page.entries
            if page.earlier is None:
                break
            before = page.earlier
        assert len(seen) == len({entry.id for entry in seen}) == expected
        assert seen == sorted(seen, key=lambda entry: (entry.at, entry.id), reverse=True)


def test_what_happened_stands_at_its_own_time_and_when_it_was_written_down_is_kept(office):
    incident = office.report()
    version = office.incident(incident).version
    happened(office, incident)
    happened(office, incident)
    assert told(office, incident).total == 2, "a double click writes it once"
    entry = told(office, incident).entries[-1]
    assert (entry.text, entry.detail, entry.at, entry.recorded_at, entry.public) == (
        "wrote down",
        "The backup began.",
        MONDAY - HOUR,
        MONDAY + HOUR,
        False,
    )
    assert office.incident(incident).version == version


@pytest.mark.parametrize(
    ("at", "words", "wrong"),
    [
        (MONDAY + 2 * HOUR, "x", {"at"}),
        (MONDAY - 8 * DAY, "x", {"at"}),
        (None, " ", {"at", "words"}),
        (MONDAY, "x" * 20_001, {"words"}),
    ],
)
def test_what_cannot_have_happened_then_is_refused_by_field(office, at, words, wrong):
    incident = office.report()
    with pytest.raises(RuleError) as refused:
        happened(office, incident, words, at)
    assert set(refused.value.fields) == wrong
    assert len(office.timeline(incident)) == 1


@pytest.mark.parametrize(
    ("who", "refusal"), [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden), ("Ada", NotFound)]
)
def test_only_those_who_work_on_it_add_to_it(office, who, refusal):
    incident = office.report()
    with pytest.raises(refusal):
        happened(office, incident, by=who)


def test_a_restricted_incident_is_added_to_and_told_by_its_own(office):
    incident = office.report()
    number = office.incident(incident).number
    office.perform(incident, "accept", "Lena", MONDAY, **office.triage, restricted=True)
    with pytest.raises(NotFound):
        happened(office, incident, by="Sam")
    with reading(office.engine) as db, pytest.raises(NotFound):
        queries.whole_story(db, office.people["Sam"], queries.by_number(db, office.people["Priya"], number))


def test_the_whole_story_is_oldest_first_and_only_public_for_the_reporter(office):
    incident = office.report()
    office.comment(incident, "Among us.", "Priya", MONDAY + HOUR, public=False)
    happened(office, incident)
    number = office.incident(incident).number

    def story(by):
        with reading(office.engine) as db:
            actor = office.people[by]
            return [entry.kind for entry in queries.whole_story(db, actor, queries.by_number(db, actor, number))]

    assert story("Priya") == ["happened", "report", "note"]
    assert story("Rita") == ["report"]


def test_the_course_follows_corrected_moments_and_stops_with_the_end(office):
    incident = office.bring_to("resolved")
    with writing(office.engine) as db:
        given = {"acknowledged_at": MONDAY + HOUR / 2}
        corrections.correct(db, incident, None, given, "By the log.", actor=office.people["Lena"], now=MONDAY + DAY)

    def spans(incident):
        with reading(office.engine) as db:
            actor = office.people["Priya"]
            detail = queries.by_number(db, actor, office.incident(incident).number)
            return [
                (one.phase, one.seconds / 3600, one.running)
                for one in queries.course(db, actor, detail, MONDAY + DAY).spans
            ]

    assert spans(incident) == [(DETECTED, 0.5, False), (DIAGNOSING, 2.5, False), (RESOLVED, 21, True)]
    assert spans(office.bring_to("cancelled")) == [(DETECTED, 1, False)]
