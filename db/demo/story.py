"""One incident's story as a list of steps: who does what when. Nothing is written to the database here."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from db.demo import templates
from db.demo.cases import Case, split
from db.demo.organisation import DESK, ZONE, Organisation
from rules.access import Actor
from rules.priority import people_of, priority, suggested
from rules.targets import Target, Targets
from rules.templates import MOST_STEPS
from rules.tiers import is_above

WARDS = ("ward 2 A", "ward 2 B", "ward 3 A", "ward 4 C", "the intensive care unit", "the emergency room", "paediatrics",
         "the day clinic", "cardiology", "the maternity ward", "oncology", "the operating theatres")  # fmt: skip
ROOMS = ("A 1.07", "A 2.14", "A 3.21", "B 0.09", "B 1.33", "B 2.02", "C 0.18", "C 1.11", "D 2.05", "D 4.12")
DESKS = (
    "the front desk",
    "admission desk 1",
    "admission desk 2",
    "the nurses' desk",
    "the pharmacy counter",
    "reception C",
)
BUILDINGS = ("building A", "building B", "building C", "the children's house", "the east wing")
_HERE = ZoneInfo(ZONE)


@dataclass(frozen=True)
class Step:
    """Something one person does at one moment."""

    at: datetime
    story: int
    """which incident, by its place in the order of reporting"""
    verb: str
    """report, follow, comment, note, tick, prioritise, declare, role, update, one of runbooks.VERBS, or the name of a
    lifecycle action"""
    actor: Actor
    given: dict[str, Any] = field(default_factory=dict)


class Story:
    """Collects the steps of one incident. `at` of a step must not lie before the one told last."""

    def __init__(self, org: Organisation, rng: Random, targets: Targets, case: Case, index: int, reported: datetime):
        self.org, self.rng, self.case, self.index, self.reported = org, rng, case, index, reported
        self.scope, self.effect = case.felt.split()
        self.pair = org.pairs[case.pair]
        self.service = org.services[case.service]
        self.names = {"ward": WARDS, "room": ROOMS, "desk": DESKS, "building": BUILDINGS}
        self.words = {name: rng.choice(choices) for name, choices in self.names.items()}
        self.impact, self.urgency = suggested(self.scope, self.effect, self.service.impact)
        self.target: Target = targets.by_priority[priority(self.impact, self.urgency)]
        reporters = [actor for actor in org.actors.values() if not actor.roles - {"reporter"}]
        staff = [actor for actor in org.actors.values() if actor.roles - {"reporter"}]
        self.reporter = rng.choice(reporters if rng.random() < 0.85 else staff)
        self.team = next(team for team in org.teams.values() if team.id == self.pair.team_id)
        self.worker = self.someone_of(self.team.name)
        self.steps: list[Step] = []
        self.taken = self.templated = False

    def someone_of(self, team: str) -> Actor:
        """A member of the team; of the service desk where the team is a company outside."""
        return self.rng.choice([actor for actor in self.org.members(team) if actor.has("responder", "lead")]
                               or self.org.members(DESK))  # fmt: skip

    def desk(self) -> Actor:
        return self.rng.choice(self.org.with_role("desk"))

    def triager(self) -> Actor:
        """The lead of the team, or the service desk."""
        leads = [actor for actor in self.org.members(self.team.name) if actor.has("lead")]
        return self.rng.choice(leads) if leads and self.rng.random() < 0.5 else self.desk()

    def tell(self, verb: str, at: datetime, actor: Actor, **given: Any) -> None:
        self.steps.append(Step(at, self.index, verb, actor, given))

    def text(self, words: str) -> str:
        return words.format(**self.words)

    def report(self, *, vague: bool = False) -> None:
        """The reporter's words; a vague one names no service of the list."""
        where = self.text(self.rng.choice(("{ward}", "{room}", "{building}")))
        title = self.text(self.case.title)
        used = {} if vague else templates.use(self.org, self.case, self.index, self.reported)
        self.templated = bool(used)
        self.tell(
            "report",
            self.reported,
            self.reporter,
            title=title[0].upper() + title[1:],
            description=self.text(self.case.story),
            affected=where[0].upper() + where[1:] if vague else "",
            service_id=None if vague else self.service.id,
            scope=self.scope,
            effect=self.effect,
            started_at=self.reported - timedelta(minutes=self.rng.choice((5, 10, 20, 45, 120, 600)))
            if self.rng.random() < 0.3
            else None,
            source=self.rng.choices(("form", "phone", "mail"), (6, 3, 1))[0],
            **used,
        )

    def accept(self, at: datetime, *, to: str | None = None, known: bool = True) -> None:
        """Triage: category, impact, urgency and team; the person too when `known`."""
        given: dict[str, Any] = {
            "category_pair_id": self.pair.id,
            "service_id": self.service.id,
            "impact": self.impact,
            "urgency": self.urgency,
            "team_id": self.org.teams[to].id if to else self.team.id,
        }
        if known and to is None:
            given["assignee_id"] = self.worker.id
        if self.case.risk:
            given[self.case.risk] = True
        if self.scope in ("site", "everyone", "team") and self.rng.random() < 0.5:
            given["people_affected"] = round((people_of(self.scope) or 1) * self.rng.uniform(0.4, 2.5))
        self.tell("accept", at, self.triager(), **given)

    def acknowledge(self, at: datetime) -> None:
        self.tell("acknowledge", at, self.worker, summary_read=True)
        if self.templated and not self.taken:
            self.tell("tick", at, self.worker, steps=1)
        self.taken = True

    def note(self, at: datetime) -> None:
        if self.case.found:
            self.tell("note", at, self.worker, words=self.text(self.case.found))

    def ask(self, at: datetime) -> None:
        """The team's question, and the clock stops until it is answered."""
        question = split(self.case.ask)[0] or "Does it still happen? Tell us when you saw it last."
        self.tell("comment", at, self.worker, words=question)
        self.hold(at + timedelta(minutes=1), "reporter", at + timedelta(days=3))

    def answer(self, at: datetime) -> None:
        self.tell("comment", at, self.reporter, words=split(self.case.ask)[1] or "Yes, a few minutes ago again.")

    def hold(self, at: datetime, reason: str, until: datetime, note: str = "") -> None:
        """On hold until eight in the morning of the day."""
        morning = datetime.combine(until.astimezone(_HERE).date(), time(8), _HERE)
        until = max(morning, at + timedelta(hours=1))
        self.tell("hold", at, self.worker, hold_reason=reason, hold_until=until, hold_note=note)

    def hand_over(self, at: datetime, team: str, reason: str) -> None:
        """To another team, with what it must know: escalated to a higher tier, assigned to any other."""
        to = self.org.teams[team]
        verb = "escalate" if is_above(to.tier, self.team.tier) else "assign"
        self.tell(verb, at, self.worker, team_id=to.id, reason=reason)
        if self.org.members(team):
            self.worker = self.someone_of(team)
        self.team = self.org.teams[team]

    def resolve(self, at: datetime) -> None:
        if self.templated:
            self.tell("tick", at, self.worker, steps=MOST_STEPS)
        self.tell("resolve", at, self.worker, resolution_code=self.case.code, resolution_note=self.text(self.case.fix))

    def recover(self, at: datetime) -> None:
        self.tell("recover", at, self.worker)

    def close(self, at: datetime, verification: str | None = None, note: str = "") -> None:
        """By the team itself where it runs what it builds, else by the service desk."""
        builds = self.team.way == "devops"
        given = {"verification": verification, "verification_note": note} if verification else {}
        self.tell("close", at, self.worker if builds else self.desk(), **given)
