"""Who is on call: shared vectors, every rule by hand, and the hard days of odd zones."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import wall_clock
from rules.errors import RuleError
from rules.oncall import (
    Handover,
    Schedule,
    Shift,
    current_and_next,
    gaps,
    hours,
    loads,
    next_change,
    on_call,
    overlaps,
    shifts,
    stretches,
)
from rules.rotation import Rotation

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def layer(members: str = "ana bo cy", start: str = "2020-01-01T00:00Z", unit: str = "day", **rest: Any) -> dict:
    return {"name": "", "priority": 0, "members": members.split(), "start": start, "unit": unit, "length": 1} | rest


def window(days: str, opens: str, shuts: str) -> dict[str, Any]:
    return {"days": days.split(), "from": opens, "to": shuts}


def schedule(*layers: dict, zone: str = "UTC", overrides: list[dict] | None = None) -> Schedule:
    return Schedule.from_dict({"zone": zone, "layers": list(layers), "overrides": overrides or []})


def override(start: str, end: str, **what: Any) -> dict[str, Any]:
    return {"start": start, "end": end} | what


def handovers(schedule: Schedule, start: str, end: str) -> list[str]:
    """'Ana 01:00-06:00': when each shift begins on the schedule's clock."""
    return [
        f"{person} {since.astimezone(schedule.zone):%H:%M%z}"
        for person, since, _ in shifts(schedule, at(start), at(end))
    ]


CASES = (
    [case for place in sorted(VECTORS.glob("schedule__*.json")) for case in json.loads(place.read_text())]
    if VECTORS.is_dir()
    else []
)


@pytest.mark.skipif(not CASES, reason="the shared vectors are not beside the project")
@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and case["case"])
def test_the_shared_vectors_hold(case):
    found = Schedule.from_dict(case["schedule"])
    for wanted in case.get("expect", []):
        assert set(on_call(found, at(wanted["at"]))) == set(wanted["on_call"])
    if "range" in case:
        start, end = map(at, case["range"])
        wanted = [(shift["person"], at(shift["start"]), at(shift["end"])) for shift in case["shifts"]]
        assert sorted(shifts(found, start, end)) == sorted(wanted)


@pytest.mark.parametrize(
    ("zone", "start", "unit", "turns"),
    [
        # 02:00 and 03:00 fall on one instant: one handover, and nobody is skipped
        ("America/Chicago", "2020-03-08T00:00-06:00", "hour", ["ana 00:00-0600", "bo 01:00-0600", "cy 03:00-0500"]),
        ("America/Chicago", "2020-03-08T00:30-06:00", "hour", ["ana 00:30-0600", "bo 01:30-0600", "cy 03:00-0500"]),
        # the repeated hour belongs to whoever had it first
        ("America/Chicago", "2020-11-01T00:00-05:00", "hour", ["ana 00:00-0500", "bo 01:00-0500", "cy 02:00-0600"]),
        ("Australia/Lord_Howe", "2026-04-05T00:00+11:00", "hour", ["ana 00:00+1100", "bo 01:00+1100", "cy 02:00+1030"]),
        ("Australia/Lord_Howe", "2026-10-04T01:00+10:30", "hour", ["ana 01:00+1030", "bo 02:30+1100", "cy 03:00+1100"]),
        # at midnight the clock of Havana goes to 01:00, and in November from 01:00 back to midnight
        ("America/Havana", "2026-03-07T00:00-05:00", "day", ["ana 00:00-0500", "bo 01:00-0400", "cy 00:00-0400"]),
        ("America/Havana", "2026-10-31T00:00-04:00", "day", ["ana 00:00-0400", "bo 00:00-0400", "cy 00:00-0500"]),
        # Apia had no 30 December 2011: at midnight two daily handovers are one, at noon the skipped one is at midnight
        ("Pacific/Apia", "2011-12-29T00:00-10:00", "day", ["ana 00:00-1000", "bo 00:00+1400", "cy 00:00+1400"]),
        ("Pacific/Apia", "2011-12-29T12:00-10:00", "day", ["ana 12:00-1000", "bo 00:00+1400", "cy 12:00+1400"]),
        # in Ramadan Morocco goes back an hour
        ("Africa/Casablanca", "2026-02-15T01:00+01:00", "hour", ["ana 01:00+0100", "bo 02:00+0100", "cy 03:00+0000"]),
        ("Asia/Kathmandu", "2026-03-29T01:00+05:45", "hour", ["ana 01:00+0545", "bo 02:00+0545", "cy 03:00+0545"]),
        # by the clock face 24 hours are a day
        ("Europe/London", "2026-10-24T09:00+01:00", "day", ["ana 09:00+0100", "bo 09:00+0000", "cy 09:00+0000"]),
    ],
)
def test_a_handover_is_at_the_first_instant_the_clock_reads_its_time_or_later(zone, start, unit, turns):
    found = schedule(layer(start=start, unit=unit), zone=zone)
    end = current_and_next(found, next_change(found, next_change(found, at(start)))).at
    assert handovers(found, start, end.isoformat()) == turns
    assert gaps(found, at(start) - 30 * DAY, end) == []


def test_24_hourly_turns_are_daily_ones():
    for zone in ("America/Chicago", "Pacific/Apia", "America/Havana"):
        daily, hourly = (
            schedule(layer(start="2010-06-01T00:00Z", unit=unit, length=length), zone=zone)
            for unit, length in (("day", 1), ("hour", 24))
        )
        assert shifts(daily, at("2009-01-01T00:00Z"), at("2013-01-01T00:00Z")) == shifts(
            hourly, at("2009-01-01T00:00Z"), at("2013-01-01T00:00Z")
        )


def test_turns_run_backwards_before_the_start():
    found = schedule(layer(start="2020-01-10T09:00Z"))
    assert on_call(found, at("2020-01-10T09:00Z")) == ("ana",)
    assert on_call(found, at("2020-01-10T08:59Z")) == ("cy",)
    assert on_call(found, at("2020-01-07T08:59:59Z")) == ("cy",)
    assert on_call(found, at("2020-01-07T09:00Z")) == ("ana",)


@pytest.mark.parametrize(
    ("length", "starts"),
    [
        (1, ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]),
        (3, ["2023-10-31", "2024-01-31", "2024-04-30"]),
        (13, ["2022-12-31", "2024-01-31", "2025-02-28"]),
    ],
)
def test_months_are_clamped_to_their_last_day_and_always_counted_from_the_start(length, starts):
    found = schedule(layer(start="2024-01-31T10:00Z", unit="month", length=length))
    begin = at(starts[0] + "T10:00Z")
    assert [shift.start for shift in shifts(found, begin, at(starts[-1] + "T10:01Z"))] == [
        at(day + "T10:00Z") for day in starts
    ]


def test_turn_0_begins_exactly_at_a_start_in_the_second_pass_of_a_doubled_hour():
    found = schedule(layer(start="2020-11-01T01:30-06:00", unit="hour"), zone="America/Chicago")
    assert handovers(found, "2020-11-01T00:30-05:00", "2020-11-01T03:00-06:00") == [
        "cy 00:30-0500",
        "ana 01:30-0600",
        "bo 02:30-0600",
    ]
    # Troll goes back two hours: what the clock read before the start is no handover of the turns after it
    found = schedule(layer(start="2026-10-25T01:30+00:00", unit="hour"), zone="Antarctica/Troll")
    assert handovers(found, "2026-10-25T01:30+00:00", "2026-10-25T04:00+00:00") == [
        "ana 01:30+0000",
        "bo 02:30+0000",
        "cy 03:30+0000",
    ]
    assert on_call(found, at("2026-10-25T01:29+00:00")) == ("cy",)


@pytest.mark.parametrize(
    ("zone", "days", "opens", "shuts", "spans"),
    [
        ("UTC", "mon", "09:00", "17:00", [("2026-11-23T09:00Z", "2026-11-23T17:00Z")]),
        ("UTC", "mon", "20:00", "08:00", [("2026-11-23T20:00Z", "2026-11-24T08:00Z")]),
        ("UTC", "mon", "20:00", "20:00", [("2026-11-23T20:00Z", "2026-11-24T20:00Z")]),
        ("UTC", "mon tue", "08:00", "08:00", [("2026-11-23T08:00Z", "2026-11-25T08:00Z")]),
        ("UTC", "mon", "18:00", "24:00", [("2026-11-23T18:00Z", "2026-11-24T00:00Z")]),
        # opening takes the first, closing the last of a doubled time; in a gap both move to its end
        ("America/Chicago", "sun", "01:15", "01:45", [("2026-11-01T01:15-05:00", "2026-11-01T01:45-06:00")]),
        ("America/Chicago", "sun", "02:15", "04:00", [("2026-03-08T03:00-05:00", "2026-03-08T04:00-05:00")]),
        ("America/Chicago", "sun", "02:15", "02:45", []),
        ("America/Chicago", "sat", "20:00", "02:30", [("2026-03-07T20:00-06:00", "2026-03-08T03:00-05:00")]),
        # the last 00:00 of a doubled midnight
        ("America/Havana", "sat", "20:00", "00:00", [("2026-10-31T20:00-04:00", "2026-11-01T00:00-05:00")]),
        # the skipped Friday's windows move to the first instant after it, and those that end there too are none
        ("Pacific/Apia", "fri", "09:00", "17:00", []),
        ("Pacific/Apia", "fri", "20:00", "08:00", [("2011-12-31T00:00+14:00", "2011-12-31T08:00+14:00")]),
        ("Pacific/Apia", "thu", "20:00", "08:00", [("2011-12-29T20:00-10:00", "2011-12-31T00:00+14:00")]),
    ],
)
def test_windows_open_at_the_first_and_close_at_the_last_reading(zone, days, opens, shuts, spans):
    found = schedule(layer("ana", windows=[window(days, opens, shuts)]), zone=zone)
    near = {"UTC": "2026-11-22T12:00Z", "America/Havana": "2026-10-30T12:00Z", "Pacific/Apia": "2011-12-28T12:00Z"}
    first = at(near.get(zone) or ("2026-10-30T12:00Z" if opens.startswith("01") else "2026-03-06T12:00Z"))
    wanted = [(at(start), at(end)) for start, end in spans]
    assert [shift[1:] for shift in shifts(found, first, first + 5 * DAY)] == wanted
    for start, end in wanted:
        assert (on_call(found, start), on_call(found, start - wall_clock.TICK)) == (("ana",), ())
        assert (on_call(found, end), on_call(found, end - wall_clock.TICK)) == ((), ("ana",))


def test_turns_are_counted_through_times_outside_windows():
    found = schedule(layer(start="2026-11-23T00:00Z", windows=[window("mon thu", "09:00", "17:00")]))
    assert on_call(found, at("2026-11-26T10:00Z")) == ("ana",)
    assert on_call(found, at("2026-11-30T10:00Z")) == ("bo",)


def test_the_highest_priority_wins_and_equals_are_joined_in_order_without_doubles():
    low, equal = layer("cy"), layer("ana")
    high = layer("bo", priority=5, windows=[window("mon", "09:00", "17:00")])
    found = schedule(low, high, equal, layer("cy"))
    assert on_call(found, at("2026-11-23T08:59Z")) == ("cy", "ana")
    assert on_call(found, at("2026-11-23T09:00Z")) == ("bo",)
    assert shifts(found, at("2026-11-23T00:00Z"), at("2026-11-24T00:00Z")) == [
        Shift("ana", at("2026-11-23T00:00Z"), at("2026-11-23T09:00Z")),
        Shift("cy", at("2026-11-23T00:00Z"), at("2026-11-23T09:00Z")),
        Shift("bo", at("2026-11-23T09:00Z"), at("2026-11-23T17:00Z")),
        Shift("ana", at("2026-11-23T17:00Z"), at("2026-11-24T00:00Z")),
        Shift("cy", at("2026-11-23T17:00Z"), at("2026-11-24T00:00Z")),
    ]
    assert on_call(schedule(layer("ana", priority=-1)), at("2026-11-23T09:00Z")) == ("ana",)


@pytest.mark.parametrize(
    ("overrides", "people"),
    [
        ([{"remove": ["ana"]}], ()),
        ([{"add": ["bo"]}], ("ana", "bo")),
        ([{"add": ["ana"]}], ("ana",)),
        ([{"remove": ["ana"], "add": ["bo"]}], ("bo",)),
        # all removals come first, then all additions
        ([{"add": ["bo"]}, {"remove": ["bo"]}], ("ana", "bo")),
        ([{"remove": ["bo"]}, {"add": ["bo"]}], ("ana", "bo")),
        ([{"remove": ["cy"]}], ("ana",)),
        # a stand-in comes only for somebody who would have been on call
        ([{"replace": {"ana": "bo"}}], ("bo",)),
        ([{"replace": {"cy": "bo"}}], ("ana",)),
        ([{"remove": ["ana"]}, {"replace": {"ana": "bo"}}], ()),
        ([{"replace": {"ana": "bo"}}, {"add": ["ana"]}], ("bo",)),
        ([{"replace": {"cy": "dan"}}, {"add": ["cy"]}], ("ana", "dan")),
        ([{"add": ["bo"]}, {"replace": {"ana": "bo"}}], ("bo",)),
        # within one swap, and in two that answer each other, people change places
        ([{"add": ["bo"]}, {"replace": {"ana": "cy", "bo": "ana"}}], ("cy", "ana")),
        ([{"replace": {"ana": "bo", "bo": "ana"}}], ("bo",)),
        ([{"replace": {"ana": "bo"}}, {"replace": {"bo": "ana"}}], ("bo",)),
        ([{"replace": {"ana": "bo"}}, {"replace": {"bo": "cy"}}, {"replace": {"cy": "ana"}}], ("bo",)),
        # a stand-in may have one too, in whatever order they were agreed
        ([{"replace": {"ana": "bo"}}, {"replace": {"bo": "cy"}}], ("cy",)),
        ([{"replace": {"bo": "cy"}}, {"replace": {"ana": "bo"}}], ("cy",)),
        ([{"replace": {"ana": "bo"}}, {"replace": {"ana": "cy"}}], ("bo", "cy")),
    ],
)
def test_overrides_come_last_removals_additions_stand_ins(overrides, people):
    spans = [override("2026-11-23T10:00Z", "2026-11-23T12:00Z") | what for what in overrides]
    found = schedule(layer("ana"), overrides=spans)
    assert on_call(found, at("2026-11-23T10:00Z")) == people
    assert on_call(found, at("2026-11-23T09:59:59Z")) == ("ana",)
    assert on_call(found, at("2026-11-23T12:00Z")) == ("ana",)


def test_a_swap_moves_only_the_turns_of_the_one_who_is_replaced():
    swap = override("2026-11-23T00:00Z", "2026-11-30T00:00Z", replace={"ana": "bo"})
    found = schedule(layer(start="2026-11-23T00:00Z"), overrides=[swap])
    names = [shift.person for shift in shifts(found, at("2026-11-23T00:00Z"), at("2026-12-01T00:00Z"))]
    assert names == ["bo", "cy", "bo", "cy", "bo"]


def test_touching_spans_of_one_person_are_one_shift_cut_to_the_range():
    daily = [window("mon tue wed", "00:00", "00:00"), window("thu", "00:00", "12:00")]
    found = schedule(layer("ana bo", start="2026-11-23T00:00Z", unit="week", windows=daily))
    assert shifts(found, at("2026-11-23T06:00+01:00"), at("2026-11-28T00:00Z")) == [
        Shift("ana", at("2026-11-23T05:00Z"), at("2026-11-26T12:00Z"))
    ]
    assert shifts(found, at("2026-11-24T00:00Z"), at("2026-11-24T00:00Z")) == []
    assert shifts(found, at("2026-11-25T00:00Z"), at("2026-11-24T00:00Z")) == []


def test_gaps_and_overlaps_are_seen_before_they_happen():
    found = schedule(
        layer("ana", windows=[window("mon", "08:00", "16:00")]),
        layer("bo", windows=[window("mon", "14:00", "20:00")]),
    )
    start, end = at("2026-11-23T06:00Z"), at("2026-11-24T00:00Z")
    assert gaps(found, start, end) == [
        (start, at("2026-11-23T08:00Z")),
        (at("2026-11-23T20:00Z"), end),
    ]
    assert overlaps(found, start, end) == [(at("2026-11-23T14:00Z"), at("2026-11-23T16:00Z"), ("ana", "bo"))]


def test_the_screen_says_who_is_on_call_until_when_and_who_comes_next():
    office = layer("ana bo", start="2026-11-23T00:00Z", windows=[window("mon tue", "09:00", "17:00")])
    found = schedule(office)
    assert current_and_next(found, at("2026-11-23T10:00Z")) == Handover(("ana",), at("2026-11-23T17:00Z"), ())
    assert current_and_next(found, at("2026-11-23T17:00Z")) == Handover((), at("2026-11-24T09:00Z"), ("bo",))
    assert next_change(found, at("2026-11-24T17:00Z")) == at("2026-11-30T09:00Z")
    yearly = schedule(layer("ana bo", start="2026-01-01T00:00Z", unit="month", length=12))
    assert next_change(yearly, at("2026-02-01T00:00Z")) == at("2027-01-01T00:00Z")


def test_what_never_changes_has_no_next():
    assert current_and_next(schedule(layer("ana")), at("2026-11-23T10:00Z")) == Handover(("ana",), None, ())
    assert next_change(schedule(), at("2026-11-23T10:00Z")) is None
    assert next_change(schedule(layer("ana")), at("9998-12-31T23:00Z")) is None


def test_hours_are_counted_per_person_with_nights_and_weekends():
    found = schedule(layer("ana bo", start="2026-11-23T09:00+01:00", unit="week"), zone="Europe/Berlin")
    load = hours(found, at("2026-11-23T09:00+01:00"), at("2026-12-01T00:00+01:00"))
    assert load["ana"] == (7 * 24 * 3600, 7 * 9 * 3600, 48 * 3600)
    assert load["bo"] == (15 * 3600, 2 * 3600, 0)
    # the night in which the clock goes back has ten hours, that weekend 49
    load = hours(schedule(layer("ana"), zone="Europe/Berlin"), at("2026-10-24T12:00Z"), at("2026-10-25T12:00Z"))
    assert load == {"ana": (86_400, 10 * 3600, 86_400)}


ZONES = ["America/Chicago", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Pacific/Apia"]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["2011-12-28", "2025-03-08", "2025-03-29", "2025-04-05", "2025-10-04", "2025-10-25", "2025-11-01"]),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4_000), st.integers(1, 3_000)), max_size=4),
)
def test_hours_nights_and_weekends_are_those_of_every_single_minute(zone, day, turns):
    begin, place, expected = at(f"{day}T00:00Z"), ZoneInfo(zone), dict[str, list[int]]()
    found = [Shift(person, begin + low * MINUTE, begin + (low + length) * MINUTE) for person, low, length in turns]
    for person, since, until in found:
        total = expected.setdefault(person, [0, 0, 0])
        while since < until:
            local = since.astimezone(place)
            for which, counts in enumerate((True, not 7 <= local.hour < 22, local.weekday() >= 5)):
                total[which] += 60 * counts
            since += MINUTE
    assert {person: list(load) for person, load in loads(found, place).items()} == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("unit", "length"), [("hour", 1), ("hour", 5), ("day", 1), ("week", 1), ("month", 1)])
def test_round_the_clock_somebody_is_always_on_call_and_turns_follow_one_another(zone, unit, length):
    start = at("2011-06-15T13:30Z")
    found = schedule(layer("a b c d e f g", start=start.isoformat(), unit=unit, length=length), zone=zone)
    first, end = start - 400 * DAY, start + 400 * DAY
    assert gaps(found, first, end) == []
    assert overlaps(found, first, end) == []
    turns = list(Rotation(ZoneInfo(zone), start, unit, length).turns(first, end))
    assert turns[0][0] == first
    assert turns[-1][1] == end
    assert all(since < until for since, until, _ in turns)
    for (_, until, number), (since, _, following) in pairwise(turns):
        assert (until, number + 1) == (since, following)
    assert start in {since for since, _, number in turns if number == 0}


@pytest.mark.parametrize("start", ["2010-11-07T06:00Z", "2024-03-10T08:00Z"])
@pytest.mark.parametrize("zone", ["America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "Antarctica/Troll"])
def test_a_turn_reckoned_from_afar_is_the_one_reached_step_by_step(zone, start):
    rotation = Rotation(ZoneInfo(zone), at(start), "hour", 1)
    end = at(start) + 800 * DAY
    for number, (since, until, turn) in enumerate(rotation.turns(at(start), end)):
        assert turn == number
        if number % 41 == 0:
            assert rotation.turn_at(since) == rotation.turn_at(until - wall_clock.TICK) == number
            assert rotation.turn_at(since - wall_clock.TICK) == number - 1
    backwards = Rotation(ZoneInfo(zone), end, "hour", 1)
    turns = [turn for _, _, turn in backwards.turns(at(start), end)]
    assert turns == list(range(-len(turns), 0))
    assert backwards.turn_at(at(start)) == -len(turns)


def test_far_from_its_start_a_rotation_goes_on_to_the_ends_of_time():
    for unit in ("hour", "day", "week", "month"):
        found = schedule(layer(start="2020-01-01T00:00Z", unit=unit), zone="America/Chicago")
        for moment in ("0002-01-01T00:00Z", "9998-12-31T23:00Z"):
            (shift,) = shifts(found, at(moment), at(moment) + HOUR / 2)
            assert (shift.person,) == on_call(found, at(moment))
    long = schedule(layer("a b c d e", unit="month", length=10_000))
    assert on_call(long, at("9998-12-31T23:00Z")) == ("e",)
    assert on_call(long, at("0002-01-01T00:00Z")) == ("c",)


def test_after_the_last_known_change_the_rules_repeat_every_400_years():
    for zone in map(ZoneInfo, ZONES):
        cycle = wall_clock.changes(zone, 2777)
        near = wall_clock.changes(zone, 2377)
        assert [change.at.replace(year=2777) for change in near] == [change.at for change in cycle]
        for change in cycle:
            assert (change.at - HOUR).astimezone(zone).utcoffset() == change.before
            assert change.at.astimezone(zone).utcoffset() == change.after


def bad(**change: Any) -> dict[str, Any]:
    return {"layers": [layer() | change]}


def bad_override(**change: Any) -> dict[str, Any]:
    return {"overrides": [override("2026-11-23T10:00Z", "2026-11-23T12:00Z") | change]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("ana", "an object"),
        ({"zone": "Mars/Olympus"}, "no zone"),
        ({"layers": {}}, "layers as a list"),
        ({"layers": ["ana"]}, "Layer 1: give it members"),
        (bad(members=[]), "at least one member"),
        (bad(members="ana"), "list of names"),
        (bad(members=["ana", " "]), "has no name"),
        (bad(members=["ana", 7]), "has no name"),
        (bad(name="Nights", start="2026-11-23T09:00"), "Layer 'Nights'.*zone"),
        (bad(start="Monday"), "no date"),
        (bad(start=None), "zone"),
        (bad(start="9999-01-01T00:00Z"), "9998"),
        (bad(unit="fortnight"), "hour, day, week, month"),
        (bad(unit=["day"]), "hour, day, week, month"),
        (bad(length=0), "whole number"),
        (bad(length=1.5), "whole number"),
        (bad(length=True), "whole number"),
        (bad(length=10**400), "whole number"),
        (bad(priority="high"), "whole number"),
        (bad(windows="always"), "list of days"),
        (bad(windows=["mon"]), "list of days"),
        (bad(windows=[window("", "09:00", "17:00")]), "there is none"),
        (bad(windows=[window("monday", "09:00", "17:00")]), "'monday' is none"),
        (bad(windows=[{"days": [["mon"]], "from": "09:00", "to": "17:00"}]), "is none"),
        (bad(windows=[window("mon", "9", "17:00")]), "09:00"),
        (bad(windows=[window("mon", "24:00", "17:00")]), "00:00"),
        (bad(windows=[{"days": ["mon"], "from": "09:00"}]), "'None' is none"),
        ({"overrides": "ana"}, "overrides as a list"),
        ({"overrides": ["ana"]}, "Override 1: give it start and end"),
        (bad_override(end="2026-11-23T10:00Z"), "later end"),
        (bad_override(end="2026-11-23T09:00Z"), "later end"),
        (bad_override(add="bo"), "list of names"),
        (bad_override(remove=[""]), "has no name"),
        (bad_override(replace=["ana", "bo"]), "stand-in"),
        (bad_override(replace={"ana": ""}), "has no name"),
        (bad_override(replace={"ana": "ana"}), "somebody else"),
    ],
)
def test_a_mistaken_schedule_says_how_to_put_it_right(data, says):
    with pytest.raises(RuleError, match=says):
        Schedule.from_dict(data)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(RuleError, match="zone"):
        on_call(schedule(layer()), datetime(2026, 11, 23))
    with pytest.raises(RuleError, match="zone"):
        shifts(schedule(layer()), datetime(2026, 11, 23), at("2026-11-24T00:00Z"))


def test_what_is_left_out_has_its_default():
    found = Schedule.from_dict({"layers": [{"members": ["ana"], "start": at("2026-11-23T10:00Z"), "unit": "day"}]})
    assert on_call(found, at("2026-11-23T10:00+01:00")) == ("ana",)
    everyday = schedule(layer("ana", windows=[{"from": "09:00", "to": "17:00"}]))
    assert len(shifts(everyday, at("2026-11-23T00:00Z"), at("2026-11-30T00:00Z"))) == 7


INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
NAMES = st.lists(st.sampled_from("abcde"), min_size=1, max_size=4)


@st.composite
def schedules(draw, near):
    def anything(kind):
        return draw(st.lists(kind, max_size=3))

    windows = st.fixed_dictionaries(
        {"days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True), "from": CLOCKS, "to": CLOCKS}
    )
    layers = st.fixed_dictionaries(
        {
            "priority": st.integers(0, 1),
            "members": NAMES,
            "start": INSTANTS,
            "unit": st.sampled_from(["hour", "day", "week", "month"]),
            "length": st.integers(1, 30),
            "windows": st.lists(windows, max_size=2),
        }
    )
    around = st.integers(-6000, 6000).map(lambda minutes: near + timedelta(minutes=minutes))
    overrides = st.builds(
        lambda start, minutes, what: {"start": start, "end": start + timedelta(minutes=minutes)} | what,
        around,
        st.integers(1, 9000),
        st.sampled_from([{"add": ["f"]}, {"remove": ["a", "b"]}, {"replace": {"a": "b", "c": "f"}}, {"add": ["a"]}]),
    )
    zone = draw(st.sampled_from([*ZONES, "Africa/Casablanca", "Antarctica/Troll", "UTC"]))
    return Schedule.from_dict({"zone": zone, "layers": anything(layers), "overrides": anything(overrides)})


@settings(max_examples=120, deadline=None)
@given(st.data(), INSTANTS, st.integers(1, 5 * 1440))
def test_exactly_the_shifts_answer_who_is_on_call(data, start, minutes):
    found = data.draw(schedules(start))
    end = start + timedelta(minutes=minutes)
    all_shifts = shifts(found, start, end)
    assert all(start <= since < until <= end for _, since, until in all_shifts)
    edges = sorted({start, *(shift.start for shift in all_shifts), *(shift.end for shift in all_shifts)} - {end})
    asked = data.draw(st.lists(st.integers(0, minutes * 60 - 1), min_size=3, max_size=3))
    for moment in [*edges, *(edge - wall_clock.TICK for edge in edges[1:]), *(start + n * HOUR / 3600 for n in asked)]:
        covering = {person for person, since, until in all_shifts if since <= moment < until}
        assert set(on_call(found, moment)) == covering
    together = list(stretches(found, start, end))
    assert (together[0].start, together[-1].end) == (start, end)
    for one, following in pairwise(together):
        assert one.end == following.start
        assert set(one.people) != set(following.people)
    change = next_change(found, start)
    assert change is None or set(on_call(found, change)) != set(on_call(found, start))
    if len(together) > 1:
        assert change == together[1].start
