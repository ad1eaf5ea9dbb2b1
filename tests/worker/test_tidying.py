"""What is forgotten in time, in small steps, and what is kept as long as an open incident may need it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import housekeeping, outbox
from db.engine import reading, writing
from db.models import Alert, Integration, OutboxMessage, ReceivedSignal
from tests.db.office import DAY, MONDAY, Office
from worker import loop
from worker.tidying import Broom

OLD, RECENT = MONDAY - 91 * DAY, MONDAY - 89 * DAY
HOOK = outbox.To("webhook", "https://h.example")


@pytest.fixture
def office(engine):
    return Office(engine)


def put(office, subject, at, incident=None, **ended):
    with writing(office.engine) as db:
        message = outbox.put(db, HOOK, outbox.Words("n", subject), now=at, incident_id=incident)
        for name, moment in ended.items():
            setattr(message, name, moment)


def kept(office):
    with reading(office.engine) as db:
        return [payload["subject"] for payload in db.scalars(select(OutboxMessage.payload).order_by(OutboxMessage.id))]


def test_the_delivery_log_reaches_back_90_days_and_keeps_what_is_not_over(office):
    still, over = office.bring_to("in_progress"), office.bring_to("closed")
    with writing(office.engine) as db:
        db.execute(OutboxMessage.__table__.delete())
    put(office, "waits", OLD)
    put(office, "sent", OLD, sent_at=OLD)
    put(office, "sent lately", OLD, sent_at=RECENT)
    put(office, "given up", OLD, over, given_up_at=OLD)
    put(office, "dropped", OLD, over, cancelled_at=OLD)
    put(office, "of an open incident", OLD, still, sent_at=OLD)
    put(office, "new", RECENT, sent_at=RECENT)
    assert Broom().sweep(MONDAY, office.engine) is False
    assert kept(office) == ["waits", "sent lately", "of an open incident", "new"]


def test_much_is_forgotten_in_small_steps_over_several_turns(office, monkeypatch):
    monkeypatch.setattr("db.commands.housekeeping.BATCH", 3)
    monkeypatch.setattr("worker.tidying.BATCHES", 2)
    put(office, "waits", OLD)
    for number in range(16):
        put(office, f"{number}", OLD, sent_at=OLD)
    put(office, "new", RECENT)
    running = loop.Loop(office.engine, clock=lambda: MONDAY)
    lengths = []
    for _ in range(4):
        running._tidy()
        lengths.append(len(kept(office)))
    assert lengths == [13, 7, 2, 2]
    running._post.stop()


def test_signals_go_after_90_days_unless_their_incident_is_open(office, monkeypatch):
    monkeypatch.setattr("db.commands.housekeeping.BATCH", 2)
    still, over = office.bring_to("in_progress"), office.bring_to("closed")
    with writing(office.engine) as db:
        sender = Integration(name="Prometheus", format="generic", created_at=OLD)
        db.add(sender)
        db.flush()
        for title, incident, at in (
            *((f"{number} of a closed one", over, OLD) for number in range(5)),
            ("of an open one", still, OLD),
            ("of none", None, OLD),
            ("new", over, RECENT),
        ):
            alert = Alert(integration_id=sender.id, dedup_key=title, incident_id=incident, status="resolved",
                          title=title, first_at=at, last_at=at)  # fmt: skip
            db.add(alert)
            db.flush()
            db.add(ReceivedSignal(integration_id=sender.id, alert_id=alert.id, received_at=at, status="firing",
                                  dedup_key=title, title=title, outcome="opened"))  # fmt: skip
    with writing(office.engine) as db:
        assert housekeeping.forget_signals(db, MONDAY) == 2, "a few at a time"
    Broom().sweep(MONDAY, office.engine)
    with reading(office.engine) as db:
        assert sorted(db.scalars(select(ReceivedSignal.title))) == ["new", "of an open one"]
        assert len(db.scalars(select(Alert)).all()) == 8, "alerts and their counts stay"
    assert timedelta(days=90) == housekeeping.KEEP_SENT == housekeeping.KEEP_SIGNALS
