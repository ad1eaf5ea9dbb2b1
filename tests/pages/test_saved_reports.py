"""Reports on the screen: views kept in Trends are opened, shared, sent and removed; what was sent opens as it was."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from db.commands import report_schedules as commands
from db.commands import views
from db.engine import reading, writing
from db.queries import report_runs, report_schedules
from tests.pages.conftest import seen
from worker.reports import Rounds

PAGE = "managers/reports.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


DAY = 24 * 60
"""minutes"""


def keep(desk, name="Month", by="Max", address="view=causes&period=30", *, shared=False):
    with writing(desk.engine) as db:
        return views.save(db, "trends", name, address, shared, actor=desk.actors[by], now=desk.now).id


def sendings(desk, who):
    with reading(desk.engine) as db:
        views, _ = report_schedules.saved(db, desk.actors[who])
        own = report_schedules.had_sent(db, desk.actors[who], [view.id for view in views])
        return [*own.values(), *report_schedules.sent_to(db, desk.actors[who])[0]]


def opened_at(at, key):
    """A popover, open."""
    at.session_state[key] = True
    return at.run()


@sqlite
def test_before_the_first_view_it_says_how_to_keep_one(desk, in_app):
    at = in_app(PAGE, "Max")
    assert not at.exception
    assert [link.proto.label for link in at.get("page_link") if link.proto.label == "Open Trends"] == ["Open Trends"]


@sqlite
def test_a_view_is_kept_in_trends_and_opened_from_reports(desk, in_app):
    desk.report("Rita", "Now")
    at = in_app("managers/trends.py", "Max", view="causes", period="30", team=str(desk.team_id))
    opened_at(at, "trends.views")
    at.text_input(key="trends.views.name").set_value("Our month")
    at.button(key="FormSubmitter:trends.views.form-Keep").click().run()
    assert not at.exception
    with reading(desk.engine) as db:
        [kept], _ = report_schedules.saved(db, desk.actors["Max"])
    assert kept.address == f"view=causes&period=30&team={desk.team_id}"
    at = in_app(PAGE, "Max")
    assert "Our month" in seen(at)
    [link] = [link.proto for link in at.get("page_link") if link.proto.label == "Open"]
    assert link.query_string == kept.address


@sqlite
def test_a_view_is_sent_at_chosen_times_to_chosen_people(desk, in_app):
    view = keep(desk)
    at = opened_at(in_app(PAGE, "Max"), f"reports.send.{view}")
    at.radio(key=f"reports.send.{view}.every").set_value("month").run()
    at.selectbox(key=f"reports.send.{view}.hour").set_value(7)
    lena, max_ = desk.actors["Lena"].id, desk.actors["Max"].id
    at.multiselect(key=f"reports.send.{view}.readers").set_value([max_, lena])
    at.button(key=f"reports.send.{view}.ok").click().run()
    assert [element.value for element in at.success] == ["It is sent as you chose."]
    [found] = sendings(desk, "Max")
    assert (found.times.words, found.readers) == ("every month on the 1st at 07:00 (UTC)", ("Lena", "Max"))
    at.multiselect(key=f"reports.send.{view}.readers").set_value([])
    at.button(key=f"reports.send.{view}.ok").click().run()
    assert "Choose who gets it" in seen(at)
    at.button(key=f"reports.send.{view}.end").click().run()
    assert sendings(desk, "Max") == []


@sqlite
def test_who_may_send_to_nobody_else_has_it_sent_to_themselves(desk, in_app):
    view = keep(desk, shared=True)
    at = opened_at(in_app(PAGE, "Dora"), f"reports.send.{view}")
    assert not at.multiselect
    at.button(key=f"reports.send.{view}.ok").click().run()
    assert [found.readers for found in sendings(desk, "Dora")] == [("Dora",)]


@sqlite
def test_a_view_is_offered_to_others_and_removed(desk, in_app):
    view = keep(desk)
    at = opened_at(in_app(PAGE, "Max"), f"reports.more.{view}")
    at.toggle(key=f"reports.shared.{view}").set_value(True).run()
    assert "Month" in seen(in_app(PAGE, "Ada"))
    at = opened_at(in_app(PAGE, "Max"), f"reports.more.{view}")
    at.button(key=f"reports.rm.{view}").click().run()
    assert "Month is removed" in seen(at)
    with reading(desk.engine) as db:
        assert report_schedules.saved(db, desk.actors["Max"]) == ([], 0)


@sqlite
def test_before_a_view_is_removed_it_says_how_many_others_have_it_sent(desk, in_app):
    view = keep(desk, shared=True)
    at = opened_at(in_app(PAGE, "Max"), f"reports.more.{view}")
    assert "it sent" not in seen(at)
    given = {"every": "week", "weekday": 0, "hour": 8, "zone": "UTC"}
    for name in ("Lena", "Ada"):
        with writing(desk.engine) as db:
            commands.save(db, view, **given, reader_ids=[desk.actors[name].id], actor=desk.actors[name], now=desk.now)
    at = opened_at(in_app(PAGE, "Max"), f"reports.more.{view}")
    assert "**2 others have it sent.** That ends when you remove it" in seen(at)
    desk.report("Rita", "Now")
    at = opened_at(in_app("managers/trends.py", "Max"), "trends.views")
    assert "2 others have it sent: that ends with it, and they are told." in seen(at)
    at.button(key=f"trends.views.remove.{view}").click().run()
    assert not at.exception
    assert sendings(desk, "Lena") == []
    at = in_app("messages.py", "Lena")
    assert "'Month' is not sent any more" in seen(at).replace("\\", "")
    assert "Max removed the view." in seen(at).replace("\\", "")


@sqlite
def test_what_is_sent_to_me_comes_in_pages_that_the_address_names(desk, in_app):
    given = {"every": "week", "weekday": 0, "hour": 8, "zone": "UTC"}
    for number in range(27):
        view = keep(desk, f"View {number:02d}")
        with writing(desk.engine) as db:
            commands.save(
                db, view, **given, reader_ids=[desk.actors["Lena"].id], actor=desk.actors["Max"], now=desk.now
            )
    at = in_app(PAGE, "Lena")
    assert ("View 24" in seen(at), "View 25" in seen(at), len(at.get("pagination"))) == (True, False, 1)
    at = in_app(PAGE, "Lena", to="2")
    assert ("View 24" in seen(at), "View 26" in seen(at)) == (False, True)
    for last in ("3", "99999999999999999999"):
        at = in_app(PAGE, "Lena", to=last)
        assert not at.exception
    at = in_app(PAGE, "Lena", to="2")
    for sending in sendings(desk, "Lena")[:2]:
        with writing(desk.engine) as db:
            commands.leave(db, sending.id, actor=desk.actors["Lena"], now=desk.now)
    at.run()
    assert "View 26" in seen(at), "one page is left, and it is shown"
    assert "to" not in at.query_params


@sqlite
def test_what_others_have_sent_to_me_is_left(desk, in_app):
    view = keep(desk, "Their week", shared=False)
    lena = desk.actors["Lena"]
    given = {"every": "week", "weekday": 0, "hour": 8, "zone": "UTC"}
    with writing(desk.engine) as db:
        commands.save(db, view, **given, reader_ids=[lena.id], actor=desk.actors["Max"], now=desk.now)
    at = in_app(PAGE, "Lena")
    assert "Max has it sent, every Monday" in seen(at).replace("\\", "")
    [found] = sendings(desk, "Lena")
    at.button(key=f"reports.leave.{found.id}").click().run()
    assert sendings(desk, "Lena") == []


@sqlite
def test_what_was_sent_opens_as_it_was_whatever_came_since(desk, in_app):
    desk.report("Rita", "One", minutes_ago=20 * DAY)
    view = keep(desk, address="period=30")
    given = {"every": "week", "weekday": 0, "hour": 8, "zone": "Asia/Tokyo", "reader_ids": [desk.actors["Max"].id]}
    with writing(desk.engine) as db:
        commands.save(db, view, **given, actor=desk.actors["Max"], now=desk.now - timedelta(days=14))
    Rounds().tick(sendings(desk, "Max")[0].next_at, desk.engine)
    with reading(desk.engine) as db:
        [run], _ = report_runs.own(db, desk.actors["Max"])
    desk.report("Rita", "Two, told of later", minutes_ago=21 * DAY)
    at = in_app(PAGE, "Max", run=str(run.id))
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric}["Opened"] == "1"
    assert "It does not change" in seen(at)
    asked = [parse_qs(link.proto.query_string) for link in at.get("page_link") if link.proto.label.startswith("Show ")]
    assert asked
    assert {query["zone"][0] for query in asked} == {"Asia/Tokyo"}, "an hour of the week is one of this clock"
    at.button(key="reports.all").click().run()
    at.button(key=f"reports.run.{run.id}").click().run()
    assert "It does not change" in seen(at)


@sqlite
@pytest.mark.parametrize("number", ["0", "x", "99999999999999999999999", "7"])
def test_a_report_that_is_not_ones_own_looks_like_none(desk, in_app, number):
    at = in_app(PAGE, "Max", run=number)
    assert not at.exception
    assert not at.error
    assert [title.value for title in at.title] == ["Reports"]


@sqlite
def test_a_message_that_brought_a_report_leads_to_it(desk, in_app, opened):
    desk.report("Rita", "One")
    with writing(desk.engine) as db:
        commands.subscribe(db, "UTC", actor=desk.actors["Max"], now=desk.now - timedelta(days=7))
    Rounds().tick(sendings(desk, "Max")[0].next_at, desk.engine)
    at = in_app("messages.py", "Max")
    assert "Weekly digest" in seen(at)
    [button] = [button for button in at.button if button.label == "Open"]
    button.click().run()
    assert not at.exception
