"""What people do in a browser, step by step: sign in, report, find a card, answer."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.answered import ANSWERED

PASSWORD = "four words to remember"
# A busy machine is slow, not wrong.
expect.set_options(timeout=20_000)
NUMBER = re.compile(r"INC-\d+")


def ready(page: Page) -> None:
    """Wait until all that was pressed, typed and chosen has its answer, and what Streamlit draws later its place."""
    expect(page.locator(ANSWERED)).to_be_attached()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def sign_in(page: Page, url: str, email: str, *, path: str = "/", password: str = PASSWORD) -> Page:
    """Ask for `path`, be led to the sign-in, and arrive at `path`."""
    page.goto(url + path)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    ready(page)
    return page


def as_sample(page: Page, url: str, name: str, *, path: str = "/") -> Page:
    """Sign in as somebody of the sample data."""
    page.goto(url + "/sample")
    page.locator("button.person").filter(has_text=name).click()
    page.wait_for_url(lambda address: "/sample" not in address)
    if path != "/":
        page.goto(url + path)
    ready(page)
    return page


def fill_report(page: Page, title: str, affected: str, description: str = "") -> None:
    """Type a report; nothing is sent.

    What is known already appears above 'Send report' once the last field is left, and moves it.
    """
    page.get_by_label("What is wrong?").fill(title)
    page.get_by_label("What or where is affected?").fill(affected)
    if description:
        page.get_by_label("What happened, and what did you expect?").fill(description)
    page.keyboard.press("Tab")
    ready(page)


def report(page: Page, url: str, title: str, affected: str = "Room 204", description: str = "") -> str:
    """Report a problem; the number of the new incident."""
    page.goto(url + "/report")
    fill_report(page, title, affected, description)
    page.get_by_role("button", name="Send report").click()
    heading = page.get_by_role("heading", level=1, name=re.compile("Your report is"))
    expect(heading).to_be_visible()
    found = NUMBER.search(heading.inner_text())
    assert found, heading.inner_text()
    return found.group()


def choose(page: Page, within: Page | Locator, label: str, option: str | None) -> None:
    """Choose in a selectbox by its label, once nothing redraws it any more; None is the first of its list."""
    ready(page)
    field = within.get_by_role("combobox", name=label)
    # A list closes when its page scrolls, also when the scrolling to its field ends only after the click; and a field
    # that is drawn anew in that moment is found anew by the focus.
    field.focus()
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    field.click()
    options = page.get_by_role("option")
    (page.get_by_role("option", name=option, exact=True) if option else options.first).click()
    expect(options).to_have_count(0)


def incident(page: Page, url: str, number: str) -> Page:
    """Open an incident's own page."""
    page.goto(f"{url}/incident?number={number}")
    expect(page.locator(".reference", has_text=number).first).to_be_visible()
    ready(page)
    return page


def card(page: Page, number: str) -> Locator:
    return page.locator(f"[data-card='{number}']")


def column(page: Page, state: str) -> Locator:
    return page.locator(f".column[data-state={state}]")


def drag(page: Page, number: str, state: str) -> None:
    """Drag a card into a column with the mouse."""
    card(page, number).scroll_into_view_if_needed()
    card(page, number).hover()
    page.mouse.down()
    box: Any = column(page, state).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90, steps=8)
    expect(page.locator(f".column[data-state={state}].over")).to_be_visible()
    page.mouse.up()
