"""Escalation: one step after another is asked to answer, until somebody does.

The incident's row is held by whoever starts, stops or fires here, so that an acknowledgement and a step that falls due
at the same moment take turns: after the acknowledgement nobody is asked any more. The next step is the timer
'escalation'; 'repage' comes back to what was acknowledged and then left alone. Who is on call is looked up when a step
fires. A worker that was away fires one step when it is back, not all that it has missed.

Maintenance stops what runs. What nobody has answered by its end begins anew, from the first step: see resume().
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import calling, notices, outbox, repaging, team_news, timeline, timers
from db.commands.timers import AGAIN, STEP
from db.models import Escalation, EscalationPolicy, Incident, Service, Team, Timer
from db.queries import escalation as queries
from db.queries import maintenance
from db.queries.responsible import responsible
from rules import paging
from rules.access import SYSTEM, Actor
from rules.durations import exact
from rules.escalation import Policy, acknowledge_timeout, step_at

UNANSWERED = ("new", "assigned")
_NIGHT = timedelta(hours=10)
"""no longer than that do P4 and P5 wait for the morning: the night in which an hour comes twice"""
_AT_WORK = ("in_progress", "on_hold")
_BY = {"acknowledge": "acknowledged", "hold": "held"}
_STARTS = frozenset({"accept", "assign", "escalate", "resume"})
_LEAVES = frozenset({"recover", "verify", "close", "correct", "vendor"})
"""changes of what was answered before"""
MAINTENANCE = "maintenance"
"""ended_by of what begins anew when the maintenance is over, unless somebody answers meanwhile"""
_GOES_ON_AFTER = frozenset({"acknowledged", "held", "resolved"})


def start(db: Session, incident: Incident, now: datetime, policy_id: int | None = None) -> bool:
    """Begin to page for the incident, in the transaction that opened or reopened it; True when somebody is asked.

    By the policy `policy_id`, else that of its integration, its service, its team. Without any, those who answer for
    it are told. One that runs by the same policy goes on. What somebody works on already is for them to answer, unless
    they cannot be reached.
    """
    if incident.state == "in_progress":
        if repaging.remind(db, incident, now):
            return True
    elif incident.state not in UNANSWERED:
        return False
    db.flush()  # what is asked below sees all that the caller has written
    policy = queries.policy_of(db, incident, policy_id)
    if policy is not None and incident.state == "in_progress":
        repaging.give_back(db, incident, "who has it cannot be reached", now)
    running = _running(db, incident)
    if policy is None:
        if running is None:
            _tell_without(db, incident, now)
        return running is not None
    if running is not None and running.policy_id == policy.id:
        return True
    if running is not None:
        _end(db, incident, running, now, "handed_over", "It was handed over.")
    begin(db, incident, policy, now)
    return True


def begin(db: Session, incident: Incident, policy: EscalationPolicy, now: datetime) -> None:
    """Copy the policy and fire its first step."""
    row = db.get(Escalation, incident.id) or Escalation(incident_id=incident.id)
    row.policy_id = policy.id
    row.policy = {
        "name": policy.name,
        "steps": policy.steps,
        "repeats": policy.repeats,
        "acknowledge_seconds": policy.acknowledge_seconds,
    }
    row.position = row.pages = 0
    row.began_at, row.ended_at, row.ended_by = now, None, ""
    db.add(row)
    db.flush()
    _give(db, incident, policy, now)
    fire(db, incident, now)


def _give(db: Session, incident: Incident, policy: EscalationPolicy, now: datetime) -> None:
    """Assign what nobody has to whoever is on call, when its team runs what it builds."""
    if incident.state != "assigned" or incident.assignee_id is not None or not _is_devops(db, incident.team_id):
        return
    person_id = queries.first_on_call(db, policy, now)
    if person_id is not None:
        incident.assignee_id = person_id
        name = queries.called(db, {person_id: ""})[person_id]
        changes = {"assignee_id": [None, person_id]}
        told = f"assigned it to {name}, who is on call"
        timeline.add(db, incident, SYSTEM, now, "assign", told, changes=changes, versioned=False)


def on_call(db: Session, incident: Incident, changes: Mapping[str, Any], now: datetime) -> int | None:
    """Who gets an incident that comes to a team which runs what it builds; None where no policy says."""
    team_id = changes.get("team_id")
    if team_id is None or not _is_devops(db, team_id):
        return None
    service_id = changes.get("service_id", incident.service_id)
    service = db.get(Service, service_id) if service_id is not None else None
    ids = [service.escalation_policy_id] if service is not None and service.team_id == team_id else []
    for policy_id in (*ids, db.get_one(Team, team_id).escalation_policy_id):
        policy = db.get(EscalationPolicy, policy_id) if policy_id is not None else None
        if policy is not None and policy.archived_at is None:
            return queries.first_on_call(db, policy, now)
    return None


def fire(db: Session, incident: Incident, now: datetime) -> None:
    """Ask the next step now. One that reaches nobody is followed at once by the next, and those who lead are told.

    When a whole round of steps has reached nobody at this moment, the steps have run out: another would ask the same.
    """
    row = _running(db, incident)
    if row is None or incident.state not in UNANSWERED:
        timers.drop(db, incident.id, STEP)
        return
    policy = Policy.from_dict(row.policy)
    missed: list[str] = []
    for _ in policy.steps:
        step = step_at(policy, row.position)
        if step is None:
            break
        index = row.position % len(policy.steps)
        last = row.position + 1 == policy.length
        more = "" if last else f"Acknowledge it, or the next is asked in {exact(step.delay)}."
        asked = calling.ask(db, incident, step.targets, step=index, more=more, now=now)
        row.position += 1
        row.pages += asked.pages
        if asked.reached:
            timers.put(db, incident.id, STEP, asked.begins_at + timedelta(seconds=step.delay))
            if missed:
                _tell(db, incident, "a step reached nobody", missed, responsible(db, incident), now)
            return
        missed += [f"Step {index + 1}: {', '.join(asked.missed)}."]
    _run_out(db, incident, row, missed, now)


def _run_out(db: Session, incident: Incident, row: Escalation, missed: list[str], now: datetime) -> None:
    _close(db, incident, row, now, "exhausted")
    told = f"nobody has answered: the steps of {row.policy['name']} have run out"
    timeline.add(db, incident, SYSTEM, now, "page", told, versioned=False)
    people = {*responsible(db, incident), *queries.desk(db, incident)}
    _tell(db, incident, "nobody has answered", missed or ["All steps have been asked."], people, now)
    team_news.unanswered(db, incident, "Nobody has answered. All steps have been asked.", now)


def _tell_without(db: Session, incident: Incident, now: datetime) -> None:
    why = ["Neither its service nor its team has an escalation policy."]
    _tell(db, incident, "pages nobody", why, responsible(db, incident) or queries.desk(db, incident), now)
    team_news.unanswered(db, incident, f"It pages nobody. {why[0]}", now)


def _tell(db: Session, incident: Incident, what: str, lines: list[str], people: Collection[int], now: datetime) -> None:
    subject = f"{incident.number} {what}: {incident.title}"
    notices.tell(db, people, "escalation", subject, "\n".join(lines), incident=incident, now=now)


def stop(
    db: Session, incident: Incident, now: datetime, by: str, why: str = "Somebody has answered."
) -> Escalation | None:
    """End the running escalation and let its waiting pages not leave; None when none runs. `by`: Escalation.ended_by"""
    row = _running(db, incident)
    if row is not None:
        _end(db, incident, row, now, by, why)
    return row


def stop_for_services(db: Session, service_ids: Collection[int], now: datetime, window: str) -> int:
    """Stop what runs for these services, whose maintenance begins; how many there were."""
    statement = (
        select(Incident)
        .join(Escalation, Escalation.incident_id == Incident.id)
        .where(Incident.service_id.in_(sorted(service_ids)), Escalation.ended_at.is_(None))
        .order_by(Incident.id)
        .with_for_update(of=Incident)
    )
    stopped = 0
    for incident in db.scalars(statement).all():
        if stop(db, incident, now, MAINTENANCE, "Maintenance has begun.") is not None:
            told = f"stopped paging: maintenance has begun, {window}"
            timeline.add(db, incident, SYSTEM, now, "page", told, versioned=False)
            stopped += 1
    return stopped


def resume(db: Session, incident_id: int, now: datetime) -> bool:
    """Begin anew what maintenance stopped, now that none covers it; False when there is nothing to do.

    Whoever comes second waits for nobody: the incident is held by the first until it is done.
    """
    statement = (
        select(Incident, Escalation)
        .join(Escalation, Escalation.incident_id == Incident.id)
        .where(Incident.id == incident_id, Escalation.ended_by == MAINTENANCE, Incident.state.in_(UNANSWERED))
        .with_for_update(of=(Incident, Escalation), skip_locked=True)
    )
    found = db.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None or maintenance.covers(db, found[0].service_id, now) is not None:
        return False
    incident, row = found
    timeline.add(db, incident, SYSTEM, now, "page", "began to page again: the maintenance is over", versioned=False)
    row.ended_by = "exhausted"  # as it stays when there is no policy any more, which start() tells
    start(db, incident, now, row.policy_id)
    return True


def follow(
    db: Session, incident: Incident, kind: str, before: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    """Keep the escalation in step with a change of the incident that was just written.

    `before` holds what the changed fields were. Whoever acts for the app begins to page itself, by start().
    """
    if kind in _LEAVES or (kind == "prioritise" and "priority" not in before):
        return
    row = db.get(Escalation, incident.id)
    paused = row is not None and row.ended_by == MAINTENANCE
    running = row if row is not None and (row.ended_at is None or paused) else None
    if incident.state not in UNANSWERED:
        if running is not None:
            _end(db, incident, running, now, _BY.get(kind, "resolved"), "Somebody has answered.")
        if row is not None:
            repaging.watch(db, incident, row, now)
        if kind == "prioritise" and incident.state in _AT_WORK:
            _worsened(db, incident, before["priority"], actor, now)
        return
    if row is not None:
        timers.drop(db, incident.id, AGAIN)
    handed = before.get("team_id", incident.team_id) != incident.team_id
    if handed and running is not None:
        _end(db, incident, running, now, "handed_over", "It was handed over.")
        running = None
    if kind in ("undo", "unmerge") and not handed:
        if row is not None and running is None and row.ended_by in _GOES_ON_AFTER:
            _go_on(db, incident, row, now)
        return
    was, level = before.get("priority", incident.priority), incident.priority
    if running is not None and not paused:
        if paging.is_louder(was, level):
            _ask_anew(db, incident, running, now)
        return
    raised = level in (1, 2) and was not in (1, 2)
    taken = kind in _STARTS and (handed or row is None) and actor is not SYSTEM
    resumed = kind == "resume"
    again = kind == "undo" and handed and row is not None and incident.team_id is not None
    if (taken or resumed or raised or again) and _pages(db, incident):
        policy = queries.policy_of(db, incident)
        if policy is not None:
            begin(db, incident, policy, now)
        elif handed and row is not None:
            _tell_without(db, incident, now)


def _worsened(db: Session, incident: Incident, was: int | None, actor: Actor, now: datetime) -> None:
    """Whoever has it hears that it has become more urgent, unless they said so; one who cannot be reached loses it.

    What monitoring says is always told. What people decide is when it reaches further than the priority before, and a
    policy pages for it.
    """
    level = incident.priority
    rises = level is not None and was is not None and level < was
    if not (rises and (actor is SYSTEM or paging.is_louder(was, level)) and actor.id != incident.assignee_id):
        return
    policy = queries.policy_of(db, incident)
    if policy is None and actor is not SYSTEM:
        return
    if repaging.remind(db, incident, now, repaging.WORSE):
        return
    if policy is None:
        _tell_without(db, incident, now)
        return
    repaging.give_back(db, incident, "it has become worse, and who has it cannot be reached", now)
    begin(db, incident, policy, now)


def _ask_anew(db: Session, incident: Incident, row: Escalation, now: datetime) -> None:
    """It has become more urgent: the present step is asked again, as the new priority reaches people.

    What waits for the morning leaves at once (outbox.page), and the next step follows from now on.
    """
    row.position = max(row.position - 1, 0)
    fire(db, incident, now)


def _pages(db: Session, incident: Incident) -> bool:
    """Whether somebody is asked: for alerts; once a team has it, for P1, P2 and whatever it builds and runs itself."""
    if incident.source == "alert":
        return True
    return incident.state == "assigned" and (incident.priority in (1, 2) or _is_devops(db, incident.team_id))


def _is_devops(db: Session, team_id: int | None) -> bool:
    team = db.get(Team, team_id) if team_id is not None else None
    return team is not None and team.way == "devops"


def _go_on(db: Session, incident: Incident, row: Escalation, now: datetime) -> None:
    """The answer was taken back: the next step fires when it would have."""
    row.ended_at, row.ended_by = None, ""
    policy = Policy.from_dict(row.policy)
    step = policy.steps[(row.position - 1) % len(policy.steps)]
    last = queries.last_page_at(db, incident.id, row.began_at) or now
    timers.put(db, incident.id, STEP, max(now, last + timedelta(seconds=step.delay)))


def _running(db: Session, incident: Incident) -> Escalation | None:
    row = db.get(Escalation, incident.id)
    return row if row is not None and row.ended_at is None else None


def _end(db: Session, incident: Incident, row: Escalation, now: datetime, by: str, why: str) -> None:
    _close(db, incident, row, now, by)
    outbox.stop_pages(db, incident.id, now, why)


def _close(db: Session, incident: Incident, row: Escalation, now: datetime, by: str) -> None:
    row.ended_at, row.ended_by = now, by
    timers.drop(db, incident.id, STEP)


def fire_timer(db: Session, timer: Timer, incident: Incident, now: datetime) -> None:
    """A timer of timers.PAGING fell due; whoever calls has locked it and the incident."""
    timer.fired_at = now
    if timer.kind == STEP:
        fire(db, incident, now)
    elif repaging.again(db, incident, now):
        policy = queries.policy_of(db, incident)
        if policy is not None:
            begin(db, incident, policy, now)
        else:
            _tell_without(db, incident, now)


def mend_times(db: Session, now: datetime) -> int:
    """Bring back what a clock, set back since, has put too far ahead: nothing waits longer than it may; how many."""
    statement = (
        select(Timer, Escalation, Incident.priority)
        .join(Escalation, Escalation.incident_id == Timer.incident_id)
        .join(Incident, Incident.id == Timer.incident_id)
        .where(Timer.kind.in_(timers.PAGING), Timer.fired_at.is_(None))
        .with_for_update(of=Timer, skip_locked=True)
    )
    mended = 0
    for timer, row, priority in db.execute(statement):
        longest = _longest_wait(timer, row, priority)
        if longest is not None and timer.due_at > now + longest:
            timer.due_at = now + longest
            mended += 1
    return mended


def _longest_wait(timer: Timer, row: Escalation, priority: int | None) -> timedelta | None:
    if timer.kind == AGAIN:
        timeout = acknowledge_timeout(row.policy["acknowledge_seconds"], priority)
        return timedelta(seconds=timeout) if timeout is not None else None
    steps = row.policy["steps"]
    delay = timedelta(seconds=steps[(row.position - 1) % len(steps)]["delay"])
    return delay if paging.may_wake(priority) else delay + _NIGHT


def pass_on(db: Session, incident: Incident, now: datetime) -> None:
    """Ask the next step at once when no page of the last one can arrive any more; whoever calls holds the incident."""
    row = _running(db, incident)
    if row is not None and not queries.may_arrive(db, incident.id, row.began_at):
        fire(db, incident, now)
