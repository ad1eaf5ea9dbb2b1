"""Trends: numbers with definitions, charts with words, and an empty state that says what to do."""

import pytest

from pages.parts import charts
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
