"""Runbooks: who writes them, versions, two editors at once; opened on incidents and ticked there."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from db.commands import opened_runbooks, runbooks
from db.engine import reading, writing
from db.models import AuditEntry, Service
from db.queries import incidents, room_parts
from db.queries import runbooks as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
STEPS = "Look first.\n- [ ] Restart it\n- [ ] Call **them**"


@pytest.fixture
def office(engine):
    return Office(engine)


def save(office, runbook=None, version=None, by="Lena", name="Mail", text=STEPS, now=NOW, **given):
    with writing(office.engine) as db:
        actor = office.people[by]
        return runbooks.save(db, runbook, version, name=name, text=text, actor=actor, now=now, **given)


def do(office, command, *given, by="Priya", now=NOW):
    with writing(office.engine) as db:
        return command(db, *given, actor=office.people[by], now=now)


def ask(office, query, *given, by="Priya", **more):
    with reading(office.engine) as db:
        return query(db, office.people[by], *given, **more)


def parts(office, incident, by="Priya"):
    with reading(office.engine) as db:
        actor = office.people[by]
        return room_parts.parts(db, actor, incidents.by_number(db, actor, office.incident(incident).number))


def told(office, incident):
    entries = [entry for entry in office.timeline(incident) if entry.kind == "runbook"]
    assert not any(entry.public for entry in entries)
    return [(entry.actor_name, entry.text) for entry in entries]


def test_every_save_is_a_version_and_the_old_ones_stay_readable(office):
    runbook = save(office, service_id=office.service)
    save(
        office,
        runbook,
        1,
        by="Ada",
        name="E-mail",
        text="Call the vendor.",
        now=NOW + HOUR,
        category_pair_id=office.pair,
    )
    known, text = ask(office, queries.one, runbook)
    assert (known.name, known.version, known.service, known.pair) == ("E-mail", 2, None, "Network")
    assert (known.saved_by, known.saved_at, text) == ("Ada", NOW + HOUR, "Call the vendor.")
    found = ask(office, queries.versions, runbook)
    assert [(each.number, each.name, each.saved_by) for each in found] == [(2, "E-mail", "Ada"), (1, "Mail", "Lena")]
    assert ask(office, queries.text, runbook, 1) == STEPS
    with pytest.raises(NotFound):
        ask(office, queries.text, runbook, 3)
    with reading(office.engine) as db:
        kept = list(db.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    assert [entry.action for entry in kept] == ["runbook added", "runbook changed"]
    assert kept[1].before["service_id"] == office.service


def test_what_changes_nothing_is_no_version(office):
    runbook = save(office)
    save(office, runbook, 1)
    assert ask(office, queries.one, runbook)[0].version == 1


def test_the_second_of_two_editors_hears_of_the_first_and_nothing_is_lost(office):
    runbook = save(office)
    save(office, runbook, 1, text="Hers.")
    with pytest.raises(RuleError) as refused:
        save(office, runbook, 1, by="Ada", text="His.")
    assert refused.value.fields == {
        "version": "Lena saved version 2 while you were writing. See what it says, then choose."
    }
    save(office, runbook, 2, by="Ada", text="His.")
    assert [ask(office, queries.text, runbook, version) for version in (2, 3)] == ["Hers.", "His."]


def test_editors_at_once_make_one_version(office):
    runbook = save(office)
    together = threading.Barrier(3)

    def press(number):
        together.wait(60)
        try:
            save(office, runbook, 1, by=("Lena", "Ada", "Lena")[number], text=f"Text {number}")
        except RuleError as error:
            return error.fields
        return None

    with ThreadPoolExecutor(3) as pool:
        refused = [fields for fields in pool.map(press, range(3)) if fields]
    assert [set(fields) for fields in refused] == [{"version"}] * 2
    assert ask(office, queries.one, runbook)[0].version == 2


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"name": " ", "text": ""}, {"name", "text"}),
        ({"name": "mail"}, {"name"}),
        ({"service_id": 999}, {"service_id"}),
        ({"category_pair_id": 999}, {"category_pair_id"}),
        ({"name": "x" * 121}, {"name"}),
        ({"text": "- [ ] a\n" * 51}, {"text"}),
    ],
)
def test_what_is_wrong_is_told_by_field(office, given, wrong):
    save(office)
    with pytest.raises(RuleError) as refused:
        save(office, **{"name": "Other"} | given)
    assert set(refused.value.fields) == wrong
    assert len(ask(office, queries.everything)) == 1


def test_what_was_archived_since_takes_no_save_away_but_is_not_chosen_anew(office):
    runbook = save(office, service_id=office.service)
    with writing(office.engine) as db:
        db.get_one(Service, office.service).archived_at = NOW
    save(office, runbook, 1, text="More.", service_id=office.service)
    with pytest.raises(RuleError):
        save(office, name="Other", service_id=office.service)


def test_archived_it_is_offered_no_longer_and_comes_back(office):
    runbook, incident = save(office), office.report()
    do(office, runbooks.archive, runbook, by="Ada")
    do(office, runbooks.archive, runbook, by="Ada")
    assert ask(office, queries.everything) == []
    assert [known.name for known in ask(office, queries.everything, archived=True)] == ["Mail"]
    assert parts(office, incident).offers == ()
    with pytest.raises(NotFound, match="archived meanwhile"):
        do(office, opened_runbooks.open_newest, incident, runbook)
    do(office, runbooks.restore, runbook, by="Lena")
    assert [offer.name for offer in parts(office, incident).offers] == ["Mail"]


def test_who_reads_and_who_writes(office):
    runbook = save(office)
    for who in ("Priya", "Dora", "Max", "Rita"):
        with pytest.raises(Forbidden):
            save(office, runbook, 1, by=who, text="x")
        for command in (runbooks.archive, runbooks.restore):
            with pytest.raises(Forbidden):
                do(office, command, runbook, by=who)
    for who in ("Max", "Rita"):
        for query, given in (
            (queries.everything, ()), (queries.one, (runbook,)), (queries.versions, (runbook,)),
            (queries.text, (runbook, 1)),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                ask(office, query, *given, by=who)


def test_the_one_that_names_most_is_offered_first_and_others_come_last(office):
    incident = office.report(service_id=office.service)
    office.perform(incident, "accept", "Lena", NOW, **office.triage)
    with writing(office.engine) as db:
        other = Service(name="Portal")
        db.add(other)
        db.flush()
        elsewhere = other.id
    save(office, name="Any")
    save(office, name="Elsewhere", service_id=elsewhere)
    save(office, name="Category", category_pair_id=office.pair)
    save(office, name="Service", service_id=office.service)
    save(office, name="Both", service_id=office.service, category_pair_id=office.pair)
    offers = parts(office, incident).offers
    assert [(offer.name, offer.suggested) for offer in offers] == [
        ("Both", True), ("Service", True), ("Category", True), ("Any", True), ("Elsewhere", False),
    ]  # fmt: skip
    assert parts(office, incident, "Rita") == room_parts.Parts()


def test_what_is_opened_stays_that_version_and_hears_of_a_newer_one(office):
    runbook, incident = save(office), office.report()
    version = office.incident(incident).version
    first = do(office, opened_runbooks.open_newest, incident, runbook)
    assert do(office, opened_runbooks.open_newest, incident, runbook, by="Lena") == first
    do(office, opened_runbooks.tick, incident, first, 1, True)
    save(office, runbook, 1, name="E-mail", text="- [ ] Only this")
    [one] = parts(office, incident).opened
    assert (one.name, one.version, one.newest, one.text, one.superseded) == ("Mail", 1, 2, STEPS, False)
    assert one.done == {1: (NOW, "Priya")}
    assert parts(office, incident).offers == []
    do(office, opened_runbooks.open_newest, incident, runbook, by="Lena")
    newer, older = parts(office, incident).opened
    assert (newer.version, newer.done, older.superseded, older.done) == (2, {}, True, {1: (NOW, "Priya")})
    assert told(office, incident) == [
        ("Priya", "opened the runbook 'Mail', version 1"),
        ("Priya", "did 'Call them' of the runbook 'Mail'"),
        ("Lena", "opened the runbook 'E-mail', version 2"),
    ]
    assert office.incident(incident).version == version, "ticking takes nobody's form away"


def test_steps_are_done_once_and_put_back(office):
    runbook, incident = save(office), office.report()
    opened = do(office, opened_runbooks.open_newest, incident, runbook)
    for who in ("Priya", "Lena"):
        do(office, opened_runbooks.tick, incident, opened, 0, True, by=who)
    assert parts(office, incident).opened[0].done == {0: (NOW, "Priya")}
    for _ in range(2):
        do(office, opened_runbooks.tick, incident, opened, 0, False, by="Lena")
    assert parts(office, incident).opened[0].done == {}
    assert [text for _, text in told(office, incident)][1:] == [
        "did 'Restart it' of the runbook 'Mail'",
        "put back 'Restart it' of the runbook 'Mail': still to do",
    ]


def test_two_who_tick_at_once_both_count(office):
    runbook, incident = save(office), office.report()
    opened = do(office, opened_runbooks.open_newest, incident, runbook)
    together = threading.Barrier(4)

    def press(pressed):
        together.wait(60)
        do(office, opened_runbooks.tick, incident, opened, pressed[0], True, by=pressed[1])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(press, [(0, "Priya"), (1, "Lena"), (0, "Dora"), (1, "Sam")]))
    assert set(parts(office, incident).opened[0].done) == {0, 1}
    assert len(told(office, incident)) == 3


def test_what_there_is_not_is_not_ticked(office):
    runbook, incident, other = save(office), office.report(), office.report()
    opened = do(office, opened_runbooks.open_newest, incident, runbook)
    for number, which, position in (
        (incident, opened, 2),
        (incident, opened, -1),
        (other, opened, 0),
        (incident, 99, 0),
    ):
        with pytest.raises(NotFound):
            do(office, opened_runbooks.tick, number, which, position, True)


def test_there_is_an_end_to_what_is_open(office, monkeypatch):
    monkeypatch.setattr(opened_runbooks, "MOST", 1)
    incident = office.report()
    do(office, opened_runbooks.open_newest, incident, save(office))
    with pytest.raises(RuleError, match="At most 1"):
        do(office, opened_runbooks.open_newest, incident, save(office, name="Other"))


@pytest.mark.parametrize(
    ("who", "refusal"), [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden), ("Ada", NotFound)]
)
def test_those_who_do_not_work_on_it_open_and_tick_nothing(office, who, refusal):
    runbook, incident = save(office), office.report()
    opened = do(office, opened_runbooks.open_newest, incident, runbook)
    with pytest.raises(refusal):
        do(office, opened_runbooks.open_newest, incident, runbook, by=who)
    with pytest.raises(refusal):
        do(office, opened_runbooks.tick, incident, opened, 0, True, by=who)
    assert [one.name for one in parts(office, incident, "Max").opened] == ["Mail"]


def test_a_restricted_incident_keeps_its_runbooks_to_its_own(office):
    runbook, incident = save(office), office.report()
    opened = do(office, opened_runbooks.open_newest, incident, runbook)
    office.perform(incident, "accept", "Lena", NOW, **office.triage, restricted=True)
    with pytest.raises(NotFound):
        do(office, opened_runbooks.tick, incident, opened, 0, True, by="Sam")
    do(office, opened_runbooks.tick, incident, opened, 0, True)
