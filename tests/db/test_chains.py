"""The chains over timelines and audit: kept by everything that writes, and broken by whoever tampers, who is found."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from db import chains
from db.commands import audit, conversation, relations
from db.engine import reading, writing
from db.models import AuditEntry, Incident, TimelineEntry
from db.verify import anchors, invariants, problems, records
from db.verify.findings import Findings
from rules import chain
from rules.access import SYSTEM
from tests.db.imported import take
from tests.db.office import DAY, HOUR, MONDAY, Office

HERE = chains.present_key()


def verified(engine, *given, keys=(HERE,)):
    """(what is wrong, the anchor of what is there)"""
    upto, findings = records.settled(engine), Findings()
    with reading(engine) as db:
        records.one_moment(db)
        found = records.check(db, {key.name: key for key in keys}, upto, given, findings)
        invariants.check(db, found, findings)
        problems.check(db, findings)
    return findings.first, found.anchor


@pytest.fixture
def office(engine):
    return Office(engine)


@pytest.fixture
def tampering(engine):
    """Runs SQL as an administrator of the database could: without the triggers that refuse changes."""
    with writing(engine) as db:
        for table in ("timeline_entry", "audit_entry"):
            if engine.dialect.name == "sqlite":
                db.execute(text(f"drop trigger {table}_no_update"))
                db.execute(text(f"drop trigger {table}_no_delete"))
            else:
                db.execute(text(f"drop trigger {table}_append_only on {table}"))

    def run(*statements, **values):
        with writing(engine) as db:
            for statement in statements:
                db.execute(text(statement), values)

    return run


def note(office, subject, after=None):
    with writing(office.engine) as db:
        audit.record(db, office.people["Ada"], MONDAY, "person changed", subject, {"roles": ["lead"]}, after)


def test_everything_that_is_done_is_chained(office):
    one, other = office.bring_to("closed"), office.bring_to("on_hold")
    office.comment(other, "Any news?", "Rita", MONDAY + 4 * HOUR)
    note(office, "Priya")
    take(office.engine)
    with reading(office.engine) as db:
        assert db.scalars(select(TimelineEntry.id).where(TimelineEntry.hash.is_(None))).all() == []
        assert db.scalars(select(AuditEntry.id).where(AuditEntry.hash.is_(None))).all() == []
        assert db.get_one(Incident, one).chain != db.get_one(Incident, other).chain
    assert verified(office.engine)[0] == []


TAMPERED = {
    "words changed": ["update timeline_entry set detail = 'Never mind.' where id = :third"],
    "another actor": ["update timeline_entry set actor_name = 'Otto' where id = :third"],
    "another moment": ["update timeline_entry set at = at - 1 where id = :third"],
    "shown to the reporter": ["update timeline_entry set public = not public where id = :third"],
    "one removed from the middle": ["delete from timeline_entry where id = :third"],
    "two exchanged": [
        "update timeline_entry set id = -1 where id = :third",
        "update timeline_entry set id = :third where id = :fourth",
        "update timeline_entry set id = :fourth where id = -1",
    ],
    "one told of another incident": ["update timeline_entry set incident_id = :other where id = :third"],
    "its hash taken away": ["update timeline_entry set hash = null where id = :third"],
    "one inserted": [
        "insert into timeline_entry (incident_id, at, recorded_at, actor_name, kind, text, detail, public, imported, "
        "hash) select incident_id, at, recorded_at, actor_name, kind, text, 'forged', public, imported, hash "
        "from timeline_entry where id = :third"
    ],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_done_to_a_timeline_is_found_where_it_was_done(office, tampering, how):
    bystander, target = office.report("Something else"), office.bring_to("in_progress")
    for number in range(3):
        office.comment(target, f"Comment {number}", "Priya", MONDAY + DAY + number * HOUR)
    office.comment(bystander, "Quiet here", "Priya", MONDAY + DAY)
    third, fourth = [entry.id for entry in office.timeline(target)][2:4]
    tampering("delete from timeline_text" if office.engine.dialect.name == "postgresql" else "select 1")
    tampering(*TAMPERED[how], third=third, fourth=fourth, other=bystander)
    said, _ = verified(office.engine)
    numbers = [office.incident(each).number for each in (target, bystander)]
    broken = [sentence for sentence in said if "timeline breaks at" in sentence]
    assert broken, said
    assert any(sentence.startswith(numbers[0]) for sentence in broken)
    if how != "one told of another incident":
        assert not any(sentence.startswith(numbers[1]) for sentence in said)
    place = {"one removed from the middle": fourth, "one inserted": None}.get(how, third)
    if place is not None:
        assert any(f"(entry {place})" in sentence for sentence in broken)


def test_the_newest_entry_cannot_be_cut_off_unseen(office, tampering):
    target = office.bring_to("in_progress")
    tampering("delete from timeline_entry where id = :id", id=office.timeline(target)[-1].id)
    said, _ = verified(office.engine)
    assert any("entries are missing" in sentence for sentence in said)


def test_an_anchor_finds_what_was_cut_off_with_care(office, tampering):
    """Whoever moves incident.chain back as well leaves whole chains behind; only the anchor knows."""
    target = office.report()
    office.comment(target, "A first word", "Priya")
    office.comment(target, "What must not have been said", "Priya")
    note(office, "Priya")
    note(office, "Sam")
    said, anchor = verified(office.engine)
    assert said == []
    last, before = office.timeline(target)[-1], office.timeline(target)[-2]
    tampering("delete from timeline_text" if office.engine.dialect.name == "postgresql" else "select 1")
    tampering(
        "delete from timeline_entry where id = :id", "update incident set chain = :chain", id=last.id, chain=before.hash
    )
    assert verified(office.engine)[0] == []
    (found,), _ = verified(office.engine, anchor)
    assert f"covers {anchor.entries:,} timeline entries" in found
    with reading(office.engine) as db:
        first, second = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    tampering(
        "delete from audit_entry where id = :id",
        "update chain_head set hash = :hash, entries = 1 where name = 'audit'",
        id=second.id,
        hash=first.hash,
    )
    assert verified(office.engine)[0] == []
    said, _ = verified(office.engine, anchor)
    assert any("covers 2 audit entries" in sentence for sentence in said)


def test_an_anchor_stays_true_while_work_goes_on(office):
    target = office.report()
    note(office, "Priya")
    _, anchor = verified(office.engine)
    office.comment(target, "More", "Priya")
    office.report("Another")
    note(office, "Sam")
    said, later = verified(office.engine, anchor)
    assert said == []
    assert later != anchor
    assert anchors.read(f"{anchor}\n{later}") == [anchor, later]


def test_old_entries_have_no_hash_and_are_covered_by_anchors(office, tampering):
    target = office.report()
    tampering(
        "update timeline_entry set hash = null", "update incident set chain = null",
        "update chain_head set entries = (select max(id) from timeline_entry) where name = 'unsealed timeline'",
    )  # fmt: skip
    office.comment(target, "From now on it is chained", "Priya")
    said, anchor = verified(office.engine)
    assert said == []
    tampering("update timeline_entry set text = 'reported nothing' where hash is null")
    assert verified(office.engine)[0] == []
    (found,), _ = verified(office.engine, anchor)
    assert "not those that the anchor was made of" in found


AUDITED = {
    "changed": ["update audit_entry set subject = 'Somebody' where id = :second"],
    "before changed": ["update audit_entry set before = null where id = :second"],
    "removed": ["delete from audit_entry where id = :second"],
    "cut off": ["delete from audit_entry where id = :third"],
    "without a hash": ["update audit_entry set hash = null where id = :second"],
    "forged": [
        "insert into audit_entry (at, actor_name, action, subject, hash) values (1, 'Ada', 'forged', 'x', :forged)"
    ],
    "head removed": ["delete from chain_head where name = 'audit'"],
}


@pytest.mark.parametrize("how", AUDITED)
def test_what_was_done_to_the_audit_is_found(office, tampering, how):
    for name in ("Priya", "Sam", "Devi"):
        note(office, name, {"share": 0.5, "hours": 2.0, "zeta": 1, "alpha": [1, {"b": None}]})
    assert verified(office.engine)[0] == []
    with reading(office.engine) as db:
        ids = db.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).all()
    forged = chain.link(chain.key_of(b"guessed"), chain.START, [])
    tampering(*AUDITED[how], second=ids[1], third=ids[2], forged=HERE.name + forged[4:])
    said, _ = verified(office.engine)
    assert any("audit" in sentence for sentence in said)
    if how in ("changed", "before changed", "without a hash"):
        assert f"(entry {ids[1]})" in said[0]


def test_only_the_newest_of_a_long_audit_are_looked_at_when_asked(office, tampering):
    for number in range(6):
        note(office, f"Person {number}")
    with reading(office.engine) as db:
        ids = db.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).all()
    tampering("update audit_entry set subject = 'x' where id = :id", id=ids[1])
    found = {}
    for newest in (3, 6):
        findings = Findings()
        with reading(office.engine) as db:
            records.audit(db, {HERE.name: HERE}, findings, newest=newest)
        found[newest] = findings.count
    assert found == {3: 0, 6: 1}


def test_another_secret_key_is_said_to_be_another(office, monkeypatch):
    target = office.report()
    with monkeypatch.context() as other:
        other.setattr(chains, "present_key", lambda: chain.key_of(b"the next key"))
        office.comment(target, "With the next key", "Priya")
    (said,), _ = verified(office.engine)
    assert said.startswith("Entries that were hashed with another SECRET_KEY")
    assert verified(office.engine, keys=(HERE, chain.key_of(b"the next key")))[0] == []


def test_many_who_write_at_once_leave_whole_chains(office):
    """Comments on one incident, on the whole that it is part of, merges both ways, and audit entries: all at once."""
    larger, part, twin = office.bring_to("assigned"), office.bring_to("assigned"), office.report()
    with writing(office.engine) as db:
        relations.set_parent(db, part, None, larger, actor=office.people["Lena"], now=MONDAY)
    together = threading.Barrier(8)

    def work(number):
        together.wait(60)
        for turn in range(4):
            at = MONDAY + DAY + timedelta(minutes=turn)
            if number in (0, 1):
                office.comment(larger, f"To all {number} {turn}", "Priya", at)
            elif number in (2, 3):
                office.comment(part, f"Here {number} {turn}", "Lena", at)
            elif number in (4, 5):
                note(office, f"Person {number} {turn}")
            elif number == 6:
                with writing(office.engine) as db:
                    whole = larger if turn % 2 else None
                    relations.set_parent(db, part, None, whole, actor=office.people["Lena"], now=at)
            elif turn % 2 == 0:
                office.perform(twin, "merge", "Lena", at, duplicate_of_id=larger)
            else:
                office.perform(twin, "unmerge", "Lena", at)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert verified(office.engine)[0] == []
    assert len([entry for entry in office.timeline(larger) if entry.kind == "comment"]) == 8


def test_what_is_rolled_back_halfway_leaves_the_chain_as_it_was(office):
    target = office.report()
    with writing(office.engine) as db:
        conversation.comment(db, target, "Stays", public=True, actor=office.people["Priya"], now=MONDAY)
        with pytest.raises(ZeroDivisionError), db.begin_nested():
            conversation.comment(db, target, "Goes", public=True, actor=office.people["Priya"], now=MONDAY)
            db.flush()
            raise ZeroDivisionError
        conversation.comment(db, target, "Stays too", public=True, actor=office.people["Priya"], now=MONDAY)
    assert [entry.detail for entry in office.timeline(target)[1:]] == ["Stays", "Stays too"]
    assert verified(office.engine)[0] == []


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aäBz \"\\'", max_size=5), inner, max_size=4),
    max_leaves=10,
)


def test_any_values_hash_the_same_after_they_were_stored(office):
    engine = office.engine

    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.dictionaries(st.text("abc", min_size=1), values, max_size=4), min_size=1, max_size=6))
    def stored(many):
        with writing(engine) as db:
            for each in many:
                audit.record(db, SYSTEM, MONDAY, "settings changed", "x", each, {"after": each})
        findings = Findings()
        with reading(engine) as db:
            records.audit(db, {HERE.name: HERE}, findings)
        assert findings.first == []

    stored()
