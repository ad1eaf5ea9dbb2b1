"""Home: each role finds what needs it now, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import pages.parts.rows as rows_part
from db.commands.checks import Caller
from db.engine import reading, writing
from db.models import Incident, Team
from db.queries import home as home_queries
from db.queries import triage
from db.queries.home import home
from tests.pages.conftest import Desk, seen
from worker.timers import tick

Opened = Callable[..., AppTest]
PAGE = "home.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def found(desk: Desk, who: str) -> Any:
    with reading(desk.engine) as db:
        return home(db, desk.actors[who], desk.now, desk.now - timedelta(days=2))


def numbers(part: Any) -> list[str]:
    return [line.number for line in part.lines]


def test_a_responder_sees_their_own_and_what_nobody_has(desk: Desk) -> None:
    mine = desk.report("Otto", "Mine")
    free = desk.report("Otto", "Free")
    desk.report("Otto", "New")
    desk.accept(mine, assignee_id=desk.actors["Priya"].id)
    desk.accept(free)
    part = found(desk, "Priya")
    assert (numbers(part.mine), numbers(part.unassigned)) == ([mine], [free])
    assert (part.new, part.late, part.to_close, part.week, part.people) == (None, None, None, None, None)


def test_what_waits_until_a_later_day_does_not_need_me_now(desk: Desk) -> None:
    number = desk.report("Otto", "Waits")
    desk.accept(number, assignee_id=desk.actors["Priya"].id)
    desk.do(number, "hold", "Priya", 10, hold_reason="vendor", hold_until=desk.now + timedelta(days=1))
    assert numbers(found(desk, "Priya").mine) == []


def test_a_lead_sees_new_ones_with_their_number_and_late_ones(desk: Desk) -> None:
    for number in range(7):
        desk.report("Otto", f"New {number}", minutes_ago=5)
    late = desk.report("Otto", "Late", minutes_ago=10 * 24 * 60)
    desk.accept(late, 10 * 24 * 60 - 5)
    part = found(desk, "Lena")
    assert (len(part.new.lines), part.new.total, part.new.more) == (5, 7, True)
    assert numbers(part.late) == [late]


def test_the_desk_sees_what_waits_for_the_reporter_and_what_may_be_closed(desk: Desk) -> None:
    days = 24 * 60
    confirmed, fresh, reminded, silent, denied = (
        desk.report("Otto", title, minutes_ago=10 * days)
        for title in ("Confirmed", "Fresh", "Reminded", "Silent", "Denied")
    )
    caller = desk.report("Dora", "Caller", minutes_ago=10 * days, caller=Caller(name="Frau Öz", contact="4444"))
    for number, fixed in ((confirmed, 1), (fresh, 1), (reminded, 4), (silent, 8), (denied, 1), (caller, 1)):
        desk.fix(number, fixed * days)
    desk.do(confirmed, "verify", "Otto")
    desk.do(denied, "reject", "Otto", reason="Still broken")
    for passed in (6, 1, 0):  # the worker comes by on these days
        tick(desk.now - timedelta(days=passed), desk.engine)
    part = found(desk, "Dora")
    assert numbers(part.to_close) == [confirmed]
    assert numbers(part.unanswered) == [silent]
    assert numbers(part.to_ask) == [caller]
    assert numbers(part.waiting) == [reminded, fresh]
    assert numbers(part.denied) == [denied]
    assert found(desk, "Priya").waiting is None
    with reading(desk.engine) as db:
        queue = triage.queue(db, desk.actors["Dora"], triage.Filters(view="close"), 1, desk.now)
    assert (sorted(line.number for line in queue.lines), queue.total) == (sorted([confirmed, silent]), 2)


@sqlite
def test_who_responds_in_a_devops_team_sees_what_they_may_close_of_its_own(
    desk: Desk, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = 24 * 60
    ours, silent, other = (desk.report("Otto", title, minutes_ago=20 * days) for title in ("Ours", "Silent", "Other"))
    for number, fixed in ((ours, 1), (silent, 18), (other, 1)):
        desk.fix(number, fixed * days)
    for number in (ours, other):
        desk.do(number, "verify", "Otto")
    for passed in (16, 0):
        tick(desk.now - timedelta(days=passed), desk.engine)
    assert found(desk, "Priya").to_close is None, "a team of the ITIL way leaves it to the desk"
    elsewhere = desk.team("Servers", "2")
    with writing(desk.engine) as db:
        db.get_one(Team, desk.team_id).way = "devops"
        db.get_one(Incident, desk.id_of(other)).team_id = elsewhere
    part = found(desk, "Priya")
    assert (numbers(part.to_close), numbers(part.unanswered)) == ([ours], [silent])
    assert found(desk, "Lena").to_close is None, "who leads it but does not respond closes nothing"
    assert set(numbers(found(desk, "Dora").to_close)) == {ours, other}
    also = replace(desk.actors["Lena"], roles=desk.actors["Lena"].roles | {"responder"})
    for actor, shown in (
        (also, {ours, silent}),
        (desk.actors["Lena"], set()),
        (desk.actors["Dora"], {ours, silent, other}),
    ):
        with reading(desk.engine) as db:
            queue = triage.queue(db, actor, triage.Filters(view="close"), 1, desk.now)
        assert {line.number for line in queue.lines} == shown
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr("streamlit.switch_page", lambda page, query_params: went.append((page, query_params)))
    monkeypatch.setattr(home_queries, "SHOWN", 1)
    third = desk.report("Otto", "Third", minutes_ago=20 * days)
    desk.fix(third, 1 * days)
    desk.do(third, "verify", "Otto")
    at = opened(PAGE, "Priya")
    assert "Answered: to close" in [header.value for header in at.header]
    at.button(key="home.to_close.more").click().run()
    assert went == [("responders/board.py", {"view": "team"})]
    desk.actors["Lena"] = also
    views = opened("leads/triage.py", "Lena").segmented_control[0].options
    assert "To close" in " ".join(views)


def test_a_manager_sees_this_week_beside_the_last(desk: Desk) -> None:
    desk.report("Otto", "Now", minutes_ago=60)
    desk.report("Otto", "Last week", minutes_ago=8 * 24 * 60)
    week = found(desk, "Max").week
    assert (week.opened, week.opened_before, week.resolved, week.late) == (1, 1, 0, 1)


def test_restricted_ones_stay_hidden(desk: Desk) -> None:
    from db.engine import writing
    from db.models import Incident

    number = desk.report("Otto", "Restricted")
    with writing(desk.engine) as db:
        db.get_one(Incident, desk.id_of(number)).restricted = True
    part = found(desk, "Lena")
    assert (numbers(part.new), part.new.total) == ([], 0)


@sqlite
def test_nothing_to_do_says_so(desk: Desk, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("pages.parts.empty.empty", lambda sentence, step, key: told.append(sentence))
    at = opened(PAGE, "Priya")
    assert not at.exception
    assert told == ["Nothing needs you now."]


@sqlite
def test_a_row_is_taken_with_one_press(desk: Desk, opened: Opened) -> None:
    number = desk.report("Otto", "Free")
    desk.accept(number)
    at = opened(PAGE, "Priya")
    at.session_state["home.unassigned.event"] = rows_part.Event("action", number)
    at = at.run()
    after = desk.incident(number)
    assert (after.state, after.assignee_id) == ("in_progress", desk.actors["Priya"].id)
    assert "Yours" in seen(at)


@sqlite
def test_somebody_who_was_faster_is_named(desk: Desk, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    number = desk.report("Otto", "Free")
    desk.accept(number)
    at = opened(PAGE, "Priya")
    real = home

    def stale(*given: Any) -> Any:
        seen_before = real(*given)
        if desk.incident(number).state == "assigned":
            desk.do(number, "acknowledge", "Lena")
        return seen_before

    monkeypatch.setattr("db.queries.home.home", stale)
    at.session_state["home.unassigned.event"] = rows_part.Event("action", number)
    at = at.run()
    assert "Lena changed" in at.error[0].value
    assert desk.incident(number).assignee_id == desk.actors["Lena"].id


@sqlite
@pytest.mark.parametrize("who", ["Rita", "Priya", "Lena", "Dora", "Max", "Ada"])
def test_every_role_opens_it(desk: Desk, opened: Opened, who: str) -> None:
    desk.report("Rita", "Cannot print <b>x</b>", minutes_ago=300)
    desk.fix("INC-000001")
    desk.report("Otto", "Other")
    at = opened(PAGE, who)
    assert not at.exception
    assert not at.error
    assert ("Fixed? Tell us" in seen(at)) == (who == "Rita")
