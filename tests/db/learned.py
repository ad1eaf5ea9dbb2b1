"""Postmortems on the small organisation of tests.db.office: an incident that recovered, its draft, words, actions."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from db.commands import postmortem_actions, postmortems
from db.engine import reading, writing
from db.models import Notice, Postmortem
from db.queries import postmortems as queries
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.public import Public

RECOVERED = MONDAY + 4 * HOUR
NOW = MONDAY + 5 * HOUR
TODAY = date(2026, 3, 2)
FIXED = {"resolution_code": "fixed", "resolution_note": "Removed old logs."}
WORDS = {
    "title": "Mail was down",
    "summary": "The disk was full.",
    "impact": "Nobody read mail for two hours.",
    "factors": "A full disk\nNo alarm",
}


class Learned(Public):
    """The office, with a status page."""

    def recovered(self, title: str = "Mail is down", impact: int = 1, at: datetime = MONDAY, **given: Any) -> int:
        """The id of an incident of the Network team that is over; P1, unless `impact` says otherwise."""
        incident = self.report(title, at=at)
        triage = self.triage | {"impact": impact, "urgency": impact, "service_id": self.service} | given
        self.perform(incident, "accept", "Lena", at + HOUR, **triage)
        self.perform(incident, "acknowledge", "Priya", at + 2 * HOUR)
        self.perform(incident, "resolve", "Priya", at + 3 * HOUR, **FIXED)
        self.perform(incident, "recover", "Priya", at + 4 * HOUR)
        return incident

    def postmortem(self, incident: int) -> Postmortem | None:
        with reading(self.engine) as db:
            return db.scalars(select(Postmortem).where(Postmortem.incident_id == incident)).one_or_none()

    def written(self, **given: Any) -> int:
        """The id of the postmortem of a new incident, written by Priya, with an action of Sam's."""
        found = self.postmortem(self.recovered(**given))
        assert found is not None
        self.save(found.id)
        self.act(found.id)
        return found.id

    def published(self, **given: Any) -> int:
        """The same, reviewed and published by Lena."""
        one = self.written(**given)
        self.do(postmortems.send, one, 2)
        self.do(postmortems.publish, one, 2, by="Lena")
        return one

    def save(
        self, one: int, version: int = 1, by: str = "Priya", why: str = "", at: datetime = NOW, **words: str
    ) -> int:
        with writing(self.engine) as db:
            given = queries.words(db, self.people["Lena"], one, version) | WORDS | words
            return postmortems.save(db, one, version, given, why, actor=self.people[by], now=at)

    def act(
        self,
        one: int,
        text: str = "Add an alarm",
        owner: str = "Sam",
        days: int = 7,
        by: str = "Priya",
        at: datetime = NOW,
    ) -> int:
        due = TODAY + timedelta(days=days)
        return self.do(postmortem_actions.add, one, text, self.people[owner].id, due, by=by, at=at)

    def do(self, command: Any, *given: Any, by: str = "Priya", at: datetime = NOW) -> Any:
        with writing(self.engine) as db:
            return command(db, *given, actor=self.people[by], now=at)

    def seen(self, one: int, by: str = "Priya", at: datetime = NOW) -> queries.Whole:
        with reading(self.engine) as db:
            return queries.one(db, self.people[by], one, at)

    def library(self, by: str = "Priya", at: datetime = NOW, page: int = 1, **filters: Any) -> list[str]:
        """Titles on a page of it."""
        with reading(self.engine) as db:
            rows, _ = queries.library(db, self.people[by], queries.Filters(**filters), page, at)
            return [row.title for row in rows]

    def heard(self, who: str, kind: str = "postmortem") -> list[str]:
        """Subjects of what this person was told."""
        with reading(self.engine) as db:
            own = select(Notice.subject).where(Notice.person_id == self.people[who].id, Notice.kind == kind)
            return list(db.scalars(own.order_by(Notice.id)))

    def steps(self, incident: int) -> list[tuple[str, str]]:
        """(who, what) of the entries about its postmortem."""
        entries = [entry for entry in self.timeline(incident) if entry.kind == "postmortem"]
        assert not any(entry.public for entry in entries)
        return [(entry.actor_name, entry.text) for entry in entries]


__all__ = ["DAY", "NOW", "RECOVERED", "TODAY", "WORDS", "Learned"]
