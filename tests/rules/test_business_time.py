"""Business time in real seconds: shared vectors, an independent minute-stepper, and the hard days by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.business_time import Calendar
from rules.errors import RuleError

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = {"hours": {day: [["00:00", "24:00"]] for day in DAYS}}
WEEKDAYS = {"hours": {day: [["09:00", "17:00"]] for day in DAYS[:5]}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shared(kind: str) -> list[dict]:
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


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "3"])
def test_a_mistaken_length_is_refused(seconds):
    with pytest.raises(RuleError, match="seconds"):
        Calendar.from_dict(WEEKDAYS).add(at("2026-11-23T09:00Z"), seconds)


def test_a_calendar_that_never_opens_is_refused_rather_than_searched_for_ever():
    with pytest.raises(RuleError, match="does not open"):
        Calendar.from_dict({"hours": {}}).add(at("2026-11-23T09:00Z"), 60)
    assert Calendar.from_dict({"hours": {}}).between(at("2026-01-01T00:00Z"), at("2040-01-01T00:00Z")) == 0


def test_the_end_of_time_is_refused():
    with pytest.raises(RuleError, match="9999"):
        Calendar.from_dict(ALWAYS).add(at("9999-12-30T00:00Z"), 10 * 86_400)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(RuleError, match="zone"):
        Calendar.from_dict(WEEKDAYS).is_open(datetime(2026, 11, 23))


ZONES = ("America/Chicago", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC")
CHANGES = (
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
)


@st.composite
def hours(draw):
    found = {}
    for day in DAYS:
        edges = sorted(draw(st.lists(st.integers(0, 96), max_size=4, unique=True)))
        pairs = [edges[index : index + 2] for index in range(0, len(edges) - 1, 2)]
        found[day] = [[f"{a // 4:02d}:{a % 4 * 15:02d}", f"{b // 4:02d}:{b % 4 * 15:02d}"] for a, b in pairs]
    return found


def stepped(zone: str, open_hours: dict, start: datetime, minutes: int) -> int:
    """Open minutes, found by looking at the wall clock every minute: independent of how the calendar counts.

    Only for hours whose edges no change of the clock touches; the hard edges have tests of their own above.
    """
    total = 0
    for minute in range(minutes):
        wall = (start + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        reading = wall.hour * 60 + wall.minute
        for opens, shuts in open_hours[DAYS[wall.weekday()]]:
            first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (opens, shuts))
            total += first <= reading < last
    return total


def _touches(open_hours: dict) -> bool:
    """Whether an edge lies where clocks change: between midnight and three, or at the end of the day."""
    return any(
        0 < int(edge[:2]) * 60 + int(edge[3:]) <= 180
        for spans in open_hours.values()
        for pair in spans
        for edge in pair
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), hours(), st.sampled_from(CHANGES), st.integers(0, 1440), st.integers(1, 4000))
def test_it_counts_what_a_minute_stepper_counts(zone, open_hours, day, offset, minutes):
    if _touches(open_hours):
        return
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1) + timedelta(minutes=offset)
    calendar = Calendar.from_dict({"zone": zone, "hours": open_hours})
    counted = calendar.between(start, start + timedelta(minutes=minutes))
    assert counted == 60 * stepped(zone, open_hours, start, minutes)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ZONES), hours(), st.sampled_from(CHANGES), st.integers(0, 86_400), st.integers(0, 400_000))
def test_adding_and_measuring_agree(zone, open_hours, day, offset, seconds):
    if not any(open_hours.values()):
        return
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=offset)
    calendar = Calendar.from_dict({"zone": zone, "hours": open_hours})
    end = calendar.add(start, seconds)
    assert calendar.between(start, end) == seconds
    middle = start + (end - start) / 2
    assert calendar.between(start, middle) + calendar.between(middle, end) == pytest.approx(seconds, abs=1e-5)
