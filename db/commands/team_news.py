"""What a team as a whole reads in its channels: that an incident came to it, who is asked, and what becomes of it.

As pagers do in a chat: given, paged, unanswered, taken, major, resolved, reopened, ended. What happens in one moment
is one message. Who reads a channel is not known, so of a restricted incident nothing is told but that it waits.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.commands import outbox
from db.models import Incident
from rules.access import Actor

WORDS = {
    "accept": "is yours",
    "assign": "is yours",
    "escalate": "is yours",
    "page": "pages",
    "escalation": "unanswered",
    "acknowledge": "taken",
    "major": "is major",
    "minor": "no longer major",
    "resolve": "resolved",
    "reject": "not fixed",
    "reopen": "reopened",
    "cancel": "cancelled",
    "merge": "merged",
    "unmerge": "open again",
    "undo": "changed back",
    "handover": "handed over",
}
"""kind of the message -> what its subject says; what is absent is not told"""
_COMES = frozenset({"accept", "assign", "escalate", "undo"})
"""actions by which it can come to another team"""
_ALWAYS = frozenset({"acknowledge", "resolve", "reject", "reopen", "cancel", "merge", "unmerge"})
_WAITS = frozenset({*_COMES, "page", "escalation", "reject", "reopen"})
"""somebody of the team is needed: told of a restricted incident too, without its words"""


def changed(
    db: Session,
    incident: Incident,
    kind: str,
    before: Mapping[str, Any],
    told: str,
    detail: str = "",
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Tell a change that was just written; `before` holds what the changed fields were, `told` what the timeline says.

    A team that gives an incident away reads that too. What nobody has looked at is no team's yet, unless monitoring
    found it for one.
    """
    was_state, was_team = before.get("state", incident.state), before.get("team_id", incident.team_id)
    if was_state == "new" and incident.state in ("new", "cancelled") and incident.source != "alert":
        return
    if "major" in before and before["major"] != incident.major:
        what = "declared a major incident" if incident.major else "took back that it is a major incident"
        _say(db, incident, incident.team_id, "major" if incident.major else "minor", f"{actor.name} {what}.", now)
    moved = kind in _COMES and (was_team != incident.team_id or was_state == "new")
    body = f"{actor.name} {told}.\n{detail}".strip()
    if moved or kind in _ALWAYS or (kind == "undo" and was_state != incident.state):
        _say(db, incident, incident.team_id, kind, body, now)
    if moved and was_team != incident.team_id and was_state != "new":
        _say(db, incident, was_team, "handover", body, now)


def paged(db: Session, incident: Incident, told: str, now: datetime) -> None:
    """Tell who is asked to answer for it, or that a step reached nobody."""
    _say(db, incident, incident.team_id, "page", f"{told[:1].upper()}{told[1:]}.", now)


def unanswered(db: Session, incident: Incident, words: str, now: datetime) -> None:
    """Tell that its escalation has run out, or that it has none."""
    _say(db, incident, incident.team_id, "escalation", words, now)


def _say(db: Session, incident: Incident, team_id: int | None, kind: str, body: str, now: datetime) -> None:
    if team_id is None or (incident.restricted and kind not in _WAITS):
        return
    level = f" P{incident.priority}" if incident.priority is not None else ""
    subject = f"{incident.number}{level} {WORDS[kind]}: {incident.title}"
    outbox.announce(db, team_id, kind, subject, body, incident=incident, now=now)
