"""The suspected causes of an incident with their evidence, for those who work on it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.orm import Session, aliased

from db.models import Hypothesis, HypothesisEvidence, Person
from db.queries.incidents import Detail, works_on
from rules import access
from rules.access import Actor
from rules.hypotheses import CONFIRMED, SUSPECTED


@dataclass(frozen=True)
class Evidence:
    at: datetime
    by: str
    text: str
    speaks: str
    led_to: str | None


@dataclass(frozen=True)
class Suspicion:
    """One suspected cause."""

    id: int
    text: str
    state: str
    version: int
    at: datetime
    by: str
    changed_at: datetime
    changed_by: str
    evidence: list[Evidence] = field(default_factory=list)
    """oldest first"""

    def count(self, speaks: str) -> int:
        """How many pieces of evidence speak for it, or against it."""
        return sum(one.speaks == speaks for one in self.evidence)


_AUTHOR, _CHANGER, _WITNESS = aliased(Person), aliased(Person), aliased(Person)
_ALL = (
    select(
        Hypothesis.id,
        Hypothesis.text,
        Hypothesis.state,
        Hypothesis.version,
        Hypothesis.at,
        _AUTHOR.name,
        Hypothesis.changed_at,
        _CHANGER.name,
        HypothesisEvidence.at,
        _WITNESS.name,
        HypothesisEvidence.text,
        HypothesisEvidence.speaks,
        HypothesisEvidence.led_to,
    )
    .join(_AUTHOR, _AUTHOR.id == Hypothesis.author_id)
    .join(_CHANGER, _CHANGER.id == Hypothesis.changed_by_id)
    .outerjoin(HypothesisEvidence, HypothesisEvidence.hypothesis_id == Hypothesis.id)
    .outerjoin(_WITNESS, _WITNESS.id == HypothesisEvidence.author_id)
    .where(Hypothesis.incident_id == bindparam("incident_id"))
    .order_by(case({CONFIRMED: 0, SUSPECTED: 1}, value=Hypothesis.state, else_=2), Hypothesis.id, HypothesisEvidence.id)
)


def suspicions(db: Session, actor: Actor, detail: Detail) -> list[Suspicion]:
    """All of them: confirmed, suspected, ruled out; none for somebody who does not work on incidents."""
    access.check(actor, "read", detail.record)
    if not works_on(actor):
        return []
    found: dict[int, Suspicion] = {}
    for row in db.execute(_ALL, {"incident_id": detail.line.id}):
        one = found.setdefault(row[0], Suspicion(*row[:8]))
        at, by, text, speaks, led_to = row[8:]
        if at is not None:
            one.evidence.append(Evidence(at, by, text, speaks, led_to))
    return list(found.values())
