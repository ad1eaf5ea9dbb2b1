"""The timeline of an imported incident: what each row of its history changed, in words."""

from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from db.imports.rows import Row
from rules import imports
from rules.imports import MISSING

TRACKED = {
    "priority": "priority",
    "impact": "impact",
    "urgency": "urgency",
    "category": "category",
    "subcategory": "subcategory",
    "u_symptom": "symptom",
    "assigned_to": "assignee",
    "caller_id": "caller",
    "location": "location",
    "cmdb_ci": "configuration item",
    "problem_id": "problem",
    "rfc": "change request",
    "vendor": "vendor",
    "caused_by": "cause",
}
"""column -> the word for it on the timeline, where each of its changes is told"""
NAME_LIMIT, PERSON_LIMIT = 120, 200


class Entry(NamedTuple):
    """One entry of a timeline; teams by name, the moment in microseconds."""

    at: int
    actor: str
    kind: str
    text: str
    changes: dict[str, list[str | None]] | None
    from_state: str | None
    to_state: str
    from_team: str | None
    to_team: str | None


@lru_cache(maxsize=50_000)
def _name(text: str, limit: int) -> str | None:
    """One line without doubled spaces (the log writes 'Opened by  8'); None when it is missing."""
    line = " ".join(text.split())[:limit]
    return None if line in MISSING else line


class Cells:
    """One row by name: trimmed text, None for what is missing or has no column."""

    __slots__ = ("_at", "_row")

    def __init__(self, at: dict[str, int], row: Row) -> None:
        self._at = at
        self._row = [None if (text := cell.strip()) in MISSING else text for cell in row]
        self._row.append(None)  # where columns that are not there (-1) point

    def __getitem__(self, name: str) -> str | None:
        return self._row[self._at[name]]

    def name(self, name: str, limit: int) -> str | None:
        """The text as one line of at most `limit` characters."""
        text = self._row[self._at[name]]
        return None if text is None else _name(text, limit)


class Teller:
    """Writes the entries of one incident at a time.

    `at` maps columns to their places (-1: absent), `moments` the text of a date to microseconds.
    """

    def __init__(self, at: dict[str, int], moments: dict[str, int]) -> None:
        self._at = at
        self._moments = moments
        self.backwards = 0
        """rows that are older than the row before them"""
        tracked = [name for name in TRACKED if at[name] >= 0]
        self._labels = [TRACKED[name] for name in tracked]
        self._slice = itemgetter(*(at[name] for name in tracked), at["number"], at["number"])

    def walked(self, rows: list[Row], states: list[tuple[str, str | None]]) -> list[Entry]:
        """An entry for every row of a history, in the order given; `states` are ours, one per row."""
        entries: list[Entry] = []
        updated, by = self._at["sys_updated_at"], self._at["sys_updated_by"]
        theirs_at, group = self._at["incident_state"], self._at["assignment_group"]
        moments, take = self._moments, self._slice
        theirs_before = before_state = ""
        team: str | None = None
        latest = 0
        facts_before: tuple[str, ...] = ()
        for row, (state, _) in zip(rows, states, strict=True):
            at, facts = moments[row[updated]], take(row)
            if at < latest:
                self.backwards += 1
            latest = at
            actor = _name(row[by], PERSON_LIMIT) or "" if by >= 0 else ""
            to_team = (_name(row[group], NAME_LIMIT) if group >= 0 else None) or team
            theirs = row[theirs_at].strip()
            if theirs == imports.UNTOLD_STATE:
                theirs = theirs_before or "New"
            if not before_state:
                text = "reported it" if state == "new" else f"reported it, already as {theirs}"
                text += f", with {to_team}" if to_team else ""
                entries.append(Entry(at, actor, "report", text, None, None, state, None, to_team))
            else:
                kind = imports.action_between(before_state, state)
                parts: list[str] = []
                if theirs != theirs_before:
                    parts.append(f"moved it from {theirs_before} to {theirs}")
                    if kind == "change" and state == "on_hold":
                        kind = "hold"
                if to_team != team:
                    parts.append(f"handed it from {team} to {to_team}" if team else f"gave it to {to_team}")
                    if kind == "change":
                        kind = "assign"
                changes = self._changes(facts_before, facts, parts) if facts != facts_before else None
                text = ", ".join(parts) or "updated it"
                entries.append(Entry(at, actor, kind, text, changes, before_state, state, team, to_team))
            facts_before, before_state, theirs_before, team = facts, state, theirs, to_team
        return entries

    def _changes(
        self, before: tuple[str, ...], after: tuple[str, ...], parts: list[str]
    ) -> dict[str, list[str | None]] | None:
        """Word -> [before, after] of what differs; each told in `parts` too."""
        changes: dict[str, list[str | None]] = {}
        for label, was, now in zip(self._labels, before, after, strict=False):
            if was == now:
                continue
            old, new = _name(was, PERSON_LIMIT), _name(now, PERSON_LIMIT)
            if old == new:
                continue
            changes[label] = [old, new]
            if label == "assignee" and new:
                parts.append(f"assigned it to {new}")
            elif old and new:
                parts.append(f"changed the {label} from {old} to {new}")
            else:
                parts.append(f"set the {label} to {new}" if new else f"removed the {label} {old}")
        return changes or None

    def told(self, row: Row, cells: Cells, state: str) -> list[Entry]:
        """The entries of an incident with a single row: reported, then what its moments tell.

        The row names the team that has it now, so only the last entry does.
        """
        opened = self._moments[row[self._at["opened_at"]]]
        updater = cells.name("sys_updated_by", PERSON_LIMIT) or ""
        steps = [(opened, cells.name("opened_by", PERSON_LIMIT) or "", "new", "reported it")]
        resolved, closed = self._moment(row, "resolved_at"), self._moment(row, "closed_at")
        changed = self._moment(row, "sys_updated_at") or closed or resolved or opened
        if state in ("resolved", "closed") and (resolved is not None or state == "resolved"):
            resolver = cells.name("resolved_by", PERSON_LIMIT) or updater
            steps.append((resolved or changed, resolver, "resolved", "moved it to Resolved"))
        if state == "closed":
            steps.append((closed or changed, updater, "closed", "moved it to Closed"))
        elif state not in ("new", "resolved"):
            steps.append((changed, updater, state, f"moved it to {cells['incident_state']}"))
        elif state == "new" and changed > opened:
            steps.append((changed, updater, "new", "updated it"))
        entries: list[Entry] = []
        for position, (at, actor, to_state, text) in enumerate(steps):
            before = entries[-1].to_state if entries else None
            kind = imports.action_between(before, to_state) if before else "report"
            team = cells.name("assignment_group", NAME_LIMIT) if position == len(steps) - 1 else None
            entries.append(Entry(max(at, opened), actor, kind, text, None, before, to_state, None, team))
        return entries

    def _moment(self, row: Row, name: str) -> int | None:
        place = self._at[name]
        return self._moments.get(row[place]) if place >= 0 else None
