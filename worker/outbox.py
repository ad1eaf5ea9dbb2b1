"""Sends what the outbox holds: each message is leased, sent outside any transaction, and only then recorded.

So a message leaves at least once: whoever dies in between loses the lease, and the next one sends it again under the
same id. Every target has lanes of its own, so a slow one holds up nobody else.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from sqlalchemy import Engine, func, select

from db.commands import deliveries
from db.engine import DatabaseProblem, reading, writing
from db.models import OutboxMessage
from worker.senders import SENDERS, Sender, Undelivered

LANES = 16
"""messages on their way at once, all targets together"""
LANES_OF_ONE = 2
LANES_OF_MAIL = 4
BATCH = 200
"""messages of one lane; then others have their turn"""

log = logging.getLogger(__name__)


class Post:
    """The lanes of one worker. Several workers, in one process or many, do not disturb each other."""

    def __init__(
        self, engine: Engine | None, clock: Callable[[], datetime], senders: Mapping[str, Sender] = SENDERS
    ) -> None:
        self._engine, self._clock, self._senders = engine, clock, senders
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="outbox")
        self._busy: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._lanes: set[Future[None]] = set()
        self._stopping = threading.Event()
        self._before: datetime | None = None
        self.sent = 0
        """messages handed over so far"""

    def turn(self) -> int:
        """Open lanes for what is due, and wait for none of them; how many were opened.

        Raises what a failing database raises.
        """
        now = self._clock()
        if self._before is None or now < self._before:
            with writing(self._engine) as db:
                deliveries.mend_times(db, now)
        self._before = now
        opened = 0
        for target, count in self._due(now):
            while self._take(target, count):
                lane = self._pool.submit(self._lane, target)
                with self._guard:
                    self._lanes = {*(other for other in self._lanes if not other.done()), lane}
                opened += 1
        return opened

    def wait(self) -> None:
        """Until every open lane has ended. Raises what ended one that was killed."""
        with self._guard:
            lanes = set(self._lanes)
        for lane in wait(lanes).done:
            lane.result()

    def stop(self) -> None:
        """Let each lane end after the message that it is sending, and wait for that."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _due(self, now: datetime) -> Sequence[tuple[str, int]]:
        """(target, number of messages that may leave), those with a page first."""
        statement = (
            select(OutboxMessage.target, func.count())
            .where(deliveries.due(now))
            .group_by(OutboxMessage.target)
            .order_by(func.count().filter(OutboxMessage.urgent).desc(), OutboxMessage.target)
        )
        with reading(self._engine) as db:
            return [(target, count) for target, count in db.execute(statement)]

    def _take(self, target: str, count: int) -> bool:
        """Reserve one more lane of the target, if it has room and work for it."""
        most = min(LANES_OF_MAIL if target == "email" else LANES_OF_ONE, count)
        with self._guard:
            if self._stopping.is_set() or self._busy[target] >= most:
                return False
            self._busy[target] += 1
        return True

    def _lane(self, target: str) -> None:
        try:
            for message_id in self._batch(target):
                if self._stopping.is_set():
                    break
                self._send(message_id)
        except DatabaseProblem as problem:
            log.warning("Messages wait for the database: %s", problem.sentence)
        except Exception:
            log.exception("A lane of the outbox failed; its messages are tried again.")
        finally:
            with self._guard:
                self._busy[target] -= 1
                if not self._busy[target]:
                    del self._busy[target]

    def _batch(self, target: str) -> Sequence[int]:
        now = self._clock()
        statement = (
            select(OutboxMessage.id)
            .where(deliveries.due(now), OutboxMessage.target == target)
            .order_by(OutboxMessage.urgent.desc(), OutboxMessage.next_attempt_at, OutboxMessage.id)
            .limit(BATCH)
        )
        with reading(self._engine) as db:
            return db.scalars(statement).all()

    def _send(self, message_id: int) -> None:
        """Lease, send, record."""
        with writing(self._engine) as db:
            message = deliveries.claim(db, message_id, self._clock())
        if message is None:
            return
        failure = self._handed_over(message)
        with writing(self._engine) as db:
            if failure is None:
                deliveries.sent(db, message_id, self._clock())
            else:
                deliveries.failed(
                    db,
                    message_id,
                    failure.sentence,
                    permanent=failure.permanent,
                    wished=failure.wait,
                    now=self._clock(),
                )
        with self._guard:
            self.sent += failure is None

    def _handed_over(self, message: deliveries.Message) -> Undelivered | None:
        """None when the target took it. A fault of ours in sending is told like any other failure, and logged."""
        send = self._senders.get(message.channel)
        if send is None:
            return Undelivered(f"This version knows no way called '{message.channel}'.")
        try:
            send(message, self._clock())
        except Undelivered as failure:
            return failure
        except Exception as error:
            log.exception("Message %s could not be sent.", message.key)
            return Undelivered(f"Sending failed ({type(error).__name__}); the server's log says more.")
        return None


def tick(now: datetime, engine: Engine | None = None, senders: Mapping[str, Sender] = SENDERS) -> int:
    """Send everything that is due at `now`, and wait for it; how many messages were handed over."""
    post = Post(engine, lambda: now, senders)
    try:
        while post.turn():
            post.wait()
    finally:
        post.stop()
    return post.sent
