"""Forecasts against an independent computation: similar ones, who is likely to breach, arrivals; and the real log."""

import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from db.engine import reading, writing
from db.models import Category, CategoryPair, Incident, Pause, Service
from db.queries import forecast
from rules.access import SYSTEM, Actor, Forbidden
from rules.forecast import LEAST_DAYS, arrivals
from rules.measures import Filters
from tests.db.imported import LOG
from tests.db.office import Office
from tests.rules.test_forecast import by_the_book

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MANAGER = Actor(901, "Max", frozenset({"reporter", "manager"}))


def put(engine, incidents, first_id=1):
    """Incidents as columns; the services 1 and 2 and the category pairs 1 and 2 are there."""
    with writing(engine) as db:
        if db.get(Service, 1) is None:
            db.add_all([Service(id=1, name="Mail", impact=2), Service(id=2, name="Print", impact=2)])
            db.add_all([Category(id=1, name="C"), Category(id=2, name="D")])
            db.flush()
            db.add_all([CategoryPair(id=1, category_id=1), CategoryPair(id=2, category_id=2)])
            db.flush()
        for id_, values in enumerate(incidents, first_id):
            at = values["reported_at"]
            base = {"id": id_, "number": f"T{id_}", "title": "t", "changed_at": at, "rank_at": at}
            db.execute(insert(Incident.__table__), [base | values])
        db.flush()


def done(hours, ended=NOW - DAY, **more):
    """A resolved incident that took so long."""
    times = {"reported_at": ended - hours * HOUR, "resolved_at": ended}
    return {"state": "resolved", "queue_group": 2, "service_id": 1, "category_pair_id": 1, "priority": 3} | times | more


def open_one(age, left, **more):
    """An open incident of this age that has so many hours left."""
    times = {"reported_at": NOW - age * HOUR, "resolution_due_at": NOW + left * HOUR}
    return {"state": "in_progress", "service_id": 1, "category_pair_id": 1, "priority": 3} | times | more


def seen(engine, actor=SYSTEM, now=NOW, **filters):
    with reading(engine) as db:
        known = forecast.past(db, actor, now)
        return known, forecast.outlook(db, actor, known, Filters(**filters), now)


def test_one_that_similar_ones_outlast_is_likely_to_breach(engine):
    put(engine, [done(hours) for hours in range(1, 41)])
    put(engine, [open_one(10, 20), open_one(10, 24), open_one(35, 1), open_one(10, 200)], first_id=101)
    known, found = seen(engine)
    assert (found.looked_at, found.silent) == (3, 1), (
        "of 40 h only five tell of one that is 35 h old; 200 h is not soon"
    )
    (late,) = found.likely
    # Of those that lasted longer than 10 h, one is open still: 102 and 104 are as old, 103 is 35 h old.
    assert (late.id, late.basis, late.remaining.n, late.remaining.still) == (101, "both", 30, 1)
    assert late.remaining.share == pytest.approx(11 / 31)
    rests_on = forecast.similar(known, late)
    assert sorted(rests_on) == [*range(11, 41), 103], "exactly those that lasted longer"


def test_the_closest_likeness_that_says_enough_is_taken(engine):
    put(engine, [done(50, service_id=2) for _ in range(20)])
    put(engine, [done(60, category_pair_id=2, priority=1) for _ in range(20)], first_id=31)
    put(engine, [done(70, service_id=None, category_pair_id=None, priority=2) for _ in range(20)], first_id=61)
    put(
        engine,
        [
            open_one(1, 2),
            open_one(1, 2, category_pair_id=2, priority=5),
            open_one(1, 2, service_id=None, category_pair_id=None, priority=2),
            open_one(1, 2, service_id=None, category_pair_id=None, priority=None),
        ],
        first_id=101,
    )
    known, found = seen(engine)
    assert {each.id: each.basis for each in found.likely} == {101: "pair", 102: "both", 103: "priority"}
    assert found.silent == 1
    assert all(len(forecast.similar(known, each)) == 20 for each in found.likely)


def test_what_is_late_cancelled_old_or_a_repeat_says_nothing(engine):
    put(engine, [done(50, NOW - 366 * DAY) for _ in range(30)])
    put(engine, [done(50, state="cancelled", cancelled_at=NOW - DAY) for _ in range(30)], first_id=31)
    put(engine, [done(50, duplicate_of_id=1) for _ in range(30)], first_id=61)
    put(engine, [open_one(1, 2), open_one(5, -1)], first_id=101)
    _, found = seen(engine)
    assert (found.looked_at, found.silent, found.likely) == (1, 1, [])


def test_a_clock_that_stands_is_counted_as_if_it_went_on_now(engine):
    put(engine, [done(40) for _ in range(20)])
    held = {"state": "on_hold", "queue_group": 1, "hold_reason": "vendor"}
    put(engine, [open_one(10, -5, **held), open_one(10, -5, **held), open_one(10, 5, **held)], first_id=101)
    with writing(engine) as db:
        db.add_all(
            [
                Pause(incident_id=101, began_at=NOW - 8 * HOUR, reason="vendor"),
                Pause(incident_id=102, began_at=NOW - 3 * HOUR, reason="vendor"),
                Pause(incident_id=103, began_at=NOW - 30 * HOUR, reason="vendor"),
            ]
        )
    _, found = seen(engine)
    assert found.looked_at == 2, "102 was late before its clock stood"
    (late,) = found.likely
    assert (late.id, late.paused, late.due_at) == (101, True, NOW + 3 * HOUR)


def test_restricted_ones_neither_show_nor_tell(engine):
    put(engine, [done(40, restricted=True) for _ in range(20)])
    put(engine, [open_one(10, 5), open_one(10, 5, restricted=True)], first_id=101)
    _, mine = seen(engine, MANAGER)
    assert (mine.looked_at, mine.silent) == (1, 1)
    assert len(seen(engine)[1].likely) == 2
    reporter = Actor(1, "Rita", frozenset({"reporter", "responder"}))
    with reading(engine) as db:
        for ask in (
            lambda: forecast.past(db, reporter, NOW),
            lambda: forecast.outlook(db, reporter, forecast.Past(np.empty((0, 6), np.int64), 0), Filters(), NOW),
            lambda: forecast.expected(db, reporter, Filters(), NOW, "UTC"),
        ):
            with pytest.raises(Forbidden):
                ask()


def test_of_many_those_due_first_are_looked_at(engine, monkeypatch):
    put(engine, [open_one(1, hours) for hours in range(1, 6)])
    monkeypatch.setattr(forecast, "MOST_OPEN", 3)
    _, found = seen(engine)
    assert (found.looked_at, found.cut) == (3, True)


def test_of_a_long_past_one_in_so_many_is_looked_at(engine, monkeypatch):
    put(engine, [done(5, NOW - number * DAY) for number in range(1, 8)])
    monkeypatch.setattr(forecast, "MOST_PAST", 3)
    known, _ = seen(engine)
    assert (sorted(known.ids.tolist()), known.every) == ([3, 6], 3)


def test_the_clock_of_a_real_incident_is_the_one_that_is_told(engine):
    office = Office(engine)
    mail = office.bring_to("on_hold")
    waits = office.pauses(mail)[0].began_at
    now = waits + 2 * HOUR
    put(engine, [done(500, now - DAY, service_id=None, category_pair_id=office.pair) for _ in range(20)], first_id=1001)
    with reading(engine) as db:
        known = forecast.past(db, SYSTEM, now)
        (late,) = forecast.outlook(db, SYSTEM, known, Filters(), now).likely
    assert (late.id, late.paused) == (mail, True)
    assert late.due_at == office.incident(mail).resolution_due_at + 2 * HOUR


lengths = st.integers(0, 60 * 24 * 20)
pasts = st.lists(st.tuples(lengths, st.integers(0, 2), st.integers(0, 2), st.integers(1, 2)), max_size=90)
opens = st.lists(st.tuples(lengths, st.integers(1, 24 * 7), st.integers(0, 2), st.integers(0, 2)), max_size=4)
examples = count()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pasts, opens)
def test_random_pasts_tell_what_an_independent_computation_does(engine, drawn, waiting):
    number = next(examples)
    now = NOW + number * timedelta(days=800)

    def keys(service, pair, level):
        return {"service_id": service or None, "category_pair_id": pair or None, "priority": level}

    put(
        engine,
        [done(took / 60, now - DAY, **keys(*key)) for took, *key in drawn],
        first_id=number * 1000 + 1,
    )
    shift = now - NOW
    put(
        engine,
        [
            {name: value + shift if name.endswith("_at") else value for name, value in open_one(a / 60, left).items()}
            | keys(service, pair, 1)
            for a, left, service, pair in waiting
        ],
        first_id=number * 1000 + 501,
    )
    with reading(engine) as db:
        known = forecast.past(db, SYSTEM, now)
        found = forecast.outlook(db, SYSTEM, known, Filters(), now)
    told = {each.id - number * 1000 - 501: each.remaining for each in found.likely}
    everything = [(took, True, key) for took, *key in drawn]
    everything += [(age, False, [service, pair, 1]) for age, _, service, pair in waiting]
    expected = {}
    for place, (age, left, service, pair) in enumerate(waiting):
        for wanted in ((service, pair, None), (None, pair, None), (service, None, None), (None, None, 1)):
            if 0 in wanted:
                continue
            alike = [
                (took, ended)
                for took, ended, key in everything
                if all(want is None or have == want for have, want in zip(key, wanted, strict=True))
            ]
            n = sum(ended and took > age for took, ended in alike)
            if n >= 20:
                late, enough = by_the_book(alike, age, left * 60)
                if enough is None or enough > left * 60:
                    expected[place] = (n, sum(not ended and took > age for took, ended in alike), pytest.approx(late))
                break
    assert {place: (one.n, one.still, one.share) for place, one in told.items()} == expected
    for each in found.likely:
        assert len(forecast.similar(known, each)) == each.remaining.n + each.remaining.still


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Chicago"])
def test_arrivals_rest_on_whole_local_days(engine, zone):
    place = ZoneInfo(zone)
    now = datetime(2026, 4, 2, 3, tzinfo=UTC)
    reported = [now - timedelta(hours=7 * number + number % 5) for number in range(250)]
    put(engine, [{"reported_at": at} for at in reported])
    put(engine, [{"reported_at": now - DAY, "restricted": True, "priority": 1}], first_id=901)
    with reading(engine) as db:
        counts, found = forecast.expected(db, MANAGER, Filters(), now, zone)
        none = forecast.expected(db, MANAGER, Filters(priority=2), now, zone)
    first, today = min(reported).astimezone(place).date(), now.astimezone(place).date()
    whole = [first + timedelta(days=number) for number in range(1, (today - first).days)]
    by_day = [sum(at.astimezone(place).date() == day for at in reported) for day in whole]
    assert counts == by_day
    assert found == arrivals(by_day)
    assert found is not None
    assert len(by_day) >= LEAST_DAYS
    assert none == ([], None)


def test_what_was_open_then_is_held_against_what_came(engine):
    """Thirty took 10 h before; of five open 28 days ago, aged 1 h, three took 5 h more, one 50 h, and one is open."""
    then = NOW - 28 * DAY
    put(engine, [done(10, then - DAY) for _ in range(90)])
    put(engine, [done(6, then + 5 * HOUR), done(6, then + 5 * HOUR), done(6, then + 5 * HOUR)], first_id=101)
    put(engine, [done(51, then + 50 * HOUR)], first_id=111)
    put(engine, [open_one(28 * 24 + 1, 5)], first_id=121)
    with reading(engine) as db:
        known = forecast.past(db, SYSTEM, NOW)
    assert forecast.checked(known) == (3, 5)


@pytest.mark.slow
def test_the_real_log_bears_the_forecasts_out(of_the_log):
    """What the screen would have said on past days, held against what the raw log says came."""
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        log = pd.read_csv(file, dtype=str)
    last = log.groupby("number", sort=False).last()
    resolved_rows = log[log["incident_state"] == "Resolved"].groupby("number", sort=False).last()["sys_updated_at"]

    def moment(column):
        return pd.to_datetime(column.where(column != "?"), format="%d/%m/%Y %H:%M", utc=True)

    opened = moment(last["opened_at"])
    resolved = moment(last["resolved_at"]).fillna(moment(resolved_rows.reindex(last.index)))
    held, said = Counter(), 0
    for day in (datetime(2016, 4, 11, 9, tzinfo=UTC) + timedelta(days=7 * week) for week in range(7)):
        with reading(of_the_log) as db:
            known = forecast.past(db, SYSTEM, day)
            open_then = last.index[(opened < day) & ~(resolved < day)]
            columns = (Incident.number, Incident.service_id, Incident.category_pair_id, Incident.priority)
            rows = db.execute(select(*columns).where(Incident.number.in_(open_then.tolist()))).all()
        for number, *key in rows:
            age = (day - opened[number]).total_seconds()
            basis, found = known.remaining(tuple(part or 0 for part in key), age, 0)
            if found is None or found.seconds is None:
                continue
            took = (resolved[number] - day).total_seconds()  # never resolved: took is NaN, and no length is as long
            said += 1
            held[basis] += took <= found.seconds
    print("open incidents done within what was said:", sum(held.values()), "of", said, dict(held))
    assert said > 5_000
    assert 0.70 < sum(held.values()) / said < 0.80

    inside, misses, naive = [], [], []
    daily = opened.dt.date.value_counts()
    for number in range(26):
        day = datetime(2016, 4, 27, 9, tzinfo=UTC) + timedelta(days=number)
        with reading(of_the_log) as db:
            _, found = forecast.expected(db, SYSTEM, Filters(), day, "UTC")
        came = sum(int(daily.get((day + timedelta(days=1 + ahead)).date(), 0)) for ahead in range(7))
        before = sum(int(daily.get((day - timedelta(days=1 + back)).date(), 0)) for back in range(7))
        inside.append(found.low <= came <= found.high)
        misses.append(abs(came - found.expected))
        naive.append(abs(came - before))
    print("weeks within:", sum(inside), len(inside), "miss", np.mean(misses), "naive", np.mean(naive))
    assert 0.7 < sum(inside) / len(inside) <= 1
    assert np.mean(misses) < np.mean(naive)
