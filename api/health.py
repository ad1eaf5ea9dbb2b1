"""Whether the process runs, whether it can serve, and its counters."""

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
from db.queries import deliveries

WAITING = Gauge("incident_desk_outbox_waiting", "Messages that are due and not sent yet.")
OLDEST = Gauge("incident_desk_outbox_oldest_seconds", "How long the one that is due longest has been.")
GIVEN_UP = Gauge("incident_desk_outbox_given_up", "Messages given up in the last 24 hours.")


async def healthz(request: Request) -> Response:
    """The process runs."""
    return PlainTextResponse("ok")


def _read_once() -> str | None:
    try:
        with reading() as db:
            db.execute(select(Setting.key).limit(1)).all()
    except DatabaseProblem as problem:
        return problem.sentence
    except Exception:  # noqa: BLE001 - whatever it is, this replica cannot serve
        return "The database cannot be used."
    return None


async def readyz(request: Request) -> Response:
    """The database answers and has this version's shape."""
    problem = await to_thread.run_sync(_read_once)
    return PlainTextResponse(problem or "ok", 503 if problem else 200)


def _count_messages() -> None:
    """The last numbers stay while the database cannot be asked; /readyz says that it cannot."""
    try:
        with reading() as db:
            standing = deliveries.standing(db, datetime.now(UTC))
    except (DatabaseProblem, DBAPIError):
        return
    WAITING.set(standing.waiting)
    OLDEST.set(standing.oldest.total_seconds())
    GIVEN_UP.set(standing.given_up)


async def metrics(request: Request) -> Response:
    """Counters of the process and of its outbox in Prometheus' format; they hold nothing personal."""
    await to_thread.run_sync(_count_messages)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
