"""People and their roles: invited by a link that works once; an administrator always remains."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from db.commands import people, setup, sign_in
from db.engine import reading, writing
from db.models import AuditEntry, Person, PersonRole, Team
from db.queries import people as queries
from db.queries import sessions
from db.queries.responsible import leading
from rules.access import SYSTEM, Actor, Forbidden, NotFound
from rules.errors import RuleError

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PASSWORD = "four words to remember"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    monkeypatch.setattr(sign_in, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def add(engine, name, *roles, password=PASSWORD):
    with writing(engine) as db:
        return people.add(db, name, f"{name}@example.org", roles, password, actor=SYSTEM, now=NOW).id


def actor(engine, person_id):
    with writing(engine) as db:
        token = sign_in.begin_session(db, db.get_one(Person, person_id), user_agent="", now=NOW)
        return sessions.actor_of(db, token, NOW)


def test_an_invited_person_chooses_a_password_once(engine):
    with writing(engine) as db:
        db.add(Team(id=1, name="Network"))
        db.flush()
        person, token = people.invite(db, "Bo", "bo@example.org", ["responder"], actor=SYSTEM, now=NOW, team_ids=[1])
    with writing(engine) as db:
        people.accept_link(db, token, PASSWORD, now=NOW + timedelta(days=6))
    found = actor(engine, person.id)
    assert found.roles == {"reporter", "responder"}
    assert found.team_ids == {1}
    with pytest.raises(NotFound, match="has been used"), writing(engine) as db:
        people.accept_link(db, token, "another four words", now=NOW)


def test_a_link_that_is_too_old_or_invented_is_refused(engine):
    with writing(engine) as db:
        _, token = people.invite(db, "Bo", "bo@example.org", [], actor=SYSTEM, now=NOW)
    for held, now in ((token, NOW + timedelta(days=7)), ("invented", NOW)):
        with pytest.raises(NotFound, match="too old"), writing(engine) as db:
            people.accept_link(db, held, PASSWORD, now=now)


def test_a_new_link_makes_the_earlier_one_useless_and_ends_sessions_when_used(engine):
    bo = add(engine, "bo", "lead")
    session = sign_in.sign_in("bo@example.org", PASSWORD, address="a", user_agent="", now=NOW, engine=engine)
    with writing(engine) as db:
        first = people.new_link(db, bo, actor=SYSTEM, now=NOW)
    with writing(engine) as db:
        second = people.new_link(db, bo, actor=SYSTEM, now=NOW)
    with pytest.raises(NotFound), writing(engine) as db:
        people.accept_link(db, first, "another four words", now=NOW)
    with writing(engine) as db:
        people.accept_link(db, second, "another four words", now=NOW)
    with reading(engine) as db:
        assert sessions.actor_of(db, session, NOW) is None


def test_everything_wrong_is_named_at_once(engine):
    add(engine, "bo")
    with pytest.raises(RuleError) as refused, writing(engine) as db:
        people.add(db, " ", "BO@example.org", ["king"], "short", actor=SYSTEM, now=NOW, zone="Mars/Olympus")
    assert set(refused.value.fields) == {"name", "email", "roles", "password", "zone"}


@pytest.mark.parametrize("role", ["reporter", "responder", "lead", "desk", "manager"])
def test_only_administrators_set_people_up(engine, role):
    someone = Actor(99, "X", frozenset({"reporter", role}))
    bo = add(engine, "bo")
    for attempt in (
        lambda db: people.invite(db, "C", "c@example.org", [], actor=someone, now=NOW),
        lambda db: people.change(db, bo, name="B", roles=["admin"], team_ids=[], actor=someone, now=NOW),
        lambda db: people.disable(db, bo, actor=someone, now=NOW),
        lambda db: people.enable(db, bo, actor=someone, now=NOW),
        lambda db: people.new_link(db, bo, actor=someone, now=NOW),
        lambda db: queries.people(db, someone),
        lambda db: queries.person(db, someone, bo),
    ):
        with pytest.raises(Forbidden), writing(engine) as db:
            attempt(db)


def test_disabling_ends_access_at_the_next_action(engine):
    add(engine, "ada", "admin")
    bo = add(engine, "bo", "lead")
    token = sign_in.sign_in("bo@example.org", PASSWORD, address="a", user_agent="", now=NOW, engine=engine)
    with writing(engine) as db:
        people.disable(db, bo, actor=SYSTEM, now=NOW)
    with reading(engine) as db:
        assert sessions.actor_of(db, token, NOW) is None
    with writing(engine) as db:
        people.enable(db, bo, actor=SYSTEM, now=NOW)
    assert sign_in.sign_in("bo@example.org", PASSWORD, address="a", user_agent="", now=NOW, engine=engine)


def test_the_only_administrator_cannot_be_disabled_or_demoted(engine):
    ada = add(engine, "ada", "admin")
    for attempt in (
        lambda db: people.disable(db, ada, actor=SYSTEM, now=NOW),
        lambda db: people.change(db, ada, name="Ada", roles=["lead"], team_ids=[], actor=SYSTEM, now=NOW),
    ):
        with pytest.raises(RuleError, match="only administrator"), writing(engine) as db:
            attempt(db)
    assert "admin" in actor(engine, ada).roles


def test_two_administrators_who_demote_each_other_at_once_leave_one(engine):
    pair = [add(engine, "ada", "admin"), add(engine, "eve", "admin")]
    ready, said = threading.Barrier(2), []

    def demote(other):
        ready.wait(60)
        try:
            with writing(engine) as db:
                people.change(db, other, name="x", roles=["lead"], team_ids=[], actor=SYSTEM, now=NOW)
        except RuleError as error:
            said.append(error.sentence)

    threads = [threading.Thread(target=demote, args=(other,)) for other in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with reading(engine) as db:
        left = db.scalars(select(PersonRole.person_id).where(PersonRole.role == "admin")).all()
    assert len(left) == 1
    assert len(said) == 1


def test_changes_are_audited_without_secrets(engine):
    add(engine, "ada", "admin")
    bo = add(engine, "bo", "lead")
    with writing(engine) as db:
        people.change(db, bo, name="Bo Li", roles=["desk"], team_ids=[], actor=SYSTEM, now=NOW)
        token = people.new_link(db, bo, actor=SYSTEM, now=NOW)
    with reading(engine) as db:
        entries = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    changed = next(entry for entry in entries if entry.action == "person changed")
    assert changed.before["roles"] == ["lead", "reporter"]
    assert changed.after["roles"] == ["desk", "reporter"]
    assert not [entry for entry in entries if token in str(entry.after) or PASSWORD in str(entry.after)]


def test_who_leads_a_team_is_marked_kept_and_audited(engine):
    add(engine, "ada", "admin")
    bo = add(engine, "bo", "responder")
    with writing(engine) as db:
        teams = [Team(name=name, tier="2", way="itil") for name in ("Network", "Servers")]
        db.add_all(teams)
        db.flush()
        network, servers = (team.id for team in teams)

    def change(team_ids, **more):
        with writing(engine) as db:
            given = {"name": "bo", "roles": ["responder"], "team_ids": team_ids, "actor": SYSTEM, "now": NOW}
            people.change(db, bo, **given, **more)
        with reading(engine) as db:
            return queries.person(db, SYSTEM, bo).leads

    assert change([network, servers], leads=[network]) == (network,)
    with reading(engine) as db:
        assert leading(db, network) == {bo}
    assert change([network, servers]) == (network,), "what is not said stays"
    assert change([network, servers], leads=[network]) == (network,)
    with pytest.raises(RuleError) as refused:
        change([servers], leads=[network])
    assert list(refused.value.fields) == ["leads"]
    assert change([servers]) == ()
    with reading(engine) as db:
        told = db.scalars(select(AuditEntry).where(AuditEntry.action == "person changed").order_by(AuditEntry.id)).all()
    assert [(entry.before["leads"], entry.after["leads"]) for entry in told] == [([], [network]), ([network], [])]


def test_people_are_found_and_paged_in_sql(engine):
    with writing(engine) as db:
        for number in range(30):
            people.add(db, f"Person {number:02d}", f"p{number}@example.org", [], None, actor=SYSTEM, now=NOW)
    with reading(engine) as db:
        page, total = queries.people(db, SYSTEM, page=2)
        assert (len(page), total, page[0].name) == (5, 30, "Person 25")
        found, total = queries.people(db, SYSTEM, text="P7@EXAMPLE")
        assert [person.name for person in found] == ["Person 07"]
        assert total == 1
        assert queries.people(db, SYSTEM, text="100%_")[1] == 0


class TestSetUp:
    def code(self, engine, now=NOW):
        with writing(engine) as db:
            return setup.new_code(db, now)

    def first(self, engine, code, now=NOW, **other):
        values = {
            "organisation": "North Hospital",
            "name": "Ada Berg",
            "email": "ada@example.org",
            "password": PASSWORD,
            "zone": "Europe/Berlin",
        } | other
        with writing(engine) as db:
            return setup.first_administrator(db, code, now=now, **values)

    def test_the_code_makes_the_first_administrator_once(self, engine):
        code = self.code(engine)
        ada = self.first(engine, code.lower().replace("-", " "))
        assert "admin" in actor(engine, ada.id).roles
        with pytest.raises(RuleError, match="set up already"):
            self.first(engine, code, email="eve@example.org")
        assert self.code(engine) is None

    @pytest.mark.parametrize("code", ["", "ABCD-EFGH-2345", "x" * 5000])
    def test_another_code_is_refused_with_everything_else_that_is_wrong(self, engine, code):
        self.code(engine)
        with pytest.raises(RuleError) as refused:
            self.first(engine, code, organisation="", password="short")
        assert set(refused.value.fields) == {"code", "organisation", "password"}

    def test_a_code_lasts_a_day_and_the_newest_counts(self, engine):
        old = self.code(engine)
        with pytest.raises(RuleError, match="older than a day"):
            self.first(engine, old, now=NOW + timedelta(days=1))
        new = self.code(engine)
        with pytest.raises(RuleError, match="not the newest code"):
            self.first(engine, old)
        assert self.first(engine, new)

    def test_triage_has_a_team_and_categories_from_the_first_minute(self, engine):
        from db.queries import choices

        self.first(engine, self.code(engine))
        with reading(engine) as db:
            assert [team.name for team in choices.teams(db)] == ["Service desk"]
            assert "Hardware" in [pair.name for pair in choices.known(db).pairs.values()]
