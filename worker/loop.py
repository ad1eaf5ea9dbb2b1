"""What time does: a thread that looks every two seconds for what has fallen due."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.commands import housekeeping
from db.engine import DatabaseProblem, writing
from worker import history, maintenance, outbox, policies, timers

EVERY_SECONDS = 2.0
TIDY_EVERY_SECONDS = 3600.0
LONGEST_WAIT_SECONDS = 60.0

log = logging.getLogger(__name__)


class Loop:
    """One running worker. Several at once, in one process or many, do not disturb each other."""

    def __init__(self, engine: Engine | None = None, clock: Callable[[], datetime] | None = None) -> None:
        self._engine = engine
        self._clock = clock or (lambda: datetime.now(UTC))
        self._stopping = threading.Event()
        self._post = outbox.Post(engine, self._clock)
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)
        self._failures = 0
        self._tidied: float | None = None

    def start(self) -> "Loop":
        """Run in a thread of its own."""
        self._thread.start()
        return self

    def wait(self) -> None:
        """Until it has ended."""
        while self._thread.is_alive():
            self._thread.join(1.0)

    def stop(self, timeout: float = 10.0) -> bool:
        """Let it end after the turn it is in, and wait for that; True when it has ended."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Work until stopped."""
        try:
            while not self._stopping.is_set():
                self._stopping.wait(self.turn())
        finally:
            self._post.stop()

    def turn(self) -> float:
        """Do what is due now; the seconds to wait until the next turn. Never raises: a worker that died is worse."""
        try:
            maintenance.tick(self._clock(), self._engine)
            fired = timers.tick(self._clock(), self._engine)
            self._post.turn()
            more = policies.tick(self._clock(), self._engine)
            history.tick(self._clock(), self._engine)
            self._tidy()
        except Exception as error:  # noqa: BLE001 - said by _say; the thread must live on
            self._failures += 1
            wait = min(EVERY_SECONDS * 2.0 ** min(self._failures, 10), LONGEST_WAIT_SECONDS)
            self._say(error, wait)
            return wait
        if self._failures:
            log.warning("The worker goes on: the database answers again.")
            self._failures = 0
        return 0.0 if fired >= timers.MOST or more else EVERY_SECONDS

    def _tidy(self) -> None:
        if self._tidied is not None and time.monotonic() - self._tidied < TIDY_EVERY_SECONDS:
            return
        with writing(self._engine) as db:
            housekeeping.tidy(db, self._clock())
        self._tidied = time.monotonic()

    def _say(self, error: Exception, wait: float) -> None:
        """One sentence for a database that fails, once per outage; the whole trace for anything else."""
        if not isinstance(error, (DatabaseProblem, DBAPIError)):
            log.error("The worker failed and tries again in %.0f s.", wait, exc_info=error)
        elif self._failures == 1:
            sentence = error.sentence if isinstance(error, DatabaseProblem) else str(error.orig).splitlines()[0]
            log.warning("The worker waits for the database and tries again: %s", sentence)


_running: list[Loop] = []


def start(engine: Engine | None = None) -> Loop:
    """Start a worker in a daemon thread; call stop() before the process ends."""
    running = Loop(engine).start()
    _running.append(running)
    return running


def stop() -> None:
    """Let every worker that start() began in this process end."""
    while _running:
        _running.pop().stop()
