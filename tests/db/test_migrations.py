"""The database's shape: reached from every released version, the same as the models, guarded against the wrong file."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

import worker.policies
from db.commands.setup import put
from db.engine import DatabaseProblem, make_engine, migrate, reading, writing
from db.migrations.run import upgrade
from db.models import Base, Incident, Timer, to_micros
from db.queries.settings import DEFAULTS, PENDING_KEY, is_pending
from tests.db.office import MONDAY

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE_THE_MODELS = ("incident_text", "timeline_text")


def emptied(url: str) -> str:
    """The address of a database with nothing in it, instead of the one at `url`."""
    made = make_engine(url)
    if made.dialect.name == "postgresql":
        with writing(made) as db:
            db.execute(text("drop schema public cascade"))
            db.execute(text("create schema public"))
    made.dispose()
    return url if made.dialect.name == "postgresql" else url.replace("incidents.db", "empty.db")


@pytest.fixture
def empty_database_url(database_url):
    """A database with nothing in it, of either kind."""
    return emptied(database_url)


class Walk:
    """One database that goes from version to version, and copies of it on the way."""

    def __init__(self, url: str) -> None:
        self._url, self._reached = emptied(url), "0000"

    def at(self, version: str) -> str:
        """The address of the database, which is now at this version; it does not go back."""
        assert version >= self._reached
        made = make_engine(self._url)
        upgrade(made, to=version)
        made.dispose()
        self._reached = version
        return self._url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def released(request, tmp_path_factory):
    """`released(version)` is the address of a fresh database as that version left it."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("walk")
        walk = Walk(f"sqlite:///{folder}/incidents.db")

        def copied(version: str) -> str:
            place = folder / f"{version}.db"
            shutil.copyfile(walk.at(version).removeprefix("sqlite:///"), place)
            return f"sqlite:///{place}"

        yield copied
        return
    copies, end = request.getfixturevalue("_postgres_copies"), ExitStack()
    first, drop = copies()
    walk = Walk(first.render_as_string(hide_password=False))

    def copy(version: str) -> str:
        walk.at(version)
        url, drop_it = copies(first)
        end.callback(drop_it)
        return url.render_as_string(hide_password=False)

    yield copy
    end.close()
    drop()


def at(engine: Engine) -> str:
    with reading(engine) as db:
        return str(db.scalar(text("select version_num from alembic_version")))


def _differences(engine: Engine) -> list[object]:
    def ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return not any(table in str(name) for table in OUTSIDE_THE_MODELS)

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": ours, "target_metadata": Base.metadata}
        )
        differences = compare_metadata(context, Base.metadata)
        return [found for found in differences if not any(table in str(found) for table in OUTSIDE_THE_MODELS)]


@pytest.mark.filterwarnings("ignore:.*expression-based index.*")
def test_a_migrated_database_has_the_shape_of_the_models(engine):
    assert _differences(engine) == []


@pytest.mark.filterwarnings("ignore:.*expression-based index.*")
@pytest.mark.parametrize("version", [f"{number:04d}" for number in range(1, 29)])
def test_every_released_version_migrates_to_this_one(released, version):
    made = make_engine(released(version))
    assert at(made) == version
    upgrade(made)
    assert _differences(made) == []
    made.dispose()


def test_a_sender_that_never_called_is_waited_for_after_the_migration(empty_database_url):
    made = make_engine(empty_database_url)
    upgrade(made, to="0012")
    with writing(made) as db:
        for name, called in (("never", "null"), ("once", "1")):
            db.execute(
                text(
                    "insert into integration (name, format, grouping, severities, auto_resolve, signed, secret_turn,"
                    " storm_limit, heartbeat_seconds, heartbeat_at, created_at, version) values"
                    f" ('{name}', 'generic', '', '{{}}', true, false, 0, 100, 604800, {called}, 1, 1)"
                )
            )
    before = time.time()
    upgrade(made)
    after = time.time()
    with reading(made) as db:
        due = dict(db.execute(text("select name, heartbeat_due_at from integration")).all())
    made.dispose()
    assert due["once"] is None
    assert int(before) <= due["never"] / 1e6 - 604_800 - 3600 <= after


def test_what_is_current_is_found_so_without_loading_what_migrates(database_url):
    script = (
        "import sys; from db.engine import engine, migrate; from db.migrations import head; migrate()\n"
        "assert 'alembic' not in sys.modules\n"
        "from db.migrations.run import _scripts; assert head.newest() == _scripts().get_current_head()\n"
        "with engine().begin() as connection: connection.exec_driver_sql('delete from alembic_version')\n"
        "assert not head.is_current(engine())\n"
    )
    environment = os.environ | {"DATABASE_URL": database_url}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine):
    with writing(engine) as db:
        db.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseProblem, match="newer version"):
        upgrade(engine)
    with reading(engine) as db:
        assert db.execute(text("select version_num from alembic_version")).scalar() == "9999"


def test_somebody_elses_database_is_refused(empty_database_url):
    made = make_engine(empty_database_url)
    with writing(made) as db:
        db.execute(text("create table incident (id integer primary key)"))
    with pytest.raises(DatabaseProblem, match="not made by Incident Desk"):
        upgrade(made)
    made.dispose()


def test_processes_that_start_at_once_migrate_once(empty_database_url):
    program = "import sys; from db.engine import migrate; migrate(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, empty_database_url], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    outcomes = [(process.wait(180), process.stderr.read() if process.stderr else b"") for process in started]
    for process in started:
        if process.stderr:
            process.stderr.close()
    assert [code for code, _ in outcomes] == [0, 0, 0], outcomes
    migrate(empty_database_url)


@pytest.mark.parametrize("table", ["timeline_entry", "audit_entry"])
@pytest.mark.parametrize("change", ["update {} set text = 'x'", "delete from {}"])
def test_the_database_refuses_to_rewrite_what_happened(engine, table, change):
    change = change.replace("text =", "action =") if table == "audit_entry" else change
    with writing(engine) as db:
        if table == "audit_entry":
            db.execute(text("insert into audit_entry (at, actor_name, action, subject) values (1, 'a', 'b', 'c')"))
        else:
            db.execute(
                text(
                    "insert into incident (id, number, version, state, queue_group, title, description, affected, major"
                    ", security, compliance, financial, restricted, source, caller_name, caller_contact, reported_at,"
                    " changed_at, rank_at, reopen_count, handovers, ping_pong, imported) values (1, 'INC-000001', 1,"
                    " 'new', 0, 't', '', '', false, false, false, false, false, 'form', '', '', 1, 1, 1, 0, 0, false,"
                    " false)"
                )
            )
            db.execute(
                text(
                    "insert into timeline_entry (incident_id, at, recorded_at, actor_name, kind, text, detail, public,"
                    " imported) values (1, 1, 1, 'a', 'note', 'b', '', false, false)"
                )
            )
    with pytest.raises(DBAPIError, match="append-only"), writing(engine) as db:
        db.execute(text(change.format(table)))


OF_BEFORE = (
    "insert into incident (id, number, version, state, queue_group, title, description, affected, major, security,"
    " compliance, financial, restricted, source, caller_name, caller_contact, reported_at, changed_at, rank_at,"
    " reopen_count, handovers, ping_pong, imported, impact, urgency, priority, response_due_at, resolution_due_at,"
    " resolution_warn_at) values (:id, :number, 1, :state, 0, 't', '', '', false, false, false, false, false, 'form',"
    " '', '', :at, :at, :at, 0, 0, false, false, 1, 1, 1, :at + 900000000, :at + 14400000000, :at + 10800000000)"
)


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_was_open_before_there_was_a_warning_of_the_time_to_answer_gets_it_from_the_worker(
    empty_database_url, interrupted
):
    """Its moment follows from calendars, so the migration only notes that it is to be computed."""
    made = make_engine(empty_database_url)
    upgrade(made, to="0012")
    reported = to_micros(MONDAY)
    with writing(made) as db:
        for number, state in enumerate(("new", "new", "resolved"), 1):
            db.execute(text(OF_BEFORE), {"id": number, "number": f"INC-{number}", "state": state, "at": reported})
        missed = {"at": reported + 900_000_000}
        db.execute(
            text("insert into timer (incident_id, kind, due_at, fired_at) values (2, 'response_breach', :at, :at)"),
            missed,
        )
        if interrupted:  # a change of settings was on its way
            kept = {"after": 1, "again": [2], "done": False, "seen": 1, "moved": 0, "late": 0, "keys": []}
            kept |= {"matrix": DEFAULTS["priority.matrix"], "actor_id": None, "actor_name": "Ada"}
            put(db, {PENDING_KEY: kept | {"at": MONDAY.isoformat()}}, MONDAY)
    upgrade(made)
    with reading(made) as db:
        assert is_pending(db)
    soon = MONDAY + timedelta(minutes=5)
    while worker.policies.tick(soon, made):
        pass
    with reading(made) as db:
        assert not is_pending(db)
        warned = list(db.scalars(select(Incident.response_warn_at).order_by(Incident.id)))
        fired = dict(
            db.execute(select(Timer.incident_id, Timer.fired_at).where(Timer.kind == "response_warning")).all()
        )
    at = MONDAY + timedelta(seconds=675)
    assert warned == [at, at, None]
    assert fired == {1: None, 2: MONDAY + timedelta(seconds=900)}, "what was missed already is not warned of"
    made.dispose()


def test_where_nothing_is_open_there_is_nothing_to_compute_after_the_migration(engine):
    with reading(engine) as db:
        assert not is_pending(db)


def test_postgresql_tidies_incidents_often(engine):
    """Else counts of the queue would look at each row, after a day of many changes."""
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as db:
        options = db.execute(text("select unnest(reloptions) from pg_class where relname = 'incident'")).scalars().all()
    assert "autovacuum_vacuum_scale_factor=0.02" in options
