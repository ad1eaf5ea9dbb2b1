"""The status page under load, beside a static file of the same process; and with the database gone."""

import asyncio
import os
import time
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import make_url

from tests.browser.running import started

CONNECTIONS, SECONDS, ROUNDS = 16, 0.8, 3
SHARE = 1.0
"""of what the static file reaches at least: the page is more bytes, but comes from memory"""
STATIC = "/app/static/favicon.svg"
GOES_STALE_WITHIN, LONGEST_WAIT = 20.0, 5.0


async def asked(host: str, port: int, path: str, until: float) -> tuple[int, int]:
    """How many answers one kept connection gives until then, and how many bytes the last one has."""
    reader, writer = await asyncio.open_connection(host, port)
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    answers = size = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = int(length[0].partition(b":")[2])
        await reader.readexactly(size)
        answers += 1
    writer.close()
    return answers, size


async def rate(url: str, path: str) -> tuple[float, int]:
    """Answers a second of all connections together, and the size of one."""
    where = urlsplit(url)
    assert where.hostname == "127.0.0.1"
    until = time.perf_counter() + SECONDS
    told = await asyncio.gather(*(asked(where.hostname, where.port or 0, path, until) for _ in range(CONNECTIONS)))
    return sum(answers for answers, _ in told) / SECONDS, told[0][1]


async def fetched(url: str, path: str) -> tuple[str, str, float]:
    """Status line, body and seconds of one answer."""
    where = urlsplit(url)
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode("utf-8", "replace")
    writer.close()
    return answer.partition("\r\n")[0], answer, time.perf_counter() - began


def side_by_side(url: str) -> tuple[float, float, int]:
    """Answers a second of the static file and of the page, in turn, each at its best."""
    static, page, size = 0.0, 0.0, 0
    for _ in range(ROUNDS):
        static = max(static, asyncio.run(rate(url, STATIC))[0])
        reached, size = asyncio.run(rate(url, "/status"))
        page = max(page, reached)
    return static, page, size


def stop(database_url: str) -> None:
    """Take the database away from the process that uses it, as when its server is gone."""
    url = make_url(database_url)
    given = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with closing(psycopg.connect(given, autocommit=True)) as connection:
        connection.execute(f"alter database {url.database} allow_connections false")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [url.database])


@pytest.mark.parametrize("sample_url", ["sqlite"], indirect=True)
def test_the_page_keeps_up_with_a_static_file(sample_url, tmp_path):
    environment = os.environ | {"DATABASE_URL": sample_url, "WORKER": "off"}
    with started(environment, tmp_path / "server.log") as (url, _):
        static, page, size = side_by_side(url)
    print(f"\n/status {page:,.0f}/s ({size:,} bytes packed), {STATIC} {static:,.0f}/s")
    assert page > SHARE * static


@pytest.mark.parametrize("sample_url", ["postgresql"], indirect=True)
def test_it_does_so_without_its_database_and_says_how_old_it_is(sample_url, tmp_path):
    environment = os.environ | {"DATABASE_URL": sample_url, "WORKER": "off"}
    with started(environment, tmp_path / "server.log") as (url, _):
        assert "Referrals and results arrive late" in asyncio.run(fetched(url, "/status"))[1]
        stop(sample_url)
        waits, ends = [], time.monotonic() + GOES_STALE_WITHIN
        while True:
            line, answer, took = asyncio.run(fetched(url, "/status"))
            waits.append(took)
            assert line == "HTTP/1.1 200 OK", answer
            if "ago:" in answer:
                break
            assert time.monotonic() < ends, "the page never says that it is old"
        assert "Referrals and results arrive late" in answer
        assert '{"stale":true' in asyncio.run(fetched(url, "/status.json"))[1]
        static, page, _ = side_by_side(url)
    print(f"\nstopped: /status {page:,.0f}/s, {STATIC} {static:,.0f}/s; longest wait {max(waits):.2f} s")
    assert page > SHARE * static
    assert max(waits) < LONGEST_WAIT
