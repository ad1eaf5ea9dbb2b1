"""An incident that nobody answers: who is asked when, what stops it, and what happens to it when things go wrong."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import calling, conversation, escalation, escalation_policies, incidents
from db.engine import reading, writing
from db.models import (
    Alert,
    ContactMethod,
    Escalation,
    Incident,
    Integration,
    Notice,
    NotificationRule,
    OutboxMessage,
    Page,
    Person,
    Schedule,
    ScheduleOverride,
    ScheduleVersion,
    Service,
    Team,
    TeamMember,
)
from rules.access import SYSTEM
from rules.errors import RuleError
from rules.escalation import Target
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker import loop, outbox
from worker.senders import Undelivered
from worker.timers import tick

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
NOW = MONDAY + HOUR
FIX = {"resolution_code": "fixed", "resolution_note": "Restarted it."}


class Desk(Office):
    """The office with ways to reach its people, a schedule and a policy for the network team."""

    def __init__(self, engine):
        super().__init__(engine)
        for name in ("Priya", "Sam", "Devi", "Lena", "Dora"):
            self.reach(name)
        self.schedule = self.rota("Network", "Priya", "Sam")
        self.policy = self.keep("Network", [self.at("schedule", self.schedule)], [self.at("person", self.id("Devi"))])
        self.use(self.policy, "Network")

    def id(self, name):
        return self.people[name].id

    @staticmethod
    def at(kind, id_):
        return {"kind": kind, "id": id_}

    def reach(self, name):
        with writing(self.engine) as db:
            method = ContactMethod(person_id=self.id(name), channel="slack", address=f"https://chat.example/{name}",
                                   created_at=MONDAY, verified_at=MONDAY)  # fmt: skip
            db.add(method)
            db.flush()
            for urgency in ("high", "other"):
                db.add(NotificationRule(person_id=self.id(name), urgency=urgency, method_id=method.id))

    def rota(self, name, *people, windows=None):
        """Days from Monday 09:00 on, in turn."""
        layer = {"name": "", "priority": 0, "members": [str(self.id(person)) for person in people],
                 "start": MONDAY.isoformat(), "unit": "day", "length": 1}  # fmt: skip
        if windows:
            layer["windows"] = windows
        with writing(self.engine) as db:
            schedule = Schedule(name=name, zone="UTC", created_at=MONDAY)
            db.add(schedule)
            db.flush()
            db.add(ScheduleVersion(schedule_id=schedule.id, from_at=MONDAY, created_at=MONDAY,
                                   definition={"zone": "UTC", "layers": [layer]}))  # fmt: skip
            return schedule.id

    def keep(self, name, *steps, minutes=5, **more):
        kept = [{"delay": minutes * 60, "targets": targets} for targets in steps]
        with writing(self.engine) as db:
            return escalation_policies.save(
                db, None, name=name, steps=kept, actor=self.people["Ada"], now=MONDAY, **more
            )

    def use(self, policy, team=None, service=None):
        with writing(self.engine) as db:
            if team:
                db.get_one(Team, self.teams[team]).escalation_policy_id = policy
            if service:
                db.get_one(Service, service).escalation_policy_id = policy

    def urgent(self, at=NOW, team="Network", **given):
        """A P1 that triage has just given to the team."""
        number = self.report(at=at, scope="everyone", effect="stopped")
        sorted_ = self.triage | {"team_id": self.teams[team], "impact": 1, "urgency": 1} | given
        self.perform(number, "accept", "Dora", at, **sorted_)
        return number

    def alert(self, number, at=NOW):
        """The incident comes from an alert that fires."""
        with writing(self.engine) as db:
            integration = Integration(name=f"Monitoring {number}", format="generic", created_at=MONDAY)
            db.add(integration)
            db.flush()
            db.add(Alert(integration_id=integration.id, dedup_key="k", incident_id=number, status="firing",
                         title="Down", first_at=at, last_at=at))  # fmt: skip
            db.get_one(Incident, number).source = "alert"

    def silence(self, number, status="resolved"):
        with writing(self.engine) as db:
            db.execute(update(Alert).where(Alert.incident_id == number).values(status=status))

    def paged(self, number):
        """(name, minutes after NOW) in order."""
        statement = select(Person.name, Page.at).join(Person, Person.id == Page.person_id)
        with reading(self.engine) as db:
            rows = db.execute(statement.where(Page.incident_id == number).order_by(Page.id))
            return [(name, (at - NOW) / MINUTE) for name, at in rows]

    def run(self, minutes):
        return tick(NOW + minutes * MINUTE, self.engine)

    def state(self, number):
        with reading(self.engine) as db:
            row = db.get(Escalation, number)
            return None if row is None else row.ended_by or "running"

    def told(self, number):
        return [entry.text for entry in self.timeline(number) if entry.kind == "page"]

    def noticed(self, name, kind="escalation"):
        with reading(self.engine) as db:
            statement = select(Notice.subject).where(Notice.person_id == self.id(name), Notice.kind == kind)
            return list(db.scalars(statement.order_by(Notice.id)))

    def waiting(self):
        with reading(self.engine) as db:
            rows = db.scalars(select(OutboxMessage).where(OutboxMessage.urgent, OutboxMessage.cancelled_at.is_(None)))
            return len(rows.all())


@pytest.fixture
def desk(engine):
    return Desk(engine)


def test_one_after_another_is_asked_until_somebody_answers_and_again_when_it_is_left_alone(desk):
    number = desk.urgent()
    desk.alert(number)
    assert desk.paged(number) == [("Priya", 0)]
    assert [desk.run(minutes) for minutes in (4, 4.99)] == [0, 0]
    desk.run(5)
    assert desk.paged(number) == [("Priya", 0), ("Devi", 5)]
    desk.perform(number, "acknowledge", "Devi", NOW + 6 * MINUTE)
    assert (desk.state(number), desk.waiting()) == ("acknowledged", 0)
    desk.run(30)
    assert len(desk.paged(number)) == 2, "not yet 30 minutes since it was acknowledged"
    with writing(desk.engine) as db:
        conversation.comment(db, number, "Looking", public=False, actor=desk.people["Devi"], now=NOW + 30 * MINUTE)
    desk.run(36)
    desk.run(59)
    assert len(desk.paged(number)) == 2, "whoever writes is at it"
    desk.run(60)
    assert desk.paged(number)[2:] == [("Devi", 60)]
    assert desk.incident(number).state == "in_progress"
    desk.run(90)
    assert desk.paged(number)[3:] == [("Priya", 90)], "the policy begins anew"
    assert (desk.incident(number).state, desk.state(number)) == ("assigned", "running")
    desk.perform(number, "acknowledge", "Priya", NOW + 91 * MINUTE)
    desk.perform(number, "resolve", "Priya", NOW + 95 * MINUTE, **FIX)
    desk.run(24 * 60)
    assert len(desk.paged(number)) == 4
    assert "paged Priya (schedule Network)" in desk.told(number)
    assert not {"escalation", "repage"} & set(desk.timers(number))


def test_what_fires_no_more_pages_no_more(desk):
    number = desk.urgent()
    desk.alert(number)
    desk.perform(number, "acknowledge", "Priya", NOW + MINUTE)
    desk.silence(number)
    desk.run(40)
    desk.run(80)
    assert desk.paged(number) == [("Priya", 0)]


def test_without_alerts_a_p1_is_come_back_to_and_a_p3_is_not(desk):
    urgent = desk.urgent()
    calm = desk.urgent(team="Network", impact=2, urgency=2)
    with writing(desk.engine) as db:
        assert escalation.start(db, db.get_one(Incident, calm), NOW)
    for number in (urgent, calm):
        desk.perform(number, "acknowledge", "Priya", NOW + MINUTE)
    desk.run(31)
    assert (len(desk.paged(urgent)), len(desk.paged(calm))) == (2, 1)


def test_the_policy_says_how_long_an_answer_holds(desk):
    policy = desk.keep("Slow", [desk.at("person", desk.id("Sam"))], acknowledge_seconds=2 * 3600)
    desk.use(policy, "Network")
    number = desk.urgent()
    desk.perform(number, "acknowledge", "Priya", NOW)
    desk.run(119)
    assert len(desk.paged(number)) == 1
    desk.run(120)
    assert desk.paged(number)[1:] == [("Priya", 120)]


def test_a_step_that_reaches_nobody_does_not_wait_and_the_lead_is_told(desk):
    with writing(desk.engine) as db:
        db.execute(update(TeamMember).where(TeamMember.person_id == desk.id("Lena")).values(lead=True))
    nights = desk.rota("Nights", "Priya", windows=[{"days": ["mon"], "from": "22:00", "to": "23:00"}])
    steps = [[desk.at("schedule", nights)], [desk.at("person", desk.id("Sam"))]]
    desk.use(desk.keep("Gappy", *steps), "Network")
    number = desk.urgent()
    assert desk.paged(number) == [("Sam", 0)]
    assert desk.told(number)[0] == "reached nobody with step 1: nobody is on call in Nights"
    assert len(desk.noticed("Lena")) == 1
    assert desk.noticed("Dora") == []


def test_whoever_has_no_way_to_be_reached_does_not_count_as_asked(desk):
    steps = [[desk.at("person", desk.id("Priya"))], [desk.at("person", desk.id("Sam"))]]
    desk.use(desk.keep("Two", *steps), "Network")
    with writing(desk.engine) as db:
        db.execute(update(ContactMethod).where(ContactMethod.person_id == desk.id("Priya")).values(broken_at=MONDAY))
    number = desk.urgent()
    assert desk.paged(number) == [("Priya", 0), ("Sam", 0)]
    assert desk.told(number)[0] == "reached nobody with step 1: Priya has no way to be reached"


def test_when_the_steps_have_run_out_the_lead_and_the_desk_are_told_once(desk):
    desk.use(desk.keep("Twice", [desk.at("person", desk.id("Sam"))], repeats=1), "Network")
    number = desk.urgent()
    for minutes in (5, 10, 15, 60):
        desk.run(minutes)
    assert desk.paged(number) == [("Sam", 0), ("Sam", 5)]
    assert desk.state(number) == "exhausted"
    assert len(desk.noticed("Lena")) == len(desk.noticed("Dora")) == 1
    assert desk.told(number)[-1] == "nobody has answered: the steps of Twice have run out"


def test_nobody_at_all_ends_at_once_however_often_it_is_repeated(desk):
    with writing(desk.engine) as db:
        db.execute(update(ContactMethod).values(broken_at=MONDAY))
    policy = desk.keep("Idle", *[[desk.at("person", desk.id("Sam"))]] * 3, repeats=5)
    desk.use(policy, "Network")
    number = desk.urgent()
    assert desk.paged(number) == [("Sam", 0)] * 3, "a round asked nobody: another would ask the same"
    assert desk.state(number) == "exhausted"


def test_nobody_is_paged_twice_by_one_step(desk):
    both = [desk.at("schedule", desk.schedule), desk.at("person", desk.id("Priya")),
            desk.at("team", desk.teams["Network"])]  # fmt: skip
    desk.use(desk.keep("All", both), "Network")
    assert sorted(desk.paged(desk.urgent())) == [("Lena", 0), ("Priya", 0)]


def test_who_stands_in_by_an_override_is_asked_and_only_while_it_lasts(desk):
    with writing(desk.engine) as db:
        db.add(ScheduleOverride(schedule_id=desk.schedule, starts_at=NOW - MINUTE, ends_at=NOW + MINUTE,
                                removed_id=desk.id("Priya"), added_id=desk.id("Lena"), created_at=MONDAY))  # fmt: skip
    desk.use(desk.keep("Again", [desk.at("schedule", desk.schedule)], repeats=1), "Network")
    number = desk.urgent()
    desk.run(5)
    assert desk.paged(number) == [("Lena", 0), ("Priya", 5)]


def test_a_step_at_the_second_of_a_handoff_asks_who_takes_over(desk):
    desk.use(desk.keep("Again", [desk.at("schedule", desk.schedule)], repeats=1), "Network")
    number = desk.urgent(at=MONDAY + DAY - 5 * MINUTE)
    tick(MONDAY + DAY, desk.engine)
    assert [name for name, _ in desk.paged(number)] == ["Priya", "Sam"]


def test_after_an_outage_of_the_worker_one_step_fires_and_not_all_that_were_missed(desk):
    steps = [[desk.at("person", desk.id(name))] for name in ("Priya", "Sam", "Devi")]
    desk.use(desk.keep("Three", *steps, repeats=2), "Network")
    number = desk.urgent()
    desk.run(120)
    desk.run(120)
    assert desk.paged(number) == [("Priya", 0), ("Sam", 120)]
    desk.run(125)
    assert desk.paged(number)[2:] == [("Devi", 125)]


def test_a_clock_that_jumps_neither_repeats_a_step_nor_makes_it_wait_for_days(desk):
    steps = [[desk.at("person", desk.id(name))] for name in ("Priya", "Sam", "Devi")]
    desk.use(desk.keep("Three", *steps), "Network")
    number = desk.urgent()
    desk.run(24 * 60)  # a day ahead by mistake
    assert [name for name, _ in desk.paged(number)] == ["Priya", "Sam"]
    worker = loop.Loop(desk.engine, clock=lambda: NOW + 6 * MINUTE)  # set right again
    worker.turn()
    worker.stop()
    worker.run()  # asked to end, it only waits for what it is sending: that may hold the incident for a moment
    assert [name for name, _ in desk.paged(number)] == ["Priya", "Sam"]
    desk.run(11)
    assert [name for name, _ in desk.paged(number)] == ["Priya", "Sam", "Devi"]


def test_maintenance_that_begins_stops_it(desk):
    number = desk.urgent(service_id=desk.service)
    other = desk.urgent()
    with writing(desk.engine) as db:
        assert escalation.stop_for_services(db, [desk.service], NOW + 2 * MINUTE, "new disks") == 1
    desk.run(5)
    assert desk.paged(number) == [("Priya", 0)]
    assert desk.state(number) == "maintenance"
    assert desk.told(number)[-1] == "stopped paging: maintenance has begun, new disks"
    assert len(desk.paged(other)) == 2


@pytest.mark.parametrize(
    ("action", "given", "ended"),
    [
        ("hold", {"hold_reason": "vendor", "hold_until": NOW + DAY}, "held"),
        ("resolve", FIX, "resolved"),
        ("cancel", {"reason": "A test."}, "resolved"),
    ],
)
def test_every_answer_stops_it(desk, action, given, ended):
    number = desk.urgent()
    desk.perform(number, action, "Dora", NOW + MINUTE, **given)
    desk.run(60)
    assert (desk.paged(number), desk.state(number), desk.waiting()) == ([("Priya", 0)], ended, 0)


def test_an_answer_that_is_taken_back_goes_on_where_it_was(desk):
    from db.commands.undo import undo

    number = desk.urgent()
    desk.perform(number, "acknowledge", "Priya", NOW + MINUTE)
    with writing(desk.engine) as db:
        version = db.get_one(Incident, number).version
        undo(db, number, version, actor=desk.people["Priya"], now=NOW + 2 * MINUTE)
    desk.run(5)
    assert desk.paged(number) == [("Priya", 0), ("Devi", 5)]


def test_another_team_is_asked_by_its_own_policy(desk):
    servers = desk.keep("Servers", [desk.at("person", desk.id("Sam"))])
    desk.use(servers, "Servers")
    number = desk.urgent()
    desk.perform(number, "assign", "Priya", NOW + 2 * MINUTE, team_id=desk.teams["Servers"])
    assert desk.paged(number) == [("Priya", 0), ("Sam", 2)]
    desk.perform(number, "acknowledge", "Sam", NOW + 3 * MINUTE)
    desk.perform(number, "assign", "Sam", NOW + 4 * MINUTE, team_id=desk.teams["Network"])
    assert desk.paged(number)[2:] == [("Priya", 4)], "handed on after an answer, it has to be answered again"


def test_a_team_without_a_policy_is_not_asked_by_the_policy_of_the_one_before(desk):
    number = desk.urgent()
    desk.perform(number, "assign", "Priya", NOW + MINUTE, team_id=desk.teams["Servers"])
    desk.run(30)
    assert (desk.paged(number), desk.state(number)) == ([("Priya", 0)], "handed_over")
    told = [subject for name in ("Lena", "Dora") for subject in desk.noticed(name)]
    assert any("pages nobody" in subject for subject in told), "those who lead know that nobody is asked any more"


def test_a_p3_pages_nobody_until_it_is_raised(desk):
    number = desk.urgent(impact=2, urgency=2)
    assert desk.paged(number) == []
    with writing(desk.engine) as db:
        incidents.prioritise(db, number, None, {"impact": 1}, actor=desk.people["Lena"], now=NOW + MINUTE)
    assert desk.paged(number) == [("Priya", 1)]
    with writing(desk.engine) as db:
        incidents.prioritise(db, number, None, {"urgency": 1}, actor=desk.people["Lena"], now=NOW + 2 * MINUTE)
    assert len(desk.paged(number)) == 1, "it runs already"


def test_what_a_devops_team_gets_is_assigned_to_and_pages_whoever_is_on_call(desk):
    portal = desk.rota("Portal", "Devi")
    desk.use(desk.keep("Portal", [desk.at("schedule", portal)]), "Portal")
    number = desk.urgent(team="Portal", impact=2, urgency=3)
    incident = desk.incident(number)
    assert (incident.priority, incident.assignee_id, incident.state) == (4, desk.id("Devi"), "assigned")
    assert desk.paged(number) == [("Devi", 0)]


def test_p4_at_night_waits_for_the_morning_and_so_does_the_next_step(desk):
    portal = desk.keep("Portal", [desk.at("person", desk.id("Devi"))], [desk.at("person", desk.id("Sam"))])
    desk.use(portal, "Portal")
    night = MONDAY.replace(hour=23)
    number = desk.urgent(at=night, team="Portal", impact=2, urgency=3)
    assert desk.told(number) == ["paged Devi when the night is over"]
    tick(night + HOUR, desk.engine)
    assert len(desk.paged(number)) == 1
    tick(night + 8 * HOUR + 5 * MINUTE, desk.engine)
    assert len(desk.paged(number)) == 2


def test_a_p4_raised_at_night_wakes_at_once_and_the_next_step_follows(desk):
    portal = desk.keep("Portal", [desk.at("person", desk.id("Devi"))], [desk.at("person", desk.id("Sam"))])
    desk.use(portal, "Portal")
    night, sent = MONDAY.replace(hour=23), []
    number = desk.urgent(at=night, team="Portal", impact=2, urgency=3)

    def work(minutes):
        now = night + minutes * MINUTE
        send = {"slack": lambda message, _now: sent.append((message.name, minutes)) if message.urgent else None}
        loop.tick(now, desk.engine, send)

    work(30)
    assert sent == []
    with writing(desk.engine) as db:
        raised = {"impact": 1, "urgency": 1}
        incidents.prioritise(db, number, None, raised, actor=desk.people["Lena"], now=night + 31 * MINUTE)
    for minutes in (31, 35, 36, 8 * 60 + 1):
        work(minutes)
    assert sent == [("Devi", 31), ("Sam", 36)], "one message each, and none of them again in the morning"
    assert desk.told(number)[1] == "paged Devi"


def test_what_is_paged_for_as_p3_is_asked_again_by_the_rules_for_p1(desk):
    number = desk.urgent(impact=2, urgency=2)
    with writing(desk.engine) as db:
        db.get_one(Incident, number).source = "alert"
        assert escalation.start(db, db.get_one(Incident, number), NOW)
        method = ContactMethod(person_id=desk.id("Priya"), channel="mattermost", address="https://chat.example/loud",
                               created_at=MONDAY, verified_at=MONDAY)  # fmt: skip
        db.add(method)
        db.flush()
        db.add(NotificationRule(person_id=desk.id("Priya"), urgency="high", method_id=method.id))
    with writing(desk.engine) as db:
        incidents.prioritise(db, number, None, {"impact": 1, "urgency": 1}, actor=desk.people["Lena"], now=NOW + MINUTE)
    assert desk.paged(number) == [("Priya", 0), ("Priya", 1)]
    with reading(desk.engine) as db:
        assert "mattermost" in set(db.scalars(select(OutboxMessage.channel)))
    desk.run(6)
    assert desk.paged(number)[2:] == [("Devi", 6)]


def test_a_policy_edited_while_it_runs_counts_from_the_next_time_on(desk):
    number = desk.urgent()
    with writing(desk.engine) as db:
        kept = [{"delay": 60, "targets": [desk.at("person", desk.id("Sam"))]}]
        escalation_policies.save(
            db, desk.policy, name="Network", steps=kept, version=1, actor=desk.people["Ada"], now=NOW
        )
    desk.run(5)
    assert desk.paged(number) == [("Priya", 0), ("Devi", 5)]
    assert desk.paged(desk.urgent()) == [("Sam", 0)]


def test_a_service_before_its_team_and_an_integration_before_both(desk):
    own = desk.keep("E-mail", [desk.at("person", desk.id("Devi"))])
    desk.use(own, service=desk.service)
    assert desk.paged(desk.urgent(service_id=desk.service)) == [("Priya", 0)], "the service is another team's"
    assert desk.paged(desk.urgent(service_id=desk.service, team="Servers")) == [("Devi", 0)]
    monitoring = desk.keep("Monitoring", [desk.at("person", desk.id("Lena"))])
    number = desk.report(at=NOW)
    with writing(desk.engine) as db:
        assert escalation.start(db, db.get_one(Incident, number), NOW, monitoring)
        assert escalation.start(db, db.get_one(Incident, number), NOW, monitoring), "it runs already"
    assert desk.paged(number) == [("Lena", 0)]


def test_an_alert_that_no_policy_answers_is_told_to_those_who_lead(desk):
    desk.use(None, "Network")
    number = desk.urgent()
    assert desk.noticed("Lena") == []
    with writing(desk.engine) as db:
        assert not escalation.start(db, db.get_one(Incident, number), NOW)
    assert len(desk.noticed("Lena")) == 1


def test_what_begins_anew_while_somebody_works_on_it_pages_that_person(desk):
    number = desk.urgent()
    desk.perform(number, "acknowledge", "Sam", NOW + MINUTE)
    with writing(desk.engine) as db:
        assert escalation.start(db, db.get_one(Incident, number), NOW + 2 * MINUTE)
    assert desk.paged(number)[1:] == [("Sam", 2)]


def test_a_restricted_incident_asks_nobody_who_may_not_see_it(desk):
    policy = desk.keep("Wide", [desk.at("person", desk.id("Sam")), desk.at("person", desk.id("Priya"))])
    desk.use(policy, "Network")
    number = desk.urgent(restricted=True)
    assert desk.paged(number) == [("Priya", 0)]
    assert "Sam may not see it" in desk.told(number)[0]


def test_somebody_is_paged_by_hand(desk):
    number = desk.urgent()
    with writing(desk.engine) as db:
        asked = calling.by_hand(db, number, Target("person", desk.id("Devi")), "the database",
                               actor=desk.people["Priya"], now=NOW + MINUTE)  # fmt: skip
    assert asked.reached == ("Devi (the database)",)
    assert desk.paged(number) == [("Priya", 0), ("Devi", 1)]
    with pytest.raises(RuleError, match="no account"), writing(desk.engine) as db:
        db.get_one(Person, desk.id("Sam")).disabled_at = MONDAY
        db.flush()
        calling.by_hand(db, number, Target("person", desk.id("Sam")), actor=desk.people["Priya"], now=NOW)


def test_after_an_answer_was_given_no_page_is_made_however_close_the_timer(desk):
    numbers = [desk.urgent() for _ in range(8)]
    together = threading.Barrier(2)
    answered = {}

    def answer():
        together.wait(60)
        for number in numbers:
            desk.perform(number, "acknowledge", "Priya", NOW + 5 * MINUTE)
            answered[number] = len(desk.paged(number))

    def work():
        together.wait(60)
        for _ in range(6):
            desk.run(5)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(answer), pool.submit(work)]:
            done.result(60)
    desk.run(5)
    assert {number: len(desk.paged(number)) for number in numbers} == answered
    assert all(desk.state(number) == "acknowledged" for number in numbers)


def test_two_workers_at_once_fire_a_step_once(desk):
    numbers = [desk.urgent() for _ in range(6)]
    together = threading.Barrier(2)

    def work():
        together.wait(60)
        for _ in range(3):
            desk.run(5)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            done.result(60)
    assert [desk.paged(number) for number in numbers] == [[("Priya", 0), ("Devi", 5)]] * 6


def test_a_worker_killed_while_it_fires_leaves_the_step_due(desk, monkeypatch):
    number = desk.urgent()

    class Killed(BaseException):
        pass

    def die(*_args, **_more):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("db.commands.timers.put", die)  # after the page was written, before the commit
        with pytest.raises(Killed):
            desk.run(5)
    assert desk.paged(number) == [("Priya", 0)]
    assert desk.timers(number)["escalation"].fired_at is None
    desk.run(6)
    assert desk.paged(number) == [("Priya", 0), ("Devi", 6)]


def test_one_tick_of_the_worker_fires_and_sends(desk):
    sent = []
    number = desk.urgent()
    for minutes in (0, 5):
        loop.tick(NOW + minutes * MINUTE, desk.engine, {"slack": lambda message, _now: sent.append(message.name)})
    assert sent == ["Priya", "Devi"]
    assert "paged Devi by Slack" in desk.told(number)


def test_what_was_never_paged_for_is_never_paged_for_again(desk):
    desk.use(None, "Network")
    number = desk.urgent()
    desk.perform(number, "acknowledge", "Priya", NOW)
    desk.run(24 * 60)
    assert (desk.paged(number), desk.state(number)) == ([], None)
    assert SYSTEM.name not in {entry.actor_name for entry in desk.timeline(number) if entry.kind == "page"}


def test_a_step_whose_every_way_fails_for_good_does_not_wait(desk):
    desk.use(desk.keep("Two, then one", [desk.at("person", desk.id("Priya")), desk.at("person", desk.id("Sam"))],
                       [desk.at("person", desk.id("Devi"))], minutes=30), "Network")  # fmt: skip
    number = desk.urgent()
    dead, arrived = {desk.id("Priya"): "https://chat.example/Priya"}, []

    def slack(message, _now):
        if message.address in dead.values():
            raise Undelivered("This channel is gone (404).", permanent=True)
        if message.urgent:
            arrived.append(message.name)

    def send(minutes):
        outbox.tick(NOW + minutes * MINUTE, desk.engine, {"slack": slack})

    send(0)
    assert (arrived, desk.paged(number)) == (["Sam"], [("Priya", 0), ("Sam", 0)]), "one of the two was reached"
    desk.perform(number, "reject", "Dora", NOW + MINUTE, reason="The wrong team.")
    with writing(desk.engine) as db:
        db.execute(update(ContactMethod).values(broken_at=None))
    dead[desk.id("Sam")] = "https://chat.example/Sam"
    again = desk.urgent(NOW + 2 * MINUTE)
    send(2)
    assert desk.paged(again) == [("Priya", 2), ("Sam", 2), ("Devi", 2)], "the next step is asked at once"
    assert [subject.partition(": ")[2] for subject in desk.noticed("Lena", "unreached")] == [
        "Priya could not be reached", "Priya could not be reached", "Sam could not be reached"]  # fmt: skip
    assert arrived[-1] == "Devi"
    desk.run(31)
    assert len(desk.paged(again)) == 3, "Devi has the whole delay to answer"
    desk.run(33)
    assert desk.state(again) == "exhausted"
