"""SIGKILL at every step of taking an alert and of paging: what was promised is kept, and nothing is half done.

Each round is a process that dies one step later than the one before, on the same database, until one lives through all
of them. The steps are those of tests.faults.child: every write, both sides of every commit, of every message that
leaves and of every answer.
"""

import http.client
import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from db.commands import escalation_policies, integrations
from db.engine import reading, writing
from db.models import (
    Alert,
    ContactMethod,
    Escalation,
    Incident,
    NotificationRule,
    OutboxMessage,
    Page,
    ReceivedSignal,
    Team,
    Timer,
)
from db.settings import settings
from tests.db.office import HOUR, MONDAY, Office
from tests.worker.post_office import hook_server, mail_server
from worker import loop

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)
LEASE_OVER = timedelta(seconds=31)
MOST_ROUNDS = 200
"""Steps past which a round that never ends would be our fault."""


def let_go(engine):
    """Wait until PostgreSQL has heard that a program died: until then it holds what the dead had locked."""
    others = "pid <> pg_backend_pid() and datname = current_database() and xact_start is not null"
    held = engine.dialect.name == "postgresql"
    while held:
        with engine.connect() as db:
            held = db.execute(text(f"select exists (select from pg_stat_activity where {others})")).scalar_one()


class Program:
    """The program that is killed: one for all tests, a fork of it for each round."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.child"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, work, **order):
        self._process.stdin.write(json.dumps({"work": work, **order}) + "\n")
        self._process.stdin.flush()

    def answer(self):
        return json.loads(self._process.stdout.readline())

    def run(self, work, **order):
        self.tell(work, **order)
        return self.answer()

    def end(self):
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture(scope="module")
def program():
    made = Program()
    yield made
    made.end()


class Desk(Office):
    """The office whose first line is asked by webhook and the second, five minutes later, by e-mail."""

    def __init__(self, engine, hook):
        super().__init__(engine)
        self.reach("Sam", "webhook", hook)
        self.reach("Devi", "email", "devi@example.org")
        steps = [
            {"delay": 300, "targets": [{"kind": "person", "id": self.people[name].id}]} for name in ("Sam", "Devi")
        ]
        with writing(engine) as db:
            policy = escalation_policies.save(
                db, None, name="First and second line", steps=steps, repeats=1, actor=self.people["Ada"], now=MONDAY
            )
            db.get_one(Team, self.teams["Servers"]).escalation_policy_id = policy

    def reach(self, name, channel, address):
        person = self.people[name].id
        with writing(self.engine) as db:
            way = ContactMethod(person_id=person, channel=channel, address=address, created_at=MONDAY,
                                verified_at=MONDAY)  # fmt: skip
            db.add(way)
            db.flush()
            db.add_all(NotificationRule(person_id=person, urgency=kind, method_id=way.id) for kind in ("high", "other"))

    def all(self, statement):
        with reading(self.engine) as db:
            return [tuple(row) for row in db.execute(statement)]


@pytest.fixture
def hook():
    with hook_server() as made:
        yield made


@pytest.fixture
def desk(engine, hook):
    return Desk(engine, hook.url())


def environment(desk, **more):
    return {"DATABASE_URL": desk.engine.url.render_as_string(hide_password=False), **more}


# Taking alerts


def post(port, token, number):
    """The status; None when nobody answered."""
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "Down", "severity": "critical"},
            "fingerprint": f"{number}-{which}",
        }
        for which in ("a", "b")
    ]
    body = json.dumps({"version": "4", "groupKey": f"g{number}", "status": "firing", "alerts": alerts})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/api/v1/alerts/alertmanager", body, {"authorization": f"Bearer {token}"})
        return connection.getresponse().status
    except (ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def stored(desk):
    """Message -> what there is of each of its alerts: see WHOLE."""

    def count(model, *where):
        return select(func.count()).where(model.incident_id == Incident.id, *where).scalar_subquery()

    statement = (
        select(
            Alert.dedup_key,
            select(func.count()).where(ReceivedSignal.alert_id == Alert.id).scalar_subquery(),
            Incident.state,
            Escalation.position,
            count(Page),
            count(OutboxMessage, OutboxMessage.urgent),
            count(Timer, Timer.kind == "escalation", Timer.fired_at.is_(None)),
            count(Timer, Timer.kind == "response_breach", Timer.fired_at.is_(None)),
            Alert.signals,
        )
        .outerjoin(Incident, Incident.id == Alert.incident_id)
        .outerjoin(Escalation, Escalation.incident_id == Incident.id)
    )
    found = {}
    for key, *rest in desk.all(statement):
        found.setdefault(int(key.split("-")[0]), []).append(tuple(rest))
    return found


WHOLE = (1, "new", 1, 1, 1, 1, 1, 1)
"""One signal; an open incident; of its escalation one step, one page, one message and the next step; its promise."""


def test_an_alert_answered_with_202_is_there_wherever_the_server_dies(desk, program):
    given = {"name": "Alertmanager", "format": "alertmanager", "service_id": desk.service, "storm_limit": 10_000}
    with writing(desk.engine) as db:
        _, token = integrations.add(db, given, actor=desk.people["Ada"], now=MONDAY)

    def serve(kill_at, numbers):
        """(statuses, how it ended)"""
        port = program.run("serve", kill_at=kill_at, environment=environment(desk))["port"]
        statuses = {number: post(port, token, number) for number in numbers}
        return statuses, program.run("end")

    answers, _ = serve(0, [0])  # the first makes the category that the others have
    died_at = {}
    for number in range(1, MOST_ROUNDS):
        statuses, ended = serve(number, [number])
        answers |= statuses
        if ended["signal"] == signal.SIGTERM:
            break
        assert ended["signal"] == signal.SIGKILL
        died_at[number] = ended["steps"][-1]
    assert [died_at[number] for number in sorted(died_at)][-4:] == [
        "intake: before commit",
        "intake: after commit",
        "answer: before",
        "answer: after",
    ]
    promised = {number for number, status in answers.items() if status == 202}
    assert promised == {0, number - 1, number}
    found = stored(desk)
    assert set(found) == promised | {number - 3, number - 2}, "it was committed, though nobody heard of it"
    assert set(map(tuple, found.values())) == {(WHOLE, WHOLE)}
    assert desk.all(select(func.count(Incident.id))) == [(2 * len(found),)]
    again = sorted(set(answers) - promised)
    statuses, _ = serve(0, again)
    assert statuses == dict.fromkeys(again, 202), "a sender that heard nothing sends it again"
    found = stored(desk)
    assert set(found) == set(answers)
    twice = (2, *WHOLE[1:-1], 2)
    assert {number for number, alerts in found.items() if alerts == [twice, twice]} == {number - 3, number - 2}
    assert Counter(map(tuple, found.values())) == {(WHOLE, WHOLE): len(found) - 2, (twice, twice): 2}
    assert program.run("verify", environment=environment(desk))["signal"] == 0


# Paging

PAGING_STEPS = {
    "timer: update",
    "timer: insert",
    "timer: before commit",
    "timer: after commit",
    "lease: update",
    "lease: before commit",
    "lease: after commit",
    "send webhook: before",
    "send webhook: after",
    "send email: before",
    "send email: after",
    "record: update",
    "record: insert",
    "record: before commit",
    "record: after commit",
}


@pytest.fixture
def mailbox():
    with mail_server() as box:
        yield box


def arrivals(hook, mailbox):
    """(id, what it said) of everything that arrived."""
    called = [(headers["webhook-id"], json.loads(body)["data"]["subject"]) for _, headers, body in hook.received]
    written = [(mail["Message-ID"].strip("<>").split("@")[0], str(mail["Subject"])) for mail in mailbox.received]
    return called + written


def is_told_again(steps):
    """Whether the process died after somebody had its message and before that was written down."""
    since = [step for step in steps if step.startswith("send ") or step == "record: after commit"]
    return bool(since) and since[-1].endswith(": after")


def test_every_page_arrives_and_no_step_is_lost_wherever_the_worker_dies(desk, program, hook, mailbox, monkeypatch):
    outside = environment(desk, SMTP_URL=mailbox.url, OUTGOING_ALLOW="127.0.0.0/8", BASE_URL="https://desk.example")
    triage = desk.triage | {"team_id": desk.teams["Servers"], "impact": 1, "urgency": 1}
    sam, devi = desk.people["Sam"].id, desk.people["Devi"].id
    died_at, again = [], set()
    for kill_at in range(1, MOST_ROUNDS):
        began = MONDAY + kill_at * HOUR
        second = began + 5 * MINUTE
        number = desk.report(at=began, scope="everyone", effect="stopped")
        desk.perform(number, "accept", "Dora", began, **triage)
        ended = program.run("tick", moments=[str(began), str(second)], kill_at=kill_at, environment=outside)
        if ended["signal"] == 0:
            break
        assert ended["signal"] == signal.SIGKILL
        died_at.append(ended["steps"][-1])
        let_go(desk.engine)
        if is_told_again(ended["steps"]):
            again.add(number)
        with monkeypatch.context() as patched:
            for name, value in outside.items():
                patched.setenv(name, value)
            settings.cache_clear()
            loop.tick(second + LEASE_OVER, desk.engine)
        settings.cache_clear()
        pages = desk.all(select(Page.person_id, Page.step, Page.at).where(Page.incident_id == number).order_by(Page.id))
        assert [page[:2] for page in pages] == [(sam, 0), (devi, 1)], "each step once"
        waiting = desk.timers(number)["escalation"]
        assert (waiting.fired_at, waiting.due_at) == (None, pages[-1][2] + 5 * MINUTE), "the next one is due"
        desk.perform(number, "cancel", "Dora", second + LEASE_OVER, reason="It was a test.")
    assert set(died_at) >= PAGING_STEPS
    assert len(died_at) == len(ended["steps"])
    sent = desk.all(select(OutboxMessage.key, OutboxMessage.incident_id).where(OutboxMessage.sent_at.is_not(None)))
    assert len(sent) == desk.all(select(func.count(OutboxMessage.id)))[0][0] == 2 * (len(died_at) + 1)
    arrived = arrivals(hook, mailbox)
    assert {key for key, _ in arrived} == {key for key, _ in sent}
    assert len(set(arrived)) == len(sent), "a repeat says the same under the same id"
    times = Counter(key for key, _ in arrived)
    assert {incident for key, incident in sent if times[key] > 1} == again
    assert max(times.values()) == 2
    told = [entry.text for number in range(1, number + 1) for entry in desk.timeline(number) if entry.kind == "page"]
    assert Counter(text for text in told if " by " in text) == {
        "paged Sam by webhook": len(sent) // 2,
        "paged Devi by e-mail": len(sent) // 2,
    }
    assert program.run("verify", environment=environment(desk))["signal"] == 0
