"""The catalogue: an administrator adds, changes and archives teams, services and categories."""

import pytest
from sqlalchemy import select

from db.engine import reading
from db.models import Team
from tests.pages.conftest import seen

PAGE = "admin/catalogue.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def button(at, label):
    return next(found for found in at.button if found.label == label)


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


@sqlite
def test_a_team_is_added(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add a team").click().run()
    field(at, "text_input", "Name").set_value("Printing")
    button(at, "Add").click().run()
    with reading(desk.engine) as db:
        assert db.scalars(select(Team.name).where(Team.name == "Printing")).one() == "Printing"


@sqlite
def test_what_is_wrong_is_kept_for_the_form_to_say(desk, opened):
    at = button(opened(PAGE, "Ada"), "Add a team").click().run()
    field(at, "text_input", "Name").set_value("Network")
    at = button(at, "Add").click().run()
    failure = at.session_state["catalogue.team.new.failure"]
    assert "There is a team called Network already" in failure.fields["name"]


@sqlite
@pytest.mark.parametrize(("part", "count"), [("team", 1), ("service", 2), ("category", 1)])
def test_each_part_is_at_its_address(desk, opened, part, count):
    at = opened(PAGE, "Ada", part=part)
    assert not at.exception
    assert f"{count} in use" in seen(at)
    assert f"Add a {part}" in [found.label for found in at.button]
