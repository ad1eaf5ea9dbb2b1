"""Any sequence of actions by anybody: no illegal state, no version lost, no timer or pause left behind."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from db.commands import corrections, incidents, major, ranking, relations
from db.commands.timers import OWED, wanted
from db.commands.undo import undo
from db.commands.update_clock import OVER
from db.engine import reading, writing
from db.models import QUEUE_GROUP, Incident, Room
from rules import states
from rules.errors import RuleError
from rules.moments import MOMENTS
from rules.states import ACTIONS, OPEN, PAUSING_REASONS
from tests.db.office import MONDAY, Office
from tests.db.test_chains import verified
from worker.timers import tick

NAMES = ("Rita", "Priya", "Devi", "Lena", "Dora")
HOLDS = sorted(states.HOLD_REASONS)
FIX = {"resolution_code": "fixed", "resolution_note": "Restarted it."}


class Lifecycle(RuleBasedStateMachine):
    """One incident in a real database, and a clock that only goes forward."""

    office: Office

    @initialize(scope=some.sampled_from(["me", "team", "everyone"]))
    def reported(self, scope: str) -> None:
        self.now = MONDAY
        self.id = self.office.report("Mail is slow", at=self.now, scope=scope, effect="partly")
        self.survivor = self.office.report("Mail is down", at=self.now)
        self.version = 1
        self.merged_from = "new"

    def given(self, action: str, team: str, reason: str) -> dict[str, object]:
        known: dict[str, object] = {"reason": "Because.", **FIX}
        if action in ("accept", "assign", "escalate"):
            known |= self.office.triage | {"team_id": self.office.teams[team]}
        if action == "escalate":
            known |= {"reason": "The switch is fine, the server behind it is not."}
        if action in ("acknowledge", "resume", "resolve"):
            known |= {"summary_read": True}
        if action == "hold":
            known |= {"hold_reason": reason, "hold_until": self.now + timedelta(days=2)}
        if action == "close":
            known |= {"verification": "not_needed", "verification_note": "Seen on site."}
        if action == "merge":
            known |= {"duplicate_of_id": self.survivor}
        return known

    @rule(
        action=some.sampled_from(sorted(ACTIONS)),
        who=some.sampled_from(NAMES),
        team=some.sampled_from(["Network", "Servers", "Portal"]),
        reason=some.sampled_from(HOLDS),
        stale=some.booleans(),
    )
    def act(self, action: str, who: str, team: str, reason: str, stale: bool) -> None:
        before = self.office.incident(self.id)
        version = self.version - 1 if stale and self.version > 1 else self.version
        given = self.given(action, team, reason)
        try:
            self.office.perform(self.id, action, who, self.now, version, **given)
        except RuleError:
            after = self.office.incident(self.id)
            assert (after.version, after.state, after.rank_at) == (before.version, before.state, before.rank_at)
            return
        after = self.office.incident(self.id)
        assert version == self.version, "a stale version was taken"
        assert after.version == self.version + 1
        expected = self.merged_from if action == "unmerge" else ACTIONS[action].moves[before.state]
        assert after.state == expected
        if action == "merge":
            self.merged_from = before.state
        self.version = after.version

    @rule(data=some.data(), team=some.sampled_from(["Network", "Servers"]), reason=some.sampled_from(HOLDS))
    def go_on(self, data: some.DataObject, team: str, reason: str) -> None:
        """A step that the state allows, by somebody who mostly may take it."""
        action = data.draw(some.sampled_from(states.possible(self.office.incident(self.id).state)))
        who = "Rita" if action == "verify" else "Dora"
        self.act(action, who, team, reason, False)

    @rule(data=some.data())
    def go_on_to_hold(self, data: some.DataObject) -> None:
        """On hold and back, where clocks stand still and run again."""
        state = self.office.incident(self.id).state
        action = {"new": "accept", "assigned": "hold", "in_progress": "hold", "on_hold": "resume"}.get(state, "reopen")
        self.act(action, "Dora", "Network", data.draw(some.sampled_from(HOLDS)), False)

    @rule(
        level=some.sampled_from([1, 2, 3, None]),
        urgency=some.sampled_from([1, 2, 3, None]),
        sorted_in=some.sampled_from([True, True, False]),
    )
    def sort(self, level: int | None, urgency: int | None, sorted_in: bool) -> None:
        """Sorted, or with something taken away again, which only what is still new lets happen."""
        fields = {"impact": level, "urgency": urgency, "category_pair_id": self.office.pair if sorted_in else None}
        try:
            with writing(self.office.engine) as db:
                incidents.prioritise(db, self.id, self.version, fields, actor=self.office.people["Lena"], now=self.now)
        except RuleError:
            assert None in fields.values()
            return
        self.version = self.office.incident(self.id).version

    @rule(hours=some.integers(-400, 400).filter(bool))
    def pin(self, hours: int) -> None:
        if self.office.incident(self.id).state not in OPEN:
            return
        until = self.now + timedelta(days=1)
        with writing(self.office.engine) as db:
            actor = self.office.people["Lena"]
            ranking.pin(db, self.id, self.version, hours * 3600, "Board", until, actor=actor, now=self.now)
        self.version += 1

    @rule(who=some.sampled_from(NAMES))
    def take_back(self, who: str) -> None:
        try:
            with writing(self.office.engine) as db:
                undo(db, self.id, self.version, actor=self.office.people[who], now=self.now)
        except RuleError:
            return
        self.version = self.office.incident(self.id).version

    @rule(minutes=some.integers(1, 300), name=some.sampled_from(sorted(MOMENTS)))
    def correct(self, minutes: int, name: str) -> None:
        """A moment that was earlier, or later, as far as the others let it."""
        moment = getattr(self.office.incident(self.id), name)
        given = {name: (moment or self.now) + timedelta(minutes=minutes - 150)}
        try:
            with writing(self.office.engine) as db:
                actor = self.office.people["Lena"]
                corrections.correct(db, self.id, self.version, given, "By the log.", actor=actor, now=self.now)
        except RuleError:
            return
        self.version = self.office.incident(self.id).version
        assert getattr(self.office.incident(self.id), name) == given[name]

    @rule(inside=some.booleans())
    def relate(self, inside: bool) -> None:
        parent = self.survivor if inside else None
        changes = self.office.incident(self.id).parent_id != parent
        with writing(self.office.engine) as db:
            relations.set_parent(db, self.id, self.version, parent, actor=self.office.people["Priya"], now=self.now)
        self.version += changes

    @rule(who=some.sampled_from(["Rita", "Priya"]))
    def write(self, who: str) -> None:
        self.office.comment(self.id, "Any news?", who, self.now)
        self.version = self.office.incident(self.id).version

    @rule(who=some.sampled_from(NAMES))
    def declare(self, who: str) -> None:
        change = major.stand_down if self.office.incident(self.id).major else major.declare
        try:
            with writing(self.office.engine) as db:
                change(db, self.id, self.version, "Many wait.", actor=self.office.people[who], now=self.now)
        except RuleError:
            return
        self.version += 1

    @rule(minutes=some.integers(1, 6000))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        tick(self.now, self.office.engine)

    @staticmethod
    def is_with_a_team(kept: Incident) -> bool:
        return kept.team_id is not None and kept.state in OPEN - {"new"}

    @invariant()
    def whole(self) -> None:
        if not hasattr(self, "id"):
            return
        with reading(self.office.engine) as db:
            kept = db.get_one(Incident, self.id)
            pauses, timers = self.office.pauses(self.id), self.office.timers(self.id)
            assert kept.version == self.version
            assert kept.state in states.STATES
            assert kept.queue_group == QUEUE_GROUP[kept.state]
            assert (kept.resolved_at is not None) == (kept.state in ("resolved", "recovered", "closed"))
            assert (kept.closed_at is not None) == (kept.state == "closed")
            assert (kept.cancelled_at is not None) == (kept.state == "cancelled")
            assert (kept.hold_reason is not None) == (kept.state == "on_hold")
            assert kept.state != "closed" or kept.denied_at is None
            if kept.state not in ("new", "cancelled"):
                assert kept.category_pair_id is not None
                assert kept.priority is not None
            assert kept.duplicate_of_id is None or kept.state == "cancelled"
            moments = [moment for name in list(MOMENTS)[2:] if (moment := getattr(kept, name)) is not None]
            assert moments == sorted(moments)
            running = [pause for pause in pauses if pause.ended_at is None]
            pausing = kept.state == "on_hold" and kept.hold_reason in PAUSING_REASONS
            assert len(running) == pausing
            ended = sorted((pause.began_at, pause.ended_at) for pause in pauses if pause.ended_at is not None)
            assert all(began <= over for began, over in ended)
            assert all(one[1] <= other[0] for one, other in pairwise(ended)), "pauses overlap"
            stays = self.office.assignments(self.id)
            present = [stay for stay in stays if stay.ended_at is None]
            assert [stay.team_id for stay in present] == ([kept.team_id] if self.is_with_a_team(kept) else [])
            spans = [(stay.began_at, stay.ended_at or self.now) for stay in stays]
            assert all(began <= over for began, over in spans)
            assert all(one[1] <= other[0] for one, other in pairwise(spans)), "two teams have it at once"
            due = wanted(kept, bool(running), present[0] if present else None)
            waiting = {kind: timer.due_at for kind, timer in timers.items() if timer.fired_at is None}
            owed = {kind for kind in OWED if waiting.pop(kind, None) is not None}
            room = db.get(Room, self.id)
            promised = room is not None and room.update_due_at is not None
            assert ("update_due" in owed) == promised, "an update is owed when it was promised, and only then"
            assert not promised or kept.state not in OVER
            assert ("no_commander" in owed) == (kept.major and kept.state not in OVER)
            assert (room is not None and room.declared_at is not None) == kept.major
            assert set(waiting) <= set(due), "a timer was left behind"
            assert all(due[kind] == moment for kind, moment in waiting.items())
            assert all(kind in timers for kind in due), "a timer is missing"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_sequence_of_actions_breaks_an_incident(engine):
    Lifecycle.office = Office(engine)
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=25,
            stateful_step_count=35,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert verified(engine)[0] == []
