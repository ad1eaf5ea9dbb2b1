"""The status page of the sample hospital: its components, and what patients and partners were told so far."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.commands import publication, window_notices
from db.demo.organisation import NAME, Organisation
from db.models import (
    Component,
    ComponentService,
    Incident,
    MaintainedService,
    MaintenanceWindow,
    Service,
    StatusPage,
    Update,
)
from rules.access import SYSTEM
from rules.states import OPEN

COMPONENTS = (
    # group, name, the service behind it, what it is
    ("For patients", "Patient portal", "Patient portal", "Appointments, letters and results"),
    ("For patients", "Telephone", "Telephony", "The switchboard and all wards"),
    ("For practices and partners", "Laboratory results", "Laboratory results", "Orders and results"),
    ("For practices and partners", "Images", "Radiology images", "Sharing of X-ray, CT and MRI"),
    ("For practices and partners", "Messages", "Message exchange", "Referrals, letters and orders"),
    ("For practices and partners", "E-mail", "E-mail and calendar", ""),
    ("For staff", "Patient record", "Patient record", ""),
    ("For staff", "Network and Wi-Fi", "Network and Wi-Fi", ""),
    ("For staff", "Remote access", "Remote access", "Working from elsewhere"),
)
WORDS = "In an emergency call 112. This page is about our computer systems; care goes on without them."
MOST = 7
_SOON = timedelta(minutes=8)


def add(db: Session, org: Organisation, now: datetime, since: datetime) -> None:
    """The page as it was designed long ago; then publish what became of the worst incidents of its components."""
    db.add(
        StatusPage(
            id=1,
            published=True,
            name=f"{NAME} status",
            words=WORDS,
            closing_words="This is resolved. Thank you for your patience.",
            logo_type="",
            logo_hash="",
            version=1,
        )
    )
    rows = [
        {"group_name": group, "name": name, "description": about, "position": place, "created_at": since, "version": 1}
        for place, (group, name, _, about) in enumerate(COMPONENTS)
    ]
    db.execute(insert(Component), rows)
    ids = {name: id_ for name, id_ in db.execute(select(Component.name, Component.id))}
    made = {org.services[service].id: ids[name] for _, name, service, _ in COMPONENTS}
    db.add_all(ComponentService(component_id=one, service_id=service) for service, one in made.items())
    concerned = select(Incident).where(
        Incident.service_id.in_(made), Incident.restricted.is_(False), Incident.priority <= 2
    )
    newest = concerned.order_by(Incident.reported_at.desc(), Incident.id.desc())
    over = [each for each in db.scalars(newest) if each.recovered_at is not None and each.state not in OPEN][:MOST]
    for place, incident in enumerate(reversed(over)):
        _past(db, incident, made[incident.service_id or 0], ("partial", "degraded", "major")[place % 3])
    running = db.scalars(newest.where(Incident.major, Incident.state.in_(OPEN)).limit(1)).first()
    if running is not None:
        _running(db, running, made[running.service_id or 0], now)
    _maintenance(db, now)


def _past(db: Session, incident: Incident, component: int, state: str) -> None:
    ended = incident.recovered_at or incident.changed_at
    name = db.get_one(Component, component).name
    title = f"{name} slower than usual" if state == "degraded" else f"{name} not available"
    _publish(
        db, incident, incident.reported_at + _SOON, "investigating", title, {component: state},
        "We know of it and look for the cause. More follows within the hour.",
    )  # fmt: skip
    _publish(db, incident, ended, "resolved", title, {}, "Everything works again. We watch it closely.")


def _running(db: Session, incident: Incident, component: int, now: datetime) -> None:
    title = "Referrals and results arrive late"
    first = incident.reported_at + _SOON
    _publish(
        db, incident, first, "investigating", title, {component: "major"},
        "Messages between us and practices do not get through. We look for the cause.",
    )  # fmt: skip
    if first + 2 * _SOON < now:
        _publish(
            db, incident, first + 2 * _SOON, "identified", title, {component: "partial"},
            "The cause is found.\nNew messages arrive again; those of the last hour follow. For urgent results "
            "call the ward.",
        )  # fmt: skip


def _publish(
    db: Session, incident: Incident, at: datetime, stage: str, title: str, states: dict[int, str], words: str
) -> None:
    update = Update(
        incident_id=incident.id, audience="external", stage=stage, text=words, title=title,
        components={str(one): state for one, state in states.items()}, state="published",
        written_by_id=incident.assignee_id or incident.logged_by_id or incident.reporter_id, written_at=at,
        published_at=at,
    )  # fmt: skip
    db.add(update)
    db.flush()
    publication.publish(db, incident, update, actor=SYSTEM, now=at)


def _maintenance(db: Session, now: datetime) -> None:
    """The next window that is to come is announced."""
    statement = (
        select(MaintenanceWindow)
        .where(MaintenanceWindow.ends_at > now, MaintenanceWindow.cancelled_at.is_(None))
        .order_by(MaintenanceWindow.starts_at, MaintenanceWindow.id)
    )
    window = db.scalars(statement.limit(1)).first()
    if window is None:
        return
    covered = select(Service.name).join(MaintainedService, MaintainedService.service_id == Service.id)
    name = db.scalars(covered.where(MaintainedService.window_id == window.id).order_by(Service.id)).first()
    window_notices.publish(
        db, window.id, title=f"Planned work: {name}", words="Short interruptions are possible.", actor=SYSTEM, now=now
    )
