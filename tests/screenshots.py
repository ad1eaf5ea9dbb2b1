"""python -m tests.screenshots: the pictures of README and docs, taken from the running app with sample data."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.answered import watch
from tests.browser.people import as_sample, ready
from tests.browser.running import CHROMIUM, FLAGS, ROOT, started

PICTURES = ROOT / "docs" / "pictures"
WIDE, PHONE = (1280, 800), (360, 740)
LARGEST = 200_000
"""bytes of one picture"""
REPORTER, RESPONDER, LEAD, MANAGER, ADMIN = (
    "Birgit Schäfer",
    "Mateo Fernández",
    "Amara Okafor",
    "Margarethe Vogel",
    "Samuel Adeyemi",
)
PAGES = {
    "report": REPORTER,
    "my-reports": REPORTER,
    "triage": LEAD,
    "home": LEAD,
    "board": RESPONDER,
    "incident": RESPONDER,
    "trends": MANAGER,
    "people": ADMIN,
}
"""page -> whose eyes it is seen with"""
ON_A_PHONE = ("report", "triage", "board")


@contextmanager
def sample() -> Iterator[str]:
    """The address of the app on sample data, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as place:
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{Path(place) / 'incidents.db'}",
            "SECRET_KEY": "the key of the screenshots, 32 characters or more",
            "WORKER": "off",
        }
        subprocess.run([sys.executable, "-m", "db", "demo"], cwd=ROOT, env=environment, check=True, capture_output=True)
        with started(environment, Path(place) / "server.log") as (url, _):
            yield url


def show(page: Page, url: str, name: str) -> None:
    """Bring the page into the state that its picture shows."""
    page.goto(f"{url}/{'board' if name == 'incident' else name}")
    if name == "incident":
        card = page.locator(".column[data-state=in_progress] [data-card]").first
        page.goto(f"{url}/incident?number={card.get_attribute('data-card')}")
        page.locator(".entry").first.wait_for()
    if name == "report":
        page.get_by_label("What is wrong?").fill("Label printer on ward 3 prints blank labels")
        page.get_by_label("What or where is affected?").fill("Printing")
        page.get_by_label("What or where is affected?").blur()
        page.mouse.move(0, 0)
    ready(page)
    expect(page.get_by_test_id("stMain").get_by_role("heading", level=1).first).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_load_state("networkidle")


def take(browser: Browser, url: str, name: str, scheme: str, size: tuple[int, int], file: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        timezone_id="Europe/Berlin",
        locale="en-GB",
        has_touch=size == PHONE,
        reduced_motion="reduce",
    )
    page = watch(context).new_page()
    as_sample(page, url, PAGES[name])
    show(page, url, name)
    picture = PICTURES / f"{file}.png"
    drawn = page.screenshot(animations="disabled", caret="hide")
    context.close()
    # A screen has few colours: 256 of them show no difference and take half the room.
    with Image.open(BytesIO(drawn)) as whole:
        whole.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)
    if picture.stat().st_size > LARGEST:
        raise SystemExit(f"{picture.name} is larger than {LARGEST // 1000} kB.")
    print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size // 1000} kB")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sample() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for name in PAGES:
            for scheme in ("light", "dark"):
                take(browser, url, name, scheme, WIDE, f"{name}-{scheme}")
        for name in ON_A_PHONE:
            take(browser, url, name, "light", PHONE, f"{name}-phone-light")
        browser.close()


if __name__ == "__main__":
    main()
