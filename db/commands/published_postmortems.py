"""What the public reads of a postmortem: words of their own, by choice, on the incident's page of the status page.

Nothing of the postmortem itself gets here, and only what the public knows of already can be told more of.
"""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db import freshness
from db.commands.postmortems import note, opened
from db.models import Publication, PublishedPostmortem
from db.queries.access import record_of
from rules import access
from rules import postmortems as rules
from rules.access import Actor
from rules.errors import RuleError
from rules.postmortems import PUBLISHED


def publish(
    db: Session, postmortem_id: int, version: int | None, title: str, words: str, *, actor: Actor, now: datetime
) -> None:
    """Show this on the status page, or in other words than before. `version` is of what was there; None: nothing.

    RuleError with `fields` public_title, public_text, and version when somebody else was first.
    """
    incident, found = opened(db, postmortem_id, actor)
    access.check(actor, "publish", record_of(db, incident))
    if found.state != PUBLISHED:
        raise RuleError("Publish it here first: the public reads nothing that nobody has reviewed.")
    if not db.scalar(select(exists().where(Publication.incident_id == incident.id))):
        raise RuleError("The public does not know of this incident: it is not on the status page.")
    given = rules.public(title, words)
    kept = db.get(PublishedPostmortem, found.id, with_for_update=True, populate_existing=True)
    if kept is not None and kept.version != version:
        raise RuleError("Somebody else changed what the public reads meanwhile. See it, then choose.", "version")
    if kept is not None and kept.withdrawn_at is None and (kept.title, kept.words) == given:
        return
    shown = kept is not None and kept.withdrawn_at is None
    if kept is None:
        kept = PublishedPostmortem(postmortem_id=found.id, published_at=now, version=0)
        db.add(kept)
    if not shown:
        kept.published_at = now
    kept.title, kept.words = given
    kept.withdrawn_at = None
    kept.version += 1
    told = "changed what the public reads of it" if shown else "told the public what we learned"
    note(db, incident, told, f"{kept.title}\n\n{kept.words}", actor, now)
    freshness.changed(db)


def withdraw(db: Session, postmortem_id: int, *, actor: Actor, now: datetime) -> None:
    """Take it off the status page; the words stay here."""
    incident, found = opened(db, postmortem_id, actor)
    access.check(actor, "publish", record_of(db, incident))
    kept = db.get(PublishedPostmortem, found.id, with_for_update=True, populate_existing=True)
    if kept is None or kept.withdrawn_at is not None:
        return
    kept.withdrawn_at = now
    kept.version += 1
    note(db, incident, "took what we learned off the status page", "", actor, now)
    freshness.changed(db)
