"""Updates: written messages to stakeholders, here and outside. Each promises when the next one comes.

What was published stays as it was; a correction is another update that says what it corrects.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.commands import chat, notices, parts, publication, timeline, update_clock
from db.commands.rooms import room_of
from db.models import Incident, Person, Service, ServiceSubscriber, Update
from db.queries import updates as queries
from db.queries.access import record_of
from rules import access, text, updates
from rules.access import Actor, Forbidden
from rules.errors import RuleError

UPDATE, ASKED = "update", "approve"
"""kinds of notice: an update to read; an update that waits for one's word"""
WHY_LIMIT = 1000


def write(
    db: Session,
    incident_id: int,
    *,
    audience: str,
    stage: str,
    words: str,
    title: str = "",
    components: Mapping[int, str] | None = None,
    next_at: datetime | None = None,
    corrects: int | None = None,
    token: str | None = None,
    actor: Actor,
    now: datetime,
) -> Update:
    """Write an update and publish it, or let it wait for the commander's word (queries.updates.waits).

    `components` of the status page are in these states from then on; None says nothing of them. The same `token` twice
    is one update. RuleError with `fields`.
    """
    incident = chat.opened(db, incident_id, actor)
    if token:
        already = db.scalars(select(Update).where(Update.form_token == token)).one_or_none()
        if already is not None:
            return already
    if incident.state == "cancelled" and corrects is None:
        raise RuleError("It was cancelled: there is nothing more to tell.")
    columns = updates.checked(audience, stage, words, title, next_at, now)
    public = audience in updates.PUBLIC
    wrote = _corrected(db, incident, corrects, audience) if corrects is not None else None
    same = wrote is not None and wrote.stage == stage
    if public and incident.state in update_clock.OVER and stage != "resolved" and not same:
        raise RuleError("It is over. Say that it is resolved, or reopen it first.", field="stage")
    update = Update(
        incident_id=incident.id,
        **columns,
        components={str(one): state for one, state in components.items()}
        if public and components is not None
        else None,
        state="waiting",
        written_by_id=actor.id,
        written_at=now,
        corrects_id=corrects,
        form_token=token,
    )
    room_of(db, incident)
    db.add(update)
    db.flush()
    if public and queries.waits(db, actor, record_of(db, incident)):
        publication.states_of(db, update)  # whoever decides can do no more than publish it, or not
        _ask(db, incident, update, actor, now)
    else:
        _publish(db, incident, update, actor, now)
    return update


def decide(
    db: Session,
    incident_id: int,
    update_id: int,
    publish: bool,
    why: str = "",
    *,
    next_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Publish what waits, or decline it with the reason. Only for whoever decides (queries.updates.may_decide).

    `next_at` takes the place of what was promised, which may have passed. What was decided stays so.
    """
    incident = chat.opened(db, incident_id, actor)
    update = _of(db, incident, update_id)
    if not queries.may_decide(actor, record_of(db, incident), queries.holder(db, incident.id, "commander")):
        raise Forbidden("The commander decides what the public is told.")
    if update.state != "waiting":
        raise RuleError("It was decided meanwhile.")
    update.decided_by_id, update.decided_at = actor.id, now
    if publish:
        promised = next_at or update.next_at
        updates.checked(update.audience, update.stage, update.text, update.title, promised, now)
        update.next_at = promised if update.stage != "resolved" else None
        _publish(db, incident, update, actor, now)
        return
    why = text.block(why, "why", WHY_LIMIT, required="Say what should be different.")
    update.state, update.declined_why = "declined", why
    writer = db.get_one(Person, update.written_by_id).name
    timeline.add(db, incident, actor, now, "sent", f"declined the update of {writer}", detail=why, versioned=False)
    if update.written_by_id != actor.id:
        subject = f"Not published: your update on {incident.number}: {incident.title}"
        words = f"{actor.name}: {why}\n\n{update.text}"
        notices.tell(db, [update.written_by_id], ASKED, subject, words, incident=incident, now=now)


def _ask(db: Session, incident: Incident, update: Update, actor: Actor, now: datetime) -> None:
    """Let whoever decides know that an update waits."""
    commander = queries.holder(db, incident.id, "commander")
    stage = updates.STAGES[update.stage].lower()
    told = f"wrote an update for the public ({stage}); it waits for the commander's word"
    timeline.add(db, incident, actor, now, "sent", told, detail=update.text, versioned=False)
    people = [commander] if commander is not None else queries.deciders(db, incident)
    subject = f"Read before the public does: {incident.number}: {incident.title}"
    words = f"{actor.name} wrote:\n\n{update.text}"
    notices.tell(db, set(people) - {actor.id}, ASKED, subject, words, incident=incident, now=now)


def _publish(db: Session, incident: Incident, update: Update, actor: Actor, now: datetime) -> None:
    update.state, update.published_at = "published", now
    audiences = updates.goes_to(update.audience)
    verb = "corrected an update" if update.corrects_id is not None else "sent an update"
    if update.written_by_id != actor.id:
        verb = f"{verb} by {db.get_one(Person, update.written_by_id).name}"
    stage = updates.STAGES[update.stage]
    entry = timeline.add(
        db, incident, actor, now, UPDATE, f"{verb}: {stage.lower()}", detail=update.text, public=True, versioned=False
    )
    parts.tell(db, entry, incident, actor, now)
    told = []
    if "internal" in audiences:
        readers = {person: name for person, name in queries.readers(db, incident).items() if person != actor.id}
        subject = f"{incident.number}, {stage.lower()}: {incident.title}"
        notices.tell(db, readers, UPDATE, subject, update.text, incident=incident, now=now)
        told.append(update_clock.told_names(list(readers.values())))
    if "external" in audiences:
        reached = publication.publish(db, incident, update, actor=actor, now=now)
        subscribers = "1 subscriber" if reached == 1 else f"{reached:,} subscribers"
        told.append(f"the status page and {subscribers}")
    timeline.add(db, incident, actor, now, "sent", f"told {', and '.join(told)}", versioned=False)
    if update.next_at is not None:
        update_clock.promise(db, incident, update.next_at)
    else:
        update_clock.keep_no_promise(db, incident)


def _of(db: Session, incident: Incident, update_id: int) -> Update:
    update = db.get(Update, update_id)
    if update is None or update.incident_id != incident.id:
        raise access.NotFound("There is no such update on this incident.")
    return update


def _corrected(db: Session, incident: Incident, update_id: int, audience: str) -> Update:
    """What is corrected. RuleError unless it was published, to no more people than its correction is."""
    update = _of(db, incident, update_id)
    if update.state != "published":
        raise RuleError("It was not published, so there is nothing to correct.")
    if not updates.goes_to(update.audience) <= updates.goes_to(audience):
        raise RuleError("A correction goes to everybody who read what it corrects.", field="audience")
    return update


def subscribe(db: Session, service_ids: list[int], *, actor: Actor, now: datetime) -> None:
    """Read the internal updates about these services, and about no others. RuleError('services')."""
    access.check(actor, "follow")
    known = set(db.scalars(select(Service.id).where(Service.id.in_(service_ids), Service.archived_at.is_(None))))
    present = set(queries.subscribed(db, actor))
    if set(service_ids) - known - present:
        raise RuleError("Choose services from the list.", field="services")
    gone = present - set(service_ids)
    own = ServiceSubscriber.person_id == actor.id
    db.execute(delete(ServiceSubscriber).where(own, ServiceSubscriber.service_id.in_(gone)))
    db.add_all(
        ServiceSubscriber(service_id=service_id, person_id=actor.id, since=now)
        for service_id in sorted(set(service_ids) - present)
    )
