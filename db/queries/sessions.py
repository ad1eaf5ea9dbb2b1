"""Who is signed in, asked of the database on every call."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Person, PersonRole, SignInSession, TeamMember
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


def actor_of(db: Session, token: str, now: datetime) -> Actor | None:
    """Who holds the token; None when the session has ended or expired, or the person is disabled."""
    row = db.execute(
        select(Person.id, Person.name, Person.zone, Person.email)
        .join(SignInSession, SignInSession.person_id == Person.id)
        .where(
            SignInSession.token_hash == hashed(token),
            SignInSession.ended_at.is_(None),
            SignInSession.expires_at > now,
            SignInSession.last_seen_at > now - IDLE_LIMIT,
            Person.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else actor(db, row.id, row.name, row.zone, row.email)


def actor(db: Session, person_id: int, name: str, zone: str = "UTC", email: str | None = None) -> Actor:
    """The person with their roles and teams; everyone is a reporter."""
    roles = db.execute(select(PersonRole.role).where(PersonRole.person_id == person_id)).scalars()
    teams = db.execute(select(TeamMember.team_id).where(TeamMember.person_id == person_id)).scalars()
    return Actor(person_id, name, frozenset({"reporter", *roles}), frozenset(teams), zone, email)


def to_be_marked(db: Session, token: str, now: datetime) -> bool:
    """True when it is time to write down that the session is in use."""
    seen = db.execute(
        select(SignInSession.last_seen_at).where(
            SignInSession.token_hash == hashed(token), SignInSession.ended_at.is_(None)
        )
    ).scalar()
    return seen is not None and now - seen > SEEN_EVERY


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
