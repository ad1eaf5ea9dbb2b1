"""A figure opens exactly the incidents that it counts: by the columns, by the list, and by their definitions."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from db.engine import reading, writing
from db.models import Category, CategoryPair, Follower, Incident, Person, Service, Subcategory, Team
from db.queries import figure, report
from db.queries.measures import measured
from rules.access import Actor, Forbidden
from rules.measures import FIGURES, Filters
from rules.panels import Opens, opened
from rules.periods import Period

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANAGER = Actor(1, "Max", frozenset({"reporter", "manager"}))
LEAD = Actor(2, "Lena", frozenset({"reporter", "lead"}), frozenset({2}))
ADMIN = Actor(3, "Ada", frozenset({"reporter", "admin"}))
FILTERS = [
    Filters(),
    Filters(team_id=2),
    Filters(priority=1),
    Filters(category_id=1),
    Filters(service_id=1),
    Filters(source="alert"),
    Filters(pair_id=0),
    Filters(pair_id=2, team_id=1),
    Filters(team_id=99_999_999_999),
    Filters(team_id=0),
    Filters(priority=0),
    Filters(service_id=0),
]


@pytest.fixture
def past(engine):
    """Two teams, and 240 incidents of every kind around a fortnight."""
    rng = random.Random(4)
    with writing(engine) as db:
        db.add_all([Team(id=1, name="Desk", tier="1"), Team(id=2, name="Net", tier="2"), Category(id=1, name="Print")])
        db.add_all([Person(id=actor.id, name=actor.name, created_at=START) for actor in (MANAGER, LEAD, ADMIN)])
        db.add_all([Service(id=1, name="E-mail"), Subcategory(id=1, name="Toner")])
        db.flush()
        db.add_all([CategoryPair(id=1, category_id=1), CategoryPair(id=2, category_id=1, subcategory_id=1)])
        db.flush()
        db.add_all(_incident(rng, number) for number in range(240))
    return engine


def _incident(rng, number):
    def later(at, chance, most):
        return at + HOUR * rng.randrange(most) if at and rng.random() < chance else None

    reported = START + HOUR * rng.randrange(-14 * 24, 28 * 24)
    acknowledged = later(reported, 0.7, 9)
    resolved = later(acknowledged or reported, 0.7, 400)
    cancelled = rng.random() < 0.1
    recovered = later(resolved, 0.8, 30)
    state = "cancelled" if cancelled else "recovered" if recovered else "resolved" if resolved else "assigned"
    closed = None if cancelled else later(recovered, 0.7, 90)
    return Incident(
        number=f"T{number:03}",
        title=f"Incident {number}",
        state="closed" if closed else state,
        priority=rng.choice((1, 2, 3, 4, 5, None)),
        reported_at=reported,
        started_at=later(reported - HOUR * 9, 0.4, 9),
        detected_at=later(reported - HOUR * 5, 0.4, 5),
        acknowledged_at=acknowledged,
        resolved_at=resolved,
        recovered_at=recovered,
        closed_at=closed,
        cancelled_at=(resolved or acknowledged or reported) + HOUR if cancelled else None,
        response_due_at=later(reported + HOUR, 0.8, 9),
        resolution_due_at=later(reported + HOUR, 0.8, 1200),
        team_id=rng.choice((1, 2, None)),
        category_pair_id=rng.choice((1, 2, None)),
        service_id=rng.choice((1, None)),
        source=rng.choice(("form", "alert", "phone")),
        reopen_count=rng.choice((0, 0, 0, 2)),
        handovers=rng.choice((0, 0, 3)),
        ping_pong=rng.random() < 0.2,
        major=rng.random() < 0.1,
        restricted=number % 4 == 0,
        changed_at=reported,
        rank_at=reported,
    )


def _inside(at):
    return at is not None and START <= at < END


def _left(at):
    """It was gone by the end of the period."""
    return at is not None and at < END


def _over(i):
    return i.resolved_at or i.closed_at or i.cancelled_at


def _answered(i):
    return i.acknowledged_at or i.resolved_at


def _late(i, ended, due):
    return i.state != "cancelled" and due is not None and (due < (ended or NOW))


def _kept(i, ended, due):
    return i.state != "cancelled" and due is not None and ended is not None and ended <= due


def _severe(i):
    began = i.started_at or i.reported_at
    over = i.recovered_at or (i.closed_at and (i.resolved_at or i.closed_at))
    lasted = began < END and (over is None or over > START)
    return i.state != "cancelled" and (i.major or i.priority in (1, 2)) and lasted


# What rules.measures says of each figure in words, once more in Python.
MEANS = {
    "opened": lambda i: _inside(i.reported_at),
    "resolved": lambda i: _inside(i.resolved_at),
    "to_acknowledge": lambda i: _inside(i.acknowledged_at) and i.state != "cancelled",
    "never_acknowledged": lambda i: _inside(i.reported_at) and i.state != "cancelled" and i.acknowledged_at is None,
    "to_resolve": lambda i: _inside(i.resolved_at) and i.state != "cancelled",
    "to_recover": lambda i: _inside(i.recovered_at) and i.state != "cancelled",
    "response_met": lambda i: _inside(i.reported_at) and _kept(i, _answered(i), i.response_due_at),
    "response_missed": lambda i: _inside(i.reported_at) and _late(i, _answered(i), i.response_due_at),
    "resolution_met": lambda i: _inside(i.reported_at) and _kept(i, i.resolved_at, i.resolution_due_at),
    "resolution_missed": lambda i: _inside(i.reported_at) and _late(i, i.resolved_at, i.resolution_due_at),
    "response_due": lambda i: MEANS["response_met"](i) or MEANS["response_missed"](i),
    "resolution_due": lambda i: MEANS["resolution_met"](i) or MEANS["resolution_missed"](i),
    "reopened": lambda i: _inside(i.resolved_at) and i.state != "cancelled" and i.reopen_count > 0,
    "first_line": lambda i: (
        _inside(i.resolved_at) and i.state != "cancelled" and i.team_id == 1 and not i.handovers and not i.reopen_count
    ),
    "handed_over": lambda i: _inside(i.reported_at) and i.handovers > 0,
    "ping_pong": lambda i: _inside(i.reported_at) and i.ping_pong,
    "still_open": lambda i: _inside(i.reported_at) and (_over(i) is None or _over(i) >= NOW),
    "severe": _severe,
    "unresolved": lambda i: i.reported_at < END and not _left(_over(i)),
    "unclosed": lambda i: i.reported_at < END and not _left(i.closed_at or i.cancelled_at),
}


def _meets(i, filters, pairs):
    return (
        filters.team_id in (None, i.team_id)
        and filters.priority in (None, i.priority)
        and filters.service_id in (None, i.service_id)
        and filters.source in (None, i.source)
        and (filters.category_id is None or pairs.get(i.category_pair_id) == filters.category_id)
        and (filters.pair_id is None or filters.pair_id == (i.category_pair_id or 0))
    )


def listed(db, actor, opens, zone="UTC"):
    """Every page of it, one after the other."""
    found = figure.incidents(db, actor, opens, zone, NOW)
    rows = list(found.rows)
    for page in range(2, found.pages + 1):
        rows += figure.incidents(db, actor, opens, zone, NOW, page).rows
    return found, rows


def test_every_figure_opens_exactly_what_it_counts_with_any_filter(past):
    with reading(past) as db:
        everything = list(db.scalars(select(Incident)))
        pairs = {pair.id: pair.category_id for pair in db.scalars(select(CategoryPair))}
        for key in FIGURES:
            told = 0
            for filters in FILTERS:
                opens = Opens(key, START, END, filters)
                found, rows = listed(db, MANAGER, opened(opens.address()))
                count = measured(db, MANAGER, filters, NOW).count(key, START, END)
                meant = {
                    i.number for i in everything if not i.restricted and _meets(i, filters, pairs) and MEANS[key](i)
                }
                assert {row.line.number for row in rows} == meant, (key, filters)
                assert len(rows) == found.counted == found.readable == count == len(meant), (key, filters)
                assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True), key
                told += bool(meant)
            assert told >= 6, f"{key}: too little to tell"


def _shown(row):
    """How many a row of a panel says that it opens."""
    return row["missed"] if "missed" in row else row["n"]


@pytest.mark.parametrize("view", report.VIEWS)
def test_every_number_and_every_row_of_a_view_opens_as_many_as_it_says(past, view):
    period = Period(START, END, (START - (END - START), START))
    opening = 0
    with reading(past) as db:
        for filters in (Filters(), Filters(team_id=2)):
            made = report.report(db, MANAGER, view, period, "Asia/Kolkata", filters, NOW)

            def count(opens, made=made):
                return figure.incidents(db, MANAGER, opened(opens.address()), made.zone, NOW).readable

            for number in made.numbers:
                part = (number.value or 0) * number.n if number.kind == "share" else number.n
                assert count(number.opens) == round(part), number.key
            for panel in made.panels:
                assert len(panel.opens) in (0, len(panel.rows)), panel.key
                for row, opens in zip(panel.rows, panel.opens, strict=False):
                    if opens is None or panel.key == "downtime":
                        continue
                    # Of the hours of a week, those that say something, and the first that does not.
                    if panel.chart != "heat" or _shown(row) or row["hour"] == 0:
                        assert count(opens) == _shown(row), (panel.key, row)
                        opening += 1
    assert opening > 9, "too little to tell"


def test_what_took_how_long_stands_beside_each(past):
    with reading(past) as db:
        found = figure.all_incidents(db, MANAGER, Opens("to_resolve", START, END), "UTC", NOW)
        spread = measured(db, MANAGER, Filters(), NOW).spread("to_resolve", START, END)
        hours = [(row.line.resolved_at - row.line.reported_at) / HOUR for row in found.rows]
        assert [row.hours for row in found.rows] == hours
        assert [row.at for row in found.rows] == [row.line.resolved_at for row in found.rows]
        assert len(hours) == spread.n
        assert all(
            row.hours is None for row in figure.incidents(db, MANAGER, Opens("opened", START, END), "UTC", NOW).rows
        )


def test_an_hour_of_the_week_opens_what_came_in_then_on_that_clock(past):
    zone = "Asia/Kolkata"
    with reading(past) as db:
        whole = figure.all_incidents(db, MANAGER, Opens("opened", START, END), zone, NOW).rows
        seen = 0
        for hour in range(7 * 24):
            _, rows = listed(db, MANAGER, Opens("opened", START, END, hour=hour), zone)
            clock = [row.line.reported_at.astimezone(ZoneInfo(zone)) for row in rows]
            assert all(at.weekday() * 24 + at.hour == hour for at in clock)
            seen += len(rows)
    assert seen == len(whole) > 30


def test_restricted_incidents_are_counted_and_listed_only_for_those_to_whom_they_are_open(past):
    opens = Opens("opened", START, END)
    with reading(past) as db:
        everything = [i for i in db.scalars(select(Incident)) if _inside(i.reported_at)]
        own = {i.number for i in everything if not i.restricted or i.team_id == 2}
        assert len(own) > sum(not i.restricted for i in everything), "too little to tell"
        found, rows = listed(db, LEAD, opens)
        assert {row.line.number for row in rows} == own
        assert found.counted == len(own)


def test_who_counts_every_incident_but_may_open_few_is_told_so_and_sees_those(past):
    opens = Opens("opened", START, END)
    with writing(past) as db:
        open_ones = [i for i in db.scalars(select(Incident)) if _inside(i.reported_at) and not i.restricted]
        db.add(Follower(incident_id=open_ones[0].id, person_id=ADMIN.id, since=NOW, named=False))
    with reading(past) as db:
        found, rows = listed(db, ADMIN, opens)
        assert [row.line.number for row in rows] == [open_ones[0].number]
        assert (found.counted, found.readable) == (len(open_ones), 1)


def test_nobody_without_trends_opens_a_figure(past):
    opens = Opens("opened", START, END)
    someone = Actor(9, "Rita", frozenset({"reporter", "responder"}))
    with reading(past) as db:
        for ask in (figure.incidents, figure.all_incidents):
            with pytest.raises(Forbidden):
                ask(db, someone, opens, "UTC", NOW)
        with pytest.raises(Forbidden):
            figure.filter_words(db, someone, Filters())


def test_a_page_that_there_is_not_is_the_nearest_one(past):
    with reading(past) as db:
        for asked, given in ((-5, 1), (1, 1), (10**9, 2)):
            found = figure.incidents(db, MANAGER, Opens("unresolved", START, END), "UTC", NOW, asked)
            assert (found.page, found.pages) == (given, 2)
            assert found.rows


def test_a_page_asks_the_database_no_more_often_for_many_incidents(past):
    def asked(end):
        with reading(past) as db:
            said = []
            keep = lambda *given: said.append(given[2])  # noqa: E731 - to be taken off again
            event.listen(past, "before_cursor_execute", keep)
            rows = figure.incidents(db, MANAGER, Opens("unresolved", START, end), "UTC", NOW).rows
            event.remove(past, "before_cursor_execute", keep)
            return len(said), len(rows)

    asked(END)
    (few, one), (many, full) = asked(START - 13 * 24 * HOUR), asked(END)
    assert 0 < one < full == figure.PAGE_SIZE
    assert few == many


def test_a_file_holds_no_more_than_it_says(past, monkeypatch):
    monkeypatch.setattr(figure, "MOST_WRITTEN", 7)
    with reading(past) as db:
        found = figure.all_incidents(db, MANAGER, Opens("opened", START, END), "UTC", NOW)
        assert len(found.rows) == 7 < found.readable


def test_filters_are_said_by_their_names(past):
    with reading(past) as db:
        assert figure.filter_words(db, MANAGER, Filters()) == []
        every = Filters(team_id=2, priority=1, category_id=1, service_id=1, source="alert", pair_id=2)
        assert figure.filter_words(db, MANAGER, every) == [
            "Team: Net",
            "Service: E-mail",
            "Category: Print",
            "Category: Print › Toner",
            "Priority: P1 Critical",
            "Source: Monitoring",
        ]
        assert figure.filter_words(db, MANAGER, Filters(pair_id=0)) == ["Category: not sorted yet"]
        for unknown in (Filters(team_id=99_999_999_999), Filters(priority=77), Filters(pair_id=99)):
            assert figure.filter_words(db, MANAGER, unknown)[0].endswith(": none of this number")
