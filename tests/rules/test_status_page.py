"""What the status page says of components: their states, their days, and the share of the time without an outage."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.status_page import (
    STATES,
    Day,
    History,
    Span,
    bounds,
    cut,
    day_words,
    headline,
    history,
    history_words,
    read_states,
    uptime_words,
    worst,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0)


def told(*spans, since=LONG_AGO, now=NOW, zone=UTC, days=90):
    return history([Span(*span) for span in spans], since, now, bounds(now, zone, days))


@pytest.mark.parametrize(
    ("states", "state", "words"),
    [
        ((), "operational", "All systems operational"),
        (("operational", "maintenance"), "maintenance", "Maintenance under way"),
        (("maintenance", "degraded"), "degraded", "Some systems are slower than usual"),
        (("degraded", "partial", "operational"), "partial", "Partial outage"),
        (("major", "partial"), "major", "Major outage"),
    ],
)
def test_the_worst_speaks_for_all(states, state, words):
    assert (worst(states), headline(states)) == (state, words)


def test_states_are_read_by_the_id_of_their_component():
    assert read_states(None) is None
    assert read_states({}) == {}
    assert read_states({"3": "major", "12": "operational"}) == {3: "major", 12: "operational"}


@pytest.mark.parametrize(
    "given", [{"x": "major"}, {"3": "down"}, {"3": "maintenance"}, {"-1": "major"}, {"٣": "major"}]
)
def test_what_is_no_component_or_no_state_is_refused(given):
    with pytest.raises(RuleError) as refused:
        read_states(given)
    assert "components" in refused.value.fields


def test_a_component_that_never_failed_was_up_all_the_time():
    found = told()
    assert len(found.days) == 90
    assert {day.state for day in found.days} == {"operational"}
    assert found.uptime == 1
    assert (found.days[0].date, found.days[-1].date) == (date(2026, 8, 30), date(2026, 11, 27))


def test_an_outage_over_midnight_belongs_to_both_days():
    found = told(("major", MIDNIGHT - 2 * HOUR, MIDNIGHT + HOUR))
    assert found.days[-2:] == (
        Day(date(2026, 11, 26), "major", 7200),
        Day(date(2026, 11, 27), "major", 3600),
    )
    assert found.uptime == pytest.approx(1 - 3 / (89 * 24 + 12))


def test_one_that_ends_at_midnight_leaves_the_next_day_alone():
    found = told(("partial", MIDNIGHT - HOUR, MIDNIGHT))
    assert [day.state for day in found.days[-2:]] == ["partial", "operational"]


def test_overlapping_outages_are_counted_once_and_the_worse_one_shows():
    found = told(
        ("partial", MIDNIGHT, MIDNIGHT + 3 * HOUR),
        ("major", MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR),
        ("degraded", MIDNIGHT, NOW),
    )
    assert found.days[-1] == Day(date(2026, 11, 27), "major", 3 * 3600)


def test_degraded_performance_shows_and_does_not_count():
    found = told(("degraded", MIDNIGHT, NOW))
    assert found.days[-1] == Day(date(2026, 11, 27), "degraded", 0)
    assert found.uptime == 1


def test_what_still_lasts_counts_until_now():
    assert told(("major", NOW - HOUR, None)).days[-1].down == 3600


def test_nothing_is_known_from_before_there_was_the_component():
    found = told(("major", NOW - 5 * DAY, NOW), since=NOW - 2 * DAY)
    assert [day.state for day in found.days[-4:]] == [None, "major", "major", "major"]
    assert found.uptime == 0
    assert told(since=NOW).uptime is None


@pytest.mark.parametrize(
    ("now", "hours"),
    [(datetime(2026, 3, 30, 12, tzinfo=UTC), 23), (datetime(2026, 10, 26, 12, tzinfo=UTC), 25)],
)
def test_the_day_on_which_the_clock_changes_has_its_own_length(now, hours):
    found = told(("major", now - 5 * DAY, now), now=now, zone=ZoneInfo("Europe/Berlin"))
    assert found.days[-2].down == hours * 3600
    assert found.days[-3].down == 24 * 3600


def test_days_begin_by_the_clock_of_the_zone():
    late = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
    found = told(("major", late, late + timedelta(minutes=10)), zone=ZoneInfo("Europe/Berlin"))
    assert [day.state for day in found.days[-2:]] == ["operational", "major"]


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, ""), (1.0, "100 %"), (0.9999999, "99.99 %"), (0.99985, "99.98 %"), (0.9, "90.00 %"), (0.0, "0.00 %")],
)
def test_uptime_is_rounded_down(share, words):
    assert uptime_words(share) == words


def test_the_bars_are_told_in_words():
    assert history_words(told()) == "Last 90 days: no incidents."
    assert history_words(told(since=NOW - HOUR)) == "Today: no incidents."
    bad = told(("major", MIDNIGHT - 2 * HOUR, MIDNIGHT + HOUR))
    assert history_words(bad) == (
        "Last 90 days: 2 with incidents. 27 Nov 2026: Major outage, 1 h; 26 Nov 2026: Major outage, 2 h."
    )
    assert history_words(told(("degraded", LONG_AGO, None))).endswith("; and 84 more.")
    assert day_words(Day(date(2026, 11, 2), None, 0)) == "2 Nov 2026: No data"


def test_long_words_are_cut_at_a_blank():
    assert cut("short", 10) == ("short", False)
    assert cut("one two three", 9) == ("one two …", True)


moments = st.integers(-95 * 86400, 3600).map(lambda seconds: NOW + timedelta(seconds=seconds))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(STATES)[1:]), moments, st.none() | moments), max_size=8))
def test_no_second_is_counted_twice_or_lost(spans):
    found: History = told(*spans)
    down = sum(
        any(state in ("partial", "major") and start <= at < (end or NOW) for state, start, end in spans)
        for minute in range(0, 48 * 60, 7)
        if (at := NOW - timedelta(minutes=minute + 1))
    )
    assert (down > 0) <= (sum(day.down for day in found.days[-3:]) > 0)
    assert all(0 <= day.down <= 86400 for day in found.days)
    assert 0 <= (found.uptime or 0) <= 1
    outage = sum(day.down for day in found.days)
    length = (NOW - bounds(NOW, UTC)[0][1]).total_seconds()
    assert found.uptime == pytest.approx(1 - outage / length, abs=1e-6)
