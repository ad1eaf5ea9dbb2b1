"""The status page as an administrator designs it, and maintenance as it is announced there."""

import pytest
from sqlalchemy import select

from db.commands import status_page as commands
from db.engine import reading, writing
from db.models import Component, PublishedWindow, StatusPage
from db.queries import status_page as queries
from tests.pages.conftest import seen
from tests.pages.test_maintenance import at_noon, button, field  # noqa: F401 - a fixture

PAGE = "admin/status_page.py"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def component(desk, name, group="", **more):
    with writing(desk.engine) as db:
        given = {"name": name, "group": group, **more, "actor": desk.actors["Ada"], "now": desk.now}
        return commands.save_component(db, None, None, **given)


def publish(desk):
    with writing(desk.engine) as db:
        given = {"name": "Our status", "words": "", "closing_words": "", "published": True}
        commands.change(db, None, **given, actor=desk.actors["Ada"], now=desk.now)


def look(desk):
    with reading(desk.engine) as db:
        return queries.look(db)


def names(desk):
    with reading(desk.engine) as db:
        return [each.name for each in queries.components(db)]


def test_it_begins_with_what_to_do(desk, opened):
    at = opened(PAGE, "Ada")
    assert not at.exception
    assert "Nobody sees it yet: add components" in seen(at)
    assert "set SMTP_URL and BASE_URL" in seen(at)


def test_a_component_is_added_with_its_services(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add a component").click().run()
    field(at, "text_input", "name").set_value("Mail")
    field(at, "multiselect", "service_ids").set_value([1])
    at = button(at, "Add").click().run()
    assert not at.exception
    assert names(desk) == ["Mail"]
    with reading(desk.engine) as db:
        assert queries.components(db)[0].service_ids == (1,)


def test_what_is_wrong_is_said_in_the_form(desk, opened):
    component(desk, "Mail")
    at = button(opened(PAGE, "Ada"), "Add a component").click().run()
    field(at, "text_input", "name").set_value("mail")
    at = button(at, "Add").click().run()
    assert "one of this name already" in at.session_state["status_page.component.new.failure"].fields["name"]
    assert names(desk) == ["Mail"]


def test_it_is_published_once_there_is_something_to_say(desk, opened):
    at = opened(PAGE, "Ada", part="page")
    field(at, "toggle", "published").set_value(True)
    at = button(at, "Save").click().run()
    assert "Add a component first" in seen(at)
    assert not look(desk).published
    component(desk, "Mail")
    at = button(at, "Save").click().run()
    assert "Everybody sees it at" in seen(at)
    assert look(desk).published


def test_two_who_edit_do_not_undo_each_other(desk, opened):
    component(desk, "Mail")
    at = opened(PAGE, "Ada", part="page")
    publish(desk)
    field(at, "text_input", "name").set_value("Mine")
    at = button(at, "Save").click().run()
    assert "Somebody changed it meanwhile" in seen(at)
    assert look(desk).name == "Our status"


def planned(at, title):
    field(at, "text_input", "name").set_value("Secret disks")
    field(at, "multiselect", "service_ids").set_value([1])
    field(at, "toggle", "public").set_value(True)
    at.run()
    field(at, "text_input", "public_title").set_value(title)
    return button(at, "Plan it").click().run()


def published(desk):
    with reading(desk.engine) as db:
        return [(row.title, row.withdrawn_at is None) for row in db.scalars(select(PublishedWindow))]


def test_maintenance_is_announced_from_its_form_and_taken_off_again(desk, opened, at_noon):  # noqa: F811
    component(desk, "Mail")
    publish(desk)
    at = opened("responders/maintenance.py", "Lena", id="new")
    at = planned(at, "")
    assert "what visitors of the status page read" in seen(at)
    assert published(desk) == [], "the window was not planned either"
    field(at, "text_input", "public_title").set_value("Mail rests")
    at = button(at, "Plan it").click().run()
    assert published(desk) == [("Mail rests", True)]
    at = opened("responders/maintenance.py", "Lena", id="1")
    assert field(at, "text_input", "public_title").value == "Mail rests"
    field(at, "toggle", "public").set_value(False)
    button(at, "Save").click().run()
    assert published(desk) == [("Mail rests", False)]


def test_without_a_page_there_is_nothing_to_announce(desk, opened, at_noon):  # noqa: F811
    at = opened("responders/maintenance.py", "Lena", id="new")
    assert [found.label for found in at.toggle if "status page" in found.label] == []
    with reading(desk.engine) as db:
        assert db.scalars(select(StatusPage)).all() == []
        assert db.scalars(select(Component)).all() == []
