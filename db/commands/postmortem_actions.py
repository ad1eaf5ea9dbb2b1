"""Actions that follow from a postmortem: given to a person, done by a day, looked at afterwards; told when overdue."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.commands import notices
from db.commands.postmortems import actions_of, note, opened, reader, readers, tell
from db.models import Incident, Person, Postmortem, PostmortemAction, PostmortemVersion
from db.queries.responsible import leading
from db.queries.settings import organisation
from rules import postmortems as rules
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.postmortem_export import day
from rules.postmortems import DISCARDED, PUBLISHED

OVERDUE = "overdue"
"""kind of the notices"""


def add(
    db: Session,
    postmortem_id: int,
    text: str,
    owner_id: int | None,
    due_on: date | None,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Something to be done, by whom and by when; its id. The same again is the same. RuleError with `fields`."""
    incident, found = _on(db, postmortem_id, actor)
    words, person, by = _checked(db, incident, text, owner_id, due_on, None, now)
    present = db.scalars(select(PostmortemAction).where(PostmortemAction.postmortem_id == found.id)).all()
    same = next((one for one in present if one.text.casefold() == words.casefold() and one.dropped_at is None), None)
    if same is not None and same.owner_id == person.id:
        return same.id
    if len(present) >= rules.MOST_ACTIONS:
        raise RuleError(f"A postmortem has at most {rules.MOST_ACTIONS} actions: choose those that count.", "text")
    made = PostmortemAction(
        postmortem_id=found.id,
        version=1,
        text=words,
        owner_id=person.id,
        due_on=by.isoformat(),
        made_at=now,
        made_by_id=actor.id,
    )
    db.add(made)
    db.flush()
    note(db, incident, f"gave {person.name} an action until {day(by)}: {words}", "", actor, now)
    _tell_new(db, incident, person, words, by, actor, now)
    return made.id


def change(
    db: Session,
    action_id: int,
    version: int,
    text: str,
    owner_id: int | None,
    due_on: date | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Put it in other words, give it to somebody else, or move its day. RuleError with `fields`."""
    incident, found = _held(db, action_id, version, actor)
    _running(found)
    before = date.fromisoformat(found.due_on)
    words, person, by = _checked(db, incident, text, owner_id, due_on, before, now)
    given_anew, moved = person.id != found.owner_id, by != before
    if not (given_anew or moved or words != found.text):
        return
    told = [
        f"now '{words}'" if words != found.text else "",
        f"to {person.name}" if given_anew else "",
        f"from {day(before)} to {day(by)}" if moved else "",
    ]
    note(db, incident, f"changed the action '{found.text}': {', '.join(filter(None, told))}", "", actor, now)
    found.text, found.owner_id, found.due_on = words, person.id, by.isoformat()
    found.version += 1
    if given_anew or moved:
        found.told_at = None
    if given_anew:
        _tell_new(db, incident, person, words, by, actor, now)


def finish(db: Session, action_id: int, version: int, *, actor: Actor, now: datetime) -> None:
    """It is done; what it changed is still to be seen. Twice is once."""
    incident, found = _held(db, action_id, version, actor, done_by=actor.id)
    if found.done_at is not None:
        return
    _running(found)
    found.done_at, found.done_by_id = now, actor.id
    found.version += 1
    note(db, incident, f"did the action '{found.text}'", "", actor, now)
    owner = _postmortem(db, found).owner_id
    subject = f"Done: {found.text}"
    words = f"{actor.name} did it. Once it shows, say in the postmortem of {incident.number} what it changed."
    tell(db, incident, [owner], subject, words, now, but=actor)


def take_up(db: Session, action_id: int, version: int, reason: str, *, actor: Actor, now: datetime) -> None:
    """What was done or dropped is to be done again; `reason` says why. RuleError('reason')."""
    incident, found = _held(db, action_id, version, actor)
    words = rules.why(reason, "Say why it is to be done again.")
    if found.done_at is None and found.dropped_at is None:
        return
    found.done_at = found.done_by_id = found.verified_at = found.verified_by_id = None
    found.dropped_at = found.dropped_by_id = found.told_at = None
    found.effect = found.dropped_why = ""
    found.version += 1
    note(db, incident, f"took up the action '{found.text}' again", words, actor, now)


def verify(db: Session, action_id: int, version: int, effect: str, *, actor: Actor, now: datetime) -> None:
    """Somebody has seen what it changed, once it was done. RuleError('effect')."""
    incident, found = _held(db, action_id, version, actor)
    words = rules.effect(effect)
    if found.done_at is None:
        raise RuleError("It is not done yet. What it changed is seen afterwards.", field="effect")
    if found.verified_at is not None:
        raise RuleError("Somebody has said already what it changed.", field="effect")
    found.verified_at, found.verified_by_id, found.effect = now, actor.id, words
    found.version += 1
    note(db, incident, f"saw what the action '{found.text}' changed", words, actor, now)


def drop(db: Session, action_id: int, version: int, reason: str, *, actor: Actor, now: datetime) -> None:
    """It is not to be done after all; `reason` says why. What is published keeps one, or says why there is none."""
    incident, found = _held(db, action_id, version, actor)
    words = rules.why(reason, "Say why it is not to be done.")
    _running(found)
    parent = _postmortem(db, found)
    newest = db.get_one(PostmortemVersion, (parent.id, parent.version))
    if parent.state == PUBLISHED and actions_of(db, parent.id) == 1 and not newest.no_action:
        sentence = "It is the only action. Add another first, or say in the postmortem why none is needed."
        raise RuleError(sentence, field="reason")
    found.dropped_at, found.dropped_by_id, found.dropped_why = now, actor.id, words
    found.version += 1
    note(db, incident, f"dropped the action '{found.text}'", words, actor, now)


def overdue(db: Session, now: datetime, most: int) -> Sequence[int]:
    """Ids of actions whose day is over and of which somebody is to be told now, the latest first; for the worker."""
    return db.scalars(
        select(PostmortemAction.id)
        .join(Postmortem, Postmortem.id == PostmortemAction.postmortem_id)
        .where(
            PostmortemAction.done_at.is_(None),
            PostmortemAction.dropped_at.is_(None),
            PostmortemAction.due_on < _telling_day(db, now).isoformat(),
            or_(PostmortemAction.told_at.is_(None), PostmortemAction.told_at <= now - rules.AGAIN_AFTER),
            Postmortem.state != DISCARDED,
        )
        .order_by(PostmortemAction.due_on, PostmortemAction.id)
        .limit(most)
    ).all()


def tell_overdue(db: Session, action_id: int, now: datetime) -> bool:
    """Tell whoever is to do it, and from the second week on whoever has the postmortem too.

    Where they are gone, whoever has the postmortem is told at once, else who leads the team. False if another told
    them, or somebody is at it.
    """
    # The incident first, as whoever changes the action: else the two could wait for each other.
    held = (
        select(Incident)
        .join(Postmortem, Postmortem.incident_id == Incident.id)
        .join(PostmortemAction, PostmortemAction.postmortem_id == Postmortem.id)
        .where(PostmortemAction.id == action_id)
        .with_for_update(of=Incident, skip_locked=True)
    )
    incident = db.scalars(held.execution_options(populate_existing=True)).one_or_none()
    found = db.get(PostmortemAction, action_id, populate_existing=True) if incident is not None else None
    if incident is None or found is None or found.done_at is not None or found.dropped_at is not None:
        return False
    again = found.told_at is not None
    if found.told_at is not None and found.told_at > now - rules.AGAIN_AFTER:
        return False
    by = date.fromisoformat(found.due_on)
    if by >= _telling_day(db, now):
        return False
    parent = db.get_one(Postmortem, found.postmortem_id, populate_existing=True)
    if parent.state == DISCARDED:
        return False
    found.told_at = now
    owner = db.get_one(Person, found.owner_id)
    subject = f"Overdue since {day(by)}: {found.text}"
    words = (
        f"{owner.name} has this action of the postmortem of {incident.number}. "
        "Do it, move its day, or give it to somebody else."
    )
    told = readers(db, incident, [found.owner_id, parent.owner_id if again else None])
    told = told or readers(db, incident, [parent.owner_id]) or readers(db, incident, leading(db, incident.team_id))
    notices.tell(db, told, OVERDUE, subject, words, incident=incident, now=now)
    return True


def _telling_day(db: Session, now: datetime) -> date:
    return rules.telling_day(now, ZoneInfo(organisation(db).zone))


def _on(db: Session, postmortem_id: int, actor: Actor) -> tuple[Incident, Postmortem]:
    incident, found = opened(db, postmortem_id, actor)
    if found.state == DISCARDED:
        raise RuleError("The postmortem was discarded. Take it up again first.")
    return incident, found


def _held(
    db: Session, action_id: int, version: int, actor: Actor, *, done_by: int | None = None
) -> tuple[Incident, PostmortemAction]:
    """The action, as it was in `version`. `done_by`: whoever pressed twice is let be."""
    parent = db.scalar(select(PostmortemAction.postmortem_id).where(PostmortemAction.id == action_id))
    incident, _ = _on(db, parent if parent is not None else 0, actor)
    found = db.get(PostmortemAction, action_id, populate_existing=True)
    if found is None:
        raise NotFound("There is no such action.")
    twice = done_by is not None and found.done_by_id == done_by
    if found.version != version and not twice:
        raise RuleError("Somebody else changed this action meanwhile. See how it is now, then choose.", "version")
    return incident, found


def _running(found: PostmortemAction) -> None:
    if found.done_at is not None:
        raise RuleError("It is done. Take it up again first.")
    if found.dropped_at is not None:
        raise RuleError("It was dropped. Take it up again first.")


def _checked(
    db: Session,
    incident: Incident,
    text: str,
    owner_id: int | None,
    due_on: date | None,
    kept: date | None,
    now: datetime,
) -> tuple[str, Person, date]:
    today = rules.today(now, ZoneInfo(organisation(db).zone))
    words, person = "", None
    wrong: dict[str, str] = {}
    try:
        words = rules.action(text, owner_id, due_on, today, kept)
    except RuleError as error:
        wrong |= error.fields
    if owner_id is not None:
        try:
            person = reader(db, incident, owner_id)
        except RuleError as error:
            wrong |= error.fields
    if wrong or person is None or due_on is None:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return words, person, due_on


def _postmortem(db: Session, found: PostmortemAction) -> Postmortem:
    return db.get_one(Postmortem, found.postmortem_id)


def _tell_new(
    db: Session, incident: Incident, person: Person, text: str, by: date, actor: Actor, now: datetime
) -> None:
    words = f"{actor.name} gave it to you in the postmortem of {incident.number}: {incident.title}"
    tell(db, incident, [person.id], f"To be done by {day(by)}: {text}", words, now, but=actor)
