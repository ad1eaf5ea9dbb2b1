"""Transactions, fairness among writers, and what a broken database says."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from db.engine import DatabaseProblem, FairLock, explain, make_engine, migrate, reading, writing


def _count(engine):
    with reading(engine) as db:
        return db.execute(text("select count(*) from setting")).scalar()


def _set(db, key):
    db.execute(text("insert into setting (key, value, changed_at) values (:key, '1', 1)"), {"key": key})


def test_a_change_is_kept_when_its_block_ends(engine):
    with writing(engine) as db:
        _set(db, "a")
    assert _count(engine) == 1


class Interrupted(BaseException):
    """As when a browser's tab closes in the middle of a script: not an Exception."""


@pytest.mark.parametrize("raised", [ValueError, Interrupted, KeyboardInterrupt])
def test_anything_raised_undoes_the_whole_change(engine, raised):
    with pytest.raises(raised), writing(engine) as db:
        _set(db, "a")
        raise raised
    assert _count(engine) == 0
    with writing(engine) as db:
        _set(db, "b")
    assert _count(engine) == 1


def test_thirty_two_writers_all_get_their_turn(engine):
    def write(number):
        with writing(engine) as db:
            _set(db, f"k{number}")

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(64)))
    assert _count(engine) == 64


def test_the_lock_serves_in_order_of_arrival():
    lock, order, threads = FairLock(), [], []
    assert lock.acquire(1)
    for number in range(5):
        ready = threading.Event()

        def wait(number=number, ready=ready):
            ready.set()
            assert lock.acquire(60)
            order.append(number)
            lock.release()

        thread = threading.Thread(target=wait)
        thread.start()
        ready.wait(60)
        while len(lock._waiting) <= number:
            threading.Event().wait(0.001)
        threads.append(thread)
    lock.release()
    for thread in threads:
        thread.join(60)
    assert order == [0, 1, 2, 3, 4]


def test_a_lock_that_is_not_free_in_time_is_not_taken():
    lock = FairLock()
    assert lock.acquire(1)
    assert not lock.acquire(0.01)
    lock.release()
    assert lock.acquire(0.01)


def test_sqlite_runs_with_the_settings_that_lose_nothing(tmp_path):
    migrate(f"sqlite:///{tmp_path / 'a.db'}")
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with made.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    made.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5_000}


def test_a_locked_database_says_so_and_stores_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("db.engine.BUSY_SECONDS", 0)
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    first, second = make_engine(url), make_engine(url)
    with writing(first) as holding:
        _set(holding, "first")
        with pytest.raises(DatabaseProblem, match="busy"), writing(second) as db:
            _set(db, "second")
    assert _count(first) == 1
    first.dispose()
    second.dispose()


def test_a_file_that_is_no_database_says_so(tmp_path):
    place = tmp_path / "a.db"
    place.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(DatabaseProblem, match="damaged or is something else"):
        migrate(f"sqlite:///{place}")


def test_a_full_disk_says_so(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    made = make_engine(url)
    with made.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
    with pytest.raises(DatabaseProblem, match="disk is full"), writing(made) as db:
        db.execute(text(f"pragma max_page_count = {pages}"))
        for number in range(1000):
            _set(db, f"{number}" + "x" * 50)
    assert _count(made) == 0
    made.dispose()


def test_an_unknown_kind_of_database_is_refused():
    with pytest.raises(DatabaseProblem, match="DATABASE_URL"):
        make_engine("mysql://somewhere/else")


def test_a_read_only_database_can_be_read_and_says_why_it_is_not_written(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    made = make_engine(f"sqlite:///file:{tmp_path / 'a.db'}?mode=ro&uri=true")
    assert _count(made) == 0
    with pytest.raises(DatabaseProblem, match="read-only"), writing(made) as db:
        _set(db, "a")
    made.dispose()
    assert os.path.exists(tmp_path / "a.db")


def test_a_fault_in_a_statement_is_no_fault_of_the_database():
    assert explain(OperationalError("select", {}, Exception("no such table: x"))) is None
