"""A postmortem as a page to print, and what the public reads of one."""

import re

import pytest

from api import postmortems as routes
from api import status_pages
from db.commands import published_postmortems
from db.engine import reading, writing
from db.models import Incident
from db.queries import status_page
from tests.api.visitor import visitor
from tests.db.learned import NOW, RECOVERED, Learned

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOSTILE = "<script>alert(1)</script> ![x](https://evil.example/x.png) [y](javascript:alert(1)) **bold** `co<de>`"


@pytest.fixture
def office(app_database):
    return Learned(app_database)


@pytest.fixture
def ask(office):
    with visitor(office, routes.routes) as asked:
        yield asked


@sqlite
def test_the_page_to_print_has_all_of_it_and_nothing_that_acts(office, ask):
    one = office.written()
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    office.save(
        one, 2, title=HOSTILE, summary=f"{HOSTILE}\n\n- one\n  - two\n1. three\n\n> four\n\n# five\n\n{table}",
        timeline="```\n<i>six\n```", went_well="- [ ] seven", factors=HOSTILE,
    )  # fmt: skip
    answer = ask("Priya", f"/postmortems/{one}/print")
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["cache-control"] == "private, no-store"
    page = answer.text
    assert not re.search(r"<script|<img|javascript:[^<]*\"|onerror=", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for drawn in (
        "<b>bold</b>", "<code>co&lt;de&gt;</code>",
        '<a href="https://evil.example/x.png" rel="noopener noreferrer">x</a>',
        '<ul><li class="l0">one</li><li class="l1">two</li></ul>', '<ol><li class="l0" value="1">three</li></ol>',
        "<blockquote>four</blockquote>", "<h3>five</h3>", "<th>a</th>", "<td>2</td>", "<pre>&lt;i&gt;six</pre>",
        "☐ seven", "Add an alarm", "overdue, due 9 Mar 2026", "Nothing was written.", "Postmortem of",
    ):  # fmt: skip
        assert drawn in page, drawn


@sqlite
def test_it_is_printed_for_those_alone_to_whom_it_is_open(office, ask):
    one = office.written()
    path = f"/postmortems/{one}/print"
    for who, status in (("Rita", 404), ("Ada", 200), ("Max", 200)):
        assert ask(who, path).status_code == status
    assert ask(None, path).status_code == 303
    for other in ("/postmortems/999/print", "/postmortems/99999999999999999999/print", "/postmortems/x/print"):
        assert ask("Priya", other).status_code == 404
    with writing(office.engine) as db:
        db.get_one(Incident, office.seen(one).incident_id).restricted = True
    assert ask("Priya", path).status_code == 200
    for who in ("Max", "Sam", "Ada"):
        assert ask(who, path).status_code == 404


@sqlite
def test_the_public_page_of_the_incident_shows_the_chosen_words_alone(office):
    one = office.published()
    incident = office.seen(one).incident_id
    office.update(incident, stage="resolved", at=RECOVERED)
    office.do(
        published_postmortems.publish, one, None, "What we changed", "More space.\n<b>And</b> an alarm.", by="Lena"
    )
    with reading(office.engine) as db:
        [told] = status_page.past(db, NOW).past
        page = status_pages.incident(*status_page.one(db, told.id, NOW))
    assert "What we changed" in page
    assert "More space.\n&lt;b&gt;And&lt;/b&gt; an alarm." in page
    for ours in ("Mail was down", "disk", office.seen(one).number, "Priya", "Sam", "Add an alarm"):
        assert ours not in page.split("</style>")[1]
