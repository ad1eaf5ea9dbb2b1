"""The sample data: believable, consistent with the rules, and the same every time."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import event, select

from db import demo
from db.demo import past
from db.demo.cases import CASES
from db.demo.organisation import ZONE, known
from db.engine import make_engine, migrate, reading, writing
from db.models import (
    QUEUE_GROUP,
    Alert,
    AuditEntry,
    CategoryPair,
    Escalation,
    EscalationPolicy,
    Follower,
    Incident,
    Integration,
    MaintenanceWindow,
    OutboxMessage,
    Page,
    Pause,
    Person,
    PersonRole,
    Postmortem,
    PostmortemAction,
    PublishedPostmortem,
    Schedule,
    Service,
    Setting,
    Team,
    TeamMember,
    Template,
    TimelineEntry,
    Timer,
)
from db.queries import oncall
from db.queries.settings import organisation
from rules.access import ROLES
from rules.errors import RuleError
from rules.priority import RISKS, Merits, rank_at
from rules.states import OPEN, STATES
from rules.targets import Targets

NOW = datetime(2026, 10, 14, 13, 5, tzinfo=UTC)
"""A Wednesday afternoon."""
FEW = 20
_OF_POSTMORTEMS = TimelineEntry.kind == "postmortem"


@pytest.fixture(scope="module")
def filled(tmp_path_factory, _sqlite_template):
    """Sample data on SQLite, made once for the tests that only read it."""
    import shutil

    place = tmp_path_factory.mktemp("demo") / "incidents.db"
    shutil.copyfile(_sqlite_template, place)
    engine = make_engine(f"sqlite:///{place}")
    with writing(engine) as db:
        demo.fill(db, NOW)
    with reading(engine) as db:
        yield db
    engine.dispose()


def _by_incident(db, model, *order):
    found = defaultdict(list)
    for row in db.scalars(select(model).order_by(*order)):
        found[row.incident_id].append(row)
    return found


def _fingerprint(engine):
    with reading(engine) as db:
        entries = db.execute(
            select(TimelineEntry.incident_id, TimelineEntry.at, TimelineEntry.actor_name, TimelineEntry.text)
            .order_by(TimelineEntry.id)
        ).all()  # fmt: skip
        states = db.execute(
            select(Incident.number, Incident.title, Incident.state, Incident.version, Incident.rank_at)
            .order_by(Incident.id)
        ).all()  # fmt: skip
        heard = db.execute(
            select(Alert.title, Alert.status, Alert.first_at, Alert.last_at, Alert.signals, Alert.incident_id)
            .order_by(Alert.id)
        ).all()  # fmt: skip
        paged = db.execute(select(Page.incident_id, Page.person_id, Page.at, Page.step).order_by(Page.id)).all()
        settled = db.execute(select(AuditEntry.at, AuditEntry.actor_name, AuditEntry.action, AuditEntry.subject)).all()
        return [sorted(map(tuple, settled)), *(list(map(tuple, rows)) for rows in (entries, states, heard, paged))]


def test_it_is_the_same_for_the_same_seed_and_moment_on_both_databases(engine, sqlite_url):
    other = make_engine(sqlite_url if engine.dialect.name == "postgresql" else f"{sqlite_url}.copy")
    migrate(other.url.render_as_string(hide_password=False))
    for each in (engine, other):
        with writing(each) as db:
            demo.fill(db, NOW, past_incidents=FEW)
    assert _fingerprint(engine) == _fingerprint(other)
    other.dispose()


def test_another_seed_makes_another_history(sqlite_url):
    made = []
    for seed in (7, 8):
        engine = make_engine(f"{sqlite_url}.{seed}")
        migrate(engine.url.render_as_string(hide_password=False))
        with writing(engine) as db:
            demo.fill(db, NOW, seed, past_incidents=5)
        made.append(_fingerprint(engine))
        engine.dispose()
    assert made[0] != made[1]


@pytest.mark.parametrize("weeks", range(0, 52, 4))
def test_at_any_time_of_the_year_nothing_is_merged_into_what_was_withdrawn(filled, weeks):
    now, org = NOW + timedelta(weeks=weeks, hours=5 * weeks), known(filled)
    org.templates.update({template.name: template.id for template in filled.scalars(select(Template))})
    told = list(past.stories(org, Random(7), Targets.default(ZONE), now, past.INCIDENTS))
    withdrawn = {step.story for story in told for step in story.steps if step.verb == "cancel"}
    merged = {step.given["duplicate_of"] for story in told for step in story.steps if step.verb == "merge"}
    assert merged
    assert not merged & withdrawn


def test_making_it_takes_few_statements(sqlite_url):
    """Speed is measured in statements, which do not depend on the machine: they are fewer than 12 a step."""
    engine, counted = make_engine(sqlite_url), [0]
    with writing(engine) as db:
        event.listen(engine, "before_cursor_execute", lambda *_: counted.__setitem__(0, counted[0] + 1))
        demo.fill(db, NOW, past_incidents=FEW)
    with reading(engine) as db:
        steps = len(db.scalars(select(TimelineEntry.id)).all())
    assert counted[0] < 12 * steps
    engine.dispose()


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 1, 1, 0, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # the hour that is missing in Berlin
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the hour that comes twice
    ],
)
def test_it_can_be_made_at_any_moment(sqlite_url, now):
    engine = make_engine(sqlite_url)
    with writing(engine) as db:
        demo.fill(db, now, past_incidents=FEW)
    with reading(engine) as db:
        assert set(db.scalars(select(Incident.state))) == set(STATES)
        assert max(db.scalars(select(TimelineEntry.at))) <= now
    engine.dispose()


def test_severe_incidents_taught_something(filled):
    found = filled.execute(select(Postmortem, Incident).join(Incident, Incident.id == Postmortem.incident_id)).all()
    assert {one.state for one, _ in found} == {"draft", "review", "published", "discarded"}
    [published] = [(one, incident) for one, incident in found if one.state == "published"]
    assert published[1].major
    assert published[0].reviewer_id != published[0].sent_by_id
    actions = filled.scalars(select(PostmortemAction)).all()
    open_ones = [action for action in actions if action.done_at is None]
    assert [action.due_on < NOW.date().isoformat() for action in open_ones].count(True) == 1
    assert any(action.verified_at for action in actions)
    assert filled.scalars(select(PublishedPostmortem)).one().withdrawn_at is None
    assert all(entry.at <= NOW for entry in filled.scalars(select(TimelineEntry).where(_OF_POSTMORTEMS)))


def test_monitoring_has_told_of_things_and_asked_whoever_was_on_call(filled):
    assert set(filled.scalars(select(EscalationPolicy.name))) == {"Network", "Patient Portal"}
    assert filled.scalars(select(Team.name).where(Team.escalation_policy_id.is_not(None))).all() == ["Network"]
    services = select(Service.name).where(Service.escalation_policy_id.is_not(None))
    assert filled.scalars(services).all() == ["Patient portal"]
    senders = {row.name: row for row in filled.scalars(select(Integration))}
    assert {row.name: row.format for row in senders.values()} == {
        "Prometheus": "alertmanager",
        "Room sensors": "generic",
    }
    assert senders["Room sensors"].heartbeat_due_at > NOW
    alerts = filled.scalars(select(Alert).order_by(Alert.id)).all()
    incidents = [filled.get(Incident, alert.incident_id) if alert.incident_id else None for alert in alerts]
    now = [(alert.status, alert.signals, found and found.state) for alert, found in zip(alerts, incidents, strict=True)]
    assert now == [
        ("resolved", 2, None),  # in maintenance
        ("resolved", 2, "closed"),
        ("firing", 6, "in_progress"),
        ("firing", 1, "new"),
    ]
    assert incidents[1].resolution_code == "by_itself"
    schedule = filled.scalars(select(Schedule.id).where(Schedule.name == "Network")).one()
    for found in incidents[1:]:
        assert found.number > "INC-000416", "what people reported keeps its numbers"
        [page] = filled.scalars(select(Page).where(Page.incident_id == found.id))
        assert (page.person_id,) == oncall.on_call(filled, schedule, found.reported_at)
        assert page.channels == 1
    standing = filled.get(Escalation, incidents[3].id)
    assert (standing.ended_at, standing.position) == (None, 1)
    assert filled.scalars(select(OutboxMessage.id)).all() == [], "nothing leaves for invented people"
    over, coming = filled.scalars(select(MaintenanceWindow).order_by(MaintenanceWindow.starts_at))
    assert over.ends_at < NOW < coming.starts_at
    by = {"escalation policy added", "team changed", "service changed", "integration added", "maintenance added"}
    assert by <= set(filled.scalars(select(AuditEntry.action).where(AuditEntry.actor_id.is_not(None))))


def test_it_refuses_a_database_with_people(sqlite_url):
    engine = make_engine(sqlite_url)
    with writing(engine) as db:
        db.add(Person(name="Ana", email="ana@example.org", created_at=NOW))
    with pytest.raises(RuleError, match="empty database"), writing(engine) as db:
        demo.fill(db, NOW)
    with reading(engine) as db:
        assert db.scalars(select(Setting.key)).all() == []
        assert db.scalars(select(Team.name)).all() == []
    engine.dispose()


def test_the_organisation_is_complete(filled):
    known = organisation(filled)
    assert (known.zone, known.desk_phone, known.sample_data) == ("Europe/Berlin", "4444", True)
    assert {team.tier for team in filled.scalars(select(Team))} == {"1", "2", "3", "external"}
    assert {team.way for team in filled.scalars(select(Team))} == {"itil", "devops"}
    assert all(
        service.team_id and service.impact and service.description for service in filled.scalars(select(Service))
    )
    assert len(filled.scalars(select(CategoryPair)).all()) >= 30
    people = filled.scalars(select(Person)).all()
    assert all(person.sample and person.email and person.password_hash is None for person in people)
    assert set(filled.scalars(select(PersonRole.role))) == set(ROLES)
    roles = Counter(filled.scalars(select(PersonRole.person_id)))
    assert max(roles.values()) >= 3
    assert filled.scalars(select(TeamMember).where(TeamMember.lead)).all()


def test_there_are_many_different_incidents_in_every_state(filled):
    incidents = filled.scalars(select(Incident)).all()
    states = Counter(incident.state for incident in incidents)
    assert set(states) == set(STATES)
    assert 400 <= len(incidents) <= 450
    assert len(CASES) >= 90
    assert len({incident.title for incident in incidents}) >= 180
    assert not [incident.title for incident in incidents if "{" in incident.title + incident.description]
    open_ones = [incident for incident in incidents if incident.state in OPEN]
    assert 20 <= len(open_ones) <= 50
    late = [incident for incident in open_ones if incident.resolution_due_at < NOW and incident.state != "on_hold"]
    soon = [incident for incident in open_ones if NOW < incident.resolution_due_at < NOW + timedelta(hours=2)]
    assert late
    assert soon
    reasons = {incident.hold_reason for incident in incidents if incident.state == "on_hold"}
    assert {"reporter", "vendor", "change", "problem"} <= reasons
    assert any(incident.denied_at and incident.state == "in_progress" for incident in incidents)
    assert any(incident.state == "recovered" and not incident.verified_at for incident in incidents)
    assert any(incident.major for incident in incidents)
    assert any(incident.security for incident in incidents)
    assert any(incident.reopen_count for incident in incidents)
    assert any(incident.duplicate_of_id for incident in incidents)
    assert any(incident.ping_pong for incident in incidents)
    assert any(incident.state == "new" and incident.response_due_at < NOW for incident in incidents)


def test_promises_are_mostly_but_not_always_kept(filled):
    resolved = filled.scalars(select(Incident).where(Incident.resolved_at.is_not(None))).all()
    kept = sum(incident.resolved_at <= incident.resolution_due_at for incident in resolved) / len(resolved)
    answered = [incident for incident in resolved if incident.acknowledged_at]
    in_time = sum(incident.acknowledged_at <= incident.response_due_at for incident in answered) / len(answered)
    assert 0.8 < kept < 0.98
    assert 0.8 < in_time < 0.99


def test_work_is_reported_in_working_hours_more_than_at_night(filled):
    hours = Counter(incident.reported_at.hour for incident in filled.scalars(select(Incident)))
    assert sum(hours[hour] for hour in range(6, 14)) > 4 * sum(hours[hour] for hour in (22, 23, 0, 1, 2, 3))


def test_clocks_ranks_and_timers_follow_from_the_history(filled):
    targets, pauses = Targets.default("Europe/Berlin"), _by_incident(filled, Pause, Pause.began_at)
    timers = _by_incident(filled, Timer, Timer.id)
    for incident in filled.scalars(select(Incident)):
        of_it = pauses[incident.id]
        running = [pause for pause in of_it if pause.ended_at is None]
        taken = [(pause.began_at, pause.ended_at) for pause in of_it if pause.ended_at is not None]
        due = targets.due(incident.priority, incident.reported_at, taken)
        assert incident.response_due_at == due.response_due_at
        assert incident.response_warn_at == due.response_warn_at
        assert incident.resolution_due_at == due.resolution_due_at
        assert incident.resolution_warn_at == due.resolution_warn_at
        risks = tuple(risk for risk in RISKS if getattr(incident, risk))
        merits = Merits(incident.priority, incident.major, risks, incident.people_affected)
        assert incident.rank_at == rank_at(incident.resolution_due_at, merits)
        assert incident.queue_group == QUEUE_GROUP[incident.state]
        assert bool(running) == (
            incident.state == "on_hold" and incident.hold_reason in ("reporter", "vendor", "change")
        )
        waiting = [timer for timer in timers[incident.id] if timer.fired_at is None]
        assert all(timer.due_at > NOW for timer in waiting), "history fires after the fact"
        assert not waiting or incident.state in OPEN or incident.verification is None
        assert all(timer.fired_at == timer.due_at for timer in timers[incident.id] if timer.fired_at)


def test_timelines_tell_how_each_incident_came_to_be_as_it_is(filled):
    timelines = _by_incident(filled, TimelineEntry, TimelineEntry.id)
    for incident in filled.scalars(select(Incident)):
        told = timelines[incident.id]
        versions = [entry.version for entry in told if entry.version is not None]
        assert versions == sorted(versions)
        assert sorted(set(versions)) == list(range(1, incident.version + 1))
        moved = [entry for entry in told if entry.to_state is not None]
        assert (moved[0].from_state, moved[0].at) == (None, incident.reported_at)
        assert all(left.to_state == right.from_state for left, right in pairwise(moved))
        assert moved[-1].to_state == incident.state
        steps = [entry.at for entry in told if entry.kind not in ("sla", "hold_over")]
        assert steps == sorted(steps)
        assert all(entry.at == entry.recorded_at <= NOW for entry in told)
        handed = [e for e in told if e.from_team_id and e.to_team_id and e.from_team_id != e.to_team_id]
        assert len(handed) == incident.handovers
        moments = [
            m for m in (incident.reported_at, incident.resolved_at, incident.recovered_at, incident.closed_at) if m
        ]
        assert moments == sorted(moments)


def test_missed_promises_are_on_the_timeline_once(filled):
    timelines = _by_incident(filled, TimelineEntry, TimelineEntry.id)
    for incident in filled.scalars(select(Incident).where(Incident.reopen_count == 0, Incident.state != "cancelled")):
        told = [entry.at for entry in timelines[incident.id] if entry.text == "missed the time to resolve"]
        ended = incident.resolved_at or NOW
        if incident.state != "on_hold":
            missed = ended >= incident.resolution_due_at
            assert (told == [incident.resolution_due_at]) is missed, incident.number


def test_reporters_follow_what_they_reported(filled):
    followed = {(row.incident_id, row.person_id) for row in filled.scalars(select(Follower))}
    reported = filled.scalars(select(Incident).where(Incident.reporter_id.is_not(None))).all()
    assert len(reported) > 400
    assert all((i.id, i.reporter_id) in followed for i in reported)
