"""Priority from impact and urgency, and rank: what comes first, and why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules import priority as rules
from rules.errors import RuleError
from rules.priority import Merits, behind, explain, priority, rank_at, suggested

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANTS = some.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC))
MERITS = some.builds(
    Merits,
    priority=some.integers(1, 5),
    major=some.booleans(),
    risks=some.sets(some.sampled_from(sorted(rules.RISKS))).map(sorted).map(tuple),
    people=some.none() | some.integers(0, 1_000_000),
    pin_seconds=some.integers(-(10**6), 10**6),
)


@pytest.mark.parametrize(
    ("impact", "urgency", "expected"),
    [(1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 3, 3), (2, 2, 3), (3, 1, 3), (2, 3, 4), (3, 2, 4), (3, 3, 5)],
)
def test_the_matrix(impact, urgency, expected):
    assert priority(impact, urgency) == expected


@pytest.mark.parametrize("wrong", [0, 4, -1, True, None, "1", 1.5])
def test_only_1_2_and_3_are_levels(wrong):
    with pytest.raises(RuleError) as refused:
        priority(wrong, 1)
    assert list(refused.value.fields) == ["impact"]
    with pytest.raises(RuleError) as refused:
        priority(1, wrong)
    assert list(refused.value.fields) == ["urgency"]


def test_a_matrix_of_ones_own_is_checked():
    assert priority(1, 1, {(1, 1): 5}) == 5
    with pytest.raises(RuleError, match="no priority for impact 2 and urgency 1"):
        priority(2, 1, {(1, 1): 5})
    for wrong in (0, 6, True):
        with pytest.raises(RuleError, match="from 1"):
            priority(1, 1, {(1, 1): wrong})


@pytest.mark.parametrize(
    ("scope", "effect", "service_impact", "expected"),
    [
        ("everyone", "stopped", None, (1, 1)),
        ("site", "partly", None, (1, 2)),
        ("team", "some", None, (2, 3)),
        ("me", "stopped", None, (3, 1)),
        (None, None, None, (2, 2)),
        (None, "stopped", 1, (1, 1)),
        (None, None, 3, (3, 2)),
        ("me", "partly", 1, (3, 2)),  # one person without an important service is still one person
        ("site", "some", 2, (1, 3)),
        ("unheard of", "unheard of", None, (2, 2)),
    ],
)
def test_what_the_reporter_says_suggests_impact_and_urgency(scope, effect, service_impact, expected):
    assert suggested(scope, effect, service_impact) == expected


def test_head_starts_of_the_design():
    due = NOW + HOUR
    assert rank_at(due, Merits(5)) == due
    assert rank_at(due, Merits(4)) == due
    assert rank_at(due, Merits(3)) == due - DAY
    assert rank_at(due, Merits(2)) == due - 5 * DAY
    assert rank_at(due, Merits(1)) == due - 30 * DAY
    assert rank_at(due, Merits(5, major=True)) == due - 365 * DAY
    assert rank_at(due, Merits(5, risks=("security", "compliance", "financial"))) == due - 3 * DAY
    assert rank_at(due, Merits(5, people=1000)) == due - 18 * HOUR
    assert rank_at(due, Merits(5, people=1)) == rank_at(due, Merits(5, people=0)) == due
    assert rank_at(due, Merits(5, pin_seconds=-3600)) == due + HOUR


@given(due=INSTANTS, merits=MERITS, later=some.timedeltas(timedelta(0), timedelta(days=3000)))
def test_the_order_of_two_incidents_never_depends_on_when_one_looks(due, merits, later):
    assert rank_at(due + later, merits) == rank_at(due, merits) + later


@given(due=INSTANTS, merits=MERITS)
def test_a_worse_incident_never_ranks_behind(due, merits):
    worse = Merits(max(merits.priority - 1, 1), True, tuple(rules.RISKS), (merits.people or 1) * 2, merits.pin_seconds)
    assert rank_at(due, worse) <= rank_at(due, merits)


def test_rank_refuses_what_it_cannot_count():
    with pytest.raises(RuleError, match="zone"):
        rank_at(datetime(2026, 1, 1), Merits(3))
    with pytest.raises(RuleError, match="too far away"):
        rank_at(datetime(1, 1, 2, tzinfo=UTC), Merits(1))
    with pytest.raises(RuleError, match="Choose risks from"):
        rank_at(NOW, Merits(3, risks=("boredom",)))


@pytest.mark.parametrize(
    ("due", "merits", "expected"),
    [
        (NOW + DAY + 2 * HOUR, Merits(2, risks=("security",), people=100),
         "Due tomorrow 14:00; 5 d ahead as P2, 1 d for a security risk, 12 h for 100 people."),
        (NOW + 2 * HOUR, Merits(4), "Due today 14:00; no head start as P4."),
        (NOW + 3 * DAY, Merits(3, major=True), "Due Thu 12:00; 365 d ahead as a major incident, 1 d as P3."),
        (NOW - 2 * DAY, Merits(5), "Due 21 Nov 12:00; no head start as P5."),
        (NOW + 60 * DAY, Merits(5, pin_seconds=-7200), "Due 22 Jan 2027 12:00; 2 h back pinned by a lead."),
        (NOW + 2 * HOUR, Merits(5, people=2500), "Due today 14:00; 20 h ahead for 2,500 people."),
    ],
)  # fmt: skip
def test_the_reason_in_one_sentence(due, merits, expected):
    assert explain(due, merits, NOW) == expected


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ((NOW, Merits(3)), (NOW, Merits(2)), "it has 4 d more as P2"),
        ((NOW + 3 * HOUR, Merits(3)), (NOW, Merits(3)), "it is due 3 h earlier"),
        ((NOW, Merits(3, people=8)), (NOW, Merits(3, people=80)), "it has 6 h more for 80 people"),
        ((NOW, Merits(3)), (NOW, Merits(3, risks=("security",))), "it has 1 d more for a security risk"),
        ((NOW, Merits(3)), (NOW, Merits(4, major=True)), "it has 365 d more as a major incident"),
        ((NOW, Merits(3)), (NOW, Merits(3, pin_seconds=7200)), "it has 2 h more pinned by a lead"),
        ((NOW, Merits(3, pin_seconds=-7200)), (NOW, Merits(3)), "this one is 2 h back, pinned by a lead"),
        ((NOW, Merits(3)), (NOW, Merits(3)), "it was reported first"),
    ],
)  # fmt: skip
def test_why_it_stands_behind_its_neighbour(mine, theirs, expected):
    assert behind(*mine, *theirs) == expected


@given(
    some.integers(-90, 90), some.sampled_from([1, 2, 3, 4, 5]), some.sampled_from([1, 2, 3, 4, 5]),
    some.booleans(), some.integers(0, 500), some.integers(0, 500), some.integers(-5, 5), some.integers(-5, 5),
)  # fmt: skip
def test_a_neighbour_ahead_always_has_a_reason(days, level, other_level, major, people, others, pin, other_pin):
    mine = (NOW, Merits(level, people=people, pin_seconds=pin * 3600))
    theirs = (NOW + days * DAY, Merits(other_level, major=major, people=others, pin_seconds=other_pin * 3600))
    said = behind(*mine, *theirs)
    if rank_at(*theirs) < rank_at(*mine):
        assert said != "it was reported first"


def test_the_reason_is_told_in_the_readers_zone():
    assert explain(NOW + 12 * HOUR, Merits(5), NOW, "Europe/Berlin").startswith("Due tomorrow 01:00;")
    assert explain(NOW, Merits(1), NOW, waiting="Waiting for a vendor") == (
        "Waiting for a vendor; ranks after everything active."
    )


@given(due=INSTANTS, merits=MERITS)
def test_the_reasons_add_up_to_the_rank(due, merits):
    assert due - rank_at(due, merits) == timedelta(seconds=sum(seconds for seconds, _ in rules.ahead(merits)))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 min"), (29, "0 min"), (-5, "0 min"), (480, "8 min"), (3570, "1 h"), (3600, "1 h"), (5400, "1 h 30 min"),
        (36_000, "10 h"), (86_400, "1 d"), (133_200, "1 d 13 h"), (432_000, "5 d"), (31_536_000, "365 d"),
    ],
)  # fmt: skip
def test_spans_in_words(seconds, expected):
    assert rules.span(seconds) == expected
