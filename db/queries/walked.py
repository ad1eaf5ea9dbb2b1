"""The steps of all incidents in memory, always as the database has them at this moment.

What was packed is read once per process, when somebody first asks for it; what has changed since is read from the
timelines themselves.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Engine, and_, select
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, StepBlock
from db.queries import columns, steps
from db.queries.aggregated import Column
from db.queries.steps import Steps

_AT_ONCE = 32
"""blocks that come in one answer, some 10 MB"""

Made = tuple[int, bool]
"""the packing of a range, and whether its steps were packed with it, by these definitions"""
_NEVER: Made = (0, False)


@dataclass
class _Held:
    """What a process keeps of one database."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    blocks: dict[int, tuple[Made, Steps]] = field(default_factory=dict)


_known: WeakKeyDictionary[Engine, _Held] = WeakKeyDictionary()
_knowing = threading.Lock()


def read(db: Session, ids: Column) -> Steps:
    """The steps of the incidents with these ascending ids: those that changed lately come last."""
    # Changes are read before blocks: what is packed meanwhile is in a block.
    changed = np.isin(ids, np.array(db.scalars(select(FactChange.incident_id).distinct()).all(), np.int64))
    settled = ids[~changed]
    wanted = np.unique(settled // columns.LENGTH)
    held = _held(db)
    with held.guard:
        _refresh(db, held, wanted.tolist())
        blocks = [held.blocks[block][1] for block in wanted.tolist()]
    chosen = np.split(settled, np.searchsorted(settled, wanted[1:] * columns.LENGTH))
    parts = [block.of(some) for block, some in zip(blocks, chosen, strict=False)]
    return steps.joined([*parts, steps.of(db, ids[changed].tolist()).of(ids[changed])])


def packings(db: Session) -> dict[int, Made]:
    """The ranges that were packed."""
    whole = and_(StepBlock.made == FactBlock.made, StepBlock.shape == steps.SHAPE)
    found = select(FactBlock.block, FactBlock.made, StepBlock.block).outerjoin(
        StepBlock, and_(StepBlock.block == FactBlock.block, whole)
    )
    return {block: (made, packed is not None) for block, made, packed in db.execute(found)}


def _held(db: Session) -> _Held:
    bind = db.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    # What a transaction has not committed yet is nobody else's.
    if db.connection().get_execution_options().get("incident_desk_write", False):
        return _Held()
    with _knowing:
        return _known.setdefault(engine, _Held())


def _refresh(db: Session, held: _Held, wanted: Sequence[int]) -> None:
    """Bring these blocks up to this moment."""
    made = packings(db)
    moved = {block for block in wanted if held.blocks.get(block, (None,))[0] != made.get(block, _NEVER)}
    packed = sorted(block for block in moved if made.get(block, _NEVER)[1])
    for begin in range(0, len(packed), _AT_ONCE):
        some = select(StepBlock.block, StepBlock.content).where(StepBlock.block.in_(packed[begin : begin + _AT_ONCE]))
        for block, content in db.execute(some):
            held.blocks[block] = (made[block], steps.unpacked(content))
            moved.discard(block)
    for block in moved:
        first = block * columns.LENGTH
        held.blocks[block] = (made.get(block, _NEVER), steps.between(db, first, first + columns.LENGTH))
