"""Twenty rooms of ten people each, held by one process, while twenty others work."""

import asyncio
import json
import os
import time
import urllib.request
from datetime import UTC, datetime
from itertools import count
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from websockets.asyncio.client import ClientConnection, connect

from db.commands import sign_in
from db.engine import make_engine, writing
from db.models import Incident, Person, PersonRole
from tests.browser.running import started
from tests.load.measure import Person as Tab
from tests.load.measure import resident_megabytes

ROOMS, EACH, WORKERS = 20, 10, 20
MESSAGES, CLICKS = 100, 4
THINKS = 3.0
"""seconds between what one person does and the next; they do not begin together"""
WITHIN = 1.0
"""seconds, p95, from a click to its result"""
OPENING_AT_ONCE = 4
SCREENS = ("/home", "/triage", "/board", "/report")
BOUNDARY = "a-boundary-that-nobody-writes"


def prepared(database_url: str) -> tuple[list[str], list[str]]:
    """Cookies of ten who work, and the numbers of twenty rooms."""
    engine = make_engine(database_url)
    with writing(engine) as db:
        work = select(PersonRole.person_id).where(PersonRole.role == "responder")
        people = db.scalars(select(Person).where(Person.id.in_(work)).order_by(Person.id).limit(EACH)).all()
        now = datetime.now(UTC)
        cookies = [f"incident_desk={sign_in.begin_session(db, one, user_agent='load', now=now)}" for one in people]
        rooms = select(Incident.number).where(~Incident.restricted, Incident.queue_group == 0).order_by(Incident.id)
        numbers = list(db.scalars(rooms.limit(ROOMS)))
    engine.dispose()
    assert (len(cookies), len(numbers)) == (EACH, ROOMS)
    return cookies, numbers


async def tab_of(url: str, cookie: str) -> ClientConnection:
    headers, address = {"Origin": url, "Cookie": cookie}, url.replace("http", "ws", 1) + "/_stcore/stream"
    options = {"subprotocols": ["streamlit"], "additional_headers": headers, "max_size": None, "compression": None}
    return await connect(address, **options)  # type: ignore[arg-type]


class Seat:
    """One person in one room: the page in a tab, and its stream."""

    def __init__(self, url: str, number: str, cookie: str) -> None:
        self.url, self.number, self.cookie = url, number, cookie
        self.seen: dict[str, float] = {}

    async def open(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            self.socket = await tab_of(self.url, self.cookie)
            ran = await Tab(self.url, f"/incident?number={self.number}", self.socket).run()
            assert not ran.fault, ran.fault
            where = urlsplit(self.url)
            reader, self.writer = await asyncio.open_connection(where.hostname, where.port, limit=2**22)
            asked = f"GET /rooms/{self.number}/live HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {self.cookie}\r\n\r\n"
            self.writer.write(asked.encode())
            assert b"200" in await reader.readline()
        self.reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b'data: {"said"'):
                for message in json.loads(line[6:])["said"]:
                    self.seen.setdefault(message["text"], time.monotonic())

    async def close(self) -> None:
        self.reading.cancel()
        self.writer.close()
        await self.socket.close()


def say(seat: Seat, text: str) -> None:
    body = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="text"\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n'
    headers = {"Cookie": seat.cookie, "x-incident-desk": "room"}
    headers["content-type"] = f"multipart/form-data; boundary={BOUNDARY}"
    asked = urllib.request.Request(f"{seat.url}/rooms/{seat.number}/messages", body.encode(), headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 201


class Desk:
    """Somebody who works elsewhere: a screen in a tab."""

    def __init__(self, url: str, place: int, cookie: str) -> None:
        self.url, self.place, self.cookie = url, place, cookie

    async def open(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            self.socket = await tab_of(self.url, self.cookie)
            self.tab = Tab(self.url, SCREENS[self.place % len(SCREENS)], self.socket)
            assert not (await self.tab.run()).fault

    async def work(self) -> list[float]:
        """Seconds of a few clicks."""
        await asyncio.sleep(THINKS * self.place / WORKERS)
        taken = []
        for _ in range(CLICKS):
            taken.append((await self.tab.run()).milliseconds / 1000)
            await asyncio.sleep(THINKS)
        await self.socket.close()
        return taken


async def everybody(url: str, cookies: list[str], numbers: list[str]) -> tuple[list[float], list[float]]:
    """Seconds from saying something to the last of ten screens, and from clicks of those who work to their results."""
    gate = asyncio.Semaphore(OPENING_AT_ONCE)
    rooms = [[Seat(url, number, cookie) for cookie in cookies] for number in numbers]
    await asyncio.gather(*(seat.open(gate) for room in rooms for seat in room))
    desks = [Desk(url, place, cookies[place % EACH]) for place in range(WORKERS)]
    await asyncio.gather(*(desk.open(gate) for desk in desks))
    working = [asyncio.create_task(desk.work()) for desk in desks]
    waits, words = [], count()

    async def talk(start: float, room: list[Seat]) -> None:
        await asyncio.sleep(start)
        for place in range(MESSAGES // ROOMS):
            text = f"message {next(words)}"
            began = time.monotonic()
            await asyncio.to_thread(say, room[place % EACH], text)
            async with asyncio.timeout(30):
                while not all(text in seat.seen for seat in room):
                    await asyncio.sleep(0.005)
            waits.append(max(seat.seen[text] for seat in room) - began)
            await asyncio.sleep(THINKS)

    await asyncio.gather(*(talk(THINKS * place / ROOMS, room) for place, room in enumerate(rooms)))
    clicks = [taken for one in await asyncio.gather(*working) for taken in one]
    await asyncio.gather(*(seat.close() for room in rooms for seat in room))
    return waits, clicks


@pytest.mark.slow
def test_twenty_rooms_of_ten_and_twenty_who_work_wait_for_nothing(sample_url, tmp_path):
    environment = os.environ | {"DATABASE_URL": sample_url, "WORKER": "embedded"}
    cookies, numbers = prepared(sample_url)
    with started(environment, tmp_path / "server.log") as (url, _):
        waits, clicks = asyncio.run(everybody(url, cookies, numbers))
        memory = resident_megabytes(url) or 0
    said, clicked = (sorted(times)[int(len(times) * 0.95)] for times in (waits, clicks))
    print(f"\n{ROOMS * EACH} in rooms: message to ten screens p95 {said * 1000:.0f} ms, ", end="")
    print(f"click to result p95 {clicked * 1000:.0f} ms, {memory:.0f} MB")
    assert len(waits) == MESSAGES
    assert said <= WITHIN
    assert clicked <= WITHIN
