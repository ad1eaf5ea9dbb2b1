"""A major incident from its declaration to a green status page, with a real mail server and a clock that moves on."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api import status_pages
from db.commands import major, updates
from db.engine import reading, writing
from db.models import Notice
from db.queries import status_page
from db.settings import settings
from rules.status_page import headline
from tests.db.office import HOUR, MONDAY
from tests.db.public import Public
from tests.worker.post_office import mail_server
from worker import outbox, timers

NOW = MONDAY + 3 * HOUR
MINUTE = timedelta(minutes=1)
PATIENT = "patient@example.net"


@pytest.fixture
def mailbox(monkeypatch):
    with mail_server() as box:
        monkeypatch.setattr(settings(), "smtp_url", box.url)
        monkeypatch.setattr(settings(), "base_url", "https://desk.example")
        yield box


@pytest.fixture
def office(engine, mailbox):
    return Public(engine)


def do(office, command, *given, by, at, **more):
    with writing(office.engine) as db:
        command(db, *given, actor=office.people[by], now=at, **more)


def told(office, number, who, kind):
    with reading(office.engine) as db:
        chosen = select(Notice.subject).where(Notice.person_id == office.people[who].id, Notice.kind == kind)
        return list(db.scalars(chosen.where(Notice.incident_id == number).order_by(Notice.id)))


def turn(office, at):
    """What the worker does at this moment."""
    timers.tick(at, office.engine)
    outbox.tick(at, office.engine)


def page(office, at):
    with reading(office.engine) as db:
        return status_pages.page(status_page.board(db, at))


def test_from_the_declaration_to_a_green_status_page(office, mailbox):
    office.subscribe(PATIENT, "Mail", at=NOW)
    turn(office, NOW)
    mailbox.received.clear()
    lena, sam = office.people["Lena"].id, office.people["Sam"].id
    number = office.bring_to("in_progress", title="SECRET mail store is full", service_id=office.service)

    do(office, major.declare, number, None, "Nobody gets mail.", commander_id=lena, by="Lena", at=NOW)
    do(office, major.give, number, "communications", sam, by="Lena", at=NOW + MINUTE)
    turn(office, NOW + 4 * MINUTE)
    assert told(office, number, "Sam", "chase") == []

    turn(office, NOW + 5 * MINUTE)
    assert len(told(office, number, "Sam", "chase")) == 1
    turn(office, NOW + 10 * MINUTE)
    assert len(told(office, number, "Lena", "chase")) == 1, "five minutes later the commander is told"
    assert "SECRET" not in page(office, NOW + 10 * MINUTE), "nothing was published"
    assert [mail for mail in mailbox.received if mail["to"] == PATIENT] == []

    words = "Mail arrives late. We free space."
    do(
        office, updates.write, number, audience="both", stage="identified", words=words, title="E-mail arrives late",
        components={office.components["Mail"]: "partial"}, next_at=NOW + 30 * MINUTE, by="Sam", at=NOW + 11 * MINUTE,
    )  # fmt: skip
    turn(office, NOW + 11 * MINUTE)
    shown = page(office, NOW + 11 * MINUTE)
    assert "E-mail arrives late" in shown
    assert words in shown
    assert headline(["partial"]) in shown
    assert "SECRET" not in shown
    [mail] = [mail for mail in mailbox.received if mail["to"] == PATIENT]
    assert mail["subject"] == "[Our status] E-mail arrives late: Identified"
    assert words in mail.get_body(("plain",)).get_content()
    assert "List-Unsubscribe" in mail
    assert "SECRET" not in mail.as_string()
    reached = {address for _, recipients in mailbox.envelopes for address in recipients}
    assert reached >= {PATIENT, "rita@example.org", "max@example.org", "lena@example.org"}

    turn(office, NOW + 24 * MINUTE)
    assert len(told(office, number, "Sam", "chase")) == 2, "nobody is reminded before what was promised is due"
    fixed = {"resolution_code": "fixed", "resolution_note": "Space was freed."}
    office.perform(number, "resolve", "Priya", NOW + 25 * MINUTE, **fixed)
    assert headline(["partial"]) in page(office, NOW + 26 * MINUTE), "until it is seen to work, it is not green"
    office.perform(number, "recover", "Priya", NOW + 28 * MINUTE)
    turn(office, NOW + 40 * MINUTE)
    shown = page(office, NOW + 40 * MINUTE)
    assert office.states(NOW + 40 * MINUTE)["Mail"] == "operational"
    assert "It works again." in shown
    assert headline(["operational"]) in shown
    assert len([mail for mail in mailbox.received if mail["to"] == PATIENT]) == 2
    assert len(told(office, number, "Sam", "chase")) == 2, "nothing more is owed"

    kinds = [entry.kind for entry in office.timeline(number)]
    assert kinds[kinds.index("declare") :] == [
        "declare",
        "role",
        "role",
        "chase",
        "chase",
        "update",
        "sent",
        "resolve",
        "recover",
        "postmortem",
        "published",
    ]
    [sent] = [entry.text for entry in office.timeline(number) if entry.kind == "sent"]
    assert sent.endswith("and the status page and 1 subscriber")
