"""The real app, started as the README says, and the browser that looks at it."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTS_WITHIN = 180.0
STOPS_WITHIN = 30.0
ASKS_EVERY = 0.1
BELOW_CHOSEN = range(10_000, 32_768)
"""ports below net.ipv4.ip_local_port_range"""


@contextmanager
def started(
    environment: dict[str, str], log: Path, script: str | Path = "app.py", health: str = "/healthz"
) -> Iterator[tuple[str, int]]:
    """The app's address (no slash at its end) and process, once it is healthy; stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url + health, process, log)
        yield url, process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody uses just now, for a program that takes a while before it listens.

    No connection takes it meanwhile: those that go out begin at ports that the system chooses, which are higher.
    """
    for port in random.SystemRandom().sample(BELOW_CHOSEN, 100):
        with socket.socket() as asked:
            try:
                asked.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("This machine has no port left.")


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        try:
            process.wait(ASKS_EVERY)
        except subprocess.TimeoutExpired:
            pass
        else:
            break
        try:
            with direct.open(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (OSError, HTTPException):
            continue
    raise AssertionError(f"The app did not start. It said:\n{log.read_text(errors='replace')}")
