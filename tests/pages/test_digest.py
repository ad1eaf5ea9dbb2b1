"""Weekly digest on the screen: last whole week first, week by week, and sent to whoever asks."""

from datetime import UTC, datetime, timedelta

import pytest

from db.engine import reading
from db.queries import report_schedules
from rules.digest import week
from tests.pages.conftest import seen

PAGE = "managers/digest.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WEEK = timedelta(days=7)


def minutes_since(instant):
    return (datetime.now(UTC) - instant) / timedelta(minutes=1)


@pytest.fixture
def last(desk):
    """The last whole week in UTC; twelve weeks before it had two incidents each, it had nine of which one is late."""
    found = week(datetime.now(UTC), "UTC")
    for back in range(1, 13):
        for hour in (1, 2):
            desk.report("Rita", f"Usual {back}", minutes_ago=minutes_since(found.start - back * WEEK) - 60 * hour)
    for hour in range(9):
        desk.report("Rita", f"Odd {hour}", minutes_ago=minutes_since(found.start) - 60 * (hour + 1))
    desk.accept("INC-000025", minutes_ago=minutes_since(found.start) - 120, impact=1, urgency=1)
    return found


def told(at):
    return {metric.label: metric.value for metric in at.metric}


@sqlite
def test_it_tells_of_the_last_whole_week_what_is_not_usual_first(desk, in_app, last):
    at = in_app(PAGE, "Max")
    assert not at.exception
    words = seen(at)
    assert "**Opened**: 9, above the usual 2" in words.replace("\\", "")
    assert told(at)["Opened"] == "9"
    assert "against the week before" in words
    assert "zone UTC" in words
    at.session_state[f"digest.{last.name}.usual"] = True
    table = at.run().dataframe[0].value.set_index("What")
    assert list(table.columns) == ["This week", "Usual", "Where it is"], "narrow enough for a phone"
    assert list(table.loc["Opened"]) == ["9", "2", "above"]


@sqlite
def test_it_goes_back_and_forward_by_week_in_the_address(desk, in_app, last):
    at = in_app(PAGE, "Max")
    assert at.button(key="digest.on").disabled
    at.button(key="digest.back").click().run()
    assert at.query_params["week"] == (last.start - WEEK).date().isoformat()
    assert told(at)["Opened"] == "2"
    at.button(key="digest.on").click().run()
    assert told(at)["Opened"] == "9"


@sqlite
@pytest.mark.parametrize("asked", ["soon", "2026-03-03", "9999-12-27", "0001-01-01", "0001-01-08"])
def test_a_week_that_is_none_is_the_last_one(desk, in_app, last, asked):
    at = in_app(PAGE, "Max", week=asked)
    assert told(at)["Opened"] == "9"


@sqlite
def test_it_is_sent_to_who_asks_until_they_say_no_more(desk, in_app, last):
    at = in_app(PAGE, "Max")
    at.button(key="digest.subscribe").click().run()
    assert not at.error
    assert "every Monday at 08:00" in seen(at).replace("\\", "")
    assert "under Messages alone" in seen(at), "there is no mail server, and Max has no other way"
    with reading(desk.engine) as db:
        assert report_schedules.subscription(db, desk.actors["Max"]).times.zone == "UTC"
    at.button(key="digest.unsubscribe").click().run()
    with reading(desk.engine) as db:
        assert report_schedules.subscription(db, desk.actors["Max"]) is None


@sqlite
def test_before_the_first_week_it_says_what_comes(desk, in_app):
    at = in_app(PAGE, "Max")
    assert not at.exception
    assert not at.metric
    desk.report("Rita", "New", minutes_ago=0)
    at = in_app(PAGE, "Max")
    assert not at.exception
    assert not at.metric
