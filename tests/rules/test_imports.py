from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rules.errors import RuleError
from rules.imports import (
    Step,
    action_between,
    column_name,
    course,
    date_order,
    level_of,
    local_time,
    moment,
    state_of,
)


def test_a_number_above_twelve_in_front_proves_day_first():
    found = date_order(["3/4/2016 10:00", "29/2/2016 01:16"])
    assert found.order == "day"
    assert "29/2/2016 01:16" in found.sentence


def test_a_number_above_twelve_in_second_place_proves_month_first():
    assert date_order(["3/4/2016 10:00", "2/29/2016 01:16"]).order == "month"


def test_without_proof_the_day_comes_first_and_the_report_says_so():
    found = date_order(["3/4/2016 10:00", "5/6/2016 10:00"])
    assert found.order == "day"
    assert "no date in the file proves" in found.sentence


def test_both_orders_in_one_file_are_refused_naming_both_dates():
    with pytest.raises(RuleError, match=r"29/2/2016 01:16.*2/28/2016 01:16"):
        date_order(["29/2/2016 01:16", "2/28/2016 01:16"])


def test_dates_that_name_the_year_first_need_no_order():
    assert date_order(["2016-02-29 01:16:00", "", "?", "soon"]) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("29/2/2016 01:16", datetime(2016, 2, 29, 1, 16)),
        ("5/3/2016 9:05", datetime(2016, 3, 5, 9, 5)),
        ("29-02-2016 01:16", datetime(2016, 2, 29, 1, 16)),
        ("29.02.2016", datetime(2016, 2, 29)),
        ("2016-02-29 01:16:07", datetime(2016, 2, 29, 1, 16, 7)),
        ("2016-02-29T01:16", datetime(2016, 2, 29, 1, 16)),
        ("1/2/2016 12:30 AM", datetime(2016, 2, 1, 0, 30)),
        ("1/2/2016 12:30:01 pm", datetime(2016, 2, 1, 12, 30, 1)),
        ("2016-02-29 01:16:00+02:00", datetime.fromisoformat("2016-02-29T01:16:00+02:00")),
        ("2016-02-29T01:16:00Z", datetime(2016, 2, 29, 1, 16, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_exports_write_them(value, read):
    assert local_time(value, "day") == read


@pytest.mark.parametrize(
    "value",
    ["", "?", "soon", "30/2/2016 10:00", "1/13/2016 10:00", "1/2/16", "1/2/2016 25:00", "1/2-2016", "0001-01-01"],
)
def test_what_is_no_date_is_not_guessed(value):
    assert local_time(value, "day") is None


def test_month_first_is_read_when_the_file_proved_it():
    assert local_time("3/4/2016 10:00", "month") == datetime(2016, 3, 4, 10, 0)
    assert local_time("3/4/2016 10:00", "day") == datetime(2016, 4, 3, 10, 0)


BERLIN = ZoneInfo("Europe/Berlin")


def micros(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000


def test_local_times_become_instants_of_their_zone():
    assert moment(datetime(2016, 7, 1, 12, 0), BERLIN).micros == micros(2016, 7, 1, 10, 0)
    assert moment(datetime(2016, 1, 1, 12, 0), BERLIN).micros == micros(2016, 1, 1, 11, 0)
    assert moment(datetime(2016, 1, 1, 12, 0), ZoneInfo("UTC")).micros == micros(2016, 1, 1, 12, 0)


def test_a_time_that_the_clock_skipped_moves_on_by_the_gap():
    found = moment(datetime(2016, 3, 27, 2, 30), BERLIN)
    assert (found.micros, found.doubt) == (micros(2016, 3, 27, 1, 30), "skipped")  # 03:30 summer time


def test_of_a_time_that_comes_twice_the_first_is_taken():
    found = moment(datetime(2016, 10, 30, 2, 30), BERLIN)
    assert (found.micros, found.doubt) == (micros(2016, 10, 30, 0, 30), "twice")


def test_headings_may_be_field_names_or_labels():
    assert column_name("\tSys Updated  On ") == "sys_updated_at"
    assert column_name("State") == "incident_state"
    assert column_name("u_symptom") == "u_symptom"


def test_states_of_servicenow_have_their_place_in_the_lifecycle():
    assert state_of("New") == ("new", None)
    assert state_of("Active") == ("in_progress", None)
    assert state_of("Awaiting User Info") == ("on_hold", "reporter")
    assert state_of("Awaiting Evidence") == ("on_hold", "reporter")
    assert state_of("Awaiting Vendor") == ("on_hold", "vendor")
    assert state_of("Awaiting Problem") == ("on_hold", "problem")
    assert state_of("Resolved") == ("resolved", None)
    assert state_of("Closed") == ("closed", None)
    assert state_of("-100") is None
    assert state_of("Limbo") is None


def test_levels_are_read_by_number_or_word():
    assert level_of("2 - Medium") == 2
    assert level_of("High") == 1
    assert level_of("4 - Low") is None
    assert level_of("4 - Low", priority=True) == 4
    assert level_of("High", priority=True) == 2
    assert level_of("²") is None


def test_steps_have_the_names_of_lifecycle_actions():
    assert action_between("new", "in_progress") == "acknowledge"
    assert action_between("on_hold", "in_progress") == "resume"
    assert action_between("new", "on_hold") == "hold"
    assert action_between("resolved", "on_hold") == "reopen"
    assert action_between("closed", "in_progress") == "reopen"
    assert action_between("new", "closed") == "close"
    assert action_between("new", "new") == "change"


def walk(*steps):
    return course([Step(at, state, team) for at, (state, team) in enumerate(steps)])


def test_reopened_counts_the_ways_back_from_resolved_or_closed():
    assert walk(("new", None), ("resolved", None), ("in_progress", None), ("resolved", None)).reopened == 1
    assert walk(("resolved", None), ("on_hold", None), ("closed", None), ("in_progress", None)).reopened == 2
    assert walk(("new", None), ("resolved", None), ("closed", None)).reopened == 0


def test_the_last_resolved_step_counts_even_within_resolved():
    assert walk(("resolved", None), ("resolved", None), ("closed", None)).resolved == 1
    assert walk(("new", None), ("closed", None)).resolved is None


def test_work_begins_with_progress_or_waiting_for_somebody():
    assert walk(("new", None), ("new", None), ("on_hold", None), ("in_progress", None)).acknowledged == 2
    assert walk(("new", None), ("resolved", None)).acknowledged is None


def test_handovers_pass_over_steps_that_name_no_team():
    found = walk(("new", None), ("new", "A"), ("new", None), ("new", "A"), ("new", "B"), ("new", "C"))
    assert (found.handovers, found.ping_pong) == (2, False)


def test_coming_back_to_a_team_is_ping_pong():
    found = walk(("new", "A"), ("new", "B"), ("new", None), ("new", "A"))
    assert (found.handovers, found.ping_pong) == (2, True)
