"""A change of policies on its way through the open incidents: previewed, applied in batches, nothing lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from db.commands import incidents, policies
from db.engine import make_engine, reading, writing
from db.models import Assignment, Incident, TimelineEntry
from db.queries import settings as queries
from db.queries import triage
from rules.errors import RuleError
from rules.sla import due_at
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.test_settings import FASTER, NAMED, TARGETS, change, edited, known, preview
from worker import policies as worker

NOON = MONDAY + 3 * HOUR
MATRIX = queries.DEFAULTS["priority.matrix"]


@pytest.fixture
def office(engine):
    made = Office(engine)
    change(made, NAMED)
    return made


def apply(office, values, now=NOON, most=policies.BATCH):
    """Change and apply to the end; what the last batch said."""
    change(office, values, now=now)
    return go_on(office, now, most)


def go_on(office, now=NOON, most=policies.BATCH):
    for _ in range(1000):
        with writing(office.engine) as db:
            progress = policies.apply_some(db, now, most)
        if progress.done:
            return progress
    raise AssertionError("it does not come to an end")


def everything(office):
    with reading(office.engine) as db:
        columns = [column for column in Incident.__table__.columns if column.name != "changed_at"]
        return [tuple(row) for row in db.execute(select(*columns).order_by(Incident.id))]


def entries(office):
    with reading(office.engine) as db:
        return db.scalar(select(func.count()).select_from(TimelineEntry))


def told(office, incident):
    return [entry for entry in office.timeline(incident) if entry.text.startswith("changed the settings")]


def test_a_preview_says_what_would_move_and_writes_nothing(office):
    moved = office.report("P3", scope="team", effect="partly")
    office.report("P4", scope="team", effect="some")
    before, count = everything(office), entries(office)
    late = MONDAY + 9 * HOUR
    found = preview(office, FASTER, now=late)
    assert (found.open, found.moved, found.due, found.priority, found.late, found.saved) == (2, 1, 1, 0, 1, 0)
    (move,) = found.biggest
    assert move.number == office.incident(moved).number
    assert move.due == (MONDAY + timedelta(days=2, hours=8), MONDAY + 8 * HOUR)
    assert move.late == (False, True)
    assert (everything(office), entries(office)) == (before, count)


def test_what_was_previewed_is_what_is_applied(office):
    for number in range(6):
        office.report(f"One {number}", scope=("me", "team", "site")[number % 3], effect=("some", "stopped")[number % 2])
    values = FASTER | {"priority.matrix": MATRIX | {"13": 2, "31": 2}}
    now = MONDAY + 9 * HOUR
    found = preview(office, values, now=now)
    said = {move.number: move for move in found.biggest}
    before = {row.number: row.priority for row in rows(office)}
    progress = apply(office, values, now)
    assert (progress.seen, progress.moved, progress.late) == (found.open, found.moved, found.late)
    assert found.moved >= 2
    assert found.priority == sum(before[row.number] != row.priority for row in rows(office)) > 0
    for row in rows(office):
        if row.number in said:
            assert (row.priority, row.resolution_due_at) == (said[row.number].priority[1], said[row.number].due[1])
    again = preview(office, values | {"rank.head_starts": queries.DEFAULTS["rank.head_starts"] | {"risk": 1}}, now=now)
    assert (again.moved, again.place) == (0, 0)


def rows(office):
    with reading(office.engine) as db:
        return list(db.scalars(select(Incident).order_by(Incident.id)))


def test_places_in_the_queue_are_previewed(office):
    office.report("P3 first", scope="team", effect="partly")
    office.report("P2 second", scope="site", effect="partly")
    starts = queries.DEFAULTS["rank.head_starts"]
    found = preview(office, {"rank.head_starts": starts | {"priority": starts["priority"] | {"3": 40 * 86_400}}})
    assert (found.moved, found.place) == (0, 2)
    assert {move.place for move in found.biggest} == {(1, 2), (2, 1)}


def test_the_sentence_that_explains_the_rank_tells_the_head_starts_as_they_are_set(office):
    office.report("P3", scope="team", effect="partly")
    starts = queries.DEFAULTS["rank.head_starts"]

    def why():
        with reading(office.engine) as db:
            return triage.queue(db, office.people["Lena"], triage.Filters(), 1, NOON).lines[0].why(NOON, "UTC")

    assert "1 d ahead as P3" in why()
    apply(office, {"rank.head_starts": starts | {"priority": starts["priority"] | {"3": 12 * 3600}}})
    assert "12 h ahead as P3" in why()


def test_applying_keeps_pauses_and_the_first_promise_moves_timers_and_tells_it(office):
    incident = office.bring_to("in_progress")  # P3, reported at nine on Monday
    office.perform(incident, "hold", "Priya", NOON, hold_reason="vendor", hold_until=MONDAY + DAY)
    office.perform(incident, "resume", "Priya", NOON + 2 * HOUR)
    before = office.incident(incident)
    progress = apply(office, FASTER, NOON + 2 * HOUR)
    after = office.incident(incident)
    assert (progress.seen, progress.moved, progress.late) == (1, 1, 0)
    assert after.resolution_due_at == MONDAY + DAY + 2 * HOUR  # eight hours and the two of the pause
    assert after.first_resolution_due_at == before.first_resolution_due_at == MONDAY + timedelta(days=2, hours=8)
    assert after.version == before.version
    assert after.changed_at == before.changed_at
    assert {kind: timer.due_at for kind, timer in office.timers(incident).items()} == {
        "resolution_warning": after.resolution_warn_at,
        "resolution_breach": after.resolution_due_at,
        "ola_warning": MONDAY
        + 6 * HOUR,  # the team has had it since ten o'clock: three of its four hours, and the pause
        "ola_breach": MONDAY + 7 * HOUR,
    }
    (entry,) = told(office, incident)
    assert (entry.actor_name, entry.kind, entry.public) == ("Ada", "sla", False)
    assert entry.text.endswith("to resolve by 3 Mar 2026, 11:00 UTC")
    assert entry.changes["resolution_due_at"] == [
        before.resolution_due_at.isoformat(),
        after.resolution_due_at.isoformat(),
    ]


def test_another_matrix_moves_the_priority_of_those_who_followed_it(office):
    follows, came = office.report(scope="team", effect="partly"), office.report(scope="team", effect="partly")
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id == came).values(priority=5, imported=True))
    apply(office, {"priority.matrix": MATRIX | {"22": 2}})
    assert (office.incident(follows).priority, office.incident(came).priority) == (2, 5)
    (entry,) = told(office, follows)
    assert entry.kind == "prioritise"
    assert "P2 High instead of P3" in entry.text
    assert entry.changes["priority"] == [3, 2]


@pytest.mark.parametrize("state", ["resolved", "recovered", "closed", "cancelled"])
def test_what_is_no_longer_open_stays_as_it_was(office, state):
    incident = office.bring_to(state)
    before = everything(office)
    assert apply(office, FASTER).moved == 0
    assert everything(office) == before
    assert told(office, incident) == []


def test_what_is_paused_does_not_become_late(office):
    incident = office.bring_to("on_hold")  # for a vendor, from twelve on Monday
    found = preview(office, FASTER, now=MONDAY + 3 * DAY)
    assert (found.moved, found.late) == (1, 0)
    assert apply(office, FASTER, MONDAY + 3 * DAY).late == 0
    assert "resolution_breach" not in office.timers(incident)


def test_a_timer_that_fired_fires_again_only_when_it_is_moved_to_later(office):
    incident = office.report(scope="team", effect="partly")
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id == incident).values(acknowledged_at=MONDAY))
    apply(office, FASTER, MONDAY + 9 * HOUR)
    from worker import timers

    assert timers.tick(MONDAY + 9 * HOUR, office.engine) > 0
    assert office.timers(incident)["resolution_breach"].fired_at is not None
    longer = {"sla.targets": TARGETS | {"3": {"response": 3600, "resolution": 40 * 3600, "calendar": "business"}}}
    apply(office, longer, MONDAY + 10 * HOUR)
    assert office.timers(incident)["resolution_breach"].fired_at is None


def test_the_time_of_the_team_that_has_it_moves_too(office):
    incident = office.bring_to("assigned")
    with writing(office.engine) as db:
        team = office.teams["Network"]
        rows = db.scalars(select(Assignment).where(Assignment.incident_id == incident, Assignment.ended_at.is_(None)))
        rows.one().began_at = MONDAY
        db.add(Assignment(incident_id=incident, team_id=team, tier="1", began_at=MONDAY, ended_at=MONDAY, due_at=NOON))
    apply(office, {"sla.ola": queries.DEFAULTS["sla.ola"] | {"2": 0.25}})
    with reading(office.engine) as db:
        found = db.execute(
            select(Assignment.ended_at, Assignment.due_at).where(Assignment.incident_id == incident)
        ).all()
    assert (None, MONDAY + 6 * HOUR) in [tuple(row) for row in found]
    assert (MONDAY, NOON) in [tuple(row) for row in found]


def test_batches_reach_every_open_incident_once_however_they_are_cut(office):
    made = [office.report(f"One {number}", scope="team", effect="partly") for number in range(7)]
    change(office, FASTER, now=NOON)
    with writing(office.engine) as db:
        assert policies.apply_some(db, NOON, 3) == policies.Progress(False, 3, 3, 0)
    with pytest.raises(ZeroDivisionError), writing(office.engine) as db:
        policies.apply_some(db, NOON, 3)
        raise ZeroDivisionError  # the process dies before it commits
    pending = edited(office).pending
    assert (pending.done, pending.seen, pending.left) == (False, 3, 4)
    with pytest.raises(RuleError, match="still being applied"):
        change(office, {"sla.targets": TARGETS})
    change(office, {"organisation.desk_phone": "4444"})  # moves nothing, so it need not wait
    # a new report is computed by the new policies already
    made.append(office.report("One more", scope="team", effect="partly"))
    while worker.tick(NOON, office.engine):
        pass
    assert edited(office).pending.done
    assert {row.resolution_due_at for row in rows(office)} == {MONDAY + 8 * HOUR}
    assert [len(told(office, incident)) for incident in made] == [1] * 7 + [0]
    assert not worker.tick(NOON, office.engine)


def test_the_worker_s_turn_finishes_what_a_closed_screen_left(office):
    from worker.loop import EVERY_SECONDS, Loop

    incident = office.report(scope="team", effect="partly")
    change(office, FASTER, now=NOON)
    assert Loop(office.engine, lambda: NOON).turn() == EVERY_SECONDS
    assert office.incident(incident).resolution_due_at == MONDAY + 8 * HOUR


def test_two_who_apply_at_once_do_not_do_it_twice(office):
    from concurrent.futures import ThreadPoolExecutor

    made = [office.report(f"One {number}", scope="team", effect="partly") for number in range(12)]
    change(office, FASTER, now=NOON)

    def press(_):
        return go_on(office, NOON, 2)

    with ThreadPoolExecutor(4) as pool:
        assert [progress.done for progress in pool.map(press, range(4))] == [True] * 4
    assert [len(told(office, incident)) for incident in made] == [1] * 12
    assert edited(office).pending.moved == 12


def test_an_incident_that_somebody_holds_is_not_waited_for_but_looked_at_in_the_end(postgres_url):
    engine = make_engine(postgres_url)
    office = Office(engine)
    change(office, NAMED)
    made = [office.report(f"One {number}", scope="team", effect="partly") for number in range(3)]
    change(office, FASTER, now=NOON)
    with writing(engine) as db:
        incidents.for_change(db, made[1], None, office.people["Lena"])
        for _ in range(3):
            assert worker.tick(NOON, engine) is False
        assert [len(told(office, incident)) for incident in made] == [1, 0, 1]
        assert edited(office).pending.left == 1
    worker.tick(NOON, engine)
    assert [len(told(office, incident)) for incident in made] == [1, 1, 1]
    assert edited(office).pending.done
    engine.dispose()


def test_a_batch_costs_as_many_statements_for_many_incidents_as_for_few(office):
    said = []
    event.listen(office.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    counts = []
    hours = iter((8, 9))
    for many in (2, 30):
        for number in range(many):
            office.report(f"One {number}", scope="team", effect="partly")
        target = {"response": 3600, "resolution": next(hours) * 3600, "calendar": "business"}
        change(office, {"sla.targets": TARGETS | {"3": target}}, now=NOON)
        said.clear()
        go_on(office)
        # SQLite gives the id of each new row by itself, inside the process; nothing else may grow
        counts.append(len([statement for statement in said if "INTO timeline_entry" not in statement]))
    assert counts[0] == counts[1] < 40


def test_a_restricted_incident_is_applied_to_but_neither_shown_nor_counted(office):
    incident = office.report("Secret", scope="team", effect="partly")
    office.report("Open", scope="team", effect="partly")
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id == incident).values(restricted=True))
    found = preview(office, FASTER)
    assert (found.open, found.moved) == (1, 1)
    assert [move.title for move in found.biggest] == [None]  # an administrator alone reads no incidents
    before = {number: office.incident(number).resolution_due_at for number in (incident, incident + 1)}
    assert apply(office, FASTER).moved == 1
    assert all(office.incident(number).resolution_due_at != due for number, due in before.items())


def test_the_organisation_s_zone_moves_calendars_without_their_own(office):
    incident = office.report(scope="team", effect="partly")
    assert apply(office, {"organisation.zone": "America/Chicago"}).moved == 1
    # Monday 9:00 in Chicago is 15:00 UTC; 24 h of business time end on Wednesday at 17:00 there
    assert office.incident(incident).resolution_due_at == datetime(2026, 3, 4, 23, tzinfo=UTC)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.sampled_from(["vendor", "reporter", "change", "other"])),
        st.tuples(st.just("prioritise"), st.tuples(st.integers(1, 3), st.integers(1, 3))),
        st.tuples(st.just("policy"), st.integers(1, 60)),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, gaps=st.lists(st.integers(1, 700), min_size=20, max_size=20))
def test_no_change_of_priority_or_policy_loses_a_pause(office, steps, gaps):
    now, minutes = MONDAY, iter(gaps)
    incident = office.report(at=MONDAY)
    office.perform(incident, "accept", "Lena", now, **office.triage)
    office.perform(incident, "acknowledge", "Priya", now)
    pauses = []
    for kind, what in steps:
        now += timedelta(minutes=next(minutes))
        if kind == "hold":
            until = now + timedelta(minutes=next(minutes))
            office.perform(incident, "hold", "Priya", now, hold_reason=what, hold_until=now + 300 * DAY)
            office.perform(incident, "resume", "Priya", until)
            if what != "other":
                pauses.append((now, until))
            now = until
        elif kind == "prioritise":
            fields = {"impact": what[0], "urgency": what[1]}
            with writing(office.engine) as db:
                incidents.prioritise(db, incident, None, fields, actor=office.people["Lena"], now=now)
        else:
            target = {"response": 60, "resolution": what * 3600, "calendar": ("always", "business")[what % 2]}
            apply(office, {"sla.targets": dict.fromkeys("12345", target)}, now)
        found = office.incident(incident)
        target = known(office).targets.target(found.priority)
        assert found.resolution_due_at == due_at(target.calendar, MONDAY, target.resolution, pauses)
        assert [(pause.began_at, pause.ended_at) for pause in office.pauses(incident)] == pauses
