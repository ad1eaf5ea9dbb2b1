"""The lifecycle of an incident: one table of named actions that every screen, bulk edit and interface goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rules.errors import RuleError
from rules.verification import Patience, said_by

STATES = ("new", "assigned", "in_progress", "on_hold", "resolved", "recovered", "closed", "cancelled")
OPEN = frozenset({"new", "assigned", "in_progress", "on_hold"})
"""States in which work on the fix is still due; rank is the place among these."""
UNCLOSED = OPEN | {"resolved", "recovered"}

HOLD_REASONS = {
    "reporter": "Waiting for the reporter",
    "vendor": "Waiting for a vendor",
    "change": "Waiting for a change",
    "problem": "Waiting for a problem to be solved",
    "other": "Waiting for something else",
}
PAUSING_REASONS = frozenset({"reporter", "vendor", "change"})
"""Hold reasons that stop the resolution clock."""

RESOLUTION_CODES = {
    "fixed": "Fixed",
    "workaround": "Workaround in place",
    "configuration": "Configuration changed",
    "replaced": "Part or device replaced",
    "explained": "Explained to the reporter",
    "not_reproduced": "Could not be reproduced",
    "external": "Fixed by someone outside",
    "by_itself": "Ended by itself",
}
VERIFICATIONS = {
    "confirmed": "The reporter confirmed it",
    "no_answer": "The reporter did not answer",
    "not_needed": "Confirmation is not needed",
}
REOPEN_WINDOW = timedelta(days=14)
UNDO_WINDOW = timedelta(minutes=2)
UNDOABLE = frozenset(
    {"accept", "assign", "acknowledge", "hold", "resume", "cancel", "merge", "reject", "pin", "prioritise"}
)
"""Changes that whoever made them may take back within UNDO_WINDOW, as long as they are the newest."""
MAX_HOLD = timedelta(days=366)


@dataclass(frozen=True)
class Action:
    """One named action: where it may start, where it leads, and what it needs."""

    name: str
    label: str
    moves: Mapping[str, str]
    """from state -> to state"""
    needs: tuple[str, ...] = ()
    """fields that must be known (given with the action, or on the incident already)"""
    asks: tuple[str, ...] = ()
    """fields that must be given with this very action"""
    clears: tuple[str, ...] = field(default=())


_TRIAGED = ("category_pair_id", "priority")
_UNDONE = (
    "resolved_at",
    "recovered_at",
    "reminded_at",
    "verified_at",
    "closed_at",
    "verification",
    "verification_note",
)
_PATIENCE = Patience()


def _all_to(target: str, *states: str) -> dict[str, str]:
    return dict.fromkeys(states, target)


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("accept", "Accept and assign", {"new": "assigned"}, (*_TRIAGED, "team_id")),
        Action(
            "assign",
            "Assign",
            _all_to("assigned", "new", "assigned", "in_progress", "on_hold"),
            (*_TRIAGED, "team_id"),
        ),
        Action("acknowledge", "Start work", _all_to("in_progress", "new", "assigned"), _TRIAGED),
        Action(
            "hold",
            "Put on hold",
            _all_to("on_hold", "assigned", "in_progress", "on_hold"),
            (),
            ("hold_reason", "hold_until"),
        ),
        Action("resume", "Resume work", {"on_hold": "in_progress"}),
        Action(
            "escalate",
            "Escalate",
            _all_to("assigned", "assigned", "in_progress", "on_hold"),
            (),
            ("team_id", "reason"),
        ),
        Action(
            "resolve",
            "Resolve",
            _all_to("resolved", "new", "assigned", "in_progress", "on_hold"),
            _TRIAGED,
            ("resolution_code", "resolution_note"),
        ),
        Action("recover", "Service is restored", {"resolved": "recovered"}),
        Action("verify", "Confirm it is fixed", {"recovered": "recovered"}),
        Action(
            "reject",
            "Not fixed yet",
            {"assigned": "new", "resolved": "in_progress", "recovered": "in_progress"},
            (),
            ("reason",),
        ),
        Action("close", "Close", {"recovered": "closed"}, ("verification",)),
        Action(
            "reopen",
            "Reopen",
            {"resolved": "in_progress", "recovered": "in_progress", "closed": "in_progress", "cancelled": "new"},
            (),
            ("reason",),
        ),
        Action(
            "cancel",
            "Cancel",
            _all_to("cancelled", "new", "assigned", "in_progress", "on_hold"),
            (),
            ("reason",),
        ),
        Action(
            "merge",
            "Merge into another",
            _all_to("cancelled", "new", "assigned", "in_progress", "on_hold"),
            (),
            ("duplicate_of_id",),
        ),
        Action("unmerge", "Undo the merge", {"cancelled": "new"}),
    )
}

LABELS = {
    "new": "New",
    "assigned": "Assigned",
    "in_progress": "In progress",
    "on_hold": "On hold",
    "resolved": "Resolved",
    "recovered": "Recovered",
    "closed": "Closed",
    "cancelled": "Cancelled",
}

_ASK = {
    "category_pair_id": "Choose a category",
    "priority": "Choose impact and urgency",
    "team_id": "Choose a team",
    "hold_reason": "Say what it is waiting for",
    "hold_until": "Choose the day to look at it again",
    "resolution_code": "Choose how it was resolved",
    "resolution_note": "Describe what was done",
    "verification": "Say whether the reporter confirmed it",
    "reason": "Say why",
    "duplicate_of_id": "Choose the incident it repeats",
}


def target(state: str, action: str) -> str:
    """The state that `action` leads to from `state`; RuleError when it may not be taken there."""
    known = ACTIONS.get(action)
    if known is None:
        raise RuleError(f"There is no action called '{action}'.")
    if state not in known.moves:
        raise RuleError(f"'{known.label}' cannot be done while the incident is {LABELS.get(state, state).lower()}.")
    return known.moves[state]


_BY_HAND = ("accept", "acknowledge", "resume", "hold", "resolve", "recover", "reopen", "assign", "reject")


def between(state: str, to: str) -> str | None:
    """The action that moves an incident from `state` to `to` when its card is moved by hand; None when none does."""
    return next((name for name in _BY_HAND if ACTIONS[name].moves.get(state) == to != state), None)


def possible(state: str) -> tuple[str, ...]:
    """Names of the actions that may start in `state`, in table order."""
    return tuple(name for name, action in ACTIONS.items() if state in action.moves)


def missing(incident: Mapping[str, Any], action: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Field -> sentence for everything `action` still needs. `incident` holds the present values by field name.

    What is on hold already keeps the reason or the day that is not given with another hold.
    """
    known = ACTIONS[action]
    lacking: dict[str, str] = {}
    for name in known.needs:
        if given.get(name, incident.get(name)) in (None, ""):
            lacking[name] = f"{_ASK[name]}."
    kept = _held(incident) if action == "hold" else {}
    for name in known.asks:
        if given.get(name, kept.get(name)) in (None, ""):
            lacking[name] = f"{_ASK[name]}."
    return lacking


def _held(incident: Mapping[str, Any]) -> dict[str, Any]:
    """What it waits for and until when, while it does."""
    if incident.get("state") != "on_hold":
        return {}
    return {name: incident.get(name) for name in ("hold_reason", "hold_until")}


def apply(
    incident: Mapping[str, Any],
    action: str,
    given: Mapping[str, Any],
    now: datetime,
    *,
    patience: Patience = _PATIENCE,
    for_reporter: bool = False,
) -> dict[str, Any]:
    """What `action` changes: field -> new value, moments included. RuleError (with `fields`) when it may not be done.

    `incident` maps field names to present values; `given` holds what came with the action. `patience` says how long the
    reporter's answer is waited for; `for_reporter` that somebody else writes down what the reporter answered.
    """
    state = str(incident["state"])
    to = target(state, action)
    lacking = missing(incident, action, given)
    if lacking:
        first = next(iter(lacking))
        raise RuleError(" ".join(lacking.values()), field=first, fields=lacking)
    changes: dict[str, Any] = {"state": to}
    if action == "reopen" and state == "closed":
        closed = incident.get("closed_at")
        if closed is not None and now - closed > REOPEN_WINDOW:
            raise RuleError("It was closed more than 14 days ago. Report a new incident and link this one.")
    if action in ("accept", "assign", "escalate"):
        changes["team_id"] = given.get("team_id", incident.get("team_id"))
        changes["assignee_id"] = given.get("assignee_id")
        if action == "escalate":
            changes["escalations"] = int(incident.get("escalations") or 0) + 1
    elif action == "acknowledge" or action == "resume":
        changes["acknowledged_at"] = incident.get("acknowledged_at") or now
    elif action == "hold":
        changes |= _hold(incident, given, now)
    elif action == "resolve":
        if given["resolution_code"] not in RESOLUTION_CODES:
            raise RuleError("Choose how it was resolved from the list.", field="resolution_code")
        changes["resolution_code"] = given["resolution_code"]
        changes["resolution_note"] = given["resolution_note"]
        changes["resolved_at"] = now
    elif action == "recover":
        changes["recovered_at"] = now
    elif action == "verify":
        changes |= {"verified_at": now, "verification": "confirmed", "verification_note": None}
        if for_reporter:
            changes["verification_note"] = _said(given)
    elif action == "close":
        changes |= _closing(incident, given, now, patience)
    elif action == "cancel":
        changes["cancelled_at"] = now
    elif action == "merge":
        if given["duplicate_of_id"] == incident.get("id"):
            raise RuleError("Choose another incident: one cannot be merged into itself.", field="duplicate_of_id")
        changes |= {"cancelled_at": now, "duplicate_of_id": given["duplicate_of_id"]}
    elif action == "unmerge" and incident.get("duplicate_of_id") is None:
        raise RuleError("It was not merged. Reopen it instead.")
    if state == "on_hold" and to != "on_hold":
        changes |= {"hold_reason": None, "hold_until": None}
    if action in ("reopen", "reject") and state in ("resolved", "recovered", "closed"):
        changes |= dict.fromkeys(_UNDONE) | {"reopen_count": int(incident.get("reopen_count") or 0) + 1}
    if action == "reject" and state == "assigned":
        changes |= {"team_id": None, "assignee_id": None}
    if state == "cancelled":
        changes |= {"cancelled_at": None, "duplicate_of_id": None}
    return changes


def _hold(incident: Mapping[str, Any], given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    held = _held(incident)
    wanted = {name: given.get(name, held.get(name)) for name in ("hold_reason", "hold_until")}
    if wanted["hold_reason"] not in HOLD_REASONS:
        raise RuleError("Say what it is waiting for.", field="hold_reason")
    if wanted["hold_until"] <= now:
        raise RuleError("Choose a day in the future to look at it again.", field="hold_until")
    if wanted["hold_until"] - now > MAX_HOLD:
        raise RuleError("Choose a day within one year.", field="hold_until")
    if wanted == held:
        raise RuleError("It is on hold like this already. Choose another day or reason.", field="hold_until")
    return wanted


def _said(given: Mapping[str, Any]) -> str:
    who = " ".join(str(given.get("answered_by") or "").split())
    if not who:
        raise RuleError("Say who told you that it is fixed.", field="answered_by")
    return said_by(who, str(given.get("verification_note") or "").strip())


def _closing(
    incident: Mapping[str, Any], given: Mapping[str, Any], now: datetime, patience: Patience
) -> dict[str, Any]:
    verification = given.get("verification") or incident.get("verification")
    if verification not in VERIFICATIONS:
        raise RuleError("Say whether the reporter confirmed it.", field="verification")
    if verification == "confirmed" and incident.get("verification") != "confirmed":
        raise RuleError(
            "Only the reporter can confirm it. Choose 'did not answer' or 'not needed'.", field="verification"
        )
    if verification == "no_answer" and not incident.get("imported"):
        patience.check(incident.get("recovered_at"), incident.get("reminded_at"), now)
    note = given.get("verification_note") or incident.get("verification_note")
    if verification == "not_needed" and not note:
        raise RuleError("Say why confirmation is not needed.", field="verification_note")
    return {"verification": verification, "verification_note": note, "closed_at": now}
