"""Somebody without an account reports, follows the link, says 'Not yet', then 'Yes'; the desk sees every word."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, serving
from tests.browser.people import NUMBER, as_sample, choose, incident, ready
from tests.browser.test_accessibility import WIDER
from tests.browser.test_journey import resolve

Visit = Callable[..., Page]
DESK = "Amara Okafor"


@pytest.fixture(scope="module")
def server(place: Path, sample_data: Path) -> Iterator[Server]:
    """The app with sample data, where reports without an account are on."""
    shutil.copyfile(sample_data, place / "incidents.db")
    with serving(place, WORKER="off", ANONYMOUS_REPORTS="on") as running:
        yield running


def report(page: Page, url: str, title: str) -> str:
    """Report it without an account; its number. The page is then that of the link."""
    page.goto(url + "/login")
    page.get_by_role("link", name="Report a problem without an account").click()
    page.get_by_label("What is wrong?").fill(title)
    page.get_by_label("What or where is affected?").fill("Entrance hall")
    page.get_by_label("My team").check()
    page.get_by_label("Your name").fill("Ana Guest")
    page.get_by_role("button", name="Send report").dblclick()
    expect(page).to_have_url(re.compile("/track/[A-Za-z0-9_-]{43}$"))
    expect(page.locator("main")).to_contain_text(NUMBER)
    found = NUMBER.search(page.locator("main").inner_text())
    assert found
    return found.group()


def restore(desk: Page, url: str, number: str, done: str) -> None:
    resolve(desk, url, number, done)
    desk.get_by_role("button", name="Service is restored").click()
    expect(desk.locator(".marks").get_by_text("Recovered")).to_be_visible()


# The journey needs no script of ours in the reporter's browser.
def test_a_report_without_an_account_goes_all_the_way(server: Server, page: Visit) -> None:
    url = server.url
    ana = page(width=360, java_script_enabled=False)
    number = report(ana, url, "The parking barrier stays closed")
    expect(ana.get_by_text("Received.")).to_be_visible()

    desk = as_sample(page(), url, DESK, path=f"/triage?number={number}")
    expect(desk.get_by_role("heading", level=2, name="The parking barrier stays closed")).to_be_visible()
    expect(desk.get_by_text("Ana Guest").first).to_be_visible()
    choose(desk, desk, "Category", None)
    choose(desk, desk, "Team", None)
    ready(desk)
    desk.get_by_role("button", name="Accept and assign").click()
    expect(desk.get_by_text(f"{number} assigned.")).to_be_visible()
    restore(desk, url, number, "The fuse was replaced.")

    ana.reload()
    expect(ana.get_by_text("The fuse was replaced.").first).to_be_visible()
    ana.get_by_label("Your words").fill("It opens, but does not close.")
    ana.get_by_role("button", name="Yes, it works").click()
    expect(ana.get_by_role("alert")).to_contain_text("Is it really fixed?")
    ana.get_by_role("button", name="No, it is not fixed").click()
    expect(ana.get_by_text("Being worked on.")).to_be_visible()

    incident(desk, url, number)
    said = desk.get_by_test_id("stAlert").filter(has_text="Ana Guest says it is not fixed")
    expect(said).to_contain_text("It opens, but does not close.")
    restore(desk, url, number, "The sensor was cleaned.")
    ana.reload()
    ana.get_by_role("button", name="Yes, it works").click()
    expect(ana.get_by_text("Fixed.")).to_be_visible()
    incident(desk, url, number)
    desk.get_by_role("button", name="Close", exact=True).click()
    desk.get_by_role("dialog").get_by_test_id("stFormSubmitButton").click()
    expect(desk.locator(".marks").get_by_text("Closed")).to_be_visible()
    ana.reload()
    expect(ana.get_by_text("Closed.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_without_an_account_shut_nobody_out(
    server: Server, page: Visit, axe: Callable[[Page], list[str]], width: int
) -> None:
    window, found = page(width=width), []

    def look(what: str) -> None:
        for scheme in ("light", "dark"):
            window.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found.extend(f"{what}, {scheme}: {finding}" for finding in axe(window))
        found.extend(f"{what}: {box} runs off sideways" for box in window.evaluate(WIDER))

    window.goto(server.url + "/report-a-problem")
    look("the form")
    window.get_by_role("button", name="Send report").click()
    expect(window.get_by_role("alert")).to_be_visible()
    expect(window).to_have_title(re.compile("^Error: "))
    look("the form refused")
    report(window, server.url, "The lift says " + "x" * 120)
    look("the report")
    window.goto(server.url + "/track/nothing")
    look("a link that leads nowhere")
    assert found == []


def test_a_page_under_the_link_is_still_behind_the_gate(server: Server, page: Visit) -> None:
    window = page()
    window.goto(server.url + "/track/x/board")
    expect(window.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
