"""Many messages, one writer: those that wait while a transaction runs are committed together by the next.

A commit waits for the disk; one for all who wait is what lets many messages a second through. Each gets its answer
after the commit that holds it. What fails takes no other with it: then each is tried by itself. The places are few, so
that a flood is told to come back rather than taken and lost.
"""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime

from db.commands import intake
from db.commands.intake import Message, Result
from db.engine import DatabaseProblem, writing

PLACES = 1000
"""messages that may wait"""
TOGETHER, SIGNALS_TOGETHER = 200, 2000
"""messages and signals of one transaction, at most"""
_Waiting = tuple[Message, "Future[Result]"]


class Full(Exception):
    """So many wait that one more is not taken."""


class Intake:
    """A thread that writes what has come; started by the first message."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    async def put(self, message: Message) -> Result:
        """Wait until it is committed, or refused; raises Full, or what made it fail."""
        done: Future[Result] = Future()
        with self._news:
            if len(self._waiting) >= PLACES:
                raise Full
            self._waiting.append((message, done))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
            self._news.notify()
        return await asyncio.wrap_future(done)

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._waiting:
                    self._news.wait()
                batch = self._next()
            _write(batch)

    def _next(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        signals = len(batch[0][0].signals)
        while self._waiting and len(batch) < TOGETHER:
            signals += len(self._waiting[0][0].signals)
            if signals > SIGNALS_TOGETHER:
                break
            batch.append(self._waiting.popleft())
        return batch


def _write(batch: list[_Waiting]) -> None:
    wanted = [(message, done) for message, done in batch if done.running() or done.set_running_or_notify_cancel()]
    if not wanted:
        return
    try:
        with writing() as db:
            results = intake.take(db, [message for message, _ in wanted], datetime.now(UTC))
    except Exception as error:  # noqa: BLE001 - told to whoever sent it
        # What the database itself cannot do it cannot do for each of them either.
        if len(wanted) == 1 or isinstance(error, DatabaseProblem):
            for _, done in wanted:
                done.set_exception(error)
            return
        for one in wanted:
            _write([one])
        return
    for (_, done), result in zip(wanted, results, strict=True):
        done.set_result(result)
