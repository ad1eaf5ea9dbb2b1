"""People: invited by a link, changed, disabled; and one's own account."""

from types import SimpleNamespace

import pytest

import pages.parts.rows as rows_part
from db.engine import reading
from db.queries.responsible import leading
from tests.pages.conftest import seen


def said(at):
    """The words of the page as a person reads them: without the marks that keep markdown from formatting them."""
    return seen(at).replace("\\", "")


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def button(at, label):
    return next(found for found in at.button if found.label == label)


@sqlite
def test_everybody_who_can_sign_in_is_listed_and_found(desk, opened, monkeypatch):
    drawn = []
    monkeypatch.setattr(rows_part, "rows", lambda items, **_rest: drawn.append([item["title"] for item in items]))
    assert "7 can sign in" in said(opened("admin/people.py", "Ada"))
    assert "1 match" in said(opened("admin/people.py", "Ada", q="RITA@"))
    assert drawn == [["Ada", "Dora", "Lena", "Max", "Otto", "Priya", "Rita"], ["Rita"]]


@sqlite
def test_an_invitation_asks_for_name_address_roles_and_teams(desk, opened):
    at = button(opened("admin/people.py", "Ada"), "Invite").click().run()
    assert [box.label for box in at.text_input][-2:] == ["Name", "E-mail address"]
    assert at.multiselect[0].options == ["Network"]


@sqlite
def test_an_administrator_marks_who_leads_a_team(desk, opened, monkeypatch):
    drawn = []
    priya = desk.actors["Priya"].id
    event = SimpleNamespace(id=str(priya))

    def listed(items, **_rest):
        drawn.extend(item["meta"] for item in items if item["id"] == str(priya))
        return event

    monkeypatch.setattr(rows_part, "rows", listed)
    at = opened("admin/people.py", "Ada")
    at.multiselect(key=f"people.{priya}.leads").set_value([desk.team_id])
    button(at, "Save").click().run()
    with reading(desk.engine) as db:
        assert leading(db, desk.team_id) == {priya}
    event = None
    opened("admin/people.py", "Ada")
    assert drawn[-1] == ["reporter", "responder", "leads Network"]


@sqlite
def test_my_account_says_who_i_am_and_refuses_a_wrong_password(desk, opened):
    at = opened("account.py", "Priya")
    assert "Priya" in said(at)
    assert "Works on incidents" in said(at)
    at.text_input(key="account.current").input("wrong")
    at.text_input(key="account.new").input("four words to remember")
    assert "The present password is another" in said(button(at, "Change").click().run())
