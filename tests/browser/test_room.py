"""Several people in one incident's room: what one says the others see at once, and nobody's words or place are lost."""

import re
from collections.abc import Callable

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from db.engine import make_engine, reading
from db.models import Incident
from tests.browser.people import as_sample, incident, ready

Visit = Callable[..., Page]
ANA, KENJI, PRIYA = "Amara Okafor", "Kenji Watanabe", "Priya Nair"
MESSAGES = 30
PASTE = """async (node) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  canvas.getContext("2d").fillRect(0, 0, 8, 8);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], "screen.png", { type: "image/png" }));
  node.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def numbers(sample_server) -> list[str]:
    """Incidents that somebody works on."""
    engine = make_engine(sample_server.database_url)
    with reading(engine) as db:
        chosen = select(Incident.number).where(Incident.state == "in_progress", ~Incident.restricted)
        found = list(db.scalars(chosen.order_by(Incident.number)))
    engine.dispose()
    return found


@pytest.fixture
def enter(sample_server, page: Visit) -> Callable[..., Page]:
    def opened(name: str, number: str, **window: object) -> Page:
        looking = page(**window)
        as_sample(looking, sample_server.url, name)
        incident(looking, sample_server.url, number)
        expect(words(looking)).to_be_visible()
        return looking

    return opened


def words(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Write to the room")


def said(page: Page, text: str) -> Locator:
    return page.locator(".log:visible .text", has_text=text)


def say(page: Page, text: str) -> None:
    words(page).fill(text)
    words(page).press("Enter")


def do(page: Page, text: str, what: str) -> None:
    message = page.locator(".log:visible .message", has=page.locator(".text", has_text=text))
    message.hover()
    message.get_by_role("button", name=re.compile("What to do")).click()
    page.get_by_role("menuitem", name=what).click()


# How soon they hear it is measured alone, in tests/load. So many messages do not fit a screen.
def test_three_people_hear_each_other_and_keep_drafts_and_place(enter, numbers) -> None:
    ana, kenji, phone = enter(ANA, numbers[0]), enter(KENJI, numbers[0]), enter(PRIYA, numbers[0], width=360)
    expect(ana.locator(".here")).to_contain_text("3 here")
    words(phone).fill("My draft, not sent")
    for place in range(MESSAGES):
        say(ana, f"Line {place} of many")
        expect(said(kenji, f"Line {place} of many")).to_be_attached()
        expect(said(phone, f"Line {place} of many")).to_be_attached()
        expect(words(ana)).to_have_value("")
    expect(words(phone)).to_have_value("My draft, not sent")
    log = phone.locator(".log:visible").first
    log.evaluate("node => { node.scrollTop = 40; }")
    say(ana, "One more at the end")
    expect(phone.get_by_role("button", name="New messages")).to_be_visible()
    assert log.evaluate("node => node.scrollTop") == 40
    phone.get_by_role("button", name="New messages").click()
    expect(said(phone, "One more at the end")).to_be_in_viewport()
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 360
    phone.reload()
    expect(words(phone)).to_have_value("My draft, not sent")
    kenji.close()
    expect(ana.locator(".here")).to_contain_text("2 here")


def test_a_change_by_somebody_else_appears_and_shuts_no_dialog(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[1]), enter(KENJI, numbers[1])
    ana.get_by_role("button", name="Resolve").first.click()
    dialog = ana.get_by_role("dialog")
    reason = dialog.get_by_role("textbox").first
    reason.fill("Half a sen")
    kenji.get_by_role("textbox", name="Your words").fill("Seen in the cellar")
    kenji.get_by_role("button", name="Write", exact=True).click()
    expect(ana.locator(".entry", has_text="Seen in the cellar")).to_be_attached()
    expect(reason).to_have_value("Half a sen")
    ana.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(ana.locator(".entry", has_text="Seen in the cellar")).to_be_visible()


def test_what_was_missed_while_cut_off_comes_with_the_connection(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[2]), enter(KENJI, numbers[2])
    say(ana, "Before")
    expect(said(kenji, "Before")).to_be_visible()
    kenji.context.set_offline(True)
    expect(kenji.locator(".here")).to_have_text("Connecting again…")
    words(kenji).fill("Typed while cut off")
    words(kenji).press("Enter")
    expect(kenji.locator(".wrong")).to_contain_text("Your words are still here")
    say(ana, "While you were away")
    kenji.context.set_offline(False)
    expect(said(kenji, "While you were away")).to_be_visible()
    expect(words(kenji)).to_have_value("Typed while cut off")
    words(kenji).press("Enter")
    expect(said(ana, "Typed while cut off")).to_be_visible()


def test_reply_edit_take_back_pin_step_and_search(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[3]), enter(KENJI, numbers[3])
    words(ana).press_sequentially("The swich is hot, see https://example.org/a?b=1. @wata")
    expect(ana.get_by_role("option", name=KENJI)).to_be_visible()
    words(ana).press("Enter")
    expect(words(ana)).to_have_value(re.compile(f"@{KENJI} $"))
    words(ana).press("Enter")
    expect(kenji.locator(".mention")).to_have_text(f"@{KENJI}")
    link = kenji.locator(".text a")
    assert link.get_attribute("href") == "https://example.org/a?b=1"
    assert "noopener" in (link.get_attribute("rel") or "")
    do(kenji, "The swich is hot", "Reply")
    say(kenji, "Which one?")
    expect(ana.locator(".quoted")).to_contain_text("The swich is hot")
    do(ana, "The swich is hot", "Edit")
    expect(words(ana)).to_have_value(re.compile("The swich is hot"))
    say(ana, "The switch in B2 is hot")
    expect(said(kenji, "The switch in B2 is hot")).to_contain_text("edited")
    do(kenji, "The switch in B2", "Pin to the timeline")
    expect(ana.locator(".entry", has_text="The switch in B2 is hot")).to_be_visible()
    do(kenji, "The switch in B2", "Make it a step of the checklist")
    expect(ana.get_by_role("checkbox", name=re.compile("The switch in B2 is hot"))).to_be_attached()
    kenji.get_by_role("searchbox", name="Search what was said").fill("switch b2")
    expect(kenji.locator(".results .text")).to_have_text(re.compile("The switch in B2 is hot"))
    kenji.keyboard.press("Escape")
    do(kenji, "Which one?", "Take it back")
    expect(ana.locator(".log .hint")).to_have_text("took this back")


def test_a_pasted_picture_is_seen_and_what_is_written_stays_text(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[4]), enter(KENJI, numbers[4])
    words(ana).evaluate(PASTE)
    expect(ana.locator(".about")).to_contain_text("screen.png")
    say(ana, "<img src=x onerror=document.title='hurt'> [x](javascript:alert(1)) **b**")
    picture = kenji.locator(".picture img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (node) => { await node.decode(); return node.naturalWidth; }") == 8
    expect(said(kenji, "<img src=x onerror")).to_contain_text("[x](javascript:alert(1)) **b**")
    assert "hurt" not in kenji.title()
    ready(kenji)


def test_a_call_is_offered_to_all_in_the_room(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[5]), enter(KENJI, numbers[5])
    ana.get_by_role("button", name="Start a call").click()
    ana.get_by_role("button", name="Start on meet.jit.si").click()
    link = kenji.get_by_role("link", name="Join the call")
    expect(link).to_have_attribute("href", re.compile(r"^https://meet\.jit\.si/inc\d+-[0-9a-f]{32}$"))
    kenji.get_by_role("button", name="Call", exact=True).click()
    kenji.get_by_role("textbox", name="Or paste the link of a call").fill("zoom.example/j/1")
    kenji.get_by_role("button", name="Use this link").click()
    expect(kenji.get_by_text("Give an address that begins with")).to_be_visible()
    kenji.get_by_role("textbox", name="Or paste the link of a call").fill("https://zoom.example/j/1")
    kenji.get_by_role("button", name="Use this link").click()
    expect(ana.get_by_role("link", name="Join the call")).to_have_attribute("href", "https://zoom.example/j/1")
    expect(ana.locator(".entry", has_text="changed the call (zoom.example)")).to_be_visible()


def test_a_major_incident_is_declared_led_and_told_and_all_in_the_room_see_it(enter, numbers) -> None:
    ana, kenji = enter(ANA, numbers[6]), enter(KENJI, numbers[6], width=360, height=780)
    ana.get_by_role("button", name="More", exact=True).click()
    ana.get_by_text("Declare a major incident").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Why").fill("No ward can admit a patient.")
    dialog.get_by_role("button", name="Declare it").click()
    expect(dialog).to_have_count(0)
    expect(kenji.get_by_text("Major incident", exact=True)).to_be_visible()
    expect(kenji.get_by_text("Next update")).to_be_visible()
    ana.get_by_role("button", name="Write an update").click()
    expect(dialog.get_by_role("textbox", name="What they should know")).to_have_value(
        re.compile(rf"{numbers[6]}: .*{ANA} leads the response\. The next update comes ")
    )
    dialog.get_by_role("textbox", name="What they should know").fill("Admit on paper until noon. **Not** <b>bold</b>.")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_have_count(0)
    told = kenji.get_by_text("Admit on paper until noon. **Not** <b>bold</b>.").first
    expect(told).to_be_visible()
    ready(kenji)
