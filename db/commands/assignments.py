"""Which team has an incident since when, and that team's own clock (OLA): a row per stay, in step with the incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.models import Assignment, Incident, Pause, Team
from db.queries.settings import Policies
from rules.access import SYSTEM, Actor
from rules.states import OPEN
from rules.targets import WARNING_SHARE

_ROWS = (
    select(Assignment)
    .where(Assignment.incident_id == bindparam("incident_id"))
    .order_by(Assignment.began_at, Assignment.id)
)
_RUNNING = _ROWS.where(Assignment.ended_at.is_(None))


@dataclass(frozen=True)
class Before:
    """What of an incident tells how a change moves it between teams: as it was before the change."""

    state: str
    team_id: int | None
    changed_at: datetime


def running(db: Session, incident_id: int) -> Assignment | None:
    """The stay with the team that has the incident now; None when no team has it, or it came so with an import."""
    with db.no_autoflush:
        return db.scalars(_RUNNING, {"incident_id": incident_id}).first()


def follow(
    db: Session, incident: Incident, kind: str, before: Before, summary: str, actor: Actor, now: datetime
) -> Assignment | None:
    """End the stay that a change of `kind` ended and begin the one it began; the one that runs then.

    A stay lasts while the team has the incident and work on it is due: it ends when the incident is resolved or
    cancelled, and a reopening begins a new one. An undo, or the undoing of a merge, goes on with the stay that was.
    """
    with db.no_autoflush:  # the incident is still being changed; it is written once
        rows = list(db.scalars(_ROWS, {"incident_id": incident.id}))
    present = next((row for row in rows if row.ended_at is None), None)
    # A team that is only proposed for a new incident has not received it yet.
    team_id = incident.team_id if incident.state in OPEN and incident.state != "new" else None
    if present is not None and present.team_id != team_id:
        if kind == "undo" and present.began_at == before.changed_at:
            rows.remove(present)
            db.delete(present)
        else:
            present.ended_at = now
        present = None
    if present is not None or team_id is None:
        return present
    kept = _interrupted(rows, team_id, kind, before)
    if kept is not None:
        kept.ended_at = None
        return kept
    if before.state in OPEN and before.state != "new" and before.team_id == team_id:
        return None  # it came with an import: nobody received it here
    return _begin(db, incident, team_id, summary, actor, now)


def _interrupted(rows: Sequence[Assignment], team_id: int, kind: str, before: Before) -> Assignment | None:
    """The stay that the change being taken back had ended."""
    if kind not in ("undo", "unmerge") or not rows or rows[-1].team_id != team_id:
        return None
    return rows[-1] if kind == "unmerge" or rows[-1].ended_at == before.changed_at else None


def _begin(db: Session, incident: Incident, team_id: int, summary: str, actor: Actor, now: datetime) -> Assignment:
    with db.no_autoflush:
        team = db.get_one(Team, team_id)
    made = Assignment(
        incident_id=incident.id,
        team_id=team_id,
        tier=team.tier,
        began_at=now,
        summary=summary,
        handed_by_id=actor.id if summary and actor is not SYSTEM else None,
    )
    db.add(made)
    return made


def time(part: Assignment | None, incident: Incident, known: Policies, pauses: Sequence[Pause]) -> None:
    """The team's due times: its share of the time to resolve since it received the incident, without the pauses."""
    if part is None:
        return
    taken = [(pause.began_at, pause.ended_at) for pause in pauses if pause.ended_at is not None]
    given = (part.tier, incident.priority, incident.service_id, part.began_at, taken)
    part.due_at = known.ola_due(*given)
    part.warn_at = known.ola_due(*given, part=WARNING_SHARE)
