"""Signing in: the same answer for whoever it is, patience with mistakes, and access that ends at the next action."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from db.commands import people, sign_in
from db.engine import reading, writing
from db.models import SignInSession, Throttle
from db.queries import sessions
from rules.access import SYSTEM
from rules.errors import RuleError

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PASSWORD = "four words to remember"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(sign_in, "hasher", cheap)
    monkeypatch.setattr(sign_in, "_nobody", cheap.hash("nobody"))


@pytest.fixture
def ana(engine):
    with writing(engine) as db:
        return people.add(db, "Ana Berg", "Ana@Example.org", ["lead"], PASSWORD, actor=SYSTEM, now=NOW).id


def enter(engine, email="ana@example.org", password=PASSWORD, address="10.0.0.1", now=NOW):
    return sign_in.sign_in(email, password, address=address, user_agent="Firefox", now=now, engine=engine)


def who(engine, token, now=NOW):
    with reading(engine) as db:
        return sessions.actor_of(db, token, now)


def test_the_right_password_gives_a_session_with_roles(engine, ana):
    actor = who(engine, enter(engine, email="  ANA@example.ORG "))
    assert (actor.id, actor.name, actor.roles) == (ana, "Ana Berg", {"reporter", "lead"})


def test_only_the_tokens_hash_is_kept(engine, ana):
    token = enter(engine)
    with reading(engine) as db:
        kept = db.scalars(select(SignInSession.token_hash)).one()
    assert token.encode() not in kept
    assert kept == sessions.hashed(token)


def test_unknown_wrong_and_disabled_are_answered_alike(engine, ana):
    with writing(engine) as db:
        people.add(db, "Bo", "bo@example.org", ["admin"], PASSWORD, actor=SYSTEM, now=NOW)
        people.disable(db, ana, actor=SYSTEM, now=NOW)
    said = set()
    for email, password in (
        ("nobody@example.org", PASSWORD),
        ("bo@example.org", "wrong"),
        ("ana@example.org", PASSWORD),
    ):
        with pytest.raises(RuleError) as refused:
            enter(engine, email, password)
        said.add(refused.value.sentence)
    assert said == {sign_in.REFUSED}


def test_an_unknown_person_costs_a_hash_too(engine, ana, monkeypatch):
    checked = []
    monkeypatch.setattr(sign_in, "matches", lambda kept, password: bool(checked.append(kept)))
    for email in ("nobody@example.org", "ana@example.org"):
        with pytest.raises(RuleError):
            enter(engine, email, "wrong")
    assert len(checked) == 2


def test_many_failures_make_one_wait_and_never_lock_for_good(engine, ana):
    for _ in range(sign_in.FREE_FAILURES):
        with pytest.raises(RuleError, match="do not belong together"):
            enter(engine, password="wrong")
    with pytest.raises(sign_in.Throttled, match="Try again in") as slow:
        enter(engine)
    assert timedelta() < slow.value.wait <= sign_in.LONGEST_WAIT
    assert enter(engine, now=NOW + slow.value.wait)


def test_waiting_grows_to_a_limit(engine, ana):
    waits, now = [], NOW
    for attempt in range(30):
        try:
            enter(engine, password="wrong", address=f"10.0.0.{attempt}", now=now)
        except sign_in.Throttled as slow:
            waits.append(slow.wait)
            now += slow.wait
        except RuleError:
            pass
    assert waits == sorted(waits)
    assert waits[-1] == sign_in.LONGEST_WAIT


def test_one_address_that_tries_many_people_is_slowed(engine, ana):
    said = []
    for number in range(40):
        with pytest.raises(RuleError) as refused:
            enter(engine, email=f"p{number}@example.org")
        said.append(type(refused.value))
    assert said[0] is RuleError
    assert said[-1] is sign_in.Throttled
    assert enter(engine, address="10.9.9.9")


def test_guesses_at_the_same_time_are_all_counted(engine, ana):
    with ThreadPoolExecutor(16) as people:
        said = list(people.map(lambda number: _refusal(engine, f"10.0.0.{number}"), range(16)))
    assert sorted(set(said)) == ["RuleError", "Throttled"]
    assert said.count("RuleError") == sign_in.FREE_FAILURES


def _refusal(engine, address):
    with pytest.raises(RuleError) as refused:
        enter(engine, password="wrong", address=address)
    return type(refused.value).__name__


def test_those_who_sign_in_rightly_do_not_slow_their_office_down(engine, ana):
    for _ in range(3 * sign_in.FREE_FAILURES_OF_AN_ADDRESS):
        enter(engine)


def test_a_success_forgives_the_failures_of_the_account(engine, ana):
    with pytest.raises(RuleError):
        enter(engine, password="wrong")
    enter(engine)
    with reading(engine) as db:
        kept = db.execute(select(func.count()).select_from(Throttle).where(Throttle.key.like("account:%"))).scalar()
    assert kept == 0


def test_no_address_or_name_stands_in_the_throttle(engine, ana):
    with pytest.raises(RuleError):
        enter(engine, password="wrong")
    with reading(engine) as db:
        assert not [key for key in db.scalars(select(Throttle.key)) if "ana" in key or "10.0" in key]


@pytest.mark.parametrize(
    ("later", "used", "open_still"),
    [
        (timedelta(hours=11), False, True),
        (timedelta(hours=12), False, False),
        (timedelta(hours=20), True, True),
        (timedelta(days=7), True, False),
    ],
)
def test_a_session_ends_when_idle_and_at_its_absolute_limit(engine, ana, later, used, open_still):
    token, now = enter(engine), NOW
    while used and now + timedelta(hours=10) < NOW + later:
        now += timedelta(hours=10)
        with writing(engine) as db:
            sign_in.mark_seen(db, token, now)
    assert (who(engine, token, NOW + later) is not None) is open_still


def test_signing_out_ends_the_session_at_once_and_only_it(engine, ana):
    here, there = enter(engine), enter(engine)
    with writing(engine) as db:
        sign_in.sign_out(db, here, NOW)
    assert who(engine, here) is None
    assert who(engine, there) is not None


def test_changing_the_password_ends_the_other_sessions(engine, ana):
    here, there = enter(engine), enter(engine)
    actor = who(engine, here)
    with writing(engine) as db:
        people.change_own_password(db, PASSWORD, "another four words", actor=actor, now=NOW, token=here)
    assert who(engine, here) is not None
    assert who(engine, there) is None
    with pytest.raises(RuleError):
        enter(engine)
    assert enter(engine, password="another four words")


def test_a_present_password_that_is_wrong_changes_nothing(engine, ana):
    actor = who(engine, enter(engine))
    with pytest.raises(RuleError, match="present password"), writing(engine) as db:
        people.change_own_password(db, "wrong", "another four words", actor=actor, now=NOW)
    assert enter(engine)


def test_an_old_hash_is_renewed_at_sign_in(engine, ana, monkeypatch):
    monkeypatch.setattr(sign_in, "hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    enter(engine)
    from db.models import Person

    with reading(engine) as db:
        assert "t=2" in db.get(Person, ana).password_hash


def test_a_token_nobody_was_given_is_nobody(engine, ana):
    assert who(engine, "x" * 43) is None
    assert who(engine, "") is None
