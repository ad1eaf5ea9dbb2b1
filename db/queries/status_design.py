"""The status page for administrators who design it: its components, archived ones apart, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Component, ComponentService, MaintenanceWindow, PublishedWindow, Service
from db.queries import reach, status_page, subscribers
from db.queries.status_page import Look
from db.settings import settings
from rules import access
from rules.access import Actor


@dataclass(frozen=True)
class Designed:
    """A component as it is edited."""

    id: int
    group: str
    name: str
    description: str
    services: Mapping[int, str]
    """id -> name"""
    archived: bool
    version: int


@dataclass(frozen=True)
class Design:
    """Everything on the screen."""

    look: Look
    components: tuple[Designed, ...]
    """those on the page in its order, then those that are archived"""
    services: Mapping[int, str]
    """what a component can stand for"""
    subscribers: int
    mail: bool
    base_url: bool
    """it is known where links in mails lead"""


def design(db: Session, actor: Actor) -> Design:
    """What the screen shows. Only for administrators."""
    access.check(actor, "status_page")
    linked: dict[int, dict[int, str]] = {}
    pairs = (
        select(ComponentService.component_id, Service.id, Service.name)
        .join(Service, Service.id == ComponentService.service_id)
        .order_by(func.lower(Service.name))
    )
    for component, service, name in db.execute(pairs):
        linked.setdefault(component, {})[service] = name
    rows = db.scalars(
        select(Component).order_by(Component.archived_at.is_not(None), Component.position, Component.id)
    ).all()
    usable = select(Service.id, Service.name).where(Service.archived_at.is_(None)).order_by(func.lower(Service.name))
    return Design(
        status_page.look(db),
        tuple(
            Designed(
                row.id, row.group_name, row.name, row.description, linked.get(row.id, {}),
                row.archived_at is not None, row.version,
            )
            for row in rows
        ),
        {service: name for service, name in db.execute(usable)},
        subscribers.count(db),
        reach.mail_works(),
        bool(settings().base_url),
    )  # fmt: skip


@dataclass(frozen=True)
class PublicWindow:
    """How a maintenance window stands on the status page; title '' when it does not."""

    page: bool
    """there is a published status page at all"""
    title: str = ""
    words: str = ""


def public_window(db: Session, window_id: int | None) -> PublicWindow:
    """For the form of a window (None: of a new one)."""
    page = status_page.look(db).published
    if window_id is None:
        return PublicWindow(page)
    found = db.execute(
        select(PublishedWindow.title, PublishedWindow.words)
        .join(MaintenanceWindow, MaintenanceWindow.id == PublishedWindow.window_id)
        .where(PublishedWindow.window_id == window_id, PublishedWindow.withdrawn_at.is_(None))
    ).first()
    return PublicWindow(page, found.title, found.words) if found is not None else PublicWindow(page)
