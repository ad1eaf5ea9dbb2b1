"""Trends: numbers with definitions, charts with words, and an empty state that says what to do."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from db.engine import writing
from db.models import Team
from pages.parts import charts, panels
from rules.panels import Panel
from tests.pages.conftest import seen

PAGE = "managers/trends.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@sqlite
def test_every_number_has_its_definition(desk, in_app):
    desk.fix(desk.report("Rita", "Nobody can print"))
    at = in_app(PAGE, "Max")
    assert not at.exception
    assert not at.error
    assert [metric.label for metric in at.metric][:3] == ["Opened", "Resolved", "Backlog"]
    assert {metric.label for metric in at.metric} <= {said.value for said in at.markdown if said.help}
    assert at.metric[0].value == "1"


@sqlite
def test_before_the_first_report_it_says_so(desk, in_app):
    at = in_app(PAGE, "Max")
    assert not at.exception
    assert not at.metric


@sqlite
def test_a_period_with_nothing_in_it_is_no_error(desk, in_app):
    desk.report("Rita", "Old", minutes_ago=200 * 24 * 60)
    at = in_app(PAGE, "Max", period="30")
    assert not at.exception
    assert not at.metric
    assert " against " in seen(at)


@sqlite
def test_a_period_of_ones_own_says_its_last_day_and_may_be_long_ago(desk, in_app):
    at_noon = desk.now.replace(hour=12) - timedelta(days=12 * 366)
    for back in range(20):
        day = at_noon - timedelta(days=back)
        desk.report("Rita", f"Old {back}", minutes_ago=(desk.now - day) / timedelta(minutes=1))
    first, last = at_noon.date() - timedelta(days=4), at_noon.date()
    at = in_app(PAGE, "Max", **{"period": "own", "from": first.isoformat(), "to": last.isoformat()})
    assert at.metric[0].value == "5"
    said = [f"{day.day} {day:%b %Y}" for day in (first, last, first - timedelta(days=5), last - timedelta(days=5))]
    assert f"{said[0]} to {said[1]} against {said[2]} to {said[3]} ·" in seen(at)
    assert at.date_input[0].min <= date(1990, 1, 1), "long histories are taken in, and looked at"
    at = in_app(PAGE, "Max", **{"period": "own", "from": "0003-01-01", "to": "0003-02-01"})
    assert not at.error
    assert at.date_input[0].value == (desk.now.date() - timedelta(days=29), desk.now.date()), "no day to choose"


@sqlite
@pytest.mark.parametrize("address", [{"period": "soon"}, {"team": "x"}, {"team": "999"}, {"priority": "99"}])
def test_what_means_nothing_in_the_address_filters_nothing(desk, in_app, address):
    desk.report("Rita", "Now")
    at = in_app(PAGE, "Max", **address)
    assert not at.exception
    assert at.metric[0].value == "1"


@pytest.mark.parametrize(
    "spec",
    [
        charts.pairs_spec,
        charts.level_spec,
        charts.quantiles_spec,
        charts.shares_spec,
        charts.ranking_spec,
        charts.waits_spec,
        charts.interval_spec,
        charts.heat_spec,
    ],
)
def test_a_specification_is_built_once_and_holds_no_data_and_no_colour_of_its_own(spec):
    assert spec() is spec()
    assert "datasets" not in spec()
    assert "#" not in str({key: value for key, value in spec().items() if key != "$schema"})


@sqlite
@pytest.mark.parametrize("view", ["speed", "causes"])
def test_a_view_with_nothing_to_count_says_where_to_look(desk, in_app, view):
    desk.report("Rita", "Old", minutes_ago=200 * 24 * 60)
    at = in_app(PAGE, "Max", period="30", view=view)
    assert not at.exception
    assert not at.metric
    assert not at.get("vega_lite_chart")


@sqlite
def test_nothing_is_said_of_a_first_line_that_no_team_is(desk, in_app):
    desk.fix(desk.report("Rita", "The printer prints nothing"))
    for tier in ("1", "2"):
        with writing(desk.engine) as db:
            db.execute(update(Team).values(tier=tier))
        at = in_app(PAGE, "Max", period="30", view="speed")
        assert not at.exception
        [number] = [metric.value for metric in at.metric if metric.label == "Fixed by the first line"]
        assert (number == "–") == (tier == "2")


@sqlite
def test_what_is_all_zero_is_said_and_not_drawn(desk, in_app):
    desk.fix(desk.report("Rita", "Old", minutes_ago=200 * 24 * 60), minutes_ago=199 * 24 * 60)
    at = in_app(PAGE, "Max", period="30", view="load")
    assert not at.exception
    assert at.metric[0].value == "0"
    assert "Age of what is open" in seen(at)
    assert not at.get("vega_lite_chart")


def _panel(notes, weeks=20):
    names = [f"week {week}" for week in range(weeks)]
    marks = {"notes": [{"when": names[at], "note": f"Note {at}"} for at in notes]}
    return Panel("flow", "Flow", "", "", "level", (), [{"when": name, "n": 1} for name in names], marks=marks)


def test_words_of_notes_that_are_close_do_not_cover_each_other():
    placed = panels.noted(_panel(range(20)))
    assert len(placed) == 20, "each has its mark"
    for line in range(3):
        told = [int(note["note"].removeprefix("Note ")) for note in placed if note["line"] == line]
        assert told
        spans = sorted((at - 8, at) if at > 12 else (at, at + 8) for at in told)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert {note["line"] for note in panels.noted(_panel([1, 11]))} == {0}, "beside each other where there is room"


def test_words_of_a_note_at_the_end_stand_before_it():
    assert [note["before"] for note in panels.noted(_panel([2, 19]))] == [True, False], "the newest first"


@sqlite
def test_what_counts_incidents_is_not_called_services(desk, in_app):
    for title in ("Mail is down", "Mail is down again"):
        desk.accept(desk.report("Rita", title), impact=1, urgency=1)
    at = in_app(PAGE, "Max", view="causes")
    assert [(metric.label, metric.value) for metric in at.metric] == [("Opened", "2"), ("Severe incidents", "2")]
