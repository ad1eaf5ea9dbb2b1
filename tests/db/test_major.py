"""Major incidents: declared and stood down with a reason, led by somebody, and nagging while nobody does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from db.commands import major, people, undo
from db.commands.incidents import Conflict, prioritise
from db.engine import reading, writing
from db.queries import incidents, updates
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker import timers as worker

NOW = MONDAY + 3 * HOUR
MINUTE = timedelta(minutes=1)


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Lena", at=NOW, **more):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=at, **more)


def response(office, number, by="Lena"):
    with reading(office.engine) as db:
        who = office.people[by]
        return updates.of_incident(db, who, incidents.by_number(db, who, office.incident(number).number))


def held(office, number):
    return [(each.role, each.name, each.subject) for each in response(office, number).held]


def texts(office, number, *kinds):
    return [(entry.actor_name, entry.text) for entry in office.timeline(number) if entry.kind in kinds]


def subjects(office, number, who, kind):
    return [subject for name, told, subject in office.notices(number) if (name, told) == (who, kind)]


def declared(office, **more):
    number = office.bring_to("in_progress")
    do(office, major.declare, number, None, "Nobody can admit patients.", **more)
    return number


def test_declaring_asks_for_a_reason_ranks_it_first_and_begins_the_clock(office):
    number = office.bring_to("in_progress")
    before = office.incident(number)
    with pytest.raises(RuleError, match="Say why") as caught:
        do(office, major.declare, number, before.version, " ")
    assert "reason" in caught.value.fields
    do(office, major.declare, number, before.version, "Nobody can admit patients.", by="Priya")
    after = office.incident(number)
    assert (after.major, after.version, after.rank_at) == (True, before.version + 1, before.rank_at - 365 * DAY)
    [entry] = [entry for entry in office.timeline(number) if entry.kind == "declare"]
    assert (entry.text, entry.detail, entry.public) == (
        "declared it a major incident",
        "Nobody can admit patients.",
        False,
    )
    found = response(office, number)
    assert (found.declared_at, found.due_at) == (NOW, NOW + 5 * MINUTE)
    assert office.timers(number)["update_due"].due_at == NOW + 5 * MINUTE
    assert subjects(office, number, "Lena", "declare") == ["Major incident: INC-000001: Mail is slow"]
    with pytest.raises(RuleError, match="already"):
        do(office, major.declare, number, None, "Again.")


def test_two_who_declare_at_once_make_one(office):
    number = office.bring_to("in_progress")
    seen = office.incident(number).version

    def one(who):
        try:
            return do(office, major.declare, number, seen, "Down.", by=who) and "done"
        except Conflict:
            return "told"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(one, ["Lena", "Priya"])) == ["done", "told"]


@pytest.mark.parametrize(
    ("who", "refusal"), [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden), ("Ada", NotFound)]
)
def test_only_those_who_work_on_it_declare(office, who, refusal):
    number = office.bring_to("in_progress")
    with pytest.raises(refusal):
        do(office, major.declare, number, None, "Down.", by=who)
    assert not office.incident(number).major


def test_what_is_over_is_not_declared(office):
    number = office.bring_to("recovered")
    with pytest.raises(RuleError, match="Reopen it first"):
        do(office, major.declare, number, None, "Down.")


def test_a_commander_hands_over_and_only_one_leads(office):
    lena, priya = office.people["Lena"].id, office.people["Priya"].id
    number = declared(office, commander_id=lena)
    assert held(office, number) == [("commander", "Lena", "")]
    do(office, major.give, number, "commander", priya)
    do(office, major.give, number, "commander", priya)
    assert held(office, number) == [("commander", "Priya", "")]
    assert texts(office, number, "role") == [
        ("Lena", "is commander"),
        ("Lena", "made Priya commander; Lena hands it over"),
    ]
    assert subjects(office, number, "Priya", "role") == ["You are Commander: INC-000001: Mail is slow"]
    do(office, major.give, number, "commander", lena, by="Priya")
    assert subjects(office, number, "Priya", "role")[1:] == [], "who hands it over knows"


def test_two_who_take_command_at_once_leave_one_commander(office):
    number = declared(office)
    with ThreadPoolExecutor(2) as both:
        list(
            both.map(
                lambda who: do(office, major.give, number, "commander", office.people[who].id, by=who),
                ["Lena", "Priya"],
            )
        )
    assert len(held(office, number)) == 1


def test_experts_are_several_each_for_a_matter(office):
    number = declared(office)
    for who, subject in (("Sam", "storage"), ("Devi", "the portal"), ("Sam", "the switch")):
        do(office, major.give, number, "expert", office.people[who].id, subject)
    assert held(office, number) == [("expert", "Sam", "the switch"), ("expert", "Devi", "the portal")]
    do(office, major.leave, number, "expert", office.people["Sam"].id, by="Sam")
    do(office, major.leave, number, "expert", office.people["Sam"].id, by="Sam")
    assert held(office, number) == [("expert", "Devi", "the portal")]
    assert texts(office, number, "role")[-1] == ("Sam", "is no longer expert")


def test_a_part_goes_to_nobody_who_may_not_work_on_it(office):
    number = declared(office)
    for who in ("Rita", "Max", "Ada"):
        with pytest.raises(RuleError, match="who works on incidents"):
            do(office, major.give, number, "scribe", office.people[who].id)
    with pytest.raises(RuleError, match="Choose a part"):
        do(office, major.give, number, "king", office.people["Lena"].id)
    hidden = office.report("Secret")
    office.perform(hidden, "accept", "Lena", NOW, **office.triage, restricted=True)
    with pytest.raises(RuleError, match="Name them on it first"):
        do(office, major.give, hidden, "scribe", office.people["Sam"].id)
    with pytest.raises(NotFound):
        do(office, major.give, hidden, "scribe", office.people["Sam"].id, by="Sam")


def test_a_major_incident_without_a_commander_nags_until_it_has_one(office):
    number = declared(office)
    worker.tick(NOW + MINUTE, office.engine)
    assert subjects(office, number, "Lena", "chase") == []
    worker.tick(NOW + 2 * MINUTE, office.engine)
    nobody = "INC-000001: nobody leads the response: Mail is slow"
    assert subjects(office, number, "Lena", "chase") == [nobody]
    assert texts(office, number, "chase") == [
        ("Incident Desk", "a major incident without a commander: told Lena and Priya")
    ]
    worker.tick(NOW + 12 * MINUTE, office.engine)
    assert subjects(office, number, "Lena", "chase").count(nobody) == 2
    do(office, major.give, number, "commander", office.people["Priya"].id, at=NOW + 13 * MINUTE)
    worker.tick(NOW + HOUR, office.engine)
    assert subjects(office, number, "Lena", "chase").count(nobody) == 2
    do(office, major.leave, number, "commander", office.people["Priya"].id, by="Priya", at=NOW + HOUR)
    worker.tick(NOW + HOUR + 2 * MINUTE, office.engine)
    assert subjects(office, number, "Lena", "chase").count(nobody) == 3


def test_who_has_no_account_any_more_leads_no_more(office):
    number = declared(office, commander_id=office.people["Sam"].id)
    with writing(office.engine) as db:
        people.disable(db, office.people["Sam"].id, actor=office.people["Ada"], now=NOW + MINUTE)
    assert held(office, number) == []
    assert texts(office, number, "role")[-1] == (
        "Incident Desk",
        "took the part of commander from Sam, who has no account any more",
    )
    worker.tick(NOW + 3 * MINUTE, office.engine)
    assert len(subjects(office, number, "Lena", "chase")) == 1


def test_who_may_see_it_no_more_is_not_reminded_of_it(office):
    number = declared(office, commander_id=office.people["Sam"].id)
    with writing(office.engine) as db:
        prioritise(db, number, None, {"restricted": True}, actor=office.people["Lena"], now=NOW + MINUTE)
    worker.tick(NOW + 5 * MINUTE, office.engine)
    assert subjects(office, number, "Sam", "chase") == []
    assert len(subjects(office, number, "Lena", "chase")) == 1, "those who answer for it are"
    do(office, major.stand_down, number, None, "It is over.")
    assert subjects(office, number, "Sam", "stand_down") == []


def test_standing_down_needs_a_reason_ends_the_parts_and_keeps_no_clock(office):
    number = declared(office, commander_id=office.people["Priya"].id)
    for who in ("Sam", "Devi"):
        with pytest.raises(Forbidden):
            do(office, major.stand_down, number, None, "It is one room.", by=who)
    with pytest.raises(RuleError, match="Say why"):
        do(office, major.stand_down, number, None, "", by="Priya")
    do(office, major.stand_down, number, None, "It is one room.", by="Priya")
    found = response(office, number)
    assert (office.incident(number).major, found.declared_at, found.due_at, found.held) == (False, None, None, ())
    assert {"update_due", "no_commander"}.isdisjoint(office.timers(number))
    assert subjects(office, number, "Lena", "stand_down") == ["No longer a major incident: INC-000001: Mail is slow"]
    with pytest.raises(RuleError, match="no major incident"):
        do(office, major.stand_down, number, None, "Again.")


def test_what_recovers_owes_nothing_and_what_comes_back_begins_again(office):
    number = declared(office)
    fixed = {"resolution_code": "fixed", "resolution_note": "Restarted it."}
    office.perform(number, "resolve", "Priya", NOW + MINUTE, **fixed)
    assert response(office, number).due_at == NOW + 5 * MINUTE, "until it has recovered, people wait to hear"
    office.perform(number, "recover", "Priya", NOW + 2 * MINUTE)
    assert response(office, number).due_at is None
    assert {"update_due", "no_commander"}.isdisjoint(office.timers(number))
    office.perform(number, "reject", "Rita", NOW + HOUR, reason="Still down.")
    assert response(office, number).due_at == NOW + HOUR + 5 * MINUTE
    assert office.timers(number)["no_commander"].due_at == NOW + HOUR + 2 * MINUTE


def test_work_on_the_most_critical_owes_a_first_update_too(office):
    number = office.report()
    office.perform(number, "accept", "Lena", NOW, **(office.triage | {"impact": 1, "urgency": 1}))
    assert response(office, number).due_at is None, "while nobody has it, people are paged"
    office.perform(number, "acknowledge", "Priya", NOW + MINUTE)
    assert response(office, number).due_at == NOW + 6 * MINUTE
    assert response(office, office.bring_to("in_progress")).due_at is None


def test_a_declaration_is_not_taken_back_by_undo(office):
    number = declared(office)
    with pytest.raises(RuleError, match="cannot be taken back"):
        do(office, undo.undo, number, office.incident(number).version)
