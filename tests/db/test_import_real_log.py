"""The whole ServiceNow log of 24,918 incidents must give the figures that were counted from it by other means."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from db.engine import reading
from db.models import CategoryPair, ImportRun, Incident, TimelineEntry
from tests.db.imported import LOG, counted, take

pytestmark = pytest.mark.slow


def month(number: int) -> datetime:
    return datetime(2016, number, 1, tzinfo=UTC)


def quantile(values: list[float], share: float) -> float:
    """Linear between neighbours."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def test_the_whole_log_gives_its_known_figures(of_the_log):
    engine = of_the_log
    with reading(engine) as db:
        first = db.scalars(select(ImportRun)).one()
    told = (first.rows, first.created, first.refused, first.report["entries"])
    assert told == (141_712, 24_918, 0, 141_712)
    assert {level: counted(engine, Incident.priority == level) for level in (1, 2, 3, 4, 5)} == {
        1: 270,
        2: 408,
        3: 23_466,
        4: 774,
        5: 0,
    }
    with reading(engine) as db:
        cells = db.execute(
            select(Incident.impact, Incident.urgency, Incident.priority, func.count()).group_by(
                Incident.impact, Incident.urgency, Incident.priority
            )
        ).all()
        durations = sorted(
            (resolved - reported).total_seconds() / 3600
            for resolved, reported in db.execute(
                select(Incident.resolved_at, Incident.reported_at).where(Incident.resolved_at.is_not(None))
            )
        )
        several = (
            select(CategoryPair.subcategory_id)
            .where(CategoryPair.subcategory_id.is_not(None))
            .group_by(CategoryPair.subcategory_id)
        )
        assert len(db.execute(several).all()) == 245
        assert len(db.execute(several.having(func.count() > 1)).all()) == 41
        begin_resolved = select(func.count()).where(
            TimelineEntry.kind == "report", TimelineEntry.to_state == "resolved"
        )
        assert db.scalar(begin_resolved) == 1_819
        reopened = select(func.count()).where(
            TimelineEntry.from_state == "closed", TimelineEntry.to_state == "in_progress"
        )
        assert db.scalar(reopened) == 12
    assert sorted(tuple(cell) for cell in cells) == [
        (1, 1, 1, 270),
        (1, 2, 2, 151),
        (2, 1, 2, 257),
        (2, 2, 3, 23_462),
        (2, 3, 4, 27),
        (3, 1, 3, 4),
        (3, 2, 4, 76),
        (3, 3, 4, 671),
    ]
    assert len(durations) == 24_905
    assert round(quantile(durations, 0.5), 2) == 16.08
    assert round(quantile(durations, 0.9), 2) == 361.14
    opened = [counted(engine, Incident.reported_at >= month(n), Incident.reported_at < month(n + 1)) for n in (3, 4, 5)]
    assert opened == [8_995, 7_934, 7_508]
    resolved = func.coalesce(Incident.resolved_at, Incident.closed_at)
    assert [counted(engine, Incident.reported_at < month(n), resolved >= month(n)) for n in (4, 5)] == [1_505, 1_198]
    assert [counted(engine, Incident.reported_at < month(n), Incident.closed_at >= month(n)) for n in (4, 5)] == [
        3_353,
        2_961,
    ]
    assert counted(engine, Incident.reopen_count > 0) == 275
    assert counted(engine, Incident.handovers > 0) == 9_575
    assert counted(engine, Incident.ping_pong) == 2_628
    again = take(engine, LOG)
    assert (again.created, again.changed, again.unchanged, again.entries) == (0, 0, 24_918, 0)
    dashes = take(engine, LOG.with_name("servicenow_event_log_dashdates.csv.gz"))
    assert (dashes.unchanged, dashes.refused, dashes.entries) == (890, 0, 0)
