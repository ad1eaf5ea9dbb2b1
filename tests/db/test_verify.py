"""python -m db verify: whole data passes, and each thing that cannot be so is said of the incident where it is."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import db.cli
from db import demo
from db.commands import conversation, policies, relations
from db.engine import reading, writing
from db.queries import settings as setting_queries
from rules.access import Forbidden, NotFound
from tests.db.imported import half_histories, take, written
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.test_chains import verified


@pytest.fixture
def office(engine):
    return Office(engine)


@pytest.fixture
def command(app_database, capsys):
    def call(*arguments):
        try:
            status = db.cli.main(arguments)
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return call


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_sample_data_is_whole(engine):
    with writing(engine) as session:
        demo.fill(session, datetime(2026, 3, 12, 14, 30, tzinfo=UTC), past_incidents=60)
    assert verified(engine)[0] == []


def test_imported_histories_are_whole_though_they_break_rules(engine):
    take(engine)
    take(engine)
    assert verified(engine)[0] == []


def test_what_was_imported_and_worked_on_here_is_whole(office, tmp_path):
    early, _ = half_histories()
    take(office.engine, written(tmp_path / "early.csv", early))
    with reading(office.engine) as session:
        ids = session.scalars(text("select id from incident where state in ('new', 'in_progress') order by id")).all()
    for incident in ids[:3]:
        office.comment(incident, "Still there?", "Priya", datetime(2026, 2, 1, tzinfo=UTC))
        office.perform(incident, "cancel", "Dora", datetime(2026, 2, 2, tzinfo=UTC), reason="Old.")
    assert ids
    assert verified(office.engine)[0] == []


def test_what_is_undone_handed_over_reopened_merged_and_joined_is_whole(office):
    one, other, twin = (office.bring_to(state) for state in ("in_progress", "recovered", "assigned"))
    office.perform(one, "assign", "Priya", MONDAY + DAY, team_id=office.teams["Servers"])
    office.perform(one, "acknowledge", "Sam", MONDAY + DAY + HOUR)
    office.perform(one, "hold", "Sam", MONDAY + 2 * DAY, hold_reason="vendor", hold_until=MONDAY + 9 * DAY)
    office.perform(other, "reject", "Rita", MONDAY + 2 * DAY, reason="It is back.")
    office.perform(twin, "merge", "Lena", MONDAY + DAY, duplicate_of_id=one)
    office.perform(twin, "unmerge", "Lena", MONDAY + 2 * DAY)
    with writing(office.engine) as session:
        relations.set_parent(session, twin, None, one, actor=office.people["Lena"], now=MONDAY + 2 * DAY)
    office.comment(one, "All of you: an hour more.", "Sam", MONDAY + 3 * DAY)
    assert verified(office.engine)[0] == []


def test_while_a_change_of_settings_is_applied_clocks_are_let_be(office):
    office.bring_to("in_progress")
    ada = office.people["Ada"]
    changes = {
        "rank.head_starts": {"major": 1, "priority": {"1": 5, "2": 4, "3": 3, "4": 2, "5": 1}, "risk": 1, "people": 1}
    }
    with writing(office.engine) as session:
        present = setting_queries.values(session)
        policies.begin(session, present, changes, actor=ada, now=MONDAY + DAY)
        policies.setup.put(session, changes, MONDAY + DAY, ada.id)
    assert verified(office.engine)[0] == []
    done = False
    while not done:
        with writing(office.engine) as session:
            done = policies.apply_some(session, MONDAY + DAY).done
    assert verified(office.engine)[0] == []


WRONG = {
    "the queue": ("on_hold", "update incident set queue_group = 0", "stands in another part of the queue"),
    "no moment": ("resolved", "update incident set resolved_at = null", "the moment it was resolved is missing"),
    "a moment too many": ("assigned", "update incident set closed_at = 5", "has the moment it was closed"),
    "no category": ("closed", "update incident set category_pair_id = null", "but its category is missing"),
    "no priority": ("assigned", "update incident set priority = null", "but its priority is missing"),
    "no reason to wait": ("on_hold", "update incident set hold_reason = null", "what it waits for is missing"),
    "no verification": ("closed", "update incident set verification = null", "whether its reporter confirmed it"),
    "the state": ("in_progress", "update incident set state = 'assigned'", "its timeline says in_progress"),
    "the version": ("in_progress", "update incident set version = 7", "its version is 7"),
    "the handovers": ("in_progress", "update incident set handovers = 2", "its number of handovers is 2"),
    "the reopenings": ("in_progress", "update incident set reopen_count = 1", "its number of reopenings is 1"),
    "the place": ("in_progress", "update incident set rank_at = rank_at - 1", "its place in the queue is not what"),
    "the due time": (
        "in_progress",
        "update incident set resolution_due_at = resolution_due_at + 1; "
        "update timer set due_at = due_at + 1 where kind = 'resolution_breach'",
        "its time to resolve is not what the settings",
    ),
    "the warning of the answer": (
        "new",
        "update incident set impact = 2, urgency = 2, priority = 3, response_warn_at = response_warn_at + 1; "
        "update timer set due_at = due_at + 1 where kind = 'response_warning'",
        "its warning of the time to answer is not what the settings",
    ),
    "a clock that runs": ("on_hold", "update pause set ended_at = began_at + 1", "it is waiting, but its clock runs"),
    "a clock that stands": ("on_hold", "update incident set hold_reason = 'other'", "stands still although it is not"),
    "two pauses": (
        "on_hold",
        "insert into pause (incident_id, began_at, ended_at, reason) select incident_id, began_at, began_at + 9, "
        "reason from pause",
        "two pauses overlap",
    ),
    "a pause backwards": (
        "in_progress",
        "insert into pause (incident_id, began_at, ended_at, reason) select id, 9, 5, 'vendor' from incident",
        "ends before it begins",
    ),
    "no timer": ("in_progress", "delete from timer where kind = 'resolution_breach'", "nothing will tell when"),
    "a late timer": ("in_progress", "update timer set due_at = due_at + 1", "at another moment than it should"),
    "a timer left": (
        "closed",
        "insert into timer (incident_id, kind, due_at) select id, 'hold_until', 5 from incident",
        "still to fall due although it no longer can",
    ),
    "two teams": (
        "in_progress",
        "insert into assignment (incident_id, team_id, tier, began_at, summary) select id, 2, '2', 5, '' from incident",
        "two teams have it at once",
    ),
    "another team": ("in_progress", "update incident set team_id = team_id + 1", "the time of another team runs"),
    "a team's time": ("closed", "update assignment set ended_at = null", "although work on it is not due"),
    "a stranger who follows": (
        "assigned",
        "update follower set via_id = incident_id",
        "follows it because of an incident that is not merged",
    ),
    "part of itself": ("assigned", "update incident set parent_id = id", "linked with itself"),
    "a file": (
        "assigned",
        "insert into attachment (id, incident_id, name, media_type, size, sha256, added_at) "
        "select 1, id, 'a.txt', 'text/plain', 3, 'no', 1 from incident",
        "the file a.txt is not the one that was added",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_so_is_said(office, what):
    state, statements, sentence = WRONG[what]
    incident = office.bring_to(state)
    assert verified(office.engine)[0] == []
    with writing(office.engine) as session:
        for statement in statements.split("; "):
            session.execute(text(statement))
    said, _ = verified(office.engine)
    assert any(sentence in each for each in said), said
    assert all(each.startswith(office.incident(incident).number) for each in said)


def test_the_command_says_whole_and_gives_an_anchor_that_a_later_check_takes(command, app_database, tmp_path):
    office = Office(app_database)
    incident = office.bring_to("in_progress")
    status, out, err = command("verify")
    assert (status, err) == (0, "")
    assert "Incidents: 1. Timeline entries: 4. Audit entries: 0." in out
    anchor = out.splitlines()[-1]
    kept = tmp_path / "anchors.txt"
    kept.write_text(f"kept on Monday\n{anchor}\n", "utf-8")
    office.comment(incident, "More", "Priya", MONDAY + DAY)
    for given in (anchor, str(kept)):
        status, out, err = command("verify", "--anchor", given)
        assert (status, err) == (0, "")
        assert "nothing is missing that was there at the anchor" in out
    status, _, err = command("verify", "--anchor", anchor.replace("timeline=4:4", "timeline=4:5"))
    assert status == 1
    assert err.splitlines()[-1] == "Something is wrong: 1."
    status, _, err = command("verify", "--anchor", "nothing.txt")
    assert (status, err[:13]) == (1, "'nothing.txt'")


def test_the_command_names_the_incident_and_refuses(command, app_database):
    office = Office(app_database)
    office.bring_to("in_progress")
    with writing(app_database) as session:
        session.execute(text("update incident set version = 9"))
    status, out, err = command("verify")
    assert status == 1
    assert "INC-000001: its version is 9, but its timeline says 3." in err
    assert "anchor" not in out


def test_an_earlier_secret_key_is_taken_from_a_file(command, app_database, tmp_path, monkeypatch):
    from db.settings import settings

    Office(app_database).report()
    (tmp_path / "old").write_bytes(settings().secret() + b"\n")
    monkeypatch.setenv("SECRET_KEY", "another key, which is as long as it has to be")
    settings.cache_clear()
    status, _, err = command("verify")
    assert status == 1
    assert "another SECRET_KEY" in err
    status, _, err = command("verify", "--old-key", str(tmp_path / "old"))
    assert (status, err) == (0, "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refusal_is_logged_with_who_and_what_but_not_a_number_that_is_not_there(office, caplog):
    caplog.set_level(logging.WARNING, "db.engine")
    incident = office.report()
    rita = office.people["Rita"]
    with pytest.raises(Forbidden):
        office.perform(incident, "close", "Rita")
    with pytest.raises(NotFound), writing(office.engine) as session:
        conversation.comment(session, incident, "x", public=True, actor=office.people["Otto"], now=MONDAY)
    with pytest.raises(NotFound), writing(office.engine) as session:
        conversation.comment(session, 999, "x", public=True, actor=rita, now=MONDAY + timedelta(hours=1))
    assert [record.getMessage() for record in caplog.records] == [
        f"Refused: person {rita.id} may not do 'close'.",
        f"Refused: person {office.people['Otto'].id} may not do 'read'.",
    ]
