"""Trends in a browser: from a number or a bar to its incidents and back; files, pictures and paper say the same."""

import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from PIL import Image

pytest.importorskip("playwright", reason="pip install -r requirements-dev.txt")

from playwright.sync_api import Download, Page, expect

from tests.browser.people import as_sample, ready
from tests.browser.test_accessibility import PERSON, SCHEMES, WIDER, Examined

Visit = Callable[..., Page]
Axe = Callable[[Page], list[str]]
SIZES = ((1280, 900), (360, 740))


@pytest.fixture(scope="module")
def url(sample_server) -> str:
    return sample_server.url


def manager(page: Visit, url: str, path: str, **window: int) -> Page:
    return as_sample(page(**window), url, PERSON["manager"], path=path)


def counted(window: Page) -> int:
    """How many incidents the page of a figure says there are."""
    said = window.get_by_text(re.compile(r"^[\d,]+ incidents?$"))
    expect(said).to_be_visible()
    return int(said.inner_text().split()[0].replace(",", ""))


def test_a_number_opens_its_incidents_one_of_them_and_the_way_back(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends?period=30&team=1")
    link = window.get_by_role("link", name=re.compile(r"^Show [\d,]+")).first
    expect(link).to_be_visible()
    number = int(link.inner_text().split()[1].replace(",", ""))
    link.click()
    expect(window.get_by_role("heading", level=1, name="Opened")).to_be_visible()
    ready(window)
    assert counted(window) == number
    expect(window.get_by_text("Team: Service Desk")).to_be_visible()
    rows = window.locator("[data-part=open]")
    expect(rows).to_have_count(min(number, 25))
    window.get_by_role("button", name="Back to Trends").click()
    expect(window).to_have_url(re.compile("/trends\\?.*team=1"))
    expect(window).to_have_url(re.compile("period=30"))
    ready(window)
    window.get_by_role("link", name=re.compile(f"^Show {number:,}")).first.click()
    expect(rows.first).to_be_visible()
    ready(window)
    rows.first.click()
    expect(window).to_have_url(re.compile(r"/incident\?number=INC-"))
    ready(window)
    window.go_back()
    expect(window).to_have_url(re.compile(r"/figure\?figure=opened"))
    expect(window.get_by_role("heading", level=1, name="Opened")).to_be_visible()
    expect(rows).to_have_count(min(number, 25))


def test_a_change_of_the_period_moves_every_number_and_the_address(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends?period=30")
    opened = window.get_by_test_id("stMetricValue").first
    expect(opened).to_be_visible()
    short = int(opened.inner_text().replace(",", ""))
    window.get_by_role("radio", name="3 months").click()
    expect(opened).not_to_have_text(f"{short:,}")
    expect(window).not_to_have_url(re.compile("period="))
    ready(window)
    assert int(opened.inner_text().replace(",", "")) > short
    window.get_by_role("radio", name="Speed and promises").click()
    expect(window).to_have_url(re.compile("view=speed"))
    expect(window.get_by_text("Never acknowledged").first).to_be_visible()
    window.reload()
    expect(window.get_by_text("Never acknowledged").first).to_be_visible()


def test_a_bar_opens_the_incidents_it_stands_for(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends?view=causes&period=30")
    chart = window.locator("[role=graphics-document][aria-label^='How bad they are']")
    bar = chart.locator("path[aria-label*='P3 Moderate']").first
    bar.scroll_into_view_if_needed()
    said = re.search(r"n: ([\d,]+)", bar.get_attribute("aria-label") or "")
    assert said
    ready(window)
    bar.click()
    expect(window.get_by_role("heading", level=1, name="Opened")).to_be_visible()
    ready(window)
    assert counted(window) == int(said.group(1).replace(",", ""))
    expect(window.get_by_text("Priority: P3 Moderate")).to_be_visible()


def saved(download: Download) -> bytes:
    return download.path().read_bytes()


def test_back_and_forward_show_what_was_chosen_before(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends")
    addresses = [window.url]

    def stands(*chosen: str) -> None:
        ready(window)
        for name in chosen:
            expect(window.get_by_role("radio", name=name, exact=True)).to_be_checked()

    for name in ("Load", "30 days", "Days…"):
        window.get_by_role("radio", name=name, exact=True).click()
        expect(window).not_to_have_url(addresses[-1])
        stands(name)
        addresses.append(window.url)
    for address, chosen in zip(
        addresses[-2::-1], (("Load", "30 days"), ("Load", "3 months"), ("Overview", "3 months")), strict=True
    ):
        window.go_back()
        stands(*chosen)
        expect(window).to_have_url(address)
    window.go_forward()
    stands("Load", "3 months")
    expect(window).to_have_url(addresses[1])


def test_files_hold_what_the_screen_shows(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends?period=30&team=1")
    metric = window.get_by_test_id("stMetricValue").first
    expect(metric).to_be_visible()
    shown = int(metric.inner_text().replace(",", ""))
    window.get_by_role("button", name="Export").click()
    with window.expect_download() as told:
        window.get_by_role("link", name=re.compile("^XLSX")).click()
    assert re.fullmatch(r"trends-overview-.*-Europe-Berlin\.xlsx", told.value.suggested_filename)
    book = openpyxl.load_workbook(io.BytesIO(saved(told.value)))
    about = {row[0].value: row[1].value for row in book["About"].iter_rows() if row[0].value}
    assert (about["Filters"], about["Zone"]) == ("Team: Service Desk", "Europe/Berlin")
    numbers = {row[0].value: row[1].value for row in book["Numbers"].iter_rows(min_row=2)}
    assert numbers["Opened"] == shown
    with window.expect_download() as told:
        window.get_by_role("link", name="Backlog").click()
    assert Image.open(io.BytesIO(saved(told.value))).format == "PNG"
    window.keyboard.press("Escape")
    window.get_by_role("link", name=re.compile(r"^Show [\d,]+")).first.click()
    expect(window.get_by_role("heading", level=1, name="Opened")).to_be_visible()
    ready(window)
    window.get_by_role("button", name="Export").click()
    with window.expect_download() as told:
        window.get_by_role("link", name=re.compile("^XLSX")).click()
    sheet = openpyxl.load_workbook(io.BytesIO(saved(told.value)))["Opened"]
    assert sheet.max_row - 1 == shown == counted(window)


def test_the_process_can_be_read_on_a_phone_and_leaves_as_it_is_shown(page: Visit, url: str) -> None:
    window = manager(page, url, "/trends-process?period=all", width=360)
    drawing = window.get_by_role("img", name=re.compile("^The most frequent of"))
    expect(drawing).to_be_visible()
    shrunk = drawing.evaluate(
        "async image => { await image.decode(); return image.getBoundingClientRect().width / image.naturalWidth; }"
    )
    assert shrunk > 0.75, "its letters of 14 pixels are smaller than 10"
    assert window.evaluate(WIDER) == []
    window.get_by_role("button", name="Export").click()
    with window.expect_download() as told:
        window.get_by_role("link", name=re.compile("^CSV")).click()
    assert re.fullmatch(r"process-.*-Europe-Berlin\.csv", told.value.suggested_filename)
    paper = window.get_by_role("link", name="Print view").get_attribute("href")
    window.goto(f"{url}{paper}")
    expect(window.get_by_role("heading", level=1, name="Process")).to_be_visible()
    assert window.evaluate(WIDER) == []
    window.get_by_role("link", name="Back to Process").click()
    expect(drawing).to_be_visible()


def test_on_paper_every_picture_has_its_words_and_its_table(page: Visit, axe: Axe, url: str) -> None:
    window = manager(page, url, "/trends?period=30")
    window.get_by_role("button", name="Export").click()
    with window.expect_popup() as opened:
        window.get_by_role("link", name="Print view").click()
    window = opened.value
    expect(window.get_by_role("heading", level=1, name="Trends: Overview")).to_be_visible()
    found = []
    for view in ("overview", "speed", "causes", "load"):
        window.goto(f"{url}/trends/print?view={view}&zone=Europe/Berlin")
        for picture in window.get_by_role("img").all():
            title, says = (picture.locator(part).text_content() for part in ("title", "desc"))
            assert title
            assert says
            table = window.get_by_role("region", name=f"Table: {title}").get_by_role("table").first
            expect(table).to_be_visible()
        for width, height in SIZES:
            window.set_viewport_size({"width": width, "height": height})
            # Paper is light, whatever the screen is.
            window.emulate_media(color_scheme="dark" if view == "overview" else "light")
            found += [f"{view} {width}: {finding}" for finding in axe(window)]
            found += [f"{view} {width}: {box} runs off sideways" for box in window.evaluate(WIDER)]
    assert found == []
    window.emulate_media(media="print")
    expect(window.get_by_role("navigation")).to_be_hidden()
    assert window.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_page_behind_a_number_shuts_nobody_out(page: Visit, axe: Axe, url: str) -> None:
    period = "from=2020-01-01T00:00:00%2B00:00&to=2100-01-01T00:00:00%2B00:00"
    found = []
    for width, height in SIZES:
        window = Examined(manager(page, url, "/", width=width, height=height), axe, url, tuple(SCHEMES))
        for key in ("to_resolve", "unresolved"):
            window.open(f"figure?figure={key}&{period}")
            window.look(key)
        window.page.get_by_role("button", name="Export").click()
        expect(window.page.get_by_role("link", name=re.compile("^CSV"))).to_be_visible()
        window.look("export")
        window.open("figure?figure=nonsense")
        window.look("nonsense")
        found += window.found
    assert found == []
