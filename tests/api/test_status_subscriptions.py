"""Being told by e-mail, through the real routes: asked for on the page, confirmed and ended by links of mails."""

import re

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from api import status, status_copies
from api.gate import Gate
from api.status_copies import Copies
from db.commands import subscriptions
from db.engine import reading
from db.models import Subscriber
from db.settings import settings
from tests.db.public import Public, with_mail


@pytest.fixture
def public(app_database, monkeypatch):
    with_mail(monkeypatch)
    monkeypatch.setattr(status, "COPIES", Copies(lambda name, now: status._make(name, now), lambda: status._now()))
    monkeypatch.setattr(status_copies, "FRESH", 0.0)
    return Public(app_database)


@pytest.fixture
def client(public):
    app = Starlette(routes=status.routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


def ask(client, email="ana@example.org", headers=None, **typed):
    return client.post("/status/subscribe", data={"email": email, "of": "all", "website": ""} | typed, headers=headers)


def newest_link(public):
    return public.mails()[-1].payload["button"][1]


def subscribers():
    with reading() as db:
        return {row.email: row.confirmed_at is not None for row in db.scalars(select(Subscriber))}


def test_from_the_form_to_the_last_mail(client, public):
    assert 'action="/status/subscribe"' in client.get("/status").text
    answer = ask(client)
    assert (answer.status_code, "Look into your inbox" in answer.text) == (200, True)
    path = newest_link(public)
    for _ in range(3):
        page = client.get(path)
        assert (page.status_code, "ana@example.org" in page.text) == (200, True)
    assert subscribers() == {"ana@example.org": False}, "a scanner that follows links confirms nothing"
    answer = client.post(path)
    assert "You are subscribed" in answer.text
    assert subscribers() == {"ana@example.org": True}
    public.update(public.report(), states={"Mail": "major"})
    leave = public.mails()[-1].payload["leave"]
    assert leave in answer.text
    page = client.get(leave)
    assert "Mails go to ana@example.org." in page.text
    assert "Customers: Shop" in page.text
    chosen = {"do": "save", "of": "some", f"component.{public.components['Shop']}": "1"}
    assert "Saved" in client.post(leave, data=chosen).text
    assert re.search(rf'name="component.{public.components["Shop"]}" value="1" checked', client.get(leave).text)
    answer = client.post(leave, data={"do": "save", "of": "some"})
    assert (answer.status_code, subscriptions.NOTHING_CHOSEN in answer.text) == (400, True)
    before = len(public.told())
    public.update(public.report(), states={"Mail": "major"})
    assert len(public.told()) == before
    answer = client.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, subscribers()) == (200, {})
    assert client.get(leave).status_code == 404
    assert client.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200


def test_a_choice_of_components_is_made_on_a_page_of_its_own(client, public):
    assert "Customers: Shop" in client.get("/status/subscribe").text
    mail = public.components["Mail"]
    answer = ask(client, "nobody", of="some", **{f"component.{mail}": "1"})
    assert answer.status_code == 400
    assert 'value="nobody" aria-invalid="true"' in answer.text
    assert f'name="component.{mail}" value="1" checked' in answer.text, "what was chosen stays"
    assert ask(client, of="some").status_code == 400
    assert ask(client, of="some", **{f"component.{mail}": "1", "component.x": "1"}).status_code == 200


def test_the_answer_is_the_same_whether_the_address_is_known_or_not(client, public):
    new = ask(client, "new@example.org")
    client.post(newest_link(public))
    pending = ask(client, "pending@example.org")
    answers = {ask(client, email).text for email in ("new@example.org", "pending@example.org", "other@example.org")}
    assert answers == {new.text} == {pending.text}


def test_programs_other_sites_and_those_who_ask_too_often_are_refused(client, public):
    assert ask(client, website="https://spam.example").status_code == 400
    assert ask(client, headers={"origin": "https://evil.example"}).status_code == 400
    assert subscribers() == {}
    for number in range(subscriptions.MOST_OF_A_LINE):
        assert ask(client, f"p{number}@example.org").status_code == 200
    answer = ask(client, "one-more@example.org")
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)


@pytest.mark.parametrize("path", ["/status/confirm/1.x", "/status/subscription/x", "/status/confirm/" + "9" * 300])
def test_links_that_are_nobodys_lead_nowhere(client, public, path):
    assert client.get(path).status_code == 404
    assert client.post(path, data={"do": "save"}).status_code in (200, 404)
    with reading() as db:
        assert db.scalar(select(func.count()).select_from(Subscriber)) == 0


def test_pages_of_links_are_kept_by_nobody_and_told_to_nobody(client, public):
    ask(client)
    answer = client.get(newest_link(public))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_without_a_mail_server_there_is_no_form(client, public, monkeypatch):
    monkeypatch.setattr(settings(), "smtp_url", "")
    assert "/status/subscribe" not in client.get("/status").text
    assert client.get("/status/subscribe").status_code == 404
    assert ask(client).status_code == 404
