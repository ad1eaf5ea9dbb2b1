"""The audit on a screen: who changed what, filtered, compared, and checked."""

import pytest
from sqlalchemy import text

import pages.parts.rows as rows_part
from db.commands import audit, catalogue
from db.commands import incidents as commands
from db.engine import writing
from tests.pages.conftest import seen

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch):
    """What the list was given, run by run; `drawn.press` is the row that is pressed in the next run."""

    class Drawn(list):
        press = None

        def __call__(self, items, **_rest):
            self.append([(item["title"], item["explanation"]) for item in items])
            return rows_part.Event("select", items[self.press]["id"]) if self.press is not None else None

    made = Drawn()
    monkeypatch.setattr(rows_part, "rows", made)
    return made


@pytest.fixture
def changed(desk):
    with writing(desk.engine) as db:
        catalogue.save_team(db, None, name="Printers", tier="2", way="itil", actor=desk.actors["Ada"], now=desk.now)
    with writing(desk.engine) as db:
        audit.record(
            db,
            desk.actors["Ada"],
            desk.now,
            "person changed",
            "Priya *Nair*",
            {"roles": ["responder"], "shares": {"p1": 0.5, "p2": 1}},
            {"roles": ["responder", "lead"], "shares": {"p1": 0.75, "p2": 1}},
        )
    return desk


@sqlite
def test_changes_are_listed_newest_first_and_filtered(changed, opened, drawn):
    at = opened("admin/audit.py", "Ada")
    assert "2 changes, newest first" in seen(at)
    assert [title for title, _ in drawn[-1]] == ["Person changed: Priya *Nair*", "Team added: Printers"]
    assert drawn[-1][0][1] == "Ada · roles, shares"
    at.text_input(key="audit.q").input("print").run()
    assert [title for title, _ in drawn[-1]] == ["Team added: Printers"]
    at.text_input(key="audit.q").input("").run()
    at.selectbox(key="audit.what").select("person changed").run()
    assert len(drawn[-1]) == 1
    at.selectbox(key="audit.what").select("").run()
    at.text_input(key="audit.who").input("nobody").run()
    assert drawn[-1] == []


@sqlite
def test_before_and_after_stand_side_by_side_and_only_what_differs(changed, opened, drawn):
    drawn.press = 0
    at = opened("admin/audit.py", "Ada")
    cells = at.table[0].value.to_numpy().tolist()
    assert cells == [["roles", "responder", "responder, lead"], ["shares › p1", "0\\.5", "0\\.75"]]


@sqlite
def test_incidents_are_listed_with_names_for_ids_and_without_what_is_restricted(changed, opened, drawn):
    number, secret = changed.report("Rita", "Printer jams"), changed.report("Rita", "Salary list leaked")
    with writing(changed.engine) as db:
        lena = changed.actors["Lena"]
        commands.prioritise(db, changed.id_of(secret), None, {"restricted": True}, actor=lena, now=changed.now)
    changed.accept(number)
    drawn.press = 0
    at = opened("admin/audit.py", "Ada", part="incidents")
    titles = [title for title, _ in drawn[-1]]
    assert titles[0] == f"{number}: accepted it for Network"
    assert not [title for title in titles if secret in title]
    cells = {row[0]: row[1:] for row in at.table[0].value.to_numpy().tolist()}
    assert cells["team"] == ["–", "Network"]
    assert cells["state"] == ["new", "assigned"]


@sqlite
def test_the_chain_is_checked_on_demand(changed, opened, drawn):
    at = opened("admin/audit.py", "Ada")
    at.button(key="audit.check").click().run()
    assert "The audit is whole: 2 entries checked" in seen(at)
    with writing(changed.engine) as db:
        db.execute(text("drop trigger audit_entry_no_update"))
        db.execute(text("update audit_entry set subject = 'Sam' where id = 1"))
    at.button(key="audit.check").click().run()
    assert "The audit breaks at" in seen(at)
