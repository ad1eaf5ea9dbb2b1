"""Links of messages: opening one changes nothing, its button works once, and it is for one person."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from api import act
from api.gate import Gate
from db.commands import calling, outbox, repaging, timers
from db.engine import reading, writing
from db.models import Escalation, EscalationPolicy, Incident, Notice, OutboxMessage, PageLink, Person, PersonRole
from db.settings import settings
from rules import page_links
from rules.escalation import Target
from worker.outbox import tick

URGENT = {"scope": "everyone", "effect": "stopped"}


@pytest.fixture(params=["sqlite"])
def database_url(request, monkeypatch):
    monkeypatch.setenv("BASE_URL", "http://desk.example")
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org?from=desk@example.org")
    return request.getfixturevalue("sqlite_url")


@pytest.fixture
def client(office):
    app = Starlette(routes=act.routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as made:
        yield made


@pytest.fixture
def incident(office):
    now = datetime.now(UTC)
    number = office.report(at=now, **URGENT)
    office.perform(number, "accept", "Lena", now, **office.triage | {"impact": 1, "urgency": 1})
    return number


@pytest.fixture
def links(office, incident):
    """action -> path, as Priya's page brought them."""
    got, now = [], datetime.now(UTC)
    with writing(office.engine) as db:
        about = db.get_one(Incident, incident)
        outbox.page(db, office.people["Priya"].id, about, "Mail needs you", now=now)
    tick(now, office.engine, {"email": lambda message, _now: got.append(message)})
    return {action: url.removeprefix("http://desk.example") for action, url in got[0].links}


def test_opening_a_link_shows_the_incident_and_changes_nothing(client, office, incident, links):
    for _ in range(2):
        page = client.get(links["acknowledge"])
        assert page.status_code == 200
        assert "Acknowledge INC-000001" in page.text
        assert "Mail is slow" in page.text
        assert "You act as Priya" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert client.head(links["acknowledge"]).status_code == 200
    assert office.incident(incident).state == "assigned"


def test_its_button_works_once_and_acts_as_the_person(client, office, incident, links):
    assert "INC-000001 is yours" in client.post(links["acknowledge"]).text
    after = office.incident(incident)
    assert (after.state, after.assignee_id) == ("in_progress", office.people["Priya"].id)
    assert office.timeline(incident)[-1].actor_name == "Priya"
    again = client.post(links["acknowledge"])
    assert (again.status_code, "has been used" in again.text) == (410, True)


def test_resolving_asks_what_was_done(client, office, incident, links):
    client.post(links["acknowledge"])
    assert "What was done?" in client.get(links["resolve"]).text
    empty = client.post(links["resolve"], data={"resolution_code": "", "resolution_note": "Kept <words>"})
    assert empty.status_code == 400
    assert "There is a problem" in empty.text
    assert "Kept &lt;words&gt;" in empty.text
    done = client.post(links["resolve"], data={"resolution_code": "fixed", "resolution_note": "Restarted it."})
    assert "INC-000001 is resolved" in done.text
    assert office.incident(incident).resolution_note == "Restarted it."


def test_the_first_to_answer_leaves_the_other_link_with_nothing_to_do(client, office, incident, links):
    office.perform(incident, "acknowledge", "Lena", datetime.now(UTC))
    late = client.get(links["acknowledge"])
    assert (late.status_code, "already" in late.text) == (410, True)
    assert client.post(links["acknowledge"]).status_code == 410
    assert office.incident(incident).assignee_id == office.people["Lena"].id


def paged_again(office, incident, name="Priya"):
    """The links of a page that asks again for what is in progress."""
    got, now = [], datetime.now(UTC)
    with writing(office.engine) as db:
        target = [Target("person", office.people[name].id)]
        calling.ask(db, db.get_one(Incident, incident), target, why=repaging.ASKED_AGAIN, now=now)
    tick(now, office.engine, {"email": lambda message, _now: got.append(message)})
    return {action: url.removeprefix("http://desk.example") for action, url in got[-1].links}


def test_who_is_asked_again_confirms_by_the_button_that_they_have_it(client, office, incident, links):
    client.post(links["acknowledge"])
    again = paged_again(office, incident)
    with writing(office.engine) as db:
        kept = {"policy_id": policy(db), "policy": {"acknowledge_seconds": 3600}}
        then = datetime.now(UTC)
        db.add(Escalation(incident_id=incident, began_at=then, ended_at=then, ended_by="acknowledged", **kept))
        timers.put(db, incident, "repage", datetime.now(UTC) + timedelta(minutes=1))
        outbox.page(db, office.people["Sam"].id, db.get_one(Incident, incident), "Help", now=datetime.now(UTC))
    before = len(office.timeline(incident))
    shown = client.get(again["acknowledge"])
    assert (shown.status_code, "Say that you have it in hand" in shown.text) == (200, True)
    assert len(office.timeline(incident)) == before, "looking is no answer"
    assert "is in your hands" in client.post(again["acknowledge"]).text
    entry = office.timeline(incident)[-1]
    assert (entry.actor_name, entry.kind, entry.text) == ("Priya", "page", "confirmed having it in hand")
    assert office.incident(incident).state == "in_progress"
    assert office.timers(incident)["repage"].due_at > datetime.now(UTC) + timedelta(minutes=59)
    with reading(office.engine) as db:
        waiting = select(OutboxMessage.id).where(OutboxMessage.sent_at.is_(None), OutboxMessage.cancelled_at.is_(None))
        assert not db.scalars(waiting.where(OutboxMessage.urgent)).all()
    assert client.post(again["acknowledge"]).status_code == 410, "it works once"


def test_what_nobody_has_is_theirs_who_confirm_it_and_what_another_has_is_not(client, office, incident, links):
    client.post(links["acknowledge"])
    again = paged_again(office, incident)
    with writing(office.engine) as db:
        db.get_one(Incident, incident).assignee_id = office.people["Lena"].id
    assert client.post(again["acknowledge"]).status_code == 410
    with writing(office.engine) as db:
        db.get_one(Incident, incident).assignee_id = None
    assert client.post(again["acknowledge"]).status_code == 200
    assert office.incident(incident).assignee_id == office.people["Priya"].id


def test_who_was_paged_by_hand_for_what_another_has_reads_what_the_button_does_and_answers(client, office, incident):
    got, now = [], datetime.now(UTC)
    office.perform(incident, "acknowledge", "Priya", now)
    with writing(office.engine) as db:
        calling.by_hand(db, incident, Target("person", office.people["Sam"].id), actor=office.people["Lena"], now=now)
    tick(now, office.engine, {"email": lambda message, _now: got.append(message)})
    path = dict(got[-1].links)["acknowledge"].removeprefix("http://desk.example")
    page = client.get(path)
    words = "Say that you answer the page. Priya keeps it. Lena is told."
    assert (page.status_code, words in page.text, "in hand" in page.text) == (200, True, False)
    done = client.post(path)
    assert "You have answered for INC-000001. Priya keeps it. Lena is told." in done.text
    assert office.incident(incident).assignee_id == office.people["Priya"].id
    assert client.post(path).status_code == 410, "it works once"


def policy(db):
    made = EscalationPolicy(name="Network", steps=[], created_at=datetime.now(UTC))
    db.add(made)
    db.flush()
    return made.id


def test_an_old_link_does_nothing(client, office, incident, links):
    with writing(office.engine) as db:
        db.execute(update(PageLink).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert "too old" in client.post(links["acknowledge"]).text
    assert office.incident(incident).state == "assigned"


@pytest.mark.parametrize("what", ["disabled", "restricted", "role"])
def test_access_is_that_of_the_moment(client, office, incident, links, what):
    priya = office.people["Priya"].id
    with writing(office.engine) as db:
        if what == "disabled":
            db.get_one(Person, priya).disabled_at = datetime.now(UTC)
        elif what == "restricted":
            db.execute(update(Incident).values(restricted=True, team_id=office.teams["Servers"]))
        else:
            db.delete(db.get_one(PersonRole, (priya, "responder")))
    refused = client.post(links["acknowledge"])
    assert refused.status_code in (400, 404)
    assert "Mail is slow" not in refused.text
    assert office.incident(incident).state == "assigned"


@pytest.mark.parametrize("token", ["x", "x.y", "é", "a" * 500, "%00", "1.2.3"])
def test_what_is_no_link_is_told_so(client, token):
    for path in (f"/act/{token}", f"/leave/{token}"):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code in (404, 405)


def test_a_tampered_link_is_none(client, office, incident, links):
    changed = links["acknowledge"][:-1] + ("A" if links["acknowledge"][-1] != "A" else "B")
    assert client.post(changed).status_code == 404
    with reading(office.engine) as db:
        kept = db.scalars(select(OutboxMessage.payload)).one()
    assert all(links[action].startswith(f"/act/{seed}.") for action, seed in kept["links"].items())
    assert client.post(f"/act/{kept['links']['acknowledge']}").status_code == 404, "the database alone opens nothing"


def test_another_site_cannot_press_the_button(client, office, incident, links):
    refused = client.post(links["acknowledge"], headers={"origin": "https://evil.example"})
    assert refused.status_code == 400
    assert office.incident(incident).state == "assigned"
    assert client.post(links["acknowledge"], headers={"origin": "http://desk.example"}).status_code == 200


def test_notices_are_left_by_a_button_or_in_one_click(client, office):
    priya = office.people["Priya"].id
    path = f"/leave/{page_links.leave_token(settings().secret(), priya)}"
    assert "Priya" in client.get(path).text

    def wants():
        with reading(office.engine) as db:
            return (db.get_one(Person, priya).preferences or {}).get("notices", True)

    assert wants()
    one_click = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    assert not wants()
    assert client.post(path).status_code == 200, "twice is once"


def test_a_page_made_again_brings_new_links_that_work(client, office, incident, links):
    with writing(office.engine) as db:
        about = db.get_one(Incident, incident)
        outbox.page(db, office.people["Priya"].id, about, "Again", now=datetime.now(UTC))
        assert len(db.scalars(select(Notice)).all()) == 1
    assert client.post(links["acknowledge"]).status_code == 200


def test_no_script_and_no_foreign_address_on_these_pages(client, links):
    page = client.get(links["resolve"]).text
    assert "<script" not in page
    assert re.findall(r'(?:src|href|action)="(?!/)[^"]*"', page) == []
