"""The first start: a one-time code from the server's log makes the first administrator, or fills in sample data."""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from db.commands import audit, people
from db.models import Category, CategoryPair, Person, Setting, Team, TeamMember
from db.queries.sessions import anyone, hashed
from rules import text
from rules.access import SYSTEM
from rules.errors import RuleError

CODE_KEY = "setup.code"
CODE_LASTS = timedelta(hours=24)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
NAME_LIMIT = 120
STARTER_CATEGORIES = ("Access", "Application", "E-mail", "Hardware", "Network", "Printing", "Telephone", "Other")


def new_code(db: Session, now: datetime) -> str | None:
    """A new one-time code for the server's log, which replaces an earlier one; None once there is an account."""
    if anyone(db):
        return None
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
    put(db, {CODE_KEY: {"hash": hashed(code).hex(), "until": (now + CODE_LASTS).isoformat()}}, now)
    return code


def put(db: Session, values: Mapping[str, Any], now: datetime, changed_by_id: int | None = None) -> None:
    """Write settings by key."""
    for key, value in values.items():
        kept = db.get(Setting, key, with_for_update=True)
        if kept is None:
            db.add(Setting(key=key, value=value, changed_at=now, changed_by_id=changed_by_id))
        else:
            kept.value, kept.changed_at, kept.changed_by_id = value, now, changed_by_id
    db.flush()


def check_code(db: Session, code: str, now: datetime) -> None:
    """RuleError unless `code` is the one in the log, still fresh, and there is no account yet."""
    kept = db.get(Setting, CODE_KEY, with_for_update=True)
    if anyone(db):
        raise RuleError("Incident Desk is set up already. Sign in.")
    typed = "".join(character for character in code.upper() if character.isalnum())
    shaped = "-".join(typed[start : start + 4] for start in range(0, 12, 4))
    if kept is None or not hmac.compare_digest(str(kept.value["hash"]), hashed(shaped).hex()):
        raise RuleError("This is not the newest code in the server's log. Copy it from there.", field="code")
    if datetime.fromisoformat(kept.value["until"]) <= now:
        raise RuleError("The code is older than a day. Start the server again; its log shows a new one.", field="code")


def first_administrator(
    db: Session, code: str, organisation: str, name: str, email: str, password: str, zone: str, *, now: datetime
) -> Person:
    """Make the first account, with every role but reporter's alone left to later. RuleError with `fields`."""
    wrong: dict[str, str] = {}
    try:
        check_code(db, code, now)
    except RuleError as error:
        if error.field is None:
            raise
        wrong["code"] = error.sentence
    try:
        organisation = text.line(organisation, "organisation", NAME_LIMIT, required="Give your organisation's name.")
    except RuleError as error:
        wrong["organisation"] = error.sentence
    person = None
    try:
        person = people.add(db, name, email, ("admin", "lead", "desk"), password, actor=SYSTEM, now=now, zone=zone)
    except RuleError as error:
        wrong |= error.fields
    if wrong or person is None:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    put(
        db,
        {
            "organisation.name": organisation,
            "organisation.zone": zone,
            CODE_KEY: {"hash": "", "until": now.isoformat()},
        },
        now,
    )
    _starter(db, person)
    audit.record(db, SYSTEM, now, "set up", organisation)
    return person


def _starter(db: Session, person: Person) -> None:
    """What triage needs from the first minute: a team and a few categories, to be renamed and added to."""
    team = Team(name="Service desk", tier="1", way="itil")
    db.add(team)
    categories = [Category(name=name) for name in STARTER_CATEGORIES]
    db.add_all(categories)
    db.flush()
    db.add(TeamMember(team_id=team.id, person_id=person.id, lead=True))
    db.add_all(CategoryPair(category_id=category.id, team_id=team.id) for category in categories)
