"""What becomes of signals, on both databases."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db.commands import alerts, catalogue, incidents, integrations
from db.engine import reading, writing
from db.models import (
    Alert,
    Incident,
    Integration,
    MaintainedService,
    MaintenanceWindow,
    ReceivedSignal,
    Service,
    TimelineEntry,
)
from db.queries import alerts as queries
from db.queries import integrations as senders
from rules.signals import Signal
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.test_plans import plans
from worker import alerts as worker

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Monitoring:
    """An integration of the office, and what its signals have led to."""

    def __init__(self, engine, **given):
        self.engine, self.office = engine, Office(engine)
        given = {"name": "Prometheus", "format": "alertmanager", "service_id": self.office.service} | given
        with writing(engine) as db:
            made, _ = integrations.add(db, given, actor=self.office.people["Ada"], now=MONDAY)
            self.id = made.id

    def say(self, *keys, status="firing", at=MONDAY, **more):
        """Signals with these keys in one message; how many had which outcome."""
        signals = [self.signal(key, status, at, **more) for key in keys]
        with writing(self.engine) as db:
            return dict(alerts.receive(db, alerts.locked(db, [self.id])[self.id], signals, at))

    @staticmethod
    def signal(key, status="firing", at=MONDAY, **more):
        given = {"title": f"Trouble with {key}", "severity": "critical", "source": "web-1"} | more
        return Signal(key, status, started_at=given.pop("started_at", at), **given)

    def set(self, **given):
        with writing(self.engine) as db:
            integrations.change(db, self.id, None, given, actor=self.office.people["Ada"], now=MONDAY)

    @property
    def row(self):
        with reading(self.engine) as db:
            return db.get_one(Integration, self.id)

    def incidents(self):
        with reading(self.engine) as db:
            return list(db.scalars(select(Incident).order_by(Incident.id)))

    def alerts(self):
        with reading(self.engine) as db:
            return list(db.scalars(select(Alert).order_by(Alert.id)))

    def told(self, incident):
        return [entry.kind for entry in self.office.timeline(incident.id)]

    def outcomes(self):
        with reading(self.engine) as db:
            return Counter(db.scalars(select(ReceivedSignal.outcome)))

    def resolve_by_hand(self, incident, at):
        given = {"resolution_code": "fixed", "resolution_note": "Restarted it."}
        self.office.perform(incident.id, "resolve", "Sam", at, **given)


@pytest.fixture
def monitoring(engine):
    return Monitoring(engine)


def test_an_alert_opens_an_incident_that_has_all_that_triage_asks_for(monitoring):
    said = {"links": (("Graph", "https://grafana.example/d/1"),), "details": {"labels": {"job": "web"}}}
    assert monitoring.say("a", at=MONDAY, started_at=MONDAY - HOUR, description="Since the deploy.", **said) == {
        "opened": 1
    }
    (incident,) = monitoring.incidents()
    assert (incident.state, incident.source, incident.title) == ("new", "alert", "Trouble with a")
    assert (incident.started_at, incident.detected_at, incident.reported_at) == (MONDAY - HOUR, MONDAY, MONDAY)
    assert (incident.priority, incident.service_id) == (1, monitoring.office.service)
    assert incident.team_id == monitoring.office.teams["Servers"]
    assert incident.category_pair_id is not None
    assert incident.resolution_due_at is not None
    assert "Since the deploy." in incident.description
    assert "Graph: https://grafana.example/d/1" in incident.description
    assert "job: web" in incident.description
    assert monitoring.told(incident) == ["detected"]
    assert set(monitoring.office.timers(incident.id)) >= {"response_breach", "resolution_breach"}
    monitoring.office.perform(incident.id, "accept", "Lena")


def test_what_a_devops_team_owns_is_assigned_at_once(monitoring):
    monitoring.set(team_id=monitoring.office.teams["Portal"])
    monitoring.say("a")
    (incident,) = monitoring.incidents()
    assert (incident.state, incident.team_id) == ("assigned", monitoring.office.teams["Portal"])
    assert monitoring.told(incident)[0] == "detected"


def test_a_start_in_the_future_is_taken_for_now(monitoring):
    monitoring.say("a", started_at=MONDAY + DAY)
    assert monitoring.incidents()[0].started_at == MONDAY
    assert monitoring.alerts()[0].started_at == MONDAY


def test_the_same_key_counts_and_leaves_no_entry(monitoring):
    monitoring.say("a")
    assert monitoring.say("a", "a", "a", at=MONDAY + MINUTE) == {"counted": 3}
    (alert,) = monitoring.alerts()
    assert (alert.signals, alert.first_at, alert.last_at) == (4, MONDAY, MONDAY + MINUTE)
    (incident,) = monitoring.incidents()
    assert monitoring.told(incident) == ["detected"]
    assert monitoring.outcomes() == {"opened": 1, "counted": 3}


@pytest.mark.parametrize("status", ["resolved", "acknowledged"])
def test_what_ends_an_unknown_key_is_kept_and_changes_nothing(monitoring, status):
    assert monitoring.say("a", status=status) == {"unknown": 1}
    assert (monitoring.incidents(), monitoring.alerts()) == ([], [])
    assert monitoring.outcomes() == {"unknown": 1}


def test_when_all_its_alerts_are_resolved_the_incident_resolves_itself(monitoring):
    monitoring.set(grouping="group")
    monitoring.say("a", "b", group_key="g")
    monitoring.say("a", status="resolved", at=MONDAY + MINUTE)
    assert monitoring.incidents()[0].state == "new"
    monitoring.say("b", status="resolved", at=MONDAY + 2 * MINUTE)
    (incident,) = monitoring.incidents()
    assert (incident.state, incident.resolution_code) == ("recovered", "by_itself")
    assert (incident.resolved_at, incident.recovered_at) == (MONDAY + 2 * MINUTE, MONDAY + 2 * MINUTE)
    monitoring.office.perform(
        incident.id, "close", "Dora", MONDAY + HOUR, verification="not_needed", verification_note="Monitoring says so."
    )


def test_without_leave_to_resolve_itself_it_only_says_so_and_once(monitoring):
    monitoring.set(auto_resolve=False)
    monitoring.say("a")
    for second in range(1, 7, 2):
        monitoring.say("a", status="resolved", at=MONDAY + second * SECOND)
        monitoring.say("a", at=MONDAY + (second + 1) * SECOND)
    (incident,) = monitoring.incidents()
    assert incident.state == "new"
    assert monitoring.told(incident) == ["detected", "calm"]


def test_it_fires_again_after_a_person_resolved_it(monitoring):
    monitoring.say("a")
    (incident,) = monitoring.incidents()
    monitoring.office.perform(incident.id, "acknowledge", "Sam", MONDAY + MINUTE)
    monitoring.resolve_by_hand(incident, MONDAY + 2 * MINUTE)
    assert monitoring.say("a", at=MONDAY + 3 * MINUTE) == {"reopened": 1}
    (again,) = monitoring.incidents()
    assert (again.state, again.reopen_count, again.resolved_at) == ("in_progress", 1, None)
    last = [entry for entry in monitoring.office.timeline(incident.id) if entry.kind == "reopen"][-1]
    assert (last.actor_id, last.detail) == (None, "Fired again: Trouble with a")


def test_what_nobody_has_looked_at_goes_back_to_where_it_was(monitoring):
    monitoring.say("a")
    monitoring.say("a", status="resolved", at=MONDAY + MINUTE)
    assert monitoring.incidents()[0].state == "recovered"
    assert monitoring.say("a", at=MONDAY + 2 * MINUTE) == {"reopened": 1}
    (incident,) = monitoring.incidents()
    assert (incident.state, incident.acknowledged_at) == ("new", None)


def test_what_comes_and_goes_does_not_fill_the_timeline(monitoring):
    for second in range(0, 60, 2):
        monitoring.say("a", at=MONDAY + second * SECOND)
        monitoring.say("a", status="resolved", at=MONDAY + (second + 1) * SECOND)
    (incident,) = monitoring.incidents()
    assert incident.state == "new"
    assert monitoring.told(incident) == ["detected", "resolve", "recover", "postmortem", "reopen"]
    assert worker.look(MONDAY + 4 * MINUTE, monitoring.engine) == 0
    assert worker.look(MONDAY + 9 * MINUTE, monitoring.engine) == 1
    assert monitoring.incidents()[0].state == "recovered"


@pytest.mark.parametrize("end", ["closed", "cancelled"])
def test_after_the_end_of_its_incident_it_begins_another_that_names_it(monitoring, end):
    monitoring.say("a")
    (first,) = monitoring.incidents()
    if end == "cancelled":
        monitoring.office.perform(first.id, "cancel", "Dora", MONDAY + MINUTE, reason="A drill.")
    else:
        monitoring.say("a", status="resolved", at=MONDAY + MINUTE)
        closing = {"verification": "not_needed", "verification_note": "Seen."}
        monitoring.office.perform(first.id, "close", "Dora", MONDAY + 2 * MINUTE, **closing)
    assert monitoring.say("a", at=MONDAY + HOUR) == {"opened": 1}
    _, second = monitoring.incidents()
    assert f"fired before: {first.number}" in [entry.text for entry in monitoring.office.timeline(second.id)]
    old, new = monitoring.alerts()
    assert (old.ended_at, old.incident_id, new.ended_at, new.incident_id) == (MONDAY + HOUR, first.id, None, second.id)


def test_a_merged_incident_goes_on_in_the_other(monitoring):
    monitoring.say("a")
    (merged,) = monitoring.incidents()
    survivor = monitoring.office.report()
    monitoring.office.perform(merged.id, "merge", "Lena", MONDAY + MINUTE, duplicate_of_id=survivor)
    assert monitoring.say("a", at=MONDAY + 2 * MINUTE) == {"counted": 1}
    assert len(monitoring.incidents()) == 2
    with reading(monitoring.engine) as db:
        assert queries.of_incident(db, survivor).firing == 1
    assert monitoring.say("a", status="resolved", at=MONDAY + 3 * MINUTE) == {"resolved": 1}
    assert monitoring.office.incident(survivor).state == "recovered"


def test_an_acknowledgement_where_the_alert_comes_from_starts_work(monitoring):
    monitoring.say("a")
    assert monitoring.say("a", status="acknowledged", at=MONDAY + MINUTE) == {"acknowledged": 1}
    (incident,) = monitoring.incidents()
    assert (incident.state, incident.acknowledged_at, incident.assignee_id) == ("in_progress", MONDAY + MINUTE, None)
    assert monitoring.alerts()[0].status == "acknowledged"
    assert monitoring.say("a", status="acknowledged", at=MONDAY + 2 * MINUTE) == {"acknowledged": 1}
    assert monitoring.told(incident).count("acknowledge") == 1


def test_what_only_notes_something_is_kept_and_changes_nothing(monitoring):
    assert monitoring.say("a", status="acknowledged", note_only=True) == {"noted": 1}
    assert (monitoring.incidents(), monitoring.alerts()) == ([], [])
    monitoring.say("a")
    assert monitoring.say("a", status="acknowledged", note_only=True, at=MONDAY + MINUTE) == {"noted": 1}
    [incident], [alert] = monitoring.incidents(), monitoring.alerts()
    assert (incident.state, alert.status, alert.signals, alert.last_at) == ("new", "firing", 1, MONDAY)
    assert monitoring.outcomes() == {"noted": 2, "opened": 1}


def test_alerts_of_a_group_share_its_open_incident(monitoring):
    monitoring.set(grouping="cluster")
    labelled = {"details": {"labels": {"cluster": "east"}}}
    assert monitoring.say("a", **labelled) == {"opened": 1}
    assert monitoring.say("b", "c", at=MONDAY + MINUTE, **labelled) == {"joined": 2}
    assert monitoring.say("d", details={"labels": {"cluster": "west"}}) == {"opened": 1}
    assert monitoring.say("e", "f") == {"opened": 2}, "without the label there is no group"
    east = monitoring.incidents()[0]
    assert monitoring.told(east) == ["detected", "alert"]
    with reading(monitoring.engine) as db:
        assert queries.of_incident(db, east.id).total == 3
    monitoring.resolve_by_hand(east, MONDAY + 2 * MINUTE)
    assert monitoring.say("g", at=MONDAY + 3 * MINUTE, **labelled) == {"opened": 1}, "that one is not open any more"


def test_many_that_join_leave_few_entries(monitoring):
    monitoring.set(grouping="group")
    for number in range(60):
        monitoring.say(f"k{number}", group_key="g", at=MONDAY + number * SECOND)
    (incident,) = monitoring.incidents()
    assert len(monitoring.told(incident)) == alerts.JOINS_TOLD


def test_the_worst_of_its_alerts_counts_and_once_somebody_works_on_it_only_what_got_worse(monitoring):
    monitoring.set(grouping="group", severities={"meh": 5})
    monitoring.say("a", severity="meh", group_key="g")
    assert monitoring.incidents()[0].priority == 5
    monitoring.say("b", severity="warning", group_key="g", at=MONDAY + MINUTE)
    assert monitoring.incidents()[0].priority == 3
    monitoring.office.perform(monitoring.incidents()[0].id, "acknowledge", "Sam", MONDAY + 2 * MINUTE)
    monitoring.say("c", severity="warning", group_key="g", at=MONDAY + 3 * MINUTE)
    assert monitoring.incidents()[0].priority == 3
    monitoring.say("c", severity="critical", group_key="g", at=MONDAY + 4 * MINUTE)
    assert monitoring.incidents()[0].priority == 1
    with writing(monitoring.engine) as db:
        number, lower = monitoring.incidents()[0].id, {"impact": 2, "urgency": 2}
        incidents.prioritise(db, number, None, lower, actor=monitoring.office.people["Dora"], now=MONDAY + HOUR)
    monitoring.say("c", severity="critical", group_key="g", at=MONDAY + HOUR)
    assert monitoring.incidents()[0].priority == 3, "people decided, and monitoring only repeats itself"


def test_in_maintenance_signals_are_kept_and_page_nobody(monitoring):
    with writing(monitoring.engine) as db:
        window = MaintenanceWindow(name="Move", starts_at=MONDAY, ends_at=MONDAY + HOUR, created_at=MONDAY)
        db.add(window)
        db.flush()
        db.add(MaintainedService(window_id=window.id, service_id=monitoring.office.service))
    assert monitoring.say("a", "b") == {"maintenance": 2}
    assert monitoring.say("a", at=MONDAY + MINUTE) == {"maintenance": 1}
    assert monitoring.say("b", status="resolved", at=MONDAY + MINUTE) == {"resolved": 1}
    assert monitoring.incidents() == []
    assert monitoring.say("a", at=MONDAY + HOUR) == {"opened": 1}, "it still fires after the window"
    assert monitoring.say("b", status="resolved", at=MONDAY + HOUR) == {"unknown": 1}
    assert len(monitoring.incidents()) == 1


def test_recurring_maintenance_counts_while_it_recurs(monitoring):
    with writing(monitoring.engine) as db:
        mondays = [{"weekdays": ["monday"], "times": [{"start_time": "09:00", "end_time": "10:00"}]}]
        window = MaintenanceWindow(
            name="Updates", starts_at=MONDAY - DAY, ends_at=MONDAY + 30 * DAY, recurring=mondays, created_at=MONDAY
        )
        db.add(window)
        db.flush()
        db.add(MaintainedService(window_id=window.id, service_id=monitoring.office.service))
    assert monitoring.say("a") == {"maintenance": 1}
    assert monitoring.say("a", at=MONDAY + HOUR) == {"opened": 1}
    assert monitoring.say("b", at=MONDAY + 7 * DAY) == {"maintenance": 1}


def test_what_was_resolved_is_not_reopened_in_maintenance(monitoring):
    monitoring.say("a", at=MONDAY - HOUR)
    monitoring.say("a", status="resolved", at=MONDAY - HOUR + MINUTE)
    with writing(monitoring.engine) as db:
        window = MaintenanceWindow(name="Move", starts_at=MONDAY, ends_at=MONDAY + HOUR, created_at=MONDAY)
        db.add(window)
        db.flush()
        db.add(MaintainedService(window_id=window.id, service_id=monitoring.office.service))
    assert monitoring.say("a") == {"maintenance": 1}
    assert monitoring.incidents()[0].state == "recovered"
    assert monitoring.say("a", at=MONDAY + HOUR) == {"reopened": 1}


def test_a_storm_has_one_incident_and_ends_after_five_calm_minutes(monitoring):
    monitoring.set(storm_limit=3)
    assert monitoring.say(*"abcde") == {"opened": 3, "storm": 2}
    assert monitoring.say("f", "a", at=MONDAY + 2 * MINUTE) == {"storm": 1, "counted": 1}, (
        "calm for less than 5 minutes"
    )
    *_, storm = monitoring.incidents()
    assert len(monitoring.incidents()) == 4
    assert storm.title == "Storm of alerts from Prometheus"
    assert monitoring.told(storm) == ["detected"]
    with reading(monitoring.engine) as db:
        assert queries.of_incident(db, storm.id).total == 3
    monitoring.say(*"def", status="resolved", at=MONDAY + 3 * MINUTE)
    assert monitoring.office.incident(storm.id).state == "new", "a storm that goes on does not end its incident"
    watch = worker.Watch()
    assert watch.tick(MONDAY + 4 * MINUTE, monitoring.engine) == 0
    assert watch.tick(MONDAY + 5 * MINUTE, monitoring.engine) == 1
    assert monitoring.row.storm_since is None
    assert monitoring.office.incident(storm.id).state == "recovered"
    assert monitoring.told(storm) == ["detected", "alert", "resolve", "recover", "postmortem"]
    assert monitoring.say("g", at=MONDAY + 6 * MINUTE) == {"opened": 1}


def test_a_storm_that_goes_on_has_its_incident_anew_when_somebody_closed_it(monitoring):
    monitoring.set(storm_limit=1)
    monitoring.say("a", "b")
    storm = monitoring.incidents()[1]
    monitoring.office.perform(storm.id, "cancel", "Dora", MONDAY + SECOND, reason="Known.")
    assert monitoring.say("c", at=MONDAY + 2 * SECOND) == {"storm": 1}
    assert len(monitoring.incidents()) == 3


def test_silence_opens_one_incident_and_the_next_call_ends_it(monitoring):
    monitoring.set(heartbeat_seconds=60, auto_resolve=False)
    watch = worker.Watch()
    assert watch.tick(MONDAY + MINUTE, monitoring.engine) == 0, "it has not called yet: it is waited for"
    monitoring.say("a", status="resolved")
    assert watch.tick(MONDAY + 59 * SECOND, monitoring.engine) == 0
    assert watch.tick(MONDAY + 60 * SECOND, monitoring.engine) == 1
    assert watch.tick(MONDAY + HOUR, monitoring.engine) == 0
    (incident,) = monitoring.incidents()
    assert (incident.title, incident.priority) == ("Prometheus is silent", 2)
    assert alerts.is_silent(monitoring.row)
    with writing(monitoring.engine) as db:
        alerts.beat(db, alerts.locked(db, [monitoring.id])[monitoring.id], MONDAY + 2 * HOUR)
    assert monitoring.incidents()[0].state == "recovered"
    assert watch.tick(MONDAY + 2 * HOUR + MINUTE, monitoring.engine) == 1
    assert monitoring.incidents()[0].reopen_count == 1


def call(monitoring, at):
    with writing(monitoring.engine) as db:
        alerts.beat(db, alerts.locked(db, [monitoring.id])[monitoring.id], at)


def change(monitoring, at, **given):
    with writing(monitoring.engine) as db:
        integrations.change(db, monitoring.id, None, given, actor=monitoring.office.people["Ada"], now=at)


def test_another_interval_leaves_what_is_silent_silent_until_it_calls(monitoring):
    change(monitoring, MONDAY, heartbeat_seconds=60)
    call(monitoring, MONDAY)
    watch = worker.Watch()
    assert watch.tick(MONDAY + MINUTE, monitoring.engine) == 1
    change(monitoring, MONDAY + 2 * MINUTE, heartbeat_seconds=3600)
    assert alerts.is_silent(monitoring.row)
    assert watch.tick(MONDAY + DAY, monitoring.engine) == 0, "it is told once"
    call(monitoring, MONDAY + DAY)
    assert [incident.state for incident in monitoring.incidents()] == ["recovered"]
    assert monitoring.row.heartbeat_due_at == MONDAY + DAY + HOUR


def test_what_promises_nothing_any_more_is_not_silent(monitoring):
    change(monitoring, MONDAY, heartbeat_seconds=60)
    call(monitoring, MONDAY)
    worker.Watch().tick(MONDAY + MINUTE, monitoring.engine)
    change(monitoring, MONDAY + 2 * MINUTE, heartbeat_seconds=None)
    assert [incident.state for incident in monitoring.incidents()] == ["recovered"]


def test_a_sender_that_never_calls_is_missed_after_an_hour_more(monitoring):
    change(monitoring, MONDAY, heartbeat_seconds=60)
    watch = worker.Watch()
    assert watch.tick(MONDAY + HOUR + 59 * SECOND, monitoring.engine) == 0, "somebody is setting it up"
    assert watch.tick(MONDAY + HOUR + 60 * SECOND, monitoring.engine) == 1
    assert watch.tick(MONDAY + DAY, monitoring.engine) == 0
    (incident,) = monitoring.incidents()
    assert "It has never called" in incident.description
    with reading(monitoring.engine) as db:
        assert [row.silent for row in senders.rows(db, monitoring.office.people["Ada"])] == [True]
    call(monitoring, MONDAY + DAY)
    assert monitoring.incidents()[0].state == "recovered"


def test_a_test_alert_goes_the_same_way_and_ends_itself(monitoring):
    with writing(monitoring.engine) as db:
        sent = integrations.send_test(db, monitoring.id, actor=monitoring.office.people["Ada"], now=MONDAY)
    assert sent.title == "Test alert of Prometheus"
    assert worker.look(MONDAY + MINUTE, monitoring.engine) == 0
    assert worker.look(MONDAY + 2 * MINUTE, monitoring.engine) == 1
    (incident,) = monitoring.incidents()
    assert incident.state == "cancelled", "no measure counts it"
    assert monitoring.alerts()[0].ended_at is not None


def test_the_same_key_many_times_at_once_makes_one_incident(monitoring):
    together = threading.Barrier(8)

    def fire(number):
        together.wait(60)
        return monitoring.say("a", at=MONDAY + number * SECOND)

    with ThreadPoolExecutor(8) as pool:
        got = Counter()
        for outcome in pool.map(fire, range(8)):
            got.update(outcome)
    assert got == {"opened": 1, "counted": 7}
    assert len(monitoring.incidents()) == 1
    assert monitoring.alerts()[0].signals == 8


def test_resolving_and_firing_again_at_once_leaves_the_two_in_step(monitoring):
    monitoring.say("a")
    for round_ in range(1, 6):
        together = threading.Barrier(2)

        def send(status, round_=round_, together=together):
            together.wait(60)
            monitoring.say("a", status=status, at=MONDAY + round_ * 10 * MINUTE)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send, ["resolved", "firing"]))
        worker.look(MONDAY + (round_ * 10 + 6) * MINUTE, monitoring.engine)
        (alert,), (incident,) = monitoring.alerts(), monitoring.incidents()
        assert incident.state == ("recovered" if alert.status == "resolved" else "new")


def test_a_person_resolving_while_it_fires_again_loses_nothing(monitoring):
    monitoring.say("a")
    (incident,) = monitoring.incidents()
    together = threading.Barrier(2)

    def fire():
        together.wait(60)
        monitoring.say("a", at=MONDAY + MINUTE)

    def resolve():
        together.wait(60)
        monitoring.resolve_by_hand(incident, MONDAY + MINUTE)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(fire), pool.submit(resolve)]:
            done.result(30)
    assert monitoring.alerts()[0].signals == 2
    assert monitoring.incidents()[0].state in ("resolved", "new")


def test_long_texts_fit_their_columns(monitoring):
    long = {"title": "t" * 200, "severity": "s" * 64, "source": "x" * 255, "description": "d" * 10_000}
    links = tuple((f"l{number}", "https://example.org/" + "p" * 1900 + str(number)) for number in range(10))
    monitoring.say("k" * 255, links=links, group_key="g" * 255, **long)
    assert len(monitoring.incidents()[0].description) <= 20_000


def test_an_archived_category_leaves_the_incident_open_and_says_why(monitoring):
    monitoring.say("a")
    (incident,) = monitoring.incidents()
    with writing(monitoring.engine) as db:
        db.get_one(Incident, incident.id).category_pair_id = None
        catalogue.archive(db, "category", incident.category_pair_id, actor=monitoring.office.people["Ada"], now=MONDAY)
    monitoring.say("a", status="resolved", at=MONDAY + MINUTE)
    assert monitoring.incidents()[0].state == "new"
    last = monitoring.office.timeline(incident.id)[-1]
    assert (last.kind, last.detail) == ("calm", "Choose a category from the list.")


def test_a_thousand_of_one_key_are_one_incident_with_a_short_timeline(monitoring):
    for _ in range(4):
        monitoring.say(*["a"] * 250)
    with reading(monitoring.engine) as db:
        assert db.scalar(select(func.count()).select_from(TimelineEntry)) == 1
        assert db.scalar(select(func.count()).select_from(ReceivedSignal)) == 1000
        assert db.scalars(select(Alert.signals)).one() == 1000


def test_priority_is_told_by_impact_and_urgency_where_the_matrix_allows(monitoring):
    for key, severity, cell in (("a", "critical", (1, 1)), ("b", "high", (2, 1)), ("c", "warning", (2, 2))):
        monitoring.say(key, severity=severity)
        incident = monitoring.incidents()[-1]
        assert (incident.impact, incident.urgency) == cell, "the service's own impact is 2"


def test_the_archived_service_of_another_integration_is_not_chosen(monitoring):
    with writing(monitoring.engine) as db:
        db.get_one(Service, monitoring.office.service).archived_at = MONDAY
    with pytest.raises(ValueError, match="Choose a service"), writing(monitoring.engine) as db:
        given = {"name": "Other", "format": "generic", "service_id": monitoring.office.service}
        integrations.add(db, given, actor=monitoring.office.people["Ada"], now=MONDAY)


def test_an_acknowledgement_that_the_incident_cannot_take_is_kept_all_the_same(monitoring):
    monitoring.say("a")
    (incident,) = monitoring.incidents()
    with writing(monitoring.engine) as db:
        db.get_one(Incident, incident.id).category_pair_id = None
        catalogue.archive(db, "category", incident.category_pair_id, actor=monitoring.office.people["Ada"], now=MONDAY)
    assert monitoring.say("a", status="acknowledged", at=MONDAY + MINUTE) == {"acknowledged": 1}
    assert monitoring.incidents()[0].state == "new"
    assert monitoring.office.timeline(incident.id)[-1].detail == "Choose a category from the list."


def test_the_alerts_of_an_incident_are_found_by_an_index(monitoring):
    monitoring.say("a", "b")
    wanted = monitoring.incidents()[0].id
    for plan in plans(monitoring.engine, lambda db: queries.of_incident(db, wanted)):
        assert "ix_alert_incident_id" in plan, plan
