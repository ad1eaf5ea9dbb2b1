"""Who answers for an incident, and is told when one of its promises runs out."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.models import Incident, Person, PersonRole, TeamMember
from db.queries.access import followers_of


def responsible(db: Session, incident: Incident) -> list[int]:
    """Ids of its assignee and of those who lead its team.

    Where nobody leads the team: its members with the role lead; without any, the service desk, and where there is no
    desk, everybody with the role lead. Of a restricted incident only who may see it.
    """
    found = leading(db, incident.team_id)
    if not found:
        found = set(_with_role(db, incident, "desk")) or set(_with_role(db, incident, "lead"))
    if incident.assignee_id is not None:
        found.add(incident.assignee_id)
    return sorted(found)


def leading(db: Session, team_id: int | None) -> set[int]:
    """Ids of those who lead the team; where nobody does, of its members with the role lead."""
    members = select(TeamMember.person_id, TeamMember.lead, PersonRole.role).join(
        Person, Person.id == TeamMember.person_id
    )
    of_the_team = members.outerjoin(
        PersonRole, (PersonRole.person_id == TeamMember.person_id) & (PersonRole.role == "lead")
    ).where(TeamMember.team_id == team_id, Person.disabled_at.is_(None))
    rows = db.execute(of_the_team).all()
    return {row.person_id for row in rows if row.lead} or {row.person_id for row in rows if row.role}


def _with_role(db: Session, incident: Incident, role: str) -> list[int]:
    conditions: list[ColumnElement[bool]] = [PersonRole.role == role, Person.disabled_at.is_(None)]
    if incident.restricted:
        named = [person for person, is_named in followers_of(db, incident.id).items() if is_named]
        members = select(TeamMember.person_id).where(TeamMember.team_id == incident.team_id)
        conditions.append(Person.id.in_(named) | Person.id.in_(members))
    statement = select(Person.id).join(PersonRole, PersonRole.person_id == Person.id).where(*conditions)
    return list(db.scalars(statement))
