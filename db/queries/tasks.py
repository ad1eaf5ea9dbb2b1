"""The checklist of an incident, for those who work on it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.models import Person, Task
from db.queries import templates
from db.queries.incidents import Detail, works_on
from rules import access
from rules.access import Actor


@dataclass(frozen=True)
class Step:
    id: int
    text: str
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True)
class Checklist:
    steps: tuple[Step, ...]
    offered: str | None
    """the template whose steps go with the category and are not all here yet"""

    @property
    def waiting(self) -> int:
        """How many steps are still to do."""
        return sum(step.done_at is None for step in self.steps)


_STEPS = (
    select(Task.id, Task.text, Task.done_at, Person.name)
    .outerjoin(Person, Person.id == Task.done_by_id)
    .where(Task.incident_id == bindparam("incident_id"))
    .order_by(Task.position, Task.id)
)


def checklist(db: Session, actor: Actor, detail: Detail) -> Checklist:
    """Its steps in order; none for somebody who does not work on incidents."""
    access.check(actor, "read", detail.record)
    if not works_on(actor):
        return Checklist((), None)
    steps = tuple(Step(*row) for row in db.execute(_STEPS, {"incident_id": detail.line.id}))
    usual = templates.of_category(db, detail.category_pair_id)
    present = {step.text for step in steps}
    missing = usual is not None and not present.issuperset(usual[1])
    return Checklist(steps, usual[0] if usual and missing else None)
