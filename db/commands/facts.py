"""Packing what is measured of incidents, and the steps they took, anew: a range of ids at a time."""

from typing import Any

from sqlalchemy import and_, delete, func, select, text
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident, StepBlock
from db.queries import facts, steps
from db.queries.columns import LENGTH

_LOCK = 7_406_112
_IDS_AT_ONCE = 500


def pack(db: Session, most: int = 8) -> int:
    """Pack up to `most` ranges anew: those that were never packed, then those with changes; how many it were.

    One at a time on PostgreSQL: who reads first must not write last.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    blocks = behind(db, most)
    for block in blocks:
        _pack(db, block)
    return len(blocks)


def behind(db: Session, most: int) -> list[int]:
    """Up to `most` ranges that are not packed as they stand."""
    newest = db.scalar(select(func.max(Incident.id)))
    if newest is None:
        return []
    whole = and_(StepBlock.block == FactBlock.block, StepBlock.made == FactBlock.made, StepBlock.shape == steps.SHAPE)
    known = set(db.scalars(select(FactBlock.block).join(StepBlock, whole).where(FactBlock.shape == facts.SHAPE)))
    never = [block for block in range(newest // LENGTH + 1) if block not in known][:most]
    block = FactChange.incident_id // LENGTH
    changed = select(block).where(block.not_in(never)).group_by(block).order_by(func.min(FactChange.id)).limit(most)
    return never + list(db.scalars(changed))[: most - len(never)]


def _pack(db: Session, block: int) -> None:
    first, last = block * LENGTH, (block + 1) * LENGTH
    # What is noted now is in what is read next; what is noted later stays noted.
    noted = list(
        db.scalars(select(FactChange.id).where(FactChange.incident_id >= first, FactChange.incident_id < last))
    )
    made = (db.scalar(select(FactBlock.made).where(FactBlock.block == block)) or 0) + 1
    _keep(db, FactBlock, block, facts.SHAPE, made, facts.packed(facts.between(db, first, last)))
    _keep(db, StepBlock, block, steps.SHAPE, made, steps.packed(steps.between(db, first, last)))
    db.flush()
    for start in range(0, len(noted), _IDS_AT_ONCE):
        db.execute(delete(FactChange).where(FactChange.id.in_(noted[start : start + _IDS_AT_ONCE])))


def _keep(db: Session, model: Any, block: int, shape: str, made: int, content: bytes) -> None:
    held = db.get(model, block)
    if held is None:
        db.add(model(block=block, shape=shape, made=made, content=content))
    else:
        held.shape, held.made, held.content = shape, made, content
