"""What is asked of an incident, checked before anything is written: words, choices, people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands.files import Upload
from db.models import CategoryPair, Incident, Person, PersonRole, Service, Team
from db.queries.settings import Policies
from db.settings import settings
from rules import priority, text
from rules.access import TABLE, Actor, NotFound
from rules.attachments import check_all
from rules.callers import ANONYMOUS, PROGRAM, SOURCES
from rules.errors import RuleError

TITLE_LIMIT = 200
TEXT_LIMIT = 20_000
MAX_PEOPLE = 10_000_000
_FUTURE = timedelta(minutes=5)
LONG_AGO = timedelta(days=3660)
"""What began before is a clock that was never set, and would stand in numbers for good."""
WORDS = ("reason", "resolution_note", "verification_note", "hold_note")
"""fields that hold the words written with an action"""


def report(
    db: Session,
    title: str,
    affected: str,
    description: str,
    service_id: int | None,
    scope: str | None,
    effect: str | None,
    started_at: datetime | None,
    attachments: Sequence[Upload],
    now: datetime,
    also: Mapping[str, str],
) -> dict[str, Any]:
    """The columns of a new incident, and `service_impact`. RuleError names every field that must be put right.

    `also`: what is wrong besides, field -> sentence.
    """
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {"service_impact": None, "service_id": None}
    for name, check in (
        ("title", lambda: text.line(title, "title", TITLE_LIMIT, required="Say what is wrong.")),
        ("affected", lambda: text.line(affected, "affected", TITLE_LIMIT)),
        ("description", lambda: text.block(description, "description", TEXT_LIMIT)),
        ("files", lambda: check_all([(upload.name, upload.content) for upload in attachments])),
    ):
        try:
            values[name] = check()
        except RuleError as error:
            wrong[name] = error.sentence
    if service_id is not None:
        service = db.get(Service, service_id)
        if service is None or service.archived_at is not None:
            wrong["service_id"] = "Choose a service from the list."
        else:
            values |= {"service_id": service.id, "service_impact": service.impact}
            values["affected"] = values.get("affected") or service.name
    if not wrong.get("affected") and not values.get("affected") and "service_id" not in wrong:
        wrong["affected"] = "Say what or where is affected."
    if scope is not None and scope not in priority.SCOPES:
        wrong["scope"] = "Choose who is affected from the list."
    if effect is not None and effect not in priority.EFFECTS:
        wrong["effect"] = "Choose from the list whether you can still work."
    if started_at is not None and started_at > now + _FUTURE:
        wrong["started_at"] = "Choose a time in the past for when it started."
    elif started_at is not None and started_at < now - LONG_AGO:
        wrong["started_at"] = "Choose a time within the last ten years for when it started."
    wrong |= also
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    del values["files"]
    values["started_at"] = started_at
    return values


@dataclass(frozen=True)
class Caller:
    """For whom somebody else reports: a person with an account, or a name and how to reach them."""

    person_id: int | None = None
    name: str = ""
    contact: str = ""
    source: str = "phone"
    """key of rules.callers.SOURCES, or PROGRAM"""


def caller(db: Session, given: Caller) -> tuple[dict[str, Any], str]:
    """The columns of who is meant, and the words for the timeline. RuleError names every wrong field."""
    wrong: dict[str, str] = {}
    person = db.get(Person, given.person_id) if given.person_id is not None else None
    words = {"caller_name": "", "caller_contact": ""}
    if given.person_id is not None and (person is None or person.disabled_at is not None or person.email is None):
        wrong["caller_id"] = "Choose a person from the list."
    if given.person_id is None:
        for name, value, required in (
            ("caller_name", given.name, "Give the name of the person you report for."),
            ("caller_contact", given.contact, "Say how they can be reached."),
        ):
            try:
                words[name] = text.line(value, name, TITLE_LIMIT, required=required)
            except RuleError as error:
                wrong[name] = error.sentence
    if given.source not in (*SOURCES, PROGRAM):
        wrong["source"] = "Choose how they reached you from the list."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    who = person.name if person else words["caller_name"]
    told = f"reported it for {who}"
    if given.source in SOURCES:
        told += f" ({SOURCES[given.source].lower()})"
    return {"reporter_id": person.id if person else None, "source": given.source, **words}, told


def open_to(actor: Actor) -> None:
    """NotFound for somebody without an account where ANONYMOUS_REPORTS is off."""
    if actor.anonymous and not settings().anonymous_reports:
        raise NotFound("There is nothing here without an account. Sign in.")


def without_account(given: Caller) -> tuple[dict[str, Any], str]:
    """The columns of who reports without an account, and the words for the timeline. RuleError names every field."""
    wrong: dict[str, str] = {}
    words = {}
    for name, value in (("caller_name", given.name), ("caller_contact", given.contact)):
        try:
            words[name] = text.line(value, name, TITLE_LIMIT)
        except RuleError as error:
            wrong[name] = error.sentence
    if "@" in words.get("caller_contact", ""):
        try:
            text.email(words["caller_contact"], "caller_contact")
        except RuleError:
            wrong["caller_contact"] = "Give an e-mail address such as name@example.org, or a telephone number."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    told = "reported it without an account" if words["caller_name"] else "reported it"
    return {"reporter_id": None, "logged_by_id": None, "source": ANONYMOUS, **words}, told


_SORTED = {
    "category_pair_id": "Choose a category.",
    "impact": "Choose the impact.",
    "urgency": "Choose the urgency.",
}
"""what an incident needs to leave 'new', and keeps from then on"""


def triage(db: Session, incident: Incident, fields: dict[str, Any], known: Policies) -> dict[str, Any]:
    """`fields` to be set in triage, with the priority that follows. RuleError names every wrong one."""
    wrong: dict[str, str] = {}
    for flag in ("restricted", *priority.RISKS):
        if flag in fields:
            fields[flag] = bool(fields[flag])
    people = fields.get("people_affected")
    if people is not None and (
        isinstance(people, bool) or not isinstance(people, int) or not 0 <= people <= MAX_PEOPLE
    ):
        wrong["people_affected"] = "Give the number of people as a whole number, 0 or more."
    for name, required in (("title", "Say what is wrong."), ("affected", "")):
        if name in fields:
            try:
                fields[name] = text.line(fields[name], name, TITLE_LIMIT, required=required)
            except RuleError as error:
                wrong[name] = error.sentence
    for name, sentence in _SORTED.items():
        taken_away = fields.get(name, True) is None and getattr(incident, name) is not None
        if taken_away and incident.state != "new" and not incident.imported:
            wrong[name] = sentence
    wrong |= _unknown_references(db, incident, fields)
    impact, urgency = fields.get("impact", incident.impact), fields.get("urgency", incident.urgency)
    if not wrong and impact is not None and urgency is not None and {"impact", "urgency"} & set(fields):
        fields["priority"] = priority.priority(impact, urgency, known.matrix)
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return fields


def words(given: Mapping[str, Any]) -> dict[str, Any]:
    """The free texts among `given`, checked and trimmed."""
    return {name: text.block(given[name], name, TEXT_LIMIT) for name in WORDS if isinstance(given.get(name), str)}


def _unknown_references(db: Session, incident: Incident, fields: Mapping[str, Any]) -> dict[str, str]:
    """Field -> sentence for a category pair or service that is not there (any more); what it has already stays."""
    wrong = {}
    pair_id, service_id = fields.get("category_pair_id"), fields.get("service_id")
    if pair_id not in (None, incident.category_pair_id) and not _in_use(db.get(CategoryPair, pair_id)):
        wrong["category_pair_id"] = "Choose a category from the list."
    if service_id not in (None, incident.service_id) and not _in_use(db.get(Service, service_id)):
        wrong["service_id"] = "Choose a service from the list."
    return wrong


def _in_use(found: CategoryPair | Service | None) -> bool:
    return found is not None and found.archived_at is None


def people(db: Session, changes: Mapping[str, Any]) -> None:
    """RuleError unless the team exists and the assignee may work on incidents."""
    if changes.get("team_id") is not None:
        team = db.get(Team, changes["team_id"])
        if team is None or team.archived_at is not None:
            raise RuleError("Choose a team from the list.", field="team_id")
    assignee = changes.get("assignee_id")
    if assignee is not None:
        person = db.get(Person, assignee)
        roles = set(db.execute(select(PersonRole.role).where(PersonRole.person_id == assignee)).scalars())
        if person is None or person.disabled_at is not None or not roles & TABLE["acknowledge"]:
            raise RuleError("Choose a person who works on incidents.", field="assignee_id")
