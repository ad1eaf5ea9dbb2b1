"""Triage: the first in the queue is open, the form decides, and somebody else's change is never overwritten."""

from datetime import timedelta

import pytest

from db.commands import catalogue, ranking
from db.engine import reading, writing
from db.queries.incidents import by_number
from pages.parts import actions, undo
from tests.pages.conftest import seen, unfolded

PAGE = "leads/triage.py"


def said(at):
    """The words of the page as a person reads them: without the marks that keep markdown from formatting them."""
    return seen(at).replace("\\", "")


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def field(at, kind, ending):
    return next(found for found in getattr(at, kind) if str(found.key).endswith(ending))


def button(at, label):
    return next(found for found in at.button if found.label == label)


@sqlite
def test_the_first_of_the_queue_is_open_and_says_why_it_is_first(desk, opened):
    desk.report("Rita", "A monitor flickers")
    desk.report("Rita", "Nobody can print", scope="everyone", effect="stopped")
    at = opened(PAGE, "Lena")
    assert not at.exception
    assert "Nobody can print" in [header.value for header in at.header]
    assert "First in the queue." in said(at)
    assert "30 d ahead as P1" in said(at)
    assert "**2 open**" in said(at)


@sqlite
def test_accepting_needs_a_category_and_keeps_what_was_chosen(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena")
    field(at, "segmented_control", ".impact").set_value(1)
    at = button(at.run(), "Accept and assign").click().run()
    assert "Choose a category." in said(at)
    assert desk.incident(number).state == "new"
    assert field(at, "segmented_control", ".impact").value == 1
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    at = button(at.run(), "Accept and assign").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.impact, kept.category_pair_id, kept.team_id) == ("assigned", 1, desk.pair_id, desk.team_id)


@sqlite
def test_who_accepts_as_soon_as_the_category_is_chosen_need_not_wait_for_its_team(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena")
    for level in (".impact", ".urgency"):
        field(at, "segmented_control", level).set_value(2)
    at = at.run()
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    button(at, "Accept and assign").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.category_pair_id, kept.team_id) == ("assigned", desk.pair_id, desk.team_id)


@sqlite
def test_history_suggests_and_a_press_applies_it(desk, opened):
    for minutes in range(30):
        number = desk.report("Rita", f"Scanner {minutes} shows stripes", minutes_ago=200 + minutes)
        desk.accept(number, 190)
    desk.do(number, "resolve", "Priya", 100, resolution_code="fixed", resolution_note="Cleaned the glass.")
    asked = desk.report("Otto", "Scanner 99 shows stripes", minutes_ago=5)
    at = opened(PAGE, "Lena", number=asked)
    assert not at.exception
    assert field(at, "selectbox", ".category_pair_id").value is None
    assert "Cleaned the glass." in said(at)
    at = next(found for found in at.button if found.label.startswith("Hardware ")).click().run()
    assert field(at, "selectbox", ".category_pair_id").value == desk.pair_id
    assert desk.incident(asked).category_pair_id is None, "nothing is applied by itself"


@sqlite
def test_undo_takes_back_what_was_done_last_also_by_a_dialog(desk, opened, monkeypatch):
    first, second = desk.report("Rita", "A monitor flickers"), desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena", number=first)
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    at = button(at.run(), "Accept and assign").click().run()
    assert f"{first} assigned." in said(at)
    actor = desk.actors["Lena"]
    with reading(desk.engine) as db:
        seen_before = by_number(db, actor, second)
    monkeypatch.setattr(actions.session, "now", lambda: desk.now)
    with monkeypatch.context() as patched:
        patched.setattr(
            undo,
            "done",
            lambda sentence, items=(): at.session_state.__setitem__(undo.KEY, (sentence, list(items), desk.now)),
        )
        assert actions.take(actor, seen_before, "cancel", {"reason": "A test"}) is None
    at = at.run()
    assert f"{second}: Cancel" in said(at)
    button(at, "Undo").click().run()
    assert (desk.incident(first).state, desk.incident(second).state) == ("assigned", "new")


@sqlite
def test_saving_keeps_a_category_and_a_service_that_were_archived_since(desk, opened):
    number = desk.report("Rita", "Nobody can print", affected="E-mail")
    desk.accept(number)
    with writing(desk.engine) as db:
        catalogue.archive(db, "category", desk.pair_id, actor=desk.actors["Ada"], now=desk.now)
    at = unfolded(opened(PAGE, "Lena", number=number), number, version=2)
    assert field(at, "selectbox", ".category_pair_id").value == desk.pair_id
    field(at, "segmented_control", ".impact").set_value(1)
    at = button(at.run(), "Save only").click().run()
    assert not at.error
    assert (desk.incident(number).category_pair_id, desk.incident(number).impact) == (desk.pair_id, 1)


@sqlite
def test_what_is_over_is_listed_under_all_and_said_to_be_in_another_order(desk, opened):
    over = desk.report("Rita", "Nobody can print")
    desk.do(over, "cancel", "Lena", reason="A test")
    assert "in the order to work on them" in said(opened(PAGE, "Lena"))
    at = opened(PAGE, "Lena", view="all")
    assert "the newest first" in said(at)
    assert "Nobody can print" in [header.value for header in at.header]


@sqlite
def test_a_young_history_suggests_nothing(desk, opened):
    desk.accept(desk.report("Rita", "Scanner shows stripes"))
    at = opened(PAGE, "Lena", number=desk.report("Rita", "Scanner shows stripes"))
    assert not [found for found in at.button if found.label.startswith("Hardware ")]


@sqlite
def test_the_priority_that_follows_is_told_before_it_is_saved(desk, opened):
    desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena")
    field(at, "segmented_control", ".impact").set_value(1)
    field(at, "segmented_control", ".urgency").set_value(2)
    assert "High impact and medium urgency make **P2 High**: answer in 30 min, fix in 8 h.]" in said(at.run())
    field(at, "segmented_control", ".impact").set_value(2)
    assert "make **P3 Moderate**: answer in 4 h, fix in 24 h of business time.]" in said(at.run())


@sqlite
def test_a_second_triager_sees_who_changed_what_and_nothing_is_lost(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena")
    field(at, "selectbox", ".category_pair_id").set_value(desk.pair_id)
    at.run()
    desk.accept(number, 0, impact=1)
    at = button(at, "Accept and assign").click()
    at = at.run()
    kept = desk.incident(number)
    assert (kept.impact, kept.version) == (1, 2)
    assert "Lena changed INC-000001 while you were looking at it" in said(at)
    assert "accepted it for Network" in said(at)


@sqlite
@pytest.mark.parametrize(("view", "shown"), [("new", 1), ("late", 1), ("hold", 0), ("nonsense", 2)])
def test_a_view_comes_from_the_address_and_what_is_no_view_shows_all(desk, opened, view, shown):
    desk.report("Rita", "New one", minutes_ago=5)
    late = desk.report("Rita", "Late one", minutes_ago=30 * 24 * 60)
    desk.accept(late, 30 * 24 * 60 - 5)
    at = opened(PAGE, "Lena", view=view)
    assert not at.exception
    assert len([header for header in at.header if header.value.endswith("one")]) == min(shown, 1)


@sqlite
@pytest.mark.parametrize("text", ["%", '"', "a OR (", "\x00", "' or 1=1 --", "x" * 5000, "INC-000001", "rita"])
def test_any_search_is_answered(desk, opened, text):
    desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena", q=text)
    assert not at.exception
    assert not at.error


@sqlite
@pytest.mark.parametrize("number", ["INC-999999", "", "<script>", "x" * 3000])
def test_an_unknown_number_in_the_address_is_answered_in_words(desk, opened, number):
    desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Lena", number=number)
    assert not at.exception


@sqlite
def test_words_of_reporters_are_shown_as_typed(desk, opened):
    desk.report("Rita", "**bold** <b>x</b> [a](http://b) :red[c] $x$", description="![img](http://evil.example/x.png)")
    at = opened(PAGE, "Lena")
    assert at.text[0].value == "![img](http://evil.example/x.png)"
    assert "[a](http://b)" not in at.header[0].value


@sqlite
def test_why_it_stands_behind_its_neighbour(desk, opened):
    first = desk.report("Rita", "Nobody can print", scope="everyone", effect="stopped")
    second = desk.report("Rita", "A monitor flickers")
    at = opened(PAGE, "Lena", number=second)
    assert f"Behind [{first}](/triage?number={first}): it has 29 d more as P1." in said(at)


@sqlite
def test_a_pin_is_told_with_its_reason(desk, opened):
    number = desk.report("Rita", "The director's mouse")
    with writing(desk.engine) as db:
        until = desk.now + timedelta(days=2)
        id_, lead = desk.id_of(number), desk.actors["Lena"]
        ranking.pin(db, id_, 1, 86_400, "The board meets", until, actor=lead, now=desk.now)
    at = opened(PAGE, "Lena", number=number)
    assert "1 d pinned by a lead" in said(at)
    assert "The board meets" in said(at)


@sqlite
def test_every_field_of_triage_is_saved(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = unfolded(opened(PAGE, "Lena"), number)
    field(at, "number_input", ".people_affected").set_value(40)
    field(at, "text_input", ".title").set_value("Nobody can print on floor 2")
    field(at, "text_input", ".affected").set_value("Floor 2")
    for flag in ("security", "restricted"):
        field(at, "checkbox", f".{flag}").set_value(True)
    at = button(at, "Save only").click().run()
    kept = desk.incident(number)
    assert (kept.people_affected, kept.title, kept.affected) == (40, "Nobody can print on floor 2", "Floor 2")
    assert (kept.security, kept.restricted) == (True, True)
    assert f"{number} saved." in said(at)
    at = button(at, "Undo").click().run()
    kept = desk.incident(number)
    assert (kept.title, kept.security, kept.restricted) == ("Nobody can print", False, False)
    assert f"{number} is as it was." in said(at)


@sqlite
def test_an_empty_title_is_refused_and_told_beneath_it(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = unfolded(opened(PAGE, "Lena"), number)
    field(at, "text_input", ".title").set_value(" ")
    at = button(at, "Save only").click().run()
    assert "Say what is wrong." in said(at)
    assert desk.incident(number).title == "Nobody can print"


@sqlite
def test_next_up_takes_what_nobody_has(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    at = opened("responders/board.py", "Priya")
    button(at, "Next up").click().run()
    assert desk.incident(number).assignee_id == desk.actors["Priya"].id
    assert [found.label for found in opened("responders/board.py", "Dora").button if found.label == "Next up"] == []


@sqlite
def test_filters_of_an_address_narrow_the_queue(desk, opened):
    mine = desk.report("Rita", "Nobody can print")
    desk.accept(mine, assignee_id=desk.actors["Priya"].id)
    desk.report("Rita", "A monitor flickers")
    at = opened(PAGE, "Lena", person=str(desk.actors["Priya"].id))
    assert "**1 match**" in said(at)
    assert not [found for found in at.selectbox if found.key == "triage.person"], "drawn while it is open"
    at.session_state["triage.filter"] = True
    at = at.run()
    assert field(at, "selectbox", "triage.person").value == desk.actors["Priya"].id
    field(at, "selectbox", "triage.person").set_value(None)
    assert "**2 open**" in said(at.run())
    at = opened(PAGE, "Lena", category="999")
    assert "**2 open**" in said(at)
