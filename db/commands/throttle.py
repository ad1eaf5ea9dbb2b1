"""Slowing down whoever asks too often. Counted in the database, so that every replica counts the same."""

import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.models import Throttle
from db.settings import settings
from rules.errors import RuleError
from rules.priority import span

_HOUSEHOLD = 64
"""bits of an IPv6 address that one customer's line shares"""


class Throttled(RuleError):
    """Too many of `what`; `wait` says for how long."""

    def __init__(self, wait: timedelta, what: str = "attempts") -> None:
        super().__init__(f"There were too many {what}. Try again in {_words(wait)}.")
        self.wait = wait


def _words(wait: timedelta) -> str:
    seconds = max(1, round(wait.total_seconds()))
    return f"{seconds} seconds" if seconds < 60 else span(seconds)


def key(kind: str, value: str) -> str:
    """Under which `value` is counted: a keyed hash, so that the table holds no addresses."""
    return f"{kind}:{hmac.new(settings().secret(), value.encode(), hashlib.sha256).hexdigest()[:64]}"


def line_of(address: str) -> str:
    """The address, or the part of an IPv6 address that stands for one line."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(IPv6Network((found, _HOUSEHOLD), strict=False)) if isinstance(found, IPv6Address) else str(found)


def count(db: Session, counted: str, most: int, within: timedelta, what: str, now: datetime) -> None:
    """Count one of `what` under the key `counted`; Throttled when there were `most` of them in this span already."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(Throttle).values(key=counted, failures=0, last_failure_at=now).on_conflict_do_nothing())
    kept = db.get_one(Throttle, counted, with_for_update=True, populate_existing=True)
    if now - kept.last_failure_at >= within:
        kept.failures, kept.last_failure_at = 0, now
    if kept.failures >= most:
        raise Throttled(kept.last_failure_at + within - now, what)
    kept.failures += 1
