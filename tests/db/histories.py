"""Small random histories of incidents for tests of what is measured, and how they come into a database."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from db.commands import facts
from db.engine import writing
from db.models import (
    QUEUE_GROUP,
    Category,
    CategoryPair,
    Follower,
    Incident,
    Pause,
    Person,
    Service,
    Subcategory,
    Team,
)
from rules.access import SYSTEM, Actor
from rules.measures import Filters
from tests.db.oracle import CATEGORIES, PAIRS, TIERS, Case, begins

FIRST = datetime(2026, 2, 20, tzinfo=UTC)
NOW = datetime(2026, 4, 20, 13, 7, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SUMMER = {
    "UTC": date(2026, 3, 15),
    "America/Chicago": date(2026, 3, 8),
    "America/Havana": date(2026, 3, 8),
    "Europe/London": date(2026, 3, 29),
    "Australia/Lord_Howe": date(2026, 4, 5),
    "Asia/Kathmandu": date(2026, 3, 21),
}
"""zone -> a day of the histories, on which its clock changes if it does: by an hour, at midnight, by half an hour"""
EDGES = [
    *(begins(day + n * DAY, zone) for zone, day in SUMMER.items() for n in (0, 1)),
    *(begins(date(2026, month, 1), zone) for zone in SUMMER for month in (3, 4)),
    *(NOW - n * DAY for n in (1, 3, 7, 28)),
]
MANAGER = Actor(1, "Max", frozenset({"reporter", "manager"}))
LEAD = Actor(2, "Lena", frozenset({"reporter", "lead"}), frozenset({2}))
ADMIN = Actor(3, "Ada", frozenset({"reporter", "admin"}))
PEOPLE = (MANAGER, LEAD, ADMIN)

zones = st.sampled_from(sorted(SUMMER))
actors = st.sampled_from([SYSTEM, *PEOPLE])
filters = st.sampled_from(
    [
        *(Filters() for _ in range(4)),
        Filters(team_id=1),
        Filters(priority=1),
        Filters(priority=3, team_id=2),
        Filters(category_id=1),
        Filters(service_id=1),
        Filters(source="alert"),
        Filters(pair_id=0),
        Filters(pair_id=2),
        Filters(category_id=1, service_id=1),
    ]
)
some_minute = st.integers(0, (NOW - FIRST) // MINUTE - 1).map(lambda n: FIRST + n * MINUTE)
edge = st.builds(lambda at, n: min(at + n * MINUTE, NOW - MINUTE), st.sampled_from(EDGES), st.sampled_from((-1, 0, 1)))
moments = st.one_of(some_minute, edge)
gaps = st.one_of(st.integers(0, 60 * 24 * 20), st.sampled_from((0, 1, 60, 60 * 24))).map(lambda n: n * MINUTE)
maybe = st.none() | gaps


@st.composite
def periods(draw, last: datetime = NOW):
    """[start, end): everything, between any two moments, a local month, or the day of a change of the clock."""
    kind, zone = draw(st.sampled_from(("whole", "whole", "any", "month", "day"))), draw(zones)
    if kind == "whole":
        return FIRST, last
    if kind == "month":
        return begins(date(2026, 3, 1), zone), begins(date(2026, 4, 1), zone)
    if kind == "day":
        return begins(SUMMER[zone], zone), begins(SUMMER[zone] + DAY, zone)
    start, end = sorted((draw(moments), draw(moments)))
    return start, draw(st.sampled_from((end + MINUTE, last)))


ENDS = ("new", "in_progress", "on_hold", "resolved", "recovered", "closed", "told closed", "cancelled", "merged")


@st.composite
def cases(draw):
    """One incident, in any state, with what a real one in that state may lack."""
    reported, end = draw(moments), draw(st.sampled_from(ENDS))
    found = {"reported_at": reported, "state": {"told closed": "closed", "merged": "cancelled"}.get(end, end)}

    def later(name, since, gap):
        if gap is not None:
            found[name] = min(since + gap, NOW - MINUTE)

    def reached(*names):
        return next((found[name] for name in names if name in found), reported)

    later("acknowledged_at", reported, draw(maybe))
    if end == "on_hold":
        later("stands_since", reported, draw(maybe))
    if end in ("resolved", "recovered", "closed"):
        # An imported incident may be resolved before it was reported.
        later("resolved_at", reported, draw(st.one_of(gaps, st.just(-90 * MINUTE))))
    if end in ("recovered", "closed"):
        later("recovered_at", reached("resolved_at"), draw(gaps if end == "recovered" else maybe))
    if end in ("closed", "told closed"):
        later("closed_at", max(reported, reached("recovered_at", "resolved_at")), draw(gaps))
    if end in ("cancelled", "merged"):
        later("resolved_at", reported, draw(st.one_of(st.none(), maybe)))
        later("cancelled_at", reached("resolved_at"), draw(gaps))
    for name, ended in (("response_due_at", "acknowledged_at"), ("resolution_due_at", "resolved_at")):
        due = draw(st.sampled_from(("none", "some", "some", "exact")))
        if due != "none":
            found[name] = found[ended] if due == "exact" and ended in found else reported + draw(gaps)
    for name in ("started_at", "detected_at"):
        before = draw(maybe)
        found[name] = None if before is None else reported - before
    chosen = {
        "priority": (None, 1, 1, 2, 3, 3, 4, 5),
        "source": ("form", "alert", "alert", "phone"),
        "team_id": (None, 1, *TIERS),
        "service_id": (1, 1, 1, 2, None),
        "category_pair_id": (1, 1, 2, 3, None),
        "reopen_count": (0, 0, 0, 1, 2),
        "handovers": (0, 0, 0, 1, 3),
        "reporter_id": (None, None, 1, 2),
        "assignee_id": (None, None, None, 2),
        "named_ids": ((), (), (1,)),
    }
    found |= {name: draw(st.sampled_from(values)) for name, values in chosen.items()}
    often = {"major": 1, "ping_pong": 2, "restricted": 3}
    found |= {name: draw(st.integers(0, 9)) < tenths for name, tenths in often.items()}
    # A duplicate is cancelled; told by an import it may stand in any state.
    duplicate = end == "merged" or draw(st.integers(0, 19)) == 0
    return Case(**found, duplicate_of_id=1 if duplicate else None)


@dataclass(frozen=True)
class Told:
    """An incident, and what it was when incidents were packed: as it is, another one, or not there."""

    case: Case
    before: Case | None


@st.composite
def told(draw):
    case = draw(cases())
    how = draw(st.sampled_from(("same", "same", "changed", "later", "other")))
    if how == "changed":
        return Told(case, replace(case, state="new", resolved_at=None, priority=2, team_id=1, handovers=0))
    return Told(case, {"same": case, "later": None, "other": draw(cases()) if how == "other" else None}[how])


histories = st.one_of(st.lists(told(), max_size=2), st.lists(told(), min_size=9, max_size=18))


def organisation(engine: Engine) -> None:
    """Teams, people and categories that the histories name."""
    with writing(engine) as db:
        if db.get(Team, 1) is not None:
            return
        db.add_all(Team(id=number, name=f"Team {number}", tier=tier) for number, tier in TIERS.items())
        db.add_all(Person(id=actor.id, name=actor.name, created_at=FIRST) for actor in PEOPLE)
        db.add_all([Service(id=1, name="E-mail"), Service(id=2, name="Web"), Subcategory(id=1, name="Toner")])
        db.add_all(Category(id=number, name=name) for number, name in CATEGORIES.items())
        db.flush()
        names = {name: number for number, name in CATEGORIES.items()}
        db.add_all(
            CategoryPair(id=number, category_id=names[category], subcategory_id=subcategory and 1)
            for number, (category, subcategory) in PAIRS.items()
        )


def put(engine: Engine, history: list[Told], packed: tuple[int, int] = (99, 0)) -> None:
    """Make this all there is. So many ranges are packed: before some of it changed or came, and afterwards."""
    organisation(engine)
    with writing(engine) as db:
        for model in (Follower, Pause, Incident):
            db.execute(delete(model))
        # What duplicates are duplicates of comes first.
        for number, each in enumerate(history, 1):
            if each.before is not None:
                _write(db, number, each.before)
            elif number == 1:
                _write(db, number, each.case)
    with writing(engine) as db:
        facts.pack(db, packed[0])
    with writing(engine) as db:
        for number, each in enumerate(history, 1):
            if each.before != each.case:
                _write(db, number, each.case)
            db.add_all(
                Follower(incident_id=number, person_id=person, since=FIRST, named=True)
                for person in each.case.named_ids
            )
            if each.case.stands_since is not None:
                db.add(Pause(incident_id=number, began_at=each.case.stands_since, reason="vendor"))
    with writing(engine) as db:
        facts.pack(db, packed[1])


def _write(db, number, case):
    incident = db.get(Incident, number)
    if incident is None:
        incident = Incident(id=number, number=f"T{number}", title="t", changed_at=FIRST, rank_at=FIRST)
        db.add(incident)
    for name, value in case.columns().items():
        setattr(incident, name, value)
    incident.queue_group = QUEUE_GROUP[case.state]
    db.flush()
