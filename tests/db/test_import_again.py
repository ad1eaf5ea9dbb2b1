"""Importing the same incidents again: repeated, newer, older, killed in the middle, two at once."""

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from db.engine import make_engine, reading, writing
from db.models import (
    AuditEntry,
    Category,
    ImportRun,
    Incident,
    Person,
    Service,
    Team,
    TimelineEntry,
)
from tests.db.imported import (
    MANY,
    NOW,
    ROOT,
    SAMPLE,
    counted,
    entries,
    facts,
    half_histories,
    last_rows,
    one,
    sample_rows,
    take,
    written,
)


def test_the_same_file_again_changes_nothing(engine):
    take(engine)
    before = facts(engine)
    report = take(engine, now=NOW + timedelta(days=1))
    assert (report.created, report.changed, report.unchanged, report.entries) == (0, 0, MANY, 0)
    assert facts(engine) == before
    with reading(engine) as db:
        runs = db.scalars(select(ImportRun).order_by(ImportRun.id)).all()
        assert [(run.created, run.unchanged, run.rows) for run in runs] == [(MANY, 0, 382), (0, MANY, 382)]
        assert [entry.action for entry in db.scalars(select(AuditEntry))] == ["import", "import"]


def test_another_tools_date_format_is_the_same_file(engine, tmp_path):
    take(engine)
    rows = sample_rows()
    for row in rows:
        for name in ("opened_at", "sys_updated_at", "resolved_at", "closed_at"):
            if row[name] != "?":
                row[name] = datetime.strptime(row[name], "%d/%m/%Y %H:%M").strftime("%d-%m-%Y %H:%M")
    report = take(engine, written(tmp_path / "dashes.csv", rows, delimiter=";"))
    assert (report.unchanged, report.entries) == (MANY, 0)


def test_a_newer_export_adds_only_what_is_new(engine, tmp_path):
    early, late = half_histories()
    first = take(engine, written(tmp_path / "early.csv", early))
    assert first.entries == len(early)
    assert counted(engine, Incident.queue_group < 2) > 10
    report = take(engine)
    assert report.created == 0
    assert report.entries == len(late)
    after = facts(engine)
    again = take(engine)
    assert (again.changed, again.entries) == (0, 0)
    assert facts(engine) == after


def test_an_export_in_two_steps_ends_like_one_in_one_step(sqlite_url, postgres_url, tmp_path):
    early, _ = half_histories()
    stepwise, whole = make_engine(sqlite_url), make_engine(postgres_url)
    try:
        take(stepwise, written(tmp_path / "early.csv", early))
        take(stepwise)
        take(whole)
        assert facts(stepwise) == facts(whole)
    finally:
        stepwise.dispose()
        whole.dispose()


def test_an_export_of_only_the_new_rows_continues_the_histories(sqlite_url, postgres_url, tmp_path):
    early, late = half_histories()
    stepwise, whole = make_engine(sqlite_url), make_engine(postgres_url)
    try:
        take(stepwise, written(tmp_path / "early.csv", early))
        report = take(stepwise, written(tmp_path / "late.csv", late))
        assert report.refused == 0
        take(whole)
        ours, theirs = facts(stepwise), facts(whole)
        for number, wanted in theirs.items():
            for name in ("state", "reopen_count", "handovers", "ping_pong", "acknowledged_at", "resolved_at", "team"):
                assert (number, name, ours[number][name]) == (number, name, wanted[name])
    finally:
        stepwise.dispose()
        whole.dispose()


def test_an_ordinary_export_after_the_history_adds_nothing(engine, tmp_path):
    take(engine)
    before = facts(engine)
    report = take(engine, written(tmp_path / "ordinary.csv", last_rows()))
    assert report.entries == 0
    for number, wanted in facts(engine).items():
        assert wanted == before[number]


def test_the_history_after_an_ordinary_export_is_filled_in(engine, tmp_path):
    take(engine, written(tmp_path / "ordinary.csv", last_rows()))
    take(engine)
    assert counted(engine, Incident.handovers > 0) == 20
    assert counted(engine, Incident.ping_pong) == 8
    assert counted(engine, Incident.acknowledged_at.is_not(None)) == 39
    assert sum(entry.to_state == "closed" for entry in entries(engine, "INC0000045")) == 1


def test_the_same_file_in_another_zone_is_refused_instead_of_doubled(engine):
    take(engine)
    before = facts(engine)
    report = take(engine, zone="Europe/Berlin")
    assert (report.created, report.changed, report.entries, report.refused) == (0, 0, 0, 382)
    assert any("same zone" in reason for reason in report.refusals.reasons)
    assert facts(engine) == before


def test_a_number_used_by_an_incident_made_here_is_refused(engine):
    take(engine)
    with writing(engine) as db:
        db.execute(update(Incident).where(Incident.number == "INC0000045").values(imported=False))
    report = take(engine)
    assert report.refused == 4
    assert report.unchanged == MANY - 1
    assert report.refusals.first[0][1] == "INC0000045"


def test_what_people_did_here_since_is_left_alone(engine, tmp_path):
    early, _ = half_histories()
    take(engine, written(tmp_path / "early.csv", early))
    number = early[0]["number"]
    incident = one(engine, number)
    with writing(engine) as db:
        db.execute(update(Incident).where(Incident.id == incident.id).values(title="Ours now", version=2))
        entry = {"kind": "prioritise", "text": "changed it", "detail": "", "public": False, "imported": False}
        db.add(TimelineEntry(incident_id=incident.id, at=NOW, recorded_at=NOW, actor_name="Ana", version=2, **entry))
    report = take(engine)
    assert one(engine, number).title == "Ours now"
    assert any("worked on here" in warning and ": 1;" in warning for warning in report.warnings)


def test_an_older_export_does_not_turn_back_the_clock(engine, tmp_path):
    take(engine)
    before = facts(engine)
    early, _ = half_histories()
    report = take(engine, written(tmp_path / "early.csv", early))
    assert report.entries == 0
    assert report.unchanged == MANY
    assert facts(engine) == before


def test_a_dry_run_reports_the_same_and_writes_nothing(engine):
    with reading(engine) as db:
        tables = [Incident, TimelineEntry, Person, Team, Category, ImportRun, AuditEntry]
        rehearsed = take(engine, dry_run=True)
        assert [db.scalar(select(func.count()).select_from(table)) for table in tables] == [0] * len(tables)
    real = take(engine)
    same = ("rows", "incidents", "created", "changed", "unchanged", "entries", "refused", "notes", "warnings")
    assert [getattr(rehearsed, name) for name in same] == [getattr(real, name) for name in same]
    again = take(engine, dry_run=True)
    assert (again.created, again.unchanged) == (0, MANY)


def test_a_dry_run_does_not_create_a_database(tmp_path):
    place = tmp_path / "none.db"
    report = take(make_engine(f"sqlite:///{place}"), dry_run=True)
    assert report.created == MANY
    assert not place.exists()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from db.engine import make_engine
from db.imports import run
from rules.access import SYSTEM

batches = 0
def die(phase, done, total):
    global batches
    batches += phase == "write"
    if batches == 4:
        os.kill(os.getpid(), signal.SIGKILL)

run(Path(sys.argv[1]), actor=SYSTEM, now=datetime.now(UTC), engine=make_engine(sys.argv[2]), batch=5, progress=die)
"""


def test_a_killed_import_is_carried_on_without_doubles(engine, database_url):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(SAMPLE), database_url], cwd=ROOT, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert counted(engine) == 20
    report = take(engine, batch=7)
    assert report.resumed_at == 20
    assert (report.created, report.unchanged, report.entries) == (MANY, 0, 382)
    assert counted(engine) == MANY
    with reading(engine) as db:
        runs = db.scalars(select(ImportRun)).all()
        assert len(runs) == 1
        assert runs[0].finished_at == NOW
        assert db.scalar(select(func.count()).select_from(TimelineEntry)) == 382
    assert take(engine).unchanged == MANY


@pytest.mark.parametrize("copies", [1, 2], ids=["one file twice", "two files of the same incidents"])
def test_two_imports_at_once_double_nothing(engine, tmp_path, copies):
    files = [SAMPLE, SAMPLE]
    if copies == 2:
        files[1] = written(tmp_path / "other.csv", sample_rows(), delimiter=";")
    together, reports, problems = threading.Barrier(2), [], []

    def go(file: Path) -> None:
        together.wait()
        try:
            reports.append(take(engine, file, batch=3))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=go, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert counted(engine) == MANY
    with reading(engine) as db:
        assert db.scalar(select(func.count()).select_from(TimelineEntry)) == 382
        assert db.scalar(select(func.count()).select_from(ImportRun).where(ImportRun.finished_at.is_(None))) == 0
        for model in (Team, Category, Service):
            names = db.scalars(select(model.name)).all()
            assert len(names) == len(set(names))
        people = db.scalars(select(Person.name)).all()
        assert len(people) == len(set(people))
