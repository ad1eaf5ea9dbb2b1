"""Our own components in a real browser: keys, pointer, phone, themes, hostile words."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 30.0
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = str(Path(__file__).with_name("parts_demo.py"))
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.address=127.0.0.1", f"--server.port={port}"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        assert server.poll() is None, "the demo server stopped"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the demo server did not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("apt install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Open]:
    contexts = []

    def go(
        view: str, width: int = 1280, scheme: Literal["light", "dark"] = "light", zone: str = "Europe/Berlin"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id=zone, has_touch=width < 500
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{address}/?v={view}")
        page.locator(".desk").first.wait_for()
        return page

    yield go
    for context in contexts:
        context.close()


def _open(page: Page, id_: str) -> Locator:
    return page.locator(f"button.open[data-id='{id_}']")


def test_a_click_on_a_row_opens_it_once(visit: Open) -> None:
    page = visit("rows")
    _open(page, "INC-000003").click()
    expect(page.get_by_text("event: select INC-000003")).to_be_visible()
    expect(_open(page, "INC-000003")).to_have_attribute("aria-current", "true")


def test_arrows_and_j_k_move_and_enter_opens(visit: Open) -> None:
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


def test_the_list_is_one_stop_for_tab_and_its_next_action_another(visit: Open) -> None:
    page = visit("rows")
    _open(page, "INC-000002").focus()
    page.keyboard.press("Tab")
    expect(page.locator("button.act")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: action INC-000002")).to_be_visible()


def test_typing_moves_nothing(visit: Open) -> None:
    page = visit("rows")
    field = page.get_by_label("Words")
    field.fill("")
    field.press_sequentially("jkjk")
    expect(field).to_be_focused()
    expect(field).to_have_value("jkjk")
    expect(page.get_by_text("event: none")).to_be_visible()


def test_clocks_say_how_long(visit: Open) -> None:
    page = visit("rows")
    words = page.locator(".clock .words")
    expect(words.nth(0)).to_have_text("1 h 18 min left")
    expect(words.nth(1)).to_have_text("1 h 12 min late")
    expect(words.nth(2)).to_have_text("Paused")
    tones = page.locator(".clock").evaluate_all("nodes => nodes.map(node => node.dataset.tone)")
    assert tones == ["warning", "late", "still"]


def test_a_phone_is_reported_and_a_desk_is_not(visit: Open) -> None:
    expect(visit("rows", width=360).get_by_text("narrow: True")).to_be_visible()
    expect(visit("rows", width=1280).get_by_text("narrow: False")).to_be_visible()


@pytest.mark.parametrize("view", ["rows", "board", "room"])
def test_hostile_words_stay_words(visit: Open, view: str) -> None:
    page = visit(view)
    expect(page.get_by_text("<img src=x").first).to_be_visible()
    assert page.locator(".desk img, .desk script").count() == 0
    assert page.title() == "Parts"


def test_a_card_moves_by_keys_and_keeps_the_focus(visit: Open) -> None:
    page = visit("board")
    _open(page, "A-1").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_text("states: A-1=assigned")).to_be_visible()
    expect(_open(page, "A-1")).to_be_focused()
    expect(page.locator("[data-state=assigned] [data-card='A-1']")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("A-1 moved to Assigned.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("event: open A-1")).to_be_visible()


def test_a_refused_move_goes_back_and_says_so(visit: Open) -> None:
    page = visit("board")
    _open(page, "A-2").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("[data-state=assigned] [data-card='A-2']")).to_be_visible()
    expect(page.locator("[data-state=new] [data-card='A-2']")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("A-2 stays in New.")
    expect(_open(page, "A-2")).to_be_focused()


def test_a_card_moves_by_its_menu(visit: Open) -> None:
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


def test_a_card_is_dragged_where_it_may_go(visit: Open) -> None:
    page = visit("board")
    _drag(page, "A-1", "in_progress")
    expect(page.locator("[data-state=closed] .verdict")).to_have_text("Not by hand")
    expect(page.locator("[data-state=in_progress].over")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_text("states: A-1=in_progress")).to_be_visible()
    expect(page.get_by_text("event: move A-1 new in_progress")).to_be_visible()


def test_a_card_is_not_dropped_where_it_may_not_go(visit: Open) -> None:
    page = visit("board")
    _drag(page, "A-3", "new")
    expect(page.locator("[data-state=new] .verdict")).to_have_text("Not from In progress")
    page.mouse.up()
    expect(page.get_by_role("status")).to_contain_text("A-3 cannot go to New")
    expect(page.get_by_text("event: none")).to_be_visible()
    expect(page.locator("[data-state=in_progress] [data-card='A-3']")).to_be_visible()


def test_escape_ends_a_drag(visit: Open) -> None:
    page = visit("board")
    _drag(page, "A-1", "in_progress")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".ghost")).to_have_count(0)
    expect(page.get_by_text("event: none")).to_be_visible()


def test_the_head_is_the_only_h1_and_counts(visit: Open) -> None:
    page = visit("room")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    cells = page.locator(".cell")
    expect(cells.nth(0)).to_contain_text("in 5 min")
    expect(cells.nth(0)).to_have_attribute("data-tone", "warning")
    expect(cells.nth(1)).to_contain_text("5 min late")
    expect(cells.nth(3)).to_contain_text("Nobody yet")


def test_the_timeline_keeps_the_browsers_days(visit: Open) -> None:
    berlin, honolulu = visit("room"), visit("room", zone="Pacific/Honolulu")
    expect(berlin.locator(".day")).to_have_text(["Today", "Sat, 1 Feb 2020"])
    expect(honolulu.locator(".day")).to_have_text(["Today", "Fri, 31 Jan 2020"])
    expect(berlin.locator(".group").last.locator("time")).to_have_text("00:30")
    expect(berlin.locator(".group").last.locator("time")).to_have_attribute("title", re.compile("Europe/Berlin"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("view", ["rows", "board", "room"])
def test_nothing_shuts_people_out_or_runs_off_sideways(
    visit: Open, view: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = visit(view, width=width, scheme=scheme)
    page.get_by_text("event:").wait_for() if view != "room" else page.get_by_text("All", exact=True).wait_for()
    found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    wider = "[...document.querySelectorAll('section, main')].some(box => box.scrollWidth > box.clientWidth + 1)"
    assert not page.evaluate(wider)
