"""Whether the packed copy that is counted says of every incident what the incident itself says."""

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident
from db.queries import facts
from db.queries.columns import LENGTH
from db.verify.findings import Findings


def check(db: Session, findings: Findings) -> int:
    """Compare each packed range with the truth, but for what is noted as changed since; how many ranges there are."""
    blocks = db.scalars(select(FactBlock.block).where(FactBlock.shape == facts.SHAPE).order_by(FactBlock.block)).all()
    for block in blocks:
        _compare(db, block, findings)
    return len(blocks)


def _compare(db: Session, block: int, findings: Findings) -> None:
    first, last = block * LENGTH, (block + 1) * LENGTH
    packed = facts.unpacked(db.scalar(select(FactBlock.content).where(FactBlock.block == block)) or b"")
    truth = facts.between(db, first, last)
    noted = select(FactChange.incident_id).where(FactChange.incident_id >= first, FactChange.incident_id < last)
    changed = np.array(db.scalars(noted.distinct()).all(), np.int64)
    wrong = {int(number) for number in np.setxor1d(packed["id"], truth["id"])}
    _, left, right = np.intersect1d(packed["id"], truth["id"], return_indices=True)
    for name in facts.KINDS:
        wrong |= {int(number) for number in truth["id"][right][packed[name][left] != truth[name][right]]}
    wrong -= {int(number) for number in changed}
    if wrong:
        known = select(Incident.id, Incident.number).where(Incident.id >= first, Incident.id < last)
        numbers = {incident_id: number for incident_id, number in db.execute(known)}
        for incident_id in sorted(wrong):
            name = numbers.get(incident_id, f"with id {incident_id}")
            findings.add(f"The packed copy that trends count says something else than incident {name} itself.")
