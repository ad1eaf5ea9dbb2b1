"""The check of the chains, in one walk over all entries in the order of their ids."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Engine, func, select, text, type_coerce
from sqlalchemy.orm import Session

from db import chains
from db.engine import reading, writing
from db.models import AuditEntry, ChainHead, Incident, Instant, TimelineEntry, from_micros
from db.verify.anchors import Anchor, Tally
from db.verify.findings import Findings
from rules import chain
from rules.chain import Key

PAGE = 5_000
_BROKEN = "it was changed, or what stood before it was changed, removed or exchanged"
_LONGEST_WAIT = "30s"


@dataclass
class Story:
    """What the timeline of one incident tells, as far as it was read."""

    chain: bytes | None = None
    state: str | None = None
    version: int = 0
    handovers: int = 0
    reopened: int = 0
    broken: bool = False


@dataclass
class Records:
    """What the chains hold."""

    entries: int = 0
    """timeline entries"""
    unsealed: int = 0
    """those from before there were chains"""
    audited: int = 0
    """audit entries with a hash"""
    anchor: Anchor | None = None
    stories: dict[int, Story] = field(default_factory=dict)
    """incident id -> what its timeline tells"""
    other_keys: dict[bytes, int] = field(default_factory=dict)
    """name of a key that is not known -> entries that were hashed with it"""


def settled(engine: Engine) -> int:
    """The id of a timeline entry up to which no other can still appear: writers that have begun are waited for."""
    newest = select(func.max(TimelineEntry.id))
    if engine.dialect.name == "sqlite":  # one transaction writes at a time: ids come in order
        with reading(engine) as db:
            return db.scalar(newest) or 0
    with writing(engine) as db:
        db.execute(text(f"set local lock_timeout = '{_LONGEST_WAIT}'"))
        db.execute(text("lock table timeline_entry in share mode"))
        return db.scalar(newest) or 0


def one_moment(db: Session) -> None:
    """Let all that this transaction reads be of one moment; call it first."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("set transaction isolation level repeatable read"))


def check(db: Session, keys: Mapping[bytes, Key], upto: int, anchors: Sequence[Anchor], findings: Findings) -> Records:
    """Walk along all chains. `upto` is what the new anchor covers; `anchors` are compared with what is there."""
    heads = _heads(db)
    records = Records()
    tally = Tally.of([upto, *(anchor.upto for anchor in anchors)])
    _timeline(db, keys, heads, tally, records, findings)
    audited = audit(db, keys, findings, records=records, at={anchor.audited for anchor in anchors})
    tally.end()
    entries, digest = tally.at[upto]
    records.anchor = Anchor(upto, entries, digest, records.audited, audited[records.audited])
    for anchor in anchors:
        _compare(anchor, tally, audited, findings)
    for name, number in records.other_keys.items():
        findings.add(
            f"Entries that were hashed with another SECRET_KEY (named {name.hex()}): {number:,}. This one cannot check "
            "them. Give the earlier key with --old-key FILE."
        )
    return records


def _heads(db: Session) -> dict[str, Any]:
    rows: Any = db.execute(select(ChainHead.name, ChainHead.hash, ChainHead.entries))
    return {row.name: row for row in rows}


def _pages(db: Session, model: Any, names: Sequence[str], after: int = 0) -> Iterator[Any]:
    """(id, hash, values…) of all rows in the order of ids; instants in microseconds."""
    columns = [
        type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column
        for column in (model.__table__.c[name] for name in names)
    ]
    while True:
        page = select(model.__table__.c.id, model.__table__.c.hash, *columns).where(model.__table__.c.id > after)
        rows = db.execute(page.order_by(model.__table__.c.id).limit(PAGE)).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


_KIND, _AT = chains.TIMELINE.index("kind"), chains.TIMELINE.index("at")
_STATES = chains.TIMELINE.index("from_state"), chains.TIMELINE.index("to_state")
_TEAMS = chains.TIMELINE.index("from_team_id"), chains.TIMELINE.index("to_team_id")
_VERSION = chains.TIMELINE.index("version")
_REOPENS, _DONE = ("reopen", "reject"), ("resolved", "recovered", "closed")


def _timeline(
    db: Session,
    keys: Mapping[bytes, Key],
    heads: Mapping[str, Any],
    tally: Tally,
    records: Records,
    findings: Findings,
) -> None:
    before_chains = heads[chains.UNSEALED_TIMELINE].entries if chains.UNSEALED_TIMELINE in heads else 0
    for row in _pages(db, TimelineEntry, chains.TIMELINE):
        entry_id, found, values = row[0], row[1], row[2:]
        story = records.stories.get(values[0])
        if story is None:
            story = records.stories[values[0]] = Story()
        records.entries += 1
        if found is None:
            records.unsealed += 1
            tally.add(entry_id, hashlib.sha256(chain.canonical(values)).digest())
            if entry_id > before_chains or story.chain is not None:
                _tell_entry(db, findings, story, entry_id, values, "it has no hash")
        else:
            tally.add(entry_id, found)
            held = chain.holds(keys, story.chain or chain.START, values, found)
            if held is None:
                name = bytes(found[: chain.NAME_BYTES])
                records.other_keys[name] = records.other_keys.get(name, 0) + 1
            elif not held:
                _tell_entry(db, findings, story, entry_id, values, _BROKEN)
            story.chain = found
        _follow(story, values)


def _follow(story: Story, values: Sequence[Any]) -> None:
    kind, version = values[_KIND], values[_VERSION]
    (before, after), (former, team) = (values[i] for i in _STATES), (values[i] for i in _TEAMS)
    story.state = after or story.state
    story.version = max(story.version, version or 0)
    step = -1 if kind == "undo" else 1
    if former is not None and team is not None and former != team:
        story.handovers += step
    if (kind in _REOPENS and before in _DONE) or (kind == "undo" and before == "in_progress" and after in _DONE):
        story.reopened += step


def _tell_entry(db: Session, findings: Findings, story: Story, entry_id: int, values: Sequence[Any], said: str) -> None:
    """One finding per incident: the first place; what follows may only be its consequence."""
    if story.broken:
        return
    story.broken = True
    number = db.scalar(select(Incident.number).where(Incident.id == values[0])) or f"incident {values[0]}"
    at = from_micros(values[_AT])
    findings.add(
        f"{number}: its timeline breaks at '{values[_KIND]}' of {at:%d %b %Y %H:%M:%S} (entry {entry_id}): {said}."
    )


def ends(records: Records, rows: Sequence[tuple[int, str, bytes | None]], findings: Findings) -> None:
    """Compare incident.chain of (id, number, chain) with the newest entry that was found."""
    for incident_id, number, held in rows:
        story = records.stories.get(incident_id)
        found = story.chain if story is not None else None
        if found != held and not (story is not None and story.broken):
            findings.add(
                f"{number}: the end of its timeline is not the one that was written last: entries are missing."
            )


def audit(
    db: Session,
    keys: Mapping[bytes, Key],
    findings: Findings,
    *,
    records: Records | None = None,
    at: set[int] | None = None,
    newest: int | None = None,
) -> dict[int, bytes]:
    """Walk along the audit; the hashes at the places `at`, counted from 1, and at its end.

    `newest` looks at no more than so many entries, and takes what stands before them for true.
    """
    heads, told = _heads(db), records or Records()
    head = heads.get("audit")
    after, last, count = _beginning(db, newest)
    before_chains = heads[chains.UNSEALED_AUDIT].entries if chains.UNSEALED_AUDIT in heads else 0
    found_at = {0: chain.START}
    for entry_id, found, *values in _pages(db, AuditEntry, chains.AUDIT, after):
        place = f"The audit breaks at '{values[3]}: {values[4]}' of {from_micros(values[0]):%d %b %Y %H:%M:%S}"
        if found is None:
            if entry_id > before_chains or count:
                findings.add(f"{place} (entry {entry_id}): it has no hash.")
            continue
        held = chain.holds(keys, last, values, found)
        if held is None:
            name = bytes(found[: chain.NAME_BYTES])
            told.other_keys[name] = told.other_keys.get(name, 0) + 1
        elif not held:
            findings.add(f"{place} (entry {entry_id}): {_BROKEN}.")
        last, count = bytes(found), count + 1
        if at and count in at:
            found_at[count] = last
    told.audited = count
    found_at[count] = last
    if head is None or bytes(head.hash) != last or (newest is None and head.entries != count):
        expected = f"{head.entries:,} entries" if head is not None else "its head"
        findings.add(
            f"The end of the audit is not the one that was written last: {expected} expected, {count:,} found."
        )
    return found_at


def _beginning(db: Session, newest: int | None) -> tuple[int, bytes, int]:
    """(id, hash, count) of what stands before the entries that are looked at."""
    if newest is None:
        return 0, chain.START, 0
    table = AuditEntry.__table__.c
    chosen = select(table.id, table.hash).order_by(table.id.desc()).offset(newest).limit(1)
    row = db.execute(chosen).one_or_none()
    return (row[0], bytes(row[1]) if row[1] else chain.START, 0) if row is not None else (0, chain.START, 0)


def _compare(anchor: Anchor, tally: Tally, audited: Mapping[int, bytes], findings: Findings) -> None:
    entries, digest = tally.at[anchor.upto]
    if entries != anchor.entries:
        findings.add(
            f"The anchor covers {anchor.entries:,} timeline entries up to number {anchor.upto}; {entries:,} are there."
        )
    elif digest != anchor.digest:
        findings.add(f"The timeline entries up to number {anchor.upto} are not those that the anchor was made of.")
    if anchor.audited not in audited:
        findings.add(f"The anchor covers {anchor.audited:,} audit entries; fewer are there.")
    elif audited[anchor.audited] != anchor.head:
        findings.add(f"The first {anchor.audited:,} audit entries are not those that the anchor was made of.")
