"""The same change for several incidents, each with its result; and taking the newest change back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import bulk, deliveries
from db.commands.incidents import TRIAGE_FIELDS, Conflict
from db.commands.undo import undo
from db.engine import writing
from db.models import OutboxMessage
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.public import with_mail

NOW = MONDAY + 8 * HOUR
SOON = timedelta(seconds=30)
KEPT = (
    *TRIAGE_FIELDS, "state", "queue_group", "priority", "team_id", "assignee_id", "acknowledged_at", "cancelled_at",
    "hold_reason", "hold_until", "response_due_at", "resolution_due_at", "rank_at", "handovers", "ping_pong",
)  # fmt: skip


@pytest.fixture
def office(engine):
    return Office(engine)


def _item(office, number, version=None):
    found = office.incident(number)
    return bulk.Item(number, found.number, version or found.version)


def _change(office, items, fields, action=None, by="Lena"):
    return bulk.change(items, fields, action, actor=office.people[by], now=NOW, engine=office.engine)


def _facts(office, number):
    found = office.incident(number)
    return {name: getattr(found, name) for name in KEPT}


def _undo(office, number, by="Lena", at=NOW + SOON):
    with writing(office.engine) as db:
        return undo(db, number, office.incident(number).version, actor=office.people[by], now=at)


def test_each_has_its_result_and_one_refusal_stops_nothing(office):
    fine, stale, closed, unsorted = (
        office.report("Fine"), office.report("Stale"), office.bring_to("closed"), office.report("Unsorted")
    )  # fmt: skip
    items = [_item(office, number) for number in (fine, stale, closed)]
    office.perform(stale, "cancel", "Dora", NOW, reason="A test.")
    done = _change(office, [*items, _item(office, unsorted)], office.triage, "accept")
    assert [result.done for result in done] == [True, False, False, True]
    assert [result.item.version for result in done] == [2, 1, office.incident(closed).version, 2]
    assert "Dora changed" in done[1].sentence
    assert "cannot be done while the incident is closed" in done[2].sentence
    assert [office.incident(number).state for number in (fine, stale, closed, unsorted)] == [
        "assigned", "cancelled", "closed", "assigned"
    ]  # fmt: skip


def test_what_an_action_needs_is_needed_in_bulk_too(office):
    number = office.report()
    refused = _change(office, [_item(office, number)], {"team_id": office.teams["Network"]}, "accept")[0]
    assert not refused.done
    assert "Choose a category" in refused.sentence
    assert _change(office, [_item(office, number)], {}, "close", by="Priya")[0].done is False
    assert office.incident(number).version == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("impact", 1), ("urgency", 3), ("people_affected", 40), ("security", True),
        ("compliance", True), ("financial", True), ("title", "Better words"), ("affected", "Everything"),
    ],
)  # fmt: skip
def test_every_field_can_be_edited_in_bulk_and_put_back(office, name, value):
    numbers = [office.report("One"), office.bring_to("on_hold")]
    before = [_facts(office, number) for number in numbers]
    done = _change(office, [_item(office, number) for number in numbers], {name: value})
    assert all(result.done for result in done)
    assert [getattr(office.incident(number), name) for number in numbers] == [value, value]
    back = bulk.take_back(
        [result.item for result in done], actor=office.people["Lena"], now=NOW + SOON, engine=office.engine
    )
    assert all(result.done for result in back)
    assert [_facts(office, number) for number in numbers] == before


def test_what_is_so_already_is_said_and_not_written(office):
    number = office.report()
    result = _change(office, [_item(office, number)], {"impact": office.incident(number).impact})[0]
    assert (result.done, result.sentence, office.incident(number).version) == (False, "It was so already.", 1)


def test_too_many_at_once_are_refused(office):
    with pytest.raises(RuleError, match="at most 200"):
        _change(office, [bulk.Item(n, str(n), 1) for n in range(201)], {"impact": 1})


ACTIONS = {
    "accept": ("new", {}),
    "assign": ("in_progress", {"team_id": "Servers"}),
    "acknowledge": ("assigned", {}),
    "hold": ("in_progress", {"hold_reason": "vendor", "hold_until": NOW + DAY}),
    "resume": ("on_hold", {}),
    "cancel": ("new", {"reason": "A test."}),
    "reject": ("assigned", {"reason": "Not ours."}),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_taken_back_whole(office, action):
    state, given = ACTIONS[action]
    number = office.bring_to(state)
    if action == "accept":
        given = office.triage
    if "team_id" in given and action == "assign":
        given = given | {"team_id": office.teams[given["team_id"]]}
    before, timers = _facts(office, number), set(office.timers(number))
    office.perform(number, action, "Lena", NOW, **given)
    assert _facts(office, number) != before
    _undo(office, number)
    moved = {"resolution_due_at", "rank_at"}  # by the seconds in between, when the clock stood still in them
    after = _facts(office, number)
    assert {name: after[name] for name in KEPT if name not in moved} == {
        name: before[name] for name in KEPT if name not in moved
    }
    assert abs(after["rank_at"] - before["rank_at"]) <= SOON
    assert set(office.timers(number)) == timers
    assert sum(pause.ended_at is None for pause in office.pauses(number)) == (state == "on_hold")
    assert office.timeline(number)[-1].text == "took back the last change"


@pytest.mark.parametrize("left", [True, False])
def test_who_was_told_of_a_cancel_hears_that_it_was_taken_back(office, monkeypatch, left):
    """By the ways by which they heard of it; what has not left of it yet does not leave."""
    with_mail(monkeypatch)
    number = office.report()
    called = office.incident(number).number
    office.perform(number, "cancel", "Lena", NOW, reason="A test.")
    own = OutboxMessage.kind == "cancelled"
    if left:
        with writing(office.engine) as db:
            db.execute(update(OutboxMessage).where(own).values(last_attempt_at=NOW, sent_at=NOW))
    _undo(office, number)
    assert [told for told in office.notices(number) if told[1] == "cancelled"] == [
        ("Rita", "cancelled", f"Cancelled: {called}: Mail is slow"),
        ("Rita", "cancelled", f"Not cancelled: {called}: Mail is slow"),
    ]
    with writing(office.engine) as db:
        messages = db.scalars(select(OutboxMessage).where(own).order_by(OutboxMessage.id)).all()
        leaving = [deliveries.claim(db, each.id, NOW + SOON) for each in messages]
        assert [each.subject for each in leaving if each is not None] == (
            [f"Not cancelled: {called}: Mail is slow"] if left else []
        )
        assert len(messages) == 1 + left


def test_a_merge_is_taken_back(office):
    one, other = office.report("One"), office.report("Other")
    office.perform(one, "merge", "Lena", NOW, duplicate_of_id=other)
    _undo(office, one)
    assert (office.incident(one).state, office.incident(one).duplicate_of_id) == ("new", None)


def test_only_the_newest_change_by_its_maker_while_it_is_fresh(office):
    number = office.report()
    office.perform(number, "accept", "Lena", NOW, **office.triage)
    with pytest.raises(Forbidden, match="Only the person"):
        _undo(office, number, by="Dora")
    with pytest.raises(RuleError, match="too late"):
        _undo(office, number, at=NOW + timedelta(minutes=3))
    seen = office.incident(number).version
    office.perform(number, "acknowledge", "Priya", NOW)
    with pytest.raises(Conflict), writing(office.engine) as db:
        undo(db, number, seen, actor=office.people["Lena"], now=NOW + SOON)


def test_what_others_were_told_is_not_taken_back(office):
    number = office.bring_to("resolved")
    with pytest.raises(RuleError, match="cannot be taken back"):
        _undo(office, number, by="Priya", at=MONDAY + 3 * HOUR + SOON)


def test_an_undo_can_not_be_undone_for_ever(office):
    number = office.report()
    office.perform(number, "cancel", "Lena", NOW, reason="A test.")
    _undo(office, number)
    with pytest.raises(RuleError, match="cannot be taken back"):
        _undo(office, number)


def test_who_restricts_an_incident_still_sees_it(office):
    number = office.report()
    assert _change(office, [_item(office, number)], {"restricted": True})[0].done
    assert _change(office, [_item(office, number)], {"impact": 1})[0].done
    assert not _change(office, [_item(office, number)], {"impact": 2}, by="Dora")[0].done
