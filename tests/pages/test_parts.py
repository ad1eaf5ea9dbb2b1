"""Our own components without a browser: what travels, what is refused, what is escaped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import assets, marks
from pages.parts import head as head_part
from pages.parts import kanban as kanban_part
from pages.parts import rows as rows_part
from pages.parts import timeline as timeline_part
from rules import states

HOSTILE = "<img src=x onerror=alert(1)> **bold** :red[red] $x$ [a](http://b)"
ASSETS = Path(assets.__file__).parent
Sent = list[dict[str, Any]]


class _Result:
    event = None


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What each component was given, in order."""
    calls: Sent = []

    def renderer(**given: Any) -> _Result:
        calls.append(given["data"])
        return _Result()

    for module, name in (
        (rows_part, "_LIST"),
        (kanban_part, "_BOARD"),
        (head_part, "_HEAD"),
        (timeline_part, "_TIMELINE"),
    ):
        monkeypatch.setattr(module, name, renderer)
    return calls


def test_marks_cover_every_state_by_the_same_word() -> None:
    assert {state: mark.label for state, mark in marks.STATES.items()} == states.LABELS
    assert list(marks.STATES) == list(states.STATES)
    assert list(marks.PRIORITIES) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("state", states.STATES)
def test_every_state_has_a_ring_in_the_browser(state: str) -> None:
    rings = assets.js("rows").partition("const RINGS = {")[2].partition("\n};")[0]
    assert f"\n  {state}: () =>" in rings


def test_badges_are_markdown_with_icon_and_word() -> None:
    assert marks.state_badge("in_progress") == ":blue-badge[:material/contrast: In progress]"
    assert marks.priority_badge(2) == ":orange-badge[P2 High]"
    assert marks.gray("Mine") == ":gray[Mine]"


def test_words_from_people_travel_as_they_are(sent: Sent) -> None:
    rows_part.rows([{"id": "INC-1", "title": HOSTILE, "explanation": HOSTILE, "meta": [HOSTILE]}], key="a")
    kanban_part.board([{"state": "new"}], [{"id": "INC-1", "title": HOSTILE, "state": "new"}], key="b")
    head_part.incident_head("INC-1", HOSTILE, key="c", caption=HOSTILE)
    timeline_part.timeline([{"at": "2026-01-01T00:00:00+00:00", "text": HOSTILE, "detail": HOSTILE}], key="d")
    row, card, head, entry = sent[0]["items"][0], sent[1]["cards"][0], sent[2], sent[3]["entries"][0]
    assert {row["title"], card["title"], head["title"], entry["text"], head["caption"][0]} == {HOSTILE}


@pytest.mark.parametrize("script", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_no_script_reads_words_as_markup(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "DOMParser",
        "http://",
        "https://",
    ):
        assert way not in source.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("style", sorted(ASSETS.glob("*.css")), ids=lambda path: path.name)
def test_styles_take_their_colours_from_the_theme_and_load_nothing(style: Path) -> None:
    source = style.read_text(encoding="utf-8")
    assert "#" not in source
    assert "url(" not in source
    assert "@import" not in source


@pytest.mark.parametrize(
    "draw",
    [
        lambda: rows_part.rows([{"title": "No id"}], key="k"),
        lambda: rows_part.rows([{"id": "INC-1"}], key="k"),
        lambda: rows_part.rows([{"id": "INC-1", "title": "T", "state": "open"}], key="k"),
        lambda: rows_part.rows([{"id": "INC-1", "title": "T", "priority": 6}], key="k"),
        lambda: kanban_part.board([{"state": "open"}], [{"id": "INC-1", "title": "T", "state": "open"}], key="k"),
        lambda: kanban_part.board(
            [{"state": "new"}], [{"id": "1", "title": "T", "state": "new", "moves": ["x"]}], key="k"
        ),
        lambda: head_part.incident_head("INC-1", "T", key="k", state="open"),
        lambda: head_part.incident_head("INC-1", "T", key="k", facts=[{"label": "L"}] * 7),
        lambda: timeline_part.timeline([{"text": "when?"}], key="k"),
    ],
)
def test_data_that_cannot_be_drawn_is_refused(sent: Sent, draw: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        draw()
    assert sent == []


def test_an_answer_from_the_browser_is_checked_before_it_becomes_an_event() -> None:
    assert rows_part._event({"kind": "select", "id": "INC-1"}) == rows_part.Event("select", "INC-1")
    command = {"kind": "command", "id": "INC-1", "name": "accept"}
    assert rows_part._event(command) == rows_part.Event("command", "INC-1", "accept")
    assert rows_part._event({"kind": "delete", "id": "INC-1"}) is None
    assert rows_part._event({"kind": "select", "id": 7}) is None
    assert rows_part._event("INC-1") is None
    move = {"kind": "move", "id": "INC-1", "origin": "new", "to": "assigned", "turn": 1}
    assert kanban_part._event(move) == kanban_part.BoardEvent("move", "INC-1", "new", "assigned")
    assert kanban_part._event(move | {"to": "nowhere"}) is None


def test_a_card_in_no_shown_column_is_left_out_and_columns_count_theirs(sent: Sent) -> None:
    cards = [{"id": f"INC-{n}", "title": "T", "state": state} for n, state in enumerate(("new", "new", "closed"))]
    kanban_part.board([{"state": "new"}, {"state": "assigned", "count": 9}], cards, key="k")
    assert [card["id"] for card in sent[0]["cards"]] == ["INC-0", "INC-1"]
    assert [(one["label"], one["shown"], one["count"]) for one in sent[0]["columns"]] == [
        ("New", 2, 2),
        ("Assigned", 0, 9),
    ]


def test_a_form_error_names_its_fields_and_empty_ones_say_nothing() -> None:
    def script() -> None:
        from pages.parts.empty import field_problem, problem

        problem({})
        field_problem(None)
        problem({"What is wrong?": "Say it.", "Which *service*?": "Choose one."})
        field_problem("Say it.")

    at = AppTest.from_function(script, default_timeout=60).run()
    assert not at.exception
    assert [one.value for one in at.error] == [
        r"**Nothing was sent yet\.** Two answers need your eye: *What is wrong?*, *Which \*service\*?*"
    ]
    assert [one.value for one in at.markdown] == [r":red[:material/error: **Say it\.**]"]


def test_components_mount_in_a_script_run() -> None:
    def script() -> None:
        from pages.parts.empty import empty
        from pages.parts.kanban import board
        from pages.parts.rows import narrow, rows

        assert rows([{"id": "INC-1", "title": "T"}], key="list") is None
        assert not narrow("list")
        assert rows([], key="none", empty=("All done", "Nothing needs you now.")) is None
        assert board([{"state": "new"}], [], key="board") is None
        empty("Nothing here", key="empty")

    assert not AppTest.from_function(script, default_timeout=60).run().exception
