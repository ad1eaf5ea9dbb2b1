"""Imports started on a screen: a thread of this process does the work, whatever becomes of the browser's tab.

What a thread was doing when the process ended is not lost: the run stands in the database, and the same file imported
again carries it on.
"""

import logging
import secrets
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from db.engine import DatabaseProblem
from db.imports.importer import run
from db.imports.report import Report
from rules import access
from rules.access import Actor
from rules.errors import RuleError

log = logging.getLogger("incident_desk.imports")

_MOST_KEPT = 20


@dataclass
class Job:
    """One import on its way. Read by screens while its thread writes; every field is replaced whole."""

    id: str
    name: str
    file: Path
    zone: str
    dry_run: bool
    phase: str = "check"
    done: int = 0
    total: int = 0
    report: Report | None = None
    problem: str = ""
    """the sentence, when it was refused or failed"""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        return not self.ended.is_set()

    @property
    def share(self) -> float:
        """0..1 of the rows; checking counts for nothing, as the number of rows is not known then."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def told(self, phase: str, done: int, total: int) -> None:
        """Hears how far the import has got."""
        self.phase, self.done, self.total = phase, done, total


_jobs: dict[str, Job] = {}
_guard = threading.Lock()


def start(
    content: bytes | Path,
    name: str,
    *,
    actor: Actor,
    zone: str,
    dry_run: bool,
    now: datetime,
    engine: Engine | None = None,
) -> Job:
    """Begin to import an uploaded file (its bytes), or one that a dry run of `start` has kept (its path)."""
    access.check(actor, "import")
    file = content if isinstance(content, Path) else _kept(content)
    job = Job(secrets.token_urlsafe(16), name, file, zone, dry_run)
    with _guard:
        _jobs[job.id] = job
        for old in [held for held in _jobs.values() if not held.running][: max(0, len(_jobs) - _MOST_KEPT)]:
            del _jobs[old.id]
            if not any(held.file == old.file for held in _jobs.values()):
                old.file.unlink(missing_ok=True)
    threading.Thread(target=_work, args=(job, actor, now, engine), name=f"import {job.id[:6]}", daemon=True).start()
    return job


def find(job_id: str | None) -> Job | None:
    """The job of this id, if this process still knows it."""
    return _jobs.get(job_id or "")


def busy() -> bool:
    """True while an import of this process is writing; one that only checks does not count."""
    with _guard:
        return any(job.running and not job.dry_run for job in _jobs.values())


def forget(job: Job) -> None:
    """Drop an ended job and the file it kept."""
    if job.running:
        return
    with _guard:
        _jobs.pop(job.id, None)
    job.file.unlink(missing_ok=True)


@cache
def _place() -> tempfile.TemporaryDirectory[str]:
    """Where uploads of this process wait between the check and the import; removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="incident-desk-import-")


def _kept(content: bytes) -> Path:
    path = Path(_place().name) / f"{secrets.token_hex(8)}.csv"
    path.write_bytes(content)
    return path


def _work(job: Job, actor: Actor, now: datetime, engine: Engine | None) -> None:
    try:
        job.report = run(
            job.file,
            actor=actor,
            zone=job.zone,
            dry_run=job.dry_run,
            now=now,
            progress=job.told,
            engine=engine,
            name=job.name,
        )
    except (RuleError, DatabaseProblem) as error:
        job.problem = error.sentence
    except Exception:
        log.exception("An import failed; reference %s", job.id[:8])
        job.problem = (
            f"Something went wrong (reference {job.id[:8]}). What was taken stays; import the file again to carry on."
        )
    finally:
        if not job.dry_run or job.problem:
            job.file.unlink(missing_ok=True)
        job.ended.set()
