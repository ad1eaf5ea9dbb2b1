"""Maintenance on weekdays, as people say it: into intervals and back, over midnight and over changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.maintenance import Window, begun, meeting, next_occurrences
from rules.wall_clock import DAY
from rules.weekly import Weekly, weekly_of

BERLIN = "Europe/Berlin"
NIGHT = Weekly((0, 2), "22:00", "04:00", BERLIN)
clock = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")


def window(said, first, last):
    start, end = said.bounds(first, last)
    return Window.from_dict({"start": start, "end": end, "recurring": said.intervals()})


def shown(window, zone=BERLIN, most=5, after=datetime(2026, 1, 1, tzinfo=UTC)):
    spans = next_occurrences(window, after, most)
    return [
        (f"{since.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}", (until - since) / timedelta(hours=1))
        for since, until in spans
    ]


def test_a_night_is_one_occurrence_from_its_first_day_to_its_last():
    found = window(NIGHT, date(2026, 3, 2), date(2026, 3, 11))
    assert shown(found, most=9) == [
        ("Mon 02 Mar 22:00", 6.0),
        ("Wed 04 Mar 22:00", 6.0),
        ("Mon 09 Mar 22:00", 6.0),
        ("Wed 11 Mar 22:00", 6.0),
    ]


def test_nights_keep_to_the_clock_on_the_wall_when_it_changes():
    nights = Weekly((5,), "22:00", "04:00", BERLIN)
    spring = window(nights, date(2026, 3, 21), date(2026, 4, 4))
    assert shown(spring) == [("Sat 21 Mar 22:00", 6.0), ("Sat 28 Mar 22:00", 5.0), ("Sat 04 Apr 22:00", 6.0)]
    autumn = window(nights, date(2026, 10, 17), date(2026, 10, 24))
    assert shown(autumn) == [("Sat 17 Oct 22:00", 6.0), ("Sat 24 Oct 22:00", 7.0)]


def test_until_midnight_is_the_same_day():
    evening = Weekly((4,), "20:00", "00:00", "UTC")
    found = window(evening, date(2026, 3, 6), date(2026, 3, 13))
    assert shown(found, "UTC") == [("Fri 06 Mar 20:00", 4.0), ("Fri 13 Mar 20:00", 4.0)]
    assert evening.days_of(found.start, found.end) == (date(2026, 3, 6), date(2026, 3, 13))


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(0, 6), min_size=1), clock, clock, st.sampled_from([BERLIN, "UTC", "America/New_York"]))
def test_what_was_said_is_read_back(days, begins, ends, zone):
    if begins == ends:
        return
    said = Weekly(tuple(sorted(days)), begins, ends, zone)
    assert weekly_of(said.intervals()) == said
    first, last = date(2026, 6, 1), date(2026, 6, 30)
    assert said.days_of(*said.bounds(first, last)) == (first, last)


@pytest.mark.parametrize(
    "other",
    [
        None,
        [{"times": [{"start_time": "22:00", "end_time": "23:00"}]}],
        [{"weekdays": ["monday:friday"], "times": [{"start_time": "22:00", "end_time": "23:00"}], "location": "UTC"}],
        [*NIGHT.intervals(), *NIGHT.intervals()],
        [{**each, "months": ["may"]} for each in NIGHT.intervals()],
    ],
)
def test_other_intervals_are_not_said_so(other):
    assert weekly_of(other) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (((), "09:00", "10:00", "UTC"), "weekdays"),
        (((7,), "09:00", "10:00", "UTC"), "weekdays"),
        (((1,), "09:00", "09:00", "UTC"), "times"),
        (((1,), "25:00", "09:00", "UTC"), "times"),
        (((1,), "08:00", "09:00", "Mars/Base"), "zone"),
    ],
)
def test_what_cannot_be_is_refused(given, field):
    with pytest.raises(RuleError) as refused:
        Weekly(*given)
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (NIGHT, "Mon, Wed 22:00–04:00, Europe/Berlin"),
        (Weekly((0, 1, 2, 3, 4), "08:00", "09:30", "UTC"), "Mon–Fri 08:00–09:30, UTC"),
        (Weekly(tuple(range(7)), "00:00", "01:00", "UTC"), "every day 00:00–01:00, UTC"),
        (Weekly((5, 6), "00:00", "01:00", "UTC"), "Sat, Sun 00:00–01:00, UTC"),
    ],
)
def test_it_is_said_in_words(said, words):
    assert said.words() == words


def test_an_occurrence_has_begun_once():
    found = window(NIGHT, date(2026, 3, 2), date(2026, 3, 11))
    first = datetime(2026, 3, 2, 21, tzinfo=UTC)
    tick = timedelta.resolution
    assert not begun(found, first - tick)
    assert begun(found, first)
    assert begun(found, first + DAY / 8)
    assert not begun(found, first + DAY / 8, first), "it began when it was applied"
    assert not begun(found, first + DAY / 8, first + DAY / 12)
    assert not begun(found, first + DAY), "nothing lasts between two"
    assert begun(found, first + 2 * DAY, first), "the next one is another"
    assert begun(found, first + 2 * DAY, first + 9 * DAY), "the clock was set back since"


def test_windows_meet_or_do_not():
    night = window(NIGHT, date(2026, 3, 2), date(2026, 3, 11))
    noon = window(Weekly((0, 2), "12:00", "13:00", BERLIN), date(2026, 3, 2), date(2026, 3, 11))
    late = Window(datetime(2026, 3, 5, 2, tzinfo=UTC), datetime(2026, 3, 5, 9, tzinfo=UTC))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert meeting(night, noon, start) is None
    assert meeting(night, late, start) == (datetime(2026, 3, 5, 2, tzinfo=UTC), datetime(2026, 3, 5, 3, tzinfo=UTC))
    assert meeting(late, night, start) == meeting(night, late, start)
    assert meeting(night, late, late.end) is None
