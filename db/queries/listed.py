"""The incidents behind a number, as far as whoever asks may open them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Incident
from db.queries import lines
from db.queries.access import visible
from db.queries.lines import Line
from rules import access
from rules.access import Actor

PAGE_SIZE = 10
_AT_ONCE = 20_000


def page(db: Session, actor: Actor, ids: Sequence[int], number: int) -> tuple[list[Line], int]:
    """One page of these incidents in their order, and how many of all of them the actor may open."""
    shown = _open(db, actor, ids)
    begin = (max(number, 1) - 1) * PAGE_SIZE
    return lines.of_ids(db, shown[begin : begin + PAGE_SIZE]), len(shown)


def every(db: Session, actor: Actor, ids: Sequence[int]) -> list[Line]:
    """Those of these incidents that the actor may open, in their order; for a few hundred at most."""
    return lines.of_ids(db, _open(db, actor, ids))


def _open(db: Session, actor: Actor, ids: Sequence[int]) -> list[int]:
    access.check(actor, "trends")
    open_: set[int] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = select(Incident.id).where(Incident.id.in_(ids[start : start + _AT_ONCE]), visible(actor))
        open_.update(db.scalars(some))
    return [id_ for id_ in ids if id_ in open_]
