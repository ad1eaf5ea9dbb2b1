"""On-call found a second time by reading the clock every quarter of an hour, around the days on which clocks change."""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.oncall import Schedule, on_call, shifts
from rules.rotation import Rotation

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
QUARTER = timedelta(minutes=15)
DAY_STEPS = 96
STEPS = 10 * DAY_STEPS
FIRST, LAST = 3 * DAY_STEPS, 7 * DAY_STEPS
"""Only the middle is compared: what lies outside feeds it."""
CHANGES = [
    ("America/Chicago", date(2026, 3, 8)),
    ("America/Chicago", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1969, 9, 30)),
    ("Asia/Kathmandu", date(2026, 11, 23)),
]
"""a zone, and a date on which its clock changes (Kathmandu's does not); every change is of whole quarters"""


class Stepper:
    """It only turns UTC into wall time, and knows nothing of offsets, folds and calendars' arithmetic."""

    def __init__(self, zone: str, day: date) -> None:
        self.start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=5)
        self.walls = [self.instant(step).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for step in range(STEPS)]
        self.days = [day + timedelta(days=offset) for offset in range(-4, 5)]
        self.last = {wall: step for step, wall in enumerate(self.walls)}
        self.first = {wall: step for step, wall in reversed(list(enumerate(self.walls)))}
        self.highest = list(accumulate(self.walls, max))
        jumps = (step for step, (one, other) in enumerate(pairwise(self.walls), 1) if other - one != QUARTER)
        self.change = next(jumps, STEPS // 2)

    def instant(self, step: int) -> datetime:
        return self.start + step * QUARTER

    def turns(self, start: int, unit: str, length: int) -> list[int]:
        """The number of the turn at every step: how many different handovers there were since the start."""
        edges = {start}
        highest = list(accumulate(self.walls[start:], max))
        k = 1
        while (wall := later(self.walls[start], unit, length * k)) <= highest[-1]:
            edges.add(start + bisect_left(highest, wall))
            k += 1
        k = -1
        while (wall := later(self.walls[start], unit, length * k)) > self.walls[0]:
            edges.add(bisect_left(self.highest, wall))
            k -= 1
        ordered = sorted(edges)
        return [bisect_right(ordered, step) - 1 - ordered.index(start) for step in range(STEPS)]

    def open_steps(self, windows: list[dict]) -> list[bool]:
        if not windows:
            return [True] * STEPS
        found = [False] * STEPS
        for day in self.days:
            for window in windows:
                if DAYS[day.weekday()] not in window["days"]:
                    continue
                ends = day if window["from"] < window["to"] else day + timedelta(days=1)
                begin = self.found(self.first, day, window["from"])
                end = self.found(self.last, ends, window["to"])
                found[begin:end] = [True] * max(end - begin, 0)
        return found

    def found(self, readings: dict[datetime, int], day: date, clock: str) -> int:
        wall = datetime.fromisoformat(f"{day}T{clock}")
        if wall in readings:
            return readings[wall]
        return next((step for step, reading in enumerate(self.highest) if reading > wall), STEPS)


def later(wall: datetime, unit: str, count: int) -> datetime:
    if unit != "month":
        return wall + timedelta(**{f"{unit}s": count})
    months = wall.month - 1 + count
    for day in range(wall.day, 0, -1):
        try:
            return wall.replace(year=wall.year + months // 12, month=months % 12 + 1, day=day)
        except ValueError:
            continue
    raise AssertionError


stepper = cache(Stepper)
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 4) | st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
LAYERS = st.fixed_dictionaries(
    {
        "priority": st.integers(0, 2),
        "members": st.lists(st.sampled_from("abcd"), min_size=1, max_size=4),
        "start": st.integers(3 * DAY_STEPS, 7 * DAY_STEPS),
        "unit": st.sampled_from(["hour", "hour", "day", "week", "month"]),
        "length": st.sampled_from([1, 1, 2, 7, 24]),
        "windows": st.lists(
            st.fixed_dictionaries(
                {
                    "days": st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
                    "from": CLOCKS,
                    "to": CLOCKS,
                }
            ),
            max_size=2,
        ),
    }
)
OVERRIDES = st.fixed_dictionaries(
    {
        "start": st.integers(FIRST, LAST),
        "length": st.integers(1, 100),
        "remove": st.lists(st.sampled_from("abc"), max_size=1),
        "add": st.lists(st.sampled_from("aef"), max_size=1),
    }
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.integers(-12, 12) | st.integers(-120, 120),
    st.sampled_from([("hour", 1), ("hour", 1), ("hour", 2), ("hour", 5), ("hour", 24), ("day", 1), ("week", 1)]),
)
def test_turns_are_those_that_a_stepper_counts(change, around, turn):
    steps = stepper(*change)
    begin = steps.change + around
    rotation = Rotation(ZoneInfo(change[0]), steps.instant(begin), *turn)
    wanted = steps.turns(begin, *turn)
    near = range(steps.change - 150, steps.change + 150)
    assert [rotation.turn_at(steps.instant(step)) for step in near] == wanted[near.start : near.stop]
    reached = {}
    for since, until, number in rotation.turns(steps.instant(near.start), steps.instant(near.stop)):
        first, end = ((edge - steps.start) // QUARTER for edge in (since, until))
        reached |= dict.fromkeys(range(first, end), number)
    assert [reached[step] for step in near] == wanted[near.start : near.stop]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(CHANGES), st.lists(LAYERS, max_size=3), st.lists(OVERRIDES, max_size=2))
def test_it_finds_whom_a_stepper_finds(change, layers, overrides):
    steps = stepper(*change)
    found = Schedule.from_dict(
        {
            "zone": change[0],
            "layers": [layer | {"start": steps.instant(layer["start"])} for layer in layers],
            "overrides": [
                {
                    "start": steps.instant(override["start"]),
                    "end": steps.instant(override["start"] + override["length"]),
                    "remove": override["remove"],
                    "add": override["add"],
                }
                for override in overrides
            ],
        }
    )
    turns = [steps.turns(layer["start"], layer["unit"], layer["length"]) for layer in layers]
    opens = [steps.open_steps(layer["windows"]) for layer in layers]
    wanted = []
    for step in range(FIRST, LAST):
        active = [number for number in range(len(layers)) if opens[number][step]]
        top = max((layers[number]["priority"] for number in active), default=None)
        people = set()
        for number in active:
            members = layers[number]["members"]
            if layers[number]["priority"] == top:
                people.add(members[turns[number][step] % len(members)])
        live = [each for each in overrides if each["start"] <= step < each["start"] + each["length"]]
        people = people.difference(*(each["remove"] for each in live)).union(*(each["add"] for each in live))
        wanted.append(people)
    answers = [set() for _ in wanted]
    for person, since, until in shifts(found, steps.instant(FIRST), steps.instant(LAST)):
        begin, end = ((edge - steps.start) // QUARTER - FIRST for edge in (since, until))
        for answer in answers[begin:end]:
            answer.add(person)
    assert answers == wanted
    edges = [step for step in range(1, len(wanted)) if wanted[step] != wanted[step - 1]]
    for step in {0, *edges, *(edge - 1 for edge in edges)}:
        assert set(on_call(found, steps.instant(FIRST + step))) == wanted[step]
        assert set(on_call(found, steps.instant(FIRST + step) + QUARTER / 2)) == wanted[step]
