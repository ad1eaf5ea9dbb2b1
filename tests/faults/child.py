"""The program that is killed: the real routes for alerts, and the real worker, until the step at which it dies.

It has read its code once and forks for every order, so that each runs in a process of its own that costs little. An
order is one line of JSON, its answer another:

    {"work": "serve", "kill_at": 3, "environment": {...}}   {"port": ...}, then at {"work": "end"}: {"signal", "steps"}
    {"work": "tick", "moments": [...], "kill_at": 3, ...}   {"signal": what ended it, 0: nothing did, "steps": [names]}
    {"work": "verify", ...}                                 the same: python -m db verify

It kills itself with SIGKILL at step number `kill_at`; 0 never.
"""

import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from importlib import import_module
from typing import Any

import uvicorn
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, configure_mappers
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from api import alerts, v1
from api.gate import Gate
from db.cli import main as command_line
from db.commands import deliveries, intake, timers
from worker import loop
from worker.senders import SENDERS

ENDS_WITHIN_SECONDS = 180
"""A process that hangs ends itself, by a signal that no test expects."""
APP = Starlette(routes=[*alerts.routes, Mount("/api", v1.make(alerts.router))], middleware=[Middleware(Gate)])
NAMED = {(intake, "take"): "intake", (timers, "fire"): "timer", (deliveries, "claim"): "lease",
         (deliveries, "sent"): "record", (deliveries, "failed"): "failure"}  # fmt: skip
"""what a transaction is for, by the command that it runs"""


READ_LATE = ("psycopg", "uvloop", "uvicorn.protocols.http.httptools_impl", "anyio._backends._asyncio", "encodings.idna",
             "email.policy", "email.contentmanager")  # fmt: skip
"""what a process would otherwise read anew, each time"""


class Steps:
    """Counts what the process has done, tells each step before it goes on, and kills the process at one of them."""

    def __init__(self, kill_at: int, told: int) -> None:
        self._kill_at, self._told = kill_at, told
        self._count, self._guard = 0, threading.Lock()
        self._doing = threading.local()

    def pass_by(self, name: str) -> None:
        with self._guard:  # whoever comes to the next step meanwhile waits here until the process is gone
            self._count += 1
            os.write(self._told, f"{name}\n".encode())
            if self._count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Every write, every commit, every message that leaves and every answer is a step from now on."""
        for (module, function), name in NAMED.items():
            setattr(module, function, self._named(name, getattr(module, function)))
        for channel, send in list(SENDERS.items()):
            SENDERS[channel] = self._around(f"send {channel}", send)  # type: ignore[index]
        event.listen(Engine, "after_cursor_execute", self._written)
        event.listen(Engine, "commit", lambda _connection: self.pass_by(f"{self._now()}: before commit"))
        commit = Session.commit

        def committed(session: Session) -> None:
            commit(session)
            self.pass_by(f"{self._now()}: after commit")
            self._doing.name = ""

        Session.commit = committed  # type: ignore[method-assign]

    def _now(self) -> str:
        return getattr(self._doing, "name", "") or "other"

    def _named(self, name: str, command: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **more: Any) -> Any:
            self._doing.name = name
            return command(*given, **more)

        return run

    def _around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            self.pass_by(f"{name}: before")
            done = act(*given)
            self.pass_by(f"{name}: after")
            return done

        return run

    def _written(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        verb = statement.split(None, 1)[0].lower()
        if verb in ("insert", "update", "delete"):
            self.pass_by(f"{self._now()}: {verb}")

    async def answering(self, scope: Any, receive: Any, send: Any) -> None:
        """The app, with a step on either side of its answer."""

        async def told(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.pass_by("answer: before")
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.pass_by("answer: after")

        await APP(scope, receive, told)


def serve(steps: Steps, listening: socket.socket) -> None:
    config = uvicorn.Config(
        steps.answering, interface="asgi3", ws="none", lifespan="off", log_level="error", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listening])


def work(order: dict[str, Any], told: int, listening: socket.socket | None) -> None:
    """What the forked process does, all its life."""
    signal.alarm(ENDS_WITHIN_SECONDS)
    os.environ.update(order["environment"])
    steps = Steps(order.get("kill_at", 0), told)
    steps.watch()
    if listening is not None:
        serve(steps, listening)
    elif order["work"] == "tick":
        for moment in order["moments"]:
            loop.tick(datetime.fromisoformat(moment))
    else:
        with redirect_stdout(sys.stderr):  # stdout holds our answers
            if command_line([order["work"]]) != 0:
                os._exit(1)


@contextmanager
def forked(order: dict[str, Any], listening: socket.socket | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The process and how it ended, which is known once the block is left."""
    reading, told = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            work(order, told, listening)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(told)
    if listening is not None:
        listening.close()
    ended: dict[str, Any] = {}
    try:
        yield process, ended
    finally:
        with os.fdopen(reading) as steps:
            ended["steps"] = steps.read().splitlines()  # until the process is gone
        _, status = os.waitpid(process, 0)
        ended["signal"] = -os.waitstatus_to_exitcode(status)


def answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    configure_mappers()
    for name in READ_LATE:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if order["work"] == "serve":
            listening = socket.create_server(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            with forked(order, listening) as (process, ended):
                answer({"port": port})
                sys.stdin.readline()
                os.kill(process, signal.SIGTERM)
        else:
            with forked(order) as (_, ended):
                pass
        answer(ended)


if __name__ == "__main__":
    main()
