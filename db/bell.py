"""The bell: whoever has an incident open hears of a change as soon as it is committed, in whichever process.

Nobody asks the database again and again for each who looks on. Every transaction notes which incidents it touched. On
PostgreSQL it notifies all processes as it commits; on SQLite it wakes this process's ear itself, and what other
processes wrote is seen by the file's data_version. The ear, one thread per process while anybody listens, then reads
what changed once, for all of them.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from db.models import Incident

log = logging.getLogger(__name__)
CHANNEL = "incident_desk"
LOOKS_EVERY = 0.25
"""seconds between two looks at what other processes wrote into the SQLite file"""
TRIES_AGAIN = 1.0
MOST_NAMED = 200
"""incidents in one notification; of more it says only that there were many"""
_TOUCHED = "touched incidents"
_EVERYTHING = "*"

Ring = Callable[[Any], None]
Read = Callable[[Session, Collection[int]], Mapping[int, Any]]
"""what is to be told of incidents, by id"""


@event.listens_for(Session, "after_flush")
def _note(db: Session, _context: Any) -> None:
    touched = {
        each.id if isinstance(each, Incident) else getattr(each, "incident_id", None)
        for each in (*db.new, *db.dirty, *db.deleted)
    } - {None}
    if touched:
        db.info.setdefault(_TOUCHED, set()).update(touched)


def before_commit(db: Session) -> set[int]:
    """Let the other processes know with the commit; gives the incidents that this transaction touched."""
    db.flush()
    touched: set[int] = db.info.pop(_TOUCHED, set())
    if touched and db.get_bind().dialect.name == "postgresql":
        named = " ".join(map(str, sorted(touched))) if len(touched) <= MOST_NAMED else _EVERYTHING
        db.execute(text("select pg_notify(:channel, :named)"), {"channel": CHANNEL, "named": named})
    return touched


class Bell:
    """What of one database is listened to in this process. Any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._listening: dict[int, list[Ring]] = {}
        self._ear: threading.Thread | None = None
        self._rung: set[int] = set()
        self._wake = threading.Event()
        self.read: Read = lambda _db, ids: dict.fromkeys(ids)

    @contextmanager
    def heard(self, incident_id: int, ring: Ring) -> Iterator[None]:
        """Call `ring` from the ear's thread with what `read` gives, whenever the incident may have changed."""
        with self._guard:
            self._listening.setdefault(incident_id, []).append(ring)
            if self._ear is None:
                self._ear = threading.Thread(target=self._listen, name="bell", daemon=True)
                self._ear.start()
        try:
            yield
        finally:
            with self._guard:
                rings = self._listening[incident_id]
                rings.remove(ring)
                if not rings:
                    del self._listening[incident_id]
            self._wake.set()

    def ring(self, touched: Collection[int]) -> None:
        """Something of these incidents was committed in this process, or nothing was but it is to be told anew."""
        if self._listening:
            with self._guard:
                self._rung.update(touched)
            self._wake.set()

    def _listen(self) -> None:
        """Until nobody listens any more. A database that does not answer is asked again, and then everything told."""
        hear = self._on_postgresql if self._engine.dialect.name == "postgresql" else self._on_sqlite
        while not self._over():
            try:
                hear()
            except Exception as error:  # noqa: BLE001 - whatever it was, those who look on must go on hearing
                log.warning("The bell waits for the database and tries again: %s", str(error).partition("\n")[0])
                self._wake.wait(TRIES_AGAIN)

    def _over(self) -> bool:
        with self._guard:
            if not self._listening:
                self._ear = None
                return True
            return False

    def _on_sqlite(self) -> None:
        connection = self._engine.raw_connection()
        try:
            cursor, seen, looked = connection.cursor(), None, 0.0
            while self._listening:
                self._wake.wait(LOOKS_EVERY)
                self._wake.clear()
                if time.monotonic() - looked < LOOKS_EVERY:
                    self._tell(everything=False)
                    continue
                version, looked = cursor.execute("pragma data_version").fetchone()[0], time.monotonic()
                self._tell(everything=version != seen)
                seen = version
        finally:
            connection.close()

    def _on_postgresql(self) -> None:
        connection = self._engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.detach()  # it stays with the ear, and none of the pool is missing
        try:
            driver.autocommit = True
            driver.execute(f"listen {CHANNEL}")
            self._tell(everything=True)
            while self._listening:
                for told in driver.notifies(timeout=LOOKS_EVERY, stop_after=1):
                    if told.payload == _EVERYTHING:
                        self._tell(everything=True)
                    else:
                        with self._guard:
                            self._rung.update(map(int, told.payload.split()))
                self._tell(everything=False)
        finally:
            driver.close()

    def _tell(self, *, everything: bool) -> None:
        """Read once what those incidents say that somebody listens to and that rang, and tell it to all who listen."""
        with self._guard:
            rung, self._rung = self._rung, set()
            ids = set(self._listening) if everything else rung & self._listening.keys()
        if not ids:
            return
        with self._engine.connect() as connection, Session(bind=connection) as db:
            news = self.read(db, ids)
        with self._guard:
            calls = [(ring, news[each]) for each in ids & news.keys() for ring in self._listening.get(each, ())]
        for ring, said in calls:
            ring(said)
