"""Whether a connection to PostgreSQL that waited in the pool still lives.

To ask the server costs as much as one of our queries, at every transaction. A server that has stopped, restarted or
ended a connection has told it so: its socket has something to read, where one that waits has nothing. Only what a
network forgets in silence says nothing; it forgets what was quiet for long. So the server is asked where either may be.
"""

import selectors
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

QUIET_SECONDS = 10.0
"""How long a connection may have waited and is still taken for a living one."""
_SINCE = "waits since"


def watch(engine: Engine) -> None:
    """Let no transaction begin on a connection that is lost: all that are older are replaced by new ones."""
    event.listen(engine, "checkin", _waits)
    event.listen(engine, "checkout", lambda connection, record, _proxy: _look(engine, connection, record))


def _waits(_connection: Any, record: Any) -> None:
    record.info[_SINCE] = time.monotonic()


def _look(engine: Engine, connection: Any, record: Any) -> None:
    since = record.info.get(_SINCE)
    if since is None:  # it was opened just now
        return
    if time.monotonic() - since < QUIET_SECONDS and not _says_something(connection):
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise InvalidatePoolError from None


def _says_something(connection: Any) -> bool:
    """True when the server has sent what nobody asked for, or has closed the connection."""
    if connection.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))
