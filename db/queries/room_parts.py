"""What a room may hold beside its facts: causes, runbooks, a postmortem. One statement asks which there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from db.models import Hypothesis, OpenedRunbook, Person, Postmortem, Runbook, RunbookStep, RunbookVersion
from db.queries.hypotheses import Suspicion, suspicions
from db.queries.incidents import Detail, works_on
from rules import access
from rules.access import Actor
from rules.runbooks import fit

MOST_OFFERED = 200


@dataclass(frozen=True)
class Opened:
    """A version of a runbook that was opened on the incident."""

    id: int
    runbook_id: int
    name: str
    version: int
    newest: int
    """the newest version there is"""
    text: str
    opened_at: datetime
    opened_by: str
    done: dict[int, tuple[datetime, str]]
    """place of a step that was done -> when and by whom"""
    superseded: bool
    """a newer version of it is opened here too"""
    in_use: bool


@dataclass(frozen=True)
class Offer:
    """A runbook that can be opened."""

    id: int
    name: str
    suggested: bool
    """it names the incident's service or category, or any"""
    particular: bool
    """it names one of the two"""


@dataclass(frozen=True)
class Parts:
    """Nothing of it for somebody who does not work on incidents."""

    suspicions: Sequence[Suspicion] = ()
    opened: Sequence[Opened] = ()
    """newest first"""
    offers: Sequence[Offer] = ()
    """what is not opened yet: first what goes best with the incident, then what does not"""
    postmortem: tuple[int, str] | None = None
    """its id and its state"""


_INCIDENT: BindParameter[int] = bindparam("incident_id")
_THERE = select(
    exists().where(Hypothesis.incident_id == _INCIDENT),
    exists().where(OpenedRunbook.incident_id == _INCIDENT),
    exists().where(Runbook.archived_at.is_(None)),
    select(Postmortem.id).where(Postmortem.incident_id == _INCIDENT).scalar_subquery(),
    select(Postmortem.state).where(Postmortem.incident_id == _INCIDENT).scalar_subquery(),
)


def parts(db: Session, actor: Actor, detail: Detail) -> Parts:
    """Everything of it that there is."""
    access.check(actor, "read", detail.record)
    if not works_on(actor):
        return Parts()
    suspected, opened, runbooks, postmortem, state = db.execute(_THERE, {"incident_id": detail.line.id}).one()
    here = _opened(db, detail.line.id) if opened else []
    return Parts(
        suspicions(db, actor, detail) if suspected else (),
        here,
        _offers(db, detail, {one.runbook_id for one in here}) if runbooks else (),
        (postmortem, state) if postmortem is not None else None,
    )


_OPENER = aliased(Person)
_OPENED = (
    select(
        OpenedRunbook.id,
        OpenedRunbook.runbook_id,
        RunbookVersion.name,
        OpenedRunbook.version,
        Runbook.version,
        RunbookVersion.text,
        OpenedRunbook.opened_at,
        _OPENER.name,
        Runbook.archived_at,
    )
    .join(Runbook, Runbook.id == OpenedRunbook.runbook_id)
    .join(
        RunbookVersion,
        (RunbookVersion.runbook_id == OpenedRunbook.runbook_id) & (RunbookVersion.version == OpenedRunbook.version),
    )
    .join(_OPENER, _OPENER.id == OpenedRunbook.opened_by_id)
    .where(OpenedRunbook.incident_id == _INCIDENT)
    .order_by(OpenedRunbook.id.desc())
)
_DONE = (
    select(RunbookStep.opened_id, RunbookStep.position, RunbookStep.done_at, Person.name)
    .join(OpenedRunbook, OpenedRunbook.id == RunbookStep.opened_id)
    .join(Person, Person.id == RunbookStep.done_by_id)
    .where(OpenedRunbook.incident_id == _INCIDENT)
)


def _opened(db: Session, incident_id: int) -> list[Opened]:
    done: dict[int, dict[int, tuple[datetime, str]]] = {}
    for opened_id, position, at, by in db.execute(_DONE, {"incident_id": incident_id}):
        done.setdefault(opened_id, {})[position] = (at, by)
    rows = db.execute(_OPENED, {"incident_id": incident_id}).all()
    last = {row[1]: max(other[3] for other in rows if other[1] == row[1]) for row in rows}
    return [
        Opened(*row[:8], done=done.get(row[0], {}), superseded=row[3] < last[row[1]], in_use=row[8] is None)
        for row in rows
    ]


_IN_USE = (
    select(Runbook.id, Runbook.name, Runbook.service_id, Runbook.category_pair_id)
    .where(Runbook.archived_at.is_(None))
    .order_by(func.lower(Runbook.name), Runbook.id)
)


def _offers(db: Session, detail: Detail, opened: set[int]) -> list[Offer]:
    incident = (detail.service_id, detail.category_pair_id)
    found = [
        (-1 if (how_well := fit((service, pair), incident)) is None else how_well, runbook_id, name)
        for runbook_id, name, service, pair in db.execute(_IN_USE)
        if runbook_id not in opened
    ]
    found.sort(key=lambda each: -each[0])
    return [Offer(runbook_id, name, how_well >= 0, how_well > 0) for how_well, runbook_id, name in found[:MOST_OFFERED]]
