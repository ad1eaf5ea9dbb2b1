"""What is counted and measured of one incident: each fact is defined here, once, as an expression in SQL.

Instants and durations are whole microseconds; MISSING where there is none. Conditions are 1 or 0, ids 0 for none.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from db.models import Incident
from rules.sources import SOURCES

MISSING = int(np.iinfo(np.int64).min)
CERTAIN = 0
"""late from the beginning of time: it ended after it was due"""
SOURCE_CODES = {name: code for code, name in enumerate(SOURCES, 1)}
Columns = dict[str, NDArray[Any]]
"""fact -> its values, one for each incident"""


def micros(column: Any) -> ColumnElement[int]:
    """An instant as its number."""
    return type_coerce(column, BigInteger)


REPORTED = micros(Incident.reported_at)
RESOLVED = micros(Incident.resolved_at)
_ACKNOWLEDGED = micros(Incident.acknowledged_at)
_RECOVERED = micros(Incident.recovered_at)
_BEGAN = micros(func.coalesce(Incident.started_at, Incident.reported_at))
_KNOWN = case(
    (Incident.source == "alert", micros(func.coalesce(Incident.detected_at, Incident.reported_at))), else_=REPORTED
)
_CLOSED = micros(func.coalesce(Incident.closed_at, Incident.cancelled_at))
_ANSWERED = micros(func.coalesce(Incident.acknowledged_at, Incident.resolved_at))
COUNTED = and_(Incident.state != "cancelled", Incident.duplicate_of_id.is_(None))
"""Neither cancelled nor a duplicate of another."""


def _late_from(ended: ColumnElement[int], due: ColumnElement[int]) -> ColumnElement[Any]:
    """From when on a promise counts as broken: its due time while it runs, CERTAIN when it was kept too late."""
    broken = case((ended > due, literal(CERTAIN)), (ended.is_(None), due))
    return case((and_(COUNTED, due.is_not(None)), broken))


def _kept(ended: ColumnElement[int], due: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(COUNTED, due.is_not(None), ended.is_not(None), ended <= due)


_RESPONSE, _RESOLUTION = micros(Incident.response_due_at), micros(Incident.resolution_due_at)
MOMENTS: dict[str, ColumnElement[int]] = {
    "reported": REPORTED,
    "acknowledged": _ACKNOWLEDGED,
    "resolved": RESOLVED,
    "recovered": _RECOVERED,
    # When it left the backlog: resolved, else closed, else cancelled; never before it was reported.
    "done": micros(Incident.done_at),
    # When it left the backlog of what is not closed: closed, else cancelled; never before it was reported.
    "closed": case((_CLOSED < REPORTED, REPORTED), else_=_CLOSED),
    "began": _BEGAN,
    "response_late_from": _late_from(_ANSWERED, _RESPONSE),
    "resolution_late_from": _late_from(RESOLVED, _RESOLUTION),
}
DURATIONS: dict[str, ColumnElement[int]] = {
    # First human acknowledgement, since reported; of alerts since detected.
    "to_acknowledge": case((COUNTED, _ACKNOWLEDGED - _KNOWN)),
    # Last resolved, since reported.
    "to_resolve": case((COUNTED, RESOLVED - REPORTED)),
    # Recovered, since it started, or was reported where nobody knows the start.
    "to_recover": case((COUNTED, _RECOVERED - _BEGAN)),
}
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "counted": COUNTED,
    "unanswered": and_(COUNTED, Incident.acknowledged_at.is_(None)),
    "response_kept": _kept(_ANSWERED, _RESPONSE),
    "resolution_kept": _kept(RESOLVED, _RESOLUTION),
    "reopened": Incident.reopen_count > 0,
    "straight": and_(Incident.handovers == 0, Incident.reopen_count == 0),
    "handed_over": Incident.handovers > 0,
    "ping_pong": Incident.ping_pong.is_(True),
    "severe": and_(COUNTED, or_(Incident.major.is_(True), func.coalesce(Incident.priority, 5) <= 2)),
    "restricted": Incident.restricted.is_(True),
}
_IDS: dict[str, tuple[Any, str]] = {
    "id": (Incident.id, "<i8"),
    "team": (Incident.team_id, "<i4"),
    "service": (Incident.service_id, "<i4"),
    "pair": (Incident.category_pair_id, "<i4"),
    "priority": (Incident.priority, "u1"),
    "source": (case(SOURCE_CODES, value=Incident.source, else_=0), "u1"),
    "handovers": (Incident.handovers, "<u2"),
}
_ALL: dict[str, tuple[ColumnElement[Any], str]] = {
    **{name: (func.coalesce(column, 0), kind) for name, (column, kind) in _IDS.items()},
    **{
        name: (func.coalesce(column, literal(MISSING, BigInteger)), "<i8")
        for name, column in (MOMENTS | DURATIONS).items()
    },
    **{name: (case((condition, 1), else_=0), "u1") for name, condition in CONDITIONS.items()},
}
KINDS = {name: np.dtype(kind) for name, (_, kind) in _ALL.items()}
_SELECT = select(*(column for column, _ in _ALL.values())).order_by(Incident.id)
SHAPE = hashlib.sha256(f"{_SELECT.compile(compile_kwargs={'literal_binds': True})} {KINDS}".encode()).hexdigest()[:16]
"""Of the definitions: what was packed by others is packed anew."""


def between(db: Session, first: int, last: int) -> Columns:
    """The facts of the incidents with ids from `first` up to, not including, `last`, in the order of their ids."""
    return _columns(db.execute(_SELECT.where(Incident.id >= first, Incident.id < last)).all())


def of(db: Session, ids: Sequence[int], at_once: int = 500) -> Columns:
    """The facts of the incidents with these ids, as far as there are such, in the order of their ids."""
    chosen, rows = sorted(ids), list[Any]()
    for start in range(0, len(chosen), at_once):
        rows += db.execute(_SELECT.where(Incident.id.in_(chosen[start : start + at_once]))).all()
    return _columns(rows)


def _columns(rows: Sequence[Any]) -> Columns:
    values: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else ([] for _ in KINDS)
    return {name: np.array(column, kind) for (name, kind), column in zip(KINDS.items(), values, strict=True)}


def packed(columns: Columns) -> bytes:
    """The columns one after the other, little-endian."""
    return b"".join(columns[name].tobytes() for name in KINDS)


def unpacked(content: bytes) -> Columns:
    """What `packed` made into bytes."""
    count, place, columns = len(content) // sum(kind.itemsize for kind in KINDS.values()), 0, {}
    for name, kind in KINDS.items():
        columns[name] = np.frombuffer(content, kind, count, place)
        place += count * kind.itemsize
    return columns


def joined(parts: Sequence[Columns]) -> Columns:
    """The incidents of all parts, one part after the other."""
    return {name: np.concatenate([np.empty(0, kind), *(part[name] for part in parts)]) for name, kind in KINDS.items()}
