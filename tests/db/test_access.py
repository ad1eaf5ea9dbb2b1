"""Lists show exactly what may be read: the condition for SQL and the rule agree on every combination."""

from itertools import product

import pytest
from sqlalchemy import select

from db.engine import reading, writing
from db.models import Follower, Incident
from db.queries import triage
from db.queries.access import hidden_ids, record_of, visible
from rules.access import ROLES, SYSTEM, Actor, may
from tests.db.office import MONDAY, Office


@pytest.fixture
def office(engine):
    return Office(engine)


def test_what_lists_show_is_what_may_be_read(office):
    otto, priya = office.people["Otto"].id, office.people["Priya"].id
    teams = (None, office.teams["Network"])
    with writing(office.engine) as db:
        combinations = product((False, True), teams, (None, otto, priya), (None, otto), ("", "by choice", "named"))
        for number, (restricted, team, assignee, reporter, follows) in enumerate(combinations):
            incident = Incident(
                number=f"X-{number}", title="X", restricted=restricted, team_id=team, assignee_id=assignee,
                reporter_id=reporter, reported_at=MONDAY, changed_at=MONDAY, rank_at=MONDAY,
            )  # fmt: skip
            db.add(incident)
            db.flush()
            if follows:
                named = follows == "named"
                db.add(Follower(incident_id=incident.id, person_id=otto, since=MONDAY, named=named))
    actors = [
        Actor(person, "Someone", frozenset(roles), frozenset(members))
        for person in (otto, priya, 999)
        for roles in (set(), *({role} for role in ROLES))
        for members in (set(), {office.teams["Network"]})
    ]
    with reading(office.engine) as db:
        incidents = db.scalars(select(Incident)).all()
        records = {incident.id: record_of(db, incident) for incident in incidents}
        for actor in [*actors, SYSTEM]:
            shown = set(db.scalars(select(Incident.id).where(visible(actor))))
            assert shown == {number for number, record in records.items() if may(actor, "read", record)}, actor
        assert shown == set(records), "the app itself sees all"


def test_a_restricted_incident_that_nobody_reported_is_hidden_too(office):
    number = office.report()
    with writing(office.engine) as db:
        incident = db.get_one(Incident, number)
        incident.restricted, incident.reporter_id = True, None
    with reading(office.engine) as db:
        assert hidden_ids(db, office.people["Lena"]) == [number]
        assert triage.open_count(db, office.people["Lena"]) == 0
        assert hidden_ids(db, SYSTEM) == []
