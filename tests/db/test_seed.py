"""Many invented incidents: as many as asked, whole, the same for the same seed, and never among real people."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from db.commands.timers import wanted
from db.demo import many
from db.engine import reading, writing
from db.models import QUEUE_GROUP, Incident, TimelineEntry, Timer
from rules.errors import RuleError
from rules.states import ACTIONS, OPEN
from tests.db.office import MONDAY, Office
from tests.db.test_chains import verified

NOW = MONDAY + timedelta(hours=3)


def filled(engine, count=300, seed=7):
    with writing(engine) as db:
        many.seed(db, count, 0.2, Random(seed), NOW)


def test_every_incident_is_whole_and_its_timeline_leads_to_its_state(engine):
    filled(engine)
    filled(engine, 20, seed=8)
    with reading(engine) as db:
        incidents = db.scalars(select(Incident)).all()
        entries = db.scalars(select(TimelineEntry).order_by(TimelineEntry.id)).all()
        timers = db.scalars(select(Timer)).all()
    assert len(incidents) == len({incident.number for incident in incidents}) == 320
    states = Counter(incident.state for incident in incidents)
    assert 0.1 < sum(states[state] for state in OPEN) / 320 < 0.4, states
    told, due = {}, {}
    for entry in entries:
        told.setdefault(entry.incident_id, []).append(entry)
    for timer in timers:
        due.setdefault(timer.incident_id, {})[timer.kind] = timer.due_at
    for incident in incidents:
        moves = [entry for entry in told[incident.id] if entry.to_state]
        assert moves[0].from_state is None
        assert all(ACTIONS[move.kind].moves[move.from_state] == move.to_state for move in moves[1:])
        assert moves[-1].to_state == incident.state
        assert moves[-1].version == incident.version
        moments = [entry.at for entry in told[incident.id]]
        assert moments == sorted(moments)
        assert moments[-1] <= NOW
        assert incident.changed_at == moves[-1].at
        assert incident.queue_group == QUEUE_GROUP[incident.state]
        assert (incident.closed_at is None) == (incident.state != "closed")
        assert due.get(incident.id, {}) == wanted(incident, paused=False)


def test_the_check_of_records_finds_them_whole(engine):
    filled(engine)
    assert verified(engine)[0] == []


def test_the_same_seed_gives_the_same_incidents(engine, sqlite_url):
    from db.engine import make_engine

    other = make_engine(sqlite_url)
    filled(engine, 50)
    if other.url != engine.url:
        filled(other, 50)
    with reading(engine) as one, reading(other) as two:
        asked = select(Incident.title, Incident.state, Incident.reported_at, Incident.rank_at).order_by(Incident.id)
        assert [tuple(row) for row in one.execute(asked)] == [tuple(row) for row in two.execute(asked)]
    other.dispose()


def test_it_stays_away_from_real_people(engine):
    Office(engine)
    with pytest.raises(RuleError, match="empty database only"):
        filled(engine)
    with reading(engine) as db:
        assert db.scalar(select(func.count()).select_from(Incident)) == 0
