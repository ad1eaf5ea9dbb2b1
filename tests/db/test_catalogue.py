"""Teams, services and categories: added, changed, archived, never lost, and not silently overwritten."""

import pytest
from sqlalchemy import select

from db.commands import catalogue as commands
from db.commands import incidents
from db.engine import reading, writing
from db.models import AuditEntry, Category, CategoryPair, Subcategory, Team
from db.queries import catalogue as queries
from db.queries import choices
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
TEAM = {"name": "Printing", "tier": "2", "way": "itil"}


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Ada", **more):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=NOW, **more)


def listed(office, kind, **more):
    with reading(office.engine) as db:
        found, total = queries.things(db, office.people["Ada"], kind, **more)
    return {thing.name: thing for thing in found}, total


def audited(office):
    with reading(office.engine) as db:
        return [(entry.action, entry.subject) for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_a_team_is_added_changed_archived_and_brought_back(office):
    team = do(office, commands.save_team, None, **TEAM)
    seen = TEAM | {"contact": ""}
    do(office, commands.save_team, team, **(TEAM | {"tier": "external", "contact": "+49 30 1"}), seen=seen)
    assert listed(office, "team", text="print")[0]["Printing"].values == {
        "name": "Printing", "tier": "external", "way": "itil", "contact": "+49 30 1", "escalation_policy_id": None
    }  # fmt: skip
    do(office, commands.archive, "team", team)
    assert "Printing" not in listed(office, "team")[0]
    assert set(listed(office, "team", archived=True)[0]) == {"Printing"}
    with reading(office.engine) as db:
        assert "Printing" not in [found.name for found in choices.teams(db)]
    do(office, commands.restore, "team", team)
    assert "Printing" in listed(office, "team")[0]
    assert audited(office) == [
        ("team added", "Printing"), ("team changed", "Printing"), ("team archived", "Printing"),
        ("team brought back", "Printing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"name": " "}, "name", "Give the team a name"),
        ({"name": "network"}, "name", "There is a team called Network already"),
        ({"tier": "9"}, "tier", "Choose the tier"),
        ({"way": "chaos"}, "way", "Choose the way"),
        ({"tier": "external"}, "contact", "how the vendor is reached"),
        ({"name": "x" * 121}, "name", "120"),
    ],
)
def test_what_is_wrong_with_a_team_is_said(office, given, field, sentence):
    with pytest.raises(RuleError, match=sentence) as refused:
        do(office, commands.save_team, None, **(TEAM | given))
    assert field in refused.value.fields
    assert listed(office, "team")[1] == 3


def test_a_team_with_open_incidents_is_not_archived(office):
    number = office.bring_to("assigned")
    with pytest.raises(RuleError, match="Network has 1 open incidents"):
        do(office, commands.archive, "team", office.teams["Network"])
    office.perform(number, "cancel", "Dora", MONDAY + 5 * HOUR, reason="A test.")
    do(office, commands.archive, "team", office.teams["Network"])
    assert office.incident(number).team_id == office.teams["Network"]


def test_a_subcategory_stands_under_several_categories(office):
    for category in ("Hardware", "Software"):
        do(office, commands.save_category, None, category=category, subcategory="Printer")
    with reading(office.engine) as db:
        assert len(db.scalars(select(Subcategory).where(Subcategory.name == "Printer")).all()) == 1
    with pytest.raises(RuleError, match="there already"):
        do(office, commands.save_category, None, category="hardware", subcategory="printer")
    assert {"Hardware › Printer", "Software › Printer", "Network"} <= set(listed(office, "category")[0])


def test_another_name_renames_it_wherever_it_stands(office):
    first = do(office, commands.save_category, None, category="Hardware", subcategory="Printer")
    do(office, commands.save_category, None, category="Hardware", subcategory="Monitor")
    seen = {"category": "Hardware", "subcategory": "Printer", "team_id": None, "runbook": ""}
    given = {"category": "Devices", "subcategory": "Printers", "team_id": office.teams["Network"]}
    do(office, commands.save_category, first, **given, seen=seen)
    assert {"Devices › Printers", "Devices › Monitor"} <= set(listed(office, "category")[0])
    assert listed(office, "category")[0]["Devices › Printers"].owner == "Network"
    with pytest.raises(RuleError, match="There is a category called Network already"):
        do(office, commands.save_category, first, category="Network", subcategory="Printers")
    with pytest.raises(RuleError, match="Give the subcategory a name"):
        do(office, commands.save_category, first, category="Devices", subcategory="")


def test_an_archived_category_stays_on_its_incidents_and_leaves_the_forms(office):
    number = office.bring_to("assigned")
    do(office, commands.archive, "category", office.pair)
    with reading(office.engine) as db:
        assert office.pair not in choices.known(db).pairs
    assert office.incident(number).category_pair_id == office.pair
    other = office.report()
    with pytest.raises(RuleError, match="Choose a category"):
        office.perform(other, "accept", "Lena", NOW, **office.triage)
    do(office, commands.restore, "category", office.pair)
    office.perform(other, "accept", "Lena", NOW, **office.triage)


def test_two_administrators_do_not_overwrite_each_other(office):
    with reading(office.engine) as db:
        seen = queries.thing(db, office.people["Ada"], "service", office.service).values
    given = seen | {"description": "Mail of the house"}
    do(office, commands.save_service, office.service, **given, seen=seen)
    with pytest.raises(RuleError, match="Somebody changed it meanwhile"):
        do(office, commands.save_service, office.service, **(seen | {"impact": 1}), seen=seen)
    assert listed(office, "service")[0]["E-mail"].values["description"] == "Mail of the house"


def test_a_service_and_what_hangs_on_it(office):
    office.report(service_id=office.service)
    found = listed(office, "service")[0]["E-mail"]
    assert (found.open, found.owner, found.values["impact"]) == (1, "Servers", 2)
    with pytest.raises(RuleError, match="Choose a team"):
        do(office, commands.save_service, None, name="VPN", team_id=999)
    with pytest.raises(RuleError, match="how much hangs"):
        do(office, commands.save_service, None, name="VPN", impact=7)
    assert do(office, commands.save_service, None, name="VPN", impact=None) > 0


@pytest.mark.parametrize("who", ["Rita", "Priya", "Lena", "Dora", "Max"])
def test_only_administrators_touch_or_read_it(office, who):
    for command, given in (
        (commands.save_team, {"name": "X", "tier": "1", "way": "itil"}),
        (commands.save_service, {"name": "X"}),
        (commands.save_category, {"category": "X"}),
    ):
        with pytest.raises(Forbidden):
            do(office, command, None, by=who, **given)
    with pytest.raises(Forbidden):
        do(office, commands.archive, "team", office.teams["Network"], by=who)
    with pytest.raises(Forbidden), reading(office.engine) as db:
        queries.things(db, office.people[who], "team")


def test_what_is_not_there_is_not_found(office):
    with pytest.raises(NotFound):
        do(office, commands.save_team, 999, **TEAM)
    with pytest.raises(NotFound):
        do(office, commands.archive, "service", 999)
    with pytest.raises(RuleError):
        do(office, commands.archive, "person", 1)


def test_pages_and_search_count_in_the_database(office):
    with writing(office.engine) as db:
        db.add_all(Team(name=f"Team {n:02}", tier="2", way="itil") for n in range(30))
        category = Category(name="Many")
        db.add(category)
        db.flush()
        db.add(CategoryPair(category_id=category.id))
    first, total = listed(office, "team", text="team")
    second, _ = listed(office, "team", text="team", page=2)
    assert (len(first), len(second), total) == (25, 5, 30)
    assert listed(office, "category", text="man")[1] == 1


def test_a_new_team_and_category_serve_at_once(office):
    team = do(office, commands.save_team, None, **TEAM)
    pair = do(office, commands.save_category, None, category="Print", team_id=team)
    number = office.report()
    with writing(office.engine) as db:
        given = {"category_pair_id": pair, "impact": 2, "urgency": 2, "team_id": team}
        done = incidents.perform(db, number, None, "accept", given, actor=office.people["Lena"], now=NOW)
    assert done.team_id == team
