"""When a message that could not be sent is tried again, and when it is given up."""

import hashlib
from datetime import datetime, timedelta

FIRST = 15.0
"""seconds after the first attempt; doubled with every further one"""
LONGEST = 900.0
JITTER = 0.2
"""part of the delay by which it varies, so that many messages do not come back at one moment"""
PAGES_LAST = timedelta(hours=6)
"""A page that could not be sent for so long helps nobody any more."""
OTHERS_LAST = timedelta(hours=24)
FEWEST_ATTEMPTS = 3
"""made in any case: after an outage of our own, too, each message has its chance"""
LONGEST_WISH = 3600.0
"""seconds; a target that asks for more (Retry-After) is asked again after this"""


def delay(attempts: int, key: str, wished: float | None = None) -> timedelta:
    """How long to wait after `attempts` (1 or more) failed: the same for the same message, unlike that of others.

    `wished` is what the target asked for, in seconds.
    """
    if attempts < 1:
        raise ValueError("Nothing has been tried yet.")
    plain = min(FIRST * 2.0 ** min(attempts - 1, 20), LONGEST)
    drawn = int.from_bytes(hashlib.sha256(f"{key}:{attempts}".encode()).digest()[:8], "big") / 2**64
    seconds = plain * (1 + JITTER * (2 * drawn - 1))
    return timedelta(seconds=max(seconds, min(wished or 0.0, LONGEST_WISH)))


def is_given_up(attempts: int, wanted_at: datetime, next_at: datetime, *, page: bool) -> bool:
    """True when the next attempt, at `next_at`, would come too late for a message that was to go at `wanted_at`."""
    return attempts >= FEWEST_ATTEMPTS and next_at - wanted_at > (PAGES_LAST if page else OTHERS_LAST)
