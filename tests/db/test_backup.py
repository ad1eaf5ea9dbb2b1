"""Backup and restore: everything comes back in either kind of database, or nothing changes at all."""

import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, inspect, select, text

import db.cli
from db import demo
from db.backup import restore as restoring
from db.backup import shape, write
from db.backup.restore import restore
from db.backup.write import backup
from db.commands import calendar_feed, files, incidents, integrations, people, tokens
from db.commands.files import Upload
from db.engine import DatabaseProblem, make_engine, reading, writing
from db.migrations import head
from db.migrations.run import upgrade
from db.models import (
    ApiToken,
    Attachment,
    AttachmentContent,
    AuditEntry,
    Base,
    CalendarFeed,
    Incident,
    Integration,
    IntegrationToken,
    OneTimeLink,
    Person,
    Setting,
    SignInSession,
)
from db.queries import people as queries
from db.queries import tokens as api_tokens
from db.queries.sessions import hashed
from db.queries.text_search import found
from rules.access import SYSTEM, Actor
from rules.errors import RuleError
from tests.db.imported import ROOT
from tests.db.office import HOUR, Office
from tests.db.test_chains import verified

NOW = datetime(2026, 3, 12, 14, 30, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def quiet(*_told):
    """Nobody watches."""


def backed_up(engine, place, progress=quiet):
    backup(engine, place, now=NOW, progress=progress)
    return place


def restored(engine, place, keep_tokens=True):
    return restore(engine, place, keep_tokens=keep_tokens, actor=SYSTEM, now=NOW + HOUR, progress=quiet)


@contextmanager
def opened(url):
    made = make_engine(url)
    yield made
    made.dispose()


def report(engine, title, **given):
    """The id of a new incident, reported by somebody of the sample data."""
    with writing(engine) as session:
        who = session.scalars(select(Person).order_by(Person.id)).first()
        by = Actor(who.id, who.name)
        return incidents.report(session, title=title, affected="All", actor=by, now=NOW + HOUR, **given).id


def canonical(value):
    """PostgreSQL keeps the names in JSON in an order of its own."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else repr(value)


def everything(engine):
    """Every row of every table that a backup holds, whatever database keeps it."""
    with reading(engine) as session:
        return {
            table.name: sorted(tuple(map(canonical, row)) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name not in shape.LEFT_OUT
        }


def _version(engine):
    with reading(engine) as session:
        return shape.version(session)


def is_empty(engine):
    with reading(engine) as session:
        there = inspect(session.connection()).get_table_names()
        return not there or (
            session.scalar(select(func.count()).select_from(Person)) == 0
            and session.scalar(select(func.count()).select_from(Incident)) == 0
            and session.scalar(select(func.count()).select_from(AuditEntry)) == 0
        )


@pytest.fixture(scope="module")
def sample(_sqlite_template, tmp_path_factory):
    """The sample data with a file attached and somebody signed in: (its database, its backup)."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copyfile(_sqlite_template, folder / "incidents.db")
    with opened(f"sqlite:///{folder}/incidents.db") as engine:
        with writing(engine) as session:
            demo.fill(session, NOW, past_incidents=12)
        with writing(engine) as session:
            incident = session.scalars(select(Incident).where(Incident.state == "in_progress")).first()
            who = session.scalars(select(Person)).first()
            by = Actor(who.id, who.name)
            files.attach(session, incident, Upload("graph.png", PNG), actor=by, now=NOW)
            calendar_feed.renew(session, actor=Actor(who.id, who.name, frozenset({"responder"})), now=NOW)
            session.add(SignInSession(token_hash=b"1" * 32, person_id=who.id, created_at=NOW, last_seen_at=NOW,
                                      expires_at=NOW + HOUR))  # fmt: skip
        yield engine, backed_up(engine, folder / "sample.gz")


def test_everything_comes_back_in_either_kind_of_database(engine, sample):
    told = restored(engine, sample[1])
    before, after = everything(sample[0]), everything(engine)
    with reading(engine) as session:
        assert session.scalars(select(AttachmentContent.content).join(Attachment)).all() == [PNG]
        assert session.scalar(select(func.count()).select_from(SignInSession)) == 0
        newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (newest.action, newest.subject, newest.at) == ("backup restored", "sample.gz", NOW + HOUR)
    added = {table: set(rows) ^ set(before[table]) for table, rows in after.items() if rows != before[table]}
    assert {table: len(rows) for table, rows in added.items()} == {"audit_entry": 1, "chain_head": 2}
    assert told.same_key
    assert told.made_at == NOW
    assert told.rows == sum(map(len, before.values()))


def test_what_was_restored_is_whole_is_found_and_goes_on(engine, sample):
    restored(engine, sample[1])
    assert verified(engine)[0] == []
    with reading(engine) as here, reading(sample[0]) as there:
        for words in ("printer", "mail", "server restarted"):
            asked = select(Incident.number).where(Incident.id.in_(found(here, words, internal=True)))
            as_before = select(Incident.number).where(Incident.id.in_(found(there, words, internal=True)))
            assert sorted(here.scalars(asked)) == sorted(there.scalars(as_before)) != []
        last = there.scalar(select(func.max(Incident.id)))
    assert report(engine, "It goes on") == last + 1
    assert verified(engine)[0] == []
    with pytest.raises(Exception, match="append-only"), writing(engine) as session:
        session.execute(text("delete from audit_entry"))


def test_no_token_and_no_link_of_a_backup_works_again_unless_that_is_asked_for(engine, tmp_path):
    office = Office(engine)
    ada, priya = office.people["Ada"], office.people["Priya"]
    with writing(engine) as session:
        _, script = tokens.add(session, "Script", ["incidents:read"], actor=ada, now=NOW)
        over, _ = tokens.add(session, "Over", ["incidents:read"], actor=ada, now=NOW)
        tokens.revoke(session, over.id, actor=ada, now=NOW)
        added, _ = integrations.add(
            session, {"name": "Probe", "format": "generic", "service_id": office.service}, actor=ada, now=NOW
        )
        secret = integrations.secret(session, added.id, actor=ada)
        calendar_feed.renew(session, actor=priya, now=NOW)
        given = {"name": "Nora", "email": "nora@example.org", "roles": []}
        _, invitation = people.invite(session, **given, actor=ada, now=NOW)
    opens = hashed(script), hashed(invitation)
    place = backed_up(engine, tmp_path / "one.gz")

    def alive(there):
        with reading(there) as session:
            return (
                session.scalar(select(func.count()).select_from(ApiToken).where(ApiToken.revoked_at.is_(None))),
                session.scalar(
                    select(func.count()).select_from(IntegrationToken).where(IntegrationToken.revoked_at.is_(None))
                ),
                session.scalar(select(func.count()).select_from(CalendarFeed)),
                session.scalar(
                    select(func.count()).select_from(OneTimeLink).where(OneTimeLink.expires_at > NOW + HOUR)
                ),
            )

    for keep, left in ((True, (1, 1, 1, 1)), (False, (0, 1, 0, 0))):
        with opened(f"sqlite:///{tmp_path}/{keep}.db") as there:
            told = restored(there, place, keep)
            assert alive(there) == left
            with reading(there) as session:
                [integration] = session.scalars(select(Integration))
                turn, until = integration.secret_turn, integration.old_secret_until
                now_taken = integrations.live_secrets(integration.id, turn, until, NOW + HOUR)
                assert secret in now_taken, "alarms are heard after a restore, too"
                assert (api_tokens.holder(session, opens[0], NOW + HOUR) is not None) is keep
                assert (queries.link_holder(session, opens[1], NOW + HOUR) == "Nora") is keep
                audited = session.scalars(select(AuditEntry.action).where(AuditEntry.at == NOW + HOUR)).all()
            assert verified(there)[0] == []
            if keep:
                assert (told.ended, audited) == (None, ["backup restored"])
            else:
                assert told.ended.words == ["1 API token", "1 calendar address", "1 link of a mail"]
                assert audited == ["token revoked", "calendar addresses ended", "backup restored"]


def test_a_backup_of_postgresql_is_restored_into_sqlite(sample, postgres_url, sqlite_url, tmp_path):
    with opened(postgres_url) as from_here, opened(sqlite_url) as to_there:
        restored(from_here, sample[1])
        report(from_here, "It goes on", description='Zürich\u2028 \U0001f600 \\ "quoted"\n\ttwice')
        restored(to_there, backed_up(from_here, tmp_path / "moved.gz"))
        before, after = everything(from_here), everything(to_there)
        changed = {table: len(set(rows) ^ set(before[table])) for table, rows in after.items()}
        assert {table: count for table, count in changed.items() if count} == {"audit_entry": 1, "chain_head": 2}
        assert verified(to_there)[0] == []


def test_a_backup_is_of_one_moment_and_nobody_waits_for_it(engine, tmp_path, monkeypatch):
    office = Office(engine)
    office.bring_to("in_progress")
    monkeypatch.setattr(write, "AT_A_TIME", 1)
    came = []

    def meanwhile(_phase, _done, _total):
        if not came:
            came.append(office.report("Meanwhile"))

    before = everything(engine)
    place = backed_up(engine, tmp_path / "b.gz", meanwhile)
    assert came
    assert everything(engine)["incident"] != before["incident"]
    lines = list(map(json.loads, gzip.decompress(place.read_bytes()).splitlines()))
    assert {name: count for name, (count, _sum) in lines[-1]["end"].items()} == {
        name: len(rows) for name, rows in before.items()
    }


def altered(place, change):
    lines = change(gzip.decompress(place.read_bytes()).splitlines(keepends=True))
    return gzip.compress(b"".join(lines))


def header(**values):
    def change(lines):
        return [json.dumps(json.loads(lines[0]) | values).encode() + b"\n", *lines[1:]]

    return change


DAMAGED = "damaged or was cut short"
BAD = {
    "half of it": (lambda place: place.read_bytes()[: place.stat().st_size // 2], DAMAGED),
    "all but its last byte": (lambda place: place.read_bytes()[:-1], DAMAGED),
    "a byte is another": (lambda place: place.read_bytes()[:9999] + b"?" + place.read_bytes()[10000:], DAMAGED),
    "something behind it": (lambda place: place.read_bytes() + b"more", DAMAGED),
    "a line is missing": (lambda place: altered(place, lambda lines: lines[:50] + lines[51:]), DAMAGED),
    "its end is missing": (lambda place: altered(place, lambda lines: lines[:-1]), "its end is missing"),
    "a word is another": (
        lambda place: altered(place, lambda lines: [line.replace(b"in_progress", b"in_arrears") for line in lines]),
        DAMAGED,
    ),
    "another number of rows": (lambda place: altered(place, header(rows=3)), DAMAGED),
    "a newer version": (lambda place: altered(place, header(schema="9999")), "made by a newer version"),
    "a newer format": (lambda place: altered(place, header(**{"incident desk backup": 2})), "made by a newer version"),
    "nothing": (lambda _place: b"", "is not a backup"),
    "another file": (lambda _place: b"number,state\nINC-1,new\n", "is not a backup"),
    "another packed file": (lambda _place: gzip.compress(b"number,state\n"), "is not a backup"),
}


@on_sqlite
@pytest.mark.parametrize("bad", BAD)
def test_a_file_that_is_not_whole_is_refused_before_anything_changes(engine, sample, tmp_path, bad, monkeypatch):
    make, said = BAD[bad]
    (tmp_path / "bad.gz").write_bytes(make(sample[1]))
    monkeypatch.setattr(restoring, "writing", None)
    with pytest.raises(RuleError, match=said):
        restored(engine, tmp_path / "bad.gz")


def test_a_file_that_is_whole_but_not_of_this_shape_changes_nothing(engine, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(shape, "LEFT_OUT", shape.LEFT_OUT | {"timer"})
        backed_up(engine, tmp_path / "without.gz")
    with writing(engine) as session:
        session.add(Setting(key="kept", value=1, changed_at=NOW))
    with pytest.raises(RuleError, match="missing"):
        restored(engine, tmp_path / "without.gz")
    with reading(engine) as session:
        assert session.scalars(select(Setting.key)).all() == ["kept"]


def test_only_an_empty_database_is_restored_into(engine, sample):
    office = Office(engine)
    before = everything(engine)
    with pytest.raises(RuleError, match="into an empty database only"):
        restored(engine, sample[1])
    assert everything(engine) == before
    assert office.report()


def test_what_an_unused_database_holds_gives_way(engine, sample):
    with writing(engine) as session:
        session.add(Setting(key="organisation.name", value="Nobody yet", changed_at=NOW))
    restored(engine, sample[1])
    assert everything(engine)["setting"] == everything(sample[0])["setting"]


@pytest.mark.parametrize("version", ["0001", "0009", "0015"])
def test_a_backup_of_an_earlier_version_is_brought_to_this_one(engine, tmp_path, version):
    with opened(f"sqlite:///{tmp_path}/old.db") as old:
        upgrade(old, to=version)
        with writing(old) as session:
            session.execute(text("insert into category (name) values ('Mail'), ('Phone')"))
            kept = "insert into setting (key, value, changed_at) values ('kept', :value, 1)"
            session.execute(text(kept), {"value": '{"a": [1.5, "ü"]}'})
        backed_up(old, tmp_path / "old.gz")
        assert _version(old) == version
    restored(engine, tmp_path / "old.gz")
    assert head.is_current(engine)
    with reading(engine) as session:
        assert session.execute(text("select id, name from category order by id")).all() == [(1, "Mail"), (2, "Phone")]
        assert session.get_one(Setting, "kept").value == {"a": [1.5, "ü"]}
    office = Office(engine)
    office.bring_to("closed")
    assert verified(engine)[0] == []


def test_somebody_elses_database_is_left_alone(sample, tmp_path):
    with opened(f"sqlite:///{tmp_path}/theirs.db") as theirs:
        with writing(theirs) as session:
            session.execute(text("create table team (name text)"))
        with pytest.raises(DatabaseProblem, match="not made by Incident Desk"):
            restored(theirs, sample[1])
        assert inspect(theirs).get_table_names() == ["team"]


def test_a_kill_in_the_middle_leaves_the_database_empty(engine, database_url, sample):
    script = (
        "import os, sys, db.cli, db.backup.restore as restoring\n"
        "restoring._count_on = lambda _connection: os.kill(os.getpid(), 9)\n"
        "db.cli.main(['restore', sys.argv[1]])\n"
    )
    environment = os.environ | {"DATABASE_URL": database_url}
    done = subprocess.run([sys.executable, "-c", script, str(sample[1])], cwd=ROOT, env=environment)
    assert done.returncode == -signal.SIGKILL
    assert is_empty(engine)
    restored(engine, sample[1])
    assert verified(engine)[0] == []


def test_a_backup_that_fails_leaves_no_file(engine, tmp_path, monkeypatch):
    def fail(*_given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.Writer, "end", fail)
    with pytest.raises(OSError, match="No space left"):
        backed_up(engine, tmp_path / "b.gz")
    assert not [name for name in os.listdir(tmp_path) if "b.gz" in name]


def test_a_file_that_came_meanwhile_is_not_replaced(engine, tmp_path, monkeypatch):
    place, end = tmp_path / "b.gz", write.Writer.end

    def meanwhile(writer):
        place.write_text("theirs")
        end(writer)

    monkeypatch.setattr(write.Writer, "end", meanwhile)
    with pytest.raises(RuleError, match="There is a file"):
        backed_up(engine, place)
    assert place.read_text() == "theirs"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


@pytest.fixture
def command(app_database, capsys):
    def call(*arguments):
        try:
            status = db.cli.main(list(map(str, arguments)))
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return call


def test_the_commands_say_what_they_did(command, app_database, sample, tmp_path, monkeypatch):
    status, out, err = command("restore", sample[1])
    assert (status, err) == (0, "")
    assert "Restored as of 2026-03-12 14:30:00 UTC: " in out
    assert "Everybody signs in again" in out
    assert "Ended, since what was revoked after the backup would work again: " in out
    assert "Integrations are heard with the tokens of the backup" in out
    assert command("verify")[0] == 0
    status, out, err = command("restore", sample[1])
    assert (status, out, err.count("\n")) == (1, "", 1)
    place = tmp_path / "b.gz"
    status, out, err = command("backup", place)
    assert (status, err) == (0, "")
    assert "SECRET_KEY is not in it" in out
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    kept = place.read_bytes()
    status, out, err = command("backup", place)
    assert (status, out, place.read_bytes()) == (1, "", kept)
    assert f"There is a file '{place}' already." in err


@on_sqlite
def test_another_secret_key_is_noticed(command, sample, monkeypatch):
    from db.settings import settings

    monkeypatch.setenv("SECRET_KEY", "another key of 32 characters or more")
    settings.cache_clear()
    status, _, err = command("restore", sample[1])
    assert status == 0
    assert "SECRET_KEY is another than it was" in err


@on_sqlite
def test_what_cannot_be_backed_up_or_restored_is_a_sentence(command, tmp_path, monkeypatch):
    assert "There is no file 'none.gz'" in command("restore", "none.gz")[2]
    status, out, err = command("backup", tmp_path / "no folder" / "b.gz")
    assert (status, out) == (1, "")
    assert "cannot be written: No such file or directory" in err
    with opened(f"sqlite:///{tmp_path}/none.db") as nowhere:
        with pytest.raises(RuleError, match="There is no database"):
            backed_up(nowhere, tmp_path / "b.gz")
        assert not (tmp_path / "none.db").exists()
        (tmp_path / "none.db").touch()
        with pytest.raises(RuleError, match="nothing of Incident Desk in this database"):
            backed_up(nowhere, tmp_path / "b.gz")
