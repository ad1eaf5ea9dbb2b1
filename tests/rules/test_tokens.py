"""What scopes open: no more than their words say."""

import pytest

from rules import access, tokens
from rules.access import Actor, Forbidden, NotFound, Record, may
from rules.errors import RuleError
from rules.states import ACTIONS

RECORD = Record(reporter_id=50, team_id=60)
_WORK = (
    "read browse report report_for assign acknowledge hold resume escalate resolve recover reject reopen note comment"
)
OPENED = {
    "incidents:read": "read browse",
    "incidents:report": "report",
    "incidents:write": _WORK,
    "incidents:triage": f"{_WORK} accept prioritise close cancel merge unmerge publish",
    "oncall:read": "on_call",
    "trends:read": "trends",
}


def program(*scopes, of=1):
    return Actor(of, "Script (token)", tokens.roles(scopes), only=tokens.actions(scopes))


@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_a_scope_opens_what_it_says(scope):
    opened = {action for action in access.TABLE if may(program(scope), action, RECORD)}
    assert opened == set(OPENED[scope].split())
    assert opened == tokens.SCOPES[scope].actions, "each is open by right of a role"


def test_scopes_add_up_and_do_not_multiply():
    both = program("trends:read", "incidents:report", "oncall:read")
    assert {action for action in access.TABLE if may(both, action, RECORD)} == {"trends", "report", "on_call"}


@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_a_restricted_incident_is_not_for_programs(scope):
    for record in (Record(1, 60, restricted=True), Record(50, 60, 1, restricted=True, named_ids=(1,))):
        for action in access.TABLE:
            assert may(program(scope), action, record) is False, action
            with pytest.raises((NotFound, Forbidden)):
                access.check(program(scope), action, record)


def test_a_program_confirms_only_what_it_may_close_or_reported():
    nobodys = Record(reporter_id=None, team_id=60)
    assert may(program("incidents:triage"), "verify", nobodys)
    assert not may(program("incidents:write"), "verify", nobodys)
    assert may(program("incidents:report"), "verify", Record(reporter_id=1, account=False))


def test_together_the_scopes_for_incidents_take_every_action_of_the_lifecycle():
    assert set(ACTIONS) - {"verify"} <= tokens.actions(["incidents:triage"])


def test_who_lacks_a_scope_is_told_which_is_needed():
    for action, scope in (("note", "write"), ("close", "triage"), ("cancel", "triage"), ("report", "report")):
        with pytest.raises(Forbidden, match=f"needs the scope incidents:{scope}"):
            access.check(program("incidents:read"), action, RECORD)
    with pytest.raises(Forbidden, match="No token is for this"):
        access.check(program("incidents:triage"), "people")


def test_scopes_are_checked():
    assert tokens.checked(["trends:read", "incidents:read", "trends:read"]) == ["incidents:read", "trends:read"]
    for wrong in (["all"], []):
        with pytest.raises(RuleError) as refused:
            tokens.checked(wrong)
        assert set(refused.value.fields) == {"scopes"}
    assert tokens.actions(["gone:since"]) == frozenset()
