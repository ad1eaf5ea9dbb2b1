"""Moments corrected with a reason: clocks, rank and measures follow, and the timeline keeps both values."""

import pytest

from db.commands import corrections
from db.commands.incidents import Conflict
from db.engine import writing
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office

NOW = MONDAY + DAY


@pytest.fixture
def office(engine):
    return Office(engine)


def correct(office, incident, reason="By the log of the phone.", by="Lena", version=None, **moments):
    with writing(office.engine) as db:
        return corrections.correct(db, incident, version, moments, reason, actor=office.people[by], now=NOW)


def test_due_times_rank_and_timers_follow_an_earlier_report(office):
    incident = office.bring_to("assigned")
    before = office.incident(incident)
    after = correct(office, incident, reported_at=MONDAY - 65 * HOUR)
    moved = before.resolution_due_at - after.resolution_due_at
    assert moved == before.response_due_at - after.response_due_at == before.rank_at - after.rank_at
    assert moved > 0 * HOUR
    assert after.first_resolution_due_at == before.first_resolution_due_at
    assert office.timers(incident)["resolution_breach"].due_at == after.resolution_due_at


def test_what_left_the_backlog_and_how_long_it_took_follow(office):
    incident = office.bring_to("closed")
    correct(office, incident, resolved_at=MONDAY + 4 * HOUR, recovered_at=MONDAY + 5 * HOUR)
    assert office.incident(incident).done_at == MONDAY + 4 * HOUR
    correct(office, incident, acknowledged_at=MONDAY + HOUR / 2, resolved_at=MONDAY + HOUR)
    assert office.incident(incident).done_at == MONDAY + HOUR


def test_the_timeline_keeps_both_values_and_why(office):
    incident = office.bring_to("resolved")
    correct(office, incident, started_at=MONDAY - HOUR, acknowledged_at=MONDAY + HOUR)
    entry = office.timeline(incident)[-1]
    assert (entry.kind, entry.detail, entry.public) == ("correct", "By the log of the phone.", False)
    assert entry.text == (
        "corrected 'Started' from unknown to 2 Mar 2026 08:00 UTC; "
        "'Work began' from 2 Mar 2026 11:00 UTC to 2 Mar 2026 10:00 UTC"
    )
    assert entry.changes == {
        "started_at": [None, "2026-03-02T08:00:00+00:00"],
        "acknowledged_at": ["2026-03-02T11:00:00+00:00", "2026-03-02T10:00:00+00:00"],
    }


@pytest.mark.parametrize(
    ("moments", "reason", "wrong"),
    [
        ({"resolved_at": MONDAY}, "Why", {"resolved_at"}),
        ({"resolved_at": NOW + HOUR}, "Why", {"resolved_at"}),
        ({"closed_at": NOW}, " ", {"closed_at", "reason"}),
        ({"started_at": MONDAY}, "", {"reason"}),
        ({"started_at": MONDAY}, "x" * 20_001, {"reason"}),
    ],
)
def test_what_is_wrong_is_told_by_field_and_changes_nothing(office, moments, reason, wrong):
    incident = office.bring_to("resolved")
    before = office.incident(incident).version
    with pytest.raises(RuleError) as refused:
        correct(office, incident, reason, **moments)
    assert set(refused.value.fields) == wrong
    assert office.incident(incident).version == before


def test_the_same_again_changes_nothing_and_a_stale_page_is_told(office):
    incident = office.bring_to("resolved")
    assert correct(office, incident, reported_at=MONDAY).version == 4
    with pytest.raises(Conflict):
        correct(office, incident, version=2, started_at=MONDAY)


def test_who_may_correct(office):
    incident = office.bring_to("resolved")
    for who, refusal in (("Priya", Forbidden), ("Rita", Forbidden), ("Max", Forbidden), ("Otto", NotFound)):
        with pytest.raises(refusal):
            correct(office, incident, by=who, started_at=MONDAY)
    for who in ("Lena", "Dora"):
        correct(office, incident, by=who, started_at=MONDAY - HOUR if who == "Lena" else MONDAY)


def test_a_reopening_after_a_correction_counts_no_time_twice(office):
    incident = office.bring_to("on_hold")
    office.perform(incident, "resolve", "Priya", MONDAY + 8 * HOUR, resolution_code="fixed", resolution_note="Done.")
    correct(office, incident, resolved_at=MONDAY + 3 * HOUR)
    office.perform(incident, "reopen", "Priya", NOW, reason="Again.")
    spans = [(pause.began_at, pause.ended_at) for pause in office.pauses(incident)]
    assert spans == [(MONDAY + 3 * HOUR, MONDAY + 8 * HOUR), (MONDAY + 8 * HOUR, NOW)]
