"""python -m db as people and scripts call it: exit 0 done, 1 refused with a sentence on stderr, never a traceback."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

import db.cli
from db.engine import DatabaseProblem, reading, writing
from db.models import ImportRun, Incident, Service
from db.queries import integrations, sessions
from tests.db.imported import MANY, ROOT, SAMPLE


@pytest.fixture
def command(app_database: Engine, capsys: pytest.CaptureFixture[str]):
    """Runs a command in this process: (exit status, stdout, stderr)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            status = db.cli.main(arguments)
        except SystemExit as ended:
            status = ended.code
        out, err = capsys.readouterr()
        return status, out, err

    return call


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def python(*arguments: str, url: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "db", *arguments], cwd=ROOT, env=environment, input=stdin, capture_output=True, text=True
    )


def test_a_fresh_database_is_made_and_filled_by_one_command(tmp_path):
    url = f"sqlite:///{tmp_path}/new/incidents.db"
    done = python("import", str(SAMPLE), url=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "382 rows, 60 incidents. Imported." in done.stdout
    again = python("import", str(SAMPLE), url=url)
    assert "unchanged         60" in again.stdout


def test_import_prints_the_report(command, app_database):
    status, out, err = command("import", str(SAMPLE))
    assert (status, err) == (0, "")
    assert "created           60" in out
    assert "Dates were read day first" in out
    with reading(app_database) as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == MANY


def test_a_dry_run_prints_the_same_report_and_writes_nothing(command, app_database):
    status, rehearsed, _ = command("import", "--dry-run", str(SAMPLE))
    assert status == 0
    with reading(app_database) as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        assert session.scalar(select(func.count()).select_from(ImportRun)) == 0
    _, real, _ = command("import", str(SAMPLE))
    assert rehearsed.splitlines()[1:] == real.splitlines()[1:]
    assert "Nothing was written (dry run)" in rehearsed


@on_sqlite
def test_a_file_of_any_tool_is_taken_in_by_a_map(command, app_database, tmp_path):
    (tmp_path / "map.toml").write_text('[columns]\ntitle = "Subject"\ncategory = "Group"\n', encoding="utf-8")
    (tmp_path / "theirs.csv").write_text("Subject,Group\nNo mail,Mail\nNo phone,Telephony\n", encoding="utf-8")
    arguments = ("import", str(tmp_path / "theirs.csv"), "--format", "csv", "--map", str(tmp_path / "map.toml"))
    status, out, err = command(*arguments)
    assert (status, err) == (0, "")
    assert "2 rows, 2 incidents. Imported." in out
    assert "unchanged          2" in command(*arguments)[1]


def test_a_bad_file_is_refused_with_one_sentence(command, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_bytes(SAMPLE.read_bytes()[:-40])
    status, out, err = command("import", str(bad))
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "too few columns" in err


@on_sqlite
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required: COMMAND"),
        (("repair",), "invalid choice: 'repair'"),
        (("import",), "required: FILE"),
        (("import", "x.csv", "--format", "remedy"), "invalid choice: 'remedy'"),
        (("import", "nothing.csv"), "There is no file 'nothing.csv'"),
        (("import", "x.csv", "--format", "csv"), "Name the map with --map MAP.toml"),
        (("import", "x.csv", "--format", "csv", "--map", "none.toml"), "The map 'none.toml' cannot be read: No such"),
        (("import", "x.csv", "--format", "csv", "--map", str(SAMPLE)), "Is it the right file?"),
        (("import", "x.csv", "--map", "m.toml"), "A map belongs to --format csv"),
        (("import", str(SAMPLE), "--zone", "Mars/Olympus"), "There is no zone 'Mars/Olympus'"),
        (("measures", "--json", "--from", "1.3.2016"), "'1.3.2016' is not a day such as"),
        (("person", "add", "Ana", "--email", "ana@example.org", "--role", "boss", "--password-stdin"), "'boss'"),
    ],
)
def test_what_cannot_be_done_is_refused(command, arguments, said):
    status, out, err = command(*arguments)
    assert (status, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "DATABASE_URL cannot be used"),
        ("mysql://somewhere/db", "must begin with sqlite:/// or postgresql://"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("sqlite:////proc/incidents.db", "cannot be opened"),
    ],
)
def test_an_unusable_database_is_a_sentence(url, said):
    done = python("migrate", url=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@on_sqlite
@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (DatabaseProblem("The disk is full."), 1, "The disk is full."),
        (KeyboardInterrupt(), 130, "run the same command again"),
        (BrokenPipeError(), 0, ""),
        (PermissionError(13, "Permission denied", "x"), 1, "Permission denied: x."),
        (ZeroDivisionError("division by zero"), 1, "Something went wrong (ZeroDivisionError: division by zero)"),
    ],
)
def test_whatever_happens_there_is_no_traceback(command, monkeypatch, raised, status, said):
    def fail(*_arguments, **_names):
        raise raised

    monkeypatch.setattr("db.imports.run", fail)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    got, _, err = command("import", str(SAMPLE))
    assert got == status
    assert said in err
    assert "Traceback" not in err


def test_a_closed_pipe_ends_it_quietly(sqlite_url):
    done = subprocess.run(
        f"{sys.executable} -m db import {SAMPLE} | true",
        shell=True,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": sqlite_url},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


def test_ctrl_c_stops_between_two_batches_and_says_how_to_go_on(sqlite_url):
    script = (
        "import os, signal, sys, db.imports; take = db.imports.run\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it is ignored where tests run in the background
        "stop = lambda phase, done, total: phase == 'write' and os.kill(os.getpid(), signal.SIGINT)\n"
        "db.imports.run = lambda file, **more: take(file, **(more | {'batch': 9, 'progress': stop}))\n"
        f"from db.cli import main; sys.exit(main(['import', {str(SAMPLE)!r}]))"
    )
    environment = os.environ | {"DATABASE_URL": sqlite_url}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 128 + signal.SIGINT
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


@on_sqlite
def test_measures_covers_whole_local_days(command, monkeypatch):
    asked = []

    def measures(_db, start, end, zone, *, now):
        asked.append((start, end, zone))
        return {"zone": zone}

    monkeypatch.setattr("db.queries.trends.measures", measures)
    status, out, _ = command(
        "measures", "--json", "--from", "2016-03-01", "--to", "2016-03-31", "--zone", "Europe/Berlin"
    )
    assert status == 0
    assert json.loads(out) == {"zone": "Europe/Berlin"}
    begin, end = datetime(2016, 2, 29, 23, tzinfo=UTC), datetime(2016, 3, 31, 22, tzinfo=UTC)
    assert asked == [(begin, end, "Europe/Berlin")]
    status, _, err = command("measures", "--json", "--from", "2016-03-02", "--to", "2016-03-01")
    assert status == 1
    assert "ends (2016-03-01) before it begins" in err


@on_sqlite
def test_an_integration_is_added_and_its_token_printed(command, app_database):
    with writing(app_database) as session:
        session.add(Service(name="Web shop"))
    status, out, err = command("integration", "add", "Prometheus", "--format", "alertmanager", "--service", "web shop")
    assert (status, err) == (0, "")
    token = out.strip()
    with reading(app_database) as session:
        sender = integrations.by_token(session, sessions.hashed(token))
    assert (sender.name, sender.format) == ("Prometheus", "alertmanager")
    for refused in (
        ("Other", "--format", "generic", "--service", "nowhere"),
        ("Prometheus", "--format", "generic", "--service", "Web shop"),
        ("Third", "--format", "carrier pigeon", "--service", "Web shop"),
    ):
        status, out, err = command("integration", "add", *refused)
        assert (status, out) == (1, "")
        assert len(err.splitlines()) == 1
