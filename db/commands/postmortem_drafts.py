"""The draft of a postmortem, made of what is known about its incident, in the transaction in which it recovers."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import notices, timeline
from db.models import (
    Hypothesis,
    Incident,
    Person,
    Postmortem,
    PostmortemVersion,
    Service,
    Team,
    TimelineEntry,
    Update,
)
from db.queries import updates
from db.queries.responsible import leading
from db.queries.settings import organisation
from rules import postmortem_draft, postmortems
from rules.access import SYSTEM, Actor
from rules.hypotheses import CONFIRMED
from rules.moments import MOMENTS
from rules.postmortems import DRAFT
from rules.updates import PUBLIC

KIND = "postmortem"
"""of its notices and entries"""
_MOST_READ = 2000
"""entries of the timeline; the draft keeps far fewer"""
_ASKED = (
    "A draft is made of the timeline. Say what went well, what went badly and what is to be done, "
    "then give it to somebody else to review."
)


def due(db: Session, incident: Incident, now: datetime) -> None:
    """Draft it when the incident has recovered and is one to look back on. A second recovery adds nothing."""
    wanted = incident.state == "recovered" and postmortems.due(major=incident.major, priority=incident.priority)
    if wanted and of(db, incident.id) is None:
        make(db, incident, SYSTEM, now)


def of(db: Session, incident_id: int) -> Postmortem | None:
    """The postmortem of an incident."""
    return db.scalars(select(Postmortem).where(Postmortem.incident_id == incident_id)).one_or_none()


def make(db: Session, incident: Incident, actor: Actor, now: datetime) -> Postmortem:
    """The draft, its timeline entry, and a notice to whoever is to write it."""
    words = postmortem_draft.draft(facts(db, incident), ZoneInfo(organisation(db).zone))
    made = Postmortem(
        incident_id=incident.id,
        state=DRAFT,
        version=1,
        owner_id=_owner(db, incident, actor),
        made_at=now,
    )
    db.add(made)
    db.flush()
    db.add(PostmortemVersion(postmortem_id=made.id, version=1, saved_at=now, **words))
    timeline.add(db, incident, actor, now, KIND, "drafted the postmortem from what is known", versioned=False)
    if made.owner_id is not None and made.owner_id != actor.id:
        subject = f"Write the postmortem of {incident.number}: {incident.title}"
        notices.tell(db, [made.owner_id], KIND, subject, _ASKED, incident=incident, now=now)
    return made


def facts(db: Session, incident: Incident) -> postmortem_draft.Facts:
    """What is known of an incident."""
    service = db.get(Service, incident.service_id) if incident.service_id is not None else None
    team = db.get(Team, incident.team_id) if incident.team_id is not None else None
    confirmed = (
        select(Hypothesis.text)
        .where(Hypothesis.incident_id == incident.id, Hypothesis.state == CONFIRMED)
        .order_by(Hypothesis.changed_at, Hypothesis.id)
    )
    told = select(Update.published_at).where(
        Update.incident_id == incident.id,
        Update.audience.in_(PUBLIC),
        Update.published_at.is_not(None),
        Update.state == "published",
    )
    happened = (
        select(TimelineEntry.at, TimelineEntry.actor_name, TimelineEntry.kind, TimelineEntry.text, TimelineEntry.detail)
        .where(TimelineEntry.incident_id == incident.id, TimelineEntry.kind.in_(sorted(postmortem_draft.KINDS)))
        .order_by(TimelineEntry.at, TimelineEntry.id)
        .limit(_MOST_READ)
    )
    return postmortem_draft.Facts(
        number=incident.number,
        title=incident.title,
        service=service.name if service else incident.affected,
        team=team.name if team else "",
        priority=incident.priority,
        major=incident.major,
        people=incident.people_affected,
        scope=incident.scope,
        effect=incident.effect,
        moments={name: getattr(incident, name) for name in MOMENTS},
        resolution_code=incident.resolution_code,
        resolution_note=incident.resolution_note or "",
        missed=tuple(_missed(incident)),
        public_updates=[at for at in db.scalars(told) if at is not None],
        causes=db.scalars(confirmed).all(),
        entries=[postmortem_draft.Entry(*row) for row in db.execute(happened)],
    )


def _missed(incident: Incident) -> Any:
    for done_at, due_at, promise in (
        (incident.acknowledged_at or incident.resolved_at, incident.response_due_at, "the promised time to answer"),
        (incident.resolved_at, incident.resolution_due_at, "the promised time to fix"),
    ):
        if due_at is not None and (done_at is None or done_at > due_at):
            yield promise


def _owner(db: Session, incident: Incident, actor: Actor) -> int | None:
    """Whoever led the response, else has the incident, leads the team that had it, or begins it; nobody who is gone."""
    led = updates.holder(db, incident.id, "commander")
    wanted = [led, incident.assignee_id, *sorted(leading(db, incident.team_id)), actor.id]
    here = select(Person.id).where(Person.id.in_([one for one in wanted if one]), Person.disabled_at.is_(None))
    known = set(db.scalars(here))
    return next((one for one in wanted if one in known), None)
