"""The status page as administrators design it: every change checked, audited, and never over that of another."""

import pytest
from sqlalchemy import select

from db.commands import status_page as commands
from db.engine import reading, writing
from db.models import AuditEntry
from db.queries import status_page as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import MONDAY
from tests.db.public import Public

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
BLANK = {"name": "", "words": "", "closing_words": ""}


@pytest.fixture
def public(engine):
    return Public(engine)


def do(public, command, *given, by="Ada", **more):
    with writing(public.engine) as db:
        return command(db, *given, **more, actor=public.people[by], now=MONDAY)


def names(public):
    return [each.name for each in public.board().components]


def audited(public):
    with reading(public.engine) as db:
        return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def look(public):
    with reading(public.engine) as db:
        return queries.look(db)


def test_only_administrators_design_it(public):
    mail = public.components["Mail"]
    for command, given, more in (
        (commands.change, (None,), {**BLANK, "published": True}),
        (commands.set_logo, (None, "a.png", PNG), {}),
        (commands.save_component, (mail, None), {"name": "X"}),
        (commands.move_component, (mail, 1), {}),
        (commands.archive_component, (mail,), {}),
        (commands.restore_component, (mail,), {}),
    ):
        with pytest.raises(Forbidden):
            do(public, command, *given, **more, by="Lena")


def test_every_change_is_audited_and_nothing_is_when_nothing_changes(public):
    before = len(audited(public))
    do(
        public,
        commands.change,
        None,
        name="Our status",
        words="All we run.",
        closing_words="It works again.",
        published=True,
    )
    assert len(audited(public)) == before
    mail, portal = public.components["Mail"], public.components["Portal"]
    do(public, commands.save_component, mail, None, name="E-mail", service_ids=[public.service])
    do(public, commands.move_component, mail, 1)
    do(public, commands.archive_component, portal)
    do(public, commands.restore_component, portal)
    do(public, commands.set_logo, None, "a.png", PNG)
    do(public, commands.change, None, **BLANK, published=False)
    assert audited(public)[before:] == [
        "component changed", "components put in order", "component archived", "component brought back",
        "status page logo changed", "status page taken down",
    ]  # fmt: skip


def test_two_editors_do_not_undo_each_other(public):
    seen = look(public).version
    do(public, commands.change, seen, **BLANK | {"name": "First"}, published=True)
    with pytest.raises(RuleError, match="meanwhile"):
        do(public, commands.change, seen, **BLANK | {"name": "Second"}, published=True)
    with pytest.raises(RuleError, match="meanwhile"):
        do(public, commands.set_logo, seen, "a.png", PNG)
    mail = public.row("Mail")
    do(public, commands.save_component, mail.id, mail.version, name="E-mail")
    with pytest.raises(RuleError, match="meanwhile"):
        do(public, commands.save_component, mail.id, mail.version, name="Post")
    assert (look(public).name, names(public)[0]) == ("First", "E-mail")


def test_components_change_places_within_their_group_or_with_it(public):
    public.components["Till"] = public.component("Till", "Customers")
    assert names(public) == ["Mail", "Portal", "Shop", "Till"]
    do(public, commands.move_component, public.components["Till"], -1)
    do(public, commands.move_component, public.components["Mail"], 1)
    assert names(public) == ["Portal", "Mail", "Till", "Shop"]
    do(public, commands.move_component, public.components["Till"], -1)
    assert names(public) == ["Till", "Shop", "Portal", "Mail"]
    do(public, commands.move_component, public.components["Till"], -1)
    assert names(public) == ["Till", "Shop", "Portal", "Mail"]


def test_what_is_archived_leaves_the_page_and_comes_back(public):
    public.update(public.report(), states={"Mail": "major", "Shop": "major"})
    do(public, commands.archive_component, public.components["Mail"])
    assert names(public) == ["Portal", "Shop"]
    do(public, commands.save_component, None, None, name="Mail")
    with pytest.raises(RuleError, match="another Mail"):
        do(public, commands.restore_component, public.components["Mail"])
    do(public, commands.archive_component, public.components["Shop"])
    do(public, commands.restore_component, public.components["Shop"])
    assert names(public) == ["Portal", "Mail", "Shop"]
    assert public.states()["Shop"] == "major"


def test_the_last_component_of_a_published_page_stays(public):
    for name in ("Mail", "Portal"):
        do(public, commands.archive_component, public.components[name])
    with pytest.raises(RuleError, match="last one"):
        do(public, commands.archive_component, public.components["Shop"])
    public.page(published=False)
    do(public, commands.archive_component, public.components["Shop"])
    with pytest.raises(RuleError) as refused:
        public.page(published=True)
    assert "published" in refused.value.fields


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "portal"}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "N", "group": "x" * 121}, "group"),
        ({"name": "N", "description": "x" * 201}, "description"),
        ({"name": "N", "service_ids": [999]}, "service_ids"),
    ],
)
def test_a_component_that_cannot_be_is_refused(public, given, field):
    with pytest.raises(RuleError) as refused:
        do(public, commands.save_component, None, None, **given)
    assert field in refused.value.fields


def test_there_are_only_so_many(public, monkeypatch):
    monkeypatch.setattr(commands, "MOST_COMPONENTS", 4)
    public.component("Fourth")
    with pytest.raises(RuleError, match="as many as visitors"):
        public.component("Fifth")
    with pytest.raises(NotFound):
        do(public, commands.save_component, 999, None, name="Nobody")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"<svg onload=alert(1)>"),
        ("a.svg", b"<svg/>"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.gif", b"GIF89a" + b"0" * 20),
        ("a.png", PNG + b"0" * commands.LOGO_BYTES),
        ("a.png", b""),
    ],
)
def test_a_logo_is_a_small_picture_by_its_content(public, name, content):
    with pytest.raises(RuleError) as refused:
        do(public, commands.set_logo, None, name, content)
    assert set(refused.value.fields) == {"logo"}


def test_a_logo_is_kept_and_taken_away(public):
    do(public, commands.set_logo, None, "a.png", PNG)
    with reading(public.engine) as db:
        assert queries.logo(db)[:2] == (PNG, "image/png")
    do(public, commands.set_logo, None, "", None)
    with reading(public.engine) as db:
        assert queries.logo(db) is None
    assert look(public).logo_hash == ""
