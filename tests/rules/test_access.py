"""Who may do what: every action by every role, then what the record adds and takes away."""

import pytest

from rules import access
from rules.access import SYSTEM, Actor, Forbidden, NotFound, Record, may, may_take

# Read from the design. An x where the role alone is enough, for an incident that is not one's own.
BY_ROLE = """
                 reporter  responder  lead  desk  manager  admin
    accept       .         .          x     x     .        .
    assign       .         x          x     x     .        .
    acknowledge  .         x          x     x     .        .
    hold         .         x          x     x     .        .
    resume       .         x          x     x     .        .
    escalate     .         x          x     x     .        .
    resolve      .         x          x     x     .        .
    recover      .         x          x     x     .        .
    verify       .         .          .     .     .        .
    reject       .         x          x     x     .        .
    remind       .         .          .     x     .        .
    close        .         .          .     x     .        .
    reopen       .         x          x     x     .        .
    cancel       .         .          x     x     .        .
    merge        .         .          x     x     .        .
    unmerge      .         .          x     x     .        .
    report       x         x          x     x     x        x
    report_for   .         x          x     x     .        .
    read         .         x          x     x     x        .
    browse       x         x          x     x     x        x
    prioritise   .         .          x     x     .        .
    relate       .         x          x     x     .        .
    correct      .         .          x     x     .        .
    pin          .         .          x     .     .        .
    next_up      .         x          x     x     .        .
    note         .         x          x     x     .        .
    inform       .         x          x     x     .        .
    declare      .         x          x     x     .        .
    stand_down   .         .          x     x     .        .
    publish      .         .          x     x     .        .
    comment      .         x          x     x     .        .
    follow       x         x          x     x     x        x
    attach       .         x          x     x     .        .
    page         .         x          x     x     .        .
    triage       .         .          x     x     .        .
    board        .         x          x     x     .        .
    alerts       .         x          x     x     .        .
    trends       .         .          x     x     x        x
    send_reports .         .          x     .     x        x
    on_call      .         x          x     x     .        x
    swap         .         x          x     x     .        .
    schedule     .         .          x     .     .        x
    people       .         .          .     .     .        x
    settings     .         .          .     .     .        x
    status_page  .         .          .     .     .        x
    integrations .         .          .     .     .        x
    tokens       .         .          .     .     .        x
    import       .         .          .     .     .        x
    deliveries   .         .          x     .     .        x
    audit        .         .          .     .     .        x
    escalation   .         x          x     x     .        x
    escalation_edit  .     .          x     .     .        x
    maintenance  .         .          x     x     .        x
    runbooks     .         x          x     x     .        x
    runbook_edit .         .          x     .     .        x
    trend_note   .         .          x     .     x        x
    problems     .         x          x     x     x        x
    problem_edit .         x          x     x     x        .
    postmortems  .         x          x     x     x        x
    postmortem_edit  .     x          x     x     x        .
"""
OWN = {"read", "verify", "reject", "reopen", "comment", "attach", "report", "follow", "browse"}
FOLLOWED = {"read", "comment", "report", "follow", "browse"}
DEVOPS = {"stand_down", "publish", "correct", "accept", "prioritise", "remind", "close", "cancel", "merge", "unmerge"}
RECORD = Record(reporter_id=50, team_id=60, assignee_id=70, named_ids=(80,))


def _rows():
    header, *lines = [line.split() for line in BY_ROLE.strip().splitlines()]
    return [(action, role, mark == "x") for action, *row in lines for role, mark in zip(header, row, strict=True)]


ACTIONS = sorted({action for action, _, _ in _rows()})


def _someone(*roles, of=1, teams=()):
    return Actor(of, "Someone", frozenset({"reporter", *roles}), frozenset(teams))


def test_the_table_of_this_test_is_whole():
    assert set(ACTIONS) == set(access.TABLE)
    assert {role for _, role, _ in _rows()} == set(access.ROLES)


@pytest.mark.parametrize(("action", "role", "expected"), _rows())
def test_every_action_by_every_role(action, role, expected):
    assert may(_someone(role), action, RECORD) is expected
    assert may(_someone(role), action) is expected
    if expected:
        access.check(_someone(role), action, RECORD)
    else:
        with pytest.raises((Forbidden, NotFound)):
            access.check(_someone(role), action, RECORD)


@pytest.mark.parametrize("action", ACTIONS)
def test_roles_add_up(action):
    both = may(_someone("lead", "manager"), action, RECORD)
    assert both is (may(_someone("lead"), action, RECORD) or may(_someone("manager"), action, RECORD))


@pytest.mark.parametrize("action", ACTIONS)
def test_what_a_reporter_may_do_with_their_own(action):
    assert may(_someone(of=50), action, RECORD) is (action in OWN)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_a_follower_may_do(action):
    assert may(_someone(of=80), action, RECORD) is (action in FOLLOWED)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_devops_team_runs_what_it_builds(action):
    theirs = Record(reporter_id=50, team_id=60, team_way="devops")
    by_role = may(_someone("responder"), action, theirs)
    assert may(_someone("responder", teams=[60]), action, theirs) is (by_role or action in DEVOPS)
    assert may(_someone("responder", teams=[61]), action, theirs) is by_role
    assert may(_someone("responder", teams=[60]), action, RECORD) is by_role, "the itil way needs the desk"
    assert may(_someone("manager", teams=[60]), action, theirs) is may(_someone("manager"), action, theirs)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", sorted(access.ROLES))
def test_a_restricted_incident_is_for_those_named_on_it_and_its_team(action, role):
    restricted = Record(reporter_id=50, team_id=60, assignee_id=70, restricted=True, named_ids=(80,))
    assert may(_someone(role), action, restricted) is False
    for inside in (
        _someone(role, of=50),
        _someone(role, of=70),
        _someone(role, of=80),
        _someone(role, teams=[60]),
    ):
        assert may(inside, action, restricted) is may(inside, action, Record(50, 60, 70, named_ids=(80,)))


def test_the_team_does_not_open_a_restricted_incident_to_who_may_not_read():
    assert may(_someone("admin", teams=[60]), "read", Record(team_id=60, restricted=True)) is False


def test_nobody_closes_over_not_fixed():
    denied = Record(reporter_id=50, team_id=60, team_way="devops", denied=True)
    for actor in (_someone("desk"), _someone("responder", teams=[60]), _someone("desk", of=50), SYSTEM):
        assert may(actor, "close", denied) is False
    with pytest.raises(Forbidden, match="The reporter said it is not fixed"):
        access.check(_someone("desk"), "close", denied)


def test_nobody_is_reporter_of_an_incident_without_one():
    assert may(_someone(of=0), "verify", Record(reporter_id=None)) is False
    assert may(_someone(teams=[]), "read", Record(team_id=None, assignee_id=None)) is False


HOLDER = Actor(-1, "Somebody", anonymous=True, opens=90)
"""who holds the tracking link of incident 90"""


@pytest.mark.parametrize("action", ACTIONS)
def test_a_tracking_link_opens_one_incident_as_far_as_its_reporter_may(action):
    for restricted in (False, True):
        theirs = Record(team_id=60, restricted=restricted, id=90)
        assert may(HOLDER, action, theirs) is (action in {"read", "comment", "verify", "reject"})
        for other in (Record(team_id=60, id=91), Record(), Record(reporter_id=-1, named_ids=(-1,), assignee_id=-1)):
            assert may(HOLDER, action, other) is False
    assert may(HOLDER, action) is (action == "report")
    assert may(Actor(-1, "Somebody", anonymous=True), action, Record()) is False


def test_who_has_no_account_is_asked_by_those_who_close():
    theirs = Record(team_id=60, team_way="devops", id=90)
    assert may(_someone("desk"), "verify", theirs) is True
    assert may(_someone("responder", teams=[60]), "verify", theirs) is True
    for other in (_someone("responder"), _someone("lead"), _someone("manager"), _someone(of=0)):
        assert may(other, "verify", theirs) is False
    hidden = Record(team_id=60, restricted=True)
    assert may(_someone("desk"), "verify", hidden) is False


@pytest.mark.parametrize(
    ("actor", "state", "expected"),
    [
        (_someone("responder"), "assigned", True),  # sends it back to triage
        (_someone(of=50), "assigned", False),
        (_someone(of=50), "recovered", True),  # says it is not fixed
        (_someone("desk"), "recovered", True),  # for the reporter
        (_someone("responder"), "recovered", False),
        (_someone("lead"), "resolved", False),
        (_someone(of=80), "resolved", False),
    ],
)
def test_reject_has_two_meanings(actor, state, expected):
    assert may_take(actor, "reject", RECORD, state) is expected


def test_a_reporter_reopens_only_what_is_closed():
    assert may_take(_someone(of=50), "reopen", RECORD, "closed") is True
    assert may_take(_someone(of=50), "reopen", RECORD, "resolved") is False
    assert may_take(_someone("desk", of=50), "reopen", RECORD, "resolved") is True
    assert may_take(_someone(of=80), "reopen", RECORD, "closed") is False


def test_what_may_not_be_read_looks_like_what_is_not_there():
    with pytest.raises(NotFound) as hidden:
        access.check(_someone(), "close", RECORD)
    with pytest.raises(NotFound) as missing:
        access.check(_someone("admin"), "read", RECORD)
    assert str(hidden.value) == str(missing.value)
    with pytest.raises(Forbidden, match="Only the service desk closes"):
        access.check(_someone("responder"), "close", RECORD)


def test_an_action_that_does_not_exist_is_a_mistake_in_the_program():
    with pytest.raises(KeyError):
        may(_someone("admin"), "explode", RECORD)
