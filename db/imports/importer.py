"""One import from the first byte to the report: check everything, then write whole incidents batch by batch.

Each batch is a transaction that also moves the run's place forward. A run that was killed is therefore found again
by its file and carried on, and two runs of one file take turns instead of doubling.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.commands.history import learn
from db.engine import engine as process_engine
from db.engine import make_engine, reading, writing
from db.imports import bulk, mapped, rows, servicenow
from db.imports.references import References
from db.imports.report import Refusals, Report
from db.imports.rows import BadFile, Table
from db.imports.servicenow import History, Reader
from db.imports.write import Batch, Outcome
from db.migrations.run import upgrade
from db.models import ImportRun
from db.queries.settings import policies
from rules import access, imports
from rules.access import SYSTEM, Actor
from rules.errors import RuleError
from rules.import_map import ImportMap

BATCH = 1_000
"""incidents in one transaction"""

Progress = Callable[[str, int, int], None]
"""Hears (phase, rows done, rows in all or 0 while unknown); phase is 'check' or 'write'."""


def run(
    file: Path,
    *,
    actor: Actor,
    zone: str = "UTC",
    dry_run: bool = False,
    now: datetime,
    progress: Progress | None = None,
    engine: Engine | None = None,
    name: str | None = None,
    batch: int = BATCH,
    mapping: ImportMap | None = None,
) -> Report:
    """Import a ServiceNow export, or any CSV file by its `mapping`; `zone` is that of its dates.

    `name` is what the file is called on screens. BadFile when the file as a whole cannot be taken, RuleError when the
    actor or the zone will not do: nothing is changed then. With `dry_run` nothing is ever written and the report says
    what would be.
    """
    access.check(actor, "import")
    began = time.monotonic()
    told: Progress = progress or (lambda phase, done, total: None)
    zone = mapping.zone if mapping and mapping.zone else zone
    reader = _checked(file, mapping, _zone(zone), now, told)
    used = engine or process_engine()
    report = Report(name or file.name, dry_run, rows=reader.table.rows, incidents=len(reader.table.last_row))
    if dry_run:
        _rehearse(used, reader, report, now, told, batch)
    else:
        _import(used, reader, report, actor, (mapping.name if mapping else servicenow.FORMAT, zone), now, told, batch)
        learn(used, now)
    report.seconds = time.monotonic() - began
    return report


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise RuleError(
            f"There is no zone '{name[:60]}'. Use a name such as UTC or Europe/Berlin.", field="zone"
        ) from None


def _checked(file: Path, mapping: ImportMap | None, zone: ZoneInfo, now: datetime, told: Progress) -> Reader:
    """The file, read to its end. Refused as a whole when not one of its rows can be used."""
    if mapping is not None:
        table: Table = mapped.check(file, mapping, now, lambda done: told("check", done, 0))
    else:
        table = rows.check(
            file,
            name_of=imports.column_name,
            required=servicenow.REQUIRED,
            known=servicenow.KNOWN,
            group_by="number",
            dates=servicenow.DATES,
            told=lambda done: told("check", done, 0),
        )
    reader = Reader(table, zone)
    if next(reader.histories(), None) is None:
        row, _, reason = reader.refusals.first[0]
        raise BadFile(f"No row of the file can be used. Row {row:,}: {reason}")
    reader.forget()
    return reader


def _batches(histories: Iterable[History], size: int) -> Iterator[list[History]]:
    source = iter(histories)
    while some := list(islice(source, size)):
        yield some


def _rehearse(engine: Engine, reader: Reader, report: Report, now: datetime, told: Progress, size: int) -> None:
    total = Outcome()
    references = References(now, dry_run=True)
    with _as_it_is(engine) as used, reading(used) as db:
        known = policies(db)
        for some in _batches(reader.histories(), size):
            work = Batch(db, references, known, now)
            work.plan(some, dry_run=True)
            _add(total, work.outcome)
            told("write", some[-1].row, reader.table.rows)
    _tell(report, reader, total)


@contextmanager
def _as_it_is(engine: Engine) -> Iterator[Engine]:
    """The database, or an empty one elsewhere if there is none yet: a dry run must not even create it."""
    missing = engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists()
    if not missing and inspect(engine).has_table("incident"):
        yield engine
        return
    with tempfile.TemporaryDirectory() as folder:
        empty = make_engine(f"sqlite:///{folder}/empty.db")
        upgrade(empty)
        try:
            yield empty
        finally:
            empty.dispose()


def _import(
    engine: Engine,
    reader: Reader,
    report: Report,
    actor: Actor,
    read_as: tuple[str, str],
    now: datetime,
    told: Progress,
    size: int,
) -> None:
    run_id, report.resumed_at = _begin(engine, reader.table, report.file_name, actor, read_as, now)
    references = References(now, dry_run=False)
    start = 0
    for some in _batches(reader.histories(), size):
        if start + len(some) > report.resumed_at:
            _write(engine, run_id, start, some, references, now)
        start += len(some)
        told("write", some[-1].row, reader.table.rows)
    with writing(engine) as db:
        entry = _locked(db, run_id)
        _tell(report, reader, _outcome(entry))
        if entry.finished_at is None:
            entry.finished_at, entry.rows = now, report.rows
            entry.refused = report.refused
            entry.report = _data(entry) | report.as_data()
            done = {name: getattr(report, name) for name in ("created", "changed", "unchanged", "refused")}
            audit.record(db, actor, now, "import", report.file_name, after={"run": run_id, **done})
            bulk.take_stock(db)


def _begin(
    engine: Engine, table: Table, name: str, actor: Actor, read_as: tuple[str, str], now: datetime
) -> tuple[int, int]:
    """(the run, incidents it has behind it): an unfinished run of the same file, read the same way, is carried on.

    `read_as`: format and zone.
    """
    format, zone = read_as
    with writing(engine) as db:
        bulk.lock(db)
        unfinished = (
            select(ImportRun)
            .where(
                ImportRun.sha256 == table.sha256,
                ImportRun.format == format,
                ImportRun.zone == zone,
                ImportRun.finished_at.is_(None),
            )
            .order_by(ImportRun.id.desc())
            .limit(1)
        )
        entry = db.scalars(unfinished).one_or_none()
        if entry is None:
            entry = ImportRun(
                file_name=name[:300],
                sha256=table.sha256,
                format=format,
                zone=zone,
                started_by_id=None if actor is SYSTEM else actor.id,
                started_at=now,
                report={"position": 0, "of_rows": table.rows},
            )
            db.add(entry)
            db.flush()
        return entry.id, int(_data(entry)["position"])


def _write(engine: Engine, run_id: int, start: int, some: list[History], references: References, now: datetime) -> None:
    """Write the part of a batch that the run has not behind it; somebody else may have taken it meanwhile."""
    with writing(engine) as db:
        bulk.lock(db)
        entry = _locked(db, run_id)
        data = _data(entry)
        todo = some[max(int(data["position"]) - start, 0) :]
        if entry.finished_at is not None or not todo:
            return
        work = Batch(db, references, policies(db), now)
        work.plan(todo, dry_run=False)
        work.write()
        total = _outcome(entry)
        _add(total, work.outcome)
        entry.created, entry.changed, entry.unchanged = total.created, total.changed, total.unchanged
        entry.rows = max(entry.rows, some[-1].row - 1)
        entry.refused = total.refusals.rows
        entry.report = data | {
            "position": start + len(some),
            "entries": total.entries,
            "worked_on": total.worked_on,
            "older": total.older,
            "conflicts": total.refusals.as_data(),
        }


def _locked(db: Session, run_id: int) -> ImportRun:
    return db.scalars(select(ImportRun).where(ImportRun.id == run_id).with_for_update()).one()


def _data(entry: ImportRun) -> dict[str, Any]:
    return dict(entry.report or {"position": 0})


def _outcome(entry: ImportRun) -> Outcome:
    """What the run has done so far, whoever did it."""
    data = _data(entry)
    refusals = Refusals.from_data(data["conflicts"]) if "conflicts" in data else Refusals()
    return Outcome(
        entry.created,
        entry.changed,
        entry.unchanged,
        data.get("entries", 0),
        data.get("worked_on", 0),
        data.get("older", 0),
        refusals,
    )


def _add(total: Outcome, some: Outcome) -> None:
    for name in ("created", "changed", "unchanged", "entries", "worked_on", "older"):
        setattr(total, name, getattr(total, name) + getattr(some, name))
    total.refusals.merge(some.refusals)


def _tell(report: Report, reader: Reader, total: Outcome) -> None:
    report.created, report.changed, report.unchanged = total.created, total.changed, total.unchanged
    report.entries = total.entries
    report.refusals.merge(reader.refusals)
    report.refusals.merge(total.refusals)
    report.notes = reader.notes()
    report.warnings = reader.warnings()
    if report.resumed_at:
        report.notes.append(
            f"An earlier import of this file had stopped after {report.resumed_at:,} incidents; this one carried on. "
            "The counts are those of both together."
        )
    if total.worked_on:
        report.warnings.append(
            f"Incidents worked on here since they were imported: {total.worked_on:,}; they were left as they are."
        )
    if total.older:
        report.warnings.append(
            f"Incidents that are newer here than in this file: {total.older:,}; their present state was kept."
        )
