"""The facts of all incidents as columns in memory, always as the database has them at this moment.

What was packed is read once per process; what has changed since is read from `incident` itself.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident, to_micros
from db.queries import facts
from db.queries.facts import MISSING, Columns

LENGTH = 4096
"""incidents of one packed range of ids"""
_LOOSE = 40_000
"""So many incidents may lie beside the base before it is put together anew."""
_VIEWS = 8
"""of one state of the data, kept for who asks the same again"""

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


def noted(db: Session, most: int) -> int:
    """How many changes have not been packed, counted as far as `most`."""
    return db.scalar(select(func.count()).select_from(select(FactChange.id).limit(most).subquery())) or 0


class Part:
    """Some incidents: their columns, and their order by each moment. `live`: None when all of them count."""

    def __init__(self, columns: Columns, live: Mask | None = None, whole: "Part | None" = None) -> None:
        self.columns, self._live, self._whole = columns, live, whole
        self._orders: dict[str, tuple[Places, NDArray[Any]]] = {}

    def among(self, live: Mask) -> "Part":
        """The same incidents, of which only those count where `live` is true."""
        return Part(self.columns, live, self._whole or self)

    def order(self, moment: str) -> tuple[Places, NDArray[Any]]:
        """Places of those that know the moment, by it, and the moments. The order of all of them is made once."""
        if moment not in self._orders:
            if self._live is not None and self._whole is not None:
                places, times = self._whole.order(moment)
                kept = self._live[places]
                self._orders[moment] = (places[kept], times[kept])
            else:
                known = np.flatnonzero(self.columns[moment] != MISSING)
                places = known[np.argsort(self.columns[moment][known], kind="stable")]
                self._orders[moment] = (places, self.columns[moment][places])
        return self._orders[moment]

    def between(self, moment: str, start: int, end: int) -> Places:
        """Places of those whose moment lies in [start, end), by it."""
        places, times = self.order(moment)
        low, high = np.searchsorted(times, (start, end))
        return places[low:high]

    def marked(self, condition: str) -> Places:
        """Places of those that meet the condition."""
        met = self.columns[condition] != 0
        return np.flatnonzero(met if self._live is None else met & self._live)

    @property
    def everyone(self) -> Mask:
        """Which of them count."""
        return np.ones(len(self.columns["id"]), bool) if self._live is None else self._live


class Rows:
    """Chosen incidents of a view; `rows["team"]` is a column of them, taken when it is first asked for."""

    def __init__(self, number: int, take: Callable[[str], NDArray[Any]]) -> None:
        self._number, self._take = number, take
        self._columns: dict[str, NDArray[Any]] = {}

    @classmethod
    def at(cls, pieces: Sequence[tuple[Part, Places]]) -> "Rows":
        """Those at these places of the parts."""

        def take(name: str) -> NDArray[Any]:
            found = [part.columns[name].take(places) for part, places in pieces]
            return found[0] if len(found) == 1 else np.concatenate(found)

        return cls(sum(len(places) for _, places in pieces), take)

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._columns:
            self._columns[name] = self._take(name)
        return self._columns[name]

    def where(self, mask: Mask) -> "Rows":
        """Those where `mask` is true."""
        return Rows(int(np.count_nonzero(mask)), lambda name: self[name][mask])


@dataclass(frozen=True)
class View:
    """The incidents that somebody may count, narrowed by filters."""

    parts: Sequence[Part]

    def between(self, moment: str, start: datetime, end: datetime) -> Rows:
        """Those whose moment lies in [start, end)."""
        return Rows.at([(part, part.between(moment, to_micros(start), to_micros(end))) for part in self.parts])

    def before(self, moment: str, instants: Sequence[datetime]) -> list[int]:
        """For each instant, how many moments lie before it."""
        asked = [to_micros(instant) for instant in instants]
        counts = [np.searchsorted(part.order(moment)[1], asked) for part in self.parts]
        return [int(number) for number in sum(counts, np.zeros(len(asked), np.intp))]

    def marked(self, condition: str) -> Rows:
        """Those that meet the condition, whenever."""
        return Rows.at([(part, part.marked(condition)) for part in self.parts])


@dataclass
class _Kept:
    """What a process keeps of one database."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    key: Any = None
    base: Part | None = None
    at: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """block -> what it was made as (0: read from the incidents themselves), and where it stands in the base"""
    loose: dict[int, tuple[int, Columns]] = field(default_factory=dict)
    """blocks that were made anew since the base was put together"""
    parts: tuple[Part, ...] = ()
    views: dict[Any, View] = field(default_factory=dict)


_known: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_knowing = threading.Lock()


def view(db: Session, hidden: Iterable[int], wanted: Mapping[str, Sequence[int]]) -> View:
    """All incidents but the hidden ones, narrowed to those whose columns have one of the wanted values."""
    bind = db.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    with _knowing:
        # What a transaction has not committed yet is nobody else's.
        writes = db.connection().get_execution_options().get("incident_desk_write", False)
        kept = _Kept() if writes else _known.setdefault(engine, _Kept())
    with kept.guard:
        _refresh(db, kept)
        key = (tuple(sorted(hidden)), tuple(sorted((name, tuple(values)) for name, values in wanted.items())))
        if key not in kept.views:
            while len(kept.views) >= _VIEWS:
                del kept.views[next(iter(kept.views))]
            kept.views[key] = View([_narrowed(part, *key) for part in kept.parts])
        return kept.views[key]


def _narrowed(part: Part, hidden: Sequence[int], wanted: Sequence[tuple[str, Sequence[int]]]) -> Part:
    if not hidden and not wanted:
        return part
    live = part.everyone.copy()
    for name, values in wanted:
        live &= np.isin(part.columns[name], values)
    if hidden:
        live[_places(part.columns["id"], hidden)] = False
    return part.among(live)


def _places(ids: NDArray[Any], wanted: Sequence[int]) -> Places:
    """Where these ids stand among the sorted `ids`, as far as they are there."""
    asked = np.array(sorted(wanted), np.int64)
    places = np.searchsorted(ids, asked)
    there = places < len(ids)
    places, asked = places[there], asked[there]
    return np.asarray(places[ids[places] == asked], np.intp)


def _refresh(db: Session, kept: _Kept) -> None:
    """Bring what is kept up to this moment. Changes are read before blocks: what is packed meanwhile is in a block."""
    newest_changes = select(FactChange.incident_id, func.max(FactChange.id)).group_by(FactChange.incident_id)
    changed = {incident: change for incident, change in db.execute(newest_changes)}
    packed = select(FactBlock.block, FactBlock.made).where(FactBlock.shape == facts.SHAPE)
    made = {block: number for block, number in db.execute(packed)}
    newest = db.scalar(select(func.max(Incident.id))) or 0
    key = (changed, made, newest // LENGTH)
    if kept.key == key:
        return
    blocks = {block: made.get(block, 0) for block in range(newest // LENGTH + 1)}
    moved = [block for block, number in blocks.items() if kept.at.get(block, (None,))[0] != number]
    kept.loose = {block: held for block, held in kept.loose.items() if blocks.get(block) == held[0] and block in moved}
    for block in moved:
        if block not in kept.loose:
            kept.loose[block] = (blocks[block], _block(db, block, packed=bool(blocks[block])))
    if kept.base is None or sum(len(columns["id"]) for _, columns in kept.loose.values()) > _LOOSE:
        _rebase(kept, blocks)
    kept.parts = _parts(db, kept, changed)
    kept.views, kept.key = {}, key


def _block(db: Session, block: int, *, packed: bool) -> Columns:
    if packed:
        content = db.scalar(select(FactBlock.content).where(FactBlock.block == block))
        if content is not None:
            return facts.unpacked(content)
    return facts.between(db, block * LENGTH, (block + 1) * LENGTH)


def _rebase(kept: _Kept, blocks: Mapping[int, int]) -> None:
    """Put the base together anew, of its own parts that still hold and of what lies beside it."""
    parts: list[Columns] = []
    at, begun = {}, 0
    for block, number in sorted(blocks.items()):
        if block in kept.loose:
            columns = kept.loose[block][1]
        else:
            _, low, high = kept.at[block]
            columns = {name: column[low:high] for name, column in _base(kept).columns.items()}
        parts.append(columns)
        at[block] = (number, begun, begun + len(columns["id"]))
        begun = at[block][2]
    kept.base, kept.at, kept.loose = Part(facts.joined(parts)), at, {}


def _base(kept: _Kept) -> Part:
    if kept.base is None:
        raise LookupError("There is no base yet.")
    return kept.base


def _parts(db: Session, kept: _Kept, changed: Mapping[int, int]) -> tuple[Part, ...]:
    """The base without what stands elsewhere, and what stands there."""
    base = _base(kept)
    if not changed and not kept.loose:
        return (base,)
    live = base.everyone.copy()
    for block in kept.loose:
        if block in kept.at:
            _, low, high = kept.at[block]
            live[low:high] = False
    live[_places(base.columns["id"], list(changed))] = False
    beside = facts.joined([columns for _, (_, columns) in sorted(kept.loose.items())])
    stays = np.ones(len(beside["id"]), bool)
    stays[_places(beside["id"], list(changed))] = False
    fresh = facts.joined([{name: column[stays] for name, column in beside.items()}, facts.of(db, list(changed))])
    by_id = np.argsort(fresh["id"])
    return base.among(live), Part({name: column[by_id] for name, column in fresh.items()})
