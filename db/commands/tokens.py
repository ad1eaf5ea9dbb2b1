"""Tokens of programs: made, ended, and noted when they are used."""

import secrets
import string
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import ApiToken, Person
from db.queries.sessions import hashed
from db.queries.tokens import USED_EVERY
from rules import access, text, tokens
from rules.access import SYSTEM, Actor, NotFound
from rules.errors import RuleError

LONGEST = timedelta(days=3660)
_LETTERS = string.ascii_letters + string.digits
_TAKEN = "There is a token with this name already. Choose another name, or revoke that one first."


def add(
    db: Session,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A token and its secret, which is shown only now. RuleError with `fields`: name, scopes, expires_at."""
    access.check(actor, "tokens")
    wrong: dict[str, str] = {}
    checked: list[str] = []
    try:
        name = text.line(name, "name", tokens.NAME_LIMIT, required="Give the token a name.")
        if db.scalar(_living(name)) is not None:
            wrong["name"] = _TAKEN
    except RuleError as error:
        wrong |= error.fields
    try:
        checked = tokens.checked(scopes)
    except RuleError as error:
        wrong |= error.fields
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        wrong["expires_at"] = "Choose an end that is still to come, within ten years."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    # Whoever cannot sign in is told nothing, and is nobody that work is given to.
    program = Person(name=tokens.name_of(name), created_at=now, disabled_at=now)
    db.add(program)
    db.flush()
    secret = tokens.PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(tokens.LENGTH))
    made = ApiToken(
        name=name,
        person_id=program.id,
        token_hash=hashed(secret),
        ending=secret[-4:],
        scopes=checked,
        created_at=now,
        created_by_id=None if actor is SYSTEM else actor.id,
        expires_at=expires_at,
    )
    try:
        with db.begin_nested():
            db.add(made)
    except IntegrityError:  # two at once
        raise RuleError(_TAKEN, field="name") from None
    told = {"scopes": checked, "ending": made.ending, "expires_at": expires_at.isoformat() if expires_at else None}
    audit.record(db, actor, now, "token made", name, after=told)
    return made, secret


def revoke(db: Session, token_id: int, *, actor: Actor, now: datetime) -> None:
    """Nothing more is taken with it. What it did keeps its name."""
    access.check(actor, "tokens")
    found = db.get(ApiToken, token_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such token.")
    if found.revoked_at is None:
        found.revoked_at = now
        audit.record(db, actor, now, "token revoked", found.name, before={"ending": found.ending})


def revoke_named(db: Session, name: str, *, actor: Actor, now: datetime) -> None:
    """The same for the living token of this name. NotFound when there is none."""
    token_id = db.scalar(_living(text.line(name, "name", tokens.NAME_LIMIT)))
    if token_id is None:
        raise NotFound("There is no living token with this name. See python -m db token list.")
    revoke(db, token_id, actor=actor, now=now)


def used(db: Session, token_id: int, now: datetime) -> None:
    """Note that it is in use, at most once in USED_EVERY however many ask at once."""
    long_ago = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USED_EVERY)
    db.execute(update(ApiToken).where(ApiToken.id == token_id, long_ago).values(last_used_at=now))


def _living(name: str) -> Select[int]:
    return select(ApiToken.id).where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
