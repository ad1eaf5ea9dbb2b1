"""Settings made into policies, what is refused, and what only looks like a mistake."""

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import policies, policy_checks
from rules.errors import RuleError
from rules.policies import DEFAULTS
from rules.priority import DEFAULT, HEAD_STARTS
from rules.sla import elapsed
from rules.targets import Targets

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def nowhere(_country, _region):
    return frozenset()


def values(**changes):
    """All settings with their defaults; 'a.b' is given as a__b."""
    given = {"organisation.name": "Clinic", "organisation.desk_phone": "4444", **deepcopy(dict(DEFAULTS))}
    return given | {key.replace("__", "."): value for key, value in changes.items()}


def calendar(**changes):
    return deepcopy(DEFAULTS["sla.calendars"]["business"]) | changes


def known(**changes):
    return policies.parsed(values(**changes), nowhere)


def test_the_defaults_are_the_design_s():
    found = known(organisation__zone="Europe/Berlin")
    assert (found.matrix, found.head_starts.major, found.head_starts.priority[2]) == (
        DEFAULT,
        HEAD_STARTS.major,
        432_000,
    )
    usual = Targets.default("Europe/Berlin")
    for level in range(1, 6):
        for hours in (0, 30, 80):
            assert found.targets.due(level, MONDAY + hours * HOUR) == usual.due(level, MONDAY + hours * HOUR)
    assert (found.ola, found.remind_days, found.close_days) == (
        {"1": 0.25, "2": 0.5, "3": 1.0, "external": 1.0},
        2,
        5,
    )


def test_a_service_has_its_own_target_only_where_it_differs():
    own = {"7": {"3": {"response": 600, "resolution": 3600, "calendar": "always"}}}
    targets = known(sla__services=own).targets
    assert targets.due(3, MONDAY, service_id=7).resolution_due_at == MONDAY + HOUR
    assert targets.due(3, MONDAY, service_id=8) == targets.due(3, MONDAY)
    assert targets.due(4, MONDAY, service_id=7) == targets.due(4, MONDAY)
    assert targets.target(3, 7).counted == ""
    assert targets.target(3).counted == " of business time"


def test_a_team_has_its_tier_s_share_of_the_time_from_when_it_got_the_incident():
    found = known()
    got = MONDAY + HOUR
    assert found.ola_due("1", 1, None, got) == got + HOUR  # a quarter of four hours, round the clock
    assert found.ola_due("2", 3, None, MONDAY) == MONDAY + timedelta(days=1, hours=4)  # 12 h of business time
    pause = (MONDAY + HOUR, MONDAY + 3 * HOUR)
    assert found.ola_due("3", 1, None, MONDAY, [pause]) == MONDAY + 6 * HOUR
    assert found.ola_due("1", None, None, MONDAY) is None
    assert (
        known(sla__ola={"1": 0.5, "2": 0.5, "3": 1, "external": 1}).ola_due("1", 1, None, MONDAY) == MONDAY + 2 * HOUR
    )


def test_a_calendar_takes_public_holidays_closed_days_and_other_hours():
    asked = []

    def public(country, region):
        asked.append((country, region))
        return frozenset({date(2026, 3, 3)})

    own = calendar(country="DE", region="BY", closed=["2026-03-04"], exceptions={"2026-03-05": [["09:00", "10:00"]]})
    found = policies.parsed(values(sla__calendars={"business": own}), public)
    assert asked == [("DE", "BY")]
    # Monday 8 h, Tuesday holiday, Wednesday closed, Thursday 1 h, Friday 8 h, Monday the last 7 of 24 h
    assert found.targets.due(3, MONDAY).resolution_due_at == datetime(2026, 3, 9, 16, tzinfo=UTC)


def test_an_exception_opens_a_public_holiday():
    own = calendar(country="DE", exceptions={"2026-03-02": [["10:00", "11:00"]]})
    found = policies.parsed(values(sla__calendars={"business": own}), lambda *_: frozenset({date(2026, 3, 2)}))
    assert found.targets.by_priority[3].calendar.is_open(MONDAY + HOUR)
    assert not found.targets.by_priority[3].calendar.is_open(MONDAY)


def test_the_library_of_holidays_is_not_asked_without_a_country():
    def never(*_):
        raise AssertionError

    assert policies.parsed(values(), never).targets.due(3, MONDAY)


def refused(fields, services=(), **changes):
    with pytest.raises(RuleError) as error:
        policy_checks.check(values(**changes), set(services))
    assert fields <= set(error.value.fields), error.value.fields
    return " ".join(error.value.fields.values())


def target(response=60, resolution=3600, calendar="always"):
    return {"response": response, "resolution": resolution, "calendar": calendar}


def targets(**changes):
    return DEFAULTS["sla.targets"] | {level[1:]: value for level, value in changes.items()}


def test_the_defaults_are_allowed_and_not_odd():
    assert policy_checks.check(values(), set()) == []


@pytest.mark.parametrize(
    ("matrix", "field"),
    [
        ({}, "priority.matrix"),
        ({"11": 1}, "priority.matrix"),
        ([], "priority.matrix"),
        (DEFAULTS["priority.matrix"] | {"44": 1}, "priority.matrix"),
        (DEFAULTS["priority.matrix"] | {"11": 6}, "priority.matrix.11"),
        (DEFAULTS["priority.matrix"] | {"22": 0}, "priority.matrix.22"),
        (DEFAULTS["priority.matrix"] | {"33": True}, "priority.matrix.33"),
        (DEFAULTS["priority.matrix"] | {"33": "2"}, "priority.matrix.33"),
    ],
)
def test_the_matrix_is_whole_and_of_priorities(matrix, field):
    assert "Choose a priority" in refused({field}, priority__matrix=matrix)


def test_more_impact_that_lowers_the_priority_is_told_but_allowed():
    odd = policy_checks.check(values(priority__matrix=DEFAULTS["priority.matrix"] | {"13": 5}), set())
    assert odd == [
        "High impact with low urgency is P5, but with less impact it is P4. "
        "More impact usually does not lower the priority."
    ]


@pytest.mark.parametrize(
    ("level", "given", "field", "says"),
    [
        ("_1", target(0), "sla.targets.1.response", "above 0"),
        ("_1", target(60, -1), "sla.targets.1.resolution", "above 0"),
        ("_2", target(7200, 3600), "sla.targets.2.response", "Make it 1 h or less"),
        ("_3", target(60, 3600, "night"), "sla.targets.3.calendar", "Choose another"),
        ("_4", {"response": 60}, "sla.targets.4", "a time to answer"),
        ("_5", target(60.5), "sla.targets.5.response", "above 0"),
        ("_5", target(60, 20_001 * 3600), "sla.targets.5.resolution", "20000 h"),
    ],
)
def test_a_mistaken_target_says_how_to_put_it_right(level, given, field, says):
    assert says in refused({field}, sla__targets=targets(**{level: given}))


def test_each_priority_has_a_target():
    assert "five priorities" in refused({"sla.targets"}, sla__targets={"1": target()})


def test_more_time_for_a_higher_priority_is_told_but_allowed():
    slow = targets(_1=target(900, 30 * 3600))
    assert policy_checks.check(values(sla__targets=slow), set()) == [
        "P1 has more time to resolve (30 h) than P2 (8 h)."
    ]


@pytest.mark.parametrize(
    ("services", "field"),
    [
        ({"9": {"1": target()}}, "sla.services.9"),
        ({"x": {"1": target()}}, "sla.services.x"),
        ({"7": {}}, "sla.services.7"),
        ({"7": {"6": target()}}, "sla.services.7"),
        ({"7": {"1": target(7200, 3600)}}, "sla.services.7.1.response"),
    ],
)
def test_targets_of_a_service_are_checked_too(services, field):
    refused({field}, services={7}, sla__services=services)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": " "}, "name", "Give the calendar a name"),
        ({"zone": "Mars/Olympus"}, "zone", "Choose a zone"),
        ({"hours": {}}, "hours", "at least one hour"),
        ({"hours": {"mon": [["09:00", "09:30"]]}}, "hours", "at least one hour"),
        ({"hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "hours.mon", "The hours of Monday overlap"),
        ({"hours": {"mon": [["13:00", "17:00"], ["09:00", "12:00"]]}}, "hours.mon", "earliest first"),
        ({"hours": {"fri": [["17:00", "09:00"]]}}, "hours.fri", "On Friday, 17:00 is not before 09:00"),
        ({"hours": {"fri": [["09:00", "25:00"]]}}, "hours.fri", "up to 24:00"),
        ({"hours": {"funday": []}}, "hours", "Name days"),
        ({"closed": ["25.12.2026"]}, "closed", "2026-12-25"),
        ({"exceptions": {"soon": [["09:00", "10:00"]]}}, "closed", "2026-12-25"),
        ({"exceptions": {"2026-12-24": [["10:00", "09:00"]]}}, "closed", "On 2026-12-24, 10:00 is not before"),
        ({"closed": ["2026-12-24"], "exceptions": {"2026-12-24": []}}, "closed", "is there twice"),
    ],
)
def test_a_mistaken_calendar_says_how_to_put_it_right(changes, field, says):
    own = {"business": calendar(**changes)}
    assert says in refused({f"sla.calendars.business.{field}"}, sla__calendars=own)


def test_two_calendars_have_two_names():
    own = {"business": calendar(), "calendar-2": calendar(name="business HOURS")}
    assert "another name" in refused({"sla.calendars.calendar-2.name"}, sla__calendars=own)
    assert "another name" in refused(
        {"sla.calendars.business.name"}, sla__calendars={"business": calendar(name="Round the clock")}
    )


def test_a_calendar_that_targets_are_counted_in_stays():
    assert "is not there" in refused({"sla.targets.3.calendar"}, sla__calendars={})


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("organisation__name", "", "organisation.name"),
        ("organisation__name", "x" * 200, "organisation.name"),
        ("organisation__zone", "Nowhere", "organisation.zone"),
        ("organisation__desk_phone", 4444, "organisation.desk_phone"),
        ("verification__remind_days", 0, "verification.remind_days"),
        ("verification__close_days", "5", "verification.close_days"),
        ("sla__ola", {"1": 1}, "sla.ola"),
        ("sla__ola", {"1": 0, "2": 1, "3": 1, "external": 1}, "sla.ola.1"),
        ("sla__ola", {"1": 1, "2": 1.5, "3": 1, "external": 1}, "sla.ola.2"),
        ("rank__head_starts", {}, "rank.head_starts"),
        ("rank__head_starts", DEFAULTS["rank.head_starts"] | {"risk": -1}, "rank.head_starts.risk"),
        ("rank__head_starts", DEFAULTS["rank.head_starts"] | {"major": 4000 * 86_400}, "rank.head_starts.major"),
    ],
)
def test_everything_else_is_checked(key, value, field):
    refused({field}, **{key: value})


def test_every_fault_is_named_at_once():
    refused({"organisation.zone", "verification.close_days"}, organisation__zone="X", verification__close_days=0)


pauses = st.lists(st.tuples(st.integers(-600, 9000), st.integers(1, 3000)), max_size=5)
levels = st.integers(1, 5)


@settings(max_examples=150, deadline=None)
@given(pauses, levels, levels, st.integers(1, 200), st.sampled_from(["always", "business"]))
def test_no_change_of_priority_or_policy_loses_a_pause(minutes, before, after, hours, counted_in):
    taken = [(MONDAY + timedelta(minutes=m), MONDAY + timedelta(minutes=m + n)) for m, n in minutes]
    old = known()
    new = known(sla__targets={str(n): target(60, hours * 3600, counted_in) for n in range(1, 6)})
    for policy, level in ((old, before), (old, after), (new, after)):
        held = policy.targets.target(level)
        due = policy.targets.due(level, MONDAY, taken).resolution_due_at
        # whatever was changed, at the due time exactly the target has run outside all pauses
        assert elapsed(held.calendar, MONDAY, due, taken) == held.resolution
        assert not any(begin < due <= end for begin, end in taken)
