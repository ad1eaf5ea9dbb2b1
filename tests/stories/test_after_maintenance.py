"""Maintenance is over: what it stopped asks again, what it held back is told, each once and whatever happens."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from db.commands import maintenance
from db.engine import reading, writing
from db.models import Integration, Service, TimelineEntry
from db.queries import maintenance as queries
from tests.db.test_plans import plans
from tests.stories.test_escalation import FIX, MINUTE, NOW
from tests.stories.watched import Watched


@pytest.fixture
def desk(engine):
    return Watched(engine)


def test_what_it_stopped_asks_again_from_the_first_step_when_it_is_over(desk):
    desk.window(2, 60)
    desk.say(0, "a")
    [incident] = desk.found()
    desk.work(2)
    desk.say(10, "a")
    for minutes in (5, 30, 59.99):
        desk.work(minutes)
    assert (desk.paged(incident.id), desk.state(incident.id)) == ([("Priya", 0)], "maintenance")
    desk.work(60)
    desk.work(60)
    assert desk.paged(incident.id) == [("Priya", 0), ("Priya", 60)]
    desk.work(65)
    assert desk.paged(incident.id)[2:] == [("Devi", 65)]
    assert desk.sent[-2:] == [("Priya", 60), ("Devi", 65)]
    assert "began to page again: the maintenance is over" in desk.told(incident.id)


def test_what_somebody_answered_meanwhile_asks_nobody_again(desk):
    desk.window(2, 60)
    desk.say(0, *"abcd")
    taken, fixed, held, handed = [incident.id for incident in desk.found()]
    desk.work(2)
    desk.perform(taken, "acknowledge", "Priya", NOW + 3 * MINUTE)
    desk.perform(fixed, "resolve", "Priya", NOW + 4 * MINUTE, **FIX)
    desk.perform(held, "accept", "Lena", NOW + 5 * MINUTE)
    desk.perform(held, "hold", "Lena", NOW + 5 * MINUTE, hold_reason="vendor", hold_until=NOW + 900 * MINUTE)
    desk.perform(handed, "accept", "Lena", NOW + 6 * MINUTE, team_id=desk.teams["Servers"])
    before = [desk.state(number) for number in (taken, fixed, held)]
    assert before == ["acknowledged", "resolved", "held"]
    asked = desk.pages()
    desk.comment(taken, "At it.", "Priya", NOW + 40 * MINUTE, public=False)
    desk.work(60)
    desk.perform(taken, "assign", "Priya", NOW + 61 * MINUTE, team_id=desk.teams["Network"])
    desk.work(62)
    assert desk.pages() == asked


def test_what_was_taken_and_is_left_alone_is_asked_about_when_it_is_over(desk):
    desk.window(10, 70)
    desk.say(0, "a")
    [incident] = desk.found()
    desk.perform(incident.id, "acknowledge", "Devi", NOW + MINUTE)
    for minutes in (10, 31, 61):
        desk.work(minutes)
    assert desk.paged(incident.id) == [("Priya", 0)]
    desk.work(91)
    assert desk.paged(incident.id)[1:] == [("Devi", 91)]


def test_an_alert_that_fired_only_meanwhile_makes_its_incident_when_it_is_over(desk):
    desk.window(0, 60)
    links = (("Graph", "https://grafana.example/d/1"),)
    assert desk.say(5, "a", "b", description="Since the move.", links=links) == {"maintenance": 2}
    desk.say(6, "b", status="resolved")
    desk.work(59.99)
    assert desk.found() == []
    desk.work(60)
    desk.work(61)
    [incident] = desk.found()
    assert (incident.title, incident.priority, incident.started_at) == ("Trouble with a", 1, NOW + 5 * MINUTE)
    assert incident.description == "Since the move.\n\nGraph: https://grafana.example/d/1"
    assert desk.paged(incident.id) == [("Priya", 60)]
    told = [entry.text for entry in desk.timeline(incident.id) if entry.kind == "alert"]
    assert told == ["fired during maintenance, since 2026-03-02 10:05 UTC, and fires on after it"]
    assert desk.say(62, "a") == {"counted": 1}
    assert [(alert.dedup_key, alert.incident_id, alert.held_at) for alert in desk.kept()] == [
        ("a", incident.id, None),
        ("b", None, None),
    ]


def test_what_fires_anew_before_the_worker_looks_is_told_once(desk):
    desk.window(0, 60)
    desk.say(5, "a")
    assert desk.say(60, "a") == {"opened": 1}
    desk.work(61)
    assert len(desk.found()) == 1
    assert desk.pages() == 1


def test_what_was_resolved_and_fired_again_meanwhile_reopens_when_it_is_over(desk):
    desk.say(-20, "a", "b")
    first, second = desk.found()
    desk.say(-19, "a", "b", status="resolved")
    desk.window(0, 60)
    assert desk.say(5, "a", "b") == {"maintenance": 2}
    desk.perform(second.id, "close", "Dora", NOW + 6 * MINUTE, verification="not_needed", verification_note="Known.")
    desk.work(60)
    assert desk.incident(first.id).state == "new"
    assert desk.paged(first.id)[1:] == [("Priya", 60)]
    *_, anew = desk.found()
    assert anew.id not in (first.id, second.id)
    assert desk.paged(anew.id) == [("Priya", 60)]


def test_what_gets_worse_meanwhile_pages_when_it_is_over_and_not_before(desk):
    desk.window(2, 60)
    desk.say(0, "a", "b", severity="warning")
    worse, calm = desk.found()
    desk.work(2)
    desk.say(5, "a", "b", severity="critical")
    desk.say(6, "b", severity="warning", status="resolved")
    desk.work(7)
    assert (desk.paged(worse.id), desk.incident(worse.id).priority) == ([("Priya", 0)], 3)
    desk.work(60)
    assert (desk.paged(worse.id), desk.incident(worse.id).priority) == ([("Priya", 0), ("Priya", 60)], 1)
    assert (len(desk.paged(calm.id)), desk.incident(calm.id).state) == (1, "recovered")


def test_only_when_no_other_window_covers_the_service(desk):
    desk.window(2, 60)
    desk.window(30, 90, name="New switches")
    desk.say(0, "a")
    desk.work(2)
    desk.say(5, "b")
    for minutes in (30, 60, 89):
        desk.work(minutes)
    assert desk.pages() == 1
    desk.work(90)
    first, second = desk.found()
    assert (desk.paged(first.id)[1:], desk.paged(second.id)) == ([("Priya", 90)], [("Priya", 90)])


@pytest.mark.parametrize("how", ["cancelled", "shortened", "moved to another service"])
def test_a_window_that_is_over_before_its_time_counts_at_once(desk, how):
    window = desk.window(2, 600)
    desk.say(0, "a")
    desk.work(2)
    desk.say(5, "b")
    now, lena = NOW + 10 * MINUTE, desk.people["Lena"]
    with writing(desk.engine) as db:
        if how == "cancelled":
            maintenance.cancel(db, window, None, actor=lena, now=now)
        else:
            other = db.get_one(Service, desk.service)
            extra = Service(name="Files", impact=2, team_id=other.team_id)
            db.add(extra)
            db.flush()
            end = NOW + (20 if how == "shortened" else 600) * MINUTE
            services = [desk.service if how == "shortened" else extra.id]
            maintenance.change(
                db, window, None, name="New disks", service_ids=services, start=NOW, end=end, actor=lena, now=now
            )
    at = 20 if how == "shortened" else 10
    desk.work(19.9 if how == "shortened" else 10)
    desk.work(at)
    first, second = desk.found()
    assert (desk.paged(first.id)[1:], desk.paged(second.id)) == ([("Priya", at)], [("Priya", at)])


def test_after_an_outage_over_the_end_it_is_told_late_and_once(desk):
    desk.window(2, 60)
    desk.say(0, "a")
    desk.work(2)
    desk.say(5, "b")
    desk.work(600)
    desk.work(601)
    assert [desk.paged(incident.id)[-1] for incident in desk.found()] == [("Priya", 600)] * 2
    assert desk.pages() == 3


def test_the_storm_and_the_group_hold_when_all_is_told_at_once(desk, monkeypatch):
    monkeypatch.setattr("db.commands.alerts.RELEASED_AT_ONCE", 10)
    desk.window(0, 60)
    with writing(desk.engine) as db:
        row = db.get_one(Integration, desk.integration)
        row.storm_limit, row.grouping = 20, "group"
    desk.say(1, *[f"one-{number}" for number in range(8)], group_key="g")
    desk.work(60)
    [grouped] = desk.found()
    assert desk.paged(grouped.id) == [("Priya", 60)]
    desk.window(100, 160)
    desk.say(101, *[f"many-{number}" for number in range(45)])
    desk.work(160)
    _, storm = desk.found()
    assert storm.title == "Storm of alerts from Prometheus"
    assert desk.paged(storm.id) == [("Priya", 160)]
    assert {alert.incident_id for alert in desk.kept()} == {grouped.id, storm.id}


def test_several_workers_and_one_that_is_killed_tell_it_once(desk, monkeypatch):
    desk.window(2, 60)
    desk.say(0, "a", "b")
    desk.work(2)
    desk.say(5, "c", "d")

    class Killed(BaseException):
        pass

    def die(*_args, **_more):
        raise Killed

    for place in ("db.commands.alert_places.detecting.detect", "db.commands.escalation.start"):
        with monkeypatch.context() as patched:
            patched.setattr(place, die)
            with pytest.raises(Killed):
                desk.work(60)
    together = threading.Barrier(3)

    def work(_number):
        together.wait(60)
        desk.work(61)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    found = [desk.paged(incident.id) for incident in desk.found()]
    assert found == [[("Priya", 0), ("Priya", 61)]] * 2 + [[("Priya", 61)]] * 2
    with reading(desk.engine) as db:
        again = select(func.count()).select_from(TimelineEntry).where(TimelineEntry.text.like("began to page again%"))
        assert db.scalar(again) == 2


def test_what_waits_for_the_end_is_found_by_indexes(desk):
    desk.window(2, 60)
    desk.say(0, "a")
    desk.work(2)
    desk.say(5, "b")
    held = plans(desk.engine, lambda db: queries.held_back(db, NOW + 60 * MINUTE))
    stopped = plans(desk.engine, lambda db: queries.stopped(db, NOW + 60 * MINUTE, 10))
    assert all("ix_alert_held" in plan for plan in held if "integration" in plan)
    assert "ix_escalation_maintenance" in stopped[0], "what every turn asks"
