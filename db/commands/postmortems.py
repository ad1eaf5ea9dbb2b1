"""Postmortems: begun, written in versions, reviewed by somebody else, published, amended; or discarded as a draft.

Every step is on the timeline of the incident. Whoever takes one holds the incident: two who write take turns.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.commands import incidents, notices, timeline
from db.commands.postmortem_drafts import KIND, make, of
from db.models import Incident, Person, PersonRole, Postmortem, PostmortemAction, PostmortemVersion, TeamMember
from db.queries.access import record_of
from db.queries.responsible import leading
from rules import access
from rules import postmortems as rules
from rules.access import Actor, NotFound, Record
from rules.errors import RuleError
from rules.postmortems import DISCARDED, DRAFT, FIELDS, FOR_ALL, PUBLISHED, REVIEW

ABSENT = "There is no such postmortem, or it is not open to you."


def start(db: Session, incident_id: int, *, actor: Actor, now: datetime) -> int:
    """Begin the postmortem of an incident that is resolved; its id. One that was discarded is taken up again."""
    access.check(actor, "postmortem_edit")
    incident = incidents.for_change(db, incident_id, None, actor)
    found = of(db, incident.id)
    if found is not None:
        if found.state == DISCARDED:
            found.state, found.discarded_why = DRAFT, ""
            note(db, incident, "took up the postmortem again", "", actor, now)
        return found.id
    if incident.state not in FOR_ALL:
        raise RuleError("Resolve it first: a postmortem looks back.")
    return make(db, incident, actor, now).id


def save(
    db: Session,
    postmortem_id: int,
    version: int,
    words: Mapping[str, object],
    why: str = "",
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Keep title and sections as a new version; its number. What changes nothing is no version.

    One that is published needs `why`, and stays whole. RuleError with `fields`; 'version' is among them when somebody
    else saved first.
    """
    incident, found = opened(db, postmortem_id, actor)
    if found.state == DISCARDED:
        raise RuleError("It was discarded. Take it up again first.")
    given = rules.checked(words)
    newest = db.get_one(PostmortemVersion, (found.id, found.version))
    _check_version(db, found, newest, version)
    if {name: getattr(newest, name) for name in FIELDS} == given:
        return found.version
    reason = ""
    if found.state == PUBLISHED:
        reason = rules.why(why, "Say what you change, and why: it is published.")
        _check_whole(db, found, given)
    found.version += 1
    kept = PostmortemVersion(
        postmortem_id=found.id, version=found.version, saved_at=now, saved_by_id=actor.id, why=reason, **given
    )
    db.add(kept)
    told = f"{'amended the published postmortem' if reason else 'wrote on the postmortem'}: version {found.version}"
    note(db, incident, told, reason, actor, now)
    return found.version


def give(db: Session, postmortem_id: int, owner_id: int | None, *, actor: Actor, now: datetime) -> None:
    """Let somebody else see to it that it is written. RuleError('owner_id')."""
    incident, found = opened(db, postmortem_id, actor)
    if owner_id == found.owner_id:
        return
    person = reader(db, incident, owner_id)
    found.owner_id = person.id
    note(db, incident, f"gave the postmortem to {person.name}", "", actor, now)
    subject = f"The postmortem of {incident.number} is yours: {incident.title}"
    tell(db, incident, [person.id], subject, f"{actor.name} gave it to you.", now, but=actor)


def send(db: Session, postmortem_id: int, version: int, *, actor: Actor, now: datetime) -> None:
    """Give the draft, as it is in `version`, to others to review. RuleError with `fields` for what is missing."""
    incident, found = opened(db, postmortem_id, actor)
    rules.move(found.state, REVIEW)
    newest = db.get_one(PostmortemVersion, (found.id, found.version))
    _check_version(db, found, newest, version)
    _check_whole(db, found, words_of(newest))
    found.state, found.sent_at, found.sent_by_id = REVIEW, now, actor.id
    note(db, incident, "gave the postmortem to be reviewed", "", actor, now)
    people = {found.owner_id, *leading(db, incident.team_id)}
    subject = f"Review the postmortem of {incident.number}: {newest.title}"
    words = f"{actor.name} asks for it. Read it, then publish it or send it back with your words."
    tell(db, incident, people, subject, words, now, but=actor)


def send_back(db: Session, postmortem_id: int, reason: str, *, actor: Actor, now: datetime) -> None:
    """What is in review is a draft again; `reason` says what is to be changed. RuleError('reason')."""
    incident, found = opened(db, postmortem_id, actor)
    rules.move(found.state, DRAFT)
    words = rules.why(reason, "Say what is to be changed.")
    found.state = DRAFT
    note(db, incident, "sent the postmortem back", words, actor, now)
    subject = f"Not yet: the postmortem of {incident.number}: {incident.title}"
    tell(db, incident, {found.owner_id, found.sent_by_id}, subject, f"{actor.name}: {words}", now, but=actor)


def publish(db: Session, postmortem_id: int, version: int, *, actor: Actor, now: datetime) -> None:
    """Publish, to those who work here, what one has reviewed in `version`; not one's own words.

    RuleError with `fields`; 'version' when somebody saved since, 'reviewer' for an author.
    """
    incident, found = opened(db, postmortem_id, actor)
    rules.move(found.state, PUBLISHED)
    newest = db.get_one(PostmortemVersion, (found.id, found.version))
    _check_version(db, found, newest, version)
    rules.check_reviewer(actor.id, rules.authors(newest.saved_by_id, newest.saved_at, found.sent_by_id, found.sent_at))
    _check_whole(db, found, words_of(newest))
    found.state, found.published_at, found.reviewer_id = PUBLISHED, now, actor.id
    note(db, incident, "reviewed and published the postmortem", "", actor, now)
    doing = db.scalars(select(PostmortemAction.owner_id).where(*to_be_done(found.id)))
    subject = f"Published: the postmortem of {incident.number}: {newest.title}"
    tell(db, incident, {found.owner_id, found.sent_by_id, *doing}, subject, f"{actor.name} read it.", now, but=actor)


def discard(db: Session, postmortem_id: int, reason: str, *, actor: Actor, now: datetime) -> None:
    """Nothing is to be learned: the draft leaves the library, nobody is asked for its actions. RuleError('reason')."""
    incident, found = opened(db, postmortem_id, actor)
    rules.move(found.state, DISCARDED)
    found.discarded_why = rules.why(reason, "Say why nothing is to be learned from it.")
    found.state = DISCARDED
    note(db, incident, "discarded the draft of the postmortem", found.discarded_why, actor, now)


def opened(db: Session, postmortem_id: int, actor: Actor) -> tuple[Incident, Postmortem]:
    """Its incident and the postmortem, both held, for somebody who may write on it. NotFound, Forbidden."""
    access.check(actor, "postmortem_edit")
    incident_id = db.scalar(select(Postmortem.incident_id).where(Postmortem.id == postmortem_id))
    if incident_id is None:
        raise NotFound(ABSENT)
    try:
        incident = incidents.for_change(db, incident_id, None, actor)
    except NotFound as hidden:
        refusal = NotFound(ABSENT)
        refusal.refused = hidden.refused
        raise refusal from None
    access.check(actor, "postmortem_edit", record_of(db, incident))
    return incident, db.get_one(Postmortem, postmortem_id, populate_existing=True, with_for_update=True)


def reader(db: Session, incident: Incident, person_id: int | None) -> Person:
    """A person who may be given something of it: enabled, and able to read it. RuleError('owner_id')."""
    person = db.get(Person, person_id) if person_id is not None else None
    if person is None or person.disabled_at is not None:
        raise RuleError("Choose a person from the list.", field="owner_id")
    if not may_read(db, person, record_of(db, incident)):
        raise RuleError(f"{person.name} cannot read it. Choose somebody who can.", field="owner_id")
    return person


def may_read(db: Session, person: Person, record: Record) -> bool:
    """Whether this person, who may be somewhere else just now, may read a postmortem of the incident."""
    roles = frozenset(db.scalars(select(PersonRole.role).where(PersonRole.person_id == person.id)))
    teams = frozenset(db.scalars(select(TeamMember.team_id).where(TeamMember.person_id == person.id)))
    someone = Actor(person.id, person.name, roles | {"reporter"}, teams)
    return access.may(someone, "postmortems") and access.may(someone, "read", record)


def to_be_done(postmortem_id: int) -> tuple[ColumnElement[bool], ...]:
    """Actions of it that somebody still has to do."""
    return (
        PostmortemAction.postmortem_id == postmortem_id,
        PostmortemAction.done_at.is_(None),
        PostmortemAction.dropped_at.is_(None),
    )


def words_of(kept: PostmortemVersion) -> dict[str, str]:
    """Title and sections of a version."""
    return {name: getattr(kept, name) for name in FIELDS}


def actions_of(db: Session, postmortem_id: int) -> int:
    """How many actions it has, those dropped left out."""
    count = select(func.count()).select_from(PostmortemAction)
    counted = count.where(PostmortemAction.postmortem_id == postmortem_id, PostmortemAction.dropped_at.is_(None))
    return db.execute(counted).scalar_one()


def _check_whole(db: Session, found: Postmortem, words: Mapping[str, str]) -> None:
    missing = rules.lacking(words, actions_of(db, found.id))
    if missing:
        raise RuleError(" ".join(missing.values()), fields=missing)


def _check_version(db: Session, found: Postmortem, newest: PostmortemVersion, version: int) -> None:
    if found.version == version:
        return
    who = db.get(Person, newest.saved_by_id) if newest.saved_by_id is not None else None
    sentence = (
        f"{who.name if who else 'Somebody'} saved version {found.version} while you had version {version}. "
        "See what it says, then choose."
    )
    raise RuleError(sentence, field="version")


def note(db: Session, incident: Incident, told: str, words: str, actor: Actor, now: datetime) -> None:
    """The step's entry on the timeline, for those who work on the incident."""
    timeline.add(db, incident, actor, now, KIND, told, detail=words, versioned=False)


def tell(
    db: Session,
    incident: Incident,
    people: Iterable[int | None],
    subject: str,
    words: str,
    now: datetime,
    *,
    but: Actor,
) -> None:
    """Tell those of them who may read it now; `but` did it and knows."""
    others = readers(db, incident, [one for one in people if one != but.id])
    notices.tell(db, others, KIND, subject, words, incident=incident, now=now)


def readers(db: Session, incident: Incident, people: Iterable[int | None]) -> list[int]:
    """Those of them who have an account and may read a postmortem of the incident now."""
    asked = {one for one in people if one is not None}
    record = record_of(db, incident)
    here = select(Person).where(Person.id.in_(asked), Person.disabled_at.is_(None))
    return [person.id for person in (db.scalars(here).all() if asked else ()) if may_read(db, person, record)]
