"""People and what they may do. Every change is audited; the last administrator cannot be lost."""

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import audit, major, report_schedules, sign_in
from db.models import OneTimeLink, Person, PersonRole, Team, TeamMember
from db.queries.sessions import hashed
from rules import access, passwords, text
from rules.access import ROLES, Actor
from rules.errors import RuleError

INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(hours=1)
NAME_LIMIT = 200


def add(
    db: Session,
    name: str,
    email: str,
    roles: Collection[str],
    password: str | None,
    *,
    actor: Actor,
    now: datetime,
    zone: str = "UTC",
    team_ids: Collection[int] = (),
) -> Person:
    """A new person who can sign in, at once with `password`, or later by a link. RuleError with `fields`."""
    access.check(actor, "people")
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {"name": name, "email": email}
    checks: dict[str, Callable[[], object]] = {
        "name": lambda: text.line(name, "name", NAME_LIMIT, required="Give a name."),
        "email": lambda: text.email(email),
        "zone": lambda: checked_zone(zone),
        "roles": lambda: _checked_roles(roles),
        "password": lambda: passwords.check(password, name, email) if password is not None else None,
    }
    for field, check in checks.items():
        try:
            values[field] = check()
        except RuleError as error:
            wrong[field] = error.sentence
    if "email" not in wrong and _taken(db, values["email"]):
        wrong["email"] = "Somebody has this e-mail address already. Use another, or change their roles."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    person = Person(
        name=values["name"],
        email=values["email"],
        zone=zone,
        created_at=now,
        password_hash=sign_in.hash_password(password) if password is not None else None,
        password_changed_at=now if password is not None else None,
    )
    db.add(person)
    try:
        db.flush()
    except IntegrityError:
        raise RuleError(
            "Somebody has this e-mail address already. Use another, or change their roles.", field="email"
        ) from None
    _write_roles(db, person.id, roles)
    _write_teams(db, person.id, team_ids)
    audit.record(
        db, actor, now, "person added", _subject(person), after={"roles": sorted(roles), "teams": sorted(team_ids)}
    )
    return person


def invite(
    db: Session,
    name: str,
    email: str,
    roles: Collection[str],
    *,
    actor: Actor,
    now: datetime,
    team_ids: Collection[int] = (),
) -> tuple[Person, str]:
    """A new person without a password, and the token of the link by which they choose one; it works once."""
    person = add(db, name, email, roles, None, actor=actor, now=now, team_ids=team_ids)
    return person, _link(db, person, "invite", INVITATION_LASTS, actor, now)


def new_link(db: Session, person_id: int, *, actor: Actor, now: datetime) -> str:
    """The token of a link by which the person chooses a new password; earlier links stop working."""
    access.check(actor, "people")
    person = _person(db, person_id)
    if person.disabled_at is not None:
        raise RuleError(f"{person.name} is disabled. Enable the account first.")
    db.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person_id, OneTimeLink.used_at.is_(None)))
    invited = person.password_hash is None
    purpose, lasts = ("invite", INVITATION_LASTS) if invited else ("password", PASSWORD_LINK_LASTS)
    audit.record(db, actor, now, "link made", _subject(person), after={"purpose": purpose})
    return _link(db, person, purpose, lasts, actor, now)


def _link(db: Session, person: Person, purpose: str, lasts: timedelta, actor: Actor, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    db.add(
        OneTimeLink(
            token_hash=hashed(token),
            purpose=purpose,
            person_id=person.id,
            created_by_id=actor.id or None,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def accept_link(db: Session, token: str, password: str, *, now: datetime) -> Person:
    """Set the password that the link's person chose; the link is used up, and all their sessions end."""
    link = db.scalars(
        select(OneTimeLink).where(OneTimeLink.token_hash == hashed(token)).with_for_update()
    ).one_or_none()
    person = db.get(Person, link.person_id) if link else None
    if link is None or person is None or link.used_at or link.expires_at <= now or person.disabled_at:
        raise access.NotFound("This link has been used or is too old. Ask an administrator for a new one.")
    passwords.check(password, person.name, person.email)
    link.used_at = now
    _set_password(db, person, password, now)
    actor = Actor(person.id, person.name)
    audit.record(db, actor, now, "password set by link", _subject(person))
    return person


def change_own_password(
    db: Session, current: str, new: str, *, actor: Actor, now: datetime, token: str | None = None
) -> None:
    """Change one's own password; every other session of one's own ends."""
    person = _person(db, actor.id)
    if not sign_in.matches(person.password_hash, current):
        raise RuleError("The present password is another. Type it again.", field="current")
    passwords.check(new, person.name, person.email)
    _set_password(db, person, new, now, keep=token)
    audit.record(db, actor, now, "password changed", _subject(person))


def _set_password(db: Session, person: Person, password: str, now: datetime, keep: str | None = None) -> None:
    person.password_hash = sign_in.hash_password(password)
    person.password_changed_at = now
    sign_in.end_sessions(db, person.id, now, except_token=keep)


def change(
    db: Session,
    person_id: int,
    *,
    name: str,
    roles: Collection[str],
    team_ids: Collection[int],
    actor: Actor,
    now: datetime,
    leads: Collection[int] | None = None,
) -> None:
    """Change name, roles and teams, and which of those the person `leads` (None: as it was).

    The last administrator keeps the role. RuleError names the field.
    """
    access.check(actor, "people")
    _lock_administrators(db)
    person = _person(db, person_id)
    roles = _checked_roles(roles)
    led = _leads_of(db, person_id)
    before = {"name": person.name, "roles": _roles_of(db, person_id), "teams": _teams_of(db, person_id), "leads": led}
    wanted = set(led if leads is None else leads)
    if leads is not None and wanted - set(team_ids):
        raise RuleError("Whoever leads a team is in it. Choose it among their teams too.", field="leads")
    if "admin" in before["roles"] and "admin" not in roles:
        _keep_one_administrator(db, person)
    person.name = text.line(name, "name", NAME_LIMIT, required="Give a name.")
    person.version += 1
    _write_roles(db, person_id, roles)
    _write_teams(db, person_id, team_ids, wanted)
    after = {"name": person.name, "roles": _roles_of(db, person_id), "teams": sorted(team_ids)}
    after["leads"] = sorted(wanted & set(team_ids))
    if after != before:
        audit.record(db, actor, now, "person changed", _subject(person), before=before, after=after)
        why = f"{person.name} may not have reports sent to others any more."
        report_schedules.follow_rights(db, person_id, why, actor=actor, now=now)


def disable(db: Session, person_id: int, *, actor: Actor, now: datetime) -> None:
    """End the person's access at their next action. The last administrator cannot be disabled."""
    access.check(actor, "people")
    _lock_administrators(db)
    person = _person(db, person_id)
    if person.disabled_at is not None:
        return
    if "admin" in _roles_of(db, person_id):
        _keep_one_administrator(db, person)
    person.disabled_at = now
    sign_in.end_sessions(db, person_id, now)
    major.step_back(db, person, now=now)
    report_schedules.follow_rights(db, person_id, f"The account of {person.name} is closed.", actor=actor, now=now)
    audit.record(db, actor, now, "person disabled", _subject(person))


def enable(db: Session, person_id: int, *, actor: Actor, now: datetime) -> None:
    """Let the person sign in again."""
    access.check(actor, "people")
    person = _person(db, person_id)
    if person.disabled_at is not None:
        person.disabled_at = None
        audit.record(db, actor, now, "person enabled", _subject(person))


def set_own_zone(db: Session, zone: str, *, actor: Actor, now: datetime) -> None:
    """Choose the zone that one's times are told in where no browser says it."""
    _person(db, actor.id).zone = checked_zone(zone)


def prefer(db: Session, *, keys: bool, actor: Actor) -> None:
    """Choose how one likes to work: one-key commands on or off."""
    person = _person(db, actor.id)
    person.preferences = {**(person.preferences or {}), "keys": keys}


def checked_zone(zone: str) -> str:
    """The name of a zone; RuleError when there is none such."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise RuleError("Choose a zone from the list, such as Europe/Berlin.", field="zone") from None
    return zone


def _person(db: Session, person_id: int) -> Person:
    person = db.get(Person, person_id)
    if person is None or person.email is None:
        raise access.NotFound("There is no such person, or they came with an import and cannot sign in.")
    return person


def _taken(db: Session, email: str) -> bool:
    return db.execute(select(Person.id).where(func.lower(Person.email) == email)).first() is not None


def _checked_roles(roles: Collection[str]) -> list[str]:
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise RuleError(f"There is no role '{unknown[0]}'. Choose from {', '.join(ROLES)}.", field="roles")
    return sorted(set(roles))


def _lock_administrators(db: Session) -> None:
    """Two administrators who demote each other at once must wait for one another."""
    db.execute(
        select(Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == "admin")
        .order_by(Person.id)
        .with_for_update(of=Person)
    ).all()


def _keep_one_administrator(db: Session, person: Person) -> None:
    others = db.execute(
        select(func.count())
        .select_from(PersonRole)
        .join(Person, Person.id == PersonRole.person_id)
        .where(PersonRole.role == "admin", Person.id != person.id, Person.disabled_at.is_(None))
    ).scalar_one()
    if not others:
        raise RuleError(f"{person.name} is the only administrator. Give somebody else the role first.", field="roles")


def _roles_of(db: Session, person_id: int) -> list[str]:
    return sorted(db.execute(select(PersonRole.role).where(PersonRole.person_id == person_id)).scalars())


def _teams_of(db: Session, person_id: int) -> list[int]:
    return sorted(db.execute(select(TeamMember.team_id).where(TeamMember.person_id == person_id)).scalars())


def _write_roles(db: Session, person_id: int, roles: Collection[str]) -> None:
    db.execute(delete(PersonRole).where(PersonRole.person_id == person_id))
    db.add_all(PersonRole(person_id=person_id, role=role) for role in sorted(set(roles) | {"reporter"}))
    db.flush()


def _leads_of(db: Session, person_id: int) -> list[int]:
    led = select(TeamMember.team_id).where(TeamMember.person_id == person_id, TeamMember.lead)
    return sorted(db.execute(led).scalars())


def _write_teams(db: Session, person_id: int, team_ids: Collection[int], leads: Collection[int] = ()) -> None:
    known = set(db.execute(select(Team.id).where(Team.id.in_(team_ids))).scalars()) if team_ids else set()
    if set(team_ids) - known:
        raise RuleError("Choose teams from the list.", field="teams")
    db.execute(delete(TeamMember).where(TeamMember.person_id == person_id))
    db.add_all(TeamMember(team_id=team, person_id=person_id, lead=team in leads) for team in sorted(known))
    db.flush()


def _subject(person: Person) -> str:
    return f"{person.name} <{person.email}>"
