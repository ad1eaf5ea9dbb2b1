"""The lifecycle through the commands: the main journey, and what is refused on the way."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import conversation, incidents, major
from db.commands.incidents import Conflict
from db.engine import reading, writing
from db.models import Follower
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office

FIX = {"resolution_code": "fixed", "resolution_note": "Restarted the server."}
UNASKED = {"verification": "not_needed", "verification_note": "Seen on site."}
WEDNESDAY_EVENING = MONDAY + 2 * DAY + 8 * HOUR
"""When 24 business hours from Monday at nine have passed: the resolution target of P3."""
THURSDAY_MORNING = MONDAY + 3 * DAY
"""Where business time goes on after that."""
RUNNING = {"resolution_warning", "resolution_breach", "ola_warning", "ola_breach"}
"""timers of an incident that a team works on"""


@pytest.fixture
def office(engine):
    return Office(engine)


def test_the_main_journey(office):
    number = office.report(at=MONDAY, scope="team", effect="partly")
    accepted = office.perform(
        number,
        "accept",
        "Lena",
        MONDAY + HOUR,
        1,
        **office.triage,
        assignee_id=office.people["Priya"].id,
        security=True,
    )
    assert (accepted.state, accepted.version, accepted.team_id) == ("assigned", 2, office.teams["Network"])
    assert (accepted.security, accepted.category_pair_id) == (True, office.pair)
    taken = office.perform(number, "acknowledge", "Priya", MONDAY + 2 * HOUR, 2)
    assert (taken.state, taken.acknowledged_at) == ("in_progress", MONDAY + 2 * HOUR)
    assert taken.resolution_due_at == WEDNESDAY_EVENING
    held = office.perform(
        number, "hold", "Priya", MONDAY + 3 * HOUR, 3, hold_reason="vendor", hold_until=MONDAY + 3 * DAY
    )
    assert (held.state, held.queue_group, held.hold_reason) == ("on_hold", 1, "vendor")
    assert set(office.timers(number)) == {"hold_until"}
    resumed = office.perform(number, "resume", "Priya", MONDAY + 5 * HOUR, 4)
    assert (resumed.state, resumed.hold_reason, resumed.hold_until) == ("in_progress", None, None)
    assert resumed.acknowledged_at == MONDAY + 2 * HOUR
    assert resumed.resolution_due_at == THURSDAY_MORNING + 2 * HOUR
    assert resumed.first_resolution_due_at == WEDNESDAY_EVENING
    assert set(office.timers(number)) == RUNNING
    resolved = office.perform(number, "resolve", "Priya", MONDAY + 6 * HOUR, 5, **FIX)
    assert (resolved.state, resolved.queue_group, resolved.resolved_at) == ("resolved", 2, MONDAY + 6 * HOUR)
    assert office.timers(number) == {}
    assert office.perform(number, "recover", "Priya", MONDAY + 7 * HOUR, 6).recovered_at == MONDAY + 7 * HOUR
    verified = office.perform(number, "verify", "Rita", MONDAY + 8 * HOUR, 7)
    assert (verified.state, verified.verification, verified.verified_at) == (
        "recovered",
        "confirmed",
        MONDAY + 8 * HOUR,
    )
    closed = office.perform(number, "close", "Dora", MONDAY + 9 * HOUR, 8)
    assert (closed.state, closed.queue_group, closed.version) == ("closed", 3, 9)
    assert (closed.closed_at, closed.changed_at) == (MONDAY + 9 * HOUR, MONDAY + 9 * HOUR)
    told = [(entry.actor_name, entry.kind, entry.from_state, entry.to_state, entry.version) for entry in
            office.timeline(number)]  # fmt: skip
    assert told == [
        ("Rita", "report", None, "new", 1),
        ("Lena", "prioritise", None, None, 2),
        ("Lena", "accept", "new", "assigned", 2),
        ("Priya", "acknowledge", "assigned", "in_progress", 3),
        ("Priya", "hold", "in_progress", "on_hold", 4),
        ("Priya", "resume", "on_hold", "in_progress", 5),
        ("Priya", "resolve", "in_progress", "resolved", 6),
        ("Priya", "recover", "resolved", "recovered", 7),
        ("Rita", "verify", "recovered", "recovered", 8),
        ("Dora", "close", "recovered", "closed", 9),
    ]
    set_in_triage, accepted_for = office.timeline(number)[1:3]
    assert set_in_triage.text == "set category Network, a security risk"
    assert (accepted_for.text, accepted_for.public, set_in_triage.public) == (
        "accepted it for Network, Priya",
        True,
        False,
    )
    assert office.timeline(number)[6].detail == "Restarted the server."


def test_rank_follows_what_triage_says(office):
    small, big = office.report("Small", scope="me", effect="some"), office.report("Big", scope="me", effect="some")
    office.perform(big, "accept", "Lena", **(office.triage | {"impact": 1, "urgency": 1}), people_affected=1000)
    assert office.incident(big).rank_at < office.incident(small).rank_at
    before = office.incident(big).rank_at
    with writing(office.engine) as db:
        major.declare(db, big, 2, "Everybody waits.", actor=office.people["Lena"], now=MONDAY)
    assert office.incident(big).rank_at == before - 365 * DAY


def test_a_change_of_priority_keeps_the_start(office):
    number = office.bring_to("in_progress")
    office_due = office.incident(number).resolution_due_at
    with writing(office.engine) as db:
        changed = incidents.prioritise(
            db, number, None, {"impact": 1, "urgency": 1}, actor=office.people["Lena"], now=MONDAY + 3 * HOUR
        )
        assert (changed.priority, changed.resolution_due_at) == (1, MONDAY + 4 * HOUR)
        assert changed.first_resolution_due_at == office_due
    assert office.timeline(number)[-1].text == "set P1 Critical"
    assert office.timeline(number)[-1].changes["priority"] == [3, 1]


def test_nothing_changed_leaves_no_entry(office):
    number = office.bring_to("assigned")
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"impact": 2}, actor=office.people["Lena"], now=MONDAY)
    assert (office.incident(number).version, len(office.timeline(number))) == (2, 3)


def test_a_stale_version_is_told_what_changed(office):
    number = office.bring_to("in_progress")
    with pytest.raises(Conflict) as conflict:
        office.perform(number, "resolve", "Lena", version=1, **FIX)
    assert [(entry.actor_name, entry.kind) for entry in conflict.value.since] == [
        ("Lena", "prioritise"), ("Lena", "accept"), ("Priya", "acknowledge"),
    ]  # fmt: skip
    assert "Lena, Priya changed INC-" in conflict.value.sentence
    assert office.incident(number).state == "in_progress"


def test_what_an_action_needs_is_named_at_once(office):
    number = office.report()
    with pytest.raises(RuleError) as refused:
        office.perform(number, "accept", "Lena")
    assert set(refused.value.fields) == {"category_pair_id", "team_id"}
    with pytest.raises(RuleError) as refused:
        office.perform(office.bring_to("in_progress"), "resolve", "Priya", resolution_note="  ")
    assert set(refused.value.fields) == {"resolution_code", "resolution_note"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"team_id": 999}, "team_id"),
        ({"assignee_id": 999}, "assignee_id"),
        ({"category_pair_id": 999}, "category_pair_id"),
        ({"service_id": 999}, "service_id"),
        ({"impact": 4}, "impact"),
        ({"urgency": True}, "urgency"),
        ({"people_affected": -1}, "people_affected"),
        ({"people_affected": True}, "people_affected"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(office, given, field):
    number = office.report()
    with pytest.raises(RuleError) as refused:
        office.perform(number, "accept", "Lena", **(office.triage | given))
    assert list(refused.value.fields) == [field]
    assert office.incident(number).version == 1


def test_a_person_who_only_reports_cannot_be_given_work(office):
    with pytest.raises(RuleError, match="Choose a person who works on incidents"):
        office.perform(office.report(), "accept", "Lena", **office.triage, assignee_id=office.people["Otto"].id)


def test_the_wrong_role_is_refused_and_what_may_not_be_read_does_not_exist(office):
    number = office.report()
    with pytest.raises(Forbidden, match="lead, desk"):
        office.perform(number, "accept", "Priya", **office.triage)
    with pytest.raises(Forbidden):
        office.perform(number, "acknowledge", "Rita")
    with pytest.raises(NotFound):
        office.perform(number, "acknowledge", "Otto")
    with pytest.raises(NotFound):
        office.perform(number + 1, "acknowledge", "Priya")
    with pytest.raises(Forbidden, match="Only the person who reported it"):
        office.perform(office.bring_to("recovered"), "verify", "Dora")
    with pytest.raises(RuleError, match="no action called 'explode'"):
        office.perform(number, "explode", "Priya")


def test_nobody_closes_over_a_denial_until_it_is_resolved_again(office):
    number = office.bring_to("recovered")
    denied = office.perform(number, "reject", "Rita", MONDAY + 6 * HOUR, reason="Still slow.")
    assert (denied.state, denied.denied_at, denied.reopen_count) == ("in_progress", MONDAY + 6 * HOUR, 1)
    assert (denied.resolved_at, denied.recovered_at, denied.verification) == (None, None, None)
    with pytest.raises(Forbidden, match="not fixed"):
        office.perform(number, "close", "Dora", **UNASKED)
    assert office.perform(number, "resolve", "Priya", MONDAY + 7 * HOUR, **FIX).denied_at is None
    office.perform(number, "recover", "Priya", MONDAY + 8 * HOUR)
    assert office.perform(number, "close", "Dora", MONDAY + 9 * HOUR, **UNASKED).state == "closed"


def test_what_the_reporter_reopens_or_the_desk_rejects_for_them_is_a_denial_too(office):
    number = office.bring_to("closed")
    again = office.perform(number, "reopen", "Rita", office.incident(number).closed_at + HOUR, reason="Again.")
    assert again.denied_at == again.changed_at
    theirs = office.bring_to("recovered")
    assert office.perform(theirs, "reject", "Dora", MONDAY + 6 * HOUR, reason="Rita called.").denied_at is not None
    ours = office.bring_to("closed")
    assert office.perform(ours, "reopen", "Dora", office.incident(ours).closed_at, reason="By us.").denied_at is None


def test_only_the_desk_closes_but_a_devops_team_closes_its_own(office):
    number = office.bring_to("recovered")
    with pytest.raises(Forbidden, match="Only the service desk closes"):
        office.perform(number, "close", "Priya", **UNASKED)
    theirs = office.report()
    office.perform(theirs, "accept", "Lena", **(office.triage | {"team_id": office.teams["Portal"]}))
    for action, given in (("acknowledge", {}), ("resolve", FIX), ("recover", {})):
        office.perform(theirs, action, "Devi", **given)
    with pytest.raises(Forbidden):
        office.perform(theirs, "close", "Priya", **UNASKED)
    assert office.perform(theirs, "close", "Devi", **UNASKED).state == "closed"
    with pytest.raises(Forbidden):
        office.perform(number, "close", "Devi", **UNASKED)


def test_confirmation_cannot_be_made_up_and_its_absence_is_explained(office):
    number = office.bring_to("recovered")
    with pytest.raises(RuleError, match="Only the reporter can confirm"):
        office.perform(number, "close", "Dora", verification="confirmed")
    with pytest.raises(RuleError, match="Say why confirmation is not needed"):
        office.perform(number, "close", "Dora", verification="not_needed")
    with pytest.raises(RuleError, match="Say whether the reporter confirmed it"):
        office.perform(number, "close", "Dora")


def test_a_closed_incident_reopens_within_14_days(office):
    number = office.bring_to("closed")
    closed_at = office.incident(number).closed_at
    with pytest.raises(RuleError, match="14 days"):
        office.perform(number, "reopen", "Dora", closed_at + 14 * DAY + timedelta(seconds=1), reason="Again.")
    again = office.perform(number, "reopen", "Dora", closed_at + 14 * DAY, reason="Again.")
    assert (again.state, again.reopen_count, again.queue_group) == ("in_progress", 1, 0)
    assert (again.resolved_at, again.closed_at, again.verification) == (None, None, None)


def test_time_spent_resolved_does_not_count_after_a_reopening(office):
    number = office.bring_to("in_progress")
    office.perform(number, "resolve", "Priya", MONDAY + 3 * HOUR, **FIX)
    again = office.perform(number, "reopen", "Priya", MONDAY + 6 * HOUR, reason="It came back.")
    assert again.resolution_due_at == THURSDAY_MORNING + 3 * HOUR
    assert [(pause.began_at, pause.ended_at) for pause in office.pauses(number)] == [
        (MONDAY + 3 * HOUR, MONDAY + 6 * HOUR)
    ]
    assert office.timers(number)["resolution_breach"].due_at == THURSDAY_MORNING + 3 * HOUR


def test_waiting_for_a_problem_does_not_stop_the_clock(office):
    number = office.bring_to("in_progress")
    due = office.incident(number).resolution_due_at
    office.perform(number, "hold", "Priya", MONDAY + 3 * HOUR, hold_reason="problem", hold_until=MONDAY + 3 * DAY)
    assert office.pauses(number) == []
    assert set(office.timers(number)) == {"hold_until", *RUNNING}
    assert office.perform(number, "resume", "Priya", MONDAY + 5 * HOUR).resolution_due_at == due


def test_handovers_are_counted_and_a_return_is_ping_pong(office):
    number = office.bring_to("in_progress")
    to_portal = {"team_id": office.teams["Portal"], "reason": "The switch is fine, it is the server."}
    handed = office.perform(number, "escalate", "Priya", MONDAY + 3 * HOUR, **to_portal)
    assert (handed.state, handed.handovers, handed.ping_pong, handed.assignee_id) == ("assigned", 1, False, None)
    entry = office.timeline(number)[-1]
    assert (entry.from_team_id, entry.to_team_id) == (office.teams["Network"], office.teams["Portal"])
    assert entry.detail == "The switch is fine, it is the server."
    back = office.perform(number, "assign", "Sam", MONDAY + 4 * HOUR, team_id=office.teams["Network"])
    assert (back.handovers, back.ping_pong) == (2, True)
    with pytest.raises(RuleError) as refused:
        office.perform(number, "escalate", "Lena", team_id=office.teams["Portal"])
    assert list(refused.value.fields) == ["reason"]


def test_an_assignment_can_be_sent_back_to_triage(office):
    number = office.bring_to("assigned")
    with pytest.raises(Forbidden):
        office.perform(number, "reject", "Rita", reason="I want somebody else.")
    sent = office.perform(number, "reject", "Priya", MONDAY + 2 * HOUR, reason="Not the network.")
    assert (sent.state, sent.team_id, sent.assignee_id, sent.denied_at, sent.reopen_count) == (
        "new",
        None,
        None,
        None,
        0,
    )


def test_a_merge_keeps_both_and_can_be_undone(office):
    first, second, third = office.report("First"), office.report("Second", by="Otto"), office.report("Third")
    merged = office.perform(second, "merge", "Dora", MONDAY + HOUR, duplicate_of_id=first)
    assert (merged.state, merged.duplicate_of_id, merged.cancelled_at) == ("cancelled", first, MONDAY + HOUR)
    assert office.timeline(second)[-1].text == f"merged it into INC-{first:06d}"
    assert office.timeline(first)[-1].text == f"merged INC-{second:06d} into this one"
    assert (office.incident(first).title, office.incident(second).title) == ("First", "Second")
    with reading(office.engine) as db:
        following = db.scalars(select(Follower.person_id).where(Follower.incident_id == first)).all()
    assert set(following) == {office.people["Rita"].id, office.people["Otto"].id}
    for survivor, sentence in (
        (third, "cannot be merged into itself"),
        (second, "itself merged"),
        (999, "there is none"),
    ):
        with pytest.raises(RuleError, match=sentence):
            office.perform(third, "merge", "Dora", duplicate_of_id=survivor)
    apart = office.perform(second, "unmerge", "Dora", MONDAY + 2 * HOUR)
    assert (apart.state, apart.duplicate_of_id, apart.cancelled_at, apart.queue_group) == ("new", None, None, 0)
    cancelled = office.bring_to("cancelled")
    with pytest.raises(RuleError, match="It was not merged"):
        office.perform(cancelled, "unmerge", "Dora")


def test_the_reporters_answer_ends_waiting_for_the_reporter(office):
    number = office.bring_to("in_progress")
    hold = {"hold_reason": "reporter", "hold_until": MONDAY + 3 * DAY}
    office.perform(number, "hold", "Priya", MONDAY + 3 * HOUR, **hold)
    office.comment(number, "Anything new?", "Dora", MONDAY + 4 * HOUR)
    assert office.incident(number).state == "on_hold"
    office.comment(number, "It is the one on the left.", "Rita", MONDAY + 5 * HOUR)
    resumed = office.incident(number)
    assert (resumed.state, resumed.hold_reason, resumed.resolution_due_at) == (
        "in_progress",
        None,
        THURSDAY_MORNING + 2 * HOUR,
    )
    assert [(entry.actor_name, entry.kind) for entry in office.timeline(number)[-2:]] == [
        ("Rita", "comment"), ("Incident Desk", "resume"),
    ]  # fmt: skip


def test_an_answer_before_anybody_started_leaves_the_time_to_answer_running(office):
    number = office.bring_to("assigned")
    hold = {"hold_reason": "reporter", "hold_until": MONDAY + 3 * DAY}
    office.perform(number, "hold", "Priya", MONDAY + 2 * HOUR, **hold)
    office.comment(number, "The left one.", "Rita", MONDAY + 3 * HOUR)
    resumed = office.incident(number)
    assert (resumed.state, resumed.acknowledged_at) == ("assigned", None)
    assert "response_breach" in office.timers(number)
    taken = office.perform(number, "acknowledge", "Priya", MONDAY + 4 * HOUR)
    assert taken.acknowledged_at == MONDAY + 4 * HOUR


def test_notes_are_for_those_who_work_on_it(office):
    number = office.report()
    with pytest.raises(Forbidden):
        office.comment(number, "psst", "Rita", public=False)
    office.comment(number, "Looks like the disk.", "Priya", public=False)
    assert office.timeline(number)[-1].public is False
    with pytest.raises(RuleError, match="Write something first"):
        office.comment(number, " \n", "Priya")
    assert office.incident(number).version == 1


def test_following_twice_is_following_once_and_can_be_ended(office):
    number, otto = office.report(), office.people["Otto"]
    for _ in range(2):
        with writing(office.engine) as db:
            conversation.follow(db, number, actor=otto, now=MONDAY)
    assert [entry.kind for entry in office.timeline(number)] == ["report", "follow"]
    office.comment(number, "Here too.", "Otto")
    with writing(office.engine) as db:
        conversation.unfollow(db, number, actor=otto, now=MONDAY)
    with writing(office.engine) as db:
        conversation.unfollow(db, number, actor=otto, now=MONDAY)
    told = [entry.text for entry in office.timeline(number) if entry.kind == "follow"]
    assert told == ["has the same problem and follows it", "follows it no longer"], "once"
    with reading(office.engine) as db:
        assert db.get(Follower, (number, otto.id)) is None
    with pytest.raises(NotFound):
        office.comment(number, "Still there?", "Otto")


@pytest.mark.parametrize(
    ("until", "sentence"),
    [(MONDAY, "in the future"), (MONDAY - DAY, "in the future"), (MONDAY + 367 * DAY, "within one year")],
)
def test_a_hold_has_a_day_ahead(office, until, sentence):
    number = office.bring_to("in_progress")
    with pytest.raises(RuleError, match=sentence):
        office.perform(number, "hold", "Priya", MONDAY, hold_reason="vendor", hold_until=until)
