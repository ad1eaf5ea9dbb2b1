"""When so many different alerts come at once that one incident for all of them serves people better than one for each.

An integration is in a storm from the moment it has brought more than `limit` new keys within a minute. A new key is one
that has no open alert. During a storm every signal is kept and counted as ever, and keys with an open alert go on as
before; a new key opens no incident of its own but joins the integration's one 'storm' incident, which pages once.
Keys that opened their incident before the limit was passed keep it. The storm ends when the count has not been past the
limit for `QUIET_SECONDS`; the storm incident stays until people or its resolved alerts end it.
"""

from datetime import datetime, timedelta

from rules.errors import RuleError

LIMIT = 100
"""New keys in a minute that an integration may bring before it is a storm; a setting."""
WINDOW_SECONDS = 60
QUIET_SECONDS = 300


def is_storm(new_keys_last_minute: int, limit: int = LIMIT) -> bool:
    """Whether so many new keys in the last `WINDOW_SECONDS` are a storm; the one just received is among them."""
    if limit < 1:
        raise RuleError("The limit of a storm is at least 1 new alert a minute.", field="limit")
    return new_keys_last_minute > limit


def ended(last_past_limit: datetime, now: datetime) -> bool:
    """Whether a storm is over: `last_past_limit` is when is_storm last said yes, renewed with every such answer."""
    return now - last_past_limit >= timedelta(seconds=QUIET_SECONDS)
