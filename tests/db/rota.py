"""Schedules of the office: made, changed and asked about through the commands and queries, as from a screen."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from db.commands import overrides, schedules, swaps
from db.engine import reading, writing
from db.models import Notice, Schedule
from db.queries import oncall
from tests.db.office import DAY, MONDAY, Office

WEEK = 7 * DAY


def layer(*members: int, **given: Any) -> dict[str, Any]:
    """A layer that hands over every Monday at nine, UTC, unless `given` says otherwise."""
    plain = {"name": "First line", "priority": 0, "start": MONDAY.isoformat(), "unit": "week", "length": 1}
    return plain | {"members": [str(member) for member in members]} | given


class Rota(Office):
    """The office with schedules. People are called by name."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.ids = {name: actor.id for name, actor in self.people.items()}
        self.called = {id_: name for name, id_ in self.ids.items()}

    def turning(self, *names: str, zone: str = "UTC", **given: Any) -> dict[str, Any]:
        """A definition with one layer of these people."""
        return {"zone": zone, "layers": [layer(*(self.ids[name] for name in names), **given)]}

    def make(
        self, definition: dict[str, Any], at: datetime = MONDAY, name: str = "Network", by: str = "Lena", **given: Any
    ) -> int:
        given = {"team_id": self.teams["Network"]} | given
        with writing(self.engine) as db:
            return schedules.save(db, None, name=name, definition=definition, actor=self.people[by], now=at, **given)

    def change(self, schedule: int, definition: dict[str, Any], at: datetime, by: str = "Lena", **given: Any) -> int:
        known = self.schedule(schedule)
        given = {"name": known.name, "team_id": known.team_id} | given
        with writing(self.engine) as db:
            return schedules.save(db, schedule, definition=definition, actor=self.people[by], now=at, **given)

    def override(
        self,
        schedule: int,
        start: datetime,
        end: datetime,
        *,
        add: str | None = None,
        remove: str | None = None,
        at: datetime = MONDAY,
        by: str = "Lena",
    ) -> int:
        ids = {"added_id": self.ids.get(add or ""), "removed_id": self.ids.get(remove or "")}
        with writing(self.engine) as db:
            return overrides.add(db, schedule, start=start, end=end, **ids, actor=self.people[by], now=at)

    def cancel(self, override: int, at: datetime, by: str = "Lena") -> None:
        with writing(self.engine) as db:
            overrides.cancel(db, override, actor=self.people[by], now=at)

    def ask(
        self, schedule: int, by: str, to: str, start: datetime, end: datetime, at: datetime = MONDAY, words: str = ""
    ) -> int:
        with writing(self.engine) as db:
            return swaps.ask(
                db, schedule, to_id=self.ids[to], start=start, end=end, words=words, actor=self.people[by], now=at
            )

    def answer(self, swap: int, verb: str, by: str, at: datetime = MONDAY) -> None:
        """verb: accept, decline or withdraw."""
        with writing(self.engine) as db:
            getattr(swaps, verb)(db, swap, actor=self.people[by], now=at)

    def on_call(self, schedule: int, at: datetime) -> list[str]:
        with reading(self.engine) as db:
            return [self.called[id_] for id_ in oncall.on_call(db, schedule, at)]

    def shifts(self, schedule: int, start: datetime, end: datetime) -> list[tuple[str, datetime, datetime]]:
        with reading(self.engine) as db:
            found = oncall.shifts(db, schedule, start, end)
        return [(self.called[int(shift.person)], shift.start, shift.end) for shift in found]

    def schedule(self, schedule: int) -> Schedule:
        with reading(self.engine) as db:
            return db.get_one(Schedule, schedule)

    def told(self, kind: str) -> list[tuple[str, str]]:
        """(who, subject) of the notices, in order."""
        with reading(self.engine) as db:
            rows = db.execute(select(Notice.person_id, Notice.subject).where(Notice.kind == kind).order_by(Notice.id))
            return [(self.called[person_id], subject) for person_id, subject in rows]
