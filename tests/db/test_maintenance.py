"""Maintenance is planned: always with an end, by those who may, each change kept in the audit."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import maintenance
from db.engine import reading, writing
from db.models import AuditEntry, MaintenanceWindow, Service
from db.queries import maintenance_windows as queries
from db.queries.maintenance import covers
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from rules.weekly import Weekly
from tests.db.office import DAY, HOUR, MONDAY, Office

NIGHTS = Weekly((0, 1, 2, 3, 4), "22:00", "04:00", "UTC")
WEEK = {"recurring": NIGHTS.intervals(), "start": MONDAY, "end": MONDAY + 11 * DAY}


@pytest.fixture
def office(engine):
    made = Office(engine)
    with writing(engine) as db:
        service = Service(name="Printing", impact=3)
        db.add(service)
        db.flush()
        made.printing = service.id
    return made


def plan(office, by="Lena", now=MONDAY, **more):
    given = {"name": "New disks", "service_ids": [office.service], "start": MONDAY + HOUR, "end": MONDAY + 3 * HOUR}
    with writing(office.engine) as db:
        return maintenance.add(db, **given | more, actor=office.people[by], now=now)


def change(office, window, version=1, by="Lena", now=MONDAY, **more):
    given = {"name": "New disks", "service_ids": [office.service], "start": MONDAY + HOUR, "end": MONDAY + 3 * HOUR}
    with writing(office.engine) as db:
        return maintenance.change(db, window, version, **given | more, actor=office.people[by], now=now)


def cancel(office, window, version=1, by="Lena", now=MONDAY):
    with writing(office.engine) as db:
        maintenance.cancel(db, window, version, actor=office.people[by], now=now)


def end_occurrence(office, window, now, version=1):
    with writing(office.engine) as db:
        return maintenance.end_occurrence(db, window, version, actor=office.people["Dora"], now=now)


def row(office, window):
    with reading(office.engine) as db:
        return db.get_one(MaintenanceWindow, window)


def quiet(office, *moments, service=None):
    with reading(office.engine) as db:
        return [covers(db, service or office.service, moment) is not None for moment in moments]


def shown(office, now, by="Priya", **more):
    """(running, to come, past) by name."""
    with reading(office.engine) as db:
        actor = office.people[by]
        running, to_come = queries.current(db, actor, now, **more)
        past, total = queries.past(db, actor, now, **more)
        assert total == len(past)
    return tuple([one.name for one in part] for part in (running, to_come, past))


def audited(office):
    with reading(office.engine) as db:
        return [(entry.action, entry.actor_name) for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_a_window_is_quiet_from_its_start_to_its_end_and_for_its_services_only(office):
    plan(office)
    tick = timedelta.resolution
    moments = [MONDAY + HOUR - tick, MONDAY + HOUR, MONDAY + 3 * HOUR - tick, MONDAY + 3 * HOUR]
    assert quiet(office, *moments) == [False, True, True, False]
    assert quiet(office, *moments, service=office.printing) == [False] * 4


def test_a_recurring_one_is_quiet_only_while_it_recurs(office):
    plan(office, **WEEK)
    night = MONDAY + 13 * HOUR
    assert quiet(office, MONDAY, night - HOUR, night, night + 6 * HOUR - timedelta.resolution, night + 6 * HOUR) == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert quiet(office, night + 4 * DAY, night + 5 * DAY, night + 7 * DAY) == [True, False, True]


def test_who_plans_and_who_may_only_look(office):
    for name in ("Lena", "Dora", "Ada"):
        plan(office, name, name=f"By {name}")
    window = plan(office).id
    for name in ("Rita", "Priya", "Max"):
        with pytest.raises(Forbidden):
            plan(office, name, name="Mine")
        for attempt in (change, cancel):
            with pytest.raises(Forbidden):
                attempt(office, window, by=name)
    assert len(shown(office, MONDAY, "Priya")[1]) == len(shown(office, MONDAY, "Ada")[1]) == 4
    for name in ("Rita", "Max"):
        with pytest.raises(Forbidden):
            shown(office, MONDAY, name)
        with reading(office.engine) as db:
            assert queries.running(db, office.people[name], office.service, MONDAY + 2 * HOUR) is None


WRONG = [
    ({"name": " "}, {"name"}),
    ({"name": "x" * 121, "words": "x" * 1001}, {"name", "words"}),
    ({"service_ids": []}, {"service_ids"}),
    ({"service_ids": [999]}, {"service_ids"}),
    ({"end": MONDAY + HOUR}, {"end"}),
    ({"end": None}, {"end"}),
    ({"start": None}, {"start"}),
    ({"start": MONDAY.replace(tzinfo=None)}, {"start"}),
    ({"start": MONDAY - 2 * DAY, "end": MONDAY}, {"end"}),
    ({"end": MONDAY + 367 * DAY}, {"end"}),
    ({"recurring": [{"weekdays": ["someday"]}]}, {"weekdays"}),
    ({"recurring": NIGHTS.intervals(), "end": MONDAY + 5 * HOUR}, {"recurring"}),
]


def test_what_cannot_be_is_said_with_its_field_and_nothing_is_kept(office):
    for given, fields in WRONG:
        with pytest.raises(RuleError) as refused:
            plan(office, **given)
        assert set(refused.value.fields) == fields, given
    assert shown(office, MONDAY) == ([], [], [])
    assert audited(office) == []


def test_an_archived_service_is_refused_unless_it_was_covered_before(office):
    window = plan(office).id
    with writing(office.engine) as db:
        db.execute(update(Service).values(archived_at=MONDAY))
    with pytest.raises(RuleError, match="from the list"):
        plan(office, name="Another")
    assert change(office, window, words="It takes a while.").id == window


def test_a_start_that_is_past_is_now(office):
    window = plan(office, start=MONDAY - DAY).id
    assert row(office, window).starts_at == MONDAY


def test_the_same_again_is_the_one_that_is_there(office):
    assert plan(office).id == plan(office, name="new disks", now=MONDAY + timedelta(seconds=2)).id
    assert plan(office, start=MONDAY - HOUR, name="At once").id == plan(
        office, start=MONDAY - HOUR, name="At once", now=MONDAY + timedelta(seconds=2)
    ).id  # fmt: skip
    assert plan(office, **WEEK).id == plan(office, **WEEK).id != plan(office).id
    assert audited(office) == [("maintenance added", "Lena")] * 3


def test_a_change_keeps_what_it_was_in_the_audit_and_needs_the_version_it_saw(office):
    window = plan(office).id
    saved = change(office, window, name="Newer disks", service_ids=[office.printing, office.service, office.printing])
    assert saved.id == window
    assert row(office, window).version == 2
    assert quiet(office, MONDAY + 2 * HOUR, service=office.printing) == [True]
    with pytest.raises(RuleError, match="meanwhile"):
        change(office, window, version=1, name="Mine")
    with pytest.raises(RuleError, match="meanwhile"):
        cancel(office, window, version=1)
    with reading(office.engine) as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "maintenance changed")).one()
    assert (entry.before["name"], entry.after["name"]) == ("New disks", "Newer disks")
    assert entry.before["services"] == [office.service]
    assert entry.after["services"] == sorted([office.service, office.printing])
    change(office, window, 2, name="Newer disks", service_ids=[office.service, office.printing])
    assert row(office, window).version == 2, "nothing changed"
    change(office, window, 2, service_ids=[office.printing])
    assert quiet(office, MONDAY + 2 * HOUR) == [False]


def test_once_becomes_recurring_and_back(office):
    window = plan(office).id
    change(office, window, **WEEK)
    assert row(office, window).recurring == NIGHTS.intervals()
    change(office, window, 2)
    assert row(office, window).recurring is None
    assert quiet(office, MONDAY + 2 * HOUR, MONDAY + 14 * HOUR) == [True, False]


def test_the_start_of_what_has_begun_stays_and_what_is_over_is_not_changed(office):
    window = plan(office).id
    during, after = MONDAY + 2 * HOUR, MONDAY + 4 * HOUR
    change(office, window, start=during + DAY, end=during + 2 * DAY, now=during)
    assert row(office, window).starts_at == MONDAY + HOUR
    change(office, window, 2, end=MONDAY + 3 * HOUR, now=during)
    for attempt in (change, cancel):
        with pytest.raises(RuleError, match="It is over"):
            attempt(office, window, 3, now=after)
        with pytest.raises(NotFound):
            attempt(office, 999)


def test_cancelled_before_it_begins_it_never_begins(office):
    window = plan(office).id
    cancel(office, window)
    assert quiet(office, MONDAY + 2 * HOUR) == [False]
    assert row(office, window).cancelled_at == MONDAY
    assert shown(office, MONDAY) == ([], [], ["New disks"])
    assert audited(office)[-1] == ("maintenance cancelled", "Lena")
    assert plan(office).id != window, "what was cancelled can be planned again"


def test_cancelled_while_it_lasts_it_ends_now(office):
    window = plan(office).id
    cancel(office, window, now=MONDAY + 2 * HOUR)
    assert quiet(office, MONDAY + HOUR, MONDAY + 2 * HOUR) == [True, False]
    kept = row(office, window)
    assert (kept.cancelled_at, kept.ends_at) == (None, MONDAY + 2 * HOUR)
    assert audited(office)[-1] == ("maintenance ended", "Lena")


def test_one_night_ends_early_and_the_next_come_as_planned(office):
    window = plan(office, **WEEK).id
    night = MONDAY + 13 * HOUR
    rest = end_occurrence(office, window, night + HOUR)
    assert quiet(office, night, night + HOUR, night + 5 * HOUR, night + DAY) == [True, False, False, True]
    assert rest != window
    assert row(office, rest).ends_at == MONDAY + 11 * DAY
    with pytest.raises(RuleError, match="does not last just now"):
        end_occurrence(office, rest, night + 12 * HOUR)
    assert end_occurrence(office, plan(office).id, MONDAY + 2 * HOUR) is None, "what is once does not go on"


def test_running_to_come_and_past_each_in_their_order(office):
    plan(office, name="Second", start=MONDAY + 2 * HOUR, end=MONDAY + 9 * HOUR)
    plan(office, name="First", end=MONDAY + 20 * HOUR)
    plan(office, name="Nights", service_ids=[office.printing], **WEEK)
    plan(office, name="Later", start=MONDAY + DAY, end=MONDAY + 2 * DAY)
    assert shown(office, MONDAY) == ([], ["First", "Second", "Nights", "Later"], [])
    assert shown(office, MONDAY + 2 * HOUR) == (["Second", "First"], ["Nights", "Later"], [])
    assert shown(office, MONDAY + 14 * HOUR) == (["Nights", "First"], ["Later"], ["Second"])
    assert shown(office, MONDAY + 14 * HOUR, service_id=office.printing) == (["Nights"], [], [])
    assert shown(office, MONDAY + 30 * DAY) == ([], [], ["Nights", "Later", "First", "Second"])
    with reading(office.engine) as db:
        found = queries.running(db, office.people["Priya"], office.printing, MONDAY + 14 * HOUR)
        assert (found.name, found.until) == ("Nights", MONDAY + 19 * HOUR)
        assert queries.running(db, office.people["Priya"], None, MONDAY) is None
        one = queries.one(db, office.people["Priya"], found.id, MONDAY)
        assert (one.services, one.created_by, one.until) == ({office.printing: "Printing"}, "Lena", None)
        assert one.next == (MONDAY + 13 * HOUR, MONDAY + 19 * HOUR)
        with pytest.raises(NotFound):
            queries.one(db, office.people["Priya"], 999, MONDAY)


def test_windows_may_overlap_and_it_is_told(office):
    assert plan(office, service_ids=[office.service, office.printing], **WEEK).overlaps == []
    assert plan(office).overlaps == [], "the nights begin later"
    late = plan(office, name="Update", start=MONDAY + 12 * HOUR, end=MONDAY + 14 * HOUR)
    [other] = late.overlaps
    assert (other.name, other.services) == ("New disks", ["E-mail"])
    assert other.first == (MONDAY + 13 * HOUR, MONDAY + 14 * HOUR)
    cancel(office, late.id)
    assert plan(office, name="Again", start=MONDAY + 12 * HOUR, end=MONDAY + 13 * HOUR).overlaps == []
