"""Whether the packed copy that is counted says of every incident what the incident and its timeline say."""

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident, StepBlock
from db.queries import facts, steps, walked
from db.queries.columns import LENGTH
from db.verify.findings import Findings


def check(db: Session, findings: Findings) -> int:
    """Compare each packed range with the truth, but for what is noted as changed since; how many ranges there are."""
    blocks = db.scalars(select(FactBlock.block).where(FactBlock.shape == facts.SHAPE).order_by(FactBlock.block)).all()
    whole = {block for block, (_, steps_too) in walked.packings(db).items() if steps_too}
    for block in blocks:
        _compare(db, block, findings, steps_too=block in whole)
    return len(blocks)


def _compare(db: Session, block: int, findings: Findings, *, steps_too: bool) -> None:
    first, last = block * LENGTH, (block + 1) * LENGTH
    wrong, strayed = _wrong_facts(db, block), _wrong_steps(db, block) if steps_too else set()
    noted = select(FactChange.incident_id).where(FactChange.incident_id >= first, FactChange.incident_id < last)
    changed = set(db.scalars(noted.distinct()))
    if (wrong | strayed) - changed:
        known = select(Incident.id, Incident.number).where(Incident.id >= first, Incident.id < last)
        numbers = {incident_id: number for incident_id, number in db.execute(known)}
        for incident_id in sorted((wrong | strayed) - changed):
            name = numbers.get(incident_id, f"with id {incident_id}")
            if incident_id in wrong:
                findings.add(f"The packed copy that trends count says something else than incident {name} itself.")
            if incident_id in strayed:
                findings.add(f"The packed copy of steps says something else than the timeline of incident {name}.")


def _wrong_facts(db: Session, block: int) -> set[int]:
    packed = facts.unpacked(db.scalar(select(FactBlock.content).where(FactBlock.block == block)) or b"")
    truth = facts.between(db, block * LENGTH, (block + 1) * LENGTH)
    wrong = {int(number) for number in np.setxor1d(packed["id"], truth["id"])}
    _, left, right = np.intersect1d(packed["id"], truth["id"], return_indices=True)
    for name in facts.KINDS:
        wrong |= {int(number) for number in truth["id"][right][packed[name][left] != truth[name][right]]}
    return wrong


def _wrong_steps(db: Session, block: int) -> set[int]:
    packed = steps.unpacked(db.execute(select(StepBlock.content).where(StepBlock.block == block)).scalar_one())
    truth = steps.between(db, block * LENGTH, (block + 1) * LENGTH)
    return {int(number) for number in steps.differing(packed, truth)}
