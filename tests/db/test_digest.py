"""The weekly digest: its numbers are those of trends, and it says what is more than noise, to each by their right."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from db.engine import reading, writing
from db.models import (
    Category,
    CategoryPair,
    Incident,
    Page,
    Person,
    Postmortem,
    PostmortemAction,
    Service,
    Subcategory,
    Team,
)
from db.queries import digest as queries
from db.queries import digest_lists, report_load
from db.queries.report import report
from rules.access import Actor, Forbidden
from rules.digest import week
from rules.measures import Filters
from rules.panels import Opens
from rules.periods import Period
from tests.db.office import MONDAY as NINE
from tests.db.rota import Rota

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
NOW = MONDAY + timedelta(hours=8)
TOLD = MONDAY - WEEK
LEAD = Actor(1, "Lena", frozenset({"reporter", "lead"}))
ADMIN = Actor(9, "Otto", frozenset({"reporter", "admin"}))


def put(engine, incidents):
    """Incidents as they stand; pair 1 is Network › VPN, pair 2 Mail, service 1 VPN gateway."""
    with writing(engine) as db:
        if db.get(Team, 1) is None:
            db.add_all([Team(id=1, name="Net", tier="2"), Category(id=1, name="Network"), Category(id=2, name="Mail")])
            db.add_all([Subcategory(id=1, name="VPN"), Service(id=1, name="VPN gateway", impact=2)])
            db.flush()
            db.add_all(
                [
                    CategoryPair(id=1, category_id=1, subcategory_id=1),
                    CategoryPair(id=2, category_id=2),
                    Person(id=9, name="Otto", created_at=MONDAY),
                ]
            )
            db.flush()
        for number, values in enumerate(incidents, 1):
            base = {"number": f"INC-{number:06}", "title": f"Trouble {number}", "changed_at": MONDAY, "rank_at": MONDAY}
            db.add(Incident(**base | {"state": "new"} | values))


def made(engine, actor=LEAD, zone="UTC", now=NOW, monday=None):
    with reading(engine) as db:
        return queries.digest(db, actor, week(now, zone, monday), zone, now)


def panel(report, key):
    return next(each for each in report.panels if each.key == key)


def steady(weeks=9, each=10, pair=2):
    """So many incidents in each of the weeks before the one that is told of, every one resolved after two hours."""
    moments = [TOLD - (back + 1) * WEEK + n * 5 * HOUR for back in range(weeks) for n in range(each)]
    return [
        {"reported_at": at, "resolved_at": at + 2 * HOUR, "state": "resolved"} | {"category_pair_id": pair}
        for at in moments
    ]


def storm(number, pair=1, **more):
    return [{"reported_at": TOLD + n * HOUR, "category_pair_id": pair} | more for n in range(number)]


def test_more_than_noise_is_told_with_what_moved_it_and_opens_the_incidents(engine):
    put(engine, [*steady(), *storm(32), *storm(9, pair=2)])
    told = made(engine)
    found = panel(told, "changes")
    assert found.says == (
        "Opened: 41, above the usual 10. Most of it: Network › VPN (+32). "
        "Resolved: 0, below the usual 10. Most of it: Mail (-10). "
        "Backlog: 41, above the usual 0. Most of it: Network › VPN (+32)."
    )
    rows = {row["title"]: row for row in found.rows}
    assert rows["Opened"] | {"says": ""} == {
        "title": "Opened", "now": 41, "low": 10, "high": 10, "unit": "count", "where": "above", "says": "",
    }  # fmt: skip
    few = rows["Time to resolve"]
    assert (few["low"], few["high"], few["where"]) == (None, None, "too few cases"), "ten a week say little of a median"
    assert found.opens[0] == Opens("opened", TOLD, MONDAY)


def test_a_change_of_the_backlog_is_laid_to_those_who_had_it_at_the_end_of_the_week(engine):
    """What was resolved since then, before the digest is read, was open at that time."""
    later = {"resolved_at": MONDAY + 2 * HOUR, "state": "resolved"}
    put(engine, [*steady(), *storm(32), *storm(40, pair=2, **later)])
    row = next(row for row in panel(made(engine), "changes").rows if row["title"] == "Backlog")
    assert row["says"] == "Backlog: 72, above the usual 0. Most of it: Mail (+40)."


def test_a_usual_week_says_so(engine):
    put(engine, [*steady(), *storm(12, pair=2, state="resolved", resolved_at=TOLD + 5 * HOUR)])
    assert panel(made(engine), "changes").says == "Nothing was beyond the usual."


@pytest.mark.parametrize(("weeks", "silent"), [(7, True), (8, False)])
def test_before_eight_whole_weeks_it_is_silent_and_says_so(engine, weeks, silent):
    put(engine, [*steady(weeks), *storm(40)])
    found = panel(made(engine), "changes")
    assert found.says.startswith("What is usual takes 8 whole weeks" if silent else "Opened: 40, above")
    assert bool(found.rows) is not silent


def test_medians_and_promises_are_told_from_twenty_cases_on(engine):
    kept = {"resolution_due_at": MONDAY + WEEK}
    before = [each | kept for each in steady(each=25)]
    slow = storm(25, state="resolved", resolved_at=MONDAY - HOUR, resolution_due_at=TOLD)
    put(engine, [*before, *slow])
    assert panel(made(engine), "changes").says == (
        "Time to resolve: 6 d 11 h, above the usual 2 h. "
        "Fixed in time: 0.0 %, below the usual 100.0 %. Missed more than usual: Network › VPN (+25)."
    )


def test_the_numbers_are_those_of_trends_to_the_incident(engine):
    put(engine, [*steady(), *storm(32), *storm(9, pair=2)])
    told = made(engine)
    with reading(engine) as db:
        period = Period(TOLD, MONDAY, (TOLD - WEEK, TOLD))
        shown = report(db, LEAD, "overview", period, "UTC", Filters(), NOW)
    assert list(told.numbers) == list(shown.numbers)
    assert (told.start, told.end, told.as_of, told.zone) == (TOLD, MONDAY, NOW, "UTC")
    assert {number.key: number.before for number in told.numbers}["opened"] == 10


def test_the_worst_breaches_are_those_due_in_the_week_that_were_missed_by_most(engine):
    due = TOLD + 10 * HOUR
    ended = {"state": "resolved"}
    put(
        engine,
        [
            {"reported_at": TOLD, "resolution_due_at": due, "team_id": 1, "priority": 2},  # open: late until now
            {"reported_at": TOLD, "resolution_due_at": due, "resolved_at": due + 30 * HOUR} | ended,
            {"reported_at": TOLD, "resolution_due_at": due, "resolved_at": due} | ended,  # in time
            {"reported_at": TOLD - WEEK, "resolution_due_at": TOLD - HOUR},  # missed the week before
            {"reported_at": TOLD, "resolution_due_at": MONDAY + HOUR},  # falls due in this week
            {"reported_at": TOLD, "resolution_due_at": due, "state": "cancelled", "cancelled_at": due + 99 * HOUR},
            *(
                {"reported_at": TOLD, "resolution_due_at": due, "resolved_at": due + n * HOUR} | ended
                for n in range(1, 5)
            ),
        ],
    )
    found = panel(made(engine), "breaches")
    late = (NOW - due) / HOUR
    assert [(row["number"], row["late"], row["stands"]) for row in found.rows] == [
        ("INC-000001", late, "still open"), ("INC-000002", 30, "resolved"), ("INC-000010", 4, "resolved"),
        ("INC-000009", 3, "resolved"), ("INC-000008", 2, "resolved"),
    ]  # fmt: skip
    assert (found.rows[0]["team"], found.rows[0]["priority"]) == ("Net", "P2")
    assert found.says == "INC-000001 by 6 d 22 h, still open."


def test_who_counts_every_incident_but_may_open_few_reads_no_titles_of_others(engine):
    missed = {"reported_at": TOLD, "resolution_due_at": TOLD + HOUR}
    put(engine, [{**missed, "title": "Payroll leak"}, {**missed, "title": "My mouse", "reporter_id": 9}])
    for actor, titles in ((LEAD, {"Payroll leak", "My mouse"}), (ADMIN, {"Not open to you", "My mouse"})):
        assert {row["title"] for row in panel(made(engine, actor), "breaches").rows} == titles


def test_what_repeats_is_the_same_service_and_category_three_times_in_the_week(engine):
    put(engine, [*storm(3, service_id=1), *storm(2, pair=2, service_id=1), *steady(1)])
    found = panel(made(engine), "repeats")
    assert [(row["service"], row["name"], row["n"]) for row in found.rows] == [("VPN gateway", "Network › VPN", 3)]
    assert found.opens[0].filters == Filters(service_id=1, pair_id=1)


def test_a_restricted_incident_is_there_for_those_named_on_it_alone(engine):
    secret = {"restricted": True, "title": "Payroll leak", "assignee_id": 9, "resolution_due_at": TOLD + HOUR}
    put(engine, [*storm(3), *storm(1, **secret)])
    otto = Actor(9, "Otto", frozenset({"reporter", "lead"}))
    for actor, n, late in ((LEAD, 3, []), (otto, 4, ["Payroll leak"])):
        told = made(engine, actor)
        assert {number.key: number.value for number in told.numbers}["opened"] == n
        assert [row["title"] for row in panel(told, "breaches").rows] == late


def test_who_carries_more_than_their_share_of_twelve_weeks_is_named(engine):
    rota = Rota(engine)
    begins = NINE - 13 * WEEK
    order = ("Priya", "Priya", "Sam", "Devi")
    rota.make(rota.turning(*order, unit="day", start=begins.isoformat()), at=begins, name="Network")
    lena = rota.people["Lena"]
    found = panel(made(engine, lena, now=NINE), "load")
    assert found.says == "Nobody was paged."  # twice as often as the others is exactly one and a half times the share
    rota.make(rota.turning("Priya", unit="day", start=begins.isoformat()), at=begins, name="Servers")
    found = panel(made(engine, lena, now=NINE), "load")
    assert found.says == "Nobody was paged. Priya carries more than their share over 12 weeks."
    assert [row["name"] for row in found.rows] == ["Priya", "Sam", "Devi"]
    assert sum(row["hours"] for row in found.rows) == pytest.approx(2 * 168)


def test_who_was_paged_most_is_named_also_where_the_table_ends_before(engine, monkeypatch):
    rota = Rota(engine)
    rota.make(rota.turning("Priya", start=(TOLD - WEEK).isoformat()), at=TOLD - WEEK)
    rota.make(rota.turning("Sam", "Devi", unit="day", start=TOLD.isoformat()), at=TOLD, name="Servers")
    incident = rota.report()
    with writing(engine) as db:
        db.add_all(Page(incident_id=incident, person_id=rota.ids["Sam"], at=TOLD + n * HOUR) for n in range(3))
    lena, week_told = rota.people["Lena"], Period(TOLD, MONDAY, None)
    for module in (digest_lists, report_load):
        monkeypatch.setattr(module, "MOST_PEOPLE", 1)
    assert [row["name"] for row in panel(made(engine, lena), "load").rows] == ["Priya"]
    assert panel(made(engine, lena), "load").says.startswith("Most pages: Sam, 3.")
    with reading(engine) as db:
        shown = report(db, lena, "load", week_told, "UTC", Filters(), NOW)
    assert panel(shown, "on_call").says == "Most pages at night: Sam, 3."


def test_overdue_actions_of_postmortems_are_listed_the_oldest_first_with_whose_they_are(engine):
    put(engine, storm(2))
    assert panel(made(engine), "overdue_actions").says == "No action is overdue."
    with writing(engine) as db:
        for number, due in ((1, "2026-02-20"), (2, "2026-02-10")):
            incident = db.scalars(select(Incident).where(Incident.number == f"INC-{number:06}")).one()
            postmortem = Postmortem(incident_id=incident.id, state="draft", version=1, owner_id=9, made_at=TOLD)
            db.add(postmortem)
            db.flush()
            db.add(
                PostmortemAction(
                    postmortem_id=postmortem.id,
                    version=1,
                    text="Do it",
                    owner_id=9,
                    due_on=due,
                    made_at=TOLD,
                    made_by_id=9,
                )
            )
    found = panel(made(engine), "overdue_actions")
    assert found.says == "2 overdue; the oldest is Otto's, of INC-000002."
    assert [(row["number"], row["owner"], row["due"]) for row in found.rows] == [
        ("INC-000002", "Otto", date(2026, 2, 10)),
        ("INC-000001", "Otto", date(2026, 2, 20)),
    ]


def test_an_earlier_week_can_be_asked_for(engine):
    put(engine, steady(3))
    told = made(engine, monday=date(2026, 2, 9))
    assert (told.start, told.end) == (TOLD - 2 * WEEK, TOLD - WEEK)
    assert {number.key: number.value for number in told.numbers}["opened"] == 10


@pytest.mark.parametrize("roles", [set(), {"responder"}])
def test_who_may_not_read_trends_gets_no_digest(engine, roles):
    with pytest.raises(Forbidden):
        made(engine, Actor(5, "Rita", frozenset({"reporter", *roles})))


def test_before_the_first_report_it_is_empty_and_no_error(engine):
    told = made(engine)
    assert [number.value for number in told.numbers][:3] == [0, 0, 0]
    assert panel(told, "breaches").says == "No target was missed."
