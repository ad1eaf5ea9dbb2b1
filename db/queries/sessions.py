"""Who is signed in, asked of the database on every call."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import String, bindparam, cast, func, select
from sqlalchemy.orm import Session

from db.models import Instant, Person, PersonRole, SignInSession, TeamMember
from rules.access import Actor

IDLE_LIMIT = timedelta(hours=12)
ABSOLUTE_LIMIT = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)
"""How exactly it is known when somebody was last here."""


@dataclass(frozen=True)
class OpenSession:
    id: int
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    current: bool


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


_ROLES = select(func.aggregate_strings(PersonRole.role, " ")).where(PersonRole.person_id == Person.id).scalar_subquery()
_TEAMS = (
    select(func.aggregate_strings(cast(TeamMember.team_id, String), " "))
    .where(TeamMember.person_id == Person.id)
    .scalar_subquery()
)
_HOLDER = (
    select(
        Person.id,
        Person.name,
        _ROLES,
        _TEAMS,
        Person.zone,
        Person.email,
        Person.preferences,
        SignInSession.last_seen_at,
    )
    .join(SignInSession, SignInSession.person_id == Person.id)
    .where(
        SignInSession.token_hash == bindparam("token_hash"),
        SignInSession.ended_at.is_(None),
        SignInSession.expires_at > bindparam("now", type_=Instant),
        SignInSession.last_seen_at > bindparam("seen_after", type_=Instant),
        Person.disabled_at.is_(None),
    )
)


def actor_of(db: Session, token: str, now: datetime) -> Actor | None:
    """Who holds the token; None when the session has ended or expired, or the person is disabled."""
    found = holder(db, token, now)
    return found[0] if found else None


def holder(db: Session, token: str, now: datetime) -> tuple[Actor, bool] | None:
    """The same, and whether it is time to write down that the session is in use."""
    given = {"token_hash": hashed(token), "now": now, "seen_after": now - IDLE_LIMIT}
    row = db.execute(_HOLDER, given).one_or_none()
    if row is None:
        return None
    person_id, name, roles, teams, zone, email, preferences, seen = row
    held = frozenset({"reporter", *(roles or "").split()})
    actor = Actor(person_id, name, held, frozenset(map(int, (teams or "").split())), zone, email)
    if preferences and not preferences.get("keys", True):
        actor = replace(actor, keys=False)
    return actor, now - seen > SEEN_EVERY


def sessions_of(db: Session, actor: Actor, token: str, now: datetime) -> list[OpenSession]:
    """The actor's open sessions, last used first."""
    rows = db.execute(
        select(
            SignInSession.id,
            SignInSession.created_at,
            SignInSession.last_seen_at,
            SignInSession.user_agent,
            SignInSession.token_hash,
        )
        .where(
            SignInSession.person_id == actor.id,
            SignInSession.ended_at.is_(None),
            SignInSession.expires_at > now,
            SignInSession.last_seen_at > now - IDLE_LIMIT,
        )
        .order_by(SignInSession.last_seen_at.desc())
    )
    own = hashed(token)
    return [OpenSession(i, created, seen, agent, kept == own) for i, created, seen, agent, kept in rows]


def anyone(db: Session) -> bool:
    """True when there is an account that can sign in."""
    return db.execute(select(Person.id).where(Person.email.is_not(None)).limit(1)).first() is not None
