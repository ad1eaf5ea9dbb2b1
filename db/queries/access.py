"""Which incidents an actor may see, as a condition for every query that reads or counts them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from db.models import Follower, Incident, Person, Team
from rules.access import SYSTEM, TABLE, Actor, Record

_T = TypeVar("_T")
_FOLLOWERS = select(Follower.person_id, Follower.named).where(Follower.incident_id == bindparam("incident_id"))


@lru_cache(maxsize=1024)
def visible(actor: Actor) -> ColumnElement[bool]:
    """Incidents `actor` may read; the same rule as rules.access.may(actor, 'read', ...), for SQL."""
    if actor is SYSTEM:
        return true()
    own = Incident.reporter_id == actor.id
    if actor.only is not None:  # a program
        inside = true() if actor.roles & TABLE["read"] else own
        return and_(Incident.restricted.is_(False), inside)
    named = or_(
        Incident.assignee_id == actor.id,
        exists(
            select(Follower.incident_id).where(
                Follower.incident_id == Incident.id,
                Follower.person_id == actor.id,
                or_(Follower.named, ~Incident.restricted),
            )
        ),
    )
    if not actor.roles & TABLE["read"]:
        return or_(own, named)
    member = Incident.team_id.in_(sorted(actor.team_ids))
    return or_(Incident.restricted.is_(False), own, and_(Incident.restricted, or_(named, member)))


def hidden_ids(db: Session, actor: Actor) -> list[int]:
    """Ids of the restricted incidents that `actor` may not see; few, found by an index of restricted ones alone."""
    return list(db.execute(_few(select(Incident.id).where(_hidden(actor)))).scalars())


@lru_cache(maxsize=1024)
def hidden_list(actor: Actor) -> ScalarSelect[str | None]:
    """The same as a part of a statement: the ids in one text, apart by spaces; NULL when there are none."""
    ids = func.aggregate_strings(cast(Incident.id, String), " ")
    return _few(select(ids).where(_hidden(actor))).scalar_subquery()


def _few(restricted: Select[_T]) -> Select[_T]:
    """SQLite does not know how few are restricted."""
    return restricted.with_hint(Incident, "INDEXED BY ix_incident_restricted", "sqlite")


def _hidden(actor: Actor) -> ColumnElement[bool]:
    # An unknown reporter or team makes the condition unknown, which is not to be taken for open.
    return and_(Incident.restricted, ~func.coalesce(visible(actor), false()))


def followers_of(db: Session, incident_id: int) -> dict[int, bool]:
    """Id of everyone who follows the incident -> whether others named them on it."""
    return {person: named for person, named in db.execute(_FOLLOWERS, {"incident_id": incident_id})}


def named_on(db: Session, incident_id: int) -> dict[int, str]:
    """Id -> name of the people named on a restricted incident, by name."""
    statement = (
        select(Person.id, Person.name)
        .join(Follower, Follower.person_id == Person.id)
        .where(Follower.incident_id == incident_id, Follower.named)
        .order_by(Person.name)
    )
    return {person_id: name for person_id, name in db.execute(statement)}


def record_of(db: Session, incident: Incident, followers: Mapping[int, bool] | None = None) -> Record:
    """What of `incident` decides access: a query each for those named on it, team, reporter, unless already read."""
    team = db.get(Team, incident.team_id) if incident.team_id else None
    reporter = db.get(Person, incident.reporter_id) if incident.reporter_id else None
    if followers is None:
        followers = followers_of(db, incident.id)
    account = reporter is not None and reporter.disabled_at is None
    return record(incident, team.way if team else None, account, followers)


def record(incident: Incident, team_way: str | None, account: bool, followers: Mapping[int, bool]) -> Record:
    """The same, of what was read already. `account`: whoever reported it can sign in."""
    return Record(
        reporter_id=incident.reporter_id,
        team_id=incident.team_id,
        assignee_id=incident.assignee_id,
        restricted=incident.restricted,
        named_ids=frozenset(person for person, named in followers.items() if named or not incident.restricted),
        team_way=team_way or "itil",
        account=account,
        denied=incident.denied_at is not None,
        id=incident.id,
    )
