"""Incidents for programs: listed, reported, read, changed, and moved along their lifecycle by its named actions."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from api import calls, cursors, incident_shapes
from api.calls import answer
from api.descriptions import CURSOR, KEY, LIMIT, MOST, USUAL, asked, changed, query
from api.incident_shapes import INCIDENT, LISTED, address, page_of
from api.shapes import (
    FLAG,
    INSTANT,
    VERSION,
    Kind,
    Shape,
    choice,
    moment,
    reference,
    whole,
    words,
)
from db.commands import checks
from db.commands import incidents as commands
from db.commands.handover import CONTACT_LIMIT, REFERENCE_LIMIT
from db.models import Incident
from db.queries import incident_pages, incidents, references
from rules import states, text
from rules.access import Actor, NotFound
from rules.callers import PROGRAM, SOURCES
from rules.errors import RuleError
from rules.priority import EFFECTS, SCOPES

READS = frozenset({"read", "report"})
"""actions that open an incident: 'report' only what the token itself reported"""
KEY_LIMIT = 200
Number = Annotated[str, Path(description="The incident's number, such as INC-000042.")]

TRIAGE = {
    "title": words(checks.TITLE_LIMIT),
    "affected": words(checks.TITLE_LIMIT),
    "service": reference("service", empties=True),
    "category": reference("category", empties=True).described("'Hardware', or 'Hardware › Printer'."),
    "impact": whole(1, 3, empties=True).described("1 high to 3 low."),
    "urgency": whole(1, 3, empties=True).described("1 high to 3 low; with impact, it makes the priority."),
    "people_affected": whole(0, checks.MAX_PEOPLE, empties=True),
    "security": FLAG,
    "compliance": FLAG,
    "financial": FLAG,
}
REPORT = Shape(
    {
        "title": words(checks.TITLE_LIMIT).described("What is wrong."),
        "description": words(checks.TEXT_LIMIT),
        "service": reference("service"),
        "affected": words(checks.TITLE_LIMIT).described("What or where is affected, when no service fits."),
        "scope": choice(*SCOPES).described("Who is affected."),
        "effect": choice(*EFFECTS).described("Whether they can still work: some trouble, only partly, stopped."),
        "started_at": INSTANT,
        "reporter": reference("person").described("For whom it is reported; they follow it and are asked."),
        "caller_name": words(checks.TITLE_LIMIT).described("For whom, when they have no account."),
        "caller_contact": words(checks.TITLE_LIMIT).described("How they are reached."),
        "source": choice(PROGRAM, *SOURCES).described("How they made it known."),
    },
    ("title",),
)
_VERSION = "Give the version that you read, so that nobody's change is lost."
PATCH = Shape({"version": VERSION, **TRIAGE}, ("version",), {"version": _VERSION})

_REASON = {"reason": words(checks.TEXT_LIMIT)}
_READ_FIRST = {"summary_read": FLAG.described("What was handed over has been read.")}
_GIVING = {
    "team": reference("team"),
    "assignee": reference("person"),
    "vendor_contact": words(CONTACT_LIMIT),
    "vendor_reference": words(REFERENCE_LIMIT),
}
_NOTE = words(checks.TEXT_LIMIT)
_FIELDS: Mapping[str, Mapping[str, Kind]] = {
    "accept": {**TRIAGE, **_GIVING},
    "assign": {**TRIAGE, **_GIVING, **_REASON},
    "acknowledge": {
        **TRIAGE,
        "assignee": reference("person").described("Who has it, where nobody has: a program answers no calls."),
        **_READ_FIRST,
    },
    "hold": {"hold_reason": choice(*states.HOLD_REASONS), "hold_until": INSTANT, "hold_note": _NOTE},
    "resume": _READ_FIRST,
    "escalate": {**_GIVING, **_REASON},
    "resolve": {
        **TRIAGE,
        "resolution_code": choice(*states.RESOLUTION_CODES),
        "resolution_note": _NOTE,
        **_READ_FIRST,
    },
    "recover": {},
    "verify": {"answered_by": words(checks.TITLE_LIMIT), "verification_note": _NOTE},
    "reject": _REASON,
    "close": {"verification": choice(*states.VERIFICATIONS), "verification_note": _NOTE},
    "reopen": _REASON,
    "cancel": _REASON,
    "merge": {"into": reference("incident").described("The number of the incident that goes on.")},
    "unmerge": {},
}
"""action -> what it takes beside the version; what it needs is in rules.states"""
_KEPT = frozenset({"hold"})
"""actions that need not be given again what the incident has"""

router = APIRouter()


def _action(name: str) -> Shape:
    needed = () if name in _KEPT else states.ACTIONS[name].asks
    needed = tuple(calls.NAMES.get(field, field) for field in needed)
    return Shape({"version": VERSION, **_FIELDS[name]}, ("version", *needed), {"version": _VERSION})


ACTIONS = {name: _action(name) for name in states.ACTIONS}


def identified(db: Session, shape: Shape, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, in the words of the commands: ids for what was named."""
    ids = references.found(db, shape.names(given))
    return {calls.COLUMNS.get(name, name): ids.get(name, value) for name, value in given.items()}


def detail_of(db: Session, actor: Actor, number: str) -> incidents.Detail:
    """The incident. NotFound when there is none, or it is not open to who asks."""
    return incidents.by_number(db, actor, spelled(number))


def spelled(number: str) -> str:
    """A number that a database can look for."""
    if text.line(number, "number", calls.BODY_LIMIT) != " ".join(number.split()):
        raise NotFound("There is no such incident, or it is not open to you.")
    return number


def once(request: Request, actor: Actor, what: str) -> str | None:
    """What a call's Idempotency-Key is kept as: nobody meets the key of another."""
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > KEY_LIMIT:
        raise RuleError(f"Shorten the Idempotency-Key to {KEY_LIMIT} characters.", field="Idempotency-Key")
    return hashlib.sha256(f"api:{what}:{actor.id}:{key}".encode()).hexdigest() if key else None


def limit_of(request: Request) -> int:
    """How many are wanted on a page."""
    given = request.query_params.get("limit", str(USUAL))
    if not (given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= MOST):
        raise RuleError(f"Give a limit from 1 to {MOST}.", field="limit")
    return int(given)


def _shown(db: Session, actor: Actor, incident: Incident, status: int = 200) -> Response:
    told = incident_shapes.incident(incidents.of(db, actor, incident), inside=incidents.works_on(actor))
    return answer(told, status, {"location": address(incident.number)} if status == 201 else None)


_OPEN = {"open": tuple(state for state in states.STATES if state in states.OPEN)}


def _wanted(db: Session, asked_for: Mapping[str, str]) -> incident_pages.Wanted:
    """What the address asks for. RuleError names every parameter that cannot be meant."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}

    def take(name: str, into: str, read: Callable[[str], Any]) -> None:
        if name in asked_for:
            try:
                found[into] = read(asked_for[name])
            except RuleError as error:
                wrong[name] = error.sentence

    take("sort", "sort", choice(*incident_pages.SORTS).read)
    take("state", "states", _states)
    take("q", "text", lambda value: text.line(value, "q", checks.TITLE_LIMIT))
    take("priority", "priority", lambda value: whole(1, 5).read(_number(value)))
    take("changed_since", "changed_since", lambda value: moment(value.replace(" ", "+")))
    for name in ("team", "service"):
        take(name, f"{name}_id", partial(_id, db, name))
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if found.get("sort") == "rank":
        found.setdefault("states", _OPEN["open"])
    return incident_pages.Wanted(**found)


def _states(written: str) -> tuple[str, ...]:
    chosen: dict[str, None] = {}
    for state in written.split(","):
        if state not in states.STATES and state not in _OPEN:
            raise RuleError(f"Choose states among open, {', '.join(states.STATES)}; several with commas between.")
        chosen |= dict.fromkeys(_OPEN.get(state, (state,)))
    return tuple(state for state in states.STATES if state in chosen)


def _number(written: str) -> int | str:
    """The number that it is, or what was written."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 11 else written


def _id(db: Session, kind: str, written: str) -> int:
    name = reference(kind).read(_number(written))
    return references.found(db, {kind: (kind, name)})[kind]


_PLACES = {"rank": "nttn"} | dict.fromkeys(("reported", "-reported", "changed", "-changed"), "tn")


def _page(request: Request, db: Session, actor: Actor, _now: datetime) -> Response:
    wanted, limit, inside = _wanted(db, request.query_params), limit_of(request), incidents.works_on(actor)
    if not inside and wanted.priority is not None:  # it is not shown to them, and would be found out so
        raise RuleError("Priorities are for those who work on incidents. Leave it out.", field="priority")
    cursor = request.query_params.get("cursor")
    after = cursors.read(f"incidents {wanted}", cursor, _PLACES[wanted.sort]) if cursor else None
    lines, place = incident_pages.page(db, actor, wanted, limit, after)
    return answer(
        {
            "incidents": [incident_shapes.listed(line, inside=inside) for line in lines],
            "next": cursors.write(f"incidents {wanted}", place) if place else None,
        }
    )


_NAMED = {"type": "string", "minLength": 1}
_PARAMETERS = (
    query("state", _NAMED, "One or several, with commas between; 'open' stands for those that wait for a fix."),
    query(
        "sort",
        {"type": "string", "enum": list(incident_pages.SORTS), "default": "-reported"},
        "A minus: the newest first. 'rank' is the order to work in, of what is open.",
    ),
    query("q", {"type": "string", "maxLength": checks.TITLE_LIMIT}, "Words, names or a number, as in the search."),
    query("team", _NAMED, "By name or id."),
    query("service", _NAMED, "By name or id."),
    query("priority", {"type": "integer", "minimum": 1, "maximum": 5}, "For those who work on incidents."),
    query("changed_since", {"type": "string", "format": "date-time"}, "With sort=changed, what is new since a call."),
    LIMIT,
    CURSOR,
)


@router.get("/v1/incidents", **asked("List incidents", page_of("incidents", LISTED), _PARAMETERS))
async def browse(request: Request) -> Response:
    """The incidents open to who asks, a page at a time."""
    return await calls.read(request, partial(_page, request), opened_by=frozenset({"browse"}))


@router.post("/v1/incidents", **changed("Report an incident", REPORT, INCIDENT, status=201, parameters=[KEY]))
async def report(request: Request) -> Response:
    """A new incident, reported by the program itself, or for somebody else."""

    def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
        made = commands.report(
            db, **_reported(db, given), form_token=once(request, actor, "incident"), actor=actor, now=now
        )
        return _shown(db, actor, made, 201)

    return await calls.change(request, REPORT, work, opened_by=frozenset({"report"}))


def _reported(db: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    values = identified(db, REPORT, given)
    person, name, contact = (values.pop(field, None) for field in ("reporter", "caller_name", "caller_contact"))
    source = values.pop("source", PROGRAM)
    values.setdefault("title", "")
    if person is not None or name or contact:
        return values | {"caller": checks.Caller(person, name or "", contact or "", source)}
    if source != PROGRAM:
        raise RuleError("Say for whom: give reporter, or caller_name and caller_contact.", field="reporter")
    return values | {"source": PROGRAM}


@router.get("/v1/incidents/{number}", **asked("Read an incident", INCIDENT))
async def show(number: Number, request: Request) -> Response:
    """An incident with everything that its page shows, its version, and what may be done with it."""

    def work(db: Session, actor: Actor, _now: datetime) -> Response:
        detail = detail_of(db, actor, number)
        return answer(incident_shapes.incident(detail, inside=incidents.works_on(actor)))

    return await calls.read(request, work, opened_by=READS)


@router.patch("/v1/incidents/{number}", **changed("Change an incident", PATCH, INCIDENT))
async def change(number: Number, request: Request) -> Response:
    """Set what triage sets. Priority, due times and rank follow; null takes a value away."""

    def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
        id_ = references.incident_id(db, spelled(number))
        fields = identified(db, PATCH, given)
        done = commands.prioritise(db, id_, fields.pop("version"), fields, actor=actor, now=now)
        return _shown(db, actor, done)

    return await calls.change(request, PATCH, work, opened_by=READS)


def _route(name: str, shape: Shape) -> None:
    action = states.ACTIONS[name]

    async def take(number: Number, request: Request) -> Response:
        def work(db: Session, actor: Actor, now: datetime, given: dict[str, Any]) -> Response:
            id_ = references.incident_id(db, spelled(number))
            values = identified(db, shape, given)
            done = commands.perform(db, id_, values.pop("version"), name, values, actor=actor, now=now)
            return _shown(db, actor, done)

        return await calls.change(request, shape, work, opened_by=READS)

    moves = dict.fromkeys(f"{states.LABELS[a]} → {states.LABELS[b]}" for a, b in action.moves.items())
    router.add_api_route(
        f"/v1/incidents/{{number}}/{name}",
        take,
        methods=["POST"],
        name=name,
        description=f"{'; '.join(moves)}.",
        **changed(action.label, shape, INCIDENT),
    )


for _name, _shape in ACTIONS.items():
    _route(_name, _shape)
