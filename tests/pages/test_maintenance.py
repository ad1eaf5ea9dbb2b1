"""Maintenance as people plan it: once or on weekdays, with the next times before it is saved; ended, cancelled."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from db.commands import maintenance
from db.engine import reading, writing
from db.models import Incident, MaintenanceWindow, Service
from db.queries import maintenance_windows as queries
from pages.parts import session
from rules.weekly import Weekly
from tests.pages.conftest import seen

PAGE = "responders/maintenance.py"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""a Monday; the reader of a test has UTC"""
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = sqlite


@pytest.fixture
def at_noon(desk, monkeypatch):
    """The page's clock, which a test can set."""
    clock = {"now": NOON}
    monkeypatch.setattr(session, "now", lambda: clock["now"])
    with reading(desk.engine) as db:
        desk.mail, desk.printing = db.scalars(select(Service.id).order_by(Service.id))
    return clock


def plan(desk, name, start, end, recurring=None, by="Lena"):
    with writing(desk.engine) as db:
        given = {"name": name, "service_ids": [desk.mail], "start": start, "end": end, "recurring": recurring}
        return maintenance.add(db, **given, actor=desk.actors[by], now=NOON).id


def button(at, label):
    return next(found for found in at.button if found.label == label)


def field(at, kind, key):
    return next(found for found in getattr(at, kind) if str(found.key).endswith(f".{key}"))


def windows(desk):
    with reading(desk.engine) as db:
        return list(db.scalars(select(MaintenanceWindow).order_by(MaintenanceWindow.id)))


def test_a_lead_plans_it_once_and_sees_when(desk, opened, at_noon):
    at = button(opened(PAGE, "Lena"), "Plan maintenance").click().run()
    assert "Mon 1 Jun 2026, 13:00 – 15:00, 2 h" in seen(at).replace("\\", "")
    field(at, "datetime_input", "start").set_value(datetime(2026, 6, 2, 20))
    field(at, "datetime_input", "end").set_value(datetime(2026, 6, 3, 1, 30))
    at.run()
    assert "Tue 2 Jun 2026, 20:00 – Wed 01:30, 5 h 30 min" in seen(at).replace("\\", "")
    field(at, "text_input", "name").set_value("New *disks*")
    field(at, "multiselect", "service_ids").set_value([desk.mail])
    at = button(at, "Plan it").click().run()
    assert not at.exception
    assert "disks\\* is planned" in seen(at)
    [made] = windows(desk)
    assert (made.name, made.starts_at, made.ends_at) == (
        "New *disks*",
        datetime(2026, 6, 2, 20, tzinfo=UTC),
        datetime(2026, 6, 3, 1, 30, tzinfo=UTC),
    )
    assert made.recurring is None


def test_on_weekdays_the_next_five_are_shown_and_it_is_kept_as_said(desk, opened, at_noon):
    at = opened(PAGE, "Dora", id="new")
    field(at, "segmented_control", "way").set_value("weekly").run()
    field(at, "button_group", "weekdays").set_value([0, 3])
    field(at, "time_input", "opens").set_value(time(22))
    field(at, "time_input", "shuts").set_value(time(4))
    field(at, "date_input", "last").set_value(date(2026, 6, 30))
    field(at, "selectbox", "zone").set_value("Europe/Berlin")
    at.run()
    told = seen(at).replace("\\", "")
    assert "Mon 1 Jun 2026, 20:00 – Tue 02:00, 6 h" in told  # Berlin is two hours ahead of the reader
    assert told.count(", 6 h") == 5
    assert "And so on, until" in told
    assert "It runs past midnight" in told
    field(at, "text_input", "name").set_value("Night runs")
    field(at, "multiselect", "service_ids").set_value([desk.mail, desk.printing])
    assert not button(at, "Plan it").click().run().exception
    [made] = windows(desk)
    assert made.recurring == Weekly((0, 3), "22:00", "04:00", "Europe/Berlin").intervals()
    at = opened(PAGE, "Dora", id=str(made.id))
    assert field(at, "button_group", "weekdays").value == [0, 3]
    assert field(at, "date_input", "last").value == date(2026, 6, 30)
    assert "Mon, Thu 22:00–04:00, Europe/Berlin" in seen(opened(PAGE, "Priya", id=str(made.id)))


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(desk, opened, at_noon):
    at = opened(PAGE, "Lena", id="new")
    field(at, "text_input", "name").set_value("New disks")
    field(at, "datetime_input", "end").set_value(datetime(2026, 6, 1, 12, 30))
    at = button(at, "Plan it").click().run()
    told = seen(at)
    assert "Nothing was saved yet" in told
    assert told.count("Choose at least one service") == 2, "in the summary and at its field"
    assert told.count("ends before it begins") == 2
    assert field(at, "text_input", "name").value == "New disks"
    field(at, "segmented_control", "way").set_value("weekly").run()
    at = button(at, "Plan it").click().run()
    assert "Choose at least one weekday" in seen(at)
    assert windows(desk) == []


def test_an_overlap_is_told_and_allowed(desk, opened, at_noon):
    plan(desk, "First", NOON + HOUR, NOON + 2 * HOUR)
    at = opened(PAGE, "Lena", id="new")
    assert "covers" not in seen(at)
    field(at, "multiselect", "service_ids").set_value([desk.mail]).run()
    assert "**First** covers E\\-mail too" in seen(at)
    field(at, "text_input", "name").set_value("Second")
    at = button(at, "Plan it").click().run()
    assert "These cover some of its services at the same time: First" in seen(at).replace("\\", "")
    assert len(windows(desk)) == 2


def test_two_who_change_it_at_once_the_second_is_told(desk, opened, at_noon):
    window = plan(desk, "New disks", NOON + HOUR, NOON + 2 * HOUR)
    at = opened(PAGE, "Lena", id=str(window))
    with writing(desk.engine) as db:
        given = {"name": "Newer", "service_ids": [desk.mail], "start": NOON + HOUR, "end": NOON + 3 * HOUR}
        maintenance.change(db, window, 1, **given, actor=desk.actors["Dora"], now=NOON)
    field(at, "text_input", "name").set_value("Mine")
    assert not at.exception
    at = button(at, "Save").click().run()
    assert "Somebody changed it meanwhile" in seen(at)
    assert windows(desk)[0].name == "Newer"


def test_what_lasts_ends_now_and_what_is_to_come_is_cancelled(desk, opened, at_noon):
    window, later = plan(desk, "Now", NOON, NOON + 2 * HOUR), plan(desk, "Later", NOON + DAY, NOON + 2 * DAY)
    nights = Weekly((0, 1), "22:00", "04:00", "UTC")
    recurs = plan(desk, "Nights", *nights.bounds(date(2026, 6, 1), date(2026, 6, 9)), nights.intervals())
    at_noon["now"] = NOON + HOUR
    at = opened(PAGE, "Lena")
    assert [found.value for found in at.header] == ["Running", "Upcoming"]
    at = opened(PAGE, "Lena", id=str(window))
    assert not at.exception
    assert field(at, "datetime_input", "start").disabled
    at = button(at, "End now").click().run()
    assert "Now has ended" in seen(at)
    at = button(opened(PAGE, "Lena", id=str(later)), "Cancel it").click().run()
    assert "Later is cancelled" in seen(at)
    at_noon["now"] = NOON + 11 * HOUR
    at = opened(PAGE, "Lena", id=str(recurs))
    assert not at.exception
    assert {"End now", "End for good"} <= {found.label for found in at.button}
    button(at, "End now").click().run()
    assert len(windows(desk)) == 4, "the next nights come as planned"
    with reading(desk.engine) as db:
        running, to_come = queries.current(db, desk.actors["Priya"], at_noon["now"])
    assert (running, [one.name for one in to_come]) == ([], ["Nights"])
    at = opened(PAGE, "Lena", id=str(window))
    assert "End now" not in [found.label for found in at.button], "what is over is only shown"
    assert not at.text_input


def test_who_works_looks_and_who_reports_does_not(desk, opened, at_noon):
    window = plan(desk, "New disks", NOON, NOON + 2 * HOUR)
    at = opened(PAGE, "Priya", id=str(window))
    assert "E\\-mail" in seen(at)
    assert [found.label for found in at.button] == ["All maintenance"]
    assert "Plan maintenance" not in [found.label for found in opened(PAGE, "Priya").button]
    for name in ("Rita", "Max"):
        assert "not open to you" in seen(opened(PAGE, name, id=str(window)))
    assert not opened(PAGE, "Lena", id="99").exception, "there is no such maintenance"


def test_an_incident_says_that_its_service_is_under_maintenance(desk, opened, at_noon):
    number = desk.report("Rita", "Mail is slow", minutes_ago=5)
    with writing(desk.engine) as db:
        db.get_one(Incident, desk.id_of(number)).service_id = desk.mail
    hint = "under maintenance until 14:00"
    assert hint not in seen(opened("responders/incident.py", "Priya", number=number))
    plan(desk, "New [disks]", NOON, NOON + 2 * HOUR)
    for page, who in (("responders/incident.py", "Priya"), ("leads/triage.py", "Lena")):
        told = seen(opened(page, who, number=number))
        assert hint in told
        assert "New \\[disks\\]" in told
    desk.do(number, "cancel", "Dora", reason="By mistake.")
    assert hint not in seen(opened("responders/incident.py", "Priya", number=number))
