"""Every change of an incident: reported, triaged, moved along its lifecycle. What is said about it: conversation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import chains
from db.commands import (
    asking,
    assignments,
    checks,
    clocks,
    escalation,
    files,
    handover,
    merging,
    opening,
    outbox,
    parts,
    postmortem_drafts,
    publication,
    team_news,
    telling,
    templates,
    timeline,
    update_clock,
    wording,
)
from db.models import Follower, Incident, Room, TimelineEntry
from db.queries.access import record_of
from db.queries.settings import Policies, policies
from db.queries.timeline import Entry, closed_on, since
from rules import access, priority, states
from rules.access import Actor, Forbidden
from rules.errors import RuleError
from rules.templates import as_text, levels

TRIAGE_FIELDS = (
    "category_pair_id",
    "impact",
    "urgency",
    "people_affected",
    "service_id",
    "security",
    "compliance",
    "financial",
    "title",
    "affected",
    "restricted",
)
_CLOCK_FIELDS = {
    "impact", "urgency", "priority", "state", "team_id", "service_id", "people_affected", "reported_at", "major",
    "hold_reason", "hold_until", *priority.RISKS,
}  # fmt: skip


_INSIDE = frozenset({"escalate", "correct", "vendor", "declare", "stand_down"})
"""changes that the reporter does not read of"""


class Conflict(RuleError):
    """Somebody changed the incident since it was read. `since` holds what they did, oldest first."""

    def __init__(self, number: str, changes: Sequence[Entry]) -> None:
        who = ", ".join(dict.fromkeys(entry.actor_name for entry in changes if entry.actor_name)) or "Somebody"
        super().__init__(f"{who} changed {number} while you were looking at it. See what changed, then choose.")
        self.since = list(changes)


def report(
    db: Session,
    *,
    title: str,
    affected: str = "",
    description: str = "",
    service_id: int | None = None,
    scope: str | None = None,
    effect: str | None = None,
    started_at: datetime | None = None,
    attachments: Sequence[files.Upload] = (),
    source: str = "form",
    caller: checks.Caller | None = None,
    form_token: str | None = None,
    template_id: int | None = None,
    answers: Mapping[str, object] | None = None,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Log a new incident, reported by `actor` or for a `caller`. The same `form_token` again gives the one made.

    `answers` to the questions of the template are by key of the question (rules.templates). RuleError with `fields`
    names everything that must be put right at once.
    """
    checks.open_to(actor)
    access.check(actor, "report_for" if caller and not actor.anonymous else "report")
    made = opening.sent(db, form_token)
    if made is not None:
        return made
    start = templates.start(db, template_id, answers)
    service_id = start.service_id if service_id is None else service_id
    checked = checks.report(
        db, title, affected, description, service_id, scope, effect, started_at, attachments, now, start.wrong
    )
    who: dict[str, Any] = {"reporter_id": actor.id, "logged_by_id": actor.id, "source": source}
    told = "reported it"
    if actor.anonymous:
        who, told = checks.without_account(caller or checks.Caller())
    elif caller is not None:
        known_caller, told = checks.caller(db, caller)
        who |= known_caller
    service_impact = checked.pop("service_impact")
    impact, urgency = levels(start.impact, start.urgency, scope, effect, service_impact)
    id_, known = opening.begin(db)
    incident = opening.numbered(
        id_,
        known,
        form_token=form_token,
        scope=scope,
        effect=effect,
        people_affected=priority.people_of(scope),
        impact=impact,
        urgency=urgency,
        priority=priority.priority(impact, urgency, known.matrix),
        reported_at=now,
        changed_at=now,
        **start.columns(),
        **who,
        **checked,
    )
    entry = timeline.first(incident, actor, now, "report", told, as_text(start.answers))
    written = opening.write(db, incident, entry, known)
    if written is not incident:
        return written
    if incident.reporter_id is not None:
        db.add(Follower(incident_id=incident.id, person_id=incident.reporter_id, since=now))
    start.tasks(db, incident)
    for upload in attachments:
        files.attach(db, incident, upload, actor=actor, now=now)
    return incident


def for_change(db: Session, incident_id: int, version: int | None, actor: Actor) -> Incident:
    """The incident, locked for this transaction. Conflict if it changed since `version` (None: take it as it is)."""
    return _opened(db, incident_id, version, actor)[0]


def _opened(db: Session, incident_id: int, version: int | None, actor: Actor) -> tuple[Incident, access.Record]:
    """The same, with what decides access to it."""
    family = db.scalars(merging.FAMILY, {"ids": [incident_id]}).all()
    incident = next((each for each in family if each.id == incident_id), None)
    if incident is None:
        raise access.NotFound("There is no such incident, or it is not open to you.")
    chains.hold(db, family)
    checks.open_to(actor)
    record = record_of(db, incident)
    access.check(actor, "read", record)
    if version is not None and incident.version != version:
        raise Conflict(incident.number, since(db, incident_id, version))
    return incident, record


def perform(
    db: Session,
    incident_id: int,
    version: int | None,
    action: str,
    given: Mapping[str, Any] | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Take one named action of the lifecycle (rules.states.ACTIONS) with what it asks for in `given`.

    `given` may hold TRIAGE_FIELDS too: they are changed in the same step. Raises Conflict, Forbidden, NotFound or
    RuleError with `fields`.
    """
    values = dict(given or {})
    if action in ("merge", "unmerge"):
        merging.lock(db, incident_id, values.get("duplicate_of_id"))
    incident, record = _opened(db, incident_id, version, actor)
    if action not in states.ACTIONS:
        raise RuleError(f"There is no action called '{action}'.")
    access.check(actor, action, record)
    if action in states.possible(incident.state) and not access.may_take(actor, action, record, incident.state):
        raise Forbidden("Only the team sends it back, and only the reporter says that it is not fixed.")
    if action == "reopen" and incident.state == "cancelled" and incident.duplicate_of_id is not None:
        raise RuleError("It was merged into another. Undo the merge instead.")
    known = policies(db)
    edits = {name: value for name, value in values.items() if name in TRIAGE_FIELDS}
    if edits:
        edits = _changed(incident, checks.triage(db, incident, edits, known))
        if edits:
            access.check(actor, "prioritise", record)
        if edits.get("restricted"):
            _name(db, incident, actor, now)
    before = wording.facts(incident) | edits
    values |= checks.words(values)
    if action == "reopen":  # the days to do so count from the closing, which no correction moves
        before["closed_at"] = closed_on(db, incident.id) or incident.closed_at
    for_reporter = not access.is_reporter(actor, record)
    changes = states.apply(before, action, values, now, patience=known.patience, for_reporter=for_reporter)
    if action == "acknowledge" and incident.assignee_id is None and actor is not access.SYSTEM:
        changes["assignee_id"] = actor.id if actor.only is None else values.get("assignee_id")
    if action in ("accept", "assign", "escalate") and changes.get("assignee_id") is None:
        changes["assignee_id"] = escalation.on_call(db, incident, edits | changes, now)
    if action == "resolve":
        changes["denied_at"] = None
    elif action in ("reject", "reopen") and _says_not_fixed(incident, action, for_reporter):
        changes["denied_at"] = now
    if action == "merge":
        merging.join(db, incident, values["duplicate_of_id"], actor, now)
    elif action == "unmerge":
        changes |= merging.part(db, incident, actor, now)
    checks.people(db, changes)
    if action in handover.HANDING:
        changes |= handover.given_to(db, incident, action, changes["team_id"], values)
    handover.read_first(db, incident, action, values, actor, now)
    return _write(db, incident, action, edits | changes, values, known, actor=actor, now=now)


def prioritise(
    db: Session, incident_id: int, version: int | None, fields: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Incident:
    """Change TRIAGE_FIELDS without moving the incident. Priority, clocks and rank follow."""
    incident, record = _opened(db, incident_id, version, actor)
    access.check(actor, "prioritise", record)
    unknown = set(fields) - set(TRIAGE_FIELDS)
    if unknown:
        raise RuleError(f"These cannot be changed in triage: {', '.join(sorted(unknown))}.")
    known = policies(db)
    changes = _changed(incident, checks.triage(db, incident, dict(fields), known))
    if not changes:
        return incident
    if changes.get("restricted"):
        _name(db, incident, actor, now)
    return _write(db, incident, "prioritise", changes, {}, known, actor=actor, now=now)


def put_back(db: Session, incident: Incident, before: dict[str, Any], actor: Actor, now: datetime) -> Incident:
    """Give the incident the values it had; access and the right moment are the caller's to check."""
    only_triage = set(before) <= {*TRIAGE_FIELDS, "priority"}
    kind = "prioritise" if only_triage else "undo"
    return amend(db, incident, kind, before, {}, actor=actor, now=now)


def wait_is_over(db: Session, incident: Incident, words: str = "", *, now: datetime) -> Incident:
    """Go on with what is on hold, since what it waited for has come; `words` say so on the timeline.

    Nobody started work by that: where nobody had, the time to answer still runs.
    """
    changes = states.apply(wording.facts(incident), "resume", {}, now)
    changes["acknowledged_at"] = incident.acknowledged_at
    if incident.acknowledged_at is None:
        changes["state"] = "assigned"
    return amend(db, incident, "resume", changes, {"reason": words}, actor=access.SYSTEM, now=now)


def amend(
    db: Session,
    incident: Incident,
    kind: str,
    changes: dict[str, Any],
    given: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Write checked `changes` with their timeline entry; `given` holds the words that go with them."""
    return _write(db, incident, kind, changes, given, policies(db), actor=actor, now=now)


def _name(db: Session, incident: Incident, actor: Actor, now: datetime) -> None:
    """Let whoever restricts an incident still see it."""
    follower = db.get(Follower, (incident.id, actor.id))
    if follower is None:
        db.add(Follower(incident_id=incident.id, person_id=actor.id, since=now, named=True))
    else:
        follower.named = True


def _changed(incident: Incident, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if getattr(incident, name) != value}


def _says_not_fixed(incident: Incident, action: str, for_reporter: bool) -> bool:
    """The reporter's 'not fixed', said by themselves or by the desk for them: nobody closes over it."""
    if incident.state == "assigned":
        return False
    return not for_reporter or action == "reject"


def _write(
    db: Session,
    incident: Incident,
    kind: str,
    changes: dict[str, Any],
    given: Mapping[str, Any],
    known: Policies,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    was_state, was_team = incident.state, None if _proposed(db, incident) else incident.team_id
    was = assignments.Before(was_state, was_team, incident.changed_at)
    if kind != "undo" and was_team is not None and changes.get("team_id") not in (None, was_team):
        changes = changes | {
            "handovers": incident.handovers + 1,
            "ping_pong": incident.ping_pong or _had_it(db, incident.id, changes["team_id"]),
        }
    before = {name: getattr(incident, name) for name in changes}
    pauses = clocks.close_spans(db, incident, kind, changes, now)
    for name, value in changes.items():
        setattr(incident, name, value)
    incident.version += 1
    incident.changed_at = now
    if _CLOCK_FIELDS & set(changes) and not _promised_nothing(incident):
        summary = str(given.get("reason") or "") if kind in ("assign", "escalate") else ""
        stay = assignments.follow(db, incident, kind, was, summary, actor, now)
        clocks.recompute(db, incident, known, now, pauses, stay)
    edited = {name: value for name, value in changes.items() if name in (*TRIAGE_FIELDS, "priority")}
    told = ""
    if edited:
        timeline.add(
            db,
            incident,
            actor,
            now,
            "prioritise",
            wording.edits(db, before, edited),
            changes=wording.as_json(before, edited),
        )
    if kind != "prioritise":
        rest = {name: value for name, value in changes.items() if name not in edited}
        told = wording.action(db, incident, kind, rest, before)
        entry = timeline.add(
            db,
            incident,
            actor,
            now,
            kind,
            told,
            detail=wording.detail(kind, given),
            changes=wording.as_json(before, rest),
            states=(was_state, incident.state),
            teams=(was_team, incident.team_id),
            public=kind not in _INSIDE,
        )
        parts.tell(db, entry, incident, actor, now)
        asking.told(db, incident, kind, entry.detail, actor, now)
        telling.told(db, incident, kind, before, given, entry.detail, actor, now)
    team_news.changed(db, incident, kind, before, told, wording.detail(kind, given), actor=actor, now=now)
    if kind in outbox.STOPS_PAGES:
        outbox.stop_pages(db, incident.id, now)
    db.flush()
    escalation.follow(db, incident, kind, before, actor=actor, now=now)
    update_clock.follow(db, incident, before, now)
    if incident.state in update_clock.OVER and was_state not in update_clock.OVER:
        _over(db, incident, actor, now)
    db.flush()
    return incident


def _over(db: Session, incident: Incident, actor: Actor, now: datetime) -> None:
    """What is to be learned is drafted; nobody is owed an update, and it is over before the public too."""
    postmortem_drafts.due(db, incident, now)
    if db.get(Room, incident.id) is not None:  # without a room nobody was told
        update_clock.end(db, incident)
        publication.over(db, incident, actor=actor, now=now)


def _promised_nothing(incident: Incident) -> bool:
    """True for what came with an import when it was over: no promise is made for it now."""
    return incident.imported and incident.state not in states.OPEN and incident.resolution_due_at is None


def _proposed(db: Session, incident: Incident) -> bool:
    """True while its team is the one that a template names and nobody has given it to: no team had it before."""
    if incident.template_id is None or incident.state != "new" or incident.team_id is None:
        return False
    return not _had_it(db, incident.id, incident.team_id)


def _had_it(db: Session, incident_id: int, team_id: int) -> bool:
    held = select(TimelineEntry.id).where(TimelineEntry.incident_id == incident_id, TimelineEntry.to_team_id == team_id)
    return db.execute(held.limit(1)).first() is not None
