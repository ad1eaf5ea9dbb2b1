"""What the tests of the import share: the sample, and ways to look at what came of it."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from db.engine import reading
from db.imports import Report, run
from db.models import Incident, Person, Team, TimelineEntry
from rules.access import SYSTEM

SAMPLE = Path(__file__).parent.parent / "data" / "servicenow_sample.csv"
ROOT = Path(__file__).parent.parent.parent
LOG = ROOT.parent / "shared" / "data" / "servicenow_event_log.csv.gz"
"""the whole log, where it lies beside the project"""
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MANY = 60


def take(engine: Engine, file: Path = SAMPLE, **more: Any) -> Report:
    return run(file, **({"actor": SYSTEM, "now": NOW, "engine": engine} | more))


def sample_rows() -> list[dict[str, str]]:
    with SAMPLE.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def written(path: Path, rows: list[dict[str, str]], **dialect: Any) -> Path:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), **dialect)
        writer.writeheader()
        writer.writerows(rows)
    return path


def one(engine: Engine, number: str) -> Incident:
    with reading(engine) as db:
        return db.scalars(select(Incident).where(Incident.number == number)).one()


def entries(engine: Engine, number: str) -> list[TimelineEntry]:
    with reading(engine) as db:
        query = select(TimelineEntry).join(Incident, Incident.id == TimelineEntry.incident_id)
        return list(db.scalars(query.where(Incident.number == number).order_by(TimelineEntry.id)))


def counted(engine: Engine, *where: Any) -> int:
    with reading(engine) as db:
        return db.scalar(select(func.count()).select_from(Incident).where(*where))


REFERRED = {"service_id", "category_pair_id", "reporter_id", "logged_by_id", "team_id", "assignee_id"}


def facts(engine: Engine) -> dict[str, dict[str, Any]]:
    """number -> everything about an incident that does not depend on ids or on when it was imported."""
    with reading(engine) as db:
        teams = dict(db.execute(select(Team.id, Team.name)).all())
        people = dict(db.execute(select(Person.id, Person.name)).all())
        found = {}
        for incident in db.scalars(select(Incident)):
            values = {c.key: getattr(incident, c.key) for c in Incident.__mapper__.column_attrs}
            values |= {"team": teams.get(incident.team_id), "assignee": people.get(incident.assignee_id)}
            values |= {"reporter": people.get(incident.reporter_id)}
            found[incident.number] = {k: v for k, v in values.items() if k not in REFERRED | {"id", "version", "chain"}}
        for entry, number in db.execute(
            select(TimelineEntry, Incident.number)
            .join(Incident, Incident.id == TimelineEntry.incident_id)
            .order_by(TimelineEntry.id)
        ):
            found[number].setdefault("timeline", []).append(
                (
                    entry.at,
                    entry.kind,
                    entry.text,
                    entry.actor_name,
                    entry.from_state,
                    entry.to_state,
                    teams.get(entry.from_team_id),
                    teams.get(entry.to_team_id),
                )
            )
        return found


def half_histories() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(an export taken in the middle of every history, the rows that came afterwards)"""
    by_number: dict[str, list[dict[str, str]]] = {}
    for row in sample_rows():
        by_number.setdefault(row["number"], []).append(row)
    early, late = [], []
    for rows in by_number.values():
        middle = max(2, len(rows) // 2)
        early += rows[:middle]
        late += rows[middle:]
    return early, late


def last_rows() -> list[dict[str, str]]:
    return list({row["number"]: row for row in sample_rows()}.values())
