"""The states of a problem, what each needs, what its incidents cost, and what repeating incidents share."""

import pytest

from rules import problems as rules
from rules.errors import RuleError
from rules.problems import LABELS, MOVES, Cost

WHOLE = {
    "cause": "A full disk.",
    "workaround": "Restart it.",
    "public_words": "Wait a minute.",
    "fix": "A larger disk.",
}
# from: what each move leads to; a dot where it cannot be done
TABLE = """
                open           investigating  known_error    fixed          closed
    investigate investigating  .              .              .              .
    know        known_error    known_error    .              .              .
    doubt       .              .              investigating  .              .
    fix         fixed          fixed          fixed          .              .
    close       .              .              .              closed         .
    drop        closed         closed         closed         .              .
    reopen      .              .              .              investigating  investigating
"""


def _rows():
    header, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [(name, state, to) for name, *row in lines for state, to in zip(header, row, strict=True)]


def test_the_table_of_this_test_is_whole():
    assert {name for name, _, _ in _rows()} == set(MOVES)
    assert {state for _, state, _ in _rows()} == set(LABELS)


@pytest.mark.parametrize(("name", "state", "to"), _rows())
def test_every_move_from_every_state(name, state, to):
    assert (name in rules.possible(state)) is (to != ".")
    if to == ".":
        with pytest.raises(RuleError, match=f"It is {LABELS[state].lower()}"):
            rules.target(state, name, "Because.", WHOLE)
    else:
        assert rules.target(state, name, " Because. ", WHOLE) == (to, "Because." if MOVES[name].asks else "")


@pytest.mark.parametrize("name", [name for name, move in MOVES.items() if move.asks])
def test_what_takes_something_back_has_a_reason(name):
    state = next(iter(MOVES[name].moves))
    with pytest.raises(RuleError) as refused:
        rules.target(state, name, "  ", WHOLE)
    assert set(refused.value.fields) == {"reason"}


@pytest.mark.parametrize(
    ("name", "texts", "fields"),
    [
        ("know", {}, {"cause", "workaround"}),
        ("know", {"cause": "x"}, {"workaround"}),
        ("know", {"cause": "x", "workaround": "y"}, set()),
        ("fix", {"cause": "x", "workaround": "y"}, {"fix"}),
        ("fix", {"fix": "z"}, set()),
        ("drop", {}, set()),
    ],
)
def test_a_known_error_needs_cause_and_workaround_and_a_fix_needs_words(name, texts, fields):
    def go():
        return rules.target("investigating", name, "Because.", texts)

    if not fields:
        assert go()
        return
    with pytest.raises(RuleError) as refused:
        go()
    assert set(refused.value.fields) == fields


def test_an_unknown_move_is_refused():
    with pytest.raises(RuleError, match="no step called 'explode'"):
        rules.target("open", "explode", "", WHOLE)


def test_every_fault_of_its_words_is_named_at_once():
    with pytest.raises(RuleError) as refused:
        rules.checked({"title": " ", "cause": "x" * 10_001, "fix": "Fine."})
    assert set(refused.value.fields) == {"title", "cause"}
    assert rules.checked({"title": "  Labels  come blank ", "cause": " a\r\nb "}) == {
        "title": "Labels come blank",
        "cause": "a\nb",
    }


@pytest.mark.parametrize(
    ("state", "restricted", "words", "expected"),
    [
        ("known_error", False, "Wait.", True),
        ("known_error", True, "Wait.", False),
        ("known_error", False, "", False),
        ("investigating", False, "Wait.", False),
        ("fixed", False, "Wait.", False),
    ],
)
def test_reporters_read_of_open_known_errors_only(state, restricted, words, expected):
    assert rules.shown_to_reporters(state, restricted, words) is expected


def test_person_hours_are_what_people_lost_and_what_handling_took():
    found = Cost(n=2, people_hours=10.0, handling=2.5)
    assert found.person_hours == 12.5
    assert found.money(0) is None
    assert found.money(40) == 500


def test_shared_words_stand_in_half_of_the_texts_and_in_two():
    titles = ["Label printer prints blank", "Blank labels from the printer", "The printer is out of paper"]
    assert rules.shared_words(titles) == ["printer", "blank", "the"]
    assert rules.shared_words(titles, {"printer", "blank"}) == ["printer", "blank"]
    assert rules.shared_words(["Alone here"]) == []
    loud = ["Überlast im Netz", "ÜBERLAST am Abend", "Wieder Überlast"]
    assert rules.shared_words(loud, {"überlast", "netz", "abend"}) == ["überlast"], "as it is written"


def test_the_text_most_like_all_the_others_comes_first():
    texts = {
        1: "Coffee is cold",
        2: "Printer prints blank labels",
        3: "Blank labels from the printer",
        4: "Printer blank",
    }
    order = rules.by_likeness(texts)
    assert set(order) == set(texts)
    assert order[-1] == 1
