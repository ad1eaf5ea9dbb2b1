"""Tokens of programs, for administrators and for the door."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from db.models import ApiToken, Instant, Person
from rules import access, tokens
from rules.access import Actor

USED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a token was used last."""
MOST = 500


@dataclass(frozen=True)
class Row:
    id: int
    name: str
    ending: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Holder:
    """A program at the door."""

    token_id: int
    actor: Actor
    note: bool
    """it is time to write down that the token is in use"""


_BY_HASH = (
    select(ApiToken.id, ApiToken.person_id, Person.name, ApiToken.scopes, ApiToken.last_used_at)
    .join(Person, Person.id == ApiToken.person_id)
    .where(
        ApiToken.token_hash == bindparam("token_hash"),
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > bindparam("now", type_=Instant)),
    )
)


def holder(db: Session, token_hash: bytes, now: datetime) -> Holder | None:
    """The program whose token has this hash; None when there is none, or it has expired or was revoked."""
    row = db.execute(_BY_HASH, {"token_hash": token_hash, "now": now}).one_or_none()
    if row is None:
        return None
    token_id, person_id, name, scopes, used = row
    actor = Actor(person_id, name, tokens.roles(scopes), only=tokens.actions(scopes))
    return Holder(token_id, actor, used is None or now - used >= USED_EVERY)


def rows(db: Session, actor: Actor, *, revoked: bool = False) -> list[Row]:
    """The living tokens by name, expired ones included, or those that were revoked, the last of them first."""
    access.check(actor, "tokens")
    gone = ApiToken.revoked_at.is_not(None) if revoked else ApiToken.revoked_at.is_(None)
    statement = (
        select(
            ApiToken.id,
            ApiToken.name,
            ApiToken.ending,
            ApiToken.scopes,
            ApiToken.created_at,
            Person.name,
            ApiToken.expires_at,
            ApiToken.last_used_at,
            ApiToken.revoked_at,
        )
        .outerjoin(Person, Person.id == ApiToken.created_by_id)
        .where(gone)
        .order_by(*([ApiToken.revoked_at.desc()] if revoked else []), func.lower(ApiToken.name), ApiToken.id)
        .limit(MOST)
    )
    return [Row(row[0], row[1], row[2], tuple(row[3]), *row[4:]) for row in db.execute(statement)]
