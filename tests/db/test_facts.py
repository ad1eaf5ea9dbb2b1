"""The columns that trends count are the incidents as they are, whatever changed, was packed or rolled back."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.sql import visitors

from db.commands import facts as packing
from db.engine import reading, writing
from db.models import FactBlock, FactChange, Incident
from db.queries import columns, facts
from db.queries.columns import view
from db.verify import measured
from db.verify.findings import Findings
from worker.facts import EVERY, MANY, Packer

START = datetime(2026, 3, 1, tzinfo=UTC)


def put(db, number, **values):
    base = {"number": f"T{number}", "title": "t", "changed_at": START, "rank_at": START, "reported_at": START}
    incident = Incident(**base | values)
    db.add(incident)
    db.flush()
    return incident.id


def seen(db, hidden=(), **wanted):
    """Every fact of every incident that is in view, by id."""
    found = view(db, list(hidden), wanted)
    parts = [(part.columns, np.flatnonzero(part.everyone)) for part in found.parts]
    together = {name: np.concatenate([held[name][places] for held, places in parts]) for name in facts.KINDS}
    by_id = np.argsort(together["id"])
    return {name: column[by_id].tolist() for name, column in together.items()}


def truth(db):
    return {name: column.tolist() for name, column in facts.between(db, 0, 10**9).items()}


@pytest.mark.parametrize("chance", range(12))
def test_the_columns_are_the_incidents_after_any_changes_and_packings(engine, short, chance):
    rng = random.Random(chance)
    with writing(engine) as db:
        ids = [put(db, number) for number in range(rng.randrange(1, 30))]
    for step in range(14):
        what = rng.choice(("change", "change", "add", "remove", "pack", "pack", "rolled back"))
        if what == "rolled back":
            with pytest.raises(RuntimeError), writing(engine) as db:
                db.execute(update(Incident).values(state="cancelled"))
                assert seen(db)["counted"] == truth(db)["counted"], "inside the transaction"
                raise RuntimeError
        with writing(engine) as db:
            if what == "change" and ids:
                at = START + timedelta(hours=rng.randrange(900))
                chosen = rng.sample(ids, rng.randrange(1, len(ids) + 1))
                db.execute(update(Incident).where(Incident.id.in_(chosen)).values(state="resolved", resolved_at=at))
            elif what == "add":
                ids += [put(db, f"{step}.{number}") for number in range(rng.randrange(1, 9))]
            elif what == "remove" and ids:
                db.execute(delete(Incident).where(Incident.id == ids.pop(rng.randrange(len(ids)))))
            elif what == "pack":
                packing.pack(db, rng.choice((1, 3, 99)))
        with reading(engine) as db:
            assert seen(db) == truth(db), (step, what)
            findings = Findings()
            measured.check(db, findings)
            assert findings.first == []
    with writing(engine) as db:
        packing.pack(db, 99)
        assert packing.behind(db, 1) == []
        assert db.scalar(select(func.count()).select_from(FactChange)) == 0


def test_moments_are_cut_and_counted_as_they_lie_wherever_the_incidents_stand(engine, short):
    with writing(engine) as db:
        ids = [put(db, number, reported_at=START + timedelta(hours=number)) for number in range(12)]
        packing.pack(db, 99)
    with writing(engine) as db:
        db.execute(update(Incident).where(Incident.id.in_(ids[3:5])).values(resolved_at=START + timedelta(hours=7)))
    with reading(engine) as db:
        found = view(db, [ids[6]], {})
        hours = [START + timedelta(hours=number) for number in (0, 4, 99)]
        assert found.before("reported", hours) == [0, 4, 11]
        assert found.before("resolved", hours) == [0, 0, 2]
        assert sorted(found.between("reported", hours[0], hours[1])["id"].tolist()) == ids[:4]
        assert sorted(found.between("resolved", hours[1], hours[2])["id"].tolist()) == ids[3:5]


def test_the_newest_incidents_are_gone_when_they_were_removed_and_packed(engine, short):
    with writing(engine) as db:
        ids = [put(db, number) for number in range(12)]
    with reading(engine) as db:
        assert len(seen(db)["id"]) == 12
    with writing(engine) as db:
        db.execute(delete(Incident).where(Incident.id > ids[2]))
        packing.pack(db, 99)
    with reading(engine) as db:
        assert seen(db)["id"] == ids[:3]


def test_hidden_ones_and_those_that_a_filter_leaves_out_are_not_in_view(engine, short):
    with writing(engine) as db:
        ids = [put(db, number, priority=1 + number % 2) for number in range(12)]
        packing.pack(db, 1)
    with reading(engine) as db:
        assert seen(db, hidden=[ids[0], ids[7], 10**6])["id"] == [*ids[1:7], *ids[8:]]
        assert seen(db, hidden=[ids[0]], priority=[1])["id"] == ids[2::2]


def test_a_change_of_anything_that_is_measured_is_noted_whoever_makes_it(engine):
    named = {
        element.name
        for column, _ in facts._ALL.values()
        for element in visitors.iterate(column)
        if getattr(element, "table", None) is Incident.__table__
    }
    assert {"state", "resolved_at", "done_at", "handovers"} < named
    named = (named - {"id", "done_at"}) | {"cancelled_at", "closed_at"}
    with writing(engine) as db:
        put(db, 1)
    for name in sorted(named):
        with writing(engine) as db:
            db.execute(delete(FactChange))
            db.execute(text(f"update incident set {name} = {name}"))
            assert db.scalar(select(func.count()).select_from(FactChange)) == 1, name


def test_what_was_packed_by_other_definitions_is_not_used_and_packed_anew(engine):
    with writing(engine) as db:
        put(db, 1)
        packing.pack(db)
        db.execute(update(FactBlock).values(shape="other", content=b"nonsense"))
    with reading(engine) as db:
        assert seen(db) == truth(db)
        assert packing.behind(db, 5) == [0]
    with writing(engine) as db:
        assert packing.pack(db) == 1
    with reading(engine) as db:
        assert seen(db) == truth(db)


def test_verify_names_what_the_copy_says_wrongly(engine):
    with writing(engine) as db:
        put(db, 1)
        put(db, 2, priority=2)
        packing.pack(db)
        held = db.get_one(FactBlock, 0)
        spoilt = {name: column.copy() for name, column in facts.unpacked(held.content).items()}
        spoilt["priority"][1] = 3
        held.content = facts.packed(spoilt)
    findings = Findings()
    with reading(engine) as db:
        assert measured.check(db, findings) == 1
    assert findings.first == ["The packed copy that trends count says something else than incident T2 itself."]


def test_the_worker_packs_when_many_changed_or_after_a_while(engine):
    packer, now = Packer(), START
    packer.tick(now, engine)
    with writing(engine) as db:
        put(db, "a")
        packing.pack(db)
        put(db, "b")
    packer.tick(now + EVERY / 2, engine)
    with reading(engine) as db:
        assert columns.noted(db, 9) == 1
    packer.tick(now + EVERY, engine)
    with reading(engine) as db:
        assert columns.noted(db, 9) == 0
    with writing(engine) as db:
        for number in range(MANY):
            put(db, number)
    packer.tick(now + EVERY * 1.1, engine)
    with reading(engine) as db:
        assert columns.noted(db, 9) == 0
