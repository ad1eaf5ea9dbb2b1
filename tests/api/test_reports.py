"""Reports without an account, through the real routes: the form, its link, and everything that must not work."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api import forms, plain, reports, sign_in
from api.gate import Gate
from db.commands import anonymous, problems, templates
from db.engine import reading, writing
from db.models import Attachment, Deflection, Incident, Throttle, TimelineEntry
from db.settings import settings
from rules.attachments import MAX_BYTES
from tests.db.office import MONDAY, Office

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
HOSTILE = "<script>alert(1)</script> **b** \u202eevil \U0001f5a8 شبكة {{ 7*7 }}"
TYPED = {"title": "Cannot print", "affected": "Room 204", "caller_name": "Ana", "caller_contact": "ana@example.org"}


@pytest.fixture
def office(app_database, monkeypatch):
    monkeypatch.setattr(settings(), "anonymous_reports", True)
    return Office(app_database)


@pytest.fixture
def clock(monkeypatch):
    """The time of the pages; add to it to go on."""
    passed = [timedelta()]
    began = datetime.now(UTC)
    monkeypatch.setattr(plain, "now", lambda: began + sum(passed, timedelta()))
    return passed


async def page(request):
    return PlainTextResponse("the app")


@pytest.fixture
def client(office):
    routes = [*sign_in.routes, *reports.routes, Route("/{path:path}", page, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


def hidden(client, path, *names):
    text = client.get(path).text
    return {name: re.search(rf'name="{name}" value="([^"]+)"', text).group(1) for name in names}


def send(client, files=None, headers=None, **typed):
    given = hidden(client, reports.FORM, "proof", "once") | TYPED | typed
    return client.post(reports.FORM, data=given, files=files or {"files": ("", b"")}, headers=headers)


def made(client, **typed):
    """The address of the page of a new report."""
    answer = send(client, **typed)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def press(client, path, do, words="", **more):
    return client.post(path, data=hidden(client, path, "proof") | {"do": do, "words": words} | more)


def count(model=Incident):
    with reading() as db:
        return db.scalar(select(func.count()).select_from(model))


def incident():
    with reading() as db:
        return db.scalars(select(Incident).order_by(Incident.id.desc()).limit(1)).one()


def fix(office):
    """Bring the newest incident to recovered, as the desk does."""
    number, now = incident().id, datetime.now(UTC)
    office.perform(number, "accept", "Lena", now, **office.triage)
    office.perform(number, "acknowledge", "Priya", now)
    office.perform(number, "resolve", "Priya", now, resolution_code="fixed", resolution_note="New cable.")
    office.perform(number, "recover", "Priya", now)


def known_error(office, **given):
    """The id of one, shown to reporters unless `given` says otherwise."""
    words = {"title": "Labels print <b>blank</b>", "cause": "A worn head.", "workaround": "Clean the head."}
    with writing() as db:
        told = words | {"public_words": "Switch it\noff and on."} | given
        actor = office.people["Priya"]
        problem = problems.begin(db, told, actor=actor, now=MONDAY)
        return problems.move(db, problem.id, None, "know", actor=actor, now=MONDAY).id


def test_a_known_error_is_shown_once_before_the_report_is_taken(client, office):
    known = known_error(office)
    answer = send(client, title="Labels blank again")
    assert (answer.status_code, count()) == (200, 0)
    assert "We know of this" in answer.text
    assert "Labels print &lt;b&gt;blank&lt;/b&gt;" in answer.text
    assert "worn head" not in answer.text
    assert 'value="Labels blank again"' in answer.text
    first = re.search(r"<button[^>]*>", answer.text).group()
    assert "name=" not in first, "Enter in a field sends the report, and does not say that it helped"
    given = {name: re.search(rf'name="{name}" value="([^"]+)"', answer.text).group(1) for name in ("proof", "once")}
    helped = client.post(reports.FORM, data=TYPED | given | {"helped": str(known)})
    assert "Good that it helped" in helped.text
    assert (count(), count(Deflection)) == (0, 1)
    again = client.post(reports.FORM, data=TYPED | given | {"title": "Labels blank again", "anyway": "yes"})
    assert again.status_code == 303
    assert (count(), count(Deflection)) == (1, 0), "who reports it all the same was not helped"


def test_a_known_error_is_not_shown_again_with_what_must_be_put_right(client, office):
    known_error(office)
    answer = send(client, title="Labels blank again", anyway="yes", scope="moon")
    assert answer.status_code == 400
    assert 'name="anyway" value="yes"' in answer.text
    assert "We know of this" not in answer.text


def test_what_is_no_known_error_for_everybody_is_shown_to_nobody(client, office):
    known = known_error(office, restricted=True)
    given = hidden(client, reports.FORM, "proof", "once")
    refused = client.post(reports.FORM, data=TYPED | given | {"helped": str(known)})
    assert refused.status_code == 400
    assert "not a known error any more" in refused.text
    made(client, title="Labels blank again")
    assert (count(), count(Deflection)) == (1, 0)


def test_where_it_is_off_there_is_nothing(client, office, monkeypatch):
    path = made(client)
    monkeypatch.setattr(settings(), "anonymous_reports", False)
    for address in (reports.FORM, path):
        assert client.get(address).status_code == 404
        assert client.post(address, data=TYPED).status_code == 404
    assert "without an account" not in client.get("/login").text
    assert count() == 1


def test_a_report_leads_to_a_page_that_only_its_link_opens(client, office):
    assert "Report a problem without an account" in client.get("/login").text
    path = made(client, service_id=str(office.service), scope="team", effect="stopped", description="Since noon.")
    token = path.removeprefix("/track/")
    assert len(token) >= 43
    found = incident()
    assert (found.source, found.caller_name, found.caller_contact) == ("anonymous", "Ana", "ana@example.org")
    assert (found.reporter_id, found.logged_by_id, found.service_id) == (None, None, office.service)
    assert token.encode() not in found.tracking_hash
    assert token not in str({name: getattr(found, name) for name in Incident.__table__.columns.keys()})  # noqa: SIM118
    shown = client.get(path)
    assert shown.status_code == 200
    for words in ("Received", "The service desk looks at it by", "Ana reported it without an account", "Since noon."):
        assert words in shown.text
    assert f"http://desk.example{path}" in shown.text
    for secret in ("P1", "P2", "impact", "urgency"):
        assert secret not in shown.text.replace(token, "")
    client.cookies.clear()
    assert client.get(path).status_code == 200, "the link alone is enough"


QUESTIONS = [
    {"label": "Which barrier?", "kind": "choice", "required": True, "options": ["North <1>", "South"]},
    {"label": "Is anybody locked in?", "kind": "yes_no", "required": True},
    {"label": "Since which day?", "kind": "date"},
]


def test_what_is_needed_asks_its_questions_also_without_an_account(client, office):
    with writing() as db:
        template = templates.save(
            db, None, name="A barrier stays shut", description="At the car parks.", impact=1, urgency=1,
            category_pair_id=office.pair, questions=QUESTIONS, actor=office.people["Ada"], now=MONDAY,
        )  # fmt: skip
    asked = send(client, title="Shut", template_id=str(template), ask="yes")
    assert (asked.status_code, count()) == (200, 0), "showing the questions sends nothing"
    for words in ("Which barrier?", "North &lt;1&gt;", "Is anybody locked in?", "Since which day? (optional)", "Shut"):
        assert words in asked.text
    refused = send(client, template_id=str(template), **{"answers.which_barrier": "West"})
    assert (refused.status_code, count()) == (400, 0)
    for words in ("Choose one from the list.", 'href="#answers.is_anybody_locked_in"', 'id="answers.which_barrier"'):
        assert words in refused.text
    given = {"answers.which_barrier": "North <1>", "answers.is_anybody_locked_in": "no", "answers.more": "ignored"}
    path = made(client, template_id=str(template), **given, **{"answers.since_which_day": "2026-03-01"})
    found = incident()
    assert (found.template_id, found.category_pair_id, found.priority) == (template, office.pair, 1)
    assert [each["answer"] for each in found.answers] == ["North <1>", "No", "1 Mar 2026"]
    assert "Which barrier? North &lt;1&gt;" in client.get(path).text
    with writing() as db:
        templates.archive(db, template, actor=office.people["Ada"], now=MONDAY)
    assert "What do you need?" not in client.get(reports.FORM).text
    assert send(client, template_id=str(template), **given).status_code == 400


def test_its_pages_tell_no_search_engine_no_other_site_and_no_cache(client, office):
    path = made(client)
    for address in (reports.FORM, path):
        headers = client.get(address).headers
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("wrong", ["x", "a" * 5000, "%00", "' or 1=1 --", "..%2f..%2flogin"])
def test_a_guessed_link_leads_nowhere(client, office, wrong):
    made(client)
    for answer in (client.get(f"/track/{wrong}"), press_anything(client, f"/track/{wrong}")):
        assert answer.status_code in (303, 403, 404)
        assert "Cannot print" not in answer.text
    with reading() as db:
        stored = db.scalar(select(Incident.form_token))
    assert client.get(f"/track/{stored}").status_code == 404
    assert client.get(f"/track/{anonymous.tracking_token(stored)}").status_code == 404


def press_anything(client, path):
    return client.post(path, data=hidden(client, reports.FORM, "proof") | {"do": "comment", "words": "x"})


def test_an_error_keeps_what_was_typed_and_says_how_to_put_it_right(client, office):
    answer = send(
        client, title="", affected="Room 7", caller_contact="me@nowhere", scope="team", description="My words"
    )
    assert answer.status_code == 400
    assert "<title>Error: Report a problem" in answer.text
    assert answer.text.count("Say what is wrong.") == 2
    for kept in ('value="Room 7"', "My words", 'value="team" checked', 'value="me@nowhere"'):
        assert kept in answer.text
    once = re.search(r'name="once" value="([^"]+)"', answer.text).group(1)
    assert "Give an e-mail address such as" in send(client, caller_contact="me@nowhere").text
    assert count() == 0
    again = TYPED | {"proof": re.search(r'name="proof" value="([^"]+)"', answer.text).group(1), "once": once}
    assert client.post(reports.FORM, data=again).status_code == 303


def test_a_double_click_makes_one_incident(client, office):
    given = hidden(client, reports.FORM, "proof", "once") | TYPED
    answers = [client.post(reports.FORM, data=given) for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert count() == 1
    with reading() as db:
        assert max(db.scalars(select(Throttle.failures))) == 1, "a second click is not another report"


def test_a_form_that_did_not_come_from_here_is_refused(client, office):
    given = hidden(client, reports.FORM, "proof", "once") | TYPED
    path = made(client)
    for address in (reports.FORM, path):
        answer = client.post(address, data=given, headers={"origin": "https://evil.example"})
        assert (answer.status_code, "another site" in answer.text) == (400, True)
        assert client.post(address, data=given | {"proof": "x"}).status_code == 400
    answer = client.post(reports.FORM, data=given | {"once": "mine.mine", "title": "Kept"})
    assert (answer.status_code, "too long" in answer.text, 'value="Kept"' in answer.text) == (400, True, True)
    client.cookies.clear()
    assert client.post(reports.FORM, data=given).status_code == 400
    assert count() == 1


def test_after_five_reports_one_waits_and_others_do_not(client, office, clock):
    for number in range(anonymous.MOST_OF_AN_ADDRESS):
        made(client, title=f"Problem {number}")
    answer = send(client, title="One more")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 600
    assert "There were too many reports. Try again in" in answer.text
    assert 'value="One more"' in answer.text
    assert count() == anonymous.MOST_OF_AN_ADDRESS
    with reading() as db:
        assert not [key for key in db.scalars(select(Throttle.key)) if "testclient" in key]
    clock.append(anonymous.WINDOW)
    made(client, title="One more")


def test_reports_from_everywhere_together_are_bounded(client, office, clock, monkeypatch):
    monkeypatch.setattr(anonymous, "MOST_OF_ALL", 3)
    addresses = iter(["10.0.0.1", "10.0.0.2", "2001:db8:1:2::1", "10.0.0.4"])
    monkeypatch.setattr(plain, "address", lambda request: next(addresses))
    for _ in range(3):
        made(client)
    assert send(client).status_code == 429
    clock.append(anonymous.WINDOW)
    monkeypatch.setattr(plain, "address", lambda request: "10.0.0.1")
    made(client)


def test_hostile_words_stay_words(client, office):
    path = made(client, title=HOSTILE, affected="a\0b", description=f"{HOSTILE}\x00\x07", caller_name=HOSTILE)
    for answer in (client.get(path), send(client, title="", description=HOSTILE)):
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "{{ 7*7 }}" in answer.text
    press(client, path, "comment", HOSTILE)
    assert "<script>alert" not in client.get(path).text
    assert "\0" not in incident().affected


def test_what_is_huge_is_refused_in_a_sentence(client, office):
    assert "Shorten the description to 20,000" in send(client, description="x" * 20_001).text
    assert "holds too much" in send(client, description="x" * 1_000_000).text
    large = {"files": ("big.png", PNG + b"0" * MAX_BYTES, "image/png")}
    answer = send(client, files=large, description="Kept words")
    assert (answer.status_code, "files may have 10 MB" in answer.text, "Kept words" in answer.text) == (400, True, True)
    huge = {"files": ("huge.png", b"0" * (forms.MOST_BYTES_WITH_FILES + 1), "image/png")}
    assert "holds too much" in send(client, files=huge).text
    two = [("files", ("a.png", PNG)), ("files", ("b.png", PNG))]
    assert send(client, files=two).status_code == 400
    assert send(client, headers={"content-type": "multipart/form-data"}).status_code == 400
    assert count() == 0


@pytest.mark.parametrize("service", ["999", "x", "-1", "1.5", "9" * 40, "٣"])
def test_a_service_that_is_not_there_cannot_be_chosen(client, office, service):
    answer = send(client, service_id=service)
    assert (answer.status_code, "Choose a service from the list" in answer.text) == (400, True)


def test_one_file_is_checked_and_kept(client, office):
    assert "is not a picture" in send(client, files={"files": ("evil.png", b"MZ not a picture")}).text
    path = made(client, files={"files": ("foto <1>.png", PNG, "text/html")})
    with reading() as db:
        kept = db.scalars(select(Attachment)).one()
    assert (kept.name, kept.media_type, kept.added_by_id) == ("foto <1>.png", "image/png", None)
    assert "foto &lt;1&gt;.png" in client.get(path).text
    assert client.get(f"/files/{kept.id}").status_code == 401


def test_a_program_that_fills_in_every_field_is_told(client, office):
    answer = send(client, website="http://spam.example")
    assert (answer.status_code, "empty" in answer.text, count()) == (400, True, 0)


def test_looking_changes_nothing(client, office):
    path = made(client)
    fix(office)
    before, entries = incident(), count(TimelineEntry)
    for query in ("", "?do=yes", "?do=not_yet&words=x", "?do=comment&words=x"):
        assert client.get(path + query).status_code == 200
        assert client.head(path + query).status_code == 200
    after = incident()
    assert (after.version, after.verification, count(TimelineEntry)) == (before.version, None, entries)


def test_what_was_written_reaches_the_desk_once(client, office):
    path = made(client)
    for _ in range(2):
        assert press(client, path, "comment", "It is the blue one.").status_code == 303
    told = [entry for entry in office.timeline(incident().id) if entry.kind == "comment"]
    assert [(entry.actor_id, entry.actor_name, entry.detail, entry.public) for entry in told] == [
        (None, "Ana", "It is the blue one.", True)
    ]
    assert "Write something first" in press(client, path, "comment", "  ").text
    office.comment(incident().id, "For us only", "Priya", datetime.now(UTC), public=False)
    assert "For us only" not in client.get(path).text


def test_an_answer_ends_the_waiting(client, office):
    path = made(client)
    number, now = incident().id, datetime.now(UTC)
    office.perform(number, "accept", "Lena", now, **office.triage)
    until = now + timedelta(days=1)
    office.perform(number, "hold", "Priya", now, hold_reason="reporter", hold_until=until)
    assert "Waiting for your answer" in client.get(path).text
    press(client, path, "comment", "The blue one.")
    assert incident().state == "assigned"


def test_not_yet_then_yes_and_the_desk_closes(client, office):
    path = made(client)
    fix(office)
    assert "Does it work again?" in client.get(path).text
    assert "Say what is still wrong" in press(client, path, "not_yet").text
    for _ in range(2):  # a double click says it once
        assert press(client, path, "not_yet", "Still blank pages.").status_code == 303
    found = incident()
    assert (found.state, found.reopen_count, found.denied_at is not None) == ("in_progress", 1, True)
    now = datetime.now(UTC)
    office.perform(found.id, "resolve", "Priya", now, resolution_code="fixed", resolution_note="New printer.")
    office.perform(found.id, "recover", "Priya", now)
    for _ in range(2):
        assert press(client, path, "yes").status_code == 303
    assert (incident().verification, incident().verification_note) == ("confirmed", None)
    assert [entry.kind for entry in office.timeline(found.id)].count("verify") == 1
    assert office.perform(found.id, "close", "Dora", now).state == "closed"
    assert "Nothing more happens" in client.get(path).text


def test_yes_beside_words_is_asked_once_more(client, office):
    path = made(client)
    fix(office)
    answer = press(client, path, "yes", "It is still broken")
    assert (answer.status_code, "Is it really fixed?" in answer.text) == (400, True)
    assert "It is still broken</textarea>" in answer.text
    assert incident().verification is None
    again = re.search(r'name="again" value="([^"]+)"', answer.text).group(1)
    press(client, path, "yes", "It was only the cable", again=again)
    assert incident().verification == "confirmed"


def test_a_link_goes_on_when_its_report_is_joined_with_another(client, office):
    survivor = office.report("Printer down", at=datetime.now(UTC))
    path = made(client)
    office.perform(incident().id, "merge", "Dora", datetime.now(UTC), duplicate_of_id=survivor)
    shown = client.get(path).text
    assert "Joined with the same problem" in shown
    assert f"goes on as {office.incident(survivor).number}: received." in shown


def test_a_restricted_report_shows_its_reporter_what_a_reporter_sees(client, office):
    path = made(client)
    with writing() as db:
        db.get_one(Incident, incident().id).restricted = True
    assert "Received" in client.get(path).text
    press(client, path, "comment", "One more thing")
    assert "One more thing" in client.get(path).text


def test_many_messages_on_one_report_wait(client, office, clock):
    path = made(client)
    for number in range(anonymous.MOST_WORDS):
        assert press(client, path, "comment", f"Word {number}").status_code == 303
    answer = press(client, path, "comment", "One more")
    assert (answer.status_code, "too many messages" in answer.text) == (429, True)
