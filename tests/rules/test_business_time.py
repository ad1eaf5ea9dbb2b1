"""Business time in real seconds: shared vectors, an independent minute-stepper, and the hard days by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules import business_time
from rules.business_time import Calendar
from rules.errors import RuleError

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = {"hours": {day: [["00:00", "24:00"]] for day in DAYS}}
WEEKDAYS = {"hours": {day: [["09:00", "17:00"]] for day in DAYS[:5]}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shared(kind: str) -> list[dict[str, Any]]:
    if not VECTORS.is_dir():
        return []
    return [case for place in sorted(VECTORS.glob(f"{kind}__*.json")) for case in json.loads(place.read_text())]


CASES = shared("business")


@pytest.mark.skipif(not CASES, reason="the shared vectors are not beside the project")
@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and f"{case['op']}: {case['case']}")
def test_the_shared_vectors_hold(case):
    calendar = Calendar.from_dict(case["calendar"])
    if case["op"] == "add":
        assert calendar.add(at(case["start"]), case["seconds"]) == at(case["expect"])
    elif case["op"] == "between":
        assert calendar.between(at(case["start"]), at(case["end"])) == case["expect_seconds"]
    else:
        assert calendar.is_open(at(case["at"])) is case["expect"]


@pytest.mark.parametrize(
    ("zone", "hours", "start", "end", "seconds"),
    [
        ("Europe/London", ALWAYS, "2026-10-25T00:00+01:00", "2026-10-26T00:00+00:00", 25 * 3600),
        ("Europe/London", ALWAYS, "2026-03-29T00:00+00:00", "2026-03-30T00:00+01:00", 23 * 3600),
        ("Australia/Lord_Howe", ALWAYS, "2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30", 24.5 * 3600),
        ("Asia/Kathmandu", WEEKDAYS, "2026-11-23T00:00+05:45", "2026-11-24T00:00+05:45", 8 * 3600),
        # the clock of Havana goes from 01:00 back to 00:00: the date has 25 hours, all of them its own
        ("America/Havana", ALWAYS, "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25 * 3600),
        # Apia had no 30 December 2011
        ("Pacific/Apia", ALWAYS, "2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", 24 * 3600),
    ],
)
def test_a_day_has_the_hours_its_clock_gave_it(zone, hours, start, end, seconds):
    assert Calendar.from_dict({"zone": zone} | hours).between(at(start), at(end)) == seconds


def test_opening_takes_the_first_and_closing_the_last_of_a_doubled_time():
    calendar = Calendar.from_dict({"zone": "Europe/London", "hours": {"sun": [["01:30", "01:45"]]}})
    assert calendar.between(at("2026-10-25T00:00+00:00"), at("2026-10-25T06:00+00:00")) == 75 * 60


def test_opening_and_closing_in_a_gap_move_to_its_end():
    calendar = Calendar.from_dict({"zone": "Europe/London", "hours": {"sun": [["01:15", "03:00"]]}})
    assert calendar.add(at("2026-03-29T00:00+00:00"), 0) == at("2026-03-29T01:00+00:00")
    shut = Calendar.from_dict({"zone": "Europe/London", "hours": {"sun": [["01:15", "01:45"]]}})
    assert shut.between(at("2026-03-28T00:00+00:00"), at("2026-03-30T00:00+00:00")) == 0


def test_the_end_of_a_date_comes_after_its_last_instant():
    # at 00:01 on Sunday the clock of St John's went back to 23:01 on Saturday: the hour belongs to Saturday
    calendar = Calendar.from_dict({"zone": "America/St_Johns", "hours": {"sat": [["00:00", "24:00"]]}})
    assert calendar.between(at("2010-11-05T00:00Z"), at("2010-11-09T00:00Z")) == 25 * 3600
    assert calendar.add(at("2010-11-06T02:30Z"), 25 * 3600) == at("2010-11-07T03:30Z")
    # in Havana the hour after midnight comes twice, and both belong to Sunday
    havana = Calendar.from_dict({"zone": "America/Havana", "hours": {"sat": [["22:00", "24:00"]]}})
    assert havana.between(at("2026-10-31T00:00Z"), at("2026-11-02T00:00Z")) == 2 * 3600


def test_spans_that_meet_in_a_doubled_hour_are_counted_once():
    hours = {"sun": [["01:00", "01:15"], ["01:30", "01:45"]]}  # first 01:00 to last 01:15, first 01:30 to last 01:45
    calendar = Calendar.from_dict({"zone": "Europe/London", "hours": hours})
    assert calendar.between(at("2026-10-25T00:00Z"), at("2026-10-25T06:00Z")) == 105 * 60
    assert calendar.between(at("2026-10-25T00:00Z"), at("2026-10-25T00:35Z")) == 35 * 60
    assert calendar.between(at("2026-10-25T00:40Z"), at("2026-10-25T00:50Z")) == 10 * 60
    assert calendar.add(at("2026-10-25T00:00Z"), 105 * 60) == at("2026-10-25T01:45Z")


def test_a_date_that_the_zone_skipped_has_no_hours():
    calendar = Calendar.from_dict({"zone": "Pacific/Apia", "hours": {"fri": [["09:00", "17:00"]]}})
    assert calendar.between(at("2011-12-29T00:00Z"), at("2012-01-02T00:00Z")) == 0
    assert calendar.add(at("2011-12-29T00:00Z"), 0) == at("2012-01-05T19:00Z")


@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "America/St_Johns", "Pacific/Apia"])
def test_round_the_clock_every_second_counts(zone):
    start, end = at("2009-01-01T00:00Z"), at("2013-01-01T00:00:01Z")
    for calendar in (business_time.ALWAYS, Calendar.from_dict({"zone": zone} | ALWAYS)):
        assert calendar.between(start, end) == (end - start).total_seconds()
        assert calendar.add(start, 86_400 * 1461 + 1) == end
        assert calendar.is_open(start)


def test_a_holiday_shuts_a_calendar_that_is_otherwise_always_open():
    calendar = Calendar.from_dict({"zone": "UTC", "holidays": ["2026-12-25"]} | ALWAYS)
    assert calendar.add(at("2026-12-24T12:00Z"), 86_400) == at("2026-12-26T12:00Z")
    rest = Calendar.from_dict({"zone": "UTC", "exceptions": {"2026-12-25": []}} | ALWAYS)
    assert not rest.is_open(at("2026-12-25T12:00Z"))


def test_parts_of_a_second_count_to_the_microsecond():
    calendar = Calendar.from_dict({"zone": "UTC"} | WEEKDAYS)
    end = calendar.add(at("2026-11-23T16:59:59.5Z"), 0.500001)
    assert end == at("2026-11-24T09:00:00.000001Z")
    assert calendar.between(at("2026-11-23T16:59:59.5Z"), end) == 0.500001


def test_an_instant_in_any_zone_gives_a_result_in_utc():
    calendar = Calendar.from_dict({"zone": "UTC"} | WEEKDAYS)
    for given_in in (at("2026-11-23T05:00-05:00"), at("2026-11-23T11:00+01:00")):
        end = calendar.add(given_in, 60)
        assert (end, end.tzinfo) == (at("2026-11-23T10:01Z"), UTC)


def test_no_time_passes_backwards():
    calendar = Calendar.from_dict({"zone": "UTC"} | WEEKDAYS)
    assert calendar.between(at("2026-11-23T12:00Z"), at("2026-11-23T10:00Z")) == 0
    assert calendar.between(at("2026-11-23T12:00Z"), at("2026-11-23T12:00Z")) == 0


def test_an_exception_beats_a_holiday_and_a_holiday_the_week():
    calendar = Calendar.from_dict(
        {
            "zone": "UTC",
            "hours": {"thu": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]]},
            "holidays": ["2026-12-24", "2026-12-25"],
            "exceptions": {"2026-12-24": [["09:00", "12:00"]]},
        }
    )
    assert calendar.is_open(at("2026-12-24T11:59:59Z"))
    assert not calendar.is_open(at("2026-12-24T12:00Z"))
    assert not calendar.is_open(at("2026-12-25T10:00Z"))


def test_a_deadline_on_closing_time_stays_there():
    calendar = Calendar.from_dict({"zone": "UTC"} | WEEKDAYS)
    assert calendar.add(at("2026-11-23T09:00Z"), 8 * 3600) == at("2026-11-23T17:00Z")
    assert calendar.add(at("2026-11-23T09:00Z"), 8 * 3600 + 1) == at("2026-11-24T09:00:01Z")
    assert calendar.add(at("2026-11-20T17:00Z"), 0) == at("2026-11-23T09:00Z")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("mon", "object"),
        ({"zone": "Mars/Olympus"}, "no zone"),
        ({"zone": "../etc/passwd"}, "no zone"),
        ({"hours": {"monday": []}}, "Name days"),
        ({"hours": {"mon": [["17:00", "09:00"]]}}, "not before"),
        ({"hours": {"mon": [["09:00", "25:00"]]}}, "up to 24:00"),
        ({"hours": {"mon": [["9", "10:00"]]}}, "up to 24:00"),
        ({"hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "overlap"),
        ({"hours": {"mon": "09:00-17:00"}}, "pairs"),
        ({"hours": {"mon": [["09:00"]]}}, "pairs"),
        ({"hours": [], "holidays": "2026-12-25"}, "by day"),
        ({"holidays": "2026-12-25"}, "list of dates"),
        ({"holidays": ["25.12.2026"]}, "2026-12-25"),
        ({"exceptions": {"never": []}}, "2026-12-25"),
    ],
)
def test_a_mistaken_calendar_says_how_to_put_it_right(data, says):
    with pytest.raises(RuleError, match=says):
        Calendar.from_dict(data)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "3", None])
def test_a_mistaken_length_is_refused(seconds):
    with pytest.raises(RuleError, match="seconds"):
        Calendar.from_dict(WEEKDAYS).add(at("2026-11-23T09:00Z"), seconds)


def test_a_calendar_that_never_opens_is_refused_rather_than_searched_for_ever():
    with pytest.raises(RuleError, match="does not open"):
        Calendar.from_dict({"hours": {}}).add(at("2026-11-23T09:00Z"), 60)
    assert Calendar.from_dict({"hours": {}}).between(at("2026-01-01T00:00Z"), at("2040-01-01T00:00Z")) == 0


@pytest.mark.parametrize("hours", [ALWAYS, WEEKDAYS])
@pytest.mark.parametrize("seconds", [10 * 365 * 86_400, 10**400, 1e300])
def test_the_end_of_time_is_refused(hours, seconds):
    with pytest.raises(RuleError, match="9998"):
        Calendar.from_dict(hours).add(at("9998-12-30T00:00Z"), seconds)


@pytest.mark.parametrize("instant", [datetime.min, datetime.max])
def test_an_instant_at_the_edge_of_time_is_refused(instant):
    calendar = Calendar.from_dict({"zone": "America/Chicago"} | WEEKDAYS)
    for zone in (UTC, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/Chicago")):
        with pytest.raises(RuleError, match="9998"):
            calendar.is_open(instant.replace(tzinfo=zone))


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(RuleError, match="zone"):
        Calendar.from_dict(WEEKDAYS).is_open(datetime(2026, 11, 23))


CHANGES = [
    ("America/Chicago", date(2026, 3, 8)),
    ("America/Chicago", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1969, 9, 30)),
    ("Asia/Kathmandu", date(2026, 11, 23)),
]
"""a zone, and a date on which its clock changes by one hour, half, two or a day (Kathmandu's does not)"""
MINUTE = timedelta(minutes=1)
STEPS = 8 * 1440


class Stepper:
    """The same hours found by reading the zone's clock once a minute, from four days before a date to four after.

    It only turns UTC into wall time and knows nothing of offsets and folds: it shares no reckoning with the calendar.
    """

    def __init__(self, zone: str, day: date) -> None:
        self.start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=4)
        walls = [(self.start + step * MINUTE).astimezone(ZoneInfo(zone)) for step in range(STEPS)]
        self.readings = [(wall.date(), wall.hour * 60 + wall.minute) for wall in walls]
        self.last = {reading: step for step, reading in enumerate(self.readings)}
        self.first = {reading: step for step, reading in reversed(list(enumerate(self.readings)))}
        self.ends = {reading[0]: step + 1 for step, reading in enumerate(self.readings)}
        self.days = [day + timedelta(days=offset) for offset in range(-3, 3)]

    def after_gap(self, wanted: tuple[date, int]) -> int:
        """The step at which the clock jumps past a reading it never shows."""
        return next(n for n, (a, b) in enumerate(pairwise(self.readings), 1) if a < wanted < b)

    def open_steps(self, hours: dict[str, list[list[str]]]) -> list[bool]:
        found = [False] * STEPS
        for day in self.days:
            for opens, shuts in hours[DAYS[day.weekday()]]:
                since, until = (day, minutes(opens)), (day, minutes(shuts))
                begin = self.first[since] if since in self.first else self.after_gap(since)
                if shuts == "24:00":
                    end = self.ends[day] if day in self.ends else self.after_gap(until)
                else:
                    end = self.last[until] if until in self.last else self.after_gap(until)
                found[begin:end] = [True] * max(end - begin, 0)
        return found


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


stepper = cache(Stepper)


@st.composite
def hours(draw):
    """Up to two spans a day, by quarters of an hour; half of the edges lie where clocks change."""
    edge = st.one_of(st.integers(0, 14), st.integers(90, 96), st.integers(0, 96), st.integers(0, 96))
    found = {}
    for day in DAYS:
        edges = sorted(draw(st.lists(edge, max_size=4, unique=True)))
        pairs = [edges[index : index + 2] for index in range(0, len(edges) - 1, 2)]
        found[day] = [[f"{a // 4:02d}:{a % 4 * 15:02d}", f"{b // 4:02d}:{b % 4 * 15:02d}"] for a, b in pairs]
    return found


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CHANGES), hours(), st.integers(2 * 1440, 4 * 1440), st.integers(1, 2 * 1440))
def test_it_counts_what_a_minute_stepper_counts(change, open_hours, first, length):
    zone, day = change
    steps = stepper(zone, day)
    is_open = steps.open_steps(open_hours)
    calendar = Calendar.from_dict({"zone": zone, "hours": open_hours})
    start, end = steps.start + first * MINUTE, steps.start + (first + length) * MINUTE
    assert calendar.between(start, end) == 60 * sum(is_open[first : first + length])
    edges = [n for n in range(first, first + length) if is_open[n] != is_open[n - 1]]
    for step in (first, *edges, *(n - 1 for n in edges)):
        assert calendar.is_open(steps.start + step * MINUTE) is is_open[step]
    run = list(accumulate(is_open[first : first + length]))
    if run[-1]:
        wanted = 1 + length % run[-1]
        assert calendar.add(start, 60 * wanted) == start + (run.index(wanted) + 1) * MINUTE
        assert calendar.add(start, 0) == start + run.index(1) * MINUTE


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CHANGES), hours(), st.integers(0, 86_400), st.integers(0, 400_000))
def test_adding_and_measuring_agree(change, open_hours, offset, seconds):
    zone, day = change
    calendar = Calendar.from_dict({"zone": zone, "hours": open_hours})
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=offset)
    # hours that lie in a gap only, or none at all, open on no day of an ordinary week
    assume(calendar.between(start + timedelta(days=30), start + timedelta(days=37)) > 0)
    end = calendar.add(start, seconds)
    assert calendar.between(start, end) == seconds
    assert calendar.add(calendar.add(start, seconds // 3), seconds - seconds // 3) == calendar.add(start, seconds)
    middle = start + timedelta(seconds=int((end - start).total_seconds()) // 2)
    assert calendar.between(start, middle) + calendar.between(middle, end) == seconds
