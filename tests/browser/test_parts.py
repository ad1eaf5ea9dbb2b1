"""Our own components in a real browser: keys, pointer, phone, themes, hostile words."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Locator, Page, expect

from tests.browser.people import ready
from tests.browser.running import started

DEMO = Path(__file__).with_name("parts_demo.py")
# Where a card lies from now on: it may be back before a look from here would have seen it elsewhere.
TRACES = """(desk, id) => {
  const columns = (window.columns = []);
  new MutationObserver(() => {
    const state = desk.querySelector(`[data-card="${id}"]`)?.closest("[data-state]").dataset.state;
    if (state && state !== (columns.at(-1) ?? "new")) columns.push(state);
  }).observe(desk, { childList: true, subtree: true });
}"""

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("parts") / "server.log"
    with started(dict(os.environ), log, DEMO, "/_stcore/health") as (url, _):
        yield url


@pytest.fixture
def visit(address: str, page: Visit) -> Visit:
    def go(view: str, **more: object) -> Page:
        opened = page(**more)
        opened.goto(f"{address}/?v={view}")
        opened.locator(".desk").first.wait_for()
        return opened

    return go


def _open(page: Page, id_: str) -> Locator:
    return page.locator(f"button.open[data-id='{id_}']")


def test_a_click_on_a_row_opens_it_once(visit: Visit) -> None:
    page = visit("rows")
    _open(page, "INC-000003").click()
    expect(page.get_by_text("event: select INC-000003")).to_be_visible()
    expect(_open(page, "INC-000003")).to_have_attribute("aria-current", "true")


def test_arrows_and_j_k_move_and_enter_opens(visit: Visit) -> None:
    page = visit("rows")
    _open(page, "INC-000002").focus()
    for key in ("j", "ArrowDown", "k", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(_open(page, "INC-000001")).to_be_focused()
    page.keyboard.press("End")
    expect(_open(page, "INC-000050")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: select INC-000050")).to_be_visible()
    expect(_open(page, "INC-000050")).to_be_focused()


def test_the_list_is_one_stop_for_tab_and_its_next_action_another(visit: Visit) -> None:
    page = visit("rows")
    _open(page, "INC-000002").focus()
    page.keyboard.press("Tab")
    expect(page.locator("button.act")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: action INC-000002")).to_be_visible()


def test_typing_moves_nothing(visit: Visit) -> None:
    page = visit("rows")
    field = page.get_by_label("Words")
    field.fill("")
    field.press_sequentially("jkjk")
    expect(field).to_be_focused()
    expect(field).to_have_value("jkjk")
    expect(page.get_by_text("event: none")).to_be_visible()


def test_clocks_say_how_long(visit: Visit) -> None:
    page = visit("rows")
    words = page.locator(".clock .words")
    expect(words.nth(0)).to_have_text("1 h 18 min left")
    expect(words.nth(1)).to_have_text("1 h 12 min late")
    expect(words.nth(2)).to_have_text("Paused")
    tones = page.locator(".clock").evaluate_all("nodes => nodes.map(node => node.dataset.tone)")
    assert tones == ["warning", "late", "still"]


def test_a_phone_is_reported_and_a_desk_is_not(visit: Visit) -> None:
    expect(visit("rows", width=360).get_by_text("narrow: True")).to_be_visible()
    expect(visit("rows", width=1280).get_by_text("narrow: False")).to_be_visible()


def test_a_page_that_does_not_ask_for_it_is_not_run_again_by_a_phone(visit: Visit) -> None:
    page = visit("still", width=360)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_text("pressed in run 2")).to_be_visible()


def test_who_waits_until_a_window_is_ready_reads_the_answer_to_every_press(visit: Visit) -> None:
    page = visit("still")
    ready(page)
    for run in range(2, 12):
        page.get_by_role("button", name="Again").click()
        ready(page)
        assert page.get_by_text(" in run ").inner_text() == f"pressed in run {run}"


@pytest.mark.parametrize("view", ["rows", "board", "room"])
def test_hostile_words_stay_words(visit: Visit, view: str) -> None:
    page = visit(view)
    expect(page.get_by_text("<img src=x").first).to_be_visible()
    assert page.locator(".desk img, .desk script").count() == 0
    assert page.title() == "Parts"


def test_a_card_moves_by_keys_and_keeps_the_focus(visit: Visit) -> None:
    page = visit("board")
    _open(page, "A-1").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_text("states: A-1=assigned")).to_be_visible()
    expect(_open(page, "A-1")).to_be_focused()
    expect(page.locator("[data-state=assigned] [data-card='A-1']")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("A-1 moved to Assigned.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: open A-1")).to_be_visible()


def test_a_refused_move_goes_back_and_says_so(visit: Visit) -> None:
    page = visit("board")
    _open(page, "A-2").focus()
    page.locator(".desk").evaluate(TRACES, "A-2")
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_role("status")).to_have_text("A-2 stays in New.")
    expect(page.locator("[data-state=new] [data-card='A-2']")).to_be_visible()
    assert page.evaluate("window.columns") == ["assigned", "new"], "it moves at once, before it is refused"
    expect(_open(page, "A-2")).to_be_focused()


def test_a_card_moves_by_its_menu(visit: Visit) -> None:
    page = visit("board")
    page.get_by_role("button", name="Move or open A-1").focus()
    page.keyboard.press("Enter")
    entries = page.get_by_role("menuitem")
    expect(entries).to_have_text(["Open the room", "Move to Assigned", "Move to In progress"])
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: move A-1 new in_progress")).to_be_visible()
    expect(_open(page, "A-1")).to_be_focused()


def _drag(page: Page, id_: str, state: str) -> None:
    page.locator(f"[data-card='{id_}']").hover()
    page.mouse.down()
    box = page.locator(f".column[data-state={state}]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 120, steps=6)


def test_a_card_is_dragged_where_it_may_go(visit: Visit) -> None:
    page = visit("board")
    _drag(page, "A-1", "in_progress")
    expect(page.locator("[data-state=closed] .verdict")).to_have_text("Not by hand")
    expect(page.locator("[data-state=in_progress].over")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_text("states: A-1=in_progress")).to_be_visible()
    expect(page.get_by_text("event: move A-1 new in_progress")).to_be_visible()


def test_a_card_is_not_dropped_where_it_may_not_go(visit: Visit) -> None:
    page = visit("board")
    _drag(page, "A-3", "new")
    expect(page.locator("[data-state=new] .verdict")).to_have_text("Not from In progress")
    page.mouse.up()
    expect(page.get_by_role("status")).to_contain_text("A-3 cannot go to New")
    expect(page.get_by_text("event: none")).to_be_visible()
    expect(page.locator("[data-state=in_progress] [data-card='A-3']")).to_be_visible()


def test_escape_ends_a_drag(visit: Visit) -> None:
    page = visit("board")
    _drag(page, "A-1", "in_progress")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".ghost")).to_have_count(0)
    expect(page.get_by_text("event: none")).to_be_visible()


def test_the_head_is_the_only_h1_and_counts(visit: Visit) -> None:
    page = visit("room")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    cells = page.locator(".cell")
    expect(cells.nth(0)).to_contain_text("in 5 min")
    expect(cells.nth(0)).to_have_attribute("data-tone", "warning")
    expect(cells.nth(1)).to_contain_text("5 min late")
    expect(cells.nth(3)).to_contain_text("Nobody yet")


def test_the_timeline_keeps_the_browsers_days(visit: Visit) -> None:
    berlin, honolulu = visit("room"), visit("room", zone="Pacific/Honolulu")
    expect(berlin.locator(".day")).to_have_text(["Today", "Sat, 1 Feb 2020"])
    expect(honolulu.locator(".day")).to_have_text(["Today", "Fri, 31 Jan 2020"])
    expect(berlin.locator(".group").last.locator("time")).to_have_text("00:30")
    expect(berlin.locator(".group").last.locator("time")).to_have_attribute("title", re.compile("Europe/Berlin"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("view", ["rows", "board", "room"])
def test_nothing_shuts_people_out_or_runs_off_sideways(
    visit: Visit, axe: Callable[[Page], list[str]], view: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = visit(view, width=width, scheme=scheme)
    page.get_by_text("event:").wait_for() if view != "room" else page.get_by_text("All", exact=True).wait_for()
    assert axe(page) == []
    wider = "[...document.querySelectorAll('section, main')].some(box => box.scrollWidth > box.clientWidth + 1)"
    assert not page.evaluate(wider)
