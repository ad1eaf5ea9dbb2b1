"""The lifecycle: every action in every state, what each needs, and the moments it sets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from rules import states
from rules.errors import RuleError
from rules.verification import Patience

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)

# Read from the design, not from the code: where each action leads from each state; '-' where it may not be taken.
WALK = """
                new          assigned     in_progress  on_hold      resolved     recovered    closed       cancelled
    accept      assigned     -            -            -            -            -            -            -
    assign      assigned     assigned     assigned     assigned     -            -            -            -
    acknowledge in_progress  in_progress  -            -            -            -            -            -
    hold        -            on_hold      on_hold      on_hold      -            -            -            -
    resume      -            -            -            in_progress  -            -            -            -
    escalate    -            assigned     assigned     assigned     -            -            -            -
    resolve     resolved     resolved     resolved     resolved     -            -            -            -
    recover     -            -            -            -            recovered    -            -            -
    verify      -            -            -            -            -            recovered    -            -
    reject      -            new          -            -            in_progress  in_progress  -            -
    close       -            -            -            -            -            closed       -            -
    reopen      -            -            -            -            in_progress  in_progress  in_progress  new
    cancel      cancelled    cancelled    cancelled    cancelled    -            -            -            -
    merge       cancelled    cancelled    cancelled    cancelled    -            -            -            -
    unmerge     -            -            -            -            -            -            -            new
"""
NEEDS = {
    "accept": {"category_pair_id", "priority", "team_id"},
    "assign": {"category_pair_id", "priority", "team_id"},
    "acknowledge": {"category_pair_id", "priority"},
    "hold": {"hold_reason", "hold_until"},
    "escalate": {"team_id", "reason"},
    "resolve": {"category_pair_id", "priority", "resolution_code", "resolution_note"},
    "reject": {"reason"},
    "close": {"verification"},
    "reopen": {"reason"},
    "cancel": {"reason"},
    "merge": {"duplicate_of_id"},
}
GIVEN = {
    "category_pair_id": 1, "priority": 3, "team_id": 5, "assignee_id": 8, "hold_reason": "vendor",
    "hold_until": NOW + DAY, "reason": "Because.", "resolution_code": "fixed", "resolution_note": "Restarted.",
    "verification": "no_answer", "duplicate_of_id": 99,
}  # fmt: skip


def _walk():
    header, *lines = [line.split() for line in WALK.strip().splitlines()]
    return [(action, state, to) for action, *row in lines for state, to in zip(header, row, strict=True)]


def test_the_table_of_this_test_is_whole():
    assert {action for action, _, _ in _walk()} == set(states.ACTIONS)
    assert {state for _, state, _ in _walk()} == set(states.STATES)
    assert len(_walk()) == 15 * 8


@pytest.mark.parametrize(("action", "state", "to"), _walk())
def test_every_action_in_every_state(action, state, to):
    incident = {"id": 1, "state": state, "duplicate_of_id": 7 if state == "cancelled" else None, "closed_at": NOW}
    incident["reminded_at"] = NOW - 5 * DAY
    if to == "-":
        with pytest.raises(RuleError, match=r"cannot be done while the incident is"):
            states.apply(incident, action, GIVEN, NOW)
        assert action not in states.possible(state)
    else:
        assert states.apply(incident, action, GIVEN, NOW)["state"] == to
        assert action in states.possible(state)


@pytest.mark.parametrize("action", sorted(states.ACTIONS))
def test_every_action_names_all_it_lacks_at_once(action):
    state = next(state for name, state, to in _walk() if name == action and to != "-")
    lacking = states.missing({"state": state}, action, {})
    assert set(lacking) == NEEDS.get(action, set())
    if lacking:
        with pytest.raises(RuleError) as refused:
            states.apply({"state": state}, action, {}, NOW)
        assert refused.value.fields == lacking
        assert all(sentence.endswith(".") for sentence in lacking.values())


@pytest.mark.parametrize("empty", [None, ""])
def test_what_is_given_empty_is_not_given(empty):
    assert set(states.missing({}, "cancel", {"reason": empty})) == {"reason"}


def test_what_the_incident_knows_need_not_be_given_again_but_a_reason_must():
    known = {
        "state": "new",
        "category_pair_id": 1,
        "priority": 2,
        "team_id": 5,
        "reason": "old",
        "hold_reason": "vendor",
    }
    assert states.missing(known, "accept", {}) == {}
    assert set(states.missing(known, "accept", {"team_id": None})) == {"team_id"}
    assert set(states.missing(known, "cancel", {})) == {"reason"}
    assert "hold_reason" in states.missing(known, "hold", {})


@pytest.mark.parametrize(
    ("action", "state", "moment"),
    [
        ("acknowledge", "assigned", "acknowledged_at"),
        ("resume", "on_hold", "acknowledged_at"),
        ("resolve", "in_progress", "resolved_at"),
        ("recover", "resolved", "recovered_at"),
        ("verify", "recovered", "verified_at"),
        ("close", "recovered", "closed_at"),
        ("cancel", "new", "cancelled_at"),
        ("merge", "new", "cancelled_at"),
    ],
)
def test_each_moment_is_set_by_its_action(action, state, moment):
    changes = states.apply({"id": 1, "state": state, "reminded_at": NOW - 5 * DAY}, action, GIVEN, NOW)
    assert {name for name in changes if name.endswith("_at")} == {moment}
    assert changes[moment] == NOW


def test_the_first_acknowledgement_stays():
    earlier = NOW - DAY
    for action, state in (("acknowledge", "assigned"), ("resume", "on_hold")):
        assert (
            states.apply({"state": state, "acknowledged_at": earlier}, action, GIVEN, NOW)["acknowledged_at"] == earlier
        )


@pytest.mark.parametrize("action", ["resume", "assign", "escalate", "resolve", "cancel", "merge"])
def test_leaving_on_hold_forgets_what_it_waited_for(action):
    changes = states.apply({"id": 1, "state": "on_hold"}, action, GIVEN, NOW)
    assert (changes["hold_reason"], changes["hold_until"]) == (None, None)


@pytest.mark.parametrize(("action", "state"), [("reject", "resolved"), ("reject", "recovered"), ("reopen", "closed")])
def test_going_back_to_work_undoes_the_end_and_counts(action, state):
    changes = states.apply({"state": state, "closed_at": NOW, "reopen_count": 2}, action, GIVEN, NOW)
    assert changes["reopen_count"] == 3
    undone = ("resolved_at", "recovered_at", "reminded_at", "verified_at", "closed_at", "verification",
              "verification_note")  # fmt: skip
    assert [changes[name] for name in undone] == [None] * 7


def test_sending_an_assignment_back_is_no_reopening():
    changes = states.apply({"state": "assigned", "team_id": 5}, "reject", GIVEN, NOW)
    assert changes == {"state": "new", "team_id": None, "assignee_id": None}


@example(after=14 * DAY)
@example(after=14 * DAY + timedelta.resolution)
@given(after=some.timedeltas(min_value=timedelta(0), max_value=60 * DAY))
def test_a_closed_incident_reopens_for_14_days(after):
    incident = {"state": "closed", "closed_at": NOW}
    if after <= 14 * DAY:
        assert states.apply(incident, "reopen", GIVEN, NOW + after)["state"] == "in_progress"
    else:
        with pytest.raises(RuleError, match="more than 14 days ago"):
            states.apply(incident, "reopen", GIVEN, NOW + after)


HELD = {"state": "on_hold", "hold_reason": "vendor", "hold_until": NOW + DAY}


@pytest.mark.parametrize(
    "asked",
    [{"hold_until": NOW + 2 * DAY}, {"hold_reason": "other"}, {"hold_reason": "other", "hold_until": NOW + DAY}],
)
def test_what_is_on_hold_takes_another_day_or_reason_and_keeps_the_other(asked):
    changes = states.apply(HELD, "hold", asked, NOW)
    assert changes == {"state": "on_hold"} | {name: asked.get(name, HELD[name]) for name in HELD if name != "state"}


@pytest.mark.parametrize(
    ("asked", "later", "sentence"),
    [
        ({}, 0 * DAY, "like this already"),
        ({"hold_reason": "vendor", "hold_until": NOW + DAY}, 0 * DAY, "like this already"),
        ({"hold_reason": "other"}, 2 * DAY, "a day in the future"),
        ({"hold_until": NOW + 400 * DAY}, 0 * DAY, "within one year"),
    ],
)
def test_a_hold_that_changes_nothing_or_ends_in_the_past_is_refused(asked, later, sentence):
    with pytest.raises(RuleError, match=sentence) as refused:
        states.apply(HELD, "hold", asked, NOW + later)
    assert list(refused.value.fields) == ["hold_until"]


@given(until=some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC)))
def test_a_hold_ends_within_a_year_from_now(until):
    wanted = GIVEN | {"hold_until": until}
    if NOW < until <= NOW + 366 * DAY:
        assert states.apply({"state": "in_progress"}, "hold", wanted, NOW)["hold_until"] == until
    else:
        with pytest.raises(RuleError) as refused:
            states.apply({"state": "in_progress"}, "hold", wanted, NOW)
        assert list(refused.value.fields) == ["hold_until"]


@pytest.mark.parametrize(
    ("action", "state", "wrong", "field"),
    [
        ("hold", "in_progress", {"hold_reason": "coffee"}, "hold_reason"),
        ("resolve", "in_progress", {"resolution_code": "magic"}, "resolution_code"),
        ("close", "recovered", {"verification": "guessed"}, "verification"),
        ("close", "recovered", {"verification": "confirmed"}, "verification"),
        ("close", "recovered", {"verification": "not_needed"}, "verification_note"),
        ("merge", "new", {"duplicate_of_id": 1}, "duplicate_of_id"),
    ],
)
def test_values_that_are_not_on_the_list_are_refused(action, state, wrong, field):
    with pytest.raises(RuleError) as refused:
        states.apply({"id": 1, "state": state}, action, GIVEN | wrong, NOW)
    assert list(refused.value.fields) == [field]


def test_what_the_reporter_confirmed_closes_without_more():
    changes = states.apply({"state": "recovered", "verification": "confirmed"}, "close", {}, NOW)
    assert (changes["state"], changes["verification"]) == ("closed", "confirmed")


REMINDED = {"state": "recovered", "recovered_at": NOW - 9 * DAY, "reminded_at": NOW - 3 * DAY}


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (REMINDED, r"5 days after the reminder: from Wed 4 Mar 2026, 09:00 UTC on\."),
        (REMINDED | {"reminded_at": None}, r"5 days after a reminder\. Nobody could be reminded yet"),
        (
            REMINDED | {"reminded_at": None, "recovered_at": NOW - DAY},
            r"5 days after a reminder\. The reminder is due Tue 3 Mar 2026, 09:00 UTC;",
        ),
    ],
)
def test_silence_is_enough_only_some_days_after_a_reminder(known, sentence):
    given = {"verification": "no_answer"}
    with pytest.raises(RuleError, match=sentence) as refused:
        states.apply(known, "close", given, NOW)
    assert list(refused.value.fields) == ["verification"]
    assert states.apply(known | {"imported": True}, "close", given, NOW)["state"] == "closed"


def test_the_days_of_patience_are_the_settings_own_to_the_second():
    given, three = {"verification": "no_answer"}, Patience(close_days=3, zone="Europe/Berlin")
    assert states.apply(REMINDED, "close", given, NOW, patience=three)["verification"] == "no_answer"
    with pytest.raises(RuleError, match=r"from Mon 2 Mar 2026, 10:00 CET on"):
        states.apply(REMINDED, "close", given, NOW - timedelta(seconds=1), patience=three)


def test_what_the_reporter_said_is_written_down_with_who_said_so():
    asked = {"state": "recovered"}
    with pytest.raises(RuleError, match="Say who told you") as refused:
        states.apply(asked, "verify", {"answered_by": "  "}, NOW, for_reporter=True)
    assert list(refused.value.fields) == ["answered_by"]
    given = {"answered_by": " Frau  Öz", "verification_note": "Rang back at nine."}
    changes = states.apply(asked, "verify", given, NOW, for_reporter=True)
    assert changes["verification_note"] == "Frau Öz says it is fixed.\nRang back at nine."
    assert states.apply(asked, "verify", given, NOW)["verification_note"] is None


def test_a_merge_is_undone_not_reopened_by_unmerge():
    merged = {"state": "cancelled", "duplicate_of_id": 7}
    assert states.apply(merged, "unmerge", {}, NOW) == {"state": "new", "cancelled_at": None, "duplicate_of_id": None}
    with pytest.raises(RuleError, match="It was not merged"):
        states.apply({"state": "cancelled", "duplicate_of_id": None}, "unmerge", {}, NOW)


def test_an_unknown_action_or_state_is_refused():
    with pytest.raises(RuleError, match="no action called 'explode'"):
        states.target("new", "explode")
    with pytest.raises(RuleError, match="cannot be done"):
        states.target("nowhere", "accept")


@pytest.mark.parametrize(
    ("state", "to", "action"),
    [
        ("new", "assigned", "accept"), ("new", "in_progress", "acknowledge"), ("assigned", "new", "reject"),
        ("assigned", "in_progress", "acknowledge"), ("assigned", "on_hold", "hold"), ("in_progress", "on_hold", "hold"),
        ("in_progress", "assigned", "assign"), ("on_hold", "in_progress", "resume"), ("on_hold", "assigned", "assign"),
        ("in_progress", "resolved", "resolve"), ("resolved", "recovered", "recover"),
        ("resolved", "in_progress", "reopen"), ("recovered", "in_progress", "reopen"),
        ("new", "on_hold", None), ("new", "recovered", None), ("resolved", "assigned", None), ("new", "new", None),
        ("assigned", "assigned", None), ("recovered", "recovered", None), ("recovered", "resolved", None),
    ],
)  # fmt: skip
def test_a_card_moved_by_hand_means_one_action(state, to, action):
    assert states.between(state, to) == action
