"""A service of the network team that monitoring watches: signals come, windows are planned, the worker runs."""

from datetime import timedelta

from sqlalchemy import func, select

from db.commands import alerts, integrations, maintenance
from db.engine import reading, writing
from db.models import Alert, Incident, Page, Service
from rules.signals import Signal
from tests.stories.test_escalation import MINUTE, NOW, Desk
from worker import loop


class Watched(Desk):
    """Times are minutes after NOW."""

    def __init__(self, engine, **given):
        super().__init__(engine)
        self.sent = []
        """pages that left: (name, minutes after NOW)"""
        with writing(engine) as db:
            db.get_one(Service, self.service).team_id = self.teams["Network"]
            given = {"name": "Prometheus", "format": "alertmanager", "service_id": self.service} | given
            made, _ = integrations.add(db, given, actor=self.people["Ada"], now=NOW - timedelta(days=1))
            self.integration = made.id

    def say(self, minutes, *keys, status="firing", severity="critical", **more):
        """Signals with these keys; the outcomes."""
        at = NOW + minutes * MINUTE
        said = [Signal(key, status, f"Trouble with {key}", severity, "web-1", at, **more) for key in keys]
        with writing(self.engine) as db:
            return dict(alerts.receive(db, alerts.locked(db, [self.integration])[self.integration], said, at))

    def window(self, start, end, name="New disks", services=None):
        with writing(self.engine) as db:
            times = {"start": NOW + start * MINUTE, "end": NOW + end * MINUTE}
            ids = services or [self.service]
            return maintenance.add(
                db, name=name, service_ids=ids, **times, actor=self.people["Lena"], now=NOW - timedelta(days=1)
            ).id

    def work(self, minutes):
        """Everything that is due then, sent as well."""
        loop.tick(NOW + minutes * MINUTE, self.engine, {"slack": self._send})

    def _send(self, message, now):
        if message.urgent:
            self.sent.append((message.name, (now - NOW) / MINUTE))

    def found(self):
        """The incidents, oldest first."""
        with reading(self.engine) as db:
            return list(db.scalars(select(Incident).order_by(Incident.id)))

    def kept(self):
        with reading(self.engine) as db:
            return list(db.scalars(select(Alert).order_by(Alert.id)))

    def pages(self):
        with reading(self.engine) as db:
            return db.scalar(select(func.count()).select_from(Page))
