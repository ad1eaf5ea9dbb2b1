"""Any order of answers, time and changes around one escalation: nobody is asked after an answer, nothing is stuck."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from db.commands import escalation
from db.commands.undo import undo
from db.engine import reading, writing
from db.models import Escalation, Incident, OutboxMessage, Page, ScheduleOverride
from rules import states
from rules.errors import RuleError
from rules.states import OPEN
from tests.db.office import MONDAY
from tests.stories.test_escalation import FIX, MINUTE, NOW, Desk
from worker.timers import tick

PH = [Phase.generate]
ACTIONS = ("acknowledge", "assign", "hold", "resume", "accept", "reopen", "reject", "resolve")
MOST_AT_ONCE = 3
"""people whom one round of the policies below can ask"""


class Paging(RuleBasedStateMachine):
    """One P1 with a team that has a policy, and a clock that goes forward, by much or by little."""

    desk: Desk

    @initialize()
    def reported(self) -> None:
        self.now = NOW
        self.id = self.desk.urgent(service_id=self.desk.service)
        self.seen = self.count()

    def count(self) -> int:
        with reading(self.desk.engine) as db:
            return db.scalar(select(func.count()).select_from(Page).where(Page.incident_id == self.id)) or 0

    @rule(which=some.integers(0, 119), team=some.sampled_from(["Network", "Servers", "Network", "Portal"]))
    def act(self, which: int, team: str) -> None:
        """One of the actions that the state allows."""
        state = self.desk.incident(self.id).state
        allowed = [name for name in ACTIONS if name in states.possible(state)]
        action = allowed[which % len(allowed)]
        given: dict[str, object] = {"reason": "Because."}
        if action in ("assign", "accept"):
            given |= {"team_id": self.desk.teams[team]}
        if action == "hold":
            given |= {"hold_reason": "vendor", "hold_until": self.now + timedelta(days=2)}
        if action == "resolve":
            given |= FIX
        try:
            self.desk.perform(self.id, action, "Dora", self.now, **given)
        except RuleError:
            return
        if action not in ("assign", "accept"):
            assert self.count() == self.seen, f"{action} asks nobody"
        self.seen = self.count()

    @rule()
    def take_back(self) -> None:
        try:
            with writing(self.desk.engine) as db:
                version = db.get_one(Incident, self.id).version
                undo(db, self.id, version, actor=self.desk.people["Dora"], now=self.now)
        except RuleError:
            return
        self.seen = self.count()

    @rule()
    def write(self) -> None:
        self.desk.comment(self.id, "Looking.", "Dora", self.now, public=False)

    @rule()
    def maintenance(self) -> None:
        with writing(self.desk.engine) as db:
            escalation.stop_for_services(db, [self.desk.service], self.now, "new disks")

    @rule()
    def maintenance_is_over(self) -> None:
        with writing(self.desk.engine) as db:
            resumed = escalation.resume(db, self.id, self.now)
        after = self.count()
        assert resumed or after == self.seen
        self.seen = after

    @rule(minutes=some.integers(1, 90))
    def somebody_else_is_on_call(self, minutes: int) -> None:
        until = self.now + minutes * MINUTE
        with writing(self.desk.engine) as db:
            db.add(ScheduleOverride(schedule_id=self.desk.schedule, starts_at=self.now, ends_at=until,
                                    removed_id=self.desk.id("Priya"), created_at=MONDAY))  # fmt: skip

    @rule(minutes=some.sampled_from([1, 4, 5, 29, 31, 300, 3000]))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        tick(self.now, self.desk.engine)
        after = self.count()
        assert after - self.seen <= MOST_AT_ONCE, "what was missed is not made up for at once"
        self.seen = after
        tick(self.now, self.desk.engine)
        assert self.count() == after, "the same moment again asks nobody"

    @invariant()
    def whole(self) -> None:
        if not hasattr(self, "id"):
            return
        with reading(self.desk.engine) as db:
            state = db.get_one(Incident, self.id).state
            row = db.get(Escalation, self.id)
            assert row is not None
            waiting = {k: t for k, t in self.desk.timers(self.id).items() if t.fired_at is None}
            running = row.ended_at is None
            assert running == ("escalation" in waiting), "a step waits while it runs, and only then"
            assert not running or state in escalation.UNANSWERED
            assert row.ended_by != escalation.MAINTENANCE or state in escalation.UNANSWERED, "an answer counts"
            assert "repage" not in waiting or state == "in_progress"
            leaving = (
                select(func.count())
                .select_from(OutboxMessage)
                .where(OutboxMessage.urgent, OutboxMessage.incident_id == self.id, OutboxMessage.cancelled_at.is_(None))
            )
            assert state in OPEN or not db.scalar(leaving), "what is over asks nobody"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_order_of_answers_and_time_asks_anybody_wrongly(engine):
    desk = Desk(engine)
    desk.use(desk.keep("Servers", [desk.at("person", desk.id("Sam"))], repeats=1), "Servers")
    Paging.desk = desk
    run_state_machine_as_test(
        Paging,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
