"""What a ServiceNow log means here."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from db.engine import reading
from db.models import (
    Category,
    CategoryPair,
    Incident,
    Person,
    Service,
    Subcategory,
    Team,
)
from rules.access import Actor, Forbidden
from tests.db.imported import (
    MANY,
    NOW,
    counted,
    entries,
    last_rows,
    one,
    sample_rows,
    take,
    written,
)


def test_the_sample_comes_out_with_the_figures_counted_by_hand(engine):
    report = take(engine)
    assert (report.rows, report.incidents, report.created, report.refused) == (382, MANY, MANY, 0)
    assert report.entries == 382
    assert counted(engine) == counted(engine, Incident.imported, Incident.source == "import") == MANY
    by_priority = {level: counted(engine, Incident.priority == level) for level in (1, 2, 3, 4, 5)}
    assert by_priority == {1: 5, 2: 4, 3: 41, 4: 10, 5: 0}
    assert counted(engine, Incident.resolved_at.is_not(None)) == 58
    assert counted(engine, Incident.reopen_count > 0) == 6
    assert counted(engine, Incident.handovers > 0) == 20
    assert counted(engine, Incident.ping_pong) == 8
    assert counted(engine, Incident.acknowledged_at.is_not(None)) == 39
    assert counted(engine, Incident.state == "closed", Incident.queue_group == 3) == MANY
    with reading(engine) as db:
        assert db.scalar(select(func.sum(Incident.reopen_count))) == 7
        assert db.scalar(select(func.count()).select_from(Team).where(Team.imported, Team.tier == "2")) == 28
        assert db.scalar(select(func.count()).select_from(CategoryPair)) == 37
        assert set(db.scalars(select(Service.name))) == {"cmdb_ci 31", "cmdb_ci 22"}
        assert not db.scalar(select(func.count()).select_from(Person).where(Person.email.is_not(None)))


def test_the_first_incident_is_told_as_the_log_tells_it(engine):
    take(engine)
    incident = one(engine, "INC0000045")
    assert incident.title == "Category 55: Subcategory 170 (Symptom 72)"
    assert incident.affected == "Location 143"
    assert "Contact: Phone" in incident.description
    assert incident.resolution_note == "Close code: code 5"
    assert (incident.impact, incident.urgency, incident.priority) == (2, 2, 3)
    assert incident.reported_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert incident.resolved_at == datetime(2016, 2, 29, 11, 29, tzinfo=UTC)
    assert incident.closed_at == datetime(2016, 3, 5, 12, 0, tzinfo=UTC)
    assert incident.acknowledged_at is None
    assert incident.resolution_due_at is None
    told = entries(engine, "INC0000045")
    assert [(entry.kind, entry.from_state, entry.to_state) for entry in told] == [
        ("report", None, "new"),
        ("resolve", "new", "resolved"),
        ("change", "resolved", "resolved"),
        ("close", "resolved", "closed"),
    ]
    assert told[1].text == "moved it from New to Resolved"
    assert told[1].actor_name == "Updated by 642"
    assert told[1].at == datetime(2016, 2, 29, 8, 53, tzinfo=UTC)
    assert all(entry.imported and entry.recorded_at == NOW for entry in told)
    with reading(engine) as db:
        assert db.get(Team, incident.team_id).name == "Group 56"
        assert db.get(Person, incident.reporter_id).name == "Caller 2403"
        assert db.get(Person, incident.logged_by_id).name == "Opened by 8"


def test_a_lost_state_leaves_the_incident_as_it_was(engine):
    report = take(engine)
    assert any("'-100': 5" in warning for warning in report.warnings)
    states = [row["incident_state"] for row in sample_rows() if row["number"] == "INC0028089"]
    assert "-100" in states
    told = entries(engine, "INC0028089")
    for theirs, before, entry in zip(states[1:], told[:-1], told[1:], strict=True):
        if theirs == "-100":
            assert entry.to_state == entry.from_state == before.to_state


def test_where_resolved_at_is_missing_the_last_row_in_resolved_is_meant(engine):
    take(engine)
    rows = [row for row in sample_rows() if row["resolved_at"] == "?" and row["incident_state"] == "Resolved"]
    assert rows
    for number in {row["number"] for row in rows}:
        last = [row for row in rows if row["number"] == number][-1]
        meant = datetime.strptime(last["sys_updated_at"], "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
        assert one(engine, number).resolved_at == meant
    assert one(engine, "INC0003115").resolved_at is None
    assert one(engine, "INC0003115").closed_at is not None


def test_a_row_older_than_the_one_before_keeps_its_place(engine):
    report = take(engine)
    told = entries(engine, "INC0000137")
    assert [entry.to_state for entry in told] == ["new", "new", "resolved", "closed"]
    assert told[1].at < told[0].at
    assert one(engine, "INC0000137").reopen_count == 0
    assert any("older than the row before them: 1" in warning for warning in report.warnings)


def test_a_subcategory_may_stand_under_several_categories(engine):
    take(engine)
    with reading(engine) as db:
        several = (
            select(CategoryPair.subcategory_id)
            .where(CategoryPair.subcategory_id.is_not(None))
            .group_by(CategoryPair.subcategory_id)
            .having(func.count() > 1)
        )
        assert len(db.execute(several).all()) == 5
        assert db.scalar(select(func.count()).select_from(Subcategory)) < db.scalar(
            select(func.count()).select_from(CategoryPair)
        )
        assert db.scalar(select(func.count()).select_from(Category).where(Category.name == "?")) == 0


def test_search_finds_what_was_imported(engine):
    take(engine)
    if engine.dialect.name == "sqlite":
        query = "select count(*) from incident_text where incident_text match 'INC0000045'"
    else:
        query = "select count(*) from incident_text where words @@ to_tsquery('simple', 'INC0000045')"
    with reading(engine) as db:
        assert db.scalar(text(query)) == 1


def test_an_ordinary_export_has_one_row_per_incident(engine, tmp_path):
    file = written(tmp_path / "ordinary.csv", last_rows())
    report = take(engine, file)
    assert (report.created, report.refused) == (MANY, 0)
    told = entries(engine, "INC0000045")
    assert [(entry.kind, entry.actor_name) for entry in told] == [
        ("report", "Opened by 8"),
        ("resolve", "Resolved by 149"),
        ("close", "Updated by 908"),
    ]
    assert [entry.at for entry in told] == [
        datetime(2016, 2, 29, 1, 16, tzinfo=UTC),
        datetime(2016, 2, 29, 11, 29, tzinfo=UTC),
        datetime(2016, 3, 5, 12, 0, tzinfo=UTC),
    ]
    assert one(engine, "INC0000045").acknowledged_at is None
    assert counted(engine, Incident.reopen_count > 0) == 6
    again = take(engine, file)
    assert (again.unchanged, again.entries) == (MANY, 0)


def test_open_incidents_take_their_place_in_the_queue(engine, tmp_path):
    row = last_rows()[0] | {"incident_state": "Active", "resolved_at": "", "closed_at": "", "priority": "2 - High"}
    take(engine, written(tmp_path / "open.csv", [row]))
    incident = one(engine, row["number"])
    assert (incident.state, incident.queue_group) == ("in_progress", 0)
    assert incident.resolution_due_at == incident.reported_at + timedelta(hours=8)
    assert incident.rank_at == incident.resolution_due_at - timedelta(days=5)
    assert incident.resolved_at is None
    assert incident.closed_at is None


def test_an_export_with_labels_keeps_its_own_words(engine, tmp_path):
    row = {
        "Number": "INC9",
        "Short description": "Printer on floor 3 is dead",
        "Description": "No lights at all.",
        "State": "On Hold",
        "Opened": "2024-05-06 08:00:00",
        "Updated": "2024-05-06 09:00:00",
        "Priority": "4 - Low",
        "Assignment group": "Printing",
    }
    report = take(engine, written(tmp_path / "labels.csv", [row], delimiter="\t"))
    assert report.created == 1
    incident = one(engine, "INC9")
    assert (incident.title, incident.description) == ("Printer on floor 3 is dead", "No lights at all.")
    assert (incident.state, incident.hold_reason, incident.queue_group) == ("on_hold", "other", 1)


def test_dates_are_local_times_of_the_zone(engine):
    take(engine, zone="America/Sao_Paulo")
    assert one(engine, "INC0000045").reported_at == datetime(2016, 2, 29, 4, 16, tzinfo=UTC)


def test_rows_of_an_incident_may_lie_apart(engine, tmp_path):
    rows = sample_rows()
    order = sorted(rows, key=lambda row: datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M"))
    take(engine, written(tmp_path / "by_time.csv", [row for row in order if row["number"] != "INC0000137"]), batch=7)
    assert counted(engine) == MANY - 1
    assert counted(engine, Incident.reopen_count > 0) == 6
    assert take(engine).unchanged == MANY - 1


def test_only_an_administrator_imports(engine):
    with pytest.raises(Forbidden):
        take(engine, actor=Actor(1, "Lea", frozenset({"lead", "desk", "manager"})))
    assert counted(engine) == 0
