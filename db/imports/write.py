"""Writing histories: compared with what is stored, so that the same file again changes nothing."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, select, text, type_coerce
from sqlalchemy.orm import Session

from db import chains
from db.imports import bulk
from db.imports.entries import Entry
from db.imports.references import References
from db.imports.report import Refusals
from db.imports.servicenow import History
from db.models import QUEUE_GROUP, Incident, Instant, TimelineEntry, from_micros, to_micros
from db.queries.settings import Policies
from rules import imports, priority
from rules.imports import Step
from rules.states import LABELS, OPEN

COMPARED = (
    "state hold_reason title description affected service_id category_pair_id impact urgency priority reporter_id "
    "logged_by_id team_id assignee_id resolution_note reported_at acknowledged_at resolved_at closed_at cancelled_at "
    "changed_at reopen_count handovers ping_pong"
).split()
"""columns that the file decides"""
_COMPUTED = (
    "queue_group rank_at response_due_at response_warn_at resolution_due_at resolution_warn_at first_resolution_due_at"
).split()
"""columns that follow from them"""
_FIXED: dict[str, Any] = {
    "source": "import",
    "imported": True,
    "caller_name": "",
    "caller_contact": "",
    **dict.fromkeys(("major", "security", "compliance", "financial", "restricted"), False),
}
_INCIDENT = ("id", "number", "version", *COMPARED, *_COMPUTED, *_FIXED)
_CHANGES = chains.TIMELINE.index("changes")
_LOADED_AT_ONCE = 500

MADE_HERE = "The number belongs to an incident that was made here."
OTHER_OPENING = (
    "The incident was imported before with another opening time. Use the same zone (--zone) and date format as then."
)


class Stored(NamedTuple):
    """An entry that is already on a timeline."""

    at: int
    to_state: str | None
    to_team_id: int | None
    actor: str


@dataclass
class Known:
    """An incident that is already there."""

    id: int
    version: int
    imported: bool
    values: dict[str, Any]
    chain: bytes | None = None
    entries: list[Stored] = field(default_factory=list)
    worked_on: bool = False
    """somebody changed it here after it was imported"""


@dataclass
class Outcome:
    """What a batch amounts to; counts of incidents, and rows for `refusals`."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    entries: int = 0
    worked_on: int = 0
    older: int = 0
    refusals: Refusals = field(default_factory=Refusals)


class Batch:
    """A number of whole incidents, planned and written in the one transaction of `db`."""

    def __init__(self, db: Session, references: References, policies: Policies, now: datetime) -> None:
        self._db = db
        self._references = references
        self._policies = policies
        self._now = to_micros(now)
        self.outcome = Outcome()
        self._new: list[tuple[Any, ...]] = []
        self._entries: dict[int, list[tuple[Any, ...]]] = {}
        """incident id -> values of its new entries, in the order of chains.TIMELINE"""
        self._chains: dict[int, bytes | None] = {}
        self._updates: list[dict[str, Any]] = []

    def plan(self, histories: Sequence[History], *, dry_run: bool) -> None:
        """Decide what each history changes. Nothing but new names is written yet, and in a dry run not even those."""
        self._references.learn(self._db, histories)
        known = _load(self._db, [history.number for history in histories], locked=not dry_run)
        missing = sum(history.number not in known for history in histories)
        ids = iter(range(-missing, 0)) if dry_run else bulk.new_ids(self._db, "incident", missing)
        for history in histories:
            found = known.get(history.number)
            if found is None:
                self._create(next(ids), history)
            else:
                self._update(found, history)

    def write(self) -> None:
        """Write what was planned."""
        rows = self._sealed()
        new = [(*row, self._chains.get(row[0])) for row in self._new]
        bulk.insert(self._db, "incident", (*_INCIDENT, "chain"), new)
        for update in self._updates:
            update["chain"] = self._chains[update["row_id"]]
        if self._updates:
            names = [name for name in self._updates[0] if name != "row_id"]
            sets = ", ".join(f"{name} = :{name}" for name in names)
            self._db.execute(text(f"update incident set {sets} where id = :row_id"), self._updates)
        bulk.insert(self._db, "timeline_entry", (*chains.TIMELINE, "hash"), rows)

    def _sealed(self) -> list[tuple[Any, ...]]:
        """The new entries as they are stored, each with its hash; the chains of their incidents move on."""
        rows: list[tuple[Any, ...]] = []
        for incident_id, entries in self._entries.items():
            hashes = chains.sealed(self._chains.get(incident_id), entries)
            self._chains[incident_id] = hashes[-1]
            for values, hash in zip(entries, hashes, strict=True):
                changes = values[_CHANGES]
                stored = json.dumps(changes) if changes else None
                rows.append((*values[:_CHANGES], stored, *values[_CHANGES + 1 :], hash))
        return rows

    def _create(self, incident_id: int, history: History) -> None:
        values = self._values(history)
        row = {"id": incident_id, "number": history.number, "version": 1} | values | self._computed(values) | _FIXED
        self._new.append(tuple(row[name] for name in _INCIDENT))
        for entry in history.entries:
            self._add(incident_id, entry, 1)
        self.outcome.created += 1

    def _update(self, known: Known, history: History) -> None:
        if history.undated:
            _date(history, known)
        if not known.imported or known.values["reported_at"] != history.facts["reported_at"]:
            reason = OTHER_OPENING if known.imported else MADE_HERE
            self.outcome.refusals.add(history.row, history.number, reason, history.rows)
            return
        if known.worked_on:
            self.outcome.worked_on += 1
            self.outcome.unchanged += 1
            return
        added = self._missing(known, history)
        values = self._values(history)
        whole = not history.derived and len(history.entries) == len(known.entries) + len(added)
        if not whole:
            self._merge(values, known, history, added)
        if values["changed_at"] < known.values["changed_at"]:
            self.outcome.older += 1
            values = known.values
        if not added and values == known.values:
            self.outcome.unchanged += 1
            return
        version = known.version + 1
        self._chains[known.id] = known.chain
        self._updates.append({"row_id": known.id} | values | self._computed(values) | {"version": version})
        for position, entry in enumerate(added):
            if position == 0 and entry.at >= max(stored.at for stored in known.entries):
                self._add(known.id, _following(known, entry), version, known.values["team_id"])
            else:
                self._add(known.id, entry, version)
        self.outcome.changed += 1

    def _missing(self, known: Known, history: History) -> list[Entry]:
        """The entries of the history that are not on the timeline yet, in order."""
        if not known.entries:
            return list(history.entries)
        latest = max(stored.at for stored in known.entries)
        loose = Counter((stored.at, stored.to_state) for stored in known.entries)
        if history.derived:
            return [
                entry
                for entry in history.entries
                if entry.kind != "report" and entry.at >= latest and not loose[entry.at, entry.to_state]
            ]
        exact = Counter(known.entries)
        teams, left = self._references.teams, []
        for entry in history.entries:
            key = Stored(entry.at, entry.to_state, teams.get(entry.to_team or ""), entry.actor)
            if exact[key]:
                exact[key] -= 1
                loose[entry.at, entry.to_state] -= 1
            else:
                left.append(entry)
        if not left or history.entries[0].at >= latest:
            return left
        # The file goes back to before what is stored: what an ordinary export told of the same moments is the same.
        added = []
        for entry in left:
            if loose[entry.at, entry.to_state] > 0:
                loose[entry.at, entry.to_state] -= 1
            else:
                added.append(entry)
        return added

    def _merge(self, values: dict[str, Any], known: Known, history: History, added: Sequence[Entry]) -> None:
        """The file tells only part of the history: count over what is stored and what is added together."""
        teams, stored = self._references.teams, known.values
        steps = [Step(entry.at, entry.to_state or "new", entry.to_team_id) for entry in known.entries]
        steps += [Step(entry.at, entry.to_state, teams.get(entry.to_team or "")) for entry in added]
        if added and known.entries and added[0].at < known.entries[-1].at:
            steps.sort(key=lambda step: step.at)
        course = imports.course(steps)
        values["acknowledged_at"] = stored["acknowledged_at"]
        if stored["acknowledged_at"] is None and not history.derived and course.acknowledged is not None:
            values["acknowledged_at"] = max(course.acknowledged, stored["reported_at"])
        if values["resolved_at"] is None and values["state"] in ("resolved", "closed"):
            values["resolved_at"] = course.resolved
        values["reopen_count"] = max(stored["reopen_count"], values["reopen_count"], course.reopened)
        values["handovers"] = max(stored["handovers"], course.handovers)
        values["ping_pong"] = stored["ping_pong"] or course.ping_pong
        values["team_id"] = values["team_id"] or stored["team_id"]

    def _values(self, history: History) -> dict[str, Any]:
        names = self._references
        values = history.facts | {
            "service_id": names.services[history.service] if history.service else None,
            "category_pair_id": names.pairs[history.category] if history.category else None,
            "reporter_id": names.people[history.caller] if history.caller else None,
            "logged_by_id": names.people[history.opened_by] if history.opened_by else None,
            "team_id": names.teams[history.team] if history.team else None,
            "assignee_id": names.people[history.assignee] if history.assignee else None,
        }
        if values["priority"] is None and values["impact"] and values["urgency"]:
            values["priority"] = priority.priority(values["impact"], values["urgency"], self._policies.matrix)
        return values

    def _computed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Queue, rank and, while it is open, due times. What is done has no promise to keep: no due times."""
        reported, state = values["reported_at"], values["state"]
        computed: dict[str, Any] = dict.fromkeys(_COMPUTED)
        computed |= {"queue_group": QUEUE_GROUP[state], "rank_at": reported}
        if state in OPEN:
            due = from_micros(reported)
            if values["priority"] is not None:
                times = self._policies.targets.due(values["priority"], due, (), values["service_id"])
                due = times.resolution_due_at
                computed["response_due_at"] = to_micros(times.response_due_at)
                computed["response_warn_at"] = to_micros(times.response_warn_at)
                computed["resolution_due_at"] = computed["first_resolution_due_at"] = to_micros(due)
                computed["resolution_warn_at"] = to_micros(times.resolution_warn_at)
            merits = priority.Merits(values["priority"] or 5)
            computed["rank_at"] = to_micros(priority.rank_at(due, merits, self._policies.head_starts))
        return computed

    def _add(self, incident_id: int, entry: Entry, version: int, from_team_id: int | None = None) -> None:
        teams = self._references.teams
        if entry.from_team:
            from_team_id = teams[entry.from_team]
        self._entries.setdefault(incident_id, []).append(
            (
                incident_id,
                entry.at,
                self._now,
                None,
                entry.actor,
                entry.kind,
                entry.text,
                "",
                entry.changes or None,
                entry.from_state,
                entry.to_state,
                from_team_id,
                teams[entry.to_team] if entry.to_team else None,
                version,
                False,
                True,
            )
        )
        self.outcome.entries += 1


def _date(history: History, known: Known) -> None:
    """Give a history without dates of its own those it was first imported with."""
    stored = known.values
    for name in ("reported_at", "changed_at", "resolved_at", "closed_at", "cancelled_at"):
        history.facts[name] = (
            stored[name] if name in ("reported_at", "changed_at") else history.facts[name] and stored[name]
        )
    history.entries = [entry._replace(at=stored["reported_at"]) for entry in history.entries]


def _following(known: Known, entry: Entry) -> Entry:
    """The first added entry, told as what follows the stored ones where the file itself begins with it."""
    before = known.values["state"]
    if entry.from_state == before:
        return entry
    text = "updated it"
    if before != entry.to_state:
        text = f"moved it from {LABELS[before]} to {LABELS[entry.to_state]}"
    return entry._replace(kind=imports.action_between(before, entry.to_state), text=text, from_state=before)


def _load(db: Session, numbers: Sequence[str], *, locked: bool) -> dict[str, Known]:
    """Number -> what is stored of it, its timeline included; the incidents locked when they are to be changed."""
    found: dict[str, Known] = {}
    table = Incident.__table__
    columns = [
        type_coerce(table.c[name], BigInteger).label(name) if isinstance(table.c[name].type, Instant) else table.c[name]
        for name in COMPARED
    ]
    for start in range(0, len(numbers), _LOADED_AT_ONCE):
        some = numbers[start : start + _LOADED_AT_ONCE]
        own = (table.c.number, table.c.id, table.c.version, table.c.imported, table.c.chain)
        query = select(*own, *columns).where(table.c.number.in_(some)).order_by(table.c.id)
        if locked:
            query = query.with_for_update()
        for number, row_id, version, imported, chain, *values in db.execute(query):
            found[number] = Known(row_id, version, imported, dict(zip(COMPARED, values, strict=True)), chain)
    _load_entries(db, {known.id: known for known in found.values()})
    return found


def _load_entries(db: Session, by_id: dict[int, Known]) -> None:
    ids = list(by_id)
    entry = TimelineEntry.__table__.c
    for start in range(0, len(ids), _LOADED_AT_ONCE):
        query = (
            select(
                entry.incident_id,
                type_coerce(entry.at, BigInteger),
                entry.to_state,
                entry.to_team_id,
                entry.imported,
                entry.version,
                entry.actor_name,
            )
            .where(entry.incident_id.in_(ids[start : start + _LOADED_AT_ONCE]))
            .order_by(entry.id)
        )
        for incident_id, at, to_state, to_team_id, imported, version, actor in db.execute(query):
            known = by_id[incident_id]
            if imported:
                known.entries.append(Stored(at, to_state, to_team_id, actor))
            elif version is not None:
                known.worked_on = True
