"""Who is on call: layers of rotations in windows of the week, with overrides and swaps on top.

Instants are aware datetimes, spans are [start, end), results are in UTC. Nothing steps from a layer's start: an instant
far from it costs no more than one beside it. Source of the semantics: the project's design, on-call, which follows
GoAlert (rotations, windows, overrides) and Grafana OnCall (priorities, swaps).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules import oncall_checks
from rules.errors import RuleError
from rules.paging import NIGHT_BEGINS, NIGHT_ENDS
from rules.rotation import Rotation
from rules.wall_clock import DAY, LATEST, Span, aware, instant_of, zone_named
from rules.weekly_hours import WeeklyHours, Window

MOST_DAYS_AHEAD = 5 * 366
"""What does not change within so many days is taken never to."""
NIGHT = Window(frozenset(range(7)), *(edge.hour * 60 + edge.minute for edge in (NIGHT_BEGINS, NIGHT_ENDS)))
"""the hours in which P4 and P5 page nobody"""
WEEKEND = Window(frozenset({5, 6}), 0, 0)
"""Saturday 00:00 to Monday 00:00"""
_FIRST_LOOK = 8 * DAY


@dataclass(frozen=True)
class Layer:
    """Members who take turns in order; `hours` None: round the clock. Of active layers the highest priority wins."""

    name: str
    priority: int
    members: tuple[str, ...]
    rotation: Rotation
    hours: WeeklyHours | None

    @classmethod
    def from_dict(cls, data: object, zone: ZoneInfo, number: int) -> "Layer":
        """From {"name", "priority", "members", "start", "unit", "length", "windows"}."""
        found = oncall_checks.record(data, f"Layer {number}: give it members, start, unit and length.")
        name = str(found.get("name") or number)
        what = f"Layer '{name}'"
        members = oncall_checks.names(found.get("members"), what, "members")
        if not members:
            raise RuleError(f"{what}: give it at least one member.", field="members")
        start = instant_of(found.get("start"), "start", f"{what}: write start")
        length = oncall_checks.whole(found.get("length", 1), what, "length", 1, oncall_checks.LONGEST_TURN)
        most = oncall_checks.HIGHEST_PRIORITY
        priority = oncall_checks.whole(found.get("priority", 0), what, "priority", -most, most)
        rotation = Rotation(zone, start, oncall_checks.unit(found.get("unit"), what), length)
        windows = oncall_checks.windows(found.get("windows"), what)
        return cls(name, priority, members, rotation, WeeklyHours(zone, windows) if windows else None)

    def person_at(self, at: datetime) -> str | None:
        """Whose turn it is at the instant (UTC); None outside the windows."""
        if self.hours is not None and not self.hours.contains(at):
            return None
        return self._member(self.rotation.turn_at(at))

    def turns(self, start: datetime, end: datetime) -> Iterator["Shift"]:
        """The turns inside windows, in order, cut to [start, end); turns are counted through times outside them."""
        open_spans = [(start, end)] if self.hours is None else self.hours.spans(start, end)
        for opens, shuts in open_spans:
            if len(set(self.members)) == 1:
                yield Shift(self.members[0], opens, shuts)
                continue
            for since, until, turn in self.rotation.turns(opens, shuts):
                yield Shift(self._member(turn), since, until)

    def _member(self, turn: int) -> str:
        return self.members[turn % len(self.members)]


@dataclass(frozen=True)
class Override:
    """In [start, end) `remove` are taken off, `add` put on, and for each person in `replace` another stands in."""

    start: datetime
    end: datetime
    add: tuple[str, ...]
    remove: tuple[str, ...]
    replace: Mapping[str, str]

    @classmethod
    def from_dict(cls, data: object, number: int) -> "Override":
        """From {"start", "end", "add": [], "remove": [], "replace": {person: stand-in}}."""
        what = f"Override {number}"
        found = oncall_checks.record(data, f"{what}: give it start and end, and who is added, removed or replaced.")
        start, end = (instant_of(found.get(edge), edge, f"{what}: write {edge}") for edge in ("start", "end"))
        if end <= start:
            raise RuleError(f"{what}: it ends before it begins. Choose a later end.", field="end")
        add, remove = (oncall_checks.names(found.get(kind), what, kind) for kind in ("add", "remove"))
        return cls(start, end, add, remove, oncall_checks.replaced(found.get("replace"), what))


@dataclass(frozen=True)
class Schedule:
    """Layers and overrides in a zone."""

    zone: ZoneInfo
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Schedule":
        """From {"zone", "layers": [...], "overrides": [...]}.

        Layers: {"name", "priority", "members": [], "start", "unit", "length", "windows"}; `unit`: hour, day, week or
        month; windows: [{"days": ["mon"], "from": "09:00", "to": "17:00"}], none means round the clock. Overrides:
        {"start", "end", "add": [], "remove": [], "replace": {person: stand-in}}. Without a zone it is UTC; priority is
        0 and length 1 where they are missing. Instants: ISO 8601 with an offset, or aware datetimes. RuleError says
        what to put right.
        """
        found = oncall_checks.record(data, "A schedule is an object with zone, layers and overrides.")
        zone = zone_named(found.get("zone", "UTC"))
        layers = oncall_checks.listed(found.get("layers"), "Give the layers as a list.")
        overrides = oncall_checks.listed(found.get("overrides"), "Give the overrides as a list.")
        return cls(
            zone,
            tuple(Layer.from_dict(layer, zone, number) for number, layer in enumerate(layers, 1)),
            tuple(Override.from_dict(override, number) for number, override in enumerate(overrides, 1)),
        )


class Shift(NamedTuple):
    """A person is on call in [start, end)."""

    person: str
    start: datetime
    end: datetime


class Stretch(NamedTuple):
    """The same people are on call in all of [start, end); none is an empty tuple."""

    start: datetime
    end: datetime
    people: tuple[str, ...]


class Handover(NamedTuple):
    """Who is on call, until when, and who comes next; `at` None: nothing changes, and `following` is empty."""

    people: tuple[str, ...]
    at: datetime | None
    following: tuple[str, ...]


class Load(NamedTuple):
    """Whole seconds on call, and how many of them at night and at weekends, which may overlap."""

    seconds: int
    night_seconds: int
    weekend_seconds: int


def on_call(schedule: Schedule, at: datetime) -> tuple[str, ...]:
    """Who is on call at the instant, in layer order and then as added, without doubles; () is nobody."""
    at = aware(at)
    turns = [(layer.priority, person) for layer in schedule.layers if (person := layer.person_at(at)) is not None]
    return _settled(turns, [override for override in schedule.overrides if override.start <= at < override.end])


def shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """Everybody's shifts cut to [start, end), by start, end and person; touching spans of one person are one."""
    return shifts_of(stretches(schedule, start, end))


def shifts_of(parts: Iterable[Stretch]) -> list[Shift]:
    """The shifts of stretches that follow each other without a gap, by start, end and person."""
    since: dict[str, datetime] = {}
    found: list[Shift] = []
    end: datetime | None = None
    for stretch in parts:
        for person in since.keys() - set(stretch.people):
            found.append(Shift(person, since.pop(person), stretch.start))
        for person in stretch.people:
            since.setdefault(person, stretch.start)
        end = stretch.end
    if end is not None:
        found += [Shift(person, begun, end) for person, begun in since.items()]
    return sorted(found, key=attrgetter("start", "end", "person"))


def stretches(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Stretch]:
    """[start, end) in order and without a gap, divided where the people on call change; nothing when end <= start."""
    return joined(_parts(schedule, aware(start), aware(end)))


def joined(parts: Iterable[Stretch]) -> Iterator[Stretch]:
    """The same, with neighbours that have the same people made one."""
    held: Stretch | None = None
    for part in parts:
        if held is not None and set(part.people) == set(held.people):
            held = held._replace(end=part.end)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def gaps(schedule: Schedule, start: datetime, end: datetime) -> list[Span]:
    """The spans in [start, end) in which nobody is on call."""
    return [(since, until) for since, until, people in stretches(schedule, start, end) if not people]


def overlaps(schedule: Schedule, start: datetime, end: datetime) -> list[Stretch]:
    """The stretches in [start, end) in which more than one is on call, and who."""
    return [stretch for stretch in stretches(schedule, start, end) if len(stretch.people) > 1]


def next_change(schedule: Schedule, at: datetime) -> datetime | None:
    """The first instant after `at` at which other people are on call; None if there is none within five years."""
    return current_and_next(schedule, at).at


def current_and_next(schedule: Schedule, at: datetime) -> Handover:
    """Who is on call at the instant, when that changes (within five years) and who is on call then."""
    at = aware(at)
    now, since = on_call(schedule, at), at
    ahead, latest = _FIRST_LOOK, at + min(MOST_DAYS_AHEAD * DAY, LATEST - at)
    while since < latest:
        until = min(since + ahead, latest)
        for stretch in stretches(schedule, since, until):
            if set(stretch.people) != set(now):
                return Handover(now, stretch.start, stretch.people)
        since, ahead = until, ahead * 8
    return Handover(now, None, ())


def hours(schedule: Schedule, start: datetime, end: datetime) -> dict[str, Load]:
    """Each person's time on call in [start, end), by person; those never on call are not there."""
    return loads(shifts(schedule, start, end), schedule.zone)


def loads(found: Iterable[Shift], zone: ZoneInfo) -> dict[str, Load]:
    """The same of shifts, with nights and weekends on the zone's clock."""
    night, weekend = WeeklyHours(zone, [NIGHT]), WeeklyHours(zone, [WEEKEND])
    totals: dict[str, list[timedelta]] = {}
    for person, since, until in found:
        total = totals.setdefault(person, [timedelta()] * 3)
        total[0] += until - since
        total[1] += _within(night, since, until)
        total[2] += _within(weekend, since, until)
    second = timedelta(seconds=1)
    return {person: Load(*(part // second for part in total)) for person, total in sorted(totals.items())}


def _within(weekly: WeeklyHours, start: datetime, end: datetime) -> timedelta:
    return sum((until - since for since, until in weekly.spans(start, end)), timedelta())


_Edge = tuple[datetime, int, str | None]
"""From the instant on a slot holds a name: first come the layers' slots with their persons, then the overrides'."""


def _parts(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Stretch]:
    """[start, end) divided at every edge of a turn, a window and an override."""
    if start >= end:
        return
    layers, slots = len(schedule.layers), dict[int, str]()
    since = start
    for at, edges in groupby(merge(*_edges(schedule, start, end), key=itemgetter(0)), key=itemgetter(0)):
        if since < at:
            yield Stretch(since, at, _held(schedule, slots, layers))
            since = at
        for _, slot, name in edges:
            if name is None:
                del slots[slot]
            else:
                slots[slot] = name
    if since < end:
        yield Stretch(since, end, _held(schedule, slots, layers))


def _edges(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Iterable[_Edge]]:
    for slot, layer in enumerate(schedule.layers):
        yield _turns_edges(layer, slot, start, end)
    for slot, override in enumerate(schedule.overrides, len(schedule.layers)):
        if override.start < end and start < override.end:
            yield [(max(override.start, start), slot, "live"), (min(override.end, end), slot, None)]


def _turns_edges(layer: Layer, slot: int, start: datetime, end: datetime) -> Iterator[_Edge]:
    for person, since, until in layer.turns(start, end):
        yield since, slot, person
        yield until, slot, None


def _held(schedule: Schedule, slots: Mapping[int, str], layers: int) -> tuple[str, ...]:
    turns = [(schedule.layers[slot].priority, slots[slot]) for slot in sorted(slots) if slot < layers]
    return _settled(turns, [schedule.overrides[slot - layers] for slot in sorted(slots) if slot >= layers])


def _settled(turns: Sequence[tuple[int, str]], live: Sequence[Override]) -> tuple[str, ...]:
    """Who is on call of the active layers' (priority, person), in layer order, and the live overrides.

    The highest priority wins. Then come all removals, all additions, and last the stand-ins.
    """
    highest = max((priority for priority, _ in turns), default=0)
    people = dict.fromkeys(person for priority, person in turns if priority == highest)
    for override in live:
        for person in override.remove:
            people.pop(person, None)
    for override in live:
        people |= dict.fromkeys(override.add)
    swaps = [override.replace for override in live if override.replace]
    if swaps:
        people = dict.fromkeys(name for person in people for name in _stand_ins(person, swaps))
    return tuple(people)


def _stand_ins(person: str, swaps: Sequence[Mapping[str, str]]) -> list[str]:
    """Who is on call in the person's place: each one's stand-in, or themselves when there is none."""
    return [_in_the_end(person, number, swaps) for number, swap in enumerate(swaps) if person in swap] or [person]


def _in_the_end(person: str, number: int, swaps: Sequence[Mapping[str, str]]) -> str:
    """Who stands in when the stand-in of this swap has one too, by another swap.

    A chain that comes back to the person is an exchange: each takes the next one's turns.
    """
    first = name = swaps[number][person]
    left = [swap for at, swap in enumerate(swaps) if at != number]
    while following := next((swap for swap in left if name in swap), None):
        left.remove(following)
        name = following[name]
        if name == person:
            return first
    return name
