"""Forecast: each claim with what it rests on, silent where that is too little, and its past score beside it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from db.engine import writing
from db.models import Incident
from pages.parts import rows
from tests.pages.conftest import seen

PAGE = "managers/forecast.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch):
    """What was given to the lists of the page: key -> rows."""
    given = {"rows": {}}

    def listed(items, *, key, **more):
        given["rows"][key] = items
        return given.get("event") if given.get("of") == key else None

    monkeypatch.setattr(rows, "rows", listed)
    return given


def past(desk, hours=40, count=30, days_ago=2, first_id=5_000):
    """So many resolved incidents of the printers that each took so long."""
    ended = desk.now - timedelta(days=days_ago)
    with writing(desk.engine) as db:
        values = [
            {
                "id": first_id + number,
                "number": f"OLD-{first_id + number}",
                "title": f"Paper jam {number}",
                "state": "resolved",
                "queue_group": 2,
                "category_pair_id": desk.pair_id,
                "priority": 2,
                "reported_at": ended - timedelta(hours=hours),
                "changed_at": ended,
                "rank_at": ended,
                "resolved_at": ended,
            }
            for number in range(count)
        ]
        db.execute(insert(Incident.__table__), values)


@sqlite
def test_one_that_similar_ones_outlast_is_listed_with_what_it_rests_on(desk, opened, drawn):
    past(desk)
    number = desk.report("Rita", "Paper jam again", minutes_ago=60)
    desk.accept(number, impact=1)
    at = opened(PAGE, "Max")
    assert not at.exception
    (row,) = drawn["rows"]["forecast.likely"]
    assert (row["id"], row["action"]) == (number, "Similar")
    assert "100 % of similar ones took longer than the 7 h it has left" in row["explanation"]
    assert row["explanation"].endswith("From 30 resolved, the same category.")
    assert "Looked at: 1 incident." in seen(at)


@sqlite
def test_its_button_opens_exactly_those_it_rests_on(desk, opened, drawn):
    past(desk)
    number = desk.report("Rita", "Paper jam again", minutes_ago=60)
    desk.accept(number, impact=1)
    drawn |= {"of": "forecast.likely", "event": rows.Event("action", number)}
    at = opened(PAGE, "Max")
    assert not at.exception
    assert len(at.session_state["counted.ids"]) == 30
    assert "30 incidents" in seen(at)
    assert len(drawn["rows"]["counted.list"]) == 10


@sqlite
def test_too_little_history_is_said_and_nothing_else(desk, opened, drawn):
    past(desk, count=19)
    desk.accept(desk.report("Rita", "Paper jam again", minutes_ago=60), impact=1)
    at = opened(PAGE, "Max")
    assert not at.exception
    assert "forecast.likely" not in drawn["rows"]
    assert "of which 1 with fewer than 20 resolved ones like it" in seen(at)
    assert not at.get("vega_lite_chart")


@sqlite
def test_next_week_comes_with_an_interval_and_its_past_score(desk, opened, drawn):
    for week in range(20):
        past(desk, hours=1, count=7 + week % 3, days_ago=7 * week + 2, first_id=6_000 + 100 * week)
    at = opened(PAGE, "Max")
    assert not at.exception
    said = seen(at)
    assert "incidents are expected, about 8; most on" in said
    assert "lay within the interval that would have been said" in said


@sqlite
def test_a_filter_narrows_what_is_forecast_but_not_what_it_rests_on(desk, opened, drawn):
    past(desk)
    for title, service in (("Paper jam again", None), ("Other", None)):
        desk.accept(desk.report("Rita", title, minutes_ago=60, service_id=service), impact=1)
    other = desk.report("Rita", "By phone", minutes_ago=60)
    desk.accept(other, impact=2)
    opened(PAGE, "Max", priority="2")
    assert len(drawn["rows"]["forecast.likely"]) == 2


@sqlite
def test_it_leaves_as_files_on_paper_and_as_a_picture(desk, opened, drawn):
    for week in range(10):
        past(desk, count=3, days_ago=7 * week + 2, first_id=6_000 + 100 * week)
    at = opened(PAGE, "Max", priority="2")
    at.session_state["trends-forecast.export"] = True
    said = seen(at.run())
    for path in ("print?", "report.csv?", "report.xlsx?", "chart.png?"):
        assert f"/trends-forecast/{path}priority=2&zone=" in said
    assert "panel=weeks" in said
    at = opened(PAGE, "Max", source="mail")
    at.session_state["trends-forecast.export"] = True
    assert "chart.png" not in seen(at.run()), "nothing is forecast, so nothing can be drawn"


@sqlite
def test_before_the_first_report_it_says_so(desk, opened, drawn):
    at = opened(PAGE, "Lena")
    assert not at.exception
    assert drawn["rows"] == {}


@sqlite
def test_where_nothing_came_for_long_no_empty_picture_is_drawn(desk, opened, drawn):
    past(desk, days_ago=200)
    at = opened(PAGE, "Max")
    assert not at.exception
    said = seen(at)
    assert "no incident is expected: none came in the last 4 weeks." in said
    assert not at.get("vega_lite_chart")
    assert "On average it missed by" not in said


@sqlite
def test_no_day_is_the_busiest_where_next_to_nothing_comes(desk, opened, drawn):
    past(desk, days_ago=200)
    past(desk, hours=1, count=1, days_ago=10, first_id=6_000)
    said = seen(opened(PAGE, "Max"))
    assert "incidents are expected, about 0." in said
    assert "most on" not in said
