"""Open and recently closed incidents that look like what somebody is typing."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import QUEUE_AWAITING, Incident
from db.queries.access import visible
from db.queries.lines import Line, lines
from db.queries.text_index import matching
from db.queries.text_search import telling, words_of
from rules.access import SYSTEM, Actor

RECENTLY = timedelta(days=2)
_CANDIDATES = 200
_ENOUGH = 0.5
"""the part of the typed words that must be found"""


def similar(db: Session, actor: Actor, typed: str, now: datetime, limit: int = 2) -> list[Line]:
    """Incidents like `typed`, best first: open ones of the whole organisation, restricted ones left out.

    At least half of the meaningful words must begin a word of the title or of what is affected.
    """
    wanted = words_of(typed, meaningful=True)
    if not wanted:
        return []
    rare = telling(db, wanted)
    matched = matching(db, rare, every=False) if rare else matching(db, wanted)
    recent = or_(Incident.queue_group < QUEUE_AWAITING, Incident.resolved_at > now - RECENTLY)
    chosen = (
        select(Incident.id)
        .where(
            Incident.id.in_(matched),
            recent,
            Incident.queue_group <= QUEUE_AWAITING,
            Incident.restricted.is_(False),
            visible(SYSTEM),
        )
        .order_by(Incident.queue_group, Incident.reported_at.desc(), Incident.id.desc())
        .limit(_CANDIDATES)
    )
    scored = []
    for line in lines(db, chosen):
        words = words_of(f"{line.title} {line.about}")
        share = sum(any(word.startswith(want) for word in words) for want in wanted) / len(wanted)
        if share >= _ENOUGH:
            scored.append((share, line))
    scored.sort(key=lambda pair: (pair[0], pair[1].reported_at), reverse=True)
    return [line for _, line in scored[:limit]]
