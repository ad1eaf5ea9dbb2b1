"""A new incident is written once, as it is to be: with its number, its due times and the beginning of its timeline."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, bindparam, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from db import chains
from db.commands import clocks, timers
from db.models import Incident, TimelineEntry
from db.queries import settings
from db.queries.settings import Policies

_TABLE: Table = Incident.__table__  # type: ignore[assignment]
_UNSAID = {
    column.key: column.default.arg if column.default is not None else None  # type: ignore[attr-defined]
    for column in _TABLE.columns
    if column.computed is None
}
"""what a column holds that nothing is said of"""
_NEXT = "nextval(pg_get_serial_sequence('incident', 'id'))"
_DRAWN = text(f"select {_NEXT} from generate_series(1, :count)")
_LAST = select(func.max(Incident.id))


_MOST_AT_ONCE = 512


def _unless_there(insert: Callable[..., Any]) -> Any:
    return insert(_TABLE).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


_INSERTS = {"postgresql": _unless_there(postgresql.insert), "sqlite": _unless_there(sqlite.insert)}
_BY_TOKEN = select(Incident).where(Incident.form_token == bindparam("form_token"))


def sent(db: Session, form_token: str | None) -> Incident | None:
    """The incident that was made of this form."""
    return db.scalars(_BY_TOKEN, {"form_token": form_token}).one_or_none() if form_token else None


def begin(db: Session) -> tuple[int, Policies]:
    """The id of a new incident, and the policies that it is made by; they hold until it is written."""
    if db.get_bind().dialect.name == "postgresql":
        id_ = settings.hold(db, shared=True, also=_NEXT)
    else:  # one transaction writes at a time
        id_ = (db.execute(_LAST).scalar() or 0) + 1
    return id_, settings.policies(db)


def numbered(id_: int, known: Policies, **columns: Any) -> Incident:
    """The incident that is to be written, with the number, the due times and the place that it will have."""
    incident = Incident(id=id_, number=_number_of(id_), state="new", version=1, **columns)
    clocks.place(incident, known)
    return incident


def write(db: Session, incident: Incident, first: TimelineEntry, known: Policies) -> Incident:
    """Write it with its first entry and its timers. The other one, when its form was sent twice and that came first.

    One statement writes all of its row, and says by itself when another came first: no savepoint, no update. Where an
    import brought the number from elsewhere, the incident takes the next one that is free.
    """
    chains.begin(db, incident, first)
    said = {name: value for name, value in vars(incident).items() if name in _UNSAID and value is not None}
    connection = db.connection()
    insert = _INSERTS[connection.dialect.name]
    while connection.execute(insert, said).rowcount == 0:
        made = sent(db, incident.form_token)
        if made is not None:
            return made
        incident.id = first.incident_id = said["id"] = _next_free(db, incident.id)
        incident.number = said["number"] = _number_of(incident.id)
        chains.begin(db, incident, first)
        said["chain"] = incident.chain
    for name in _UNSAID.keys() - said.keys():
        set_committed_value(incident, name, _UNSAID[name])
    make_transient_to_detached(incident)
    db.add_all([incident, first])
    timers.begin(db, incident, known.patience)
    return incident


def _number_of(id_: int) -> str:
    return f"INC-{id_:06d}"


def _next_free(db: Session, taken: int) -> int:
    """An id after `taken`, the first whose number no incident has."""
    last, count = taken, 1
    while True:
        if db.get_bind().dialect.name == "postgresql":
            ids = list(db.scalars(_DRAWN, {"count": count}))
        else:
            ids = list(range(last + 1, last + 1 + count))
        numbers: dict[str, int] = {_number_of(id_): id_ for id_ in ids}
        held = set(db.scalars(select(Incident.number).where(Incident.number.in_(numbers))))
        free = [id_ for number, id_ in numbers.items() if number not in held]
        if free:
            return free[0]
        last, count = ids[-1], min(count * 2, _MOST_AT_ONCE)
