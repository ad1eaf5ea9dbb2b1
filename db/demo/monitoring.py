"""What monitoring tells the sample hospital: two senders and their alerts, who is paged by which steps, maintenance."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import (
    alerts,
    catalogue,
    conversation,
    escalation_policies,
    incidents,
    integrations,
    maintenance,
    timers,
)
from db.demo.organisation import NETWORK, PORTAL, SERVERS, ZONE, Organisation
from db.models import Alert, Incident, Integration, Schedule, Timer
from db.queries import oncall
from rules.signals import Signal, Status
from rules.wall_clock import first

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
INTRODUCED = 7 * DAY
"""how long ago all of this began"""
GRAPHS = "https://prometheus.auental.example/graph"
LOSS = "Uplink of building C loses packets"
SLOW = "Wi-Fi on ward C3 answers slowly"
SWITCH = "Core switch core-1 does not answer"
HOT = "Server room A 0.07 is too warm"


@dataclass(frozen=True)
class Set:
    """What was set up."""

    prometheus: Integration
    sensors: Integration
    window: int
    """the maintenance that is over"""
    window_from: datetime
    schedule: int
    """who is on call for the network"""


def add(db: Session, org: Organisation, now: datetime) -> None:
    """Set it up as it was days ago, and let happen what has happened since, in order of time."""
    made = _set_up(db, org, now)
    for at, step in sorted(_happened(db, org, made, now), key=lambda happened: happened[0]):
        _fire_due(db, at)
        step(at)
        db.flush()
    _fire_due(db, now)


def _set_up(db: Session, org: Organisation, now: datetime) -> Set:
    at, admin = now - INTRODUCED, org.actors["Samuel Adeyemi"]
    schedules = {row.name: row.id for row in db.scalars(select(Schedule))}
    network = _policy(db, org, NETWORK, schedules, "Priya Nair", (10, 15), at)
    portal = _policy(db, org, PORTAL, schedules, "Anneke de Vries", (15, 30), at)
    team = org.teams[NETWORK]
    catalogue.save_team(
        db,
        team.id,
        name=team.name,
        tier=team.tier,
        way=team.way,
        contact=team.contact,
        escalation_policy_id=network,
        actor=admin,
        now=at,
    )
    service = org.services["Patient portal"]
    catalogue.save_service(
        db,
        service.id,
        name=service.name,
        description=service.description,
        team_id=service.team_id,
        impact=service.impact,
        escalation_policy_id=portal,
        actor=admin,
        now=at,
    )
    prometheus, _ = integrations.add(
        db,
        {
            "name": "Prometheus",
            "format": "alertmanager",
            "service_id": org.services["Network and Wi-Fi"].id,
            "category_pair_id": org.pairs["Network", "Slow"].id,
            "grouping": "site",
        },
        actor=admin,
        now=at,
    )
    sensors, _ = integrations.add(
        db,
        {
            "name": "Room sensors",
            "format": "generic",
            "team_id": org.teams[SERVERS].id,
            "category_pair_id": org.pairs["Hardware", "Server"].id,
            "escalation_policy_id": network,
            "severities": {"hot": 2},
            "heartbeat_seconds": int(DAY.total_seconds()),
        },
        actor=admin,
        now=at + 20 * MINUTE,
    )
    window, began = _maintenance(db, org, now)
    return Set(prometheus, sensors, window, began, schedules[NETWORK])


def _policy(
    db: Session,
    org: Organisation,
    team: str,
    schedules: dict[str, int],
    lead: str,
    minutes: tuple[int, int],
    at: datetime,
) -> int:
    """Whoever is on call in the team's schedule, then its lead, each with so many minutes to answer."""
    targets: tuple[dict[str, Any], ...] = (
        {"kind": "schedule", "id": schedules[team]},
        {"kind": "person", "id": org.people[lead].id},
    )
    steps = [{"delay": wait * 60, "targets": [target]} for wait, target in zip(minutes, targets, strict=True)]
    return escalation_policies.save(db, None, name=team, steps=steps, actor=org.actors[lead], now=at)


def _maintenance(db: Session, org: Organisation, now: datetime) -> tuple[int, datetime]:
    """One that is over, and one to come; the id and the beginning of the first."""
    zone = ZoneInfo(ZONE)
    today = now.astimezone(zone).date()

    def evening(days: int, hour: int) -> datetime:
        return first(datetime.combine(today + timedelta(days=days), time(hour)), zone)

    began, lead = evening(-4, 21), org.actors["Priya Nair"]
    over = maintenance.add(
        db,
        name="New firmware for the core switches",
        service_ids=[org.services["Network and Wi-Fi"].id],
        start=began,
        end=began + 3 * HOUR,
        words="One switch after the other; each is away for about five minutes.",
        actor=lead,
        now=now - INTRODUCED + HOUR,
    )
    maintenance.add(
        db,
        name="Updates of the ward computers",
        service_ids=[org.services["Workstations"].id, org.services["Printing"].id],
        start=evening(1, 20),
        end=evening(1, 23),
        words="Leave the computers on, and sign out at the end of the shift.",
        actor=org.actors["Ingrid Halvorsen"],
        now=now - DAY,
    )
    return over.id, began


Happened = tuple[datetime, Callable[[datetime], None]]


def _happened(db: Session, org: Organisation, made: Set, now: datetime) -> list[Happened]:
    """When, and what: in no order."""

    def send(
        integration: Integration, status: Status, title: str, severity: str, source: str, **labels: str
    ) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            alerts.receive(db, integration, [_signal(status, title, severity, source, labels, at)], at)

        return step

    def network(status: Status, title: str, source: str, site: str) -> Callable[[datetime], None]:
        return send(made.prometheus, status, title, "warning", source, site=site)

    def room(status: Status) -> Callable[[datetime], None]:
        return send(made.sensors, status, HOT, "hot", "Sensor A 0.07")

    def begin_maintenance(at: datetime) -> None:
        maintenance.begin(db, made.window, at)

    def take(at: datetime) -> None:
        person = oncall.on_call(db, made.schedule, at)[0]
        actor = next(actor for actor in org.actors.values() if actor.id == person)
        incident = _of(db, LOSS)
        team = {"team_id": org.teams[NETWORK].id, "assignee_id": actor.id}
        incidents.perform(db, incident.id, None, "accept", team, actor=actor, now=at)
        incidents.perform(db, incident.id, None, "acknowledge", {}, actor=actor, now=at + MINUTE)
        said = "Only under load, and only since the new media converter. A spare one is on its way."
        conversation.comment(db, incident.id, said, public=False, actor=actor, now=at + 12 * MINUTE)

    def close(at: datetime) -> None:
        given = {
            "verification": "not_needed",
            "verification_note": "The cooling switched over by itself, as it should.",
        }
        desk = org.actors["Amara Okafor"]
        incidents.perform(db, _of(db, HOT).id, None, "close", given, actor=desk, now=at)

    loss = LOSS, "sw-c0-01", "building C"
    return [
        (made.window_from, begin_maintenance),
        (made.window_from + 25 * MINUTE, network("firing", SWITCH, "core-1", "building A")),
        (made.window_from + 31 * MINUTE, network("resolved", SWITCH, "core-1", "building A")),
        (now - 53 * HOUR, room("firing")),
        (now - 53 * HOUR + 8 * MINUTE, room("resolved")),
        (now - 47 * HOUR, close),
        *((now - hours * HOUR, network("firing", *loss)) for hours in (21, 17, 13, 9, 5, 1)),
        (now - 21 * HOUR + 4 * MINUTE, take),
        (now - 2 * HOUR, lambda at: alerts.beat(db, made.sensors, at)),
        (now - 3 * MINUTE, network("firing", SLOW, "wlc-2", "building D")),
    ]


def _signal(status: Status, title: str, severity: str, source: str, labels: dict[str, str], at: datetime) -> Signal:
    links = (("Graph", f"{GRAPHS}?g0.expr={source}"),) if labels else ()
    details = {"labels": labels} if labels else {}
    key = f"{source}: {title}"
    ended = at if status == "resolved" else None
    return Signal(key, status, title, severity, source, at, ended, links=links, details=details)


def _of(db: Session, title: str) -> Incident:
    """The incident of the newest alert with this title."""
    newest = select(Alert.incident_id).where(Alert.title == title).order_by(Alert.id.desc()).limit(1)
    return db.get_one(Incident, db.execute(newest).scalar_one())


def _fire_due(db: Session, until: datetime) -> None:
    """What falls due by then for the incidents of alerts: a step of those who are asked, a promise that is missed."""
    due = (
        select(Timer)
        .where(
            Timer.incident_id.in_(select(Alert.incident_id)),
            Timer.fired_at.is_(None),
            Timer.due_at <= until,
        )
        .order_by(Timer.due_at, Timer.id)
        .limit(1)
    )
    while (timer := db.scalars(due).one_or_none()) is not None:  # one may set or drop the next
        timers.fire(db, timer, timer.due_at)
        db.flush()
