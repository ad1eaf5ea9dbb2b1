"""Very many invented incidents, written in bulk: what the app is measured on. The same for the same seed and moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from sqlalchemy import ColumnDefault, select
from sqlalchemy.orm import Session

from db import chains
from db.commands.timers import wanted
from db.demo import organisation
from db.demo.cases import CASES, Case
from db.demo.organisation import DESK, Organisation
from db.demo.past import BY_HOUR, BY_WEEKDAY
from db.demo.story import BUILDINGS, DESKS, ROOMS, WARDS
from db.imports import bulk
from db.models import QUEUE_GROUP, Base, Incident, Setting, TimelineEntry, from_micros, to_micros
from db.queries.settings import Policies, policies
from rules.access import Actor
from rules.priority import Merits, people_of, priority, rank_at, suggested
from rules.states import OPEN

BATCH = 5_000
SPAN = timedelta(days=730)
_HOUR = 3_600_000_000
_MINUTE = 60_000_000
_INCIDENT = [column.name for column in Incident.__table__.columns if column.computed is None]
_TIMER = ["incident_id", "kind", "due_at", "fired_at"]


@dataclass
class Course:
    """One incident's columns and what its timeline tells, instants in microseconds."""

    row: dict[str, Any]
    entries: list[dict[str, Any]] = field(default_factory=list)


def seed(db: Session, count: int, open_share: float, rng: Random, now: datetime) -> None:
    """Write `count` incidents, reported within SPAN before `now`; about `open_share` of them are open.

    All in the one transaction of `db`. RuleError where there are people who are not part of the sample data.
    """
    org, known = _organisation(db, now), policies(db)
    writer = _Writer(org, known, rng, now)
    ids = bulk.new_ids(db, "incident", count)
    made = [writer.course(incident_id, writer.reported(), rng.random() < open_share) for incident_id in ids]
    entries: list[tuple[Any, ...]] = []
    for each in made:
        told = [_values(TimelineEntry, chains.TIMELINE, entry) for entry in each.entries]
        hashes = chains.sealed(None, told)
        each.row["chain"] = hashes[-1]
        entries += [(*values, hash) for values, hash in zip(told, hashes, strict=True)]
    bulk.insert(db, "incident", _INCIDENT, [_values(Incident, _INCIDENT, each.row) for each in made])
    bulk.insert(db, "timeline_entry", (*chains.TIMELINE, "hash"), entries)
    bulk.insert(db, "timer", _TIMER, list(_timers(made, now)))


def _organisation(db: Session, now: datetime) -> Organisation:
    if db.scalar(select(Setting.value).where(Setting.key == "sample_data")):
        return organisation.known(db)
    organisation.refuse_people(db)
    for key, value in (("organisation.name", organisation.NAME), ("organisation.zone", organisation.ZONE)):
        db.merge(Setting(key=key, value=value, changed_at=now))
    db.merge(Setting(key="sample_data", value=True, changed_at=now))
    return organisation.build(db, now - SPAN)


class _Writer:
    def __init__(self, org: Organisation, known: Policies, rng: Random, now: datetime) -> None:
        self._org, self._known, self._rng = org, known, rng
        self._now = to_micros(now)
        self._cases: tuple[list[Case], list[int]] = (list(CASES), [case.often for case in CASES])
        self._desk = org.with_role("desk")
        self._reporters = [actor for actor in org.actors.values() if not actor.roles - {"reporter"}]
        self._members = {
            team.id: [actor for actor in org.members(team.name) if actor.has("responder", "lead")] or org.members(DESK)
            for team in org.teams.values()
        }
        self._inside = [team.id for team in org.teams.values() if team.tier != "external"]
        week = [(day, hour) for day in range(7) for hour in range(24)]
        self._week = (week, [BY_WEEKDAY[day] * BY_HOUR[hour] for day, hour in week])
        self._weeks = max(1, SPAN.days // 7)
        self._monday = to_micros(now) - self._weeks * 7 * 24 * _HOUR - now.weekday() * 24 * _HOUR

    def reported(self) -> int:
        """A moment by weekday and hour; more of them lately."""
        rng = self._rng
        day, hour = rng.choices(self._week[0], self._week[1])[0]
        week = int(self._weeks * rng.random() ** 0.8)
        at = self._monday + ((week * 7 + day) * 24 + hour) * _HOUR + rng.randrange(_HOUR)
        return min(at, self._now - rng.randrange(_MINUTE, 12 * _HOUR))

    def course(self, incident_id: int, reported: int, still_open: bool) -> Course:
        """One incident from its report to where it stands now."""
        rng, org = self._rng, self._org
        case = rng.choices(self._cases[0], self._cases[1])[0]
        scope, effect = case.felt.split()
        service = org.services[case.service]
        impact, urgency = suggested(scope, effect, service.impact)
        words = {"ward": rng.choice(WARDS), "room": rng.choice(ROOMS), "desk": rng.choice(DESKS)}
        words["building"] = rng.choice(BUILDINGS)
        title = case.title.format(**words)
        reporter = rng.choice(self._reporters)
        row: dict[str, Any] = {
            "id": incident_id,
            "number": f"INC-{incident_id:06d}",
            "state": "new",
            "title": title[0].upper() + title[1:],
            "description": case.story.format(**words),
            "affected": service.name,
            "service_id": service.id,
            "scope": scope,
            "effect": effect,
            "people_affected": people_of(scope),
            "impact": impact,
            "urgency": urgency,
            "priority": priority(impact, urgency, self._known.matrix),
            "source": rng.choices(("form", "phone", "mail"), (6, 3, 1))[0],
            "reporter_id": reporter.id,
            "logged_by_id": reporter.id,
            "reported_at": reported,
            "changed_at": reported,
        }
        made = Course(row)
        self._tell(made, reported, reporter, "report", "reported it", to="new", public=True)
        if case.risk:
            row[case.risk] = True
        self._promise(row)
        self._go(made, case, words, still_open)
        row["queue_group"] = QUEUE_GROUP[row["state"]]
        return made

    def _promise(self, row: dict[str, Any]) -> None:
        at = from_micros(row["reported_at"])
        due = self._known.targets.due(row["priority"], at, (), row["service_id"])
        risks = tuple(name for name in ("security", "compliance", "financial") if row.get(name))
        merits = Merits(row["priority"], risks=risks, people=row["people_affected"])
        row |= {
            "response_due_at": to_micros(due.response_due_at),
            "response_warn_at": to_micros(due.response_warn_at),
            "resolution_due_at": to_micros(due.resolution_due_at),
            "first_resolution_due_at": to_micros(due.resolution_due_at),
            "resolution_warn_at": to_micros(due.resolution_warn_at),
            "rank_at": to_micros(rank_at(due.resolution_due_at, merits, self._known.head_starts)),
        }

    def _go(self, made: Course, case: Case, words: dict[str, str], still_open: bool) -> None:
        """Triage, work, now and then another team, the fix, the end; open ones stop at a step, and all of them now."""
        rng, row = self._rng, made.row
        stop = rng.choice(("new", "assigned", "assigned", "in_progress", "in_progress")) if still_open else "closed"
        if stop == "new":
            return
        answer = row["response_due_at"] - row["reported_at"]
        fix = row["resolution_due_at"] - row["reported_at"]
        at = row["reported_at"] + max(_MINUTE, int(answer * 0.4 * rng.lognormvariate(-0.6, 0.7)))
        if at >= self._now:
            return
        pair = self._org.pairs[case.pair]
        team = pair.team_id or self._inside[0]
        row |= {"category_pair_id": pair.id, "team_id": team}
        worker = rng.choice(self._members[team])
        desk = rng.choice(self._desk)
        self._tell(made, at, desk, "accept", f"accepted it for {self._name(team)}", to="assigned", team=team)
        if stop == "assigned":
            return
        at += max(_MINUTE, int(answer * 0.5 * rng.lognormvariate(-0.4, 0.8)))
        if at >= self._now:
            return
        row |= {"acknowledged_at": at, "assignee_id": worker.id}
        self._tell(made, at, worker, "acknowledge", "started work", to="in_progress")
        if rng.random() < 0.18 and at + 0.25 * fix < self._now:
            other = rng.choice([each for each in self._inside if each != team])
            at += max(_MINUTE, int(fix * 0.2 * rng.random()))
            worker = rng.choice(self._members[other])
            row |= {"team_id": other, "assignee_id": worker.id, "handovers": 1}
            told = f"assigned it to {self._name(other)}"
            self._tell(made, at, worker, "assign", told, to="assigned", team=other, former=team)
            at += max(_MINUTE, int(fix * 0.05 * rng.random()))
            self._tell(made, at, worker, "acknowledge", "started work", to="in_progress")
        if case.found and rng.random() < 0.6 and at + _MINUTE < self._now:
            self._tell(made, at + _MINUTE, worker, "note", "noted", detail=case.found.format(**words), versioned=False)
            at += _MINUTE
        at += max(5 * _MINUTE, int(fix * rng.lognormvariate(-0.9, 0.8)))
        if stop == "in_progress" or at + 73 * _HOUR >= self._now:
            return
        note = case.fix.format(**words)
        row |= {"resolved_at": at, "resolution_code": case.code, "resolution_note": note}
        self._tell(made, at, worker, "resolve", "resolved it", to="resolved", detail=note, public=True)
        at += int(_HOUR * rng.random())
        row["recovered_at"] = at
        self._tell(made, at, worker, "recover", "found the service restored", to="recovered", public=True)
        at += int(72 * _HOUR * rng.random())
        row |= {"closed_at": at, "verification": "no_answer"}
        self._tell(made, at, desk, "close", "closed it: the reporter did not answer", to="closed", public=True)

    def _name(self, team_id: int) -> str:
        return next(team.name for team in self._org.teams.values() if team.id == team_id)

    def _tell(
        self,
        made: Course,
        at: int,
        actor: Actor,
        kind: str,
        text: str,
        *,
        to: str | None = None,
        team: int | None = None,
        former: int | None = None,
        detail: str = "",
        public: bool = False,
        versioned: bool = True,
    ) -> None:
        row = made.row
        if versioned:
            row["version"] = row.get("version", 0) + 1
            row["changed_at"] = at
        before = None if kind == "report" else row["state"]
        made.entries.append(
            {
                "incident_id": row["id"],
                "at": at,
                "recorded_at": at,
                "actor_id": actor.id,
                "actor_name": actor.name,
                "kind": kind,
                "text": text,
                "detail": detail,
                "from_state": before if to else None,
                "to_state": to,
                "from_team_id": former,
                "to_team_id": team,
                "version": row["version"] if versioned else None,
                "public": public,
            }
        )
        if to:
            row["state"] = to


def _timers(made: list[Course], now: datetime) -> Iterator[tuple[int, str, int, int | None]]:
    """What falls due. What was due before now counts as told: nobody is woken for an invented past."""
    for course in made:
        if course.row["state"] in OPEN:
            instants = {
                name: from_micros(value)
                for name, value in course.row.items()
                if name.endswith("_at") and isinstance(value, int)
            }
            for kind, due in wanted(Incident(**course.row | instants), paused=False).items():
                yield course.row["id"], kind, to_micros(due), to_micros(due) if due <= now else None


def _values(model: type[Base], names: Sequence[str], row: dict[str, Any]) -> tuple[Any, ...]:
    """The row as the driver stores it, the model's defaults for what it does not name."""
    return tuple(row[name] if name in row else _default(model, name) for name in names)


@cache
def _default(model: Any, name: str) -> Any:
    default = model.__table__.columns[name].default
    return default.arg if isinstance(default, ColumnDefault) and default.is_scalar else None
