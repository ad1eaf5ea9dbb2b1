"""Packing what is measured of incidents anew, a range of ids at a time."""

from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident
from db.queries import facts
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
    known = set(db.scalars(select(FactBlock.block).where(FactBlock.shape == facts.SHAPE)))
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
    content = facts.packed(facts.between(db, first, last))
    held: Any = db.get(FactBlock, block)
    if held is None:
        db.add(FactBlock(block=block, shape=facts.SHAPE, made=1, content=content))
    else:
        held.shape, held.made, held.content = facts.SHAPE, held.made + 1, content
    db.flush()
    for start in range(0, len(noted), _IDS_AT_ONCE):
        db.execute(delete(FactChange).where(FactChange.id.in_(noted[start : start + _IDS_AT_ONCE])))
