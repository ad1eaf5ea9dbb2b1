"""What the public is told of an incident: on the status page, and by e-mail to those who asked for it.

Nothing but the public title, the words of published updates and the names of components ever gets here: not the
incident's own title, number, description, people or timeline.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from db import freshness
from db.commands import outbox, timeline
from db.commands.rooms import room_of
from db.models import (
    Component,
    ComponentSpan,
    Incident,
    Publication,
    PublicationClosing,
    StatusPage,
    Update,
    to_micros,
)
from db.queries import subscribers
from db.queries.settings import organisation
from rules.access import Actor
from rules.errors import RuleError
from rules.states import OPEN
from rules.status_page import CLOSING_WORDS, NOT_OVER_WORDS, STATES, read_states
from rules.text import line
from rules.updates import PUBLIC, STAGES, TITLE_LIMIT

KIND = "status"
"""of the messages to subscribers"""
STILL_PUBLIC = OPEN | {"resolved"}
"""states in which the public is still waiting: the fix is in, or not even that, but nobody has seen that it works"""


def publish(db: Session, incident: Incident, update: Update, *, actor: Actor, now: datetime) -> int:
    """Put a published update before the public; to how many subscribers it goes. `update` must have its id.

    Its `components` take the place of what the incident said of components before: None says nothing of them, {} that
    none is affected any more. Stage 'resolved' ends it; a later one opens it again. A correction only does either when
    its stage is another than that of the update which it corrects. RuleError with `fields` for what is not known.
    """
    if update.audience not in PUBLIC or update.published_at is None:
        return 0
    publication = _of(db, incident.id)
    states = states_of(db, update)
    title = line(update.title, "title", TITLE_LIMIT) or (publication.title if publication else "")
    if not title:
        raise RuleError("Say in a few words what the public sees.", field="title")
    moves = _moves(db, update)
    if publication is None:
        room_of(db, incident)
        publication = Publication(incident_id=incident.id, title=title, stage=update.stage, began_at=now)
        db.add(publication)
        moves = True
    publication.title = title
    if moves:
        publication.stage = update.stage
        publication.ended_at = now if update.stage == "resolved" else None
    if publication.ended_at is not None:
        states = {} if moves else None  # a correction of what is over changes words alone
    touched = _set_states(db, incident.id, states, now)
    db.flush()
    freshness.changed(db)
    if not subscribers.offered():
        return 0
    subject = f"{title}: {STAGES[update.stage]}"
    words = update.text if update.corrects_id is None else f"Correction: {update.text}"
    return tell(db, subject, words, touched, _present(db, incident.id, touched), now=now)


def states_of(db: Session, update: Update) -> dict[int, str] | None:
    """What it says of components of the status page; None when it says nothing. RuleError('components')."""
    states = read_states(update.components)
    _known(db, states or {}, update.incident_id)
    return states


def recovered(db: Session, incident: Incident, *, actor: Actor, now: datetime) -> bool:
    """The incident is over: what is open of it before the public ends with the closing words; False when nothing is.

    Incidents that were merged into it end with it: until then they went on in this one.
    """
    merged = select(Incident.id).where(Incident.duplicate_of_id == incident.id)
    own = or_(Publication.incident_id == incident.id, Publication.incident_id.in_(merged))
    statement = select(Publication).where(own, Publication.ended_at.is_(None)).order_by(Publication.id)
    going_on = db.scalars(statement.with_for_update()).all()
    if not going_on:
        return False
    words = db.scalar(select(StatusPage.closing_words)) or CLOSING_WORDS
    for publication in going_on:
        touched = _set_states(db, publication.incident_id, {}, now)
        publication.stage, publication.ended_at = "resolved", now
        db.add(PublicationClosing(publication_id=publication.id, at=now, words=words))
        db.flush()
        states = _present(db, publication.incident_id, touched)
        subject, about = f"{publication.title}: {STAGES['resolved']}", _about_the_end(publication, now)
        tell(db, subject, words, touched, states, about=about, now=now)
    said = "ended it on the status page"
    timeline.add(db, incident, actor, now, "published", said, detail=words, versioned=False)
    freshness.changed(db)
    return True


def over(db: Session, incident: Incident, *, actor: Actor, now: datetime) -> None:
    """What is over is over before the public too. What was merged into one that goes on goes on with it."""
    survivor = db.get(Incident, incident.duplicate_of_id) if incident.duplicate_of_id is not None else None
    if survivor is None or survivor.state not in STILL_PUBLIC:
        recovered(db, incident, actor=actor, now=now)
    elif _of(db, incident.id) is not None:
        room_of(db, survivor)  # only what has a room is asked, once it is over, what the public was told of it


def goes_on(db: Session, incident: Incident, ended_at: datetime, *, actor: Actor, now: datetime) -> None:
    """It was ended at `ended_at` by mistake: what ended with it before the public is as it was before that.

    The mail of the end leaves no more; whoever may have got it gets a correction. What somebody has said of it since
    stays said.
    """
    merged = select(Incident.id).where(Incident.duplicate_of_id == incident.id)
    own = or_(Publication.incident_id == incident.id, Publication.incident_id.in_(merged))
    closings = (
        select(PublicationClosing)
        .join(Publication, Publication.id == PublicationClosing.publication_id)
        .where(own, Publication.ended_at == ended_at, PublicationClosing.at == ended_at)
        .order_by(PublicationClosing.id)
    )
    corrected, back = 0, db.scalars(closings).all()
    for closing in back:
        publication = db.get_one(Publication, closing.publication_id, with_for_update=True)
        about = _about_the_end(publication, ended_at)
        publication.stage, publication.ended_at = _stage_before(db, publication.incident_id), None
        _take_up(db, publication.incident_id, ended_at)
        db.delete(closing)
        db.flush()
        corrected += _correct(db, publication, about, now)
    if back:
        said = "took back that it ended on the status page"
        told = f"{corrected:,} subscriber{'s' if corrected > 1 else ''} read that it had ended, and got a correction"
        detail = f"{told}." if corrected else ""
        timeline.add(db, incident, actor, now, "published", said, detail=detail, versioned=False)
        freshness.changed(db)


def _about_the_end(publication: Publication, ended_at: datetime) -> str:
    """What the mails that say it ended are found by; it may end several times."""
    return f"publication {publication.id} ended at {to_micros(ended_at)}"


def _stage_before(db: Session, incident_id: int) -> str:
    """The stage that its updates have brought it to: that of the newest which is no correction of words alone.

    Where all are, it began with the oldest: that corrects what only we had read.
    """
    original = aliased(Update)
    public = (
        select(Update.stage)
        .outerjoin(original, original.id == Update.corrects_id)
        .where(Update.incident_id == incident_id, Update.state == "published", Update.audience.in_(PUBLIC))
    )
    moved = public.where(or_(original.id.is_(None), original.stage != Update.stage))
    newest = db.scalars(moved.order_by(Update.published_at.desc(), Update.id.desc()).limit(1)).first()
    return newest or db.scalars(public.order_by(Update.published_at, Update.id).limit(1)).one()


def _take_up(db: Session, incident_id: int, ended_at: datetime) -> None:
    """Let what the incident said of components until `ended_at` hold on, as if it had never ended."""
    ended = select(ComponentSpan).where(ComponentSpan.incident_id == incident_id, ComponentSpan.ended_at == ended_at)
    newest = {span.component_id: span for span in db.scalars(ended.order_by(ComponentSpan.id))}
    for span in newest.values():
        span.ended_at = None


def _correct(db: Session, publication: Publication, about: str, now: datetime) -> int:
    """Stop the mails of its end, and write to those who may have got one; to how many."""
    leave = subscribers.everybody(db)
    came = outbox.withdraw(db, about, leave, "It is not over.", now=now)
    states = _present(db, publication.incident_id, ())
    subject, words = f"{publication.title}: {STAGES[publication.stage]}", f"Correction: {NOT_OVER_WORDS}"
    return _mail(db, [(one, leave[one]) for one in came], subject, words, states, now=now)


def tell(
    db: Session,
    subject: str,
    words: str,
    component_ids: Collection[int],
    states: Mapping[int, str],
    *,
    about: str = "",
    now: datetime,
) -> int:
    """Write to every subscriber concerned, each once; to how many. Nobody is written to while there is no page.

    `about`: by which outbox.withdraw finds the mails again.
    """
    to = subscribers.addresses(db, component_ids)
    return _mail(db, to, subject, words, states, about=about, now=now)


def _mail(
    db: Session,
    to: Iterable[tuple[str, str]],
    subject: str,
    words: str,
    states: Mapping[int, str],
    *,
    about: str = "",
    now: datetime,
) -> int:
    if not subscribers.offered():
        return 0
    page = db.execute(select(StatusPage.published, StatusPage.name)).first()
    if page is None or not page.published:
        return 0
    names = select(Component.id, Component.name).where(Component.id.in_(states)).order_by(Component.position)
    lines = [f"{name}: {STATES[states[one]]}" for one, name in db.execute(names)]
    parts = [words, "\n".join(lines)]
    subject = f"[{page.name or organisation(db).name or 'Status'}] {subject}"
    body = "\n\n".join(part for part in parts if part)
    button = "Open the status page", "/status"
    return outbox.mail_all(db, to, KIND, subject, body, button=button, about=about, now=now)


def _of(db: Session, incident_id: int) -> Publication | None:
    return db.scalars(select(Publication).where(Publication.incident_id == incident_id).with_for_update()).one_or_none()


def _moves(db: Session, update: Update) -> bool:
    """Whether its stage decides if it goes on: always, but for a correction of words alone."""
    if update.corrects_id is None:
        return True
    return db.scalar(select(Update.stage).where(Update.id == update.corrects_id)) != update.stage


def _known(db: Session, states: Mapping[int, str], incident_id: int) -> None:
    """RuleError unless every component is on the page, or has been affected by this incident before it left it."""
    if not states:
        return
    affected = select(ComponentSpan.component_id).where(ComponentSpan.incident_id == incident_id)
    usable = or_(Component.archived_at.is_(None), Component.id.in_(affected))
    if set(states) - set(db.scalars(select(Component.id).where(Component.id.in_(states), usable))):
        raise RuleError("Choose components from the list; one of these is not on the page.", field="components")


def _set_states(db: Session, incident_id: int, states: Mapping[int, str] | None, now: datetime) -> set[int]:
    """Let the incident say this of components from `now` on; every component that it says or said something of."""
    statement = select(ComponentSpan).where(ComponentSpan.incident_id == incident_id, ComponentSpan.ended_at.is_(None))
    present = {span.component_id: span for span in db.scalars(statement)}
    if states is None:
        return set(present)
    wanted = {component: state for component, state in states.items() if state != "operational"}
    for component, span in present.items():
        if wanted.get(component) == span.state:
            del wanted[component]
        else:
            span.ended_at = now
    db.flush()  # the old ones end before the new ones begin
    db.add_all(
        ComponentSpan(component_id=component, incident_id=incident_id, state=state, began_at=now)
        for component, state in wanted.items()
    )
    return present.keys() | states.keys()


def _present(db: Session, incident_id: int, component_ids: Collection[int]) -> dict[int, str]:
    """How the incident leaves these components."""
    statement = select(ComponentSpan.component_id, ComponentSpan.state).where(
        ComponentSpan.incident_id == incident_id, ComponentSpan.ended_at.is_(None)
    )
    return dict.fromkeys(component_ids, "operational") | {one: state for one, state in db.execute(statement)}
