"""The packed steps are those that the timelines tell, whatever was told, packed or rolled back since."""

import random
from dataclasses import replace
from functools import partial
from itertools import count, pairwise

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update

from db.commands import corrections, tiers, undo
from db.commands import facts as packing
from db.engine import reading, writing
from db.models import FactBlock, FactChange, Incident, StepBlock, Template, TimelineEntry
from db.queries import steps, travel, walked
from db.verify import measured
from db.verify.findings import Findings
from rules.access import SYSTEM
from rules.measures import Filters
from rules.periods import Period
from rules.states import STATES
from tests.db.imported import sample_rows, take, written
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.travelled import Step, put


def by_incident(found):
    """Incident -> what its steps are, as far as it has any."""
    ends = np.cumsum(found.counts)
    rows = list(zip(found.at.tolist(), found.state.tolist(), found.team.tolist(), strict=True))
    spans = zip(found.ids.tolist(), pairwise([0, *ends.tolist()]), strict=True)
    return {incident: rows[begin:end] for incident, (begin, end) in spans if begin < end}


def seen(db):
    return by_incident(walked.read(db, np.array(db.scalars(select(Incident.id).order_by(Incident.id)).all(), np.int64)))


def truth(db):
    return by_incident(steps.between(db, 0, 10**9))


def tell(db, incident_id, at, state, **more):
    values = {"incident_id": incident_id, "at": at, "recorded_at": at, "kind": "change", "text": "t", "to_state": state}
    db.execute(insert(TimelineEntry.__table__), [values | more])


def work(db, rng, ids, at):
    """Something happens to one incident, as commands write it: the incident where it changes, and always an entry."""
    incident = db.get_one(Incident, rng.choice(ids))
    state, team = rng.choice((incident.state, *STATES)), rng.choice((incident.team_id, 1, 2, None))
    former = {"from_state": incident.state, "from_team_id": incident.team_id}
    incident.state, incident.team_id, incident.version = state, team, incident.version + 1
    db.flush()
    kind = rng.choice(("change", "change", "change", "undo", "merge", "unmerge"))
    named = rng.choice((team, team, 3))  # a proposed team is named without being given
    tell(db, incident.id, at, state, **former, kind=kind, to_team_id=named, version=incident.version)


@pytest.mark.parametrize("chance", range(5))
def test_they_are_what_the_timelines_tell_after_any_work_and_packings(engine, short, chance):
    rng = random.Random(chance)
    ids = list(range(1, 4 + 5 * chance))
    put(engine, [[Step(MONDAY, "new")] for _ in ids])
    for number in range(16):
        what, at = rng.choice(("work", "work", "come", "pack", "pack", "rolled back")), MONDAY + number * HOUR
        if what == "rolled back":
            with pytest.raises(RuntimeError), writing(engine) as db:
                work(db, rng, ids, at)
                packing.pack(db, 99)
                assert seen(db) == truth(db), "inside the transaction"
                raise RuntimeError
        elif what == "come":
            put(engine, [[Step(at, "new"), Step(at + HOUR, rng.choice(STATES), 2)]], first_id=len(ids) + 1)
            ids.append(len(ids) + 1)
        with writing(engine) as db:
            if what == "work":
                for _ in range(rng.randrange(1, 4)):
                    work(db, rng, ids, at)
            elif what == "pack":
                packing.pack(db, rng.choice((1, 3, 99)))
        with reading(engine) as db:
            assert seen(db) == truth(db), (number, what)
            assert wrong(db) == []


def wrong(db):
    findings = Findings()
    measured.check(db, findings)
    return findings.first


def test_whatever_is_done_to_an_incident_is_noted_although_it_was_packed_before(engine):
    office = Office(engine)
    servers, clock = office.teams["Servers"], count(10)
    slip, repeats, goes_on = office.report(), office.bring_to("assigned"), office.bring_to("in_progress")
    with writing(engine) as db:
        db.add(Template(id=1, name="Printer", team_id=servers))
    asked = office.report(template_id=1)

    def do(incident, action, by, **given):
        office.perform(incident, action, by, MONDAY + next(clock) * HOUR, **given)

    def take_back(incident, by):
        with writing(engine) as db:
            version = db.get_one(Incident, incident).version
            now = MONDAY + (next(clock) - 1) * HOUR
            undo.undo(db, incident, version, actor=office.people[by], now=now)

    def amend(command, *given):
        with writing(engine) as db:
            command(db, *given, actor=office.people["Lena"], now=MONDAY + next(clock) * HOUR)

    hold = {"hold_reason": "vendor", "hold_until": MONDAY + 30 * DAY}
    hand_over = {"team_id": servers, "reason": "It is the server."}
    for done in (
        partial(do, slip, "accept", "Lena", **office.triage),
        partial(take_back, slip, "Lena"),
        partial(do, slip, "accept", "Lena", **office.triage),
        partial(do, slip, "acknowledge", "Priya"),
        partial(do, slip, "hold", "Priya", **hold),
        partial(do, slip, "hold", "Priya", **hold | {"hold_until": MONDAY + 40 * DAY}),
        partial(take_back, slip, "Priya"),
        partial(do, slip, "assign", "Priya", **hand_over),
        partial(do, slip, "assign", "Lena", **hand_over, assignee_id=office.people["Sam"].id),
        partial(amend, corrections.correct, slip, None, {"started_at": MONDAY - HOUR}, "It began before."),
        partial(amend, tiers.set_vendor, asked, None, "Acme", "7"),
        partial(do, repeats, "merge", "Lena", duplicate_of_id=goes_on),
        partial(do, repeats, "unmerge", "Lena"),
        partial(do, asked, "cancel", "Lena", reason="It works."),
    ):
        with writing(engine) as db:
            packing.pack(db, 99)
        done()
        with reading(engine) as db:
            assert db.scalar(select(func.count()).select_from(FactChange)) > 0, done
            assert seen(db) == truth(db), done


def test_a_team_that_is_only_named_is_a_step_that_is_seen(engine):
    put(engine, [[Step(MONDAY, "new")]])
    with writing(engine) as db:
        packing.pack(db)
        tell(db, 1, MONDAY + HOUR, "new", from_state="new", to_team_id=2)
    with reading(engine) as db:
        assert [team for _, _, team in seen(db)[1]] == [steps.NOBODY, 2]


def test_what_another_import_adds_is_seen(engine, tmp_path):
    rows = sample_rows()
    take(engine, written(tmp_path / "first.csv", rows[: len(rows) // 2]), zone="UTC", dry_run=False)
    with writing(engine) as db:
        assert packing.pack(db, 99) > 0
        before = truth(db)
    take(engine, written(tmp_path / "whole.csv", rows), zone="UTC", dry_run=False)
    with reading(engine) as db:
        after = truth(db)
        assert sum(before.get(incident, after) != walked for incident, walked in after.items()) > 0
        assert any(after[incident] != before[incident] for incident in before), "what was there went on"
        assert seen(db) == after


def test_what_changes_neither_state_nor_team_is_no_step(engine):
    at = [MONDAY + number * HOUR for number in range(5)]
    put(
        engine,
        [[Step(at[0], "new"), Step(at[1], "new", 1), Step(at[2], "new"), Step(at[3], "closed"), Step(at[4], "closed")]],
    )
    with reading(engine) as db:
        new, closed = STATES.index("new"), STATES.index("closed")
        assert [step[1:] for step in truth(db)[1]] == [(new, steps.NOBODY), (new, 1), (closed, 1)]


@pytest.mark.parametrize(
    ("model", "spoilt"), [(StepBlock, {"shape": "other"}), (StepBlock, {"made": 7}), (FactBlock, {"made": 7})]
)
def test_what_was_packed_by_other_definitions_or_without_the_facts_is_not_used_and_packed_anew(engine, model, spoilt):
    put(engine, [[Step(MONDAY, "new"), Step(MONDAY + HOUR, "closed", 1)]])
    with writing(engine) as db:
        packing.pack(db)
        assert packing.behind(db, 5) == []
        db.execute(update(model).values(spoilt))
        db.execute(update(StepBlock).values(content=b"nonsense"))
    with reading(engine) as db:
        assert seen(db) == truth(db)
        assert packing.behind(db, 5) == [0]
    with writing(engine) as db:
        assert packing.pack(db) == 1
        assert packing.behind(db, 5) == []
    with reading(engine) as db:
        assert seen(db) == truth(db)
        assert wrong(db) == []


def test_verify_names_whose_steps_the_copy_tells_wrongly(engine):
    history = [Step(MONDAY, "new"), Step(MONDAY + HOUR, "closed", 1)]
    put(engine, [history, history, history, history])
    with writing(engine) as db:
        packing.pack(db)
        held = db.get_one(StepBlock, 0)
        told = steps.unpacked(held.content)
        at, team = told.at.copy(), told.team.copy()
        at[3] += 1
        team[4] = 2
        missing = told.of(np.array([1, 2, 3]))
        held.content = steps.packed(replace(missing, at=at[:6], team=team[:6]))
    with reading(engine) as db:
        assert wrong(db) == [
            f"The packed copy of steps says something else than the timeline of incident T{number}."
            for number in (2, 3, 4)
        ]
    with writing(engine) as db:
        for number in (2, 3, 4):
            db.execute(update(Incident).where(Incident.id == number).values(state="closed"))
    with reading(engine) as db:
        assert wrong(db) == [], "they were noted as changed since"


def test_the_blocks_of_a_period_are_read_once_and_others_not_at_all(engine, short, monkeypatch):
    put(engine, [[Step(MONDAY + number * DAY, "new")] for number in range(12)])
    with writing(engine) as db:
        packing.pack(db, 99)
    opened = []
    monkeypatch.setattr(
        steps, "unpacked", lambda content, as_it_is=steps.unpacked: opened.append(1) or as_it_is(content)
    )
    for expected in (1, 1):
        with reading(engine) as db:
            found = travel.read(db, SYSTEM, Period(MONDAY, MONDAY + 3 * DAY, None), Filters())
        assert found.ids.tolist() == [1, 2, 3]
        assert len(opened) == expected
