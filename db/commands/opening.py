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
_LAST = select(func.max(Incident.id))


def _unless_sent(insert: Callable[..., Any]) -> Any:
    with_token = text("form_token is not null")
    made = insert(_TABLE).on_conflict_do_nothing(index_elements=["form_token"], index_where=with_token)
    return made.execution_options(preserve_rowcount=True)


_INSERTS = {"postgresql": _unless_sent(postgresql.insert), "sqlite": _unless_sent(sqlite.insert)}
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
    incident = Incident(id=id_, number=f"INC-{id_:06d}", state="new", version=1, **columns)
    clocks.place(incident, known)
    return incident


def write(db: Session, incident: Incident, first: TimelineEntry, known: Policies) -> Incident:
    """Write it with its first entry and its timers. The other one, when its form was sent twice and that came first.

    One statement writes all of its row, and says by itself when another came first: no savepoint, no update.
    """
    chains.begin(db, incident, first)
    said = {name: value for name, value in vars(incident).items() if name in _UNSAID and value is not None}
    connection = db.connection()
    if connection.execute(_INSERTS[connection.dialect.name], said).rowcount == 0:
        return db.scalars(_BY_TOKEN, {"form_token": incident.form_token}).one()
    for name in _UNSAID.keys() - said.keys():
        set_committed_value(incident, name, _UNSAID[name])
    make_transient_to_detached(incident)
    db.add_all([incident, first])
    timers.begin(db, incident, known.patience)
    return incident
