"""Tokens of programs: made and ended by administrators, known at the door, and never told apart when they are not."""

import re
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

import db.cli
from api import calls
from db.commands import tokens as commands
from db.engine import reading, writing
from db.models import ApiToken, AuditEntry, Person
from db.queries import choices, people, sessions, tokens
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.api.programs import API, now, refused
from tests.db.office import MONDAY

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def command(app_database, capsys):
    def call(*arguments):
        try:
            status = db.cli.main(arguments)
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return call


def add(office, name="Backup script", scopes=("incidents:read",), until=None, by="Ada", at=MONDAY):
    with writing() as session:
        token, secret = commands.add(session, name, scopes, until, actor=office.people[by], now=at)
        return token.id, secret


def test_a_token_is_shown_once_and_kept_as_a_hash(office):
    token_id, secret = add(office)
    assert re.fullmatch(r"idt_[A-Za-z0-9]{40}", secret)
    with reading() as session:
        kept = session.get_one(ApiToken, token_id)
        assert (kept.token_hash, kept.ending) == (sessions.hashed(secret), secret[-4:])
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject, entry.actor_name) == ("token made", "Backup script", "Ada")
        assert secret not in repr(entry.after)
        [row] = tokens.rows(session, office.people["Ada"])
        assert (row.name, row.created_by, row.last_used_at) == ("Backup script", "Ada", None)


def test_what_is_wrong_with_a_token_is_named_at_once(office):
    add(office)
    for given, fields in (
        (("Backup script", ["incidents:read"], None), {"name"}),
        (("  ", [], MONDAY), {"name", "scopes", "expires_at"}),
        (("x" * 81, ["all"], MONDAY + timedelta(days=4000)), {"name", "scopes", "expires_at"}),
    ):
        with pytest.raises(RuleError) as wrong:
            add(office, *given)
        assert set(wrong.value.fields) == fields
    for name in ("Rita", "Priya", "Lena", "Dora", "Max"):
        with pytest.raises(Forbidden), reading() as session:
            tokens.rows(session, office.people[name])
        with pytest.raises(Forbidden):
            add(office, "Another", by=name)
        with pytest.raises(Forbidden), writing() as session:
            commands.revoke(session, 1, actor=office.people[name], now=MONDAY)


def test_a_program_is_nobody_among_people(office):
    add(office)
    with reading() as session:
        assert "Backup script (token)" not in choices.people(session).values()
        assert "Backup script (token)" not in choices.workers(session).values()
        assert "Backup script (token)" not in choices.readers(session).values()
        listed, _ = people.people(session, office.people["Ada"], text="script")
        assert listed == []
        program = session.scalars(select(Person).where(Person.name == "Backup script (token)")).one()
        assert people.acting(session, program.id) is None


def test_a_revoked_name_is_free_again(office):
    first, _ = add(office)
    with writing() as session:
        commands.revoke_named(session, "Backup script", actor=office.people["Ada"], now=MONDAY)
    second, _ = add(office)
    with writing() as session:
        commands.revoke(session, second, actor=office.people["Ada"], now=MONDAY)
        commands.revoke(session, second, actor=office.people["Ada"], now=MONDAY)  # once is enough
        with pytest.raises(NotFound):
            commands.revoke_named(session, "Backup script", actor=office.people["Ada"], now=MONDAY)
        with pytest.raises(NotFound):
            commands.revoke(session, 99, actor=office.people["Ada"], now=MONDAY)
    with reading() as session:
        assert [row.id for row in tokens.rows(session, office.people["Ada"], revoked=True)] == [first, second]
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["token made", "token revoked"] * 2


def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(made, office):
    expired, revoked, living = made.token("read", expires=timedelta(hours=1)), made.token("work"), made.token("triage")
    with writing() as session:
        held = session.scalars(select(ApiToken).where(ApiToken.token_hash == sessions.hashed(expired))).one()
        held.expires_at = now() - timedelta(seconds=1)
        commands.revoke_named(session, "work", actor=office.people["Ada"], now=now())
    headers = [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer idt_" + "x" * 40},
        {"authorization": f"Bearer {expired}"},
        {"authorization": f"Bearer {revoked}"},
        {"authorization": f"Bearer {living}x"},
        {"authorization": f"Basic {living}"},
        {"authorization": f"Token {living}"},
        {"authorization": "Bearer \udcff".encode("utf-8", "surrogateescape")},
        {"x-token": living},
    ]
    answers = [made.client.get(API, headers=one) for one in headers]
    answers += [made.client.post(API, json={"title": "x", "affected": "y"}, headers=one) for one in headers]
    answers.append(made.client.get(f"{API}?token={living}&access_token={living}"))
    for answer in answers:
        refused(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert len({answer.text for answer in answers}) == 1
    assert made.client.get(API, headers={"authorization": f"bearer {living}"}).status_code == 200


@sqlite
def test_a_session_does_not_stand_in_for_a_wrong_token(made, office):
    assert made.signed_in("Lena", "GET", API).status_code == 200
    refused(made.client.get(API, headers={"authorization": "Bearer wrong"}), 401, "unauthenticated")


@sqlite
def test_wrong_tokens_take_no_more_work_than_each_other(made, office):
    """The door asks the database once, by the hash, whatever is wrong."""
    revoked = made.token("work")
    with writing() as session:
        commands.revoke_named(session, "work", actor=office.people["Ada"], now=now())
    spent = {"unknown": 60.0, "revoked": 60.0}
    for _ in range(30):  # in turns, so that what else this machine does holds up both; the least is what it takes
        for name, token in (("unknown", "idt_" + "x" * 40), ("revoked", revoked)):
            began = time.perf_counter()
            made.client.get(API, headers={"authorization": f"Bearer {token}"})
            spent[name] = min(spent[name], time.perf_counter() - began)
    assert max(spent.values()) < 3 * min(spent.values()), spent


def test_use_is_noted_once_a_minute(made, office, monkeypatch):
    written = []
    monkeypatch.setattr(calls.commands, "used", lambda *given: written.append(given) or commands_used(*given))
    made.report()
    for _ in range(3):
        assert made.call("work", "GET", API).status_code == 200
    assert len(written) == 1
    with writing() as session:
        session.scalars(select(ApiToken)).one().last_used_at = now() - timedelta(seconds=61)
    made.call("work", "GET", API)
    assert len(written) == 2
    with reading() as session:
        assert now() - session.scalars(select(ApiToken.last_used_at)).one() < timedelta(seconds=5)


commands_used = commands.used


def test_a_token_that_ends_while_its_body_comes_changes_nothing(made, office, monkeypatch):
    made.token("work")
    whole = calls._payload

    async def slow(request):
        payload = await whole(request)
        with writing() as session:
            commands.revoke_named(session, "work", actor=office.people["Ada"], now=now())
        return payload

    monkeypatch.setattr(calls, "_payload", slow)
    refused(made.call("work", "POST", API, json={"title": "x", "affected": "y"}), 401, "unauthenticated")


def test_the_command_line_makes_lists_and_revokes(made, office, command):
    status, out, err = command("token", "add", "Nightly", "--scope", "incidents:read", "--scope", "oncall:read")
    assert (status, err) == (0, "")
    secret = out.strip()
    made.tokens["Nightly"] = secret
    assert made.call("Nightly", "GET", API).status_code == 200
    assert made.call("Nightly", "GET", "/api/v1/oncall").status_code == 200
    status, out, _ = command("token", "list")
    assert out.startswith(f"Nightly · …{secret[-4:]} · incidents:read, oncall:read · last used 2")
    status, out, err = command("token", "add", "Nightly", "--scope", "incidents:read")
    assert (status, out, "already" in err) == (1, "", True)
    assert command("token", "revoke", "Nightly")[:2] == (
        0,
        "Nightly is revoked: nothing more is taken with its token.\n",
    )
    refused(made.call("Nightly", "GET", API), 401, "unauthenticated")
    assert command("token", "revoke", "Nightly")[0] == 1
    assert command("token", "list")[1].startswith("There are no tokens.")
    for wrong in (("x", "--scope", "everything"), ("x",), ("x", "--scope", "oncall:read", "--expires", "soon")):
        assert command("token", "add", *wrong)[0] == 1


@sqlite
def test_an_end_is_the_end_of_its_day(office, command):
    day = (now() + timedelta(days=3)).date()
    assert command("token", "add", "Short", "--scope", "oncall:read", "--expires", str(day))[0] == 0
    with reading() as session:
        until = session.scalars(select(ApiToken.expires_at)).one()
    assert until.date() == day + timedelta(days=1)
    assert (until.hour, until.minute) == (0, 0)
    for wrong in ("9999-12-31", "2020-01-01"):
        assert command("token", "add", "Wrong", "--scope", "oncall:read", "--expires", wrong)[0] == 1
