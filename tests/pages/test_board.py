"""The board: counts and cards by state, moved through the same table of actions as everywhere."""

import pytest

import pages.parts.kanban as kanban
from db.engine import reading
from db.queries import board as queries

PAGE = "responders/board.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch):
    """What the board was given; `event` is what its viewer does next."""
    told = {"event": None}

    def board(columns, cards, *, key, on_event, **_rest):
        told.update({"columns": columns, "cards": cards})
        event, told["event"] = told["event"], None
        if event is not None:
            on_event(event)
        return event

    monkeypatch.setattr(kanban, "board", board)
    return told


def cards(drawn):
    return {card["id"]: card for card in drawn["cards"]}


@sqlite
def test_cards_stand_in_their_columns_with_what_they_may_do(desk, opened, drawn):
    new, taken = desk.report("Rita", "New"), desk.report("Rita", "Taken")
    desk.accept(taken)
    assert not opened(PAGE, "Priya").exception
    assert {column["state"]: column["count"] for column in drawn["columns"]} == {
        "new": 1, "assigned": 1, "in_progress": 0, "on_hold": 0, "resolved": 0, "recovered": 0,
    }  # fmt: skip
    assert set(cards(drawn)[taken]["moves"]) == {"new", "in_progress", "on_hold", "resolved"}
    assert set(cards(drawn)[new]["moves"]) == {"in_progress", "resolved"}


@sqlite
def test_a_move_that_asks_nothing_is_made_at_once(desk, opened, drawn):
    number = desk.report("Rita", "Taken")
    desk.accept(number)
    drawn["event"] = kanban.BoardEvent("move", number, "assigned", "in_progress")
    opened(PAGE, "Priya")
    assert desk.incident(number).state == "in_progress"


@sqlite
def test_a_move_that_asks_something_opens_its_dialog_and_waits(desk, opened, drawn):
    number = desk.report("Rita", "Taken")
    desk.accept(number)
    drawn["event"] = kanban.BoardEvent("move", number, "assigned", "resolved")
    at = opened(PAGE, "Priya")
    assert desk.incident(number).state == "assigned"
    assert "How was it resolved?" in [box.label for box in at.selectbox]


@sqlite
def test_a_card_that_somebody_moved_meanwhile_is_left_where_it_is(desk, opened, drawn):
    number = desk.report("Rita", "Taken")
    desk.accept(number)
    desk.do(number, "hold", "Priya", hold_reason="vendor", hold_until=desk.now.replace(year=desk.now.year + 1))
    drawn["event"] = kanban.BoardEvent("move", number, "assigned", "in_progress")
    opened(PAGE, "Priya")
    assert desk.incident(number).state == "on_hold"


@sqlite
@pytest.mark.parametrize("event", [("move", "INC-999999", "new", "assigned"), ("move", "x", "new", "closed")])
def test_a_move_of_what_is_not_there_is_answered(desk, opened, drawn, event):
    drawn["event"] = kanban.BoardEvent(*event)
    at = opened(PAGE, "Priya")
    assert not at.exception


@sqlite
def test_an_empty_board_says_what_comes_next(desk, opened):
    assert not opened(PAGE, "Priya").exception


def test_counts_are_of_all_and_cards_of_the_first(desk):
    for number in range(queries.SHOWN + 3):
        desk.report("Rita", f"Number {number}")
    with reading(desk.engine) as db:
        everything = queries.board(db, desk.actors["Priya"])
        filtered = queries.board(db, desk.actors["Priya"], text="number")
    assert everything.counts["new"] == filtered.counts["new"] == queries.SHOWN + 3
    assert [line.id for line in everything.lines["new"]] == [line.id for line in filtered.lines["new"]]
    assert len(everything.lines["new"]) == queries.SHOWN
