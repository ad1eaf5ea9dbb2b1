"""The whole way of an incident, by different people, in the real app on a fresh database."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.answered import watch
from tests.browser.people import (
    PASSWORD,
    card,
    choose,
    column,
    drag,
    fill_report,
    incident,
    ready,
    report,
    sign_in,
)

Visit = Callable[..., Page]
ADMIN, LEAD, RESPONDER, DESK, REPORTER = (f"{name}@office.example" for name in ("ada", "lena", "rosa", "dora", "rudi"))
ROLES = {LEAD: ("Lena Lead", "lead"), RESPONDER: ("Rosa Responder", "responder"), DESK: ("Dora Desk", "desk")}
HOSTILE = "**Bold** <b>tag</b> :red[x] 🖨️ شبكة [a](//evil.example)"


@dataclass(frozen=True)
class Office:
    """The app, set up by its first administrator."""

    url: str
    enter: Visit

    def person(self, email: str, path: str = "/", **window: object) -> Page:
        """A window of somebody who signed in."""
        return sign_in(self.enter(**window), self.url, email, path=path)


@pytest.fixture(scope="module")
def set_up(server, browser: Browser) -> Iterator[str]:
    """Set the app up in a browser, with the code from the server's log; its address."""
    code = re.search(r"the code is (\S+)", server.log.read_text("utf-8"))
    assert code, "the log says no code"
    context = watch(browser.new_context())
    page = context.new_page()
    page.goto(server.url)
    expect(page).to_have_url(server.url + "/setup")
    page.get_by_label("One-time code").fill(code.group(1))
    page.get_by_label("Organisation").fill("The Office")
    page.get_by_label("Your name").fill("Ada Admin")
    page.get_by_label("Your e-mail address").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Set up", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="What needs you now")).to_be_visible()
    context.close()
    for email, (name, role) in ROLES.items():
        server.command("person", "add", name, "--email", email, "--role", role, "--password-stdin", words=PASSWORD)
    server.command(
        "person", "add", "Rudi Reporter", "--email", REPORTER, "--role", "reporter", "--password-stdin", words=PASSWORD
    )
    return server.url


@pytest.fixture
def office(set_up: str, page: Visit) -> Office:
    return Office(set_up, page)


def accept(page: Page, url: str, number: str, person: str | None = None) -> None:
    """Sort and assign an incident on the Triage page."""
    page.goto(f"{url}/triage?number={number}")
    expect(page.get_by_role("button", name="Accept and assign")).to_be_visible()
    ready(page)
    choose(page, page, "Category", "Printing")
    field = page.get_by_role("combobox", name="Person").element_handle()
    for group in ("Impact", "Urgency"):
        page.get_by_role("radiogroup", name=group).get_by_text("Medium").click()
    expect(page.get_by_text("Medium impact and medium urgency make")).to_be_visible()
    assert field.evaluate("field => field.isConnected"), "a field was drawn anew under the hand of who fills the form"
    if person:
        choose(page, page, "Person", person)
    ready(page)
    page.get_by_role("button", name="Accept and assign").click()
    expect(page.get_by_text(f"{number} assigned.")).to_be_visible()


def test_after_the_set_up_nobody_can_set_up_again(office: Office) -> None:
    page = office.enter()
    page.goto(office.url + "/setup")
    expect(page).to_have_url(office.url + "/login")
    expect(page.get_by_text("The Office")).to_be_visible()


def resolved_in_trends(page: Page, url: str) -> Locator:
    """How many incidents Trends counts as resolved."""
    page.goto(url + "/trends")
    return page.get_by_test_id("stMetric").filter(has_text="Resolved").get_by_test_id("stMetricValue")


def question(page: Page, number: str) -> Locator:
    """The card in My reports that asks whether it works again."""
    return page.get_by_test_id("stVerticalBlock").filter(has_text=number).filter(has_text="Does this work again?").last


def resolve(page: Page, url: str, number: str, done: str) -> None:
    incident(page, url, number)
    page.get_by_role("button", name="Resolve").click()
    dialog = page.get_by_role("dialog")
    choose(page, dialog, "How was it resolved?", "Fixed")
    dialog.get_by_role("textbox", name="What was done?").fill(done)
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.locator(".marks").get_by_text("Resolved")).to_be_visible()
    expect(dialog).to_have_count(0)


def test_an_incident_goes_from_report_to_trends(office: Office) -> None:
    lena = office.person(LEAD)
    rudi = office.person(REPORTER, "/report")
    numbers = [report(rudi, office.url, f"The printer on floor {floor} is jammed") for floor in (1, 2, 3)]

    for number in numbers:
        accept(lena, office.url, number, "Rosa Responder")
    before = int(resolved_in_trends(lena, office.url).inner_text())

    rosa = office.person(RESPONDER, "/board")
    dragged, keyed, chosen = numbers
    expect(card(rosa, dragged)).to_be_visible()
    drag(rosa, dragged, "in_progress")
    expect(column(rosa, "in_progress").locator(f"[data-card='{dragged}']:not(.moving)")).to_be_visible()
    card(rosa, keyed).locator(".open").focus()
    rosa.keyboard.press("Alt+ArrowRight")
    expect(column(rosa, "in_progress").locator(f"[data-card='{keyed}']:not(.moving)")).to_be_visible()
    card(rosa, chosen).get_by_role("button", name=f"Move or open {chosen}").click()
    rosa.get_by_role("menuitem", name="Move to In progress").click()
    expect(column(rosa, "in_progress").locator(f"[data-card='{chosen}']:not(.moving)")).to_be_visible()
    rosa.reload()
    for number in numbers:
        expect(column(rosa, "in_progress").locator(f"[data-card='{number}']")).to_be_visible()

    resolve(rosa, office.url, dragged, "The paper path was cleaned.")
    rosa.get_by_role("button", name="Service is restored").click()
    expect(rosa.locator(".marks").get_by_text("Recovered")).to_be_visible()

    rudi.goto(f"{office.url}/my-reports")
    question(rudi, dragged).get_by_role("button", name="Yes, it works").click()
    expect(rudi.get_by_text(f"{dragged} works again")).to_be_visible()

    dora = office.person(DESK, f"/incident?number={dragged}")
    dora.get_by_role("button", name="Close", exact=True).click()
    dialog = dora.get_by_role("dialog")
    expect(dialog.get_by_text("The reporter confirmed it", exact=True)).to_be_visible()
    dialog.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Close").click()
    expect(dora.locator(".marks").get_by_text("Closed")).to_be_visible()
    rudi.goto(f"{office.url}/my-reports?view=finished")
    expect(rudi.get_by_role("button", name="The printer on floor 1 is jammed")).to_be_visible()
    expect(resolved_in_trends(lena, office.url)).to_have_text(str(before + 1))


def restored(office: Office, title: str) -> str:
    """The number of an incident that Rudi reported and the desk has fixed on the telephone, so that he is asked."""
    rudi = office.person(REPORTER, "/report")
    number = report(rudi, office.url, title)
    dora = office.person(DESK, "/triage")
    accept(dora, office.url, number)
    resolve(dora, office.url, number, "It was switched on.")
    dora.get_by_role("button", name="Service is restored").click()
    expect(dora.locator(".marks").get_by_text("Recovered")).to_be_visible()
    dora.context.close()
    rudi.context.close()
    return number


def test_not_yet_opens_it_again_with_the_reporters_words(office: Office) -> None:
    number = restored(office, "The label printer prints blank labels")
    rudi = office.person(REPORTER, "/my-reports")
    question(rudi, number).get_by_role("button", name="Not yet").click()
    form = question(rudi, number)
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("Say what is still wrong.").first).to_be_visible()
    form.get_by_role("textbox").fill("Every second label is blank.")
    form.get_by_role("button", name="Send").click()
    expect(rudi.get_by_text(f"{number} is open again.")).to_be_visible()

    dora = incident(office.person(DESK), office.url, number)
    expect(dora.locator(".marks").get_by_text("In progress")).to_be_visible()
    said = dora.get_by_test_id("stAlert").filter(has_text="Rudi Reporter says it is not fixed")
    expect(said).to_contain_text("Every second label is blank.")
    expect(dora.get_by_role("button", name="Close", exact=True)).to_have_count(0)

    resolve(dora, office.url, number, "The roll was put in the right way round.")
    dora.get_by_role("button", name="Service is restored").click()
    expect(dora.get_by_text("Rudi Reporter is asked whether it works")).to_be_visible()
    expect(said).to_have_count(0)
    rudi.goto(f"{office.url}/my-reports?number={number}")
    rudi.get_by_role("textbox").fill("All labels are readable.")
    ready(rudi)
    rudi.get_by_role("button", name="Yes, it works").click()
    expect(rudi.get_by_text("Is it really fixed?").first).to_be_visible()
    rudi.get_by_role("button", name="Yes, it is fixed: send both").click()
    expect(rudi.get_by_text(f"{number} works again")).to_be_visible()

    dora.goto(f"{office.url}/home")
    expect(dora.get_by_role("heading", name="Answered: to close")).to_be_visible()
    incident(dora, office.url, number)
    dora.get_by_role("button", name="Close", exact=True).click()
    dora.get_by_role("dialog").get_by_test_id("stFormSubmitButton").click()
    expect(dora.locator(".marks").get_by_text("Closed")).to_be_visible()


def test_an_invited_person_chooses_a_password_by_the_link_once(office: Office) -> None:
    ada = office.person(ADMIN, "/people")
    ada.get_by_role("button", name="Invite").click()
    dialog = ada.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Ines Invited")
    dialog.get_by_label("E-mail address").fill("ines@office.example")
    ready(ada)
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("Send this link to Ines Invited")).to_be_visible()
    link = dialog.get_by_test_id("stCode").inner_text().strip()
    assert link.startswith(f"{office.url}/invite/"), link

    ines = office.enter()
    ines.goto(link)
    expect(ines.get_by_text("Hello Ines Invited.")).to_be_visible()
    ines.get_by_label("Password").fill(PASSWORD)
    ines.get_by_label("The same again").fill("something else")
    ines.get_by_role("button", name="Save and go on").click()
    expect(ines.get_by_role("alert").get_by_text("The two passwords are not the same.")).to_be_visible()
    ines.get_by_label("Password").fill(PASSWORD)
    ines.get_by_label("The same again").fill(PASSWORD)
    ines.get_by_role("button", name="Save and go on").click()
    expect(ines.get_by_role("heading", level=1, name="What needs you now")).to_be_visible()
    ready(ines)

    ines.context.clear_cookies()
    ines.goto(link)
    expect(ines.get_by_text("This link has been used or is too old.")).to_be_visible()
    sign_in(ines, office.url, "ines@office.example", path="/board")
    expect(ines.get_by_role("heading", level=1, name="Board")).to_be_visible()
    ada.reload()
    expect(ada.get_by_text("ines@office.example")).to_be_visible()


def test_a_double_click_makes_one_incident(office: Office) -> None:
    rudi = office.person(REPORTER, "/report")
    fill_report(rudi, "The door lock clicks twice", "East door")
    rudi.get_by_role("button", name="Send report").dblclick()
    expect(rudi.get_by_role("heading", level=1, name=re.compile("Your report is"))).to_be_visible()
    ready(rudi)
    rudi.goto(f"{office.url}/my-reports")
    ready(rudi)
    expect(rudi.get_by_role("button", name="The door lock clicks twice")).to_have_count(1)


def test_of_two_triagers_the_second_sees_what_the_first_did(office: Office) -> None:
    number = report(office.person(REPORTER, "/report"), office.url, "The projector shows stripes")
    dora, lena = office.person(DESK), office.person(LEAD)
    for page in (dora, lena):
        page.goto(f"{office.url}/triage?number={number}")
        expect(page.get_by_role("button", name="Accept and assign")).to_be_visible()
        ready(page)
        choose(page, page, "Category", "Hardware" if page is dora else "Network")
        for group in ("Impact", "Urgency"):
            page.get_by_role("radiogroup", name=group).get_by_text("Low" if page is dora else "High").click()
        ready(page)
    dora.get_by_role("button", name="Accept and assign").click()
    expect(dora.get_by_text(f"{number} assigned.")).to_be_visible()

    lena.get_by_role("button", name="Accept and assign").click()
    expect(lena.get_by_test_id("stAlert").filter(has_text=f"Dora Desk changed {number}")).to_be_visible()
    # Nothing of hers is lost, and she can go on.
    expect(lena.get_by_role("combobox", name="Category")).to_have_value("Network")
    lena.get_by_role("button", name="Keep theirs").click()
    expect(lena.get_by_role("button", name="Assign", exact=True)).to_be_visible()
    ready(lena)
    expect(lena.get_by_role("combobox", name="Category")).to_have_value("Hardware")
    ready(lena)
    choose(lena, lena, "Person", "Rosa Responder")
    ready(lena)
    lena.get_by_role("button", name="Assign", exact=True).click()
    expect(lena.get_by_text(f"{number} assigned.")).to_be_visible()
    page = incident(dora, office.url, number)
    expect(page.locator(".facts .name", has_text="Rosa Responder")).to_be_visible()


def test_a_link_to_an_incident_survives_the_sign_in(office: Office) -> None:
    number = report(office.person(REPORTER, "/report"), office.url, "The lift stops between floors")
    rosa = office.person(RESPONDER, f"/incident?number={number}")
    expect(rosa).to_have_url(f"{office.url}/incident?number={number}")
    expect(rosa.get_by_role("heading", level=1, name="The lift stops between floors")).to_be_visible()
    rudi = office.person(REPORTER, f"/incident?number={number}")
    expect(rudi).to_have_url(f"{office.url}/my-reports?number={number}")
    expect(rudi.get_by_role("heading", level=1, name="The lift stops between floors")).to_be_visible()


def test_signing_out_ends_another_open_tab_at_its_next_action(office: Office) -> None:
    rosa = office.person(RESPONDER, "/board")
    other = rosa.context.new_page()
    other.goto(office.url + "/board")
    expect(other.get_by_role("heading", level=1, name="Board")).to_be_visible()
    ready(other)

    rosa.get_by_role("button", name="Rosa Responder").click()
    rosa.get_by_role("menuitem", name="Sign out").click()
    # Streamlit opens every link button in a new tab.
    with rosa.expect_popup() as opened:
        rosa.get_by_role("link", name="Sign out").click()
    opened.value.get_by_role("button", name="Sign out").click()
    expect(opened.value.get_by_role("heading", level=1, name="Sign in")).to_be_visible()

    other.get_by_role("button", name="Report a problem").click()
    expect(other.get_by_role("heading", level=1, name="You are signed out")).to_be_visible()
    expect(other.get_by_role("link", name="Board")).to_have_count(0)


def test_words_are_shown_as_they_were_typed(office: Office) -> None:
    rudi = office.person(REPORTER, "/report")
    number = report(rudi, office.url, HOSTILE, "<i>Room</i> **204**", f"{HOSTILE}\n# no heading")
    expect(rudi.get_by_text(HOSTILE).first).to_be_visible()
    rudi.goto(f"{office.url}/my-reports")
    expect(rudi.get_by_role("button", name=HOSTILE)).to_be_visible()
    rudi.goto(f"{office.url}/my-reports?number={number}")
    expect(rudi.get_by_role("heading", level=1, name=HOSTILE)).to_be_visible()

    dora = office.person(DESK, f"/triage?number={number}")
    expect(dora.get_by_role("heading", level=2, name=HOSTILE)).to_be_visible()
    expect(dora.get_by_text("# no heading")).to_be_visible()
    dora.goto(f"{office.url}/board")
    expect(card(dora, number).locator(".open")).to_have_text(HOSTILE)
    incident(dora, office.url, number)
    expect(dora.get_by_role("heading", level=1, name=HOSTILE)).to_be_visible()
    expect(dora.get_by_text("<i>Room</i> **204**").first).to_be_visible()
    for page in (rudi, dora):
        assert page.locator("[href*='evil.example']").count() == 0
