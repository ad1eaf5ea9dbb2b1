"""Who may do what: one table of actions and roles, narrowed by the record. Commands and queries ask on every call."""

from collections.abc import Collection
from dataclasses import dataclass, field

from rules import tokens
from rules.errors import RuleError

ROLES = {
    "reporter": "Reports problems and follows them",
    "responder": "Works on incidents",
    "lead": "Triages and assigns",
    "desk": "Answers callers and closes",
    "manager": "Reads trends",
    "admin": "Sets up people and the app",
}


class Forbidden(RuleError):
    """The actor may not do this."""

    refused: tuple[int, str] | None = None
    """whom `check` refused what: (id of the actor, action)"""


class NotFound(RuleError):
    """There is no such thing, or it is not for this actor: both look alike on purpose."""

    refused: tuple[int, str] | None = None
    """as of Forbidden; None when there really is no such thing"""


@dataclass(frozen=True)
class Actor:
    """Who acts: a person with roles and teams. Everyone signed in is a reporter."""

    id: int
    name: str
    roles: frozenset[str] = frozenset()
    team_ids: frozenset[int] = frozenset()
    zone: str = "UTC"
    email: str | None = None
    keys: bool = True
    """one-key commands are on"""
    anonymous: bool = False
    """nobody is signed in: may report where that is allowed, and see the one incident whose tracking link they hold"""
    opens: int | None = None
    """id of the incident that an anonymous actor's tracking link opens"""
    only: frozenset[str] | None = None
    """the actions that a program's token is for (rules.tokens); None for people"""

    def has(self, *roles: str) -> bool:
        """True when the actor holds at least one of the roles."""
        return bool(self.roles.intersection(roles))


SYSTEM = Actor(0, "Incident Desk", frozenset({"admin", "desk", "lead", "responder", "manager"}))
"""The app itself: timers and imports. Never signed in."""


@dataclass(frozen=True)
class Record:
    """What of an incident decides access."""

    reporter_id: int | None = None
    team_id: int | None = None
    assignee_id: int | None = None
    restricted: bool = False
    named_ids: Collection[int] = field(default=())
    """followers and others named on it"""
    team_way: str = "itil"
    account: bool = True
    """whoever reported it has an account, and can be asked in the app"""
    denied: bool = False
    """the reporter said 'not fixed' and nothing has been done since"""
    id: int | None = None
    """of the incident"""


_OVER_IT = frozenset({"close", "cancel"})
"""what would end the reporter's 'not fixed' without work"""
_WORK = frozenset({"responder", "lead", "desk"})
_TRIAGE = frozenset({"lead", "desk"})
_EVERYONE = frozenset(ROLES)

TABLE: dict[str, frozenset[str]] = {
    # incidents: the named actions of the lifecycle
    "accept": _TRIAGE,
    "assign": _WORK,
    "acknowledge": _WORK,
    "hold": _WORK,
    "resume": _WORK,
    "escalate": _WORK,
    "resolve": _WORK,
    "recover": _WORK,
    "verify": frozenset(),
    "reject": _WORK,
    "remind": frozenset({"desk"}),
    "close": frozenset({"desk"}),
    "reopen": _WORK,
    "cancel": _TRIAGE,
    "merge": _TRIAGE,
    "unmerge": _TRIAGE,
    # incidents: everything else
    "report": _EVERYONE,
    "report_for": _WORK,
    "read": _WORK | {"manager"},
    "browse": _EVERYONE,
    "prioritise": _TRIAGE,
    "relate": _WORK,
    "correct": _TRIAGE,
    "pin": frozenset({"lead"}),
    "next_up": _WORK,
    "note": _WORK,
    "inform": _WORK,
    "declare": _WORK,
    "stand_down": _TRIAGE,
    "publish": _TRIAGE,
    "comment": _WORK,
    "follow": _EVERYONE,
    "attach": _WORK,
    "page": _WORK,
    # screens and collections
    "triage": _TRIAGE,
    "board": _WORK,
    "alerts": _WORK,
    "trends": frozenset({"lead", "desk", "manager", "admin"}),
    "trend_note": frozenset({"lead", "manager", "admin"}),
    "send_reports": frozenset({"lead", "manager", "admin"}),
    "on_call": _WORK | {"admin"},
    "swap": _WORK,
    "schedule": frozenset({"lead", "admin"}),
    "people": frozenset({"admin"}),
    "settings": frozenset({"admin"}),
    "status_page": frozenset({"admin"}),
    "integrations": frozenset({"admin"}),
    "tokens": frozenset({"admin"}),
    "import": frozenset({"admin"}),
    "deliveries": frozenset({"lead", "admin"}),
    "audit": frozenset({"admin"}),
    "escalation": _WORK | {"admin"},
    "escalation_edit": frozenset({"lead", "admin"}),
    "maintenance": frozenset({"lead", "desk", "admin"}),
    "runbooks": _WORK | {"admin"},
    "runbook_edit": frozenset({"lead", "admin"}),
    "problems": _WORK | {"manager", "admin"},
    "problem_edit": _WORK | {"manager"},
    "postmortems": _WORK | {"manager", "admin"},
    "postmortem_edit": _WORK | {"manager"},
}
_OWN = frozenset({"read", "verify", "reject", "reopen", "comment", "attach"})
"""what the reporter may do with an incident of their own"""
_TRACKED = frozenset({"read", "verify", "reject", "comment"})
"""what one who reported without an account may do with the incident that their link opens"""
_NAMED = frozenset({"read", "comment"})
"""what one who follows may do"""
_DEVOPS_OWN = frozenset(
    {"accept", "prioritise", "stand_down", "publish", "correct", "remind", "close", "cancel", "merge", "unmerge"}
)
"""what a responder may do with what their own devops team owns: you build it, you run it"""


def is_reporter(actor: Actor, record: Record) -> bool:
    """True when `actor` reported it: with an account, or without one and holding its tracking link."""
    if actor.anonymous:
        return actor.opens is not None and actor.opens == record.id
    return record.reporter_id == actor.id


def may(actor: Actor, action: str, record: Record | None = None) -> bool:
    """True when `actor` may do `action`, with `record` when it concerns one incident. KeyError if it is unknown."""
    by_role = bool(TABLE[action] & actor.roles) or "reporter" in TABLE[action]
    if actor.only is not None:
        by_role = by_role and action in actor.only
    if actor.anonymous:
        return action == "report" if record is None else action in _TRACKED and is_reporter(actor, record)
    if record is None:
        return by_role
    own = is_reporter(actor, record)
    named = actor.id in record.named_ids or record.assignee_id == actor.id
    member = record.team_id is not None and record.team_id in actor.team_ids
    if record.restricted and (not (own or named or member) or actor.only is not None) and actor is not SYSTEM:
        return False
    if action in _OVER_IT and record.denied:
        return False
    if by_role:
        return True
    if own and action in _OWN:
        return True
    if action == "verify" and not (record.account and record.reporter_id is not None):
        return may(actor, "close", record)  # who has no account is asked by those who close, who write the answer down
    if named and action in _NAMED:
        return True
    return member and record.team_way == "devops" and actor.has("responder") and action in _DEVOPS_OWN


def may_take(actor: Actor, action: str, record: Record, state: str) -> bool:
    """True when `actor` may take the lifecycle action on an incident in `state`.

    'reject' has two meanings: a team sends an assignment back, a reporter (or the desk for them) says 'not fixed'.
    What is closed a reporter may reopen; before that their word is 'reject'.
    """
    if action == "reopen" and is_reporter(actor, record) and not actor.roles & TABLE["reopen"]:
        return state == "closed"
    if action != "reject":
        return may(actor, action, record)
    if state == "assigned":
        return may(actor, "assign", record)
    return may(actor, "reject", record) and (is_reporter(actor, record) or actor.has("desk"))


def check(actor: Actor, action: str, record: Record | None = None) -> None:
    """Forbidden, with a sentence, unless `actor` may do `action`. What may not even be read is NotFound."""
    if may(actor, action, record):
        return
    refusal = _refusal(actor, action, record)
    refusal.refused = (actor.id, action)
    raise refusal


def _refusal(actor: Actor, action: str, record: Record | None) -> "Forbidden | NotFound":
    if record is not None and action != "read" and not may(actor, "read", record):
        return NotFound("There is no such incident, or it is not open to you.")
    if action == "read":
        return NotFound("There is no such incident, or it is not open to you.")
    if action in _OVER_IT and record is not None and record.denied:
        return Forbidden(f"The reporter said it is not fixed. Work on it again before you {action} it.")
    if actor.only is not None and action not in {*actor.only, "verify"}:
        scope = tokens.needed(action)
        return Forbidden(
            f"The token is not for this: it needs the scope {scope}." if scope else "No token is for this. Sign in."
        )
    if action == "close":
        return Forbidden("Only the service desk closes incidents. Ask the desk, or leave it recovered.")
    if action == "verify":
        return Forbidden("Only the person who reported it can confirm the fix.")
    if actor.anonymous:
        return Forbidden("Sign in to do this.")
    allowed = ", ".join(role for role in ROLES if role in TABLE[action]) or "nobody by role"
    return Forbidden(f"You may not do this ('{action}' is for: {allowed}). Ask an administrator for the role.")
