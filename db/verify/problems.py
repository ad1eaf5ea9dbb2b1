"""What must hold between a problem, its history and the incidents linked with it."""

from collections.abc import Iterator

from sqlalchemy import ScalarSelect, and_, func, select
from sqlalchemy.orm import Session

from db.models import IncidentLink, Problem, ProblemEntry
from db.verify.findings import Findings
from rules.problems import LABELS, TEXTS, missing


def check(db: Session, findings: Findings) -> int:
    """Look at every problem; how many there are."""
    seen = 0
    for problem, version in db.execute(select(Problem, _newest())).all():
        seen += 1
        for said in _of(problem, version):
            findings.add(f"{problem.number}: {said}.")
    other = and_(IncidentLink.problem_id == Problem.id, IncidentLink.reference != Problem.number)
    for number in db.scalars(select(Problem.number).join(IncidentLink, other).distinct()):
        findings.add(f"{number}: an incident is linked with it under another number.")
    return seen


def _newest() -> ScalarSelect[int | None]:
    newest = select(func.max(ProblemEntry.version)).where(ProblemEntry.problem_id == Problem.id)
    return newest.correlate(Problem).scalar_subquery()


def _of(problem: Problem, version: int | None) -> Iterator[str]:
    if problem.number != f"PRB-{problem.id:06d}":
        yield "its number is not the one that it was opened with"
    if version is None:
        yield "it has no history"
    elif problem.version != version:
        yield f"its version is {problem.version}, but its history says {version}"
    for name in missing(problem.state, {name: getattr(problem, name) for name in TEXTS}):
        yield f"it is {LABELS[problem.state].lower()}, but {TEXTS[name].lower()} is missing"
    if (problem.state == "fixed" and problem.fixed_at is None) or (
        (problem.closed_at is not None) != (problem.state == "closed")
    ):
        yield f"it is {LABELS[problem.state].lower()}, but its moments say otherwise"
