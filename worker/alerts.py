"""What time does to alerts: silence, the end of storms, calm after much coming and going, and tests that end."""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.commands import alert_ends, alerts, storms
from db.engine import DatabaseProblem, reading, writing
from db.models import Alert, Incident, Integration
from db.queries import alerts as queries

LOOK_EVERY_SECONDS = 20.0
"""How often what has become calm is looked for; silence and storms are looked for at every turn."""

log = logging.getLogger(__name__)


class Watch:
    """One worker's look at alerts."""

    def __init__(self) -> None:
        self._looked: float | None = None

    def tick(self, now: datetime, engine: Engine | None = None) -> int:
        """Do what is due; how many integrations, incidents and tests it concerned."""
        with reading(engine) as db:
            silent, calm = queries.silent(db, now), queries.storms_over(db, now)
        done = _each(silent, lambda db, one: _fall_silent(db, one, now), engine)
        done += _each(calm, lambda db, one: _end_storm(db, one, now), engine)
        if self._looked is None or time.monotonic() - self._looked >= LOOK_EVERY_SECONDS:
            self._looked = time.monotonic()
            done += look(now, engine)
        return done


def look(now: datetime, engine: Engine | None = None) -> int:
    """Resolve what has been calm, and end tests that have been seen."""
    with reading(engine) as db:
        calm, tests = queries.calm(db, now), queries.old_tests(db, now)
    done = _each(calm, lambda db, pair: _settle(db, pair[0], pair[1], now), engine)
    return done + _each(tests, lambda db, one: _end_test(db, one, now), engine)


def _each(things: Iterable[Any], act: Callable[[Session, Any], bool], engine: Engine | None) -> int:
    """Each in a transaction of its own: one that fails is logged, and tried again next time."""
    done = 0
    for thing in things:
        try:
            with writing(engine) as db:
                done += act(db, thing)
        except DatabaseProblem:
            raise
        except Exception:
            log.exception("What is due for alerts (%s) failed; it is tried again.", thing)
    return done


def _fall_silent(db: Session, integration_id: int, now: datetime) -> bool:
    return alerts.fall_silent(db, alerts.locked(db, [integration_id])[integration_id], now)


def _end_storm(db: Session, integration_id: int, now: datetime) -> bool:
    integration = alerts.locked(db, [integration_id])[integration_id]
    incident = storms.end_if_over(db, integration, now)
    if incident is not None:
        alert_ends.settle(db, integration, incident, now)
    return incident is not None


def _settle(db: Session, integration_id: int, incident_id: int, now: datetime) -> bool:
    integration: Integration = alerts.locked(db, [integration_id])[integration_id]
    incident = db.get_one(Incident, incident_id, with_for_update=True)
    return alert_ends.settle(db, integration, incident, now)


def _end_test(db: Session, alert_id: int, now: datetime) -> bool:
    alert = db.get_one(Alert, alert_id)
    alerts.locked(db, [alert.integration_id])
    db.refresh(alert)
    if alert.ended_at is not None:
        return False
    alert_ends.cancel_test(db, alert, now)
    return True
