"""Whether the process runs, whether it can serve, and its counters."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import DatabaseProblem, reading
from db.models import Setting
from db.queries import deliveries, heartbeats

WAITING = Gauge("incident_desk_outbox_waiting", "Messages that are due and not sent yet.")
OLDEST = Gauge("incident_desk_outbox_oldest_seconds", "How long the one that is due longest has been.")
GIVEN_UP = Gauge("incident_desk_outbox_given_up", "Messages given up in the last 24 hours.")
QUIET = Gauge("incident_desk_worker_quiet_seconds", "How long no worker has taken a turn; -1 when there never was one.")
HANGS = timedelta(minutes=5)
"""So long after the start, and without a turn of any worker, one that is in this process is taken for hanging. Longer
than what an outage has left takes to be worked off."""
_embedded: list[tuple[Callable[[], bool], float]] = []
"""whether the worker of this process lives, and since when it is expected to work"""


def watch(healthy: Callable[[], bool]) -> None:
    """This process has a worker of its own: it cannot serve once `healthy` says that it has died, or when it hangs."""
    _embedded[:] = [(healthy, time.monotonic())]


async def healthz(request: Request) -> Response:
    """The process runs."""
    return PlainTextResponse("ok")


def _read_once() -> tuple[str | None, str]:
    """What keeps this replica from serving, and what else is to be known."""
    if not all(healthy() for healthy, _ in _embedded):
        return "The worker of this process has died. Start the process anew.", ""
    now = datetime.now(UTC)
    try:
        with reading() as db:
            db.execute(select(Setting.key).limit(1)).all()
            quiet, said = heartbeats.quiet_for(db, now), heartbeats.problem(db, now) or ""
    except DatabaseProblem as problem:
        return problem.sentence, ""
    except Exception:  # noqa: BLE001 - whatever it is, this replica cannot serve
        return "The database cannot be used.", ""
    expected = any(time.monotonic() - since > HANGS.total_seconds() for _, since in _embedded)
    if expected and (quiet is None or quiet > HANGS):
        return "The worker of this process hangs, and no other works: nobody is paged. Start the process anew.", ""
    return None, said


async def readyz(request: Request) -> Response:
    """The database answers and has this version's shape, and a worker that this process should have works.

    A process that has one (WORKER=embedded) is not ready when it died, or when neither it nor any other has taken a
    turn for HANGS: alerts that it took would page nobody, and their senders had better know. A replica without one
    (WORKER=off) only says that none works: its screens and intake serve, and what it took waits.
    """
    problem, said = await to_thread.run_sync(_read_once)
    return PlainTextResponse(problem or (f"ok\n{said}" if said else "ok"), 503 if problem else 200)


def _count_messages() -> None:
    """The last numbers stay while the database cannot be asked; /readyz says that it cannot."""
    try:
        with reading() as db:
            standing = deliveries.standing(db, datetime.now(UTC))
            quiet = heartbeats.quiet_for(db, datetime.now(UTC))
    except (DatabaseProblem, DBAPIError):
        return
    WAITING.set(standing.waiting)
    OLDEST.set(standing.oldest.total_seconds())
    GIVEN_UP.set(standing.given_up)
    QUIET.set(quiet.total_seconds() if quiet is not None else -1)


async def metrics(request: Request) -> Response:
    """Counters of the process and of its outbox in Prometheus' format; they hold nothing personal."""
    await to_thread.run_sync(_count_messages)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
