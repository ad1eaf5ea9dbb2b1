"""What the sample hospital learned: the postmortem of its last major incident, one in review, drafts, others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db.commands import postmortem_actions, postmortems, published_postmortems
from db.demo.organisation import Organisation
from db.models import Incident, Postmortem, PostmortemVersion, Publication
from rules.access import Actor
from rules.postmortems import DRAFT

DRAFTS = 2
"""the newest, which nobody has had time for"""
_DAY = timedelta(days=1)
MAJOR = {
    "factors": "The change went live on both nodes at once\nThe test system has one node, so it could not show it\n"
    "No alarm looks at how long people wait\nThe way back was written down for one node alone",
    "went_well": "The wards changed to paper within ten minutes, and every ward knew its runner.\n\n"
    "One person led, one wrote. Nobody asked twice who does what.",
    "went_badly": "The first call came from a ward, **not** from monitoring.\n\nTwo of us rolled back the same node.",
    "lucky": "Everybody who knows the system happened to be in the building.",
}
ACTIONS = (
    # what, due so many days after it was written, and what became of it
    ("Alarm when a request waits for longer than two minutes", 6, "verified"),
    ("Write the way back down for both nodes", 5, "done"),
    ("Give the test system a second node", 10, "open"),
)
REVIEW = {
    "factors": "What failed had no spare\nIts alarm went to somebody who has left",
    "went_well": "The desk saw after the second call that it was one thing, and told the wards.",
    "went_badly": "Nobody knew who may restart it at night.",
}
PUBLIC = (
    "Why it happened, and what we change",
    "After an update our systems answered late or not at all. No data was lost.\n\nWe have added an alarm that notices "
    "it within two minutes, and from now on we test updates on a copy with two servers.",
)
SAME_AGAIN = "The weekly review looked at it: the same causes as before, and their actions are under way."


def add(db: Session, org: Organisation, now: datetime) -> None:
    """Go on with the drafts that were made when the severe incidents recovered, as people would have."""
    drafts = _drafts(db)
    major = next(((one, incident) for one, incident in drafts if incident.major), None)
    if major is not None and major[0].made_at + 4 * _DAY < now:
        _published(db, org, *major, now)
    rest = [(one, incident) for one, incident in drafts if major is None or one is not major[0]][DRAFTS:]
    for place, (one, incident) in enumerate(rest):
        writer, other = _people(org, one, incident)
        looked = max(one.made_at + 3 * _DAY, incident.changed_at)
        if looked > now:
            continue
        if place == 0:
            later = one.made_at + 2 * _DAY
            _write(db, one, REVIEW, writer, later)
            on = (later + 21 * _DAY).date()
            postmortem_actions.add(
                db, one.id, "Find the alarms that go to people who have left", writer.id, on, actor=writer, now=later
            )
            postmortems.send(db, one.id, one.version, actor=writer, now=later + timedelta(hours=1))
        else:
            postmortems.discard(db, one.id, SAME_AGAIN, actor=other, now=looked)


def _drafts(db: Session) -> Sequence[tuple[Postmortem, Incident]]:
    found = (
        select(Postmortem, Incident)
        .join(Incident, Incident.id == Postmortem.incident_id)
        .where(Postmortem.state == DRAFT, Incident.restricted.is_(False))
        .order_by(Postmortem.made_at.desc(), Postmortem.id.desc())
    )
    return [(one, incident) for one, incident in db.execute(found)]


def _people(org: Organisation, one: Postmortem, incident: Incident) -> tuple[Actor, Actor]:
    """Who writes it, and who reads it after them."""
    leads = org.with_role("lead")
    by_id = {actor.id: actor for actor in org.actors.values() if actor.has("responder", "lead", "desk")}
    writer = by_id.get(one.owner_id or 0) or by_id.get(incident.assignee_id or 0) or leads[0]
    return writer, next(lead for lead in leads if lead.id != writer.id)


def _published(db: Session, org: Organisation, one: Postmortem, incident: Incident, now: datetime) -> None:
    writer, reviewer = _people(org, one, incident)
    written = one.made_at + _DAY
    _write(db, one, MAJOR, writer, written)
    made = []
    for text, days, became in ACTIONS:
        doer = writer if became == "open" else reviewer
        due = (written + days * _DAY).date()
        made.append((postmortem_actions.add(db, one.id, text, doer.id, due, actor=writer, now=written), doer, became))
    postmortems.send(db, one.id, one.version, actor=writer, now=written + timedelta(hours=2))
    postmortems.publish(db, one.id, one.version, actor=reviewer, now=written + _DAY)
    done = written + 2 * _DAY
    for action, doer, became in made:
        if became != "open":
            postmortem_actions.finish(db, action, 1, actor=doer, now=done)
    if db.scalar(select(exists().where(Publication.incident_id == incident.id))):
        told = written + 2 * _DAY
        published_postmortems.publish(db, one.id, None, *PUBLIC, actor=reviewer, now=told)
    for action, _doer, became in made:
        if became == "verified" and done + _DAY < now:
            seen = "It rang in a drill after 120 s, and once for real the night after."
            postmortem_actions.verify(db, action, 2, seen, actor=writer, now=done + _DAY)


def _write(db: Session, one: Postmortem, words: dict[str, str], writer: Actor, now: datetime) -> None:
    kept = db.get_one(PostmortemVersion, (one.id, one.version))
    given: dict[str, Any] = postmortems.words_of(kept) | words
    postmortems.save(db, one.id, one.version, given, actor=writer, now=now)
