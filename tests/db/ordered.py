"""Reports that people of the office have sent: subscribed, ordered and read through commands and queries."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from db.commands import report_schedules as commands
from db.commands import views
from db.engine import reading, writing
from db.models import AuditEntry, Notice, PersonRole, ReportReader, ReportRun
from db.queries import report_runs, report_schedules
from db.queries.report_runs import Whole
from db.queries.report_schedules import Sending
from tests.db.office import MONDAY, Office


class Ordered(Office):
    """The office with reports. People are called by name."""

    def subscribe(self, by: str, zone: str = "UTC", at: datetime = MONDAY) -> None:
        with writing(self.engine) as db:
            commands.subscribe(db, zone, actor=self.people[by], now=at)

    def unsubscribe(self, by: str, at: datetime = MONDAY) -> None:
        with writing(self.engine) as db:
            commands.unsubscribe(db, actor=self.people[by], now=at)

    def view(self, name: str, by: str, address: str = "period=30", *, shared: bool = False) -> int:
        """Its id."""
        with writing(self.engine) as db:
            return views.save(db, "trends", name, address, shared, actor=self.people[by], now=MONDAY).id

    def have_sent(self, view: int, by: str, *readers: str, at: datetime = MONDAY, **given: Any) -> None:
        plain = {"every": "week", "weekday": 0, "hour": 8, "zone": "UTC"}
        ids = [self.people[name].id for name in readers]
        with writing(self.engine) as db:
            commands.save(db, view, **plain | given, reader_ids=ids, actor=self.people[by], now=at)

    def end(self, by: str, at: datetime = MONDAY) -> None:
        with writing(self.engine) as db:
            commands.end(db, self.sendings(by)[0].id, actor=self.people[by], now=at)

    def leave(self, by: str, at: datetime = MONDAY) -> None:
        with writing(self.engine) as db:
            commands.leave(db, self.sendings(by)[0].id, actor=self.people[by], now=at)

    def sendings(self, by: str) -> list[Sending]:
        """What they have sent, and what is sent to them, by name."""
        with reading(self.engine) as db:
            views, _ = report_schedules.saved(db, self.people[by])
            own = report_schedules.had_sent(db, self.people[by], [view.id for view in views])
            to_them, _ = report_schedules.sent_to(db, self.people[by])
        return sorted([*own.values(), *to_them], key=lambda sending: sending.name)

    def runs(self, by: str) -> list[Whole]:
        """What they were sent, newest first, as it opens for them."""
        with reading(self.engine) as db:
            found, _ = report_runs.own(db, self.people[by])
            return [report_runs.one(db, self.people[by], run.id) for run in found]

    def sent(self) -> list[tuple[str, str]]:
        """(who, subject) of everything that brought a report, in order."""
        called = {actor.id: name for name, actor in self.people.items()}
        statement = select(Notice.person_id, Notice.subject).where(Notice.kind == "report").order_by(Notice.id)
        with reading(self.engine) as db:
            kept = len(list(db.scalars(select(ReportRun.id))))
            told = [(called[person], subject) for person, subject in db.execute(statement)]
        assert len(told) == kept, "each is kept as it was sent"
        return told

    def told_of(self, who: str, kind: str) -> list[tuple[str, str]]:
        """(subject, words) of what they were told of this kind, in order."""
        own = Notice.person_id == self.people[who].id, Notice.kind == kind
        with reading(self.engine) as db:
            found = db.execute(select(Notice.subject, Notice.body).where(*own).order_by(Notice.id))
            return [(subject, words) for subject, words in found]

    def due(self) -> list[datetime]:
        """When each reader's next one is due, the first first."""
        with reading(self.engine) as db:
            return list(db.scalars(select(ReportReader.next_at).order_by(ReportReader.next_at)))

    def audited(self) -> list[tuple[str, str, str]]:
        """(who, what, about) of each change, in order."""
        statement = select(AuditEntry.actor_name, AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)
        with reading(self.engine) as db:
            return [(who, what, about) for who, what, about in db.execute(statement)]

    def take_role(self, name: str, role: str) -> None:
        with writing(self.engine) as db:
            own = (PersonRole.person_id == self.people[name].id, PersonRole.role == role)
            db.execute(delete(PersonRole).where(*own))
