"""Swaps: a turn is asked for, and taken once, whoever presses at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from db.engine import reading
from db.models import Notice, ScheduleOverride, Swap
from db.queries import schedules as queries
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.rota import WEEK, Rota


@pytest.fixture
def rota(engine):
    return Rota(engine)


@pytest.fixture
def network(rota):
    """Priya's week, then Sam's."""
    return rota.make(rota.turning("Priya", "Sam"))


def test_an_accepted_swap_puts_the_other_on_call_for_that_time(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY, words="My son's birthday.")
    assert rota.on_call(network, MONDAY + DAY) == ["Priya"], "asked is not taken"
    rota.answer(swap, "accept", "Devi", MONDAY + HOUR)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [
        ("Priya", MONDAY, MONDAY + DAY),
        ("Devi", MONDAY + DAY, MONDAY + 2 * DAY),
        ("Priya", MONDAY + 2 * DAY, MONDAY + WEEK),
    ]
    what = "Network, Tue 3 Mar 09:00 UTC to Wed 4 Mar 09:00 UTC"
    assert rota.told("swap") == [
        ("Devi", f"Priya asks you to take a turn: {what}"),
        ("Priya", f"Devi takes your turn: {what}"),
        ("Devi", f"You took a turn: {what}"),
    ]
    with reading(rota.engine) as db:
        kept = db.get_one(Swap, swap)
        assert (kept.state, kept.answered_at) == ("accepted", MONDAY + HOUR)
        assert db.get_one(ScheduleOverride, kept.override_id).removed_id == rota.ids["Priya"]


def test_whoever_took_a_turn_cannot_hand_it_back_alone(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    rota.answer(swap, "accept", "Devi")
    with reading(rota.engine) as db:
        override = db.get_one(Swap, swap).override_id
        assert [one.by_id for one in queries.overrides(db, rota.people["Devi"], network, MONDAY)] == [rota.ids["Priya"]]
    with pytest.raises(Forbidden, match="You took this turn from Priya"):
        rota.cancel(override, MONDAY, by="Devi")
    with pytest.raises(Forbidden):
        rota.cancel(override, MONDAY, by="Sam")
    assert rota.on_call(network, MONDAY + DAY) == ["Devi"]


@pytest.mark.parametrize("through", [(), ("Sam",)])
def test_a_turn_or_a_part_of_it_comes_back_by_another_swap(rota, network, through):
    """Straight, or after one more has had it."""
    holders = ("Priya", "Devi", *through)
    for giver, taker in pairwise(holders):
        rota.answer(rota.ask(network, giver, taker, MONDAY + DAY, MONDAY + 5 * DAY), "accept", taker)
    back = rota.ask(network, holders[-1], "Priya", MONDAY + 2 * DAY, MONDAY + 3 * DAY)
    rota.answer(back, "accept", "Priya", MONDAY + HOUR)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [
        ("Priya", MONDAY, MONDAY + DAY),
        (holders[-1], MONDAY + DAY, MONDAY + 2 * DAY),
        ("Priya", MONDAY + 2 * DAY, MONDAY + 3 * DAY),
        (holders[-1], MONDAY + 3 * DAY, MONDAY + 5 * DAY),
        ("Priya", MONDAY + 5 * DAY, MONDAY + WEEK),
    ]


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("Priya", [("Devi", "swap", "You are no longer on call for this: {}")]),
        ("Lena", [("Priya", "turn_back", "Your turn is yours again: {}"),
                  ("Devi", "swap", "You are no longer on call for this: {}")]),
    ],
)  # fmt: skip
def test_a_swap_undone_by_who_gave_the_turn_or_a_lead_is_told_at_once(rota, network, by, told):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    rota.answer(swap, "accept", "Devi")
    with reading(rota.engine) as db:
        override = db.get_one(Swap, swap).override_id
        before = db.scalar(select(func.max(Notice.id)))
    rota.cancel(override, MONDAY + DAY + HOUR, by=by)
    rota.cancel(override, MONDAY + DAY + HOUR, by=by)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [
        ("Priya", MONDAY, MONDAY + DAY),
        ("Devi", MONDAY + DAY, MONDAY + DAY + HOUR),
        ("Priya", MONDAY + DAY + HOUR, MONDAY + WEEK),
    ]
    what = "Network, Tue 3 Mar 10:00 UTC to Wed 4 Mar 09:00 UTC"
    with reading(rota.engine) as db:
        rows = db.scalars(select(Notice).where(Notice.id > before).order_by(Notice.id)).all()
    assert [(rota.called[row.person_id], row.kind, row.subject) for row in rows] == [
        (who, kind, subject.format(what)) for who, kind, subject in told
    ]
    assert rows[0].body.startswith(f"{by} ended the override. ")


def test_taken_late_it_counts_from_then_on(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY, MONDAY + DAY)
    rota.answer(swap, "accept", "Devi", MONDAY + 5 * HOUR)
    assert rota.on_call(network, MONDAY + 4 * HOUR) == ["Priya"]
    assert rota.on_call(network, MONDAY + 5 * HOUR) == ["Devi"]


@pytest.mark.parametrize(
    ("verb", "by", "told"),
    [("decline", "Devi", ("Priya", "Devi does not take")), ("withdraw", "Priya", ("Devi", "Priya no longer asks"))],
)
def test_declined_or_withdrawn_nothing_changes_and_the_other_is_told(rota, network, verb, by, told):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    rota.answer(swap, verb, by)
    assert rota.on_call(network, MONDAY + DAY) == ["Priya"]
    who, subject = rota.told("swap")[-1]
    assert (who, subject.startswith(told[1])) == (told[0], True)
    with pytest.raises(RuleError, match=r"already|meanwhile"):
        rota.answer(swap, "accept", "Devi")


def test_one_asks_for_ones_own_turns_only(rota, network):
    for by, start, end in (("Sam", 0, 1), ("Priya", 6, 8), ("Devi", 0, 1)):
        with pytest.raises(RuleError, match="You are not on call in all of that time"):
            rota.ask(network, by, "Dora", MONDAY + start * DAY, MONDAY + end * DAY)


@pytest.mark.parametrize(
    ("to", "start", "end", "said"),
    [
        ("Priya", 0, 1, "somebody else than yourself"),
        ("Otto", 0, 1, "works on incidents"),
        ("Sam", 1, 1, "ends before it begins"),
        ("Sam", -3, -1, "That is over"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(rota, network, to, start, end, said):
    with pytest.raises(RuleError, match=said):
        rota.ask(network, "Priya", to, MONDAY + start * DAY, MONDAY + end * DAY)


def test_who_is_on_call_then_cannot_take_it(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 3 * DAY)
    rota.override(network, MONDAY + 2 * DAY, MONDAY + 4 * DAY, add="Devi")
    with pytest.raises(RuleError, match="You are on call then already"):
        rota.answer(swap, "accept", "Devi")
    with pytest.raises(RuleError, match="They are on call then already"):
        rota.ask(network, "Priya", "Devi", MONDAY + 2 * DAY, MONDAY + 3 * DAY)


def test_only_who_was_asked_answers_and_only_who_asked_withdraws(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    for verb, name in (("accept", "Sam"), ("accept", "Priya"), ("decline", "Lena"), ("withdraw", "Devi")):
        with pytest.raises(Forbidden):
            rota.answer(swap, verb, name)
    with pytest.raises(Forbidden):
        rota.ask(network, "Otto", "Devi", MONDAY, MONDAY + DAY)


def test_the_same_asked_twice_is_asked_once(rota, network):
    first, second = (rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY) for _ in range(2))
    assert first == second
    assert len(rota.told("swap")) == 1


def test_a_turn_that_was_changed_meanwhile_is_not_taken(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    rota.change(network, rota.turning("Sam", "Priya"), MONDAY + HOUR)
    with pytest.raises(RuleError, match="The turn was changed meanwhile"):
        rota.answer(swap, "accept", "Devi", MONDAY + 2 * HOUR)
    assert rota.on_call(network, MONDAY + DAY) == ["Sam"]


def test_what_is_over_waits_for_nobody(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY, MONDAY + DAY)
    with reading(rota.engine) as db:
        assert [row.id for row in queries.swaps(db, rota.people["Devi"], MONDAY)] == [swap]
        assert [row.id for row in queries.swaps(db, rota.people["Sam"], MONDAY, schedule_id=network)] == [swap]
        assert queries.swaps(db, rota.people["Sam"], MONDAY) == []
        assert queries.swaps(db, rota.people["Devi"], MONDAY + DAY) == []
    with pytest.raises(RuleError, match="That turn is over"):
        rota.answer(swap, "accept", "Devi", MONDAY + DAY)


def _at_once(*presses):
    """What each got: 'done', or the sentence that refused it."""
    together = threading.Barrier(len(presses))

    def press(one):
        together.wait(60)
        try:
            one()
        except RuleError as error:
            return error.sentence
        return "done"

    with ThreadPoolExecutor(len(presses)) as pool:
        return list(pool.map(press, presses))


def test_one_turn_asked_of_two_is_taken_by_one_of_them(rota, network):
    names = ("Devi", "Dora", "Lena")
    asked = {name: rota.ask(network, "Priya", name, MONDAY + DAY, MONDAY + 2 * DAY) for name in names}
    got = _at_once(*(lambda name=name: rota.answer(asked[name], "accept", name) for name in names))
    assert got.count("done") == 1
    [taker] = rota.on_call(network, MONDAY + DAY)
    assert taker == names[got.index("done")]
    assert all("changed meanwhile" in sentence for sentence in got if sentence != "done")


def test_accepted_and_withdrawn_at_once_is_one_of_both(rota, network):
    for number in range(1, 5):
        swap = rota.ask(network, "Priya", "Devi", MONDAY + number * DAY, MONDAY + number * DAY + HOUR)
        got = _at_once(
            lambda swap=swap: rota.answer(swap, "accept", "Devi"),
            lambda swap=swap: rota.answer(swap, "withdraw", "Priya"),
        )
        assert got.count("done") == 1
        expected = ["Devi"] if got[0] == "done" else ["Priya"]
        assert rota.on_call(network, MONDAY + number * DAY) == expected


def test_accepted_twice_at_once_makes_one_override(rota, network):
    swap = rota.ask(network, "Priya", "Devi", MONDAY + DAY, MONDAY + 2 * DAY)
    got = _at_once(*[lambda: rota.answer(swap, "accept", "Devi")] * 3)
    assert sorted(got) == ["It was accepted already."] * 2 + ["done"]
    with reading(rota.engine) as db:
        assert db.execute(select(func.count()).select_from(ScheduleOverride)).scalar() == 1


def test_two_leads_who_change_it_at_once_do_not_overwrite_each_other(rota, network):
    got = _at_once(
        *(
            lambda name=name: rota.change(network, rota.turning(name), MONDAY + HOUR, version=1)
            for name in ("Devi", "Dora")
        )
    )
    assert sorted(sentence[:8] for sentence in got) == ["Somebody", "done"]
    [kept] = rota.on_call(network, MONDAY + DAY)
    assert kept == ("Devi", "Dora")[got.index("done")]
