"""What somebody decided holds, by whichever way it is changed afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import (
    answers,
    bulk,
    catalogue,
    conversation,
    corrections,
    incidents,
    notices,
    people,
    ranking,
    relations,
    settings,
    tiers,
    undo,
)
from db.engine import reading, writing
from db.models import Incident, IncidentLink, Notice
from db.queries import confirmation
from db.queries import incidents as incident_queries
from db.queries import notices as notice_queries
from rules.access import SYSTEM, Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.test_chains import verified
from worker.timers import tick

LATER = MONDAY + 9 * HOUR
MINUTE = timedelta(minutes=1)


@pytest.fixture
def office(engine):
    return Office(engine)


def detail(office, incident, who):
    with reading(office.engine) as db:
        return incident_queries.by_number(db, office.people[who], office.incident(incident).number)


def sort(office, incident, **fields):
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, fields, actor=office.people["Dora"], now=LATER)


@pytest.mark.parametrize("field", ["category_pair_id", "impact", "urgency"])
def test_what_an_incident_needed_to_leave_new_is_not_taken_away_again(office, field):
    incident = office.bring_to("assigned")
    with pytest.raises(RuleError) as refused:
        sort(office, incident, **{field: None})
    assert list(refused.value.fields) == [field]
    fresh = office.report()
    sort(office, fresh, impact=1)
    sort(office, fresh, impact=None)
    assert office.incident(fresh).impact is None


def test_what_was_archived_since_stays_and_is_not_chosen_anew(office):
    incident, other = office.bring_to("assigned"), office.report()
    with writing(office.engine) as db:
        catalogue.archive(db, "category", office.pair, actor=office.people["Ada"], now=LATER)
    sort(office, incident, category_pair_id=office.pair, impact=1)
    assert office.incident(incident).impact == 1
    with pytest.raises(RuleError, match="Choose a category from the list"):
        sort(office, other, category_pair_id=office.pair)


def test_who_restricts_with_an_action_still_sees_it_and_takes_it_back(office):
    incident = office.report()
    office.perform(incident, "accept", "Dora", LATER, **office.triage | {"restricted": True})
    assert detail(office, incident, "Dora").line.restricted
    with writing(office.engine) as db:
        version = office.incident(incident).version
        undo.undo(db, incident, version, actor=office.people["Dora"], now=LATER + timedelta(seconds=20))
    assert office.incident(incident).state == "new"


def test_undoing_a_second_pin_gives_the_first_back(office):
    incident, lead = office.bring_to("assigned"), office.people["Lena"]
    with writing(office.engine) as db:
        ranking.pin(db, incident, None, 3600, "First", MONDAY + 5 * DAY, actor=lead, now=LATER)
    with writing(office.engine) as db:
        ranking.pin(db, incident, None, 7200, "Second", MONDAY + 6 * DAY, actor=lead, now=LATER)
    ranked = office.incident(incident).rank_at
    with writing(office.engine) as db:
        undo.undo(db, incident, office.incident(incident).version, actor=lead, now=LATER)
    kept = office.incident(incident)
    assert (kept.pin_seconds, kept.pin_reason, kept.pin_until) == (3600, "First", MONDAY + 5 * DAY)
    assert kept.rank_at - ranked == timedelta(seconds=3600)
    with writing(office.engine) as db:
        ranking.unpin(db, incident, None, actor=lead, now=LATER)
    assert office.timeline(incident)[-1].changes["pin_seconds"] == [3600, 0]


def test_next_up_passes_over_what_was_never_sorted_however_many(office, monkeypatch):
    monkeypatch.setattr(ranking, "_AT_ONCE", 2)
    waiting = office.bring_to("assigned")
    others = [office.report(f"New {number}") for number in range(3)] + [office.bring_to("assigned")]
    ahead = {"team_id": office.teams["Network"], "rank_at": MONDAY - 100 * DAY}
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id.in_(others)).values(**ahead))
        db.execute(update(Incident).where(Incident.id == others[-1]).values(category_pair_id=None, imported=True))
    with writing(office.engine) as db:
        taken = ranking.next_up(db, actor=office.people["Priya"], now=LATER)
        assert taken is not None
        assert taken.id == waiting


def test_a_reporter_who_left_is_asked_by_the_desk(office):
    incident = office.bring_to("recovered")
    with writing(office.engine) as db:
        people.disable(db, office.people["Rita"].id, actor=office.people["Ada"], now=LATER)
    seen = detail(office, incident, "Dora")
    assert not seen.record.account
    assert "verify" in seen.allowed
    with reading(office.engine) as db:
        assert db.query(Incident.id).where(*confirmation.to_ask()).all() == [(incident,)]


def test_nobody_ends_a_reporters_not_yet_without_work(office):
    incident, closed = office.bring_to("recovered"), office.bring_to("closed")
    office.perform(incident, "reject", "Rita", LATER, reason="Still broken")
    with pytest.raises(Forbidden, match="not fixed"):
        office.perform(incident, "cancel", "Lena", LATER, reason="Enough")
    with pytest.raises(RuleError, match="is closed"):
        office.perform(incident, "merge", "Lena", LATER, duplicate_of_id=closed)
    assert office.incident(incident).denied_at is not None


def test_who_answers_for_it_is_told_when_the_day_of_a_hold_has_come(office):
    incident = office.bring_to("on_hold")
    tick(MONDAY + 6 * DAY, office.engine)
    told = [who for who, kind, _ in office.notices(incident) if kind == "hold_over"]
    assert sorted(told) == ["Lena", "Priya"]


def test_the_leads_that_are_informed_are_those_who_lead_or_the_leads_among_the_members(office):
    incident = office.bring_to("in_progress")
    with writing(office.engine) as db:
        told = tiers.inform(db, incident, "It grows.", leads=True, actor=office.people["Priya"], now=LATER)
    assert told == ["Lena"]


def test_what_was_told_of_an_incident_is_hidden_once_it_is_not_open_any_more(office):
    incident, otto = office.bring_to("assigned", title="Payroll leak"), office.people["Otto"]
    with writing(office.engine) as db:
        conversation.follow(db, incident, actor=otto, now=LATER)
        about = db.get_one(Incident, incident)
        notices.tell(db, [otto.id], "update", "Payroll leak", "The words", incident=about, now=LATER)
    sort(office, incident, restricted=True)
    with reading(office.engine) as db:
        [told], _ = notice_queries.own(db, otto)
    assert (told.subject, told.body, told.number) == ("About an incident that is not open to you any more", "", None)


def test_of_the_time_to_answer_people_are_warned_at_three_quarters_once(office):
    incident = office.report(scope="everyone", effect="stopped")  # P1: a quarter of an hour to answer
    sort(office, incident, impact=2, urgency=2)  # P3: four hours
    at = MONDAY + 3 * HOUR
    assert office.timers(incident)["response_warning"].due_at == office.incident(incident).response_warn_at == at
    office.perform(incident, "accept", "Lena", MONDAY + HOUR, **office.triage)
    office.perform(incident, "acknowledge", "Priya", MONDAY + HOUR)
    assert "response_warning" not in office.timers(incident)
    with writing(office.engine) as db:
        version = office.incident(incident).version
        undo.undo(db, incident, version, actor=office.people["Priya"], now=MONDAY + HOUR)
    assert office.timers(incident)["response_warning"].due_at == at
    tick(at - timedelta(seconds=1), office.engine)
    assert office.notices(incident) == []
    for _ in range(2):
        tick(at, office.engine)
    [(who, kind, subject)] = office.notices(incident)
    assert (who, kind, subject.partition(": ")[0].partition(" ")[2]) == (
        "Lena",
        "sla",
        "used 75 % of the time to answer",
    )
    [told] = [entry for entry in office.timeline(incident) if entry.kind == "sla"]
    assert (told.text, told.at, told.public) == ("used 75 % of the time to answer", at, False)


def hold(office, incident, at, reason=None, until=None):
    wanted = {"hold_reason": reason, "hold_until": until}
    return office.perform(incident, "hold", "Priya", at, **{name: value for name, value in wanted.items() if value})


def spans(office, incident):
    return [(pause.reason, pause.began_at - MONDAY, pause.ended_at and pause.ended_at - MONDAY)
            for pause in office.pauses(incident)]  # fmt: skip


def test_a_hold_is_moved_while_it_lasts_and_the_clock_stands_or_runs_by_its_reason(office):
    incident = office.bring_to("on_hold")  # for a vendor since noon, until Saturday
    hold(office, incident, MONDAY + 4 * HOUR, until=MONDAY + 2 * DAY)
    assert office.timers(incident)["hold_until"].due_at == MONDAY + 2 * DAY
    assert spans(office, incident) == [("vendor", 3 * HOUR, None)], "another day stops and starts nothing"
    told = office.timeline(incident)[-1]
    assert (told.kind, told.text) == ("hold", "kept it on hold: waiting for a vendor, until 4 Mar 2026")
    assert list(told.changes) == ["hold_until"]
    kept = hold(office, incident, MONDAY + 5 * HOUR, reason="problem")
    assert (kept.hold_reason, kept.hold_until) == ("problem", MONDAY + 2 * DAY)
    assert spans(office, incident) == [("vendor", 3 * HOUR, 5 * HOUR)]
    assert kept.resolution_due_at == MONDAY + 3 * DAY + 2 * HOUR, "due on Wednesday evening, and the two hours"
    assert "resolution_breach" in office.timers(incident)
    hold(office, incident, MONDAY + 6 * HOUR, reason="change")
    hold(office, incident, MONDAY + 7 * HOUR, reason="reporter", until=MONDAY + 3 * DAY)
    assert spans(office, incident)[1:] == [("change", 6 * HOUR, 7 * HOUR), ("reporter", 7 * HOUR, None)]
    assert "resolution_breach" not in office.timers(incident)
    assert (
        office.perform(incident, "resume", "Priya", MONDAY + 8 * HOUR).resolution_due_at == MONDAY + 3 * DAY + 4 * HOUR
    )
    assert verified(office.engine)[0] == []


@pytest.mark.parametrize(
    ("reason", "after"),
    [
        ("vendor", [("vendor", 3 * HOUR, None)]),
        ("problem", [("vendor", 3 * HOUR, None)]),
        ("change", [("vendor", 3 * HOUR, 4 * HOUR), ("change", 4 * HOUR, 4 * HOUR + MINUTE),
                    ("vendor", 4 * HOUR + MINUTE, None)]),
    ],
)  # fmt: skip
def test_a_moved_hold_is_taken_back_with_its_clock(office, reason, after):
    incident = office.bring_to("on_hold")
    before = office.incident(incident)
    moved = hold(office, incident, MONDAY + 4 * HOUR, reason, MONDAY + 2 * DAY)
    with writing(office.engine) as db:
        undo.undo(db, incident, moved.version, actor=office.people["Priya"], now=MONDAY + 4 * HOUR + MINUTE)
    kept = office.incident(incident)
    assert (kept.hold_reason, kept.hold_until) == (before.hold_reason, before.hold_until)
    assert office.timers(incident)["hold_until"].due_at == before.hold_until
    assert spans(office, incident) == after
    assert verified(office.engine)[0] == []


def test_several_holds_are_moved_at_once_and_one_that_is_so_already_is_left(office):
    held, working = office.bring_to("on_hold"), office.bring_to("in_progress")
    items = [bulk.Item(one, office.incident(one).number, office.incident(one).version) for one in (held, working)]
    given = {"hold_reason": "vendor", "hold_until": MONDAY + 5 * DAY}
    priya = office.people["Priya"]
    results = bulk.change(items, given, "hold", actor=priya, now=MONDAY + 4 * HOUR, engine=office.engine)
    assert [result.done for result in results] == [False, True]
    assert "like this already" in results[0].sentence


def test_the_days_to_reopen_count_from_the_closing_whatever_its_moment_is_corrected_to(office):
    early, late = office.bring_to("closed"), office.bring_to("closed")
    closed = office.incident(early).closed_at
    for incident, moment in ((early, closed - 30 * MINUTE), (late, closed + 9 * DAY)):
        with writing(office.engine) as db:
            given, lena = {"closed_at": moment}, office.people["Lena"]
            corrections.correct(db, incident, None, given, "By the log.", actor=lena, now=closed + 10 * DAY)
    with pytest.raises(RuleError, match="more than 14 days ago"):
        office.perform(late, "reopen", "Rita", closed + 14 * DAY + MINUTE, reason="It is back.")
    assert office.perform(early, "reopen", "Rita", closed + 14 * DAY, reason="It is back.").state == "in_progress"


def test_who_worked_on_it_is_told_that_its_reporter_opened_it_again(office):
    incident = office.bring_to("closed")
    office.perform(incident, "reopen", "Rita", LATER, reason="It is back.")
    assert ("Priya", "not_fixed") in [(who, kind) for who, kind, _ in office.notices(incident)]
    assert office.incident(incident).denied_at == LATER


def test_what_is_reported_anew_is_linked_once_with_what_was_closed(office):
    before, anew = office.bring_to("closed"), office.report("Mail is slow again")
    hidden = office.report("Payroll", by="Otto")

    def repeats(incident, who="Rita", earlier=before):
        with writing(office.engine) as db:
            number = office.incident(earlier).number
            relations.repeats(db, incident, number, actor=office.people[who], now=LATER)

    repeats(anew)
    repeats(anew)
    with pytest.raises(NotFound):
        repeats(anew, earlier=hidden)
    with pytest.raises(NotFound):
        repeats(anew, "Otto", hidden)
    told = [entry for entry in office.timeline(anew) if entry.kind == "relate"]
    assert [(entry.text, entry.public) for entry in told] == [("said that it is INC-000001 again", True)]
    assert office.timeline(before)[-1].text == "reported it again as INC-000002"
    with reading(office.engine) as db:
        links = db.execute(select(IncidentLink.kind, IncidentLink.reference, IncidentLink.incident_id)).all()
    assert links == [("other", "INC-000001", anew)]


def told_of(office, incident, kind):
    return [(who, subject.partition(":")[0]) for who, told, subject in office.notices(incident) if told == kind]


def test_whoever_is_given_an_incident_is_told_unless_they_took_it_themselves(office):
    incident = office.report()
    priya, sam = office.people["Priya"].id, office.people["Sam"].id
    office.perform(incident, "accept", "Lena", MONDAY, **office.triage, assignee_id=priya)
    office.perform(incident, "assign", "Lena", MONDAY, assignee_id=priya)
    office.perform(incident, "acknowledge", "Priya", MONDAY)
    assert told_of(office, incident, "assigned") == [("Priya", "Given to you")]
    servers = {"team_id": office.teams["Servers"], "assignee_id": sam}
    office.perform(incident, "assign", "Sam", MONDAY, **servers)
    assert told_of(office, incident, "assigned") == [("Priya", "Given to you")]


def test_a_reporter_is_told_that_theirs_was_cancelled_and_that_it_waits_for_their_answer(office):
    incident, own = office.bring_to("in_progress"), office.report(by="Dora")
    office.comment(incident, "Which printer?", "Priya", LATER)
    hold(office, incident, LATER, "reporter", LATER + DAY)
    hold(office, incident, LATER, until=LATER + 2 * DAY)
    assert told_of(office, incident, "question") == [("Rita", "Waiting for your answer")], "once for one question"
    office.comment(incident, "And which floor?", "Priya", LATER)
    office.comment(incident, "Ask again tomorrow.", "Priya", LATER, public=False)
    with reading(office.engine) as db:
        rows = db.scalars(select(Notice.body).where(Notice.kind == "question").order_by(Notice.id))
        assert [body.partition("\n")[0] for body in rows] == ["Which printer?", "And which floor?"]
    office.comment(incident, "The left one.", "Rita", LATER)
    for each in (incident, own):
        office.perform(each, "cancel", "Dora", LATER, reason="A drill.")
    assert told_of(office, incident, "cancelled") == [("Rita", "Cancelled")]
    assert told_of(office, own, "cancelled") == []


def test_other_days_to_wait_move_the_reminders_that_are_to_come(office):
    asked, reminded = office.bring_to("recovered"), office.bring_to("recovered")
    recovered = office.incident(asked).recovered_at
    with writing(office.engine) as db:
        answers.remind(db, reminded, None, "", actor=office.people["Dora"], now=LATER)
    for remind, close in ((1, 2), (6, 9)):
        with writing(office.engine) as db:
            values = {"verification.remind_days": remind, "verification.close_days": close}
            settings.change(db, values, seen=None, actor=SYSTEM, now=LATER)
        assert office.timers(asked)["verify_reminder"].due_at == recovered + remind * DAY
        assert office.timers(reminded)["verify_over"].due_at == LATER + close * DAY
    assert verified(office.engine)[0] == []
