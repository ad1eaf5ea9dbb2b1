"""The whole way with nothing replaced: from a change to a mailbox and a web server, beside people who work on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from db.commands import deliveries, notices, outbox
from db.engine import reading, writing
from db.models import ContactMethod, Incident, NotificationRule, OutboxMessage
from tests.db.office import HOUR, MONDAY, Office
from worker import loop
from worker.outbox import tick

URGENT = {"scope": "everyone", "effect": "stopped"}
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(engine):
    return Office(engine)


def page(office, name, incident, now=MONDAY):
    with writing(office.engine) as db:
        about = db.get_one(Incident, incident)
        return outbox.page(db, office.people[name].id, about, f"{about.number} needs you", now=now)


def rows(office):
    with reading(office.engine) as db:
        return list(db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


@sqlite
def test_a_page_arrives_and_its_subject_threads_with_the_notice(office, mailbox):
    number = office.report("Mail\r\nBcc: everyone@example.org", **URGENT)
    page(office, "Priya", number)
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        notices.tell(db, [office.people["Priya"].id], "sla", "It is late", incident=about, now=MONDAY)
    assert tick(MONDAY, office.engine) == 2
    paged, told = sorted(mailbox.received, key=lambda written: "late" in str(written["Subject"]))
    assert str(paged["Subject"]) == "INC-000001 needs you"
    assert str(told["Subject"]) == "[INC-000001] It is late"
    assert paged["References"] == told["References"]
    assert (paged["List-Unsubscribe"], "/leave/" in told["List-Unsubscribe"]) == (None, True)
    assert [rcpt for _, rcpt in mailbox.envelopes] == [["priya@example.org"]] * 2


@sqlite
def test_a_web_hook_that_is_gone_gives_way_to_e_mail_at_once(office, hook, mailbox, set_up):
    set_up(OUTGOING_ALLOW="127.0.0.1")
    priya = office.people["Priya"].id
    with writing(office.engine) as db:
        for position, (channel, address) in enumerate((("webhook", hook.url()), ("email", "priya@example.org"))):
            method = ContactMethod(person_id=priya, channel=channel, address=address, created_at=MONDAY,
                                   verified_at=MONDAY)  # fmt: skip
            db.add(method)
            db.flush()
            db.add(NotificationRule(person_id=priya, urgency="high", method_id=method.id, delay=900 * position))
    hook.answers = [(410, {})]
    page(office, "Priya", office.report(**URGENT))
    assert tick(MONDAY, office.engine) == 1
    assert len(hook.received) == len(mailbox.received) == 1
    first, second = rows(office)
    assert (first.given_up_at, second.sent_at) == (MONDAY, MONDAY)


@sqlite
def test_the_mail_server_takes_it_and_the_worker_dies_before_it_writes_that_down(office, mailbox, monkeypatch):
    page(office, "Priya", office.report(**URGENT))

    class Killed(BaseException):
        pass

    def die(*_given):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("db.commands.deliveries.sent", die)
        with pytest.raises(Killed):
            tick(MONDAY, office.engine)
    assert rows(office)[0].sent_at is None
    assert tick(MONDAY + timedelta(seconds=31), office.engine) == 1
    first, second = mailbox.received
    assert first["Message-ID"] == second["Message-ID"]


def test_people_answer_while_pages_leave(office, set_up):
    """Who acknowledges and the worker that records a page lock the same rows in one order: neither waits for good."""
    set_up(SMTP_URL="smtp://mail.example.org?from=desk@example.org")
    numbers = []
    for _ in range(6):
        number = office.report(**URGENT)
        office.perform(number, "accept", "Lena", MONDAY + HOUR, **office.triage | {"impact": 1, "urgency": 1})
        for name in ("Priya", "Sam", "Lena"):
            page(office, name, number, MONDAY + HOUR)
        numbers.append(number)
    together = threading.Barrier(2)

    def answer():
        together.wait(60)
        for number in numbers:
            office.perform(number, "acknowledge", "Priya", MONDAY + 2 * HOUR)

    def send():
        together.wait(60)
        return tick(MONDAY + HOUR, office.engine, {"email": lambda *_given: None})

    with ThreadPoolExecutor(2) as pool:
        answered, sent = pool.submit(answer), pool.submit(send)
        answered.result(60)
        sent.result(60)
    tick(MONDAY + 3 * HOUR, office.engine, {"email": lambda *_given: None})
    assert all(row.sent_at is not None or row.cancelled_at is not None for row in rows(office))
    assert all(office.incident(number).state == "in_progress" for number in numbers)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_recording_a_page_waits_for_whoever_changes_its_incident_and_holds_nothing_meanwhile(office, set_up):
    set_up(SMTP_URL="smtp://mail.example.org?from=desk@example.org")
    number = office.report(**URGENT)
    page(office, "Priya", number)
    [message] = rows(office)

    def record():
        with writing(office.engine) as db:
            deliveries.sent(db, message.id, MONDAY)

    locked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with ThreadPoolExecutor(1) as pool:
        with writing(office.engine) as db:
            db.get(Incident, number, with_for_update=True)
            recorded, turns = pool.submit(record), threading.Event()
            for _ in range(3000):
                with reading(office.engine) as other:
                    if other.execute(text(locked)).scalar():
                        break
                turns.wait(0.02)
            db.execute(text("set local lock_timeout = '500ms'"))
            outbox.stop_pages(db, number, MONDAY)
        recorded.result(60)
    assert rows(office)[0].sent_at == MONDAY


@sqlite
def test_the_loop_sends_and_ends_with_nothing_half_done(office, mailbox):
    page(office, "Priya", office.report(**URGENT))
    arrived = threading.Event()
    mailbox.on_data = arrived.set
    running = loop.Loop(office.engine, clock=lambda: MONDAY).start()
    assert arrived.wait(60)
    assert running.stop(60)
    assert rows(office)[0].sent_at == MONDAY
