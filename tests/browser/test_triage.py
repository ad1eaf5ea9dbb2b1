"""A lead's morning: the inbox by keyboard alone, several at once with a result for each, and the way back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from db.commands import incidents
from db.engine import make_engine, reading, writing
from db.models import CategoryPair, Incident, Person, PersonRole, Service, TeamMember
from rules.access import Actor
from tests.browser.people import as_sample, choose, ready

LEAD = "Priya Nair"
Visit = Callable[..., Page]


class Hospital:
    """The sample data of a running app, with new reports beside it."""

    def __init__(self, database_url: str) -> None:
        self.engine = make_engine(database_url)
        self.now = datetime.now(UTC)
        with reading(self.engine) as db:
            self.pair_id = db.scalars(select(CategoryPair.id).order_by(CategoryPair.id).limit(1)).one()
            self.service_id = db.scalars(select(Service.id).where(Service.team_id.is_not(None)).limit(1)).one()
            self.lead, self.reporter = self.actor(db, LEAD), self.actor(db, "Birgit Schäfer")

    def actor(self, db, name: str) -> Actor:
        person = db.scalars(select(Person).where(Person.name == name)).one()
        roles = db.scalars(select(PersonRole.role).where(PersonRole.person_id == person.id))
        teams = db.scalars(select(TeamMember.team_id).where(TeamMember.person_id == person.id))
        return Actor(person.id, name, frozenset({"reporter", *roles}), frozenset(teams))

    def report(self, title: str, *, sorted_already: bool = False) -> str:
        """Report it; its number."""
        with writing(self.engine) as db:
            made = incidents.report(
                db,
                title=title,
                service_id=self.service_id,
                scope="everyone",
                effect="stopped",
                actor=self.reporter,
                now=self.now,
            )
            if sorted_already:
                fields = {"category_pair_id": self.pair_id}
                incidents.prioritise(db, made.id, None, fields, actor=self.lead, now=self.now)
            return made.number

    def cancel(self, number: str) -> None:
        with writing(self.engine) as db:
            found = db.scalars(select(Incident).where(Incident.number == number)).one()
            incidents.perform(db, found.id, None, "cancel", {"reason": "A test."}, actor=self.lead, now=self.now)

    def sort(self, number: str, **fields: object) -> None:
        """Somebody else changes it meanwhile."""
        with writing(self.engine) as db:
            found = db.scalars(select(Incident).where(Incident.number == number)).one()
            other = self.actor(db, "Amara Okafor")
            incidents.prioritise(db, found.id, None, fields, actor=other, now=datetime.now(UTC))

    def incident(self, number: str) -> Incident:
        with reading(self.engine) as db:
            return db.scalars(select(Incident).where(Incident.number == number)).one()

    def states(self, numbers: list[str]) -> list[str]:
        with reading(self.engine) as db:
            rows = db.execute(select(Incident.number, Incident.state).where(Incident.number.in_(numbers)))
            found = {number: state for number, state in rows}
        return [found[number] for number in numbers]


@pytest.fixture(scope="module")
def hospital(sample_server) -> Hospital:
    return Hospital(sample_server.database_url)


@pytest.fixture
def triage(sample_server, hospital: Hospital, page: Visit) -> Callable[[str], Page]:
    def begin(path: str) -> Page:
        window = page()
        as_sample(window, sample_server.url, LEAD, path=path)
        expect(window.get_by_role("heading", name="Triage", level=1)).to_be_visible()
        ready(window)
        return window

    return begin


def row(page: Page, number: str) -> Locator:
    return page.locator(f"button.open[data-id='{number}']")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus."""
    for _ in range(60):
        if wanted.evaluate("node => node.getRootNode().activeElement === node"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab never reached it")


def walk_to(page: Page, number: str) -> None:
    """From anywhere in the list to this row, by arrow keys."""
    page.keyboard.press("Home")
    for _ in range(30):
        if row(page, number).evaluate("node => node.getRootNode().activeElement === node"):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{number} is not in the list")


def pick(page: Page, dialog: Locator, label: str) -> None:
    """Choose the first option of a selectbox that has nothing yet, by keys."""
    tab_to(page, dialog.get_by_role("combobox", name=label))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option")).to_have_count(0)


def test_twenty_new_ones_by_keyboard_alone(triage, hospital: Hospital) -> None:
    ready_made = [hospital.report(f"Sorted already {n}", sorted_already=True) for n in range(16)]
    unsorted, twin, wrong, last = (hospital.report(words) for words in ("Unsorted", "A twin", "A test report", "Last"))
    page = triage("/triage?view=new&q=")
    first = page.locator("button.open").first
    first.wait_for()
    tab_to(page, page.locator("button.open[tabindex='0']"))
    for number in ready_made:
        walk_to(page, number)
        page.keyboard.press("a")
        expect(row(page, number)).to_have_count(0)
        expect(page.get_by_text(f"{number} accepted.")).to_be_visible()
        ready(page)
        expect(page.locator("button.open:focus")).to_have_count(1)
    for number, key in ((unsorted, "a"), (last, "a")):
        walk_to(page, number)
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog")
        pick(page, dialog, "Category")
        ready(page)
        tab_to(page, dialog.get_by_role("button", name="Accept and assign"))
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        expect(row(page, number)).to_have_count(0)
        ready(page)
        row(page, page.locator("button.open").first.get_attribute("data-id") or "").focus()
    walk_to(page, twin)
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog")
    tab_to(page, dialog.get_by_role("textbox"))
    page.keyboard.type(ready_made[0])
    expect(dialog.get_by_role("button", name="Merge")).to_be_disabled()
    page.keyboard.press("Tab")
    merge = dialog.get_by_role("button", name=f"Merge {twin} into {ready_made[0]}")
    expect(merge).to_be_enabled()
    tab_to(page, merge)
    page.keyboard.press("Enter")
    expect(row(page, twin)).to_have_count(0)
    ready(page)
    row(page, page.locator("button.open").first.get_attribute("data-id") or "").focus()
    walk_to(page, wrong)
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    tab_to(page, dialog.get_by_role("textbox"))
    page.keyboard.type("Not an incident: somebody tried the form.")
    tab_to(page, dialog.get_by_role("button", name="Cancel", exact=True))
    page.keyboard.press("Enter")
    expect(row(page, wrong)).to_have_count(0)
    assert hospital.states([*ready_made, unsorted, last]) == ["assigned"] * 18
    assert hospital.states([twin, wrong]) == ["cancelled", "cancelled"]


def test_keys_do_nothing_while_typing_nor_when_switched_off(sample_server, triage, hospital: Hospital) -> None:
    number = hospital.report("Keys and words", sorted_already=True)
    page = triage("/triage?view=new")
    field = page.get_by_role("textbox", name="Find")
    field.click()
    page.keyboard.type("a n d h")
    expect(field).to_have_value("a n d h")
    assert hospital.states([number]) == ["new"]
    page.goto(f"{sample_server.url}/account")
    ready(page)
    page.get_by_text("One-key commands").click()
    ready(page)
    page.goto(f"{sample_server.url}/triage?view=new")
    ready(page)
    row(page, number).focus()
    page.keyboard.press("a")
    page.keyboard.press("ArrowDown")
    ready(page)
    assert hospital.states([number]) == ["new"]
    page.goto(f"{sample_server.url}/account")
    ready(page)
    page.get_by_text("One-key commands").click()
    ready(page)


def test_several_at_once_with_two_refused_and_taken_back(triage, hospital: Hospital) -> None:
    numbers = [hospital.report(f"Bulk {n}", sorted_already=True) for n in range(5)]
    page = triage("/triage?view=new&q=Bulk")
    for number in numbers:
        page.get_by_role("checkbox", name=f"Mark {number}").check()
    expect(page.get_by_text("5 marked")).to_be_visible()
    for number in numbers[:2]:
        hospital.cancel(number)
    page.get_by_role("button", name="Change them").click()
    page.get_by_role("menuitem", name="Accept and assign").click()
    dialog = page.get_by_role("dialog")
    choose(page, dialog, "Team", None)
    dialog.get_by_role("button", name="Accept and assign: 5").click()
    expect(dialog.get_by_text("3 changed.")).to_be_visible()
    expect(dialog.get_by_text("2 left as they were.")).to_be_visible()
    expect(dialog.get_by_text("changed").filter(has_text=numbers[0])).to_have_count(1)
    assert hospital.states(numbers) == ["cancelled", "cancelled", "assigned", "assigned", "assigned"]
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_role("button", name="Undo")).to_have_count(0)
    expect(dialog.get_by_text("3 changed.")).to_be_visible()
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_have_count(0)
    assert hospital.states(numbers) == ["cancelled", "cancelled", "new", "new", "new"]


def test_one_key_takes_back_what_one_key_did(triage, hospital: Hospital) -> None:
    number = hospital.report("Back again", sorted_already=True)
    page = triage("/triage?view=new")
    row(page, number).focus()
    page.keyboard.press("a")
    expect(page.get_by_text(f"{number} accepted.")).to_be_visible()
    ready(page)
    page.locator("button.open").first.focus()
    page.keyboard.press("u")
    expect(page.get_by_text(f"{number} is as it was.")).to_be_visible()
    expect(row(page, number)).to_be_visible()
    assert hospital.states([number]) == ["new"]


def test_two_decide_at_once_and_the_second_compares_and_chooses(triage, hospital: Hospital) -> None:
    number = hospital.report("Two at once", sorted_already=True)
    page = triage(f"/triage?view=new&number={number}")
    page.get_by_role("radiogroup", name="Urgency").get_by_text("Low").click()
    expect(page.get_by_text("low urgency make")).to_be_visible()  # it is drawn as it was before the other's change
    hospital.sort(number, impact=3, people_affected=12)
    page.get_by_role("button", name="Save only").click()
    expect(page.get_by_text(f"Amara Okafor changed {number} while you were looking at it")).to_be_visible()
    table = page.get_by_role("table")
    expect(table.get_by_role("row").filter(has_text="Impact")).to_have_text(re.compile("Impact: HighLow–"))
    expect(table.get_by_role("row").filter(has_text="Urgency")).to_have_text(re.compile("Urgency: HighHighLow"))
    page.get_by_role("button", name="Use mine").click()
    expect(page.get_by_text(f"{number} saved.")).to_be_visible()
    kept = hospital.incident(number)
    assert (kept.impact, kept.urgency, kept.people_affected) == (3, 3, 12)


def test_a_view_is_kept_shared_and_opened_again(sample_server, triage, hospital: Hospital, page: Visit) -> None:
    window = triage("/triage?view=late")
    window.get_by_role("button", name="Views").click()
    window.get_by_label("Keep this view as").fill("Too late")
    window.get_by_text("Offer it to everybody who triages").click()
    window.get_by_role("button", name="Keep", exact=True).click()
    expect(window.get_by_role("button", name="Too late · shared")).to_be_visible()
    other = page()
    as_sample(other, sample_server.url, "Amara Okafor", path="/triage")
    other.get_by_role("button", name="Views").click()
    other.get_by_role("button", name=re.compile("Too late.*Priya Nair")).click()
    expect(other).to_have_url(re.compile("view=late"))
    expect(other.get_by_role("radio", name="Late")).to_be_checked()
