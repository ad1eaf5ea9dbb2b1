"""Measures of a history worked out by hand, and of what may be counted; at random and of the real log see beside."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete

from db.engine import reading, writing
from db.models import Category, CategoryPair, Incident, Person, Team, TrendNote
from db.queries import digest, figure, report, trends
from rules.access import SYSTEM, Actor, Forbidden
from rules.measures import Filters
from rules.panels import Opens
from rules.periods import Bucket, chosen_days, preset
from tests.db import histories
from tests.db.office import MONDAY, Office
from tests.db.oracle import HOUR, Case

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 15, tzinfo=UTC)


def put(engine, incidents):
    with writing(engine) as db:
        db.execute(delete(Incident))
        if db.get(Team, 1) is None:
            db.add_all([Team(id=1, name="Desk", tier="1"), Team(id=2, name="Net", tier="2"), Category(id=1, name="C")])
            db.flush()
            db.add(CategoryPair(id=1, category_id=1))
            db.flush()
        for number, values in enumerate(incidents, 1):
            base = {"number": f"T{number}", "title": "t", "changed_at": START, "rank_at": START}
            db.add(Incident(**base | values))


def measured(engine, zone="UTC", **other):
    with reading(engine) as db:
        return trends.measures(db, START, END, zone, now=NOW, **other)


def hour(number):
    return timedelta(hours=number)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_two_weeks_of_many_years_are_called_the_same(engine):
    first = NOW - timedelta(days=11 * 366)
    put(engine, [{"state": "new", "reported_at": at} for at in (first, NOW - timedelta(days=1))])
    with reading(engine) as db:
        for days, said in (("all", "8 Jun 26"), ("365", "8 Jun")):
            asked = preset(days, NOW, "UTC", first)
            found = report.report(db, SYSTEM, "overview", asked, "UTC", Filters(), NOW)
            [backlog] = [panel for panel in found.panels if panel.key == "backlog"]
            names = [row["when"] for row in backlog.rows]
            assert len(set(names)) == len(names) > 50
            assert names[-1] == said


def test_every_measure_of_a_history_worked_out_by_hand(engine):
    one = START + timedelta(days=1)
    put(
        engine,
        [
            # answered after 1 h, resolved after 4 h in time, recovered after 5 h, by tier 1, closed next month
            {
                "state": "closed", "priority": 1, "reported_at": one, "acknowledged_at": one + hour(1), "team_id": 1,
                "resolved_at": one + hour(4), "recovered_at": one + hour(5), "closed_at": one + timedelta(days=31),
                "response_due_at": one + hour(2), "resolution_due_at": one + hour(4), "category_pair_id": 1,
            },
            # resolved late and never acknowledged, reopened once, handed over and back
            {
                "state": "resolved", "priority": 3, "reported_at": one, "resolved_at": one + hour(10), "team_id": 2,
                "started_at": one - hour(3), "recovered_at": one + hour(11), "reopen_count": 1, "handovers": 2,
                "ping_pong": True, "response_due_at": one + hour(2), "resolution_due_at": one + hour(9),
            },
            # still running: late to answer, in time to resolve; found by an alert two hours before
            {
                "state": "in_progress", "priority": 3, "reported_at": one, "detected_at": one - hour(2),
                "source": "alert", "acknowledged_at": one + hour(3), "response_due_at": one + hour(1),
                "resolution_due_at": NOW + hour(1), "handovers": 1,
            },
            # cancelled: opened, but in no time and no promise
            {
                "state": "cancelled", "priority": 4, "reported_at": one, "cancelled_at": one + hour(1),
                "resolved_at": None, "response_due_at": one, "resolution_due_at": one,
            },
            # before the period, resolved in it
            {
                "state": "resolved", "priority": 3, "reported_at": START - hour(48), "resolved_at": START + hour(2),
                "team_id": 1,
            },
        ],
    )  # fmt: skip
    found = measured(engine)
    assert found["opened"] == {"n": 4, "per_month": {"2026-03": 4, "2026-04": 0, "2026-05": 0}}
    assert found["resolved"] == {"n": 3, "per_month": {"2026-03": 3, "2026-04": 0, "2026-05": 0}}
    assert found["backlog"]["unresolved"] == {"2026-03": 1, "2026-04": 1, "2026-05": 1}
    assert found["backlog"]["unclosed"] == {"2026-03": 4, "2026-04": 3, "2026-05": 3}
    assert found["time_to_acknowledge_hours"] == {
        "n": 2, "median": 3.0, "p90": pytest.approx(4.6), "never": 1,
        "by_priority": {"1": {"n": 1, "median": 1.0, "p90": 1.0}, "3": {"n": 1, "median": 5.0, "p90": 5.0}},
    }  # fmt: skip
    assert found["time_to_resolve_hours"]["n"] == 3
    assert found["time_to_resolve_hours"]["median"] == 10.0
    assert found["time_to_resolve_hours"]["by_priority"]["3"] == {"n": 2, "median": 30.0, "p90": pytest.approx(46.0)}
    assert (found["time_to_recover_hours"]["n"], found["time_to_recover_hours"]["median"]) == (2, 9.5)
    assert found["reopened"] == {"n": 1, "of": 3}
    assert found["first_line"] == {"n": 2, "of": 3}
    assert found["handovers"] == {"any": 2, "mean": 0.75, "ping_pong": 1}
    assert found["sla"] == {"response": {"met": 1, "breached": 2}, "resolution": {"met": 1, "breached": 1}}
    assert found["by_priority"] == {"1": 1, "3": 2, "4": 1}
    assert found["by_category"] == [
        {"category": None, "subcategory": None, "n": 3},
        {"category": "C", "subcategory": None, "n": 1},
    ]


def test_an_empty_period_has_no_numbers_and_no_error(engine):
    put(engine, [])
    found = measured(engine)
    assert found["time_to_resolve_hours"] == {"n": 0, "median": None, "p90": None, "by_priority": {}}
    assert found["handovers"] == {"any": 0, "mean": None, "ping_pong": 0}


def test_filters_and_restriction_narrow_every_number(engine):
    one = START + hour(1)
    put(
        engine,
        [
            {"reported_at": one, "priority": 1, "team_id": 1, "category_pair_id": 1},
            {"reported_at": one, "priority": 2, "team_id": 2},
            {"reported_at": one, "priority": 2, "team_id": 2, "restricted": True},
        ],
    )
    manager = Actor(77, "Mia", frozenset({"reporter", "manager"}))
    admin = Actor(78, "Ada", frozenset({"reporter", "admin"}))
    assert measured(engine, actor=admin)["opened"]["n"] == 2, "an administrator counts what they may not open"
    assert measured(engine, actor=manager)["opened"]["n"] == 2
    assert measured(engine, filters=Filters(team_id=2))["opened"]["n"] == 2
    assert measured(engine, filters=Filters(category_id=1))["by_priority"] == {"1": 1}
    assert measured(engine, filters=Filters(priority=2), actor=manager)["by_priority"] == {"2": 1}


@pytest.mark.parametrize(("reason", "after", "broken"), [("vendor", 3, 0), ("problem", 3, 1), ("vendor", 999, 1)])
def test_a_promise_is_broken_on_hold_only_where_its_clock_goes_on_or_was_over(engine, reason, after, broken):
    """On hold for a vendor the clock to resolve stands; for a problem it goes on, and late before it stays late."""
    office = Office(engine)
    mail = office.bring_to("in_progress")
    due = office.incident(mail).resolution_due_at
    held = {"hold_reason": reason, "hold_until": due + timedelta(days=60)}
    office.perform(mail, "hold", "Priya", MONDAY + hour(after), **held)
    now, manager = due + timedelta(days=50), office.people["Max"]
    with reading(engine) as db:
        found = trends.measures(db, MONDAY, now, "UTC", now=now, actor=manager)
        opened = figure.incidents(db, manager, Opens("resolution_missed", MONDAY, now), "UTC", now)
        week = Bucket("2026-03-02", MONDAY - hour(9), MONDAY + timedelta(days=7))
        worst = next(each for each in digest.digest(db, manager, week, "UTC", now).panels if each.key == "breaches")
    assert found["sla"]["resolution"] == {"met": 0, "breached": broken}
    assert (opened.counted, len(worst.rows)) == (broken, broken)


def test_the_screen_says_what_the_measures_say(engine):
    reported = [NOW - timedelta(days=days, hours=3) for days in range(60)]
    put(
        engine,
        [
            {"reported_at": at, "priority": 3, "state": "resolved", "resolved_at": at + hour(n)}
            for n, at in enumerate(reported)
        ],
    )
    period = preset("30", NOW, "UTC", None)
    with reading(engine) as db:
        found = {view: report.report(db, SYSTEM, view, period, "UTC", Filters(), NOW) for view in report.VIEWS}
        same = trends.measures(db, period.start, period.end, "UTC", now=NOW)
    numbers = {number.key: number for each in found.values() for number in each.numbers}
    panels = {panel.key: panel for each in found.values() for panel in each.panels}

    def total(key, kind=None):
        return sum(row["n"] for row in panels[key].rows if kind is None or row["kind"] == kind)

    assert numbers["opened"].value == total("flow", "Opened") == same["opened"]["n"] == total("heat")
    assert numbers["resolved"].value == total("flow", "Resolved") == same["resolved"]["n"]
    assert numbers["to_resolve"].value == same["time_to_resolve_hours"]["median"]
    assert numbers["unresolved"].value == panels["backlog"].rows[-1]["n"]
    assert total("to_resolve", "Median") == numbers["to_resolve"].n
    assert all(each.compared == period.before for each in found.values())


def test_one_day_and_its_backlog_are_told_in_words_that_are_true(engine):
    """The backlog goes from where the day began, not from where it ended."""
    early, noon = START - hour(5), START + hour(12)
    put(engine, [{"reported_at": early}, *({"reported_at": noon} for _ in range(3))])
    day = chosen_days(START.date(), START.date(), NOW, "UTC")
    with reading(engine) as db:
        made = report.report(db, SYSTEM, "overview", day, "UTC", Filters(), NOW)
    says = {panel.key: panel.says for panel in made.panels}
    assert says["backlog"] == "The backlog went from 1 to 4."
    assert says["flow"] == "3 opened and 0 resolved over 1 day."
    assert made.numbers[-1].definition.endswith("As a part of what was resolved in the period.")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("first", "usual"), [(20, False), (88, True)])
def test_what_is_usual_rests_on_weeks_since_the_first_record(engine, first, usual):
    """Weeks before anything was kept say nothing of a week; a quiet week afterwards does."""
    days_ago = [first, *(days for days in (20, 19, 12, 11) if days <= first)]
    put(engine, [{"reported_at": NOW - timedelta(days=days)} for days in days_ago])
    with reading(engine) as db:
        made = report.report(db, SYSTEM, "overview", preset("90", NOW, "UTC", None), "UTC", Filters(), NOW)
    [flow] = [panel for panel in made.panels if panel.key == "flow"]
    assert ("low" in flow.marks) == ("A usual week" in flow.says) == ("Dashed" in flow.definition) == usual


def test_what_was_noted_stands_on_the_axis_of_its_days_and_of_no_others(engine):
    """The period ends where the next day begins."""
    put(engine, [{"reported_at": START + hour(1)}])
    with writing(engine) as db:
        db.add(Person(id=1, name="Max", created_at=START))
        db.flush()
        for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"):
            db.add(TrendNote(day=day, text=day, author_id=1, at=START))
    march = chosen_days(date(2026, 3, 1), date(2026, 3, 31), NOW, "Europe/Berlin")
    with reading(engine) as db:
        made = report.report(db, SYSTEM, "overview", march, "Europe/Berlin", Filters(), NOW)
    noted = {panel.key: [note["note"] for note in panel.marks.get("notes", ())] for panel in made.panels}
    assert noted["flow"] == noted["backlog"] == ["2026-03-01", "2026-03-31"]


def test_categories_that_came_more_or_less_often_than_chance_explains_stand_out(engine):
    counts = {1: (2, 14), 2: (3, 14), 3: (0, 9), None: (20, 5)}  # in the period before, and in the period
    period = preset("30", NOW, "UTC", None)
    history = [
        histories.Told(Case(at + HOUR, category_pair_id=pair), None)
        for pair, both in counts.items()
        for at, n in zip((period.before[0], period.start), both, strict=True)
        for _ in range(n)
    ]
    histories.put(engine, history)
    with reading(engine) as db:
        found = report.report(db, SYSTEM, "overview", period, "UTC", Filters(), NOW).panels[0]
        alone = report.report(db, SYSTEM, "overview", replace(period, before=None), "UTC", Filters(), NOW)
    assert found.key == "movers"
    assert [(row["name"], row["before"], row["n"], row["change"]) for row in found.rows] == [
        ("Not sorted yet", 20, 5, -15),
        ("Print", 2, 14, 12),
    ]
    change = next(column for column in found.columns if column.field == "change")
    assert [change.told(row) for row in found.rows] == ["-15", "+12"], "a number, with its sign where it is read"
    assert found.says == "Not sorted yet -15; Print +12."
    assert [opens.filters.pair_id for opens in found.opens] == [0, 1]
    assert all(panel.key != "movers" for panel in alone.panels), "nothing to compare with"


def test_trends_are_for_those_who_may_read_them(engine):
    with reading(engine) as db, pytest.raises(Forbidden):
        report.first_and_last(db, Actor(1, "Rita", frozenset({"reporter", "responder"})))
