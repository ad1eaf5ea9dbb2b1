"""API tokens on the screen: made by an administrator, shown once, revoked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import tokens
from db.engine import reading, writing
from db.models import ApiToken
from db.queries.sessions import hashed
from pages.parts import rows
from tests.pages.conftest import seen

PAGE = "admin/tokens.py"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def button(at, label):
    return next(found for found in at.button if found.label == label)


def box(at, words):
    return next(found for found in at.checkbox if found.label.startswith(words))


def test_a_token_is_added_and_shown_once(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add a token").click().run()
    at.text_input[0].set_value("Backup *script*")
    box(at, "Read incidents").check()
    box(at, "Read who is on call").check()
    last = desk.now.date() + timedelta(days=9)
    at.date_input[0].set_value(last)
    at = button(at, "Add").click().run()
    assert not at.exception
    with reading() as db:
        held = db.scalars(select(ApiToken)).one()
    secret = at.session_state["tokens.new.token"]
    assert held.token_hash == hashed(secret)
    assert (held.name, held.scopes) == ("Backup *script*", ["incidents:read", "oncall:read"])
    assert held.expires_at.date() == last + timedelta(days=1)
    again = opened(PAGE, "Ada")
    assert secret not in seen(again)


def test_what_is_wrong_is_kept_for_the_form_to_say(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add a token").click().run()
    at = button(at, "Add").click().run()
    failure = at.session_state["tokens.new.failure"]
    assert set(failure.fields) == {"name", "scopes"}
    with reading() as db:
        assert db.scalars(select(ApiToken)).all() == []


@pytest.fixture
def listed(monkeypatch):
    """The rows that the list is given; `listed.opens` is the id of the one that is pressed."""

    class Listed(list):
        opens = None

    drawn = Listed()

    def draw(items, **_looks):
        drawn[:] = items
        return rows.Event("select", str(drawn.opens)) if drawn.opens is not None else None

    monkeypatch.setattr(rows, "rows", draw)
    return drawn


def test_a_row_says_what_it_is_for_and_until_when_and_is_revoked(desk, opened, listed):
    with writing() as db:
        until = desk.now + timedelta(days=90)
        made, _ = tokens.add(db, "Nightly", ["incidents:read"], until, actor=desk.actors["Ada"], now=desk.now)
        tokens.used(db, made.id, desk.now - timedelta(hours=2))
        tokens.add(db, "Old", ["trends:read"], actor=desk.actors["Ada"], now=desk.now)
        tokens.revoke_named(db, "Old", actor=desk.actors["Ada"], now=desk.now)
    at = opened(PAGE, "Ada")
    [row] = listed
    assert row["title"] == "Nightly"
    assert row["explanation"].startswith("Expires ")
    assert row["explanation"].endswith(" · last used 2 h ago")
    assert row["meta"] == ["incidents:read", f"…{made.ending}"]
    listed.opens = made.id
    at = at.run()
    assert "Read incidents, their timelines" in seen(at)
    listed.opens = None
    button(at, "Revoke").click().run()
    with reading() as db:
        assert db.get_one(ApiToken, made.id).revoked_at is not None
    at = opened(PAGE, "Ada")
    assert list(listed) == []
    at.toggle[0].set_value(True).run()
    assert [row["title"] for row in listed] == ["Nightly", "Old"]
    assert listed[1]["explanation"].startswith("Revoked ")
