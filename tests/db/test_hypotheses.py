"""Suspected causes of an incident: who may, what the timeline tells, and that two at once lose nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from db.commands import hypotheses as commands
from db.engine import reading, writing
from db.queries import hypotheses as queries
from db.queries import incidents
from rules import hypotheses as rules
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from rules.hypotheses import CONFIRMED, RULED_OUT, SUSPECTED
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya"):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=NOW)


def known(office, incident, by="Priya"):
    with reading(office.engine) as db:
        actor = office.people[by]
        return queries.suspicions(db, actor, incidents.by_number(db, actor, office.incident(incident).number))


def told(office, incident):
    entries = [entry for entry in office.timeline(incident) if entry.kind == "hypothesis"]
    assert not any(entry.public for entry in entries)
    return [(entry.actor_name, entry.text, entry.detail) for entry in entries]


def test_a_cause_is_suspected_borne_out_refuted_and_suspected_again(office):
    incident = office.report()
    version = office.incident(incident).version
    cable = do(office, commands.suspect, incident, "The  cable", "It blinks.")
    do(office, commands.add_evidence, incident, cable, "Pings fail.", "for", by="Lena")
    do(office, commands.rule_out, incident, cable, 1, "Another cable fails too.")
    do(office, commands.suspect_again, incident, cable, 2, "That one was broken too.", by="Dora")
    do(office, commands.confirm, incident, cable, 3, "A new one works.")
    [one] = known(office, incident)
    assert (one.text, one.state, one.version, one.by, one.changed_by) == ("The cable", CONFIRMED, 4, "Priya", "Priya")
    assert [(each.by, each.text, each.speaks, each.led_to) for each in one.evidence] == [
        ("Priya", "It blinks.", "for", None),
        ("Lena", "Pings fail.", "for", None),
        ("Priya", "Another cable fails too.", "against", RULED_OUT),
        ("Dora", "That one was broken too.", "neither", SUSPECTED),
        ("Priya", "A new one works.", "for", CONFIRMED),
    ]
    assert told(office, incident) == [
        ("Priya", "suspects 'The cable'", "It blinks."),
        ("Lena", "added evidence for 'The cable'", "Pings fail."),
        ("Priya", "ruled out 'The cable'", "Another cable fails too."),
        ("Dora", "suspects 'The cable' again", "That one was broken too."),
        ("Priya", "confirmed 'The cable'", "A new one works."),
    ]
    assert office.incident(incident).version == version, "a suspicion takes nobody's form away"


def test_confirmed_ones_stand_first_and_ruled_out_ones_last(office):
    incident = office.report()
    first, second, third = (do(office, commands.suspect, incident, name) for name in ("One", "Two", "Three"))
    do(office, commands.rule_out, incident, first, 1, "No.")
    do(office, commands.confirm, incident, third, 1, "Yes.")
    assert [one.id for one in known(office, incident)] == [third, second, first]


def test_a_double_click_writes_once(office):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    assert do(office, commands.suspect, incident, "the CABLE") == cable
    for _ in range(2):
        do(office, commands.add_evidence, incident, cable, "It blinks.", "for")
    for _ in range(2):
        do(office, commands.rule_out, incident, cable, 1, "It works.")
    assert len(told(office, incident)) == 3


def test_what_was_decided_is_not_named_anew(office):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    do(office, commands.rule_out, incident, cable, 1, "It works.")
    with pytest.raises(RuleError, match="It is there and ruled out"):
        do(office, commands.suspect, incident, "The cable")


def test_nobody_decides_over_what_another_has_just_decided(office):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    do(office, commands.confirm, incident, cable, 1, "A new one works.", by="Lena")
    with pytest.raises(RuleError, match="Meanwhile Lena confirmed 'The cable'"):
        do(office, commands.rule_out, incident, cable, 1, "It is not.")
    do(office, commands.add_evidence, incident, cable, "It is not.", "against")
    [one] = known(office, incident)
    assert (one.state, [each.by for each in one.evidence]) == (CONFIRMED, ["Lena", "Priya"])


def test_two_who_write_at_once_both_count_and_only_one_decides(office):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    together = threading.Barrier(4)

    def press(pressed):
        who, command, given = pressed
        together.wait(60)
        try:
            do(office, command, incident, cable, *given, by=who)
        except RuleError as error:
            return error.sentence
        return None

    presses = [
        ("Priya", commands.add_evidence, ("It blinks.", "for")),
        ("Sam", commands.add_evidence, ("It does not.", "against")),
        ("Lena", commands.confirm, (1, "A new one works.")),
        ("Dora", commands.rule_out, (1, "It works.")),
    ]
    with ThreadPoolExecutor(4) as pool:
        refused = [sentence for sentence in pool.map(press, presses) if sentence]
    assert len(refused) == 1
    assert refused[0].startswith("Meanwhile ")
    [one] = known(office, incident)
    assert {"It blinks.", "It does not."} < {each.text for each in one.evidence}
    assert (one.version, len(one.evidence), len(told(office, incident))) == (2, 3, 4)


def test_there_is_an_end_to_suspicions_and_to_evidence(office, monkeypatch):
    monkeypatch.setattr(rules, "MOST", 1)
    monkeypatch.setattr(rules, "MOST_EVIDENCE", 1)
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable", "It blinks.")
    with pytest.raises(RuleError, match="at most 1 suspected"):
        do(office, commands.suspect, incident, "The plug")
    with pytest.raises(RuleError, match="enough to decide"):
        do(office, commands.add_evidence, incident, cable, "Still.", "for")
    do(office, commands.confirm, incident, cable, 1, "A new one works.")


@pytest.mark.parametrize(
    ("who", "refusal"), [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden), ("Ada", NotFound)]
)
def test_those_who_do_not_work_on_it_change_nothing(office, who, refusal):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    for command, given in (
        (commands.suspect, ("The plug",)), (commands.add_evidence, (cable, "x", "for")),
        (commands.rule_out, (cable, 1, "x")), (commands.confirm, (cable, 1, "x")),
        (commands.suspect_again, (cable, 1, "x")),
    ):  # fmt: skip
        with pytest.raises(refusal):
            do(office, command, incident, *given, by=who)
    assert [one.state for one in known(office, incident, "Max")] == [SUSPECTED]
    assert known(office, incident, "Rita") == []


def test_a_restricted_incident_keeps_its_suspicions_to_its_own(office):
    incident = office.report()
    cable = do(office, commands.suspect, incident, "The cable")
    office.perform(incident, "accept", "Lena", NOW, **office.triage, restricted=True)
    with pytest.raises(NotFound):
        do(office, commands.confirm, incident, cable, 1, "x", by="Sam")
    do(office, commands.confirm, incident, cable, 1, "x")


def test_the_suspicion_of_another_incident_is_not_reached_through_this_one(office):
    cable = do(office, commands.suspect, office.report(), "The cable")
    with pytest.raises(NotFound, match="no such suspicion"):
        do(office, commands.confirm, office.report(), cable, 1, "x")


def test_what_was_merged_keeps_its_own(office):
    survivor, merged = office.report(), office.report()
    do(office, commands.suspect, merged, "The cable")
    office.perform(merged, "merge", "Lena", NOW, duplicate_of_id=survivor)
    assert [one.text for one in known(office, merged)] == ["The cable"]
    assert known(office, survivor) == []
    office.perform(merged, "unmerge", "Lena", NOW + HOUR)
    assert [one.text for one in known(office, merged)] == ["The cable"]
