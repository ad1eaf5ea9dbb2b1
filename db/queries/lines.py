"""One incident as a line of a list: the shape that every list, card and queue is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from db.models import Category, CategoryPair, Follower, Incident, Pause, Person, Service, Subcategory, Team
from db.queries import access
from db.queries.settings import policies
from rules.access import Record
from rules.clocks import Clock, clock
from rules.priority import HEAD_STARTS, RISKS, HeadStarts, Merits, explain
from rules.states import HOLD_REASONS, PAUSING_REASONS

_Assignee = aliased(Person, name="assignee")
_Reporter = aliased(Person, name="reporter")
_PAUSED_SINCE = (
    select(Pause.began_at)
    .where(Pause.incident_id == Incident.id, Pause.ended_at.is_(None))
    .correlate(Incident)
    .limit(1)
    .scalar_subquery()
    .label("paused_since")
)


@dataclass(frozen=True)
class Line:
    id: int
    number: str
    version: int
    state: str
    title: str
    priority: int | None
    affected: str
    service: str | None
    category: str | None
    subcategory: str | None
    team_id: int | None
    team: str | None
    tier: str | None
    """the team's"""
    assignee_id: int | None
    assignee: str | None
    reporter_id: int | None
    reporter: str | None
    major: bool
    security: bool
    compliance: bool
    financial: bool
    people_affected: int | None
    reported_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    resolution_warn_at: datetime | None
    acknowledged_at: datetime | None
    hold_reason: str | None
    hold_until: datetime | None
    verification: str | None
    denied_at: datetime | None
    restricted: bool
    imported: bool
    pin_seconds: int
    pin_until: datetime | None
    pin_reason: str
    recovered_at: datetime | None
    reminded_at: datetime | None
    contact: str
    """how a reporter without an account is reached"""
    escalations: int
    paused_since: datetime | None
    starts: HeadStarts = HEAD_STARTS
    """as they are set; what its rank was made with"""

    @property
    def paused(self) -> bool:
        """True while its resolution clock stands still."""
        return self.state == "on_hold" and self.hold_reason in PAUSING_REASONS

    @property
    def about(self) -> str:
        """The service, or what is affected in the reporter's words."""
        return self.service or self.affected

    @property
    def pair(self) -> str | None:
        """'Hardware › Printer', the category alone, or None."""
        return f"{self.category} › {self.subcategory}" if self.subcategory else self.category

    def clock(self, now: datetime) -> Clock | None:
        """Its resolution clock."""
        stopped = self.resolved_at or (self.paused_since or self.changed_at if self.paused else None)
        return clock(
            self.reported_at,
            self.resolution_warn_at,
            self.resolution_due_at,
            now,
            stopped_at=stopped,
            paused=self.paused,
        )

    def why(self, now: datetime, zone: str) -> str:
        """One sentence that says why it ranks where it does."""
        if self.resolution_due_at is None or self.priority is None:
            return "It has no target; ranks by when it was reported."
        waiting = None
        if self.state == "on_hold":
            waiting = HOLD_REASONS.get(self.hold_reason or "", "On hold")
            if self.hold_until is not None:
                waiting += f" until {self.hold_until:%a} {self.hold_until.day} {self.hold_until:%b}"
        return explain(self.resolution_due_at, self.merits, now, zone, self.starts, waiting=waiting)

    @property
    def merits(self) -> Merits:
        """What moves it ahead in the queue."""
        return Merits(
            priority=self.priority or 5,
            major=self.major,
            risks=tuple(risk for risk in RISKS if getattr(self, risk)),
            people=self.people_affected,
            pin_seconds=self.pin_seconds,
        )


_COLUMNS = (
    Incident.id,
    Incident.number,
    Incident.version,
    Incident.state,
    Incident.title,
    Incident.priority,
    Incident.affected,
    Service.name.label("service"),
    Category.name.label("category"),
    Subcategory.name.label("subcategory"),
    Incident.team_id,
    Team.name.label("team"),
    Team.tier,
    Incident.assignee_id,
    _Assignee.name.label("assignee"),
    Incident.reporter_id,
    func.coalesce(_Reporter.name, func.nullif(Incident.caller_name, "")).label("reporter"),
    Incident.major,
    Incident.security,
    Incident.compliance,
    Incident.financial,
    Incident.people_affected,
    Incident.reported_at,
    Incident.changed_at,
    Incident.resolved_at,
    Incident.response_due_at,
    Incident.resolution_due_at,
    Incident.resolution_warn_at,
    Incident.acknowledged_at,
    Incident.hold_reason,
    Incident.hold_until,
    Incident.verification,
    Incident.denied_at,
    Incident.restricted,
    Incident.imported,
    Incident.pin_seconds,
    Incident.pin_until,
    Incident.pin_reason,
    Incident.recovered_at,
    Incident.reminded_at,
    Incident.caller_contact,
    Incident.escalations,
    _PAUSED_SINCE,
)

RANKED = (Incident.queue_group, Incident.rank_at, Incident.reported_at, Incident.id)
"""The order to work in: on hold after everything active; ties by when it was reported, then by number."""


_OF_ALL = (
    select(*_COLUMNS)
    .outerjoin(Service, Service.id == Incident.service_id)
    .outerjoin(CategoryPair, CategoryPair.id == Incident.category_pair_id)
    .outerjoin(Category, Category.id == CategoryPair.category_id)
    .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    .outerjoin(Team, Team.id == Incident.team_id)
    .outerjoin(_Assignee, _Assignee.id == Incident.assignee_id)
    .outerjoin(_Reporter, _Reporter.id == Incident.reporter_id)
)
# Built once: to build them for each reading costs more than to run them.
_LINES = _OF_ALL.where(Incident.id.in_(bindparam("ids", expanding=True)))
_FOLLOWERS = (
    select(func.aggregate_strings(cast(Follower.person_id, String) + case((Follower.named, "!"), else_=""), " "))
    .where(Follower.incident_id == Incident.id)
    .correlate(Incident)
    .scalar_subquery()
)
_AROUND = and_(_Reporter.id.is_not(None), _Reporter.disabled_at.is_(None)), Team.way, _FOLLOWERS
_WITH_ACCESS = _OF_ALL.add_columns(*_AROUND).where(Incident.id == bindparam("incident_id"))


def lines(db: Session, chosen: Select[int]) -> list[Line]:
    """The lines of the incidents whose ids `chosen` gives, in its order; it is cut to a page."""
    return of_ids(db, db.scalars(chosen).all())


def of_ids(db: Session, ids: Sequence[int]) -> list[Line]:
    """The lines of these incidents, in the order of `ids`; what does not exist is left out."""
    if not ids:
        return []
    starts = policies(db).head_starts
    rows: dict[int, Sequence[Any]] = {row[0]: row for row in db.execute(_LINES, {"ids": ids})}
    return [Line(*values) for values in ((*rows[id_], starts) for id_ in ids if id_ in rows)]


def with_access(db: Session, incident: Incident) -> tuple[Line, Record, dict[int, bool]]:
    """The line of one incident, what decides access to it, and its followers as followers_of gives them."""
    starts = policies(db).head_starts
    *values, account, team_way, following = db.execute(_WITH_ACCESS, {"incident_id": incident.id}).one()
    followers = {int(one.rstrip("!")): one.endswith("!") for one in (following or "").split()}
    return Line(*(*values, starts)), access.record(incident, team_way, account, followers), followers
