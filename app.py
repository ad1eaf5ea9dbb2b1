"""Incident Desk: the whole server. Screens, HTTP routes and worker in one ASGI app on one port."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import streamlit as st
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.routing import Mount

from api import (
    act,
    alerts,
    files,
    health,
    incident_parts,
    incidents,
    oncall,
    postmortems,
    reports,
    rooms,
    sign_in,
    status,
    timelines,
    trends,
    trends_measures,
    v1,
)
from api.gate import Gate
from db.commands import setup
from db.engine import DatabaseProblem, migrate, reading, writing
from db.queries import sessions
from db.settings import SettingProblem, settings
from worker import loop


def prepare() -> None:
    """Migrate; where nobody has an account yet, say the one-time code for setting up in the log."""
    settings().secret()
    migrate()
    with reading() as db:
        ready = sessions.anyone(db)
    if ready:
        return
    with writing() as db:
        code = setup.new_code(db, datetime.now(UTC))
    if code:
        print(f"\n  Incident Desk is not set up yet. Open it in a browser; the code is {code}\n", file=sys.stderr)


def _before_the_end(stop: Callable[[], None]) -> None:
    """Call `stop` as soon as the process is asked to end: the server then waits for every answer that is still open."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        former = signal.getsignal(number)
        if not callable(former):
            continue

        def ending(given: int, frame: FrameType | None, former: Callable[..., Any] = former) -> None:
            stop()
            former(given, frame)

        signal.signal(number, ending)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    try:
        await to_thread.run_sync(prepare)
    except (DatabaseProblem, SettingProblem) as problem:
        print(f"\n  Incident Desk cannot start. {problem.sentence}\n", file=sys.stderr, flush=True)
        # Nothing runs yet that could be lost; any exception would bury the sentence under a traceback.
        os._exit(1)
    import pandas  # noqa: F401 - loaded before the freeze below; altair waits for the first chart

    gc.collect()
    gc.freeze()
    if settings().worker == "embedded":
        loop.start()
        health.watch(loop.healthy)
    _before_the_end(rooms.stop)
    keeping = asyncio.create_task(status.keep())
    yield
    keeping.cancel()
    rooms.stop()
    if settings().worker == "embedded":
        await to_thread.run_sync(loop.stop)


app = st.App(
    "pages/main.py",
    routes=[
        *health.routes,
        *sign_in.routes,
        *act.routes,
        *reports.routes,
        *status.routes,
        *files.routes,
        *rooms.routes,
        *timelines.routes,
        *trends.routes,
        *postmortems.routes,
        *alerts.routes,
        *oncall.routes,
        Mount(
            "/api",
            v1.make(
                alerts.router,
                incidents.router,
                incident_parts.router,
                oncall.router,
                trends_measures.router,
                beside=alerts.events,
            ),
        ),
    ],
    middleware=[Middleware(Gate)],
    lifespan=lifespan,
)
