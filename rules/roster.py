"""A schedule as it really is: the versions it went through, people who left, and its end. Editing adds a version.

A version holds from its moment until the next one's, so what was before a change stays as it was. Instants and spans
are as in rules.oncall.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules import oncall
from rules.errors import RuleError
from rules.oncall import MOST_DAYS_AHEAD, Handover, Schedule, Shift, Stretch
from rules.wall_clock import DAY, LATEST, TICK, Span, aware

MOST_LAYERS = 8
MOST_MEMBERS = 40
_FIRST_LOOK = 8 * DAY


@dataclass(frozen=True)
class Roster:
    """`versions`: (from when on, how it turns), in order; before the first nobody is on call."""

    versions: tuple[tuple[datetime, Schedule], ...]
    gone: Mapping[str, datetime] = field(default_factory=dict)
    """person -> since when they can no longer be on call"""
    ends: datetime | None = None
    """from then on nobody is on call: the schedule is archived"""

    @property
    def zone(self) -> ZoneInfo:
        """The newest version's zone."""
        return self.versions[-1][1].zone if self.versions else ZoneInfo("UTC")

    def at(self, moment: datetime) -> Schedule | None:
        """The version that holds at the moment (UTC); None before the first and after the end."""
        if self.ends is not None and moment >= self.ends:
            return None
        return next((schedule for since, schedule in reversed(self.versions) if since <= moment), None)


class Segment(NamedTuple):
    """A person is on call in [start, end): by the layers, or in place of somebody by an override."""

    person: str
    start: datetime
    end: datetime
    stands_in: bool


class Turn(NamedTuple):
    """Whose turn it is in a layer, whether or not another layer or an override goes before it."""

    layer: str
    person: str
    start: datetime
    end: datetime


class Difference(NamedTuple):
    """In [start, end) other people are on call than were to be."""

    start: datetime
    end: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]


def checked(definition: Mapping[str, object]) -> Schedule:
    """The schedule of a definition that somebody may save: RuleError says what to put right."""
    found = Schedule.from_dict(definition)
    if not found.layers:
        raise RuleError("Add a layer: people who take turns.", field="layers")
    if len(found.layers) > MOST_LAYERS:
        raise RuleError(f"A schedule has at most {MOST_LAYERS} layers. Remove some.", field="layers")
    names = [layer.name.casefold() for layer in found.layers]
    double = next((layer.name for layer in found.layers if names.count(layer.name.casefold()) > 1), None)
    if double is not None:
        raise RuleError(f"Two layers are called '{double}'. Give each a name of its own.", field="name")
    for layer in found.layers:
        if len(layer.members) > MOST_MEMBERS:
            raise RuleError(f"Layer '{layer.name}' has more than {MOST_MEMBERS} members. Remove some.", field="members")
    return found


def on_call(roster: Roster, at: datetime) -> tuple[str, ...]:
    """Who is on call at the instant; () is nobody."""
    at = aware(at)
    schedule = roster.at(at)
    return _present(roster, oncall.on_call(schedule, at), at) if schedule is not None else ()


def stretches(roster: Roster, start: datetime, end: datetime) -> Iterator[Stretch]:
    """[start, end) in order and without a gap, divided where the people on call change."""
    return oncall.joined(_parts(roster, aware(start), aware(end)))


def shifts(roster: Roster, start: datetime, end: datetime) -> list[Shift]:
    """Everybody's shifts cut to [start, end), by start, end and person."""
    return oncall.shifts_of(stretches(roster, start, end))


def gaps(roster: Roster, start: datetime, end: datetime) -> list[Span]:
    """The spans in [start, end) in which nobody is on call."""
    return [(since, until) for since, until, people in stretches(roster, start, end) if not people]


def overlaps(roster: Roster, start: datetime, end: datetime) -> list[Stretch]:
    """The stretches in [start, end) in which more than one is on call, and who."""
    return [stretch for stretch in stretches(roster, start, end) if len(stretch.people) > 1]


def missing(roster: Roster, start: datetime, end: datetime) -> list[Span]:
    """The gaps inside the hours of a layer: somebody was meant to be on call, and nobody is.

    Outside the hours of every layer nobody is meant to be: that is how the schedule was made.
    """
    meant = _meant(roster, aware(start), aware(end))
    found: list[Span] = []
    for since, until in gaps(roster, start, end):
        for opens, shuts in meant:
            if max(since, opens) < min(until, shuts):
                found.append((max(since, opens), min(until, shuts)))
    return found


def now_and_next(roster: Roster, at: datetime) -> Handover:
    """Who is on call at the instant, when that changes (within five years) and who is on call then."""
    now = on_call(roster, at)
    for stretch in _ahead(roster, aware(at)):
        if set(stretch.people) != set(now):
            return Handover(now, stretch.start, stretch.people)
    return Handover(now, None, ())


def until(roster: Roster, person: str, at: datetime) -> datetime | None:
    """When the person, on call at the instant, no longer is; None when that does not come within five years."""
    return next((part.start for part in _ahead(roster, aware(at)) if person not in part.people), None)


def handoff(roster: Roster, now: datetime) -> datetime | None:
    """The next moment at which people are to be told: `now` when the people on call have just changed."""
    now = aware(now)
    if set(on_call(roster, now - TICK)) != set(on_call(roster, now)):
        return now
    return now_and_next(roster, now).at


def segments(roster: Roster, start: datetime, end: datetime) -> list[Segment]:
    """Who is on call in [start, end), divided where an override puts somebody on; by start and person."""
    plain = replace(roster, versions=tuple((since, replace(one, overrides=())) for since, one in roster.versions))
    found: list[Segment] = []
    open_: dict[tuple[str, bool], datetime] = {}
    for since, _, people, usual in _side_by_side(roster, plain, start, end):
        present = {(person, person not in usual) for person in people}
        for key in open_.keys() - present:
            found.append(Segment(key[0], open_.pop(key), since, key[1]))
        for key in present:
            open_.setdefault(key, since)
    found += [Segment(person, since, aware(end), stands_in) for (person, stands_in), since in open_.items()]
    return sorted(found, key=lambda one: (one.start, one.end, one.person))


def differences(before: Roster, after: Roster, start: datetime, end: datetime) -> list[Difference]:
    """What changes in [start, end) when `after` takes the place of `before`."""
    found: list[Difference] = []
    for since, stop, was, becomes in _side_by_side(before, after, start, end):
        if set(was) == set(becomes):
            continue
        if found and found[-1].end == since and (found[-1].before, found[-1].after) == (was, becomes):
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(Difference(since, stop, was, becomes))
    return found


def turns(roster: Roster, start: datetime, end: datetime) -> list[Turn]:
    """The turns of every layer in [start, end), by layer in its order, then by start."""
    found: dict[str, list[Turn]] = {}
    for since, stop, schedule in _pieces(roster, aware(start), aware(end)):
        for layer in schedule.layers if schedule is not None else ():
            lane = found.setdefault(layer.name, [])
            for person, opens, shuts in layer.turns(since, stop):
                if lane and lane[-1].end == opens and lane[-1].person == person:
                    lane[-1] = lane[-1]._replace(end=shuts)
                else:
                    lane.append(Turn(layer.name, person, opens, shuts))
    return [turn for lane in found.values() for turn in lane]


def _present(roster: Roster, people: tuple[str, ...], at: datetime) -> tuple[str, ...]:
    return tuple(name for name in people if name not in roster.gone or at < roster.gone[name])


def _pieces(roster: Roster, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Schedule | None]]:
    """[start, end) divided where another version begins, somebody leaves, and at the end of the schedule."""
    edges = {start, end, *(since for since, _ in roster.versions), *roster.gone.values()}
    if roster.ends is not None:
        edges.add(roster.ends)
    for since, stop in pairwise(sorted(edge for edge in edges if start <= edge <= end)):
        yield since, stop, roster.at(since)


def _parts(roster: Roster, start: datetime, end: datetime) -> Iterator[Stretch]:
    for since, stop, schedule in _pieces(roster, start, end):
        if schedule is None:
            yield Stretch(since, stop, ())
            continue
        for part in oncall.stretches(schedule, since, stop):
            yield part._replace(people=_present(roster, part.people, part.start))


def _ahead(roster: Roster, at: datetime) -> Iterator[Stretch]:
    """The stretches from the instant on for five years, looked for in windows that grow."""
    since, ahead, latest = at, _FIRST_LOOK, at + min(MOST_DAYS_AHEAD * DAY, LATEST - at)
    while since < latest:
        stop = min(since + ahead, latest)
        yield from stretches(roster, since, stop)
        since, ahead = stop, ahead * 8


def _meant(roster: Roster, start: datetime, end: datetime) -> list[Span]:
    spans: list[Span] = []
    for since, stop, schedule in _pieces(roster, start, end):
        for layer in schedule.layers if schedule is not None else ():
            spans += [(since, stop)] if layer.hours is None else layer.hours.spans(since, stop)
    merged: list[Span] = []
    for opens, shuts in sorted(spans):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], shuts))
        else:
            merged.append((opens, shuts))
    return merged


def _side_by_side(
    one: Roster, other: Roster, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, tuple[str, ...], tuple[str, ...]]]:
    """[start, end) divided where the people of either change, with both."""
    left, right = (list(stretches(roster, start, end)) for roster in (one, other))
    edges = sorted({part.start for part in (*left, *right)} | {aware(end)})
    at = [0, 0]
    for since, stop in pairwise(edges):
        for side, parts in enumerate((left, right)):
            while parts[at[side]].end <= since:
                at[side] += 1
        yield since, stop, left[at[0]].people, right[at[1]].people
