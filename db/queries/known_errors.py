"""Known errors shown where they help: to reporters while they type, in triage, and in the room of an incident."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.models import Deflection, IncidentLink, Problem, Service
from db.queries.incidents import Detail
from db.queries.problems import open_to
from db.queries.text_search import words_of
from rules import access
from rules.access import Actor
from rules.problems import OPEN

MOST = 300
"""problems that are looked through, the newest: an organisation has some dozens that are open"""
_ENOUGH = 0.5
"""the part of the typed words that must be found"""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Help:
    """A known error in the words for reporters."""

    id: int
    title: str
    words: str
    service: str | None


@dataclass(frozen=True)
class Known:
    """A problem as those who work on an incident read it."""

    id: int
    number: str
    state: str
    title: str
    cause: str
    workaround: str
    fix: str
    public: bool
    """reporters read a workaround"""
    service_id: int | None
    category_pair_id: int | None


def for_reporters(db: Session, typed: str, service_id: int | None, limit: int = 2) -> list[Help]:
    """Known errors with words for reporters that are like what is `typed`, or of the service; restricted ones never.

    Like it: at least half of the meaningful words begin a word of its title or of those words.
    """
    wanted = words_of(typed, meaningful=True)
    if not wanted and service_id is None:
        return []
    found = (
        select(Problem.id, Problem.title, Problem.public_words, Service.name, Problem.service_id)
        .outerjoin(Service, Service.id == Problem.service_id)
        .where(Problem.state == "known_error", Problem.restricted.is_(False), Problem.public_words != "")
        .order_by(Problem.changed_at.desc(), Problem.id.desc())
        .limit(MOST)
    )
    scored = []
    for row in db.execute(found):
        share = _share(wanted, f"{row.title} {row.public_words}")
        same = service_id is not None and row.service_id == service_id
        if share >= _ENOUGH or same:
            scored.append((share, same, Help(*row[:4])))
    scored.sort(key=lambda each: (-each[0], not each[1]))
    return [help_ for _, _, help_ in scored[:limit]]


def helped(db: Session, actor: Actor, token: str) -> str | None:
    """The title of the known error that helped instead of the report of this token (a hash), if one did."""
    mine = Deflection.person_id.is_(None) if actor.anonymous else Deflection.person_id == actor.id
    title = select(Problem.title).join(Deflection, Deflection.problem_id == Problem.id)
    return db.scalar(title.where(Deflection.token == token, mine))


def of_incident(db: Session, actor: Actor, detail: Detail) -> list[Known]:
    """The problems that an incident is linked with and that are open to the actor; `detail` was read as them."""
    if not access.may(actor, "problems"):
        return []
    linked = select(IncidentLink.problem_id).where(
        IncidentLink.incident_id == detail.line.id, IncidentLink.problem_id.is_not(None)
    )
    rows = db.execute(_known(actor).where(Problem.id.in_(linked)).order_by(Problem.id))
    return [Known(*row) for row in rows]


def like(db: Session, actor: Actor, detail: Detail, limit: int = 2) -> list[Known]:
    """Open problems that may be behind the incident, known errors first: its service and category, or its words."""
    if not access.may(actor, "problems"):
        return []
    line = detail.line
    linked = select(IncidentLink.problem_id).where(
        IncidentLink.incident_id == line.id, IncidentLink.problem_id.is_not(None)
    )
    wanted = words_of(line.title, meaningful=True)
    found = (
        _known(actor)
        .where(Problem.state.in_(sorted(OPEN)), Problem.id.not_in(linked))
        .order_by(Problem.changed_at.desc(), Problem.id.desc())
        .limit(MOST)
    )
    scored = []
    for row in db.execute(found):
        one = Known(*row)
        share = _share(wanted, f"{one.title} {one.cause} {one.workaround}")
        if share >= _ENOUGH or _same(one, detail):
            scored.append((one.state != "known_error", -share, one))
    scored.sort(key=lambda each: each[:2])
    return [one for _, _, one in scored[:limit]]


def _same(one: Known, detail: Detail) -> bool:
    """The same service and category; where the problem or the incident names only the service, that."""
    if one.service_id is None or one.service_id != detail.service_id:
        return False
    pairs = (one.category_pair_id, detail.category_pair_id)
    return None in pairs or pairs[0] == pairs[1]


def _share(wanted: list[str], text: str) -> float:
    words = _WORD.findall(text.lower())
    return sum(any(word.startswith(want) for word in words) for want in wanted) / len(wanted) if wanted else 0.0


def _known(actor: Actor) -> Select[*tuple[Any, ...]]:
    return select(
        Problem.id,
        Problem.number,
        Problem.state,
        Problem.title,
        Problem.cause,
        Problem.workaround,
        Problem.fix,
        Problem.public_words != "",
        Problem.service_id,
        Problem.category_pair_id,
    ).where(open_to(actor))
