"""A small organisation for tests of commands: one person of each role, a team of each way of working, and a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.commands import conversation, incidents
from db.engine import reading, writing
from db.models import (
    Assignment,
    Category,
    CategoryPair,
    Incident,
    Notice,
    Pause,
    Person,
    PersonRole,
    Service,
    Team,
    TeamMember,
    TimelineEntry,
    Timer,
)
from rules.access import Actor

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday at nine: business time begins. The organisation's zone is UTC."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

PEOPLE = {
    # name: roles, team
    "Rita": ("", None),
    "Otto": ("", None),
    "Priya": ("responder", "Network"),
    "Sam": ("responder", "Servers"),
    "Devi": ("responder", "Portal"),
    "Lena": ("lead", "Network"),
    "Dora": ("desk", None),
    "Max": ("manager", None),
    "Ada": ("admin", None),
}
TEAMS = {"Network": ("2", "itil"), "Servers": ("2", "itil"), "Portal": ("3", "devops")}


class Office:
    """The organisation in a fresh database. Every call is a transaction of its own, as from a screen."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with writing(engine) as db:
            teams = {name: Team(name=name, tier=tier, way=way) for name, (tier, way) in TEAMS.items()}
            category = Category(name="Network")
            people = {
                name: Person(name=name, email=f"{name.lower()}@example.org", created_at=MONDAY - DAY) for name in PEOPLE
            }
            db.add_all([*teams.values(), category, *people.values()])
            db.flush()
            pair = CategoryPair(category_id=category.id)
            service = Service(name="E-mail", impact=2, team_id=teams["Servers"].id)
            db.add_all([pair, service])
            db.flush()
            self.teams = {name: team.id for name, team in teams.items()}
            self.pair, self.service, self.people = pair.id, service.id, {}
            for name, (roles, team) in PEOPLE.items():
                held = frozenset({"reporter", *roles.split()})
                db.add_all(PersonRole(person_id=people[name].id, role=role) for role in held)
                if team:
                    db.add(TeamMember(team_id=self.teams[team], person_id=people[name].id))
                member = frozenset({self.teams[team]} if team else ())
                self.people[name] = Actor(people[name].id, name, held, member)
        self.triage = {"category_pair_id": self.pair, "impact": 2, "urgency": 2, "team_id": self.teams["Network"]}

    def report(self, title: str = "Mail is slow", by: str = "Rita", at: datetime = MONDAY, **given: Any) -> int:
        """Its id."""
        given = {"affected": "Outlook"} | given
        with writing(self.engine) as db:
            return incidents.report(db, title=title, actor=self.people[by], now=at, **given).id

    def perform(
        self, incident: int, action: str, by: str, at: datetime = MONDAY, version: int | None = None, **given: Any
    ) -> Incident:
        with writing(self.engine) as db:
            return incidents.perform(db, incident, version, action, given, actor=self.people[by], now=at)

    def comment(self, incident: int, words: str, by: str, at: datetime = MONDAY, public: bool = True) -> None:
        with writing(self.engine) as db:
            conversation.comment(db, incident, words, public=public, actor=self.people[by], now=at)

    def bring_to(self, state: str, **given: Any) -> int:
        """The id of a new incident in this state; an hour passes with every step."""
        steps = {
            "assigned": ("accept", "Lena", self.triage),
            "in_progress": ("acknowledge", "Priya", {}),
            "resolved": ("resolve", "Priya", {"resolution_code": "fixed", "resolution_note": "Restarted it."}),
            "recovered": ("recover", "Priya", {}),
            "closed": ("close", "Dora", {"verification": "not_needed", "verification_note": "Seen on site."}),
        }
        incident = self.report(**given)
        if state == "cancelled":
            self.perform(incident, "cancel", "Dora", MONDAY + HOUR, reason="Reported by mistake.")
        elif state == "on_hold":
            self.perform(incident, "accept", "Lena", MONDAY + HOUR, **self.triage)
            self.perform(incident, "acknowledge", "Priya", MONDAY + 2 * HOUR)
            self.perform(
                incident, "hold", "Priya", MONDAY + 3 * HOUR, hold_reason="vendor", hold_until=MONDAY + 5 * DAY
            )
        elif state != "new":
            for number, (reached, (action, by, with_it)) in enumerate(steps.items(), 1):
                self.perform(incident, action, by, MONDAY + number * HOUR, **with_it)
                if reached == state:
                    break
        return incident

    def incident(self, incident: int) -> Incident:
        with reading(self.engine) as db:
            return db.get_one(Incident, incident)

    def timeline(self, incident: int) -> list[TimelineEntry]:
        with reading(self.engine) as db:
            return _of(db, TimelineEntry, incident)

    def pauses(self, incident: int) -> list[Pause]:
        with reading(self.engine) as db:
            return _of(db, Pause, incident)

    def assignments(self, incident: int) -> list[Assignment]:
        with reading(self.engine) as db:
            return _of(db, Assignment, incident)

    def notices(self, incident: int) -> list[tuple[str, str, str]]:
        """(who, kind, subject) of everything people were told."""
        names = {actor.id: name for name, actor in self.people.items()}
        with reading(self.engine) as db:
            return [(names[told.person_id], told.kind, told.subject) for told in _of(db, Notice, incident)]

    def timers(self, incident: int) -> dict[str, Timer]:
        with reading(self.engine) as db:
            return {timer.kind: timer for timer in _of(db, Timer, incident)}


def _of(db: Session, model: Any, incident: int) -> list[Any]:
    return list(db.scalars(select(model).where(model.incident_id == incident).order_by(model.id)))
