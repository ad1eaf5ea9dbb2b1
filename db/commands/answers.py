"""The reporter's answer to 'Fixed?', and reminding them to give it."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import asking, checks, conversation, incidents, timers
from db.models import Incident
from db.queries.access import record_of
from db.queries.settings import policies
from rules import access, text
from rules.access import Actor
from rules.errors import RuleError


class Unsure(RuleError):
    """'Yes' was pressed with words beside it, which may say otherwise."""

    def __init__(self) -> None:
        super().__init__("You wrote something with your 'Yes'. Is it really fixed?", field="words")


def answer(
    db: Session,
    incident_id: int,
    version: int | None,
    fixed: bool,
    words: str,
    *,
    sure: bool = False,
    actor: Actor,
    now: datetime,
) -> Incident:
    """'Yes' or 'Not yet' of the reporter. 'Not yet' needs words and opens it again.

    Raises Unsure for a 'Yes' with words unless `sure`; they are then kept as a comment. RuleError names 'words'.
    """
    words = text.block(words, "words", checks.TEXT_LIMIT)
    if not fixed:
        if not words:
            raise RuleError("Say what is still wrong.", field="words")
        return incidents.perform(db, incident_id, version, "reject", {"reason": words}, actor=actor, now=now)
    if words and not sure:
        raise Unsure
    confirmed = incidents.perform(db, incident_id, version, "verify", actor=actor, now=now)
    if words:
        conversation.comment(db, incident_id, words, public=True, actor=actor, now=now)
    return confirmed


def remind(db: Session, incident_id: int, version: int | None, words: str, *, actor: Actor, now: datetime) -> Incident:
    """Remind the reporter now. Where they have no account, `words` say how the actor tried to reach them."""
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, "remind", record_of(db, incident))
    if not asking.waits(incident):
        raise RuleError("Nobody is asked now: only what is recovered and not yet confirmed waits for an answer.")
    words = text.block(words, "words", checks.TEXT_LIMIT)
    reached = asking.has_account(db, incident)
    if not reached and not words:
        raise RuleError("Say how you tried to reach them.", field="words")
    said = "reminded the reporter to say whether it works" if reached else "asked the reporter whether it works"
    asking.remind(db, incident, said, words, actor, now)
    timers.keep(db, incident, None, paused=False, now=now, patience=policies(db).patience)
    db.flush()
    return incident
