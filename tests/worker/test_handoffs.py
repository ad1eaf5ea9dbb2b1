"""Handoffs: told once, as things are now, whatever happened to the worker; gaps are told to the leads in time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from db.commands import overrides, people, schedules
from db.engine import writing
from db.models import TeamMember
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.rota import WEEK, Rota
from worker import loop
from worker.handoffs import look_ahead, tick


@pytest.fixture
def rota(engine):
    return Rota(engine)


def since(rota, before):
    return rota.told("handoff")[len(before) :]


def test_the_first_on_call_is_told_when_a_schedule_is_made_and_the_next_at_the_handoff(rota):
    rota.make(rota.turning("Priya", "Sam"))
    assert tick(MONDAY, rota.engine) == 1
    assert rota.told("handoff") == [("Priya", "You are on call now for Network until Mon 9 Mar 09:00 UTC")]
    before = rota.told("handoff")
    assert tick(MONDAY + WEEK - timedelta(seconds=1), rota.engine) == 0
    assert tick(MONDAY + WEEK, rota.engine) == 2
    assert tick(MONDAY + WEEK, rota.engine) == 0
    assert since(rota, before) == [
        ("Sam", "You are on call now for Network until Mon 16 Mar 09:00 UTC"),
        ("Priya", "Your turn for Network ended; Sam has it"),
    ]


def test_after_an_outage_only_the_present_is_told(rota):
    rota.make(rota.turning("Priya", "Sam", "Devi", unit="day"))
    tick(MONDAY, rota.engine)
    before = rota.told("handoff")
    tick(MONDAY + 5 * DAY + HOUR, rota.engine)  # Sam's and Devi's days came and went, and Priya's and Sam's again
    assert since(rota, before) == [
        ("Devi", "You are on call now for Network until Sun 8 Mar 09:00 UTC"),
        ("Priya", "Your turn for Network ended; Devi has it"),
    ]
    before = rota.told("handoff")
    tick(MONDAY + 8 * DAY + HOUR, rota.engine)  # Devi again: nothing is different
    assert since(rota, before) == []
    assert rota.schedule(1).handoff_at == MONDAY + 9 * DAY


def test_a_change_and_an_override_that_take_effect_now_are_told_now(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    tick(MONDAY, rota.engine)
    before = rota.told("handoff")
    with writing(rota.engine) as db:
        overrides.take_over(db, network, 8 * HOUR, actor=rota.people["Lena"], now=MONDAY + HOUR)
    tick(MONDAY + HOUR, rota.engine)
    assert since(rota, before) == [
        ("Lena", "You are on call now for Network until Mon 2 Mar 18:00 UTC"),
        ("Priya", "Your turn for Network ended; Lena has it"),
    ]
    rota.change(network, rota.turning("Devi"), MONDAY + 2 * HOUR)
    tick(MONDAY + 10 * HOUR, rota.engine)
    assert since(rota, before)[2:] == [
        ("Devi", "You are on call now for Network until further notice"),
        ("Lena", "Your turn for Network ended; Devi has it"),
    ]
    before = rota.told("handoff")
    with writing(rota.engine) as db:
        schedules.archive(db, network, actor=rota.people["Lena"], now=MONDAY + 11 * HOUR)
    tick(MONDAY + 11 * HOUR, rota.engine)
    assert since(rota, before) == [("Devi", "Your turn for Network ended; nobody has it")]
    assert rota.schedule(network).handoff_at is None


def test_a_change_made_before_a_due_handoff_was_told_does_not_lose_it(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    tick(MONDAY, rota.engine)
    before = rota.told("handoff")
    rota.change(network, rota.turning("Devi"), MONDAY + WEEK + HOUR)  # the worker was away since before Sam's turn
    tick(MONDAY + WEEK + 2 * HOUR, rota.engine)
    assert [who for who, _ in since(rota, before)] == ["Devi", "Priya"]


def test_a_handoff_at_nine_stays_at_nine_when_clocks_change(rota):
    saturday = datetime(2026, 3, 28, 8, tzinfo=UTC)  # 09:00 in Berlin; the clock springs forward in the night
    rota.make(rota.turning("Priya", "Sam", zone="Europe/Berlin", unit="day", start=saturday.isoformat()), at=saturday)
    tick(saturday, rota.engine)
    assert rota.told("handoff") == [("Priya", "You are on call now for Network until Sun 29 Mar 09:00 CEST")]
    before = rota.told("handoff")
    assert tick(saturday + 23 * HOUR - timedelta(seconds=1), rota.engine) == 0
    assert tick(saturday + 23 * HOUR, rota.engine) == 2
    assert since(rota, before)[0] == ("Sam", "You are on call now for Network until Mon 30 Mar 09:00 CEST")


def test_two_workers_at_once_tell_once(rota):
    for number in range(4):
        rota.make(rota.turning("Priya", "Sam"), name=f"Schedule {number}")
    together = threading.Barrier(3)

    def work(_number):
        together.wait(60)
        return sum(tick(MONDAY, rota.engine) for _ in range(3)), look_ahead(MONDAY, rota.engine)

    with ThreadPoolExecutor(3) as pool:
        told = sum(number for number, _ in pool.map(work, range(3)))
    told += tick(MONDAY, rota.engine)  # what a worker skipped because another was at it
    assert told == 4
    assert len(rota.told("handoff")) == 4


def test_leads_are_told_of_a_gap_within_the_week_once(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    rota.override(network, MONDAY + 8 * DAY, MONDAY + 9 * DAY, remove="Sam")
    assert look_ahead(MONDAY, rota.engine) == 0
    assert look_ahead(MONDAY + 2 * DAY, rota.engine) == 1
    assert look_ahead(MONDAY + 3 * DAY, rota.engine) == 0
    assert look_ahead(MONDAY + 8 * DAY + HOUR, rota.engine) == 0, "it is the same gap once it has begun"
    assert rota.told("gap") == [("Lena", "Nobody is on call for Network from Tue 10 Mar 09:00 UTC")]


def test_a_disabled_persons_turns_are_a_gap_and_administrators_hear_of_it_where_nobody_leads(rota):
    rota.make(rota.turning("Priya", "Sam"), team_id=rota.teams["Servers"])
    with writing(rota.engine) as db:
        people.disable(db, rota.ids["Priya"], actor=rota.people["Ada"], now=MONDAY + DAY)
    look_ahead(MONDAY + DAY, rota.engine)
    assert rota.told("gap") == [("Ada", "Nobody is on call for Network from Tue 3 Mar 09:00 UTC")]
    with writing(rota.engine) as db:
        db.execute(update(TeamMember).where(TeamMember.team_id == rota.teams["Servers"]).values(lead=True))
    look_ahead(MONDAY + 2 * DAY, rota.engine)
    assert rota.told("gap")[1:] == [("Sam", "Nobody is on call for Network from Tue 3 Mar 09:00 UTC")]


def test_hours_that_no_layer_covers_are_no_gap_to_tell_of(rota):
    office = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]
    rota.make(rota.turning("Priya", windows=office))
    assert look_ahead(MONDAY, rota.engine) == 0


def test_who_comes_back_moves_the_next_handoff(rota):
    network = rota.make(rota.turning("Priya", "Sam", "Devi", unit="day"))
    ada = rota.people["Ada"]
    with writing(rota.engine) as db:
        people.disable(db, rota.ids["Sam"], actor=ada, now=MONDAY)
        people.disable(db, rota.ids["Devi"], actor=ada, now=MONDAY)
    tick(MONDAY, rota.engine)
    tick(MONDAY + DAY, rota.engine)
    assert rota.schedule(network).handoff_at == MONDAY + 3 * DAY
    with writing(rota.engine) as db:
        people.enable(db, rota.ids["Devi"], actor=ada, now=MONDAY + DAY + HOUR)
    look_ahead(MONDAY + DAY + 2 * HOUR, rota.engine)
    assert rota.schedule(network).handoff_at == MONDAY + 2 * DAY


def test_the_workers_turn_tells_and_one_schedule_that_fails_holds_up_no_other(rota, monkeypatch, caplog):
    from db.commands import handoffs

    rota.make(rota.turning("Priya"), name="First")
    rota.make(rota.turning("Sam"), name="Second")
    real = handoffs.tell_change

    def failing(db, schedule, now):
        if schedule.name == "First":
            raise ValueError("broken")
        return real(db, schedule, now)

    monkeypatch.setattr(handoffs, "tell_change", failing)
    running = loop.Loop(rota.engine, clock=lambda: MONDAY)
    assert running.turn() == loop.EVERY_SECONDS
    assert [who for who, _ in rota.told("handoff")] == ["Sam"]
    assert "could not be looked at" in caplog.text
    monkeypatch.setattr(handoffs, "tell_change", real)
    running.turn()
    assert [who for who, _ in rota.told("handoff")] == ["Sam", "Priya"]
