"""Connections to PostgreSQL that were lost while they waited: nobody is refused for it, and nobody asks in vain."""

from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, text

from db import pool
from db.engine import DatabaseProblem, make_engine, reading, writing

PID = text("select pg_backend_pid()")
END = text(
    "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and backend_type = 'client backend'"
)


@pytest.fixture
def engine(postgres_url):
    made = make_engine(postgres_url)
    yield made
    made.dispose()


@pytest.fixture
def end_all(engine):
    """The server ends every connection, as when it stops."""

    def end():
        other = create_engine(engine.url)
        with other.connect() as connection:
            connection.execute(END)
        other.dispose()

    return end


@pytest.fixture
def asked(engine, monkeypatch):
    """Grows with every question whether a connection lives."""
    times, ping = [], engine.dialect.do_ping

    def noted(connection):
        times.append(connection)
        return ping(connection)

    monkeypatch.setattr(engine.dialect, "do_ping", noted)
    return times


def several(engine, count=3):
    """The server's processes behind so many connections at once."""
    with ExitStack() as opened:
        return {opened.enter_context(reading(engine)).execute(PID).scalar_one() for _ in range(count)}


def test_connections_that_the_server_ended_are_replaced_before_anybody_uses_them(engine, end_all):
    before = several(engine)
    assert several(engine) == before
    end_all()
    after = several(engine)
    assert len(after) == 3
    assert not after & before
    with writing(engine) as db:
        assert db.execute(PID).scalar_one() in after


def test_one_that_was_used_just_now_is_not_asked(engine, asked):
    first = several(engine, 1)
    assert several(engine, 1) == first
    assert asked == []


def test_one_that_waited_for_long_is_asked_and_stays_when_it_lives(engine, asked, monkeypatch):
    first = several(engine, 1)
    monkeypatch.setattr(pool, "QUIET_SECONDS", 0.0)
    assert several(engine, 1) == first
    assert len(asked) == 1


def test_one_that_was_lost_in_silence_is_found_by_asking_once_it_waited_for_long(engine, end_all, asked, monkeypatch):
    before = several(engine)
    end_all()
    monkeypatch.setattr(pool, "_says_something", lambda _connection: False)
    monkeypatch.setattr(pool, "QUIET_SECONDS", 0.0)
    after = several(engine)
    assert not after & before
    assert len(asked) == 1  # all that are as old go with it


def test_a_server_that_is_gone_is_told_in_words(engine):
    several(engine)
    name = engine.url.database
    other = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.exec_driver_sql(f"alter database {name} allow_connections false")
        connection.execute(text(f"{END.text.partition('where')[0]} where datname = :name"), {"name": name})
    other.dispose()
    with pytest.raises(DatabaseProblem), reading(engine) as db:
        db.execute(PID)
