"""Signing in and out. Passwords are checked outside of transactions: hashing is slow on purpose."""

import secrets
import threading
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.commands.throttle import Throttled, key
from db.engine import reading, writing
from db.models import Person, SignInSession, Throttle
from db.queries.sessions import ABSOLUTE_LIMIT, SEEN_EVERY, hashed
from rules.errors import RuleError

REFUSED = "The e-mail address and the password do not belong together. Check both, or ask an administrator."
FREE_FAILURES = 5
FREE_FAILURES_OF_AN_ADDRESS = 20
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)
LONGEST_PASSWORD = 256
_AGENT_LIMIT = 300

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id; OWASP ASVS 5.0, appendix C"""
_at_once = threading.BoundedSemaphore(4)
_nobody = hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """The argon2id hash to keep; a few at a time, so that memory stays bounded."""
    with _at_once:
        return hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one hashed; as slow when there is none."""
    with _at_once:
        try:
            return hasher.verify(password_hash or _nobody, password) and password_hash is not None
        except (Argon2Error, InvalidHashError):
            return False


def sign_in(
    email: str, password: str, *, address: str, user_agent: str, now: datetime, engine: Engine | None = None
) -> str:
    """The token of a new session. RuleError, always the same, when it is refused; Throttled after many failures."""
    email = " ".join(email.replace("\0", "").split()).lower()[:254]
    account, origin = key("account", email), key("address", address)
    with writing(engine) as db:
        # Counted before the password is looked at, so that a thousand guesses at once are a thousand counted ones.
        _count_attempt(db, account, FREE_FAILURES, now)
        blocked_before = _count_attempt(db, origin, FREE_FAILURES_OF_AN_ADDRESS, now)
    with reading(engine) as db:
        found = db.execute(
            select(Person.id, Person.password_hash, Person.disabled_at).where(func.lower(Person.email) == email)
        ).one_or_none()
    right = matches(found.password_hash if found else None, password[: LONGEST_PASSWORD + 1])
    if found is None or not right or found.disabled_at is not None:
        raise RuleError(REFUSED)
    renewed = hash_password(password) if hasher.check_needs_rehash(found.password_hash) else None
    with writing(engine) as db:
        db.execute(delete(Throttle).where(Throttle.key == account))
        forgiven = {"failures": Throttle.failures - 1, "blocked_until": blocked_before}
        db.execute(update(Throttle).where(Throttle.key == origin).values(forgiven))
        person = db.get_one(Person, found.id)
        if renewed:
            person.password_hash = renewed
        return begin_session(db, person, user_agent=user_agent, now=now)


def begin_session(db: Session, person: Person, *, user_agent: str, now: datetime) -> str:
    """A new session of the person; the token to put into the cookie."""
    token = secrets.token_urlsafe(32)
    db.add(
        SignInSession(
            token_hash=hashed(token),
            person_id=person.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
            user_agent=user_agent[:_AGENT_LIMIT],
        )
    )
    return token


def mark_seen(db: Session, token: str, now: datetime) -> None:
    """Write down that the session is in use; at most once every few minutes."""
    db.execute(
        update(SignInSession)
        .where(
            SignInSession.token_hash == hashed(token),
            SignInSession.ended_at.is_(None),
            SignInSession.last_seen_at < now - SEEN_EVERY,
        )
        .values(last_seen_at=now)
    )


def sign_out(db: Session, token: str, now: datetime) -> None:
    """End the session: every open tab of it is refused at its next action."""
    db.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == hashed(token), SignInSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_sessions(db: Session, person_id: int, now: datetime, *, except_token: str | None = None) -> None:
    """End all sessions of a person, but for the one of `except_token`."""
    statement = update(SignInSession).where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
    if except_token is not None:
        statement = statement.where(SignInSession.token_hash != hashed(except_token))
    db.execute(statement.values(ended_at=now))


def end_session(db: Session, person_id: int, session_id: int, now: datetime) -> None:
    """End one session of the person."""
    db.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.person_id == person_id)
        .values(ended_at=now)
    )


def _count_attempt(db: Session, counted: str, free: int, now: datetime) -> datetime | None:
    """Count one more attempt; what `blocked_until` was before it. Throttled while it is too early for another."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(Throttle).values(key=counted, failures=0, last_failure_at=now).on_conflict_do_nothing())
    kept = db.get_one(Throttle, counted, with_for_update=True)
    before = kept.blocked_until
    if before is not None and before > now:
        raise Throttled(before - now)
    kept.failures = 1 if now - kept.last_failure_at > FORGOTTEN_AFTER else kept.failures + 1
    kept.last_failure_at = now
    over = kept.failures - free
    if over >= 0:
        kept.blocked_until = now + min(timedelta(seconds=2 ** min(over, 20)), LONGEST_WAIT)
    return before
