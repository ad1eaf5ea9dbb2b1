"""Every action by every role in every state: taken, or refused with a sentence. Expected from the design's tables."""

import pytest

from db.commands import incidents
from db.engine import writing
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + 8 * HOUR
STATES = ("new", "assigned", "in_progress", "on_hold", "resolved", "recovered", "closed", "cancelled")
WORK = {"responder", "lead", "desk"}
TRIAGE = {"lead", "desk"}
TABLE = {
    # action: who may take it on somebody else's incident, {from: to}
    "accept": (TRIAGE, {"new": "assigned"}),
    "assign": (WORK, dict.fromkeys(("new", "assigned", "in_progress", "on_hold"), "assigned")),
    "acknowledge": (WORK, dict.fromkeys(("new", "assigned"), "in_progress")),
    "hold": (WORK, dict.fromkeys(("assigned", "in_progress", "on_hold"), "on_hold")),
    "resume": (WORK, {"on_hold": "in_progress"}),
    "escalate": (WORK, dict.fromkeys(("assigned", "in_progress", "on_hold"), "assigned")),
    "resolve": (WORK, dict.fromkeys(("new", "assigned", "in_progress", "on_hold"), "resolved")),
    "recover": (WORK, {"resolved": "recovered"}),
    "verify": (set(), {"recovered": "recovered"}),
    "reject": (WORK, {"assigned": "new", "resolved": "in_progress", "recovered": "in_progress"}),
    "close": ({"desk"}, {"recovered": "closed"}),
    "reopen": (
        WORK,
        {"resolved": "in_progress", "recovered": "in_progress", "closed": "in_progress", "cancelled": "new"},
    ),
    "cancel": (TRIAGE, dict.fromkeys(("new", "assigned", "in_progress", "on_hold"), "cancelled")),
    "merge": (TRIAGE, dict.fromkeys(("new", "assigned", "in_progress", "on_hold"), "cancelled")),
    "unmerge": (TRIAGE, {}),
}
"""unmerge is left to what was merged: a cancelled incident that was not is refused"""
DESK_ALONE = {("reject", "resolved"), ("reject", "recovered")}
"""where 'not fixed' is the reporter's word, and the desk's for them"""
PEOPLE = {"reporter": "Otto", "responder": "Sam", "lead": "Lena", "desk": "Dora", "manager": "Max", "admin": "Ada"}


class Undone(Exception):
    """Rolls a change back, so that the next one begins where this one began."""


@pytest.fixture
def office(engine):
    return Office(engine)


def given(office, action, survivor):
    known = {"reason": "Because.", "resolution_code": "fixed", "resolution_note": "Done.", **office.triage}
    known |= {"verification": "not_needed", "verification_note": "Seen on site.", "duplicate_of_id": survivor}
    asked = {
        "accept": (*office.triage,), "assign": ("team_id",),
        "resolve": ("resolution_code", "resolution_note"), "close": ("verification", "verification_note"),
        "merge": ("duplicate_of_id",), "reject": ("reason",), "reopen": ("reason",),
        "cancel": ("reason",),
    }  # fmt: skip
    if action == "escalate":  # to a team of a higher tier, with a summary of some use
        return {"team_id": office.teams["Portal"], "reason": "The switch is fine, the portal is not."}
    if action == "hold":
        return {"hold_reason": "vendor", "hold_until": NOW + 100 * HOUR}
    return {name: known[name] for name in asked.get(action, ())}


def take(office, number, action, who, survivor):
    """The state it leads to, undone again; or the refusal."""
    reached = []
    try:
        with writing(office.engine) as db:
            actor = office.people[who]
            if office.incident(number).category_pair_id is None and action in ("assign", "acknowledge", "resolve"):
                lead = office.people["Lena"]
                incidents.prioritise(db, number, None, {"category_pair_id": office.pair}, actor=lead, now=NOW)
            done = incidents.perform(db, number, None, action, given(office, action, survivor), actor=actor, now=NOW)
            reached.append(done.state)
            raise Undone
    except Undone:
        return reached[0]
    except RuleError as refusal:
        return refusal


@pytest.mark.parametrize("state", STATES)
def test_every_action_by_every_role_in(office, state):
    number, survivor = office.bring_to(state), office.report("The one that goes on")
    version = office.incident(number).version
    for action, (roles, moves) in TABLE.items():
        for role, who in PEOPLE.items():
            found = take(office, number, action, who, survivor)
            what = f"{action} by {role} while {state}: {found}"
            allowed = role in roles and not ((action, state) in DESK_ALONE and role != "desk")
            if allowed and state in moves:
                assert found == moves[state], what
            elif role == "reporter":
                assert isinstance(found, NotFound), what
                assert "no such incident" in found.sentence, what
            elif role not in roles:
                assert isinstance(found, NotFound if role == "admin" else Forbidden), what
                assert found.sentence.endswith("."), what
            elif allowed:
                assert type(found) is RuleError, what
                assert state.replace("_", " ") in found.sentence or "not merged" in found.sentence, what
            else:
                assert isinstance(found, Forbidden), what
                assert "only the reporter says" in found.sentence, what
    assert office.incident(number).version == version


@pytest.mark.parametrize("state", STATES)
def test_what_a_reporter_may_do_with_their_own(office, state):
    number, survivor = office.bring_to(state), office.report("The one that goes on")
    taken = {
        action: found for action in TABLE if isinstance(found := take(office, number, action, "Rita", survivor), str)
    }
    assert taken == {
        "resolved": {"reject": "in_progress"},
        "recovered": {"verify": "recovered", "reject": "in_progress"},
        "closed": {"reopen": "in_progress"},
    }.get(state, {})
