"""What an incident belongs with: a larger incident that it is part of, changes, problems, anything with an address."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from db.commands import incidents, merging, problem_links, timeline, wording
from db.commands.problem_links import MOST_LINKS
from db.models import Incident, IncidentLink
from db.queries.access import record_of
from rules import access, text, web_address
from rules.access import Actor
from rules.errors import RuleError

KINDS = {"change": "Change", "problem": "Problem", "other": "Something else"}
REFERENCE_LIMIT = 200


def set_parent(
    db: Session, incident_id: int, version: int | None, parent_id: int | None, *, actor: Actor, now: datetime
) -> Incident:
    """Make the incident part of a larger one, whose updates its reporter then reads; None takes it out again.

    There is one level: what is part of another has no parts itself. Conflict, Forbidden, NotFound or RuleError.
    """
    merging.lock(db, incident_id, parent_id)
    incident = incidents.for_change(db, incident_id, version, actor)
    access.check(actor, "relate", record_of(db, incident))
    if parent_id == incident.parent_id:
        return incident
    if parent_id is None:
        before = db.get_one(Incident, incident.parent_id)
        told, below = f"took it out of {wording.named(before)}", f"let {wording.named(incident)} go"
        other = before
    else:
        other = _larger(db, incident, parent_id, actor)
        told, below = f"made it part of {wording.named(other)}", f"took in {wording.named(incident)}"
    changes = {"parent_id": [incident.parent_id, parent_id]}
    incident.parent_id = parent_id
    incident.version += 1
    incident.changed_at = now
    timeline.add(db, incident, actor, now, "relate", told, changes=changes)
    if other.restricted or not incident.restricted:  # nobody learns of a restricted part from the open whole
        timeline.add(db, other, actor, now, "relate", below, versioned=False)
    db.flush()
    return incident


def _larger(db: Session, incident: Incident, parent_id: int, actor: Actor) -> Incident:
    field = "parent_id"
    parent = db.get(Incident, parent_id)
    if parent is None or not access.may(actor, "read", record_of(db, parent)):
        raise RuleError("Choose the incident it is part of: there is none with this number.", field=field)
    if parent.id == incident.id:
        raise RuleError("Choose another incident: one cannot be part of itself.", field=field)
    if parent.parent_id is not None:
        raise RuleError(f"{parent.number} is itself part of another. Choose that one.", field=field)
    if parent.state == "cancelled":
        raise RuleError(f"{parent.number} is cancelled. Choose one that goes on.", field=field)
    if db.scalar(select(exists().where(Incident.parent_id == incident.id))):
        raise RuleError(f"{incident.number} has parts of its own. Take them out first.", field=field)
    if parent.restricted and not incident.restricted:
        raise RuleError(
            f"{parent.number} is restricted: its updates cannot reach who reported {incident.number}.", field=field
        )
    return parent


def link(
    db: Session, incident_id: int, kind: str, reference: str, url: str = "", *, actor: Actor, now: datetime
) -> IncidentLink:
    """Name a change, a problem or something else that the incident belongs with. RuleError with `fields`.

    The number of a problem that is kept here links with that problem; any other reference is kept as it is written.
    """
    problem_id = problem_links.named(db, reference, actor) if kind == "problem" else None
    if problem_id is not None:
        return _linked(db, problem_id, incident_id, actor, now)
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "relate", record_of(db, incident))
    wrong: dict[str, str] = {}
    if kind not in KINDS:
        wrong["kind"] = "Choose what it is from the list."
    try:
        reference = text.line(reference, "reference", REFERENCE_LIMIT, required="Give its number or name.")
    except RuleError as error:
        wrong["reference"] = error.sentence
    try:
        url = web_address.checked(text.line(url, "url", web_address.LIMIT))
    except RuleError as error:
        wrong["url"] = error.sentence
    held = select(func.count()).select_from(IncidentLink).where(IncidentLink.incident_id == incident.id)
    if not wrong and (db.scalar(held) or 0) >= MOST_LINKS:
        wrong["reference"] = f"It has {MOST_LINKS} links already. Remove one that no longer matters."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    made = IncidentLink(
        incident_id=incident.id, kind=kind, reference=reference, url=url, added_by_id=actor.id, added_at=now
    )
    db.add(made)
    told = f"linked it with {_named(kind, reference)}"
    timeline.add(db, incident, actor, now, "relate", told, changes={"link": [None, reference]}, versioned=False)
    db.flush()
    return made


def _linked(db: Session, problem_id: int, incident_id: int, actor: Actor, now: datetime) -> IncidentLink:
    made = problem_links.link(db, problem_id, [incident_id], actor=actor, now=now)
    if not made:
        raise RuleError("It is linked with this problem already.", field="reference")
    return made[0]


def repeats(db: Session, incident_id: int, earlier: str, *, actor: Actor, now: datetime) -> None:
    """Link what the actor reported with an `earlier` incident of this number that is over and has come back.

    Said twice it is linked once. NotFound for an earlier one that the actor may not read.
    """
    incident = incidents.for_change(db, incident_id, None, actor)
    if not access.is_reporter(actor, record_of(db, incident)):
        access.check(actor, "relate", record_of(db, incident))
    before_id = db.scalar(select(Incident.id).where(Incident.number == earlier)) or 0
    before = incidents.for_change(db, before_id, None, actor)
    held = exists().where(IncidentLink.incident_id == incident.id, IncidentLink.reference == before.number)
    if before.id == incident.id or db.scalar(select(held)):
        return
    db.add(
        IncidentLink(
            incident_id=incident.id, kind="other", reference=before.number, url="", added_by_id=actor.id, added_at=now
        )
    )
    changes = {"link": [None, before.number]}
    told = f"said that it is {wording.named(before)} again"
    timeline.add(db, incident, actor, now, "relate", told, changes=changes, public=True, versioned=False)
    if before.restricted or not incident.restricted:
        timeline.add(db, before, actor, now, "relate", f"reported it again as {incident.number}", versioned=False)
    db.flush()


def unlink(db: Session, incident_id: int, link_id: int, *, actor: Actor, now: datetime) -> None:
    """Remove a link; one that is gone already changes nothing."""
    known = db.get(IncidentLink, link_id)
    if known is not None and known.incident_id == incident_id and known.problem_id is not None:
        problem_links.unlink(db, known.problem_id, incident_id, actor=actor, now=now)
        return
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "relate", record_of(db, incident))
    held = db.get(IncidentLink, link_id)
    if held is None or held.incident_id != incident.id:
        return
    told = f"removed the link with {_named(held.kind, held.reference)}"
    timeline.add(db, incident, actor, now, "relate", told, changes={"link": [held.reference, None]}, versioned=False)
    db.delete(held)


def _named(kind: str, reference: str) -> str:
    return reference if kind == "other" else f"{KINDS[kind].lower()} {reference}"
