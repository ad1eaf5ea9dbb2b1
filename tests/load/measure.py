"""How long one person waits for each screen: `python -m tests.load.measure --url URL --cookie NAME=VALUE`.

Speaks Streamlit's websocket protocol, without a browser: a warm session asks for a full run of each screen, again and
again, and the time from the question to 'script finished' is what counts. Between the runs a fixed piece of work says
how slow the machine is meanwhile: a core whose neighbours are busy takes up to twice as long for the same instructions.
Only addresses of this machine are measured.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from urllib.parse import urlsplit

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PATHS = ("/home", "/report", "/my-reports", "/triage", "/board", "/incident", "/trends", "/people")
RUNS = 30
WARM_UPS = 3
REFERENCE = 8.0
"""milliseconds that `spin` takes on a core of the README's table (EPYC, 2.6 GHz) that has no busy neighbour"""
RUN_TAKES_AT_MOST = 60.0
HERE = ("127.0.0.1", "localhost", "::1")
WIDGETS_CARRY = "id"  # the field that only elements people can operate have


@dataclass
class Measured:
    """What runs of one screen took, in milliseconds and bytes; `fault` says what the screen drew instead of itself."""

    path: str
    first: float = 0.0
    times: list[float] = field(default_factory=list)
    spins: list[float] = field(default_factory=list)
    bytes_per_run: float = 0.0
    elements: int = 0
    widgets: int = 0
    fault: str = ""

    def quantile(self, share: float) -> float:
        """Linear between the two nearest runs, as numpy's default."""
        if not self.times:
            return 0.0
        ordered = sorted(self.times)
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    @property
    def slowness(self) -> float:
        """How many times slower than the reference the machine was between the runs; at least 1."""
        return slowness(self.spins)


@dataclass
class Run:
    milliseconds: float = 0.0
    bytes: int = 0
    elements: int = 0
    widgets: int = 0
    fault: str = ""


class Person:
    """One open tab on `path`, which may end in a query: /incident?number=INC-000001."""

    def __init__(self, url: str, path: str, socket: ClientConnection) -> None:
        self.url, self.socket = url, socket
        parts = urlsplit(path)
        self.path, self.query = parts.path, parts.query
        self.script_hash = ""

    async def run(self) -> Run:
        """Ask for a full run and wait for its end."""
        asked = BackMsg()
        rerun = asked.rerun_script
        rerun.query_string = self.query
        rerun.page_script_hash = self.script_hash
        rerun.page_name = "" if self.script_hash else self.path.strip("/")
        rerun.context_info.timezone, rerun.context_info.locale = "UTC", "en-GB"
        rerun.context_info.url = self.url + self.path
        seen = Run()
        started = time.perf_counter()
        await self.socket.send(asked.SerializeToString())
        async with asyncio.timeout(RUN_TAKES_AT_MOST):
            while not self._read(await self.socket.recv(), seen):
                pass
        seen.milliseconds = (time.perf_counter() - started) * 1000
        return seen

    def _read(self, raw: str | bytes, seen: Run) -> bool:
        """Note what one message holds; True when it ends the run. A switch of page goes on in a run of its own."""
        if isinstance(raw, str):
            return False
        message = ForwardMsg.FromString(raw)
        seen.bytes += len(raw)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.script_hash = message.navigation.page_script_hash or self.script_hash
        elif kind == "page_not_found":
            seen.fault = "no such page for this person"
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._note(message.delta.new_element, seen)
        elif kind == "script_finished":
            status = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
            if "ERROR" in status:
                seen.fault = seen.fault or status.lower()
            return status != "FINISHED_EARLY_FOR_RERUN"
        return False

    def _note(self, element: object, seen: Run) -> None:
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        drawn = getattr(element, kind)
        seen.elements += 1
        seen.widgets += bool(getattr(drawn, WIDGETS_CARRY, ""))
        if kind == "exception":
            seen.fault = f"{drawn.type}: {drawn.message}"[:120]


def spin() -> float:
    """Milliseconds of a fixed piece of work, of the kind that drawing a screen is: text, dictionaries, sorting."""
    gc.disable()  # what else this process keeps must not count
    began = time.perf_counter()
    rows = [
        {"id": number, "title": f"Printer {number % 97} jams", "due": number * 7919 % 1000} for number in range(2000)
    ]
    for _ in range(3):
        kept = json.loads(json.dumps(sorted(rows, key=lambda row: (row["due"], row["title"]))))
        assert len({row["title"].lower() for row in kept}) == 97
    took = (time.perf_counter() - began) * 1000
    gc.enable()
    return took


def slowness(spins: Sequence[float]) -> float:
    """How many times slower than the reference a machine is on which `spin` took so long; at least 1."""
    return max(1.0, median(spins) / REFERENCE) if spins else 1.0


async def measure(
    url: str, path: str, cookie: str = "", runs: int = RUNS, between: Callable[[], None] | None = None
) -> Measured:
    """Runs of one screen in one warm session, one after the other; before each `between` changes what it shows."""
    result = Measured(path)
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    headers = {"Origin": url} | ({"Cookie": cookie} if cookie else {})
    options = {"subprotocols": ["streamlit"], "additional_headers": headers, "max_size": None, "compression": None}
    async with connect(address, **options) as socket:  # type: ignore[arg-type]
        person = Person(url, path, socket)
        first = await person.run()
        for _ in range(WARM_UPS):
            await person.run()
        done = []
        for _ in range(runs):
            result.spins.append(spin())
            if between is not None:
                between()
            done.append(await person.run())
    result.first = first.milliseconds
    result.times = [run.milliseconds for run in done]
    result.bytes_per_run = sum(run.bytes for run in done) / len(done)
    result.elements, result.widgets, result.fault = done[-1].elements, done[-1].widgets, first.fault or done[-1].fault
    return result


def resident_megabytes(url: str) -> float | None:
    """Memory of the process that answers at `url`, or None when it cannot be seen from here."""
    port = urlsplit(url).port
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid).memory_info().rss / 2**20
    except psutil.Error:
        return None
    return None


def table(measured: Sequence[Measured]) -> str:
    lines = [
        f"{'screen':<28}{'p50 ms':>8}{'p95 ms':>8}{'slowness':>10}{'first ms':>10}{'KB/run':>8}"
        f"{'elements':>10}{'widgets':>9}"
    ]
    for one in measured:
        lines.append(
            f"{one.path:<28}{one.quantile(0.5):>8.1f}{one.quantile(0.95):>8.1f}{one.slowness:>10.2f}{one.first:>10.1f}"
            f"{one.bytes_per_run / 1024:>8.1f}{one.elements:>10}{one.widgets:>9}  {one.fault}".rstrip()
        )
    return "\n".join(lines)


async def measure_all(url: str, paths: Sequence[str], cookie: str, runs: int) -> list[Measured]:
    measured = []
    for path in paths:
        try:
            measured.append(await measure(url, path, cookie, runs))
        except (OSError, TimeoutError, WebSocketException) as error:
            measured.append(Measured(path, fault=f"{type(error).__name__}: {error}"))
    return measured


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.measure", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--cookie", default="", help="NAME=VALUE of a signed-in session")
    parser.add_argument("--paths", nargs="+", default=PATHS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true", help="every time measured, for a comparison")
    asked = parser.parse_args(given)
    url = asked.url.rstrip("/")
    if urlsplit(url).hostname not in HERE:
        parser.error("only an address of this machine is measured")
    if asked.runs < 1:
        parser.error("--runs is 1 or more")
    before = resident_megabytes(url)
    measured = asyncio.run(measure_all(url, asked.paths, asked.cookie, asked.runs))
    after = resident_megabytes(url)
    if asked.json:
        print(json.dumps({"screens": [asdict(one) for one in measured], "rss_mb": [before, after]}))
    else:
        print(table(measured))
        print(
            f"server memory: {before:.0f} MB before, {after:.0f} MB after"
            if before and after
            else "server memory: unseen"
        )
    return 1 if any(one.fault for one in measured) else 0


if __name__ == "__main__":
    sys.exit(main())
