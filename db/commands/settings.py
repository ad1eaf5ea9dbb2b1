"""Settings: changed by administrators, checked as a whole, audited, and applied to what is open."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import holidays
from db.commands import asking, audit, policies, setup
from db.models import Person, Service, Setting
from db.queries import settings as queries
from rules import access, policy_checks
from rules.access import SYSTEM, Actor
from rules.errors import RuleError
from rules.policies import MOVES

_PATIENCE = frozenset({"verification.remind_days", "verification.close_days"})
"""settings by which reporters are waited for"""


class Changed(RuleError):
    """Somebody else changed the same settings since they were read."""


def checked(db: Session, values: Mapping[str, Any], *, actor: Actor) -> tuple[dict[str, Any], list[str]]:
    """What really changes among `values`, and what looks like a mistake in it. RuleError names every fault by field."""
    access.check(actor, "settings")
    unknown = sorted(set(values) - set(queries.EDITABLE))
    if unknown:
        raise RuleError(f"There is no setting called '{unknown[0]}'.")
    present = queries.values(db)
    changes = {key: value for key, value in values.items() if present[key] != value}
    services = set(db.scalars(select(Service.id)))
    after = {**present, **changes}
    odd = policy_checks.check(after, services, unnamed="organisation.name" not in changes)
    before: list[str] = []
    if changes:
        _places(after["sla.calendars"])
        before = _odd_before(present, services)
    return changes, [sentence for sentence in odd if sentence not in before]


def _odd_before(present: Mapping[str, Any], services: set[int]) -> list[str]:
    try:
        return policy_checks.check(present, services, unnamed=True)
    except RuleError:
        return []


def _places(calendars: Mapping[str, Mapping[str, Any]]) -> None:
    """RuleError unless the library knows every country and region."""
    for name, calendar in calendars.items():
        try:
            holidays.check(calendar["country"], calendar["region"])
        except RuleError as error:
            raise RuleError(error.sentence, field=f"sla.calendars.{name}.{error.field}") from None


def preview(db: Session, values: Mapping[str, Any], *, actor: Actor, now: datetime) -> policies.Preview:
    """What `change` with these values would do to the open incidents. Writes nothing."""
    changes, odd = checked(db, values, actor=actor)
    return policies.preview(db, queries.values(db), changes, odd, actor=actor, now=now)


def change(
    db: Session, values: Mapping[str, Any], *, seen: Mapping[str, Any] | None, actor: Actor, now: datetime
) -> list[str]:
    """Write `values`; the settings that really changed. Call policies.apply_some afterwards until it is done.

    `seen` holds what the same settings were when the actor read them (None: take them as they are). Raises Changed when
    somebody else changed one of them meanwhile, and RuleError with `fields` for what makes no sense.
    """
    access.check(actor, "settings")
    queries.hold(db, shared=False)
    changes, _ = checked(db, values, actor=actor)
    if seen is not None:
        _still(db, seen, values)
    if not changes:
        return []
    present = queries.values(db)
    moving = sorted(MOVES & set(changes))
    if moving:
        policies.begin(db, present, changes, actor=actor, now=now)
    setup.put(db, changes, now, None if actor is SYSTEM else actor.id)
    if _PATIENCE & set(changes):
        asking.move(db, queries.of_values({**present, **changes}).patience)
    before = {key: present[key] for key in changes}
    audit.record(db, actor, now, "settings changed", ", ".join(sorted(changes)), before=before, after=dict(changes))
    return sorted(changes)


def _still(db: Session, seen: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Changed unless every one of `values` is still as it was seen."""
    present = queries.values(db)
    other = [key for key in values if key in seen and present[key] != seen[key]]
    if other:
        who = db.scalar(
            select(Person.name)
            .join(Setting, Setting.changed_by_id == Person.id)
            .where(Setting.key.in_(other))
            .order_by(Setting.changed_at.desc())
            .limit(1)
        )
        raise Changed(
            f"{who or 'Somebody else'} changed these settings while you were editing them. "
            "Look at them as they are now, then change what is still needed."
        )
