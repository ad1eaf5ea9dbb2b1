"""Keeps the chains (rules.chain): every entry of a timeline or of the audit gets its hash when it is written.

An incident has a chain of its own, so that nobody waits who works on another one; incident.chain is the hash of its
newest entry. The audit is one chain, whose head is the row 'audit' of chain_head. Both are read and moved under the
lock of their row: two people who write at once get one after the other.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.orm import Session

from db.models import AuditEntry, ChainHead, Incident, TimelineEntry, to_micros
from db.settings import settings
from rules import chain

TIMELINE = (
    "incident_id", "at", "recorded_at", "actor_id", "actor_name", "kind", "text", "detail", "changes", "from_state",
    "to_state", "from_team_id", "to_team_id", "version", "public", "imported",
)  # fmt: skip
"""Columns that the hash of an entry covers, in the order in which it does."""
AUDIT = ("at", "actor_id", "actor_name", "action", "subject", "before", "after")
UNSEALED_TIMELINE, UNSEALED_AUDIT = "unsealed timeline", "unsealed audit"
"""Heads whose `entries` is the id of the newest entry from before there were chains: up to it, none is asked for."""

_INSTANTS = frozenset({"at", "recorded_at"})
_JSON = frozenset({"changes", "before", "after"})
_HELD = "held chains"
_CHAIN_OF = (
    select(Incident.id, Incident.chain)
    .where(Incident.id.in_(bindparam("ids", expanding=True)))
    .order_by(Incident.id)
    .with_for_update()
)
_AUDIT_HEAD = select(ChainHead.hash, ChainHead.entries).where(ChainHead.name == "audit").with_for_update()


def present_key() -> chain.Key:
    """The key that new entries are hashed with."""
    return chain.key_of(settings().secret())


def hold(db: Session, incidents: Iterable[Incident]) -> None:
    """Take note of the chains of incidents that are locked in this transaction, or new in it."""
    held = db.info.setdefault(_HELD, {})
    for incident in incidents:
        held[incident.id] = incident.chain


def begin(db: Session, incident: Incident, entry: TimelineEntry) -> None:
    """Let the chain of a new incident begin with its first entry, before either is written."""
    incident.chain = entry.hash = chain.link(present_key(), chain.START, _values(entry, TIMELINE))
    hold(db, [incident])


def sealed(before: bytes | None, entries: Iterable[Sequence[Any]]) -> list[bytes]:
    """The hashes of `entries` that follow one with the hash `before`: values in the order of TIMELINE, instants in
    microseconds. For what is written in bulk; the caller holds the incident and moves incident.chain.
    """
    key, hashes, last = present_key(), [], before or chain.START
    for values in entries:
        last = chain.link(key, last, values)
        hashes.append(last)
    return hashes


@event.listens_for(Session, "before_flush")
def _seal(db: Session, _context: Any, _instances: Any) -> None:
    entries = [new for new in db.new if isinstance(new, TimelineEntry) and new.hash is None]
    audited = [new for new in db.new if isinstance(new, AuditEntry)]
    if entries:
        _seal_timeline(db, entries)
    if audited:
        _seal_audit(db, audited)


def _seal_timeline(db: Session, entries: Sequence[TimelineEntry]) -> None:
    key, held = present_key(), db.info.setdefault(_HELD, {})
    unheld = sorted({entry.incident_id for entry in entries} - held.keys())
    if unheld:
        held |= {incident_id: found for incident_id, found in db.connection().execute(_CHAIN_OF, {"ids": unheld})}
    for entry in entries:
        held[entry.incident_id] = entry.hash = chain.link(
            key, held[entry.incident_id] or chain.START, _values(entry, TIMELINE)
        )
    for incident_id in {entry.incident_id for entry in entries}:
        incident = db.identity_map.get(db.identity_key(Incident, incident_id))
        if incident is not None:
            incident.chain = held[incident_id]
        else:
            moved = update(Incident.__table__).where(Incident.__table__.c.id == incident_id)  # type: ignore[arg-type]
            db.connection().execute(moved.values(chain=held[incident_id]))


def _seal_audit(db: Session, entries: Sequence[AuditEntry]) -> None:
    key, connection = present_key(), db.connection()
    head = connection.execute(_AUDIT_HEAD).one_or_none()
    if head is None:
        # The row comes with the migration. Were it removed since, the check says so; the app goes on.
        connection.execute(insert(ChainHead).values(name="audit", hash=chain.START, entries=0))
        head = connection.execute(_AUDIT_HEAD).one()
    last, count = bytes(head.hash), head.entries
    for entry in entries:
        last = entry.hash = chain.link(key, last, _values(entry, AUDIT))
        count += 1
    connection.execute(update(ChainHead).where(ChainHead.name == "audit").values(hash=last, entries=count))


def _values(entry: Any, names: Sequence[str]) -> list[Any]:
    return [_value(name, getattr(entry, name), entry) for name in names]


def _value(name: str, value: Any, entry: Any) -> Any:
    """What the database will give back for it."""
    if name in _INSTANTS:
        return to_micros(value)
    if name in _JSON:
        return json.loads(json.dumps(value))
    if value is None:
        default = entry.__table__.columns[name].default
        return default.arg if default is not None else None
    return value


@event.listens_for(Session, "after_soft_rollback")
def _forget(db: Session, _transaction: Any) -> None:
    db.info.pop(_HELD, None)


@event.listens_for(Session, "after_commit")
def _let_go(db: Session) -> None:
    db.info.pop(_HELD, None)
