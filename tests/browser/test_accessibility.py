"""Nobody is shut out: every page for every role, light and dark, on a desk and on a phone, examined by axe."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Page, expect

from tests.browser.people import as_sample, choose, ready

Visit = Callable[..., Page]
Axe = Callable[[Page], list[str]]
WIDTHS = (1280, 360)
SCHEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 16, 19)"}
"""scheme -> the page's ground, which shows that the theme is in force"""
PERSON = {
    "reporter": "Birgit Schäfer",
    "responder": "Mateo Fernández",
    "lead": "Priya Nair",
    "desk": "Amara Okafor",
    "manager": "Margarethe Vogel",
    "admin": "Samuel Adeyemi",
}
"""role -> who shows it in the sample data"""
PAGES = {
    "reporter": ("report", "my-reports", "my-reports?view=finished", "messages", "account"),
    "responder": ("home", "board", "alerts", "incident", "my-reports", "on-call", "escalation"),
    "lead": (
        "home",
        "triage",
        "triage?view=late",
        "on-call",
        "schedules",
        "schedules?schedule=2&days=28",
        "maintenance",
        "maintenance?id=new",
    ),
    "desk": ("home", "triage", "board?view=mine"),
    "manager": (
        "trends",
        "trends-process",
        "trends-process?part=waits",
        "trends-forecast",
        "problems",
        "problems?number=PRB-000001",
        "postmortems",
        "postmortems?id=1",
        "postmortems?id=1&edit=1",
        "digest",
        "reports",
    ),
    "admin": (
        "home",
        "people",
        "catalogue",
        "catalogue?part=category",
        "status-page",
        "status-page?part=page",
        "templates",
        "templates?id=1",
        "settings",
        "integrations",
        "tokens",
        "settings?part=priority",
        "settings?part=targets",
        "settings?part=calendars",
        "settings?part=teams",
        "import",
        "deliveries",
        "audit",
        "audit?part=incidents",
        "trends",
    ),
}
WIDER = """() => ['html', '[data-testid=stMain]'].filter((name) => {
    const box = name === 'html' ? document.scrollingElement : document.querySelector(name);
    return box && box.scrollWidth > Math.min(innerWidth, box.clientWidth) + 1;
})"""


@dataclass
class Examined:
    """A window and everything that was found in it so far."""

    page: Page
    axe: Axe
    url: str
    schemes: Collection[str] = tuple(SCHEMES)
    found: list[str] = field(default_factory=list)

    def look(self, what: str) -> None:
        """Examine what is shown now, in each scheme."""
        for scheme in self.schemes:
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            expect(self.page.get_by_test_id("stApp")).to_have_css("background-color", SCHEMES[scheme])
            ready(self.page)
            self.found += [f"{what}, {scheme}: {finding}" for finding in self.axe(self.page)]
        self.found += [f"{what}: {box} runs off sideways" for box in self.page.evaluate(WIDER)]

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/{path}")
        ready(self.page)
        expect(self.page.get_by_test_id("stMain").get_by_role("heading", level=1).first).to_be_visible()
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)


@pytest.fixture(scope="module")
def url(sample_server) -> str:
    return sample_server.url


@pytest.fixture
def examine(url: str, page: Visit, axe: Axe) -> Callable[..., Examined]:
    def begin(role: str | None, width: int, scheme: str | None = None) -> Examined:
        window = page(width=width, height=900 if width > 500 else 740, scheme=scheme or "light")
        if role:
            as_sample(window, url, PERSON[role])
        return Examined(window, axe, url, (scheme,) if scheme else tuple(SCHEMES))

    return begin


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("role", PAGES)
def test_every_page_of_a_role_is_open_to_everybody(examine: Callable[..., Examined], role: str, width: int) -> None:
    window = examine(role, width)
    for path in PAGES[role]:
        window.open(path)
        window.look(path)
    assert window.found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_one_report_and_one_incident_are_open_to_everybody(examine: Callable[..., Examined], width: int) -> None:
    desk = examine("desk", width)
    desk.open("board")
    number = desk.page.locator("[data-card]").first.get_attribute("data-card")
    desk.open(f"incident?number={number}")
    desk.look("an incident")
    words = desk.page.get_by_role("combobox", name="Write to the room")
    for said in ("Look at https://example.org/long/" + "x" * 60, "@Amara Okafor " + "words " * 30):
        words.fill(said)
        desk.page.get_by_role("button", name="Send").click()
        expect(words).to_have_value("")
    words.press_sequentially("@am")
    expect(desk.page.get_by_role("option").first).to_be_visible()
    desk.look("what is said, and names to choose from")
    words.press("Escape")
    desk.page.get_by_role("button", name="What to do with the message").first.click()
    expect(desk.page.get_by_role("menuitem").first).to_be_focused()
    desk.look("what to do with a message")
    desk.open("incident?number=INC-999999")
    desk.look("no incident")
    reporter = examine("reporter", width)
    reporter.open("my-reports")
    reporter.page.locator("[data-part=open]").first.click()
    expect(reporter.page.get_by_role("heading", name="What happened", exact=True)).to_be_visible()
    expect(reporter.page).to_have_url(re.compile("number=INC-"))
    reporter.look("my report")
    reporter.open(f"report?done={reporter.page.url.rpartition('=')[2]}")
    reporter.look("sent")
    assert desk.found + reporter.found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_an_error_shuts_nobody_out(examine: Callable[..., Examined], width: int) -> None:
    window = examine("reporter", width)
    window.open("report")
    window.page.get_by_role("button", name="Send report").click()
    expect(window.page.get_by_text("There is a problem.")).to_be_visible()
    expect(window.page).to_have_title(re.compile("^Error: "))
    window.look("an empty report")
    assert window.found == []


# A change of the theme runs the page again, which closes its dialog: each window keeps one scheme.
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
def test_dialogs_and_popovers_shut_nobody_out(examine: Callable[..., Examined], width: int, scheme: str) -> None:
    desk = examine("desk", width, scheme)
    page = desk.page
    desk.open("triage")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
    desk.look("the filter")
    choose(page, page.get_by_test_id("stPopoverBody"), "Team", "Network")
    desk.look("the filter in use")
    desk.open("board")
    number = page.locator(".column[data-state=in_progress] [data-card]").first.get_attribute("data-card")
    desk.open(f"incident?number={number}")
    page.get_by_role("button", name="Resolve").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("How was it resolved?")).to_be_visible()
    choose(page, dialog, "How was it resolved?", "Workaround in place")
    desk.look("resolve")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog.get_by_test_id("stAlert")).to_be_visible()
    desk.look("resolve refused")
    expect(dialog).to_be_visible()
    admin = examine("admin", width, scheme)
    admin.open("people")
    admin.page.get_by_role("button", name="Invite").click()
    expect(admin.page.get_by_role("dialog").get_by_role("button", name="Make the link")).to_be_visible()
    admin.look("invite")
    expect(admin.page.get_by_role("dialog")).to_be_visible()
    admin.open("catalogue?part=service")
    admin.page.get_by_role("button", name="Add a service").click()
    expect(admin.page.get_by_role("dialog").get_by_role("button", name="Add", exact=True)).to_be_visible()
    admin.look("a new service")
    admin.open("settings?part=targets")
    admin.page.get_by_label("P3 resolve within").fill("soon")
    admin.page.get_by_role("button", name="Preview").click()
    expect(admin.page.get_by_test_id("stAlert")).to_be_visible()
    admin.look("settings refused")
    admin.page.get_by_label("P3 resolve within").fill("6 h")
    admin.page.get_by_role("button", name="Preview").click()
    expect(admin.page.get_by_role("button", name="Apply", exact=True)).to_be_visible()
    admin.look("settings previewed")
    assert desk.found + admin.found == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
def test_several_at_once_and_kept_views_shut_nobody_out(
    examine: Callable[..., Examined], width: int, scheme: str
) -> None:
    lead = examine("lead", width, scheme)
    page = lead.page
    lead.open("triage")
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_label("Keep this view as")).to_be_visible()
    lead.look("views")
    lead.open("triage")
    for number in range(2):
        page.get_by_role("checkbox", name="Mark").nth(number).check()
    expect(page.get_by_text("2 marked")).to_be_visible()
    lead.look("two marked")
    page.get_by_role("button", name="Change them").click()
    page.get_by_role("menuitem", name="Change fields").click()
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Impact")).to_be_visible()
    lead.look("several at once")
    assert lead.found == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_card_of_triage_opens_in_a_dialog_on_a_phone(examine: Callable[..., Examined], scheme: str) -> None:
    window = examine("lead", 360, scheme)
    window.open("triage")
    window.page.locator("[data-part=open]").first.click()
    expect(window.page.get_by_role("dialog").get_by_role("combobox", name="Category")).to_be_visible()
    window.look("triage of one")
    assert window.found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_plain_pages_shut_nobody_out(examine: Callable[..., Examined], width: int) -> None:
    window = examine(None, width)
    page = window.page
    for path in ("login", "sample", "logout", "invite/used"):
        page.goto(f"{window.url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        plain(window, path)
    page.goto(f"{window.url}/login")
    page.get_by_label("E-mail address").fill("nobody@here.example")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    plain(window, "login refused")
    assert window.found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_status_page_shuts_nobody_out(examine: Callable[..., Examined], width: int) -> None:
    window = examine(None, width)
    for path in ("status", "status/history", "status/incidents/1", "status/incidents/999"):
        window.page.goto(f"{window.url}/{path}")
        expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        plain(window, path)
    assert window.found == []


def plain(window: Examined, what: str) -> None:
    for scheme in SCHEMES:
        window.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        window.found += [f"{what}, {scheme}: {finding}" for finding in window.axe(window.page)]
    window.found += [f"{what}: {box} runs off sideways" for box in window.page.evaluate(WIDER)]


def test_axe_would_find_a_picture_without_words(examine: Callable[..., Examined]) -> None:
    window = examine(None, 1280)
    window.page.goto(f"{window.url}/login")
    window.page.evaluate("document.querySelector('main img').removeAttribute('alt')")
    plain(window, "login")
    assert [finding for finding in window.found if "image-alt" in finding]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_changing_who_is_on_call_shuts_nobody_out(examine: Callable[..., Examined], width: int, scheme: str) -> None:
    lead = examine("lead", width, scheme)
    page = lead.page
    lead.open("on-call")
    page.get_by_role("button", name="Ask somebody").first.click()
    expect(page.get_by_role("dialog").get_by_text("You stay on call until they accept.")).to_be_visible()
    lead.look("asking for a swap")
    lead.open("schedules?schedule=2")
    page.get_by_role("button", name="Add an override").click()
    expect(page.get_by_role("dialog").get_by_text("Who is on call then")).to_be_visible()
    lead.look("an override")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("button", name="Down", exact=True).first.click()
    ready(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What changes")).to_be_visible()
    lead.look("a change of turns")
    assert lead.found == []
