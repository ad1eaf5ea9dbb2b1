"""What people wait for is answered from an index: asked of each database with EXPLAIN."""

from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from db.commands import conversation, ranking
from db.engine import reading, writing
from db.queries import board, home, triage
from db.queries.incidents import by_number
from db.queries.relations import relations
from db.queries.triage import Filters
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + 10 * HOUR


@pytest.fixture
def office(engine):
    made = Office(engine)
    for number in range(4):
        incident = made.report(f"Number {number}", at=MONDAY + number * HOUR)
        made.perform(incident, "accept", "Lena", NOW, **made.triage)
    return made


def plans(engine, ask: Callable[[Session], object]) -> list[str]:
    """The plan of every statement that `ask` sends about incidents."""
    sent = []

    def keep(_connection, _cursor, statement, parameters, _context, _many):
        if "incident" in statement.lower() and not statement.lower().startswith("explain"):
            sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    with reading(engine) as db:
        ask(db)
        event.remove(engine, "before_cursor_execute", keep)
        connection = db.connection()
        if engine.dialect.name == "sqlite":
            found = [connection.exec_driver_sql(f"explain query plan {one}", given).all() for one, given in sent]
            return ["\n".join(row[3] for row in plan) for plan in found]
        # A table of four rows is read whole unless that is forbidden.
        connection.exec_driver_sql("set local enable_seqscan = off")
        connection.exec_driver_sql("set local enable_bitmapscan = off")
        found = [connection.exec_driver_sql(f"explain {one}", given).all() for one, given in sent]
        return ["\n".join(row[0] for row in plan) for plan in found]


def whole(engine, plan: str) -> bool:
    """True when a plan reads every incident."""
    if engine.dialect.name == "sqlite":
        return any(
            line.split(" USING")[0] == "SCAN incident" and "restricted" not in line for line in plan.splitlines()
        )
    return "Seq Scan on incident " in plan


ASKED = {
    "the queue": (lambda db, lead: triage.queue(db, lead, Filters(), 1, NOW), "ix_incident_queue"),
    "a team's queue": (
        lambda db, lead: triage.queue(db, lead, Filters(team_id=min(lead.team_ids)), 1, NOW),
        "ix_incident_team_queue",
    ),
    "a person's queue": (
        lambda db, lead: triage.queue(db, lead, Filters(assignee_id=lead.id), 1, NOW),
        "ix_incident_assignee_queue",
    ),
    "what is late": (lambda db, lead: triage.queue(db, lead, Filters(view="late"), 1, NOW), "ix_incident_"),
    "the inbox": (lambda db, lead: triage.queue(db, lead, Filters(view="new"), 1, NOW), "ix_incident_state_rank"),
    "the counts": (lambda db, lead: triage.tallies(db, lead, NOW), "ix_incident_"),
    "two filters at once": (
        lambda db, lead: triage.queue(db, lead, Filters(team_id=min(lead.team_ids), priority=3), 1, NOW),
        "ix_incident_",
    ),
    "a category of the queue": (
        lambda db, lead: triage.queue(db, lead, Filters(category_id=1), 1, NOW),
        "ix_incident_",
    ),
    "mine of a priority": (
        lambda db, lead: triage.queue(db, lead, Filters(view="mine", priority=3), 1, NOW),
        "ix_incident_",
    ),
    "a team's board": (lambda db, lead: board.board(db, lead, view="team"), "ix_incident_"),
    "the parts": (lambda db, lead: relations(db, lead, by_number(db, lead, "INC-000004")), "ix_incident_parent_id"),
    "the merged": (
        lambda db, lead: relations(db, lead, by_number(db, lead, "INC-000004")),
        "ix_incident_duplicate_of_id",
    ),
    "what ran past its team's time": (lambda db, lead: home._past_ola(db, lead, NOW), "ix_assignment_"),
    "the place": (lambda db, lead: triage.standing(db, lead, 4), "ix_incident_queue"),
}


@pytest.mark.parametrize("what", ASKED)
def test_an_index_answers(office, what):
    ask, index = ASKED[what]
    found = plans(office.engine, lambda db: ask(db, office.people["Lena"]))
    assert found
    assert index in "\n".join(found)
    assert [plan for plan in found if whole(office.engine, plan)] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "filters", [Filters(team_id=1, priority=3), Filters(category_id=1), Filters(view="late", priority=2)]
)
def test_a_mix_of_filters_is_answered_from_the_index_of_the_queue_alone(office, filters):
    found = plans(office.engine, lambda db: triage.queue(db, office.people["Lena"], filters, 1, NOW))
    assert "SEARCH incident USING COVERING INDEX ix_incident_queue" in "\n".join(found)


def test_the_next_one_is_found_by_an_index(office):
    def ask(_db):
        with writing(office.engine) as db:
            ranking.next_up(db, actor=office.people["Priya"], now=NOW)

    chosen = next(plan for plan in plans(office.engine, ask) if "ix_incident_" in plan)
    assert not whole(office.engine, chosen)


def test_the_parts_that_are_told_are_found_by_an_index(office):
    def ask(_db):
        with writing(office.engine) as db:
            conversation.comment(db, 4, "News", public=True, actor=office.people["Lena"], now=NOW)

    found = plans(office.engine, ask)
    assert "ix_incident_parent_id" in "\n".join(found)
    assert [plan for plan in found if whole(office.engine, plan)] == []


def test_a_plan_that_reads_everything_is_seen(office):
    def ask(db):
        db.connection().exec_driver_sql("select affected from incident where title > 'x'")

    found = plans(office.engine, ask)
    assert whole(office.engine, found[0])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_inbox_is_not_sorted_as_a_whole(engine, office):
    ask, _index = ASKED["the inbox"]
    lead = office.people["Lena"]
    sorts = [line for plan in plans(engine, lambda db: ask(db, lead)) for line in plan.splitlines() if "B-TREE" in line]
    assert "RIGHT PART" in sorts[0], "the 25 that are shown are chosen in the index's own order"
