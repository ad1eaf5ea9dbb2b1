"""Maintenance before the public: announced, begun, over; each told once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

import worker.status_page
from db.commands import maintenance, window_notices
from db.engine import reading, writing
from db.models import MaintenanceWindow
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY
from tests.db.public import Public, with_mail

DAY = timedelta(days=1)
TOMORROW = MONDAY + DAY
NIGHTS = [{"times": [{"start_time": "22:00", "end_time": "23:00"}], "location": "UTC"}]


@pytest.fixture
def public(engine, monkeypatch):
    with_mail(monkeypatch)
    made = Public(engine)
    made.subscribe("all@example.org")
    made.subscribe("shop@example.org", "Shop")
    return made


def plan(public, start=TOMORROW, end=TOMORROW + HOUR, recurring=None, published=True, at=MONDAY):
    with writing(public.engine) as db:
        window = maintenance.add(
            db, name="Secret disks", words="Secret reason", service_ids=[public.service], start=start, end=end,
            recurring=recurring, actor=public.people["Lena"], now=at,
        ).id  # fmt: skip
        if published:
            publish(db, public, window, at)
    return window


def publish(db, public, window, at=MONDAY, title="New disks", words="Mail rests.", by="Lena"):
    window_notices.publish(db, window, title=title, words=words, actor=public.people[by], now=at)


def version(public, window):
    with reading(public.engine) as db:
        return db.scalars(select(MaintenanceWindow.version).where(MaintenanceWindow.id == window)).one()


def news(public, at):
    """What is told at this moment, once however often the worker looks."""
    before = len(public.told())
    worker.status_page.tick(at, public.engine)
    worker.status_page.tick(at, public.engine)
    return [subject.removeprefix("[Our status] ") for _, subject in public.told()[before:]]


def planned(public, at):
    board = public.board(at)
    return [(each.title, each.state, each.start, each.end) for each in (*board.maintenance, *board.completed)]


def test_a_window_is_announced_begins_and_is_over(public):
    plan(public)
    assert public.told() == [("all@example.org", "[Our status] New disks: Scheduled")]
    body = public.mails()[-1].payload["body"]
    assert "Mail rests.\n\nTue 3 Mar 2026, 09:00 – 10:00\nTimes are UTC.\n\nIt concerns Mail." in body
    assert "Secret" not in body
    assert planned(public, MONDAY) == [("New disks", "scheduled", TOMORROW, TOMORROW + HOUR)]
    assert public.states()["Mail"] == "operational"
    assert news(public, TOMORROW - HOUR) == []
    assert news(public, TOMORROW) == ["New disks: In progress"]
    during = TOMORROW + timedelta(minutes=30)
    assert planned(public, during) == [("New disks", "in_progress", TOMORROW, TOMORROW + HOUR)]
    assert public.states(during) == {"Mail": "maintenance", "Portal": "operational", "Shop": "operational"}
    assert news(public, during) == []
    assert news(public, TOMORROW + HOUR) == ["New disks: Completed"]
    assert planned(public, TOMORROW + 2 * HOUR) == [("New disks", "completed", TOMORROW, TOMORROW + HOUR)]
    assert news(public, TOMORROW + DAY) == []
    assert public.board(TOMORROW + DAY).components[0].history.uptime == 1, "maintenance is no outage"


def test_an_outage_shows_over_maintenance(public):
    plan(public)
    public.update(public.report(), states={"Mail": "major"})
    assert public.states(TOMORROW)["Mail"] == "major"


def test_what_lasts_when_it_is_published_is_told_once(public):
    plan(public, MONDAY, MONDAY + HOUR)
    assert public.told() == [("all@example.org", "[Our status] New disks: In progress")]
    assert news(public, MONDAY + timedelta(minutes=1)) == []


def test_every_night_is_told(public):
    plan(public, MONDAY, MONDAY + 3 * DAY, NIGHTS)
    night = datetime.combine(MONDAY.date(), datetime.min.time(), MONDAY.tzinfo) + 22 * HOUR
    for _ in range(2):
        assert news(public, night) == ["New disks: In progress"]
        assert news(public, night + HOUR) == ["New disks: Completed"]
        night += DAY
    assert planned(public, night)[0][1:3] == ("in_progress", night)
    assert [each[1] for each in planned(public, night - HOUR)] == ["scheduled", "completed", "completed"]


def test_a_worker_that_was_away_tells_what_lasts_now(public):
    plan(public, MONDAY, MONDAY + 3 * DAY, NIGHTS)
    night = MONDAY.replace(hour=22)
    assert news(public, night) == ["New disks: In progress"]
    assert news(public, night + DAY) == ["New disks: In progress"]
    assert news(public, night + 5 * DAY) == ["New disks: Completed"]
    assert news(public, night + 6 * DAY) == []


def test_other_times_and_the_end_of_it_are_told(public):
    window = plan(public)
    given = {"name": "Secret disks", "service_ids": [public.service], "actor": public.people["Lena"], "now": MONDAY}
    with writing(public.engine) as db:
        maintenance.change(db, window, None, start=TOMORROW + HOUR, end=TOMORROW + 2 * HOUR, **given)
    assert public.told()[-1][1].endswith("New disks: Rescheduled")
    before = len(public.told())
    with writing(public.engine) as db:
        maintenance.change(
            db, window, None, start=TOMORROW + HOUR, end=TOMORROW + 2 * HOUR, **given | {"words": "More secrets"}
        )
    assert len(public.told()) == before, "only its times concern the public"
    with writing(public.engine) as db:
        maintenance.cancel(db, window, None, actor=public.people["Lena"], now=MONDAY)
    assert planned(public, MONDAY) == []
    assert news(public, MONDAY) == ["New disks: Cancelled"]


def test_one_that_is_ended_early_is_over_and_a_recurring_one_goes_on(public):
    window = plan(public, MONDAY, MONDAY + 3 * DAY, NIGHTS)
    night = MONDAY.replace(hour=22)
    assert news(public, night) == ["New disks: In progress"]
    early = night + timedelta(minutes=20)
    with writing(public.engine) as db:
        maintenance.end_occurrence(db, window, None, actor=public.people["Lena"], now=early)
    assert news(public, early) == ["New disks: Completed"]
    assert [each[1] for each in planned(public, early + HOUR)] == ["scheduled", "completed"]
    assert news(public, night + DAY) == ["New disks: In progress"]


def test_what_is_taken_off_the_page_is_told_no_more_and_can_come_back(public):
    window = plan(public)
    with writing(public.engine) as db:
        window_notices.withdraw(db, window, actor=public.people["Lena"], now=MONDAY)
    assert planned(public, MONDAY) == []
    assert news(public, TOMORROW) == []
    with writing(public.engine) as db:
        publish(db, public, window, TOMORROW, title="Disks at last")
        publish(db, public, window, TOMORROW, title="Disks, at last")
    assert public.told()[-1][1].endswith("Disks at last: In progress")
    assert [each[0] for each in planned(public, TOMORROW)] == ["Disks, at last"]


def test_nobody_sees_what_was_not_published(public):
    plan(public, published=False)
    assert (planned(public, TOMORROW), news(public, TOMORROW), public.told()) == ([], [], [])
    assert public.states(TOMORROW)["Mail"] == "operational"


def test_it_takes_a_title_the_right_and_something_to_announce(public):
    window = plan(public, published=False)
    with pytest.raises(RuleError) as refused, writing(public.engine) as db:
        publish(db, public, window, title=" ", words="x" * 2000)
    assert set(refused.value.fields) == {"public_words"}
    with pytest.raises(RuleError) as refused, writing(public.engine) as db:
        publish(db, public, window, title=" ")
    assert set(refused.value.fields) == {"public_title"}
    with pytest.raises(Forbidden), writing(public.engine) as db:
        publish(db, public, window, by="Priya")
    with pytest.raises(Forbidden), writing(public.engine) as db:
        window_notices.withdraw(db, window, actor=public.people["Priya"], now=MONDAY)
    with pytest.raises(RuleError, match="over"), writing(public.engine) as db:
        publish(db, public, window, TOMORROW + DAY)
