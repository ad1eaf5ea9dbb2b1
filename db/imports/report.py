"""What an import did, or with --dry-run would do."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SHOWN_REFUSALS = 20
KEPT_REFUSALS = 200


@dataclass
class Refusals:
    """Rows that were not taken: how many for each reason, and the first of them by number."""

    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[tuple[int, str, str]] = field(default_factory=list)
    """(row number, incident number, reason)"""

    def add(self, row: int, number: str, reason: str, rows: int = 1) -> None:
        """Refuse `rows` rows from `row` on, for `reason`."""
        self.rows += rows
        self.reasons[reason] += rows
        if len(self.first) < KEPT_REFUSALS:
            self.first.append((row, number, reason))

    def merge(self, other: "Refusals") -> None:
        """Add what another list holds."""
        self.rows += other.rows
        self.reasons.update(other.reasons)
        self.first = sorted([*self.first, *other.first])[:KEPT_REFUSALS]

    def as_data(self) -> dict[str, Any]:
        """Plain data for the database."""
        return {"rows": self.rows, "reasons": dict(self.reasons), "first": [list(item) for item in self.first]}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Refusals":
        """The opposite of as_data."""
        first = [(int(row), str(number), str(reason)) for row, number, reason in data["first"]]
        return cls(data["rows"], Counter(data["reasons"]), first)


@dataclass
class Report:
    """The result of one import. created + changed + unchanged are incidents; refused are rows."""

    file_name: str
    dry_run: bool
    rows: int = 0
    incidents: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    entries: int = 0
    """timeline entries added"""
    refusals: Refusals = field(default_factory=Refusals)
    notes: list[str] = field(default_factory=list)
    """how the file was understood"""
    warnings: list[str] = field(default_factory=list)
    resumed_at: int = 0
    """incidents an earlier, interrupted import of the same file had already taken"""
    seconds: float = 0.0

    @property
    def refused(self) -> int:
        """Rows that were not taken."""
        return self.refusals.rows

    def as_data(self) -> dict[str, Any]:
        """Plain data for the database and for screens."""
        return {
            "rows": self.rows,
            "incidents": self.incidents,
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "entries": self.entries,
            "refusals": self.refusals.as_data(),
            "notes": self.notes,
            "warnings": self.warnings,
            "resumed_at": self.resumed_at,
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> list[str]:
        """The report as people read it on a terminal."""
        done = "Nothing was written (dry run). An import would give:" if self.dry_run else "Imported."
        said = [
            f"{self.file_name}: {self.rows:,} rows, {self.incidents:,} incidents. {done}",
            f"  created    {self.created:>9,}",
            f"  changed    {self.changed:>9,}",
            f"  unchanged  {self.unchanged:>9,}",
            f"  refused    {self.refused:>9,} rows",
            f"  timeline   {self.entries:>9,} entries added",
        ]
        said += [f"  {note}" for note in self.notes]
        said += [f"  Warning: {warning}" for warning in self.warnings]
        reasons = self.refusals.reasons.most_common(SHOWN_REFUSALS)
        said += [f"  Refused {count:,}: {reason}" for reason, count in reasons]
        said += [
            f"    row {row:,}{f' ({number})' if number else ''}: {reason}"
            for row, number, reason in self.refusals.first[:SHOWN_REFUSALS]
        ]
        if len(self.refusals.first) > SHOWN_REFUSALS:
            said.append(f"    … and {self.refused - SHOWN_REFUSALS:,} more")
        return said
