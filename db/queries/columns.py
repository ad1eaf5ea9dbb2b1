"""The facts of all incidents as columns in memory, always as the database has them at this moment.

What was packed is read once per process; what has changed since is read from `incident` itself.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.models import FactBlock, FactChange, Incident, from_micros, to_micros
from db.queries import facts
from db.queries.facts import MISSING, Columns

LENGTH = 4096
"""incidents of one packed range of ids"""
_LOOSE = 40_000
"""So many incidents may lie beside the base before it is put together anew."""
_VIEWS = 4
"""of one state of the data, kept for who asks the same again"""
_CUT_ROWS = 4_000_000
"""So many incidents may lie in the cuts that one view keeps, each counted once per cut."""
_SMALLEST = 10_000
"""A smaller cut counts as much as one of so many."""

_T = TypeVar("_T")
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


def noted(db: Session, most: int) -> int:
    """How many changes have not been packed, counted as far as `most`."""
    return db.scalar(select(func.count()).select_from(select(FactChange.id).limit(most).subquery())) or 0


class Part:
    """Some incidents: their columns, and their order by each moment. `live`: None when all of them count."""

    def __init__(self, columns: Columns, live: Mask | None = None, whole: "Part | None" = None) -> None:
        self.columns, self._live, self._whole = columns, live, whole or self
        self._orders: dict[str, Places] = {}
        self._sorted: dict[tuple[str, str], NDArray[Any]] = {}
        self._times: dict[str, NDArray[Any]] = {}

    def among(self, live: Mask) -> "Part":
        """The same incidents, of which only those count where `live` is true."""
        return Part(self.columns, live, self._whole)

    def between(self, moment: str, start: int, end: int) -> "Piece":
        """Those whose moment lies in [start, end), by it."""
        low, high = np.searchsorted(self._whole.by(moment, moment), (start, end))
        return Piece(self, moment, slice(low, high), self._live_at(moment, slice(low, high)))

    def times(self, moment: str) -> NDArray[Any]:
        """The moments of those that count, in order."""
        if moment not in self._times:
            every, live = self._whole.by(moment, moment), self._live_at(moment, slice(None))
            self._times[moment] = every if live is None else every[live]
        return self._times[moment]

    def by(self, moment: str, name: str) -> NDArray[Any]:
        """A column in the order of the moment, of those that know it, whether they count or not. Made once."""
        if (moment, name) not in self._sorted:
            self._sorted[moment, name] = self.columns[name].take(self._order(moment))
        return self._sorted[moment, name]

    def marked(self, condition: str) -> Places:
        """Places of those that count and meet the condition."""
        met = self.columns[condition] != 0
        return np.flatnonzero(met if self._live is None else met & self._live)

    def taken(self, piece: "Piece", name: str) -> NDArray[Any]:
        """A column of a piece of this part."""
        column = self._whole.by(piece.moment, name)[piece.range]
        return column if piece.live is None else column[piece.live]

    @property
    def everyone(self) -> Mask:
        """Which of them count."""
        return np.ones(len(self.columns["id"]), bool) if self._live is None else self._live

    def _live_at(self, moment: str, places: slice) -> Mask | None:
        if self._live is None:
            return None
        live = self._live.take(self._whole._order(moment)[places])
        return None if live.all() else live

    def _order(self, moment: str) -> Places:
        if moment not in self._orders:
            known = np.flatnonzero(self.columns[moment] != MISSING)
            self._orders[moment] = known[np.argsort(self.columns[moment][known], kind="stable")]
        return self._orders[moment]


class Piece(NamedTuple):
    """A stretch of a part in the order of a moment; `live`: which of it count, None for all."""

    part: Part
    moment: str
    range: slice
    live: Mask | None

    def __len__(self) -> int:
        return int(np.count_nonzero(self.live)) if self.live is not None else self.range.stop - self.range.start


class Rows:
    """Chosen incidents of a view; `rows["team"]` is a column of them, taken when it is first asked for."""

    def __init__(self, number: int, take: Callable[[str], NDArray[Any]]) -> None:
        self._number, self._take = number, take
        self._columns: dict[str, NDArray[Any]] = {}
        self._whole: Rows | None = None
        self._mask: Mask | None = None
        self._kept: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._columns:
            self._columns[name] = self._take(name)
        return self._columns[name]

    def where(self, mask: Mask) -> "Rows":
        """Those where `mask` is true."""
        chosen = Rows(int(np.count_nonzero(mask)), lambda name: self[name][mask])
        chosen._whole, chosen._mask = self, mask
        return chosen

    def has(self, name: Any) -> bool:
        """Whether that was made of these rows already."""
        return name in self._kept

    def kept(self, name: Any, make: Callable[["Rows"], _T]) -> _T:
        """What was made of these rows; made once. It must depend on nothing but them and its name."""
        if name not in self._kept:
            self._kept[name] = make(self)
        made: _T = self._kept[name]
        return made

    def derived(self, name: Any, make: Callable[["Rows"], NDArray[Any]]) -> NDArray[Any]:
        """A column that is made of others: once of all rows that these were chosen from."""
        if name not in self._columns:
            if self._whole is not None:
                self._columns[name] = self._whole.derived(name, make)[self._mask]
            else:
                self._columns[name] = make(self)
        return self._columns[name]


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


@dataclass(frozen=True)
class View:
    """The incidents that somebody may count, narrowed by filters."""

    parts: Sequence[Part]
    _cuts: dict[Any, Rows] = field(default_factory=dict)

    def between(self, moment: str, start: datetime, end: datetime) -> Rows:
        """Those whose moment lies in [start, end)."""
        pieces = [part.between(moment, to_micros(start), to_micros(end)) for part in self.parts]
        key = (moment, *((piece.range.start, piece.range.stop) for piece in pieces))
        found = self._cuts.pop(key, None)
        if found is None:
            number = sum(len(piece) for piece in pieces)
            found = Rows(number, lambda name: _joined([piece.part.taken(piece, name) for piece in pieces]))
        self._cuts[key] = found
        self._forget()
        return found

    def _forget(self) -> None:
        """Let go of the cuts that were asked for longest ago, as far as there are too many."""
        kept = list(self._cuts.items())
        room = sum(max(len(rows), _SMALLEST) for _, rows in kept) - _CUT_ROWS
        for key, rows in kept:
            if room <= 0:
                return
            room -= max(len(rows), _SMALLEST)
            self._cuts.pop(key, None)

    def before(self, moment: str, instants: Sequence[datetime]) -> list[int]:
        """For each instant, how many moments lie before it."""
        asked = [to_micros(instant) for instant in instants]
        counts = [np.searchsorted(part.times(moment), asked) for part in self.parts]
        return [int(number) for number in sum(counts, np.zeros(len(asked), np.intp))]

    def ends(self, moment: str) -> tuple[datetime | None, datetime | None]:
        """The first and the last of the moments; None when nobody knows one."""
        known = [times for part in self.parts if len(times := part.times(moment))]
        if not known:
            return None, None
        return from_micros(min(int(times[0]) for times in known)), from_micros(max(int(times[-1]) for times in known))

    def marked(self, condition: str) -> Rows:
        """Those that meet the condition, whenever."""
        pieces = [(part, part.marked(condition)) for part in self.parts]
        number = sum(len(places) for _, places in pieces)
        return Rows(number, lambda name: _joined([part.columns[name].take(places) for part, places in pieces]))


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
    last = max([newest // LENGTH, *kept.at])  # the newest incidents may have been removed
    blocks = {block: made.get(block, 0) for block in range(last + 1)}
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
