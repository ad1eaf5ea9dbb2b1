"""Anchors: what the records were at a moment, in one line that is kept outside the database.

The chains show what was changed, removed or inserted between entries. That the newest entries of a chain were cut off,
or a whole incident removed, only shows beside an anchor: it counts the entries up to one of them and holds a digest
over all of these, those from before there were chains included.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rules.errors import RuleError

_FORM = re.compile(
    r"incident-desk-anchor 1 timeline=(?P<upto>\d+):(?P<entries>\d+):(?P<digest>[0-9a-f]{64}) "
    r"audit=(?P<audited>\d+):(?P<head>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Anchor:
    upto: int
    """id of the newest timeline entry it covers"""
    entries: int
    """how many timeline entries it covers"""
    digest: bytes
    audited: int
    """how many chained audit entries there were"""
    head: bytes
    """the hash of the newest of them"""

    def __str__(self) -> str:
        return (
            f"incident-desk-anchor 1 timeline={self.upto}:{self.entries}:{self.digest.hex()} "
            f"audit={self.audited}:{self.head.hex()}"
        )


def read(given: str) -> list[Anchor]:
    """The anchors in a file (one a line, other lines are passed over), or the one that is written out. RuleError."""
    found = _FORM.search(given)
    text = given
    if found is None:
        try:
            text = Path(given).read_text("utf-8")
        except (OSError, ValueError):
            raise RuleError(
                f"'{given[:80]}' is neither an anchor nor a file that can be read. An anchor is the last line that "
                "'python -m db verify' prints."
            ) from None
    anchors = [
        Anchor(
            int(m["upto"]), int(m["entries"]), bytes.fromhex(m["digest"]), int(m["audited"]), bytes.fromhex(m["head"])
        )
        for m in _FORM.finditer(text)
    ]
    if not anchors:
        raise RuleError(f"There is no anchor in {given[:80]}: no line of it begins with incident-desk-anchor.")
    return anchors


@dataclass
class Tally:
    """Counts entries in the order of their ids, and keeps count and digest at the ids that are asked for."""

    asked: list[int]
    count: int = 0
    at: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    _digest: Any = field(default_factory=hashlib.sha256)

    @classmethod
    def of(cls, ids: Iterable[int]) -> "Tally":
        return cls(sorted(set(ids)))

    def add(self, entry_id: int, sealed: bytes) -> None:
        """The next entry: its id and its hash, or what stands for it."""
        while self.asked and self.asked[0] < entry_id:
            self._keep()
        self._digest.update(entry_id.to_bytes(8) + sealed)
        self.count += 1

    def end(self) -> None:
        """There are no more entries."""
        while self.asked:
            self._keep()

    def _keep(self) -> None:
        self.at[self.asked.pop(0)] = self.count, self._digest.copy().digest()
