"""Whether the process runs, whether it can serve, and its counters."""

from collections.abc import Callable
from datetime import UTC, datetime

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
_embedded: list[Callable[[], bool]] = []


def watch(healthy: Callable[[], bool]) -> None:
    """This process has a worker of its own: it cannot serve once `healthy` says that it has died."""
    _embedded[:] = [healthy]


async def healthz(request: Request) -> Response:
    """The process runs."""
    return PlainTextResponse("ok")


def _read_once() -> tuple[str | None, str]:
    """What keeps this replica from serving, and what else is to be known."""
    if not all(healthy() for healthy in _embedded):
        return "The worker of this process has died. Start the process anew.", ""
    try:
        with reading() as db:
            db.execute(select(Setting.key).limit(1)).all()
            return None, heartbeats.problem(db, datetime.now(UTC)) or ""
    except DatabaseProblem as problem:
        return problem.sentence, ""
    except Exception:  # noqa: BLE001 - whatever it is, this replica cannot serve
        return "The database cannot be used.", ""


async def readyz(request: Request) -> Response:
    """The database answers and has this version's shape, and this process's own worker lives.

    That no worker runs anywhere is said, and no reason to take this replica away: its screens and intake still serve.
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
