"""What time does: a thread that looks every two seconds for what has fallen due."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.commands import escalation, heartbeats
from db.engine import DatabaseProblem, writing
from worker import (
    alerts,
    facts,
    handoffs,
    history,
    maintenance,
    outbox,
    policies,
    postmortems,
    reports,
    status_page,
    tidying,
    timers,
)
from worker.senders import SENDERS, Sender

EVERY_SECONDS = 2.0
TIDY_EVERY_SECONDS = 3600.0
WATCH_EVERY_SECONDS = 300.0
BEAT_EVERY_SECONDS = 15.0
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
        self._alerts = alerts.Watch()
        self._packer = facts.Packer()
        self._reports = reports.Rounds()
        self._failures = 0
        self._broom = tidying.Broom()
        self._tidied: float | None = None
        self._beat_at: float | None = None
        self._before: datetime | None = None
        self.name = f"{socket.gethostname()[:80]}:{os.getpid()}:{id(self) % 100_000}"
        self._watched: float | None = None

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
            self._leave()

    @property
    def alive(self) -> bool:
        """False once its thread has ended."""
        return self._thread.is_alive()

    def turn(self) -> float:
        """Do what is due now; the seconds to wait until the next turn. Never raises: a worker that died is worse."""
        try:
            self._watch_the_clock()
            maintenance.tick(self._clock(), self._engine)
            status_page.tick(self._clock(), self._engine)
            fired = timers.tick(self._clock(), self._engine)
            handoffs.tick(self._clock(), self._engine)
            self._post.turn()
            self._beat()
            more = policies.tick(self._clock(), self._engine)
            self._alerts.tick(self._clock(), self._engine)
            history.tick(self._clock(), self._engine)
            more = self._packer.tick(self._clock(), self._engine) or more
            more = self._reports.tick(self._clock(), self._engine) or more
            self._watch()
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

    def _watch_the_clock(self) -> None:
        """A clock that was set back, perhaps before this worker began, has left steps too far ahead."""
        now = self._clock()
        if self._before is None or now < self._before:
            with writing(self._engine) as db:
                escalation.mend_times(db, now)
        self._before = now

    def _beat(self) -> None:
        if self._beat_at is not None and time.monotonic() - self._beat_at < BEAT_EVERY_SECONDS:
            return
        with writing(self._engine) as db:
            heartbeats.beat(db, self.name, self._clock())
        self._beat_at = time.monotonic()

    def _leave(self) -> None:
        """Not be missed after ending as asked; what cannot be said is forgotten in time."""
        if not self._stopping.is_set() or self._beat_at is None:
            return
        try:
            with writing(self._engine) as db:
                heartbeats.end(db, self.name)
        except (DatabaseProblem, DBAPIError):
            log.warning("The worker ends without saying so: the database cannot be used.")

    def _watch(self) -> None:
        """Look ahead on the schedules, and for what is overdue by days, every few minutes."""
        if self._watched is None or time.monotonic() - self._watched >= WATCH_EVERY_SECONDS:
            handoffs.look_ahead(self._clock(), self._engine)
            postmortems.tick(self._clock(), self._engine)
            self._watched = time.monotonic()

    def _tidy(self) -> None:
        if self._tidied is not None and time.monotonic() - self._tidied < TIDY_EVERY_SECONDS:
            return
        if not self._broom.sweep(self._clock(), self._engine):
            self._tidied = time.monotonic()

    def _say(self, error: Exception, wait: float) -> None:
        """One sentence for a database that fails, once per outage; the whole trace for anything else."""
        if not isinstance(error, (DatabaseProblem, DBAPIError)):
            log.error("The worker failed and tries again in %.0f s.", wait, exc_info=error)
        elif self._failures == 1:
            sentence = error.sentence if isinstance(error, DatabaseProblem) else str(error.orig).splitlines()[0]
            log.warning("The worker waits for the database and tries again: %s", sentence)


def tick(now: datetime, engine: Engine | None = None, senders: Mapping[str, Sender] = SENDERS) -> None:
    """Everything that is due at `now`, once and in order, as one worker would do it, and until all of it is sent."""
    maintenance.tick(now, engine)
    while timers.tick(now, engine) >= timers.MOST:
        pass
    handoffs.tick(now, engine)
    postmortems.tick(now, engine)
    alerts.Watch().tick(now, engine)
    rounds = reports.Rounds()
    while rounds.tick(now, engine):
        pass
    outbox.tick(now, engine, senders)
    while policies.tick(now, engine):
        pass
    history.tick(now, engine)
    while facts.Packer().tick(now, engine):
        pass


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


def healthy() -> bool:
    """False when a worker that start() began in this process has died without being asked to end."""
    return all(running.alive for running in _running)
