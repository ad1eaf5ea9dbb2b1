"""Sends what the outbox holds: each message is leased, sent outside any transaction, and only then recorded.

So a message leaves at least once: whoever dies in between loses the lease, and the next one sends it again under the
same id. Every target has lanes of its own, so a slow one holds up nobody else; and pages have lanes in which nothing
else travels. A lane whose message takes long no longer counts, so that another takes its place; targets that are known
to be slow are served last and never by more than half of all lanes.
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from db.commands import deliveries
from db.engine import DatabaseProblem, reading, writing
from db.models import OutboxMessage
from rules import channels
from worker.senders import SENDERS, Sender, Undelivered

ROOM = {True: 16, False: 8}
"""lanes for pages, and for the rest, that are not held up"""
MOST_LANES = 64
"""with those that are held up"""
LANES_OF_ONE = 2
"""for one target; the talk of rooms has one, beside those of everything else"""
LANES_OF_MAIL = 4
LATE_SECONDS = 3.0
"""A target that takes longer for one message is slow, and its lane is held up."""
TURN_SECONDS = 5.0
"""of one lane for one target; then others have their turn"""
BATCH = 20

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Lane:
    """One message after another to one target: pages, or what is not urgent."""

    target: str
    urgent: bool
    since: float = math.inf
    """when the message on its way was begun; infinite while none is"""


class Post:
    """The lanes of one worker. Several workers, in one process or many, do not disturb each other.

    `timer` gives seconds that only ever grow.
    """

    def __init__(
        self,
        engine: Engine | None,
        clock: Callable[[], datetime],
        senders: Mapping[str, Sender] = SENDERS,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._clock, self._senders, self._timer = engine, clock, senders, timer
        self._pool = ThreadPoolExecutor(MOST_LANES, thread_name_prefix="outbox")
        self._guard = threading.Lock()
        self._lanes: set[Lane] = set()
        self._slow: set[str] = set()
        self._left: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
        self._running: set[Future[None]] = set()
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
        due = self._due(now)
        with self._guard:
            self._left = {urgent: [(target, n) for target, kind, n in due if kind == urgent] for urgent in ROOM}
        opened = 0
        for urgent in ROOM:
            while (lane := self._next(urgent)) is not None:
                running = self._pool.submit(self._run, lane)
                with self._guard:
                    self._running = {*(other for other in self._running if not other.done()), running}
                opened += 1
        return opened

    def wait(self) -> None:
        """Until every open lane has ended. Raises what ended one that was killed."""
        with self._guard:
            running = set(self._running)
        for ended in wait(running).done:
            ended.result()

    def stop(self) -> None:
        """Let each lane end after the message that it is sending, and wait for that."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _due(self, now: datetime) -> Sequence[tuple[str, bool, int]]:
        """(target, whether they are pages, how many may leave), by what is due longest."""
        statement = (
            select(OutboxMessage.target, OutboxMessage.urgent, func.count())
            .where(deliveries.due(now))
            .group_by(OutboxMessage.target, OutboxMessage.urgent)
            .order_by(func.min(OutboxMessage.next_attempt_at), OutboxMessage.target)
        )
        with reading(self._engine) as db:
            return [(target, urgent, count) for target, urgent, count in db.execute(statement)]

    def _next(self, urgent: bool) -> Lane | None:
        """Reserve a lane for the target that has work and the fewest lanes; those known to be slow come last."""
        with self._guard:
            late = self._late()
            full = sum(lane.urgent == urgent for lane in self._lanes - late) >= ROOM[urgent]
            if full or self._stopping.is_set():
                return None
            busy = Counter(lane.target for lane in self._lanes if lane.urgent == urgent)
            for target, count in sorted(self._left[urgent], key=lambda left: (left[0] in self._slow, busy[left[0]])):
                slow = target in self._slow
                if len(self._lanes) >= (MOST_LANES if urgent and not slow else MOST_LANES // 2):
                    return None
                most = 1 if slow or channels.in_order(target) else LANES_OF_MAIL if target == "email" else LANES_OF_ONE
                if busy[target] < min(most, count):
                    lane = Lane(target, urgent)
                    self._lanes.add(lane)
                    return lane
        return None

    def _late(self) -> set[Lane]:
        """Lanes that are held up; their targets are known to be slow from now on."""
        before = self._timer() - LATE_SECONDS
        late = {lane for lane in self._lanes if lane.since < before}
        self._slow |= {lane.target for lane in late}
        return late

    def _run(self, lane: Lane | None) -> None:
        """Serve the lane's target, then one after another of those that found no room."""
        while lane is not None:
            try:
                self._serve(lane)
            except DatabaseProblem as problem:
                log.warning("Messages wait for the database: %s", problem.sentence)
            except Exception:
                log.exception("A lane of the outbox failed; its messages are tried again.")
            finally:
                with self._guard:
                    self._lanes.discard(lane)
                    self._left[lane.urgent] = [left for left in self._left[lane.urgent] if left[0] != lane.target]
            lane = self._next(lane.urgent)

    def _serve(self, lane: Lane) -> None:
        begun, done = self._timer(), True
        while done and (batch := self._batch(lane)):
            done = False  # what another worker holds at this moment is not asked for again and again
            for message_id in batch:
                if self._stopping.is_set():
                    return
                done |= self._send(lane, message_id)
                if self._timer() - begun > TURN_SECONDS:
                    return

    def _batch(self, lane: Lane) -> Sequence[int]:
        now = self._clock()
        statement = (
            select(OutboxMessage.id)
            .where(deliveries.due(now), OutboxMessage.target == lane.target, OutboxMessage.urgent == lane.urgent)
            .order_by(OutboxMessage.next_attempt_at, OutboxMessage.id)
            .limit(BATCH)
        )
        with reading(self._engine) as db:
            return db.scalars(statement).all()

    def _send(self, lane: Lane, message_id: int) -> bool:
        """Lease, send, record; False when it was not to be had."""
        with writing(self._engine) as db:
            message = deliveries.claim(db, message_id, self._clock())
        if message is None:
            return False
        lane.since = begun = self._timer()
        failure = self._handed_over(message)
        took, lane.since = self._timer() - begun, math.inf
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
            (self._slow.add if took > LATE_SECONDS else self._slow.discard)(lane.target)
        return True

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
