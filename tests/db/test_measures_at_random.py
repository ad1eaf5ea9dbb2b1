"""Every measure and every panel of trends against a plain computation, on small random histories.

Some incidents are counted from their packed copy, some as they have changed since, in any mixture.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import reading
from db.queries import report, trends
from rules.periods import Period
from tests.db import histories, oracle, oracle_panels
from tests.db.histories import NOW
from tests.db.oracle import HOUR

MANY = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
packings = st.tuples(st.sampled_from((0, 1, 99, 99)), st.sampled_from((0, 0, 1)))
questions = st.tuples(histories.actors, histories.filters)


def counted(history, actor, filters):
    return oracle.meeting(filters, oracle.seen_by(actor, [each.case for each in history]))


@MANY
@given(
    histories.histories,
    packings,
    histories.periods(last=NOW + 9 * HOUR),
    histories.zones,
    st.tuples(questions, questions),
    st.sampled_from(("month", "month", "week", "day")),
)
def test_random_histories_measure_as_their_definitions_say(engine, short, history, packed, period, zone, asked, by):
    histories.put(engine, history, packed)
    with reading(engine) as db:
        for actor, filters in asked:
            found = trends.measures(db, *period, zone, now=NOW, actor=actor, filters=filters, by=by)
            expected = oracle.measures(counted(history, actor, filters), *period, zone, NOW, by)
            assert oracle.differences(found, expected) == []


@MANY
@given(histories.histories, packings, histories.periods(), histories.zones, questions, st.booleans())
def test_random_histories_are_drawn_as_the_panels_say(engine, short, history, packed, period, zone, asked, compared):
    histories.put(engine, history, packed)
    actor, filters = asked
    cases = counted(history, actor, filters)
    start, end = period
    period = Period(start, end, (start - (end - start), start) if compared else None)
    numbers = oracle_panels.numbers(cases, start, end, NOW)
    before = oracle_panels.numbers(cases, *period.before, NOW) if compared else {}
    with reading(engine) as db:
        for view in report.VIEWS:
            made = report.report(db, actor, view, period, zone, filters, NOW)
            for number in made.numbers:
                told = (number.value, number.n, number.before, number.n_before)
                expected = (*numbers[number.key], *before.get(number.key, (None, None)))
                assert oracle.differences(told, expected, number.key) == []
            for panel in made.panels:
                if panel.key not in oracle_panels.ELSEWHERE:
                    expected = oracle_panels.PANELS[panel.key](cases, start, end, zone, NOW)
                    assert oracle.differences(oracle_panels.shown(panel), expected, panel.key) == []
