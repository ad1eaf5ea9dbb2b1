"""Senders of alerts: what they may send with, whom their alerts concern, and how they are read."""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import alerts, audit
from db.models import (
    Category,
    CategoryPair,
    EscalationPolicy,
    Incident,
    Integration,
    IntegrationToken,
    Service,
    Team,
)
from db.queries.alerts import SILENT
from db.queries.sessions import hashed
from db.settings import settings
from rules import access, severities, storm, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.signals import FORMATS
from rules.webhook_signature import secret_of

NAME_LIMIT, LABEL_LIMIT = 120, 80
TOKEN_LENGTH = 32
"""Some senders take a routing key of PagerDuty's length only."""
MOST_TOKENS = 2
OLD_SECRET_LASTS = timedelta(hours=24)
HEARTBEAT_SECONDS = (30, 7 * 86_400)
FIRST_CALL = timedelta(hours=1)
"""so much longer than its interval the first call is waited for, so that the sender can be set up"""
MOST_STORM = 10_000
MONITORING = "Monitoring"
"""The category of incidents from integrations that name no other; made with the first of them."""
_LETTERS = string.ascii_letters + string.digits
_LABEL = re.compile(r"[\w.:/-]+( [\w.:/-]+)*")
_MEANWHILE = "Somebody changed it meanwhile. Close this, look at it as it is now, and change it again."
FIELDS = (
    "name",
    "format",
    "service_id",
    "team_id",
    "escalation_policy_id",
    "category_pair_id",
    "grouping",
    "severities",
    "auto_resolve",
    "signed",
    "storm_limit",
    "heartbeat_seconds",
)


def add(db: Session, given: Mapping[str, Any], *, actor: Actor, now: datetime) -> tuple[Integration, str]:
    """Add an integration with the FIELDS in `given`; it and its first token, which is shown only now."""
    access.check(actor, "integrations")
    values = _checked(db, None, given)
    made = Integration(created_at=now, version=1, secret_turn=0, **values)
    db.add(made)
    db.flush()
    _begin_heartbeat(db, made, now)
    audit.record(db, actor, now, "integration added", made.name, after=values)
    return made, new_token(db, made.id, actor=actor, now=now)


def change(
    db: Session, integration_id: int, version: int | None, given: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Integration:
    """Change FIELDS; RuleError when somebody changed it since `version`, or with `fields`."""
    found = _found(db, integration_id, actor)
    if version is not None and found.version != version:
        raise RuleError(_MEANWHILE)
    before = {name: getattr(found, name) for name in FIELDS}
    values = _checked(db, found.id, before | dict(given))
    changed = {name: value for name, value in values.items() if value != before[name]}
    if not changed:
        return found
    for name, value in changed.items():
        setattr(found, name, value)
    found.version += 1
    if "heartbeat_seconds" in changed:
        _begin_heartbeat(db, found, now)
    audit.record(
        db, actor, now, "integration changed", found.name, {name: before[name] for name in changed}, dict(changed)
    )
    db.flush()
    return found


def archive(db: Session, integration_id: int, *, actor: Actor, now: datetime) -> None:
    """Take nothing more from it. Its alerts and incidents stay."""
    found = _found(db, integration_id, actor)
    if found.archived_at is None:
        found.archived_at, found.heartbeat_due_at = now, None
        found.version += 1
        audit.record(db, actor, now, "integration archived", found.name)


def restore(db: Session, integration_id: int, *, actor: Actor, now: datetime) -> None:
    """Take its alerts again, with the tokens that it had."""
    found = _found(db, integration_id, actor)
    if found.archived_at is not None:
        found.archived_at = None
        found.version += 1
        _begin_heartbeat(db, found, now)
        audit.record(db, actor, now, "integration brought back", found.name)


def new_token(db: Session, integration_id: int, *, actor: Actor, now: datetime) -> str:
    """One more token, shown only now. Two may live at a time, so that the sender can be changed in between."""
    found = _found(db, integration_id, actor)
    alive = select(func.count()).select_from(IntegrationToken)
    alive = alive.where(IntegrationToken.integration_id == found.id, IntegrationToken.revoked_at.is_(None))
    if db.execute(alive).scalar_one() >= MOST_TOKENS:
        raise RuleError("It has two tokens already. End the one that is no longer used, then make another.")
    token = "".join(secrets.choice(_LETTERS) for _ in range(TOKEN_LENGTH))
    ending = token[-4:]
    db.add(
        IntegrationToken(
            integration_id=found.id,
            token_hash=hashed(token),
            ending=ending,
            created_at=now,
            created_by_id=None if actor is access.SYSTEM else actor.id,
        )
    )
    audit.record(db, actor, now, "integration token made", found.name, after={"ending": ending})
    db.flush()
    return token


def revoke_token(db: Session, integration_id: int, token_id: int, *, actor: Actor, now: datetime) -> None:
    """Nothing more is taken with this token."""
    found = _found(db, integration_id, actor)
    token = db.get(IntegrationToken, token_id)
    if token is None or token.integration_id != found.id:
        raise NotFound("There is no such token any more.")
    if token.revoked_at is None:
        token.revoked_at = now
        audit.record(db, actor, now, "integration token ended", found.name, before={"ending": token.ending})


def new_secret(db: Session, integration_id: int, *, actor: Actor, now: datetime) -> str:
    """Another secret to sign with; the one before it is taken for a day more."""
    found = _found(db, integration_id, actor)
    found.secret_turn += 1
    found.old_secret_until = now + OLD_SECRET_LASTS
    audit.record(db, actor, now, "integration secret made", found.name, after={"turn": found.secret_turn})
    return _secret(found.id, found.secret_turn)


def secret(db: Session, integration_id: int, *, actor: Actor) -> str:
    """The present secret, to be shown to an administrator."""
    access.check(actor, "integrations")
    turn = db.execute(select(Integration.secret_turn).where(Integration.id == integration_id)).scalar_one()
    return _secret(integration_id, turn)


def live_secrets(integration_id: int, turn: int, old_until: datetime | None, now: datetime) -> list[str]:
    """What its messages may be signed with."""
    taken = [_secret(integration_id, turn)]
    if turn > 0 and old_until is not None and old_until > now:
        taken.append(_secret(integration_id, turn - 1))
    return taken


def _secret(integration_id: int, turn: int) -> str:
    """Derived, so that no secret lies in the database or its backups."""
    made = hmac.digest(settings().secret(), f"integration:{integration_id}:{turn}".encode(), hashlib.sha256)
    return secret_of(made)


def send_test(db: Session, integration_id: int, *, actor: Actor, now: datetime) -> Incident | None:
    """Let a test alert go the way of all others; its incident, or None in maintenance. It ends itself."""
    found = _found(db, integration_id, actor)
    if found.archived_at is not None:
        raise RuleError("It is archived. Bring it back first.")
    audit.record(db, actor, now, "integration tested", found.name)
    return alerts.send_test(db, found, now)


def _found(db: Session, integration_id: int, actor: Actor) -> Integration:
    access.check(actor, "integrations")
    found = db.get(Integration, integration_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such integration any more.")
    return found


def _begin_heartbeat(db: Session, integration: Integration, now: datetime) -> None:
    """Wait for the next call anew, for the first one longer. One that is silent stays so until it calls.

    Healthchecks.io and Opsgenie wait for the first call without an end; a sender that was set up wrongly is then never
    missed.
    """
    seconds = integration.heartbeat_seconds
    if seconds is None:
        integration.heartbeat_at, integration.heartbeat_due_at = None, None
        alerts.end_silence(db, integration, "no longer promises to call", now)
    elif SILENT in alerts.live(db, integration, [SILENT]):
        integration.heartbeat_due_at = None
    else:
        patience = FIRST_CALL if integration.heartbeat_at is None else timedelta()
        integration.heartbeat_due_at = now + timedelta(seconds=seconds) + patience


def _checked(db: Session, own_id: int | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """FIELDS as they are stored. RuleError names every wrong one."""
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {
        "format": given.get("format"),
        "auto_resolve": bool(given.get("auto_resolve", True)),
        "signed": bool(given.get("signed", False)),
        "severities": {},
    }
    for name, limit, required in (("name", NAME_LIMIT, "Give the integration a name."), ("grouping", LABEL_LIMIT, "")):
        try:
            values[name] = text.line(given.get(name) or "", name, limit, required=required)
        except RuleError as error:
            wrong[name] = error.sentence
    if values["format"] not in FORMATS:
        wrong["format"] = f"Choose the format from the list: {', '.join(FORMATS)}."
    if values.get("grouping") and not _LABEL.fullmatch(values["grouping"]):
        wrong["grouping"] = "Give the name of one label, such as cluster."
    try:
        values["severities"] = severities.checked(given.get("severities") or {})
    except RuleError as error:
        wrong["severities"] = error.sentence
    for name, least, most, said in (
        ("storm_limit", 1, MOST_STORM, f"Choose how many new alerts a minute are a storm: 1 to {MOST_STORM:,}."),
        ("heartbeat_seconds", *HEARTBEAT_SECONDS, "Choose a heartbeat between 30 seconds and 7 days."),
    ):
        number = given.get(name, storm.LIMIT if name == "storm_limit" else None)
        values[name] = number
        if name == "heartbeat_seconds" and number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            wrong[name] = said
    wrong |= _references(db, given, values)
    if "name" not in wrong:
        same = select(Integration.id).where(func.lower(Integration.name) == values["name"].lower())
        if db.execute(same).scalar() not in (None, own_id):
            wrong["name"] = f"There is an integration called {values['name']} already. Choose another name."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if values["category_pair_id"] is None:
        values["category_pair_id"] = _monitoring(db)
    return values


_REFERENCES: tuple[tuple[str, Any, str], ...] = (
    ("service_id", Service, "Choose a service from the list."),
    ("team_id", Team, "Choose a team from the list."),
    ("escalation_policy_id", EscalationPolicy, "Choose an escalation policy from the list."),
    ("category_pair_id", CategoryPair, "Choose a category from the list."),
)


def _references(db: Session, given: Mapping[str, Any], values: dict[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name, model, said in _REFERENCES:
        values[name] = given.get(name)
        there = db.get(model, values[name]) if values[name] is not None else None
        if values[name] is not None and (there is None or there.archived_at is not None):
            wrong[name] = said
    if values["service_id"] is None and values["team_id"] is None:
        wrong.setdefault("service_id", "Choose the service that its alerts are about, or a team.")
    return wrong


def _monitoring(db: Session) -> int:
    """The pair of the category that alerts have unless another is chosen; made or brought back when it is needed."""
    category = db.scalars(select(Category).where(func.lower(Category.name) == MONITORING.lower())).first()
    if category is None:
        category = Category(name=MONITORING)
        db.add(category)
        db.flush()
    category.archived_at = None
    alone = select(CategoryPair).where(CategoryPair.category_id == category.id, CategoryPair.subcategory_id.is_(None))
    pair = db.scalars(alone).first()
    if pair is None:
        pair = CategoryPair(category_id=category.id)
        db.add(pair)
        db.flush()
    pair.archived_at = None
    return pair.id
