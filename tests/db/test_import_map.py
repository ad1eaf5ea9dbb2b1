"""A CSV file of any tool, taken in through a map."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.imports import BadFile, Report
from db.models import Category, CategoryPair, Incident, Team
from rules.import_map import JIRA, parse
from tests.db.imported import NOW, counted, entries, one, take, written

MAP = """
[columns]
number = "Ticket"
title = "Subject"
description = "Text"
reported = "Created"
resolved = "Solved"
state = "Status"
category = "Group"
subcategory = "Kind"
priority = "Severity"
team = "Queue"
assignee = "Owner"
reporter = "Customer"
[values.state]
"Parked" = "on_hold"
"Solved" = "resolved"
[values.priority]
"Sev A" = "1"
[dates]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
"""
ROW = {
    "Ticket": "T-1",
    "Subject": "Printer jams",
    "Text": "Every time.",
    "Created": "03.02.2026 09:30",
    "Solved": "",
    "Status": "Parked",
    "Group": "Hardware",
    "Kind": "Printer",
    "Severity": "Sev A",
    "Queue": "Workplace",
    "Owner": "Ana",
    "Customer": "Bo",
    "Mood": "grim",
}


def bring(engine: Engine, place: Path, rows: list[dict[str, str]], text: str = MAP, **more: object) -> Report:
    return take(engine, written(place / "theirs.csv", rows), mapping=parse(text, "csv:test"), **more)


def test_a_mapped_file_gives_whole_incidents(engine, tmp_path):
    solved = ROW | {"Ticket": "T-2", "Status": "Solved", "Solved": "04.07.2026 10:00"}
    report = bring(engine, tmp_path, [ROW, solved])
    assert (report.created, report.refused) == (2, 0)
    assert "Columns that are not kept: Mood." in report.notes
    held = one(engine, "T-1")
    assert (held.title, held.description, held.state, held.priority) == ("Printer jams", "Every time.", "on_hold", 1)
    assert held.reported_at == datetime(2026, 2, 3, 8, 30, tzinfo=UTC), "Berlin in winter"
    assert held.hold_reason == "other"
    done = one(engine, "T-2")
    assert (done.state, done.resolved_at) == ("resolved", datetime(2026, 7, 4, 8, 0, tzinfo=UTC))
    with reading(engine) as db:
        assert db.scalars(select(Team.name).where(Team.id == held.team_id)).one() == "Workplace"
        assert db.scalars(
            select(Category.name).join(CategoryPair).where(CategoryPair.id == held.category_pair_id)
        ).one()


def test_the_same_mapped_file_again_changes_nothing_and_a_new_state_is_taken(engine, tmp_path):
    bring(engine, tmp_path, [ROW])
    assert bring(engine, tmp_path, [ROW]).unchanged == 1
    later = ROW | {"Status": "Solved", "Solved": "04.02.2026 09:30"}
    assert bring(engine, tmp_path, [later]).changed == 1
    assert one(engine, "T-1").state == "resolved"


def test_a_history_is_one_row_per_event(engine, tmp_path):
    text = MAP.replace("[values.state]", 'moment = "Changed"\n[values.state]', 1)
    rows = [
        ROW | {"Status": "New", "Changed": "03.02.2026 09:30", "Queue": "Desk"},
        ROW | {"Status": "In progress", "Changed": "03.02.2026 10:00"},
        ROW | {"Status": "Solved", "Changed": "03.02.2026 12:00", "Solved": "03.02.2026 12:00"},
    ]
    report = bring(engine, tmp_path, rows, text)
    assert (report.created, report.entries) == (1, 3)
    told = one(engine, "T-1")
    assert told.acknowledged_at == datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    assert told.handovers == 1
    assert [entry.kind for entry in entries(engine, "T-1")] == ["report", "acknowledge", "resolve"]


def test_rows_with_neither_number_nor_date_are_known_by_what_they_say(engine, tmp_path):
    text = '[columns]\ndescription = "Document"\ncategory = "Topic"'
    rows = [{"Document": "my mouse is broken " * 20, "Topic": "Hardware"}, {"Document": "no mail", "Topic": "Mail"}]
    rows.append(rows[1])
    report = bring(engine, tmp_path, rows, text)
    assert (report.created, report.refused) == (3, 0)
    assert any("count as reported at the moment" in note for note in report.notes)
    assert any("taken as closed" in note for note in report.notes)
    again = bring(
        engine, tmp_path, [*rows, {"Document": "new words", "Topic": "Mail"}], text, now=NOW + timedelta(days=1)
    )
    assert (again.created, again.unchanged) == (1, 3)
    with reading(engine) as db:
        found = db.scalars(select(Incident).order_by(Incident.id)).all()
    assert found[0].title.endswith("…")
    assert len(found[0].title) <= 122
    assert found[0].description == ("my mouse is broken " * 20).strip(), "nothing of a long text is lost"
    assert found[0].state == "closed"
    assert found[1].title == "no mail"


def test_an_empty_state_means_what_the_map_says(engine, tmp_path):
    text = '[columns]\ntitle = "Subject"\n[values.state]\n"" = "new"'
    bring(engine, tmp_path, [{"Subject": "Lamp flickers"}], text)
    assert counted(engine, Incident.state == "new") == 1


def test_jira_is_read_without_a_map(engine, tmp_path):
    row = {"Summary": "VPN drops", "Issue key": "IT-7", "Status": "Waiting for customer", "Priority": "Highest",
           "Created": "24/Nov/25 2:07 PM", "Issue Type": "Incident", "Reporter": "Bo"}  # fmt: skip
    assert take(engine, written(tmp_path / "jira.csv", [row]), mapping=JIRA).created == 1
    found = one(engine, "IT-7")
    assert (found.state, found.priority) == ("on_hold", 1)
    assert found.reported_at == datetime(2025, 11, 24, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Status": "Frozen"}, "The state 'Frozen' is not known."),
        ({"Created": "2026/02"}, "The date '2026/02' in 'Created' cannot be read."),
        ({"Created": ""}, "'Created' is missing."),
        ({"Ticket": ""}, "The number is missing."),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_in_their_words(engine, tmp_path, changed: Mapping[str, str], reason):
    report = bring(engine, tmp_path, [ROW, ROW | {"Ticket": "T-2"} | changed])
    assert (report.created, report.refused) == (1, 1)
    assert reason in report.refusals.reasons


def test_a_number_twice_needs_a_moment(engine, tmp_path):
    report = bring(engine, tmp_path, [ROW, ROW | {"Ticket": "T-2"}, ROW | {"Ticket": "T-2", "Mood": "fine"}])
    assert report.created == 1
    assert any("no column for moment" in reason for reason in report.refusals.reasons)


def test_a_column_that_is_not_there_is_named(engine, tmp_path):
    with pytest.raises(BadFile, match="The header lacks 'Ticket'"):
        bring(engine, tmp_path, [{"Subject": "x"}])


def test_a_file_of_something_else_is_no_jira_export(engine, tmp_path):
    with pytest.raises(BadFile, match="no column for a title"):
        take(engine, written(tmp_path / "other.csv", [{"a": "1", "b": "2"}]), mapping=JIRA)
