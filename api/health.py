"""Whether the process runs, whether it can serve, and its counters."""

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.engine import DatabaseProblem, reading
from db.models import Setting


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


async def metrics(request: Request) -> Response:
    """Counters of the process in Prometheus' format; they hold nothing personal."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
