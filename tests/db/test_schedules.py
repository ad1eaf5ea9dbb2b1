"""On-call schedules: a change holds from its moment on and never rewrites the past; overrides; who did how much."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from db.commands import calendar_feed, escalation_policies, overrides, people, schedules
from db.engine import reading, writing
from db.models import AuditEntry, CalendarFeed, Incident, Page, Person, ScheduleOverride, ScheduleVersion
from db.queries import oncall
from db.queries import schedules as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.rota import WEEK, Rota, layer

TICK = timedelta(microseconds=1)


@pytest.fixture
def rota(engine):
    return Rota(engine)


def test_a_schedule_turns_from_when_it_was_made(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    assert rota.on_call(network, MONDAY - TICK) == []
    assert rota.on_call(network, MONDAY) == ["Priya"]
    assert rota.on_call(network, MONDAY + WEEK) == ["Sam"]
    assert rota.on_call(999, MONDAY) == []


def test_a_change_holds_from_its_moment_on(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    rota.change(network, rota.turning("Devi"), MONDAY + 2 * DAY)
    rota.change(network, rota.turning("Dora"), MONDAY + 3 * DAY, from_at=MONDAY + 5 * DAY)
    assert rota.shifts(network, MONDAY - DAY, MONDAY + 2 * WEEK) == [
        ("Priya", MONDAY, MONDAY + 2 * DAY),
        ("Devi", MONDAY + 2 * DAY, MONDAY + 5 * DAY),
        ("Dora", MONDAY + 5 * DAY, MONDAY + 2 * WEEK),
    ]


def test_a_change_replaces_what_was_planned_for_later(rota):
    network = rota.make(rota.turning("Priya"))
    rota.change(network, rota.turning("Sam"), MONDAY + HOUR, from_at=MONDAY + 3 * DAY)
    rota.change(network, rota.turning("Devi"), MONDAY + 2 * HOUR, from_at=MONDAY + DAY)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [
        ("Priya", MONDAY, MONDAY + DAY),
        ("Devi", MONDAY + DAY, MONDAY + WEEK),
    ]
    rota.change(network, rota.turning("Priya"), MONDAY + 3 * HOUR)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [("Priya", MONDAY, MONDAY + WEEK)]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["change", "plan", "override", "take over", "cancel", "archive"]),
        st.integers(1, 100),
        st.sampled_from(["Priya", "Sam", "Devi", "Lena"]),
        st.sampled_from(["Priya", "Sam", "Devi", "Lena"]),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_whatever_is_changed_the_past_stays(sqlite_rota, changes):
    rota = sqlite_rota
    now = MONDAY
    network = rota.make(rota.turning("Priya", "Sam", unit="day"), name=f"Schedule {rota.next()}")
    made = []
    for kind, hours, one, other in changes:
        now += hours * HOUR
        before = rota.shifts(network, MONDAY - DAY, now)
        try:
            if kind == "change":
                rota.change(network, rota.turning(one, other, unit="day"), now)
            elif kind == "plan":
                rota.change(network, rota.turning(one, other), now, from_at=now + hours * HOUR)
            elif kind == "override":
                made.append(rota.override(network, now - DAY, now + DAY, add=one, remove=other, at=now))
            elif kind == "take over":
                with writing(rota.engine) as db:
                    overrides.take_over(db, network, hours % 72 * HOUR, actor=rota.people[one], now=now)
            elif kind == "cancel" and made:
                rota.cancel(made.pop(), now)
            elif kind == "archive":
                with writing(rota.engine) as db:
                    schedules.archive(db, network, actor=rota.people["Lena"], now=now)
        except RuleError:
            pass
        assert rota.shifts(network, MONDAY - DAY, now) == before


@pytest.fixture
def sqlite_rota(sqlite_url):
    from db.engine import make_engine

    made = make_engine(sqlite_url)
    rota = Rota(made)
    numbers = iter(range(10_000))
    rota.next = lambda: next(numbers)
    yield rota
    made.dispose()


def test_a_change_is_audited_and_the_same_again_is_none(rota):
    network = rota.make(rota.turning("Priya"))
    rota.change(network, rota.turning("Priya"), MONDAY + DAY)
    assert rota.schedule(network).version == 1
    rota.change(network, rota.turning("Sam"), MONDAY + DAY, version=1)
    with reading(rota.engine) as db:
        entries = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert db.execute(select(func.count()).select_from(ScheduleVersion)).scalar() == 2
    assert [entry.action for entry in entries] == ["schedule added", "schedule changed"]
    assert entries[1].before["layers"][0]["members"] == [str(rota.ids["Priya"])]
    assert entries[1].after["layers"][0]["members"] == [str(rota.ids["Sam"])]


def test_who_looked_at_an_older_version_is_told(rota):
    network = rota.make(rota.turning("Priya"))
    rota.change(network, rota.turning("Sam"), MONDAY + HOUR, version=1)
    with pytest.raises(RuleError, match="Somebody changed this schedule meanwhile"):
        rota.change(network, rota.turning("Devi"), MONDAY + HOUR, version=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"team_id": 999}, "team_id"),
        ({"from_at": MONDAY - HOUR}, "from_at"),
        ({"from_at": MONDAY + 800 * DAY}, "from_at"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(rota, given, field):
    network = rota.make(rota.turning("Priya"))
    with pytest.raises(RuleError) as refused:
        rota.change(network, rota.turning("Sam"), MONDAY, **given)
    assert field in refused.value.fields
    assert rota.on_call(network, MONDAY + DAY) == ["Priya"]


def test_two_schedules_have_two_names(rota):
    rota.make(rota.turning("Priya"))
    with pytest.raises(RuleError, match="There is a schedule called NETWORK already"):
        rota.make(rota.turning("Sam"), name="NETWORK")


@pytest.mark.parametrize("stranger", ["999", "Ana", "", "²"])
def test_members_are_people_who_work_on_incidents(rota, stranger):
    with pytest.raises(RuleError):
        rota.make({"zone": "UTC", "layers": [layer() | {"members": [stranger]}]})
    with pytest.raises(RuleError, match="Otto does not work on incidents any more"):
        rota.make(rota.turning("Priya", "Otto"))


@pytest.mark.parametrize(("name", "may"), [("Priya", False), ("Dora", False), ("Max", False), ("Ada", True)])
def test_leads_and_administrators_edit(rota, name, may):
    if may:
        assert rota.make(rota.turning("Priya"), by=name)
        return
    with pytest.raises(Forbidden):
        rota.make(rota.turning("Priya"), by=name)
    network = rota.make(rota.turning("Priya"))
    with pytest.raises(Forbidden):
        rota.override(network, MONDAY, MONDAY + DAY, add="Sam", by=name)
    with pytest.raises(Forbidden), writing(rota.engine) as db:
        schedules.archive(db, network, actor=rota.people[name], now=MONDAY)


def test_what_an_escalation_policy_asks_is_not_archived(rota):
    network, lena, ada = rota.make(rota.turning("Priya")), rota.people["Lena"], rota.people["Ada"]
    other = rota.make(rota.turning("Sam"), name="Other")
    kept = []
    with writing(rota.engine) as db:
        for name, asked in (("Network, by day", network), ("Night", network), ("Elsewhere", other)):
            steps = [{"delay": 300, "targets": [{"kind": "schedule", "id": asked}]}]
            kept.append(
                escalation_policies.save(db, None, name=name, steps=steps, actor=rota.people["Ada"], now=MONDAY)
            )
        escalation_policies.save(db, None, name="The team", now=MONDAY, actor=ada,
                                 steps=[{"delay": 300, "targets": [{"kind": "team", "id": network}]}])  # fmt: skip
    with pytest.raises(RuleError, match=r"^Network, by day, Night ask whoever is on call in it\."), \
            writing(rota.engine) as db:  # fmt: skip
        schedules.archive(db, network, actor=lena, now=MONDAY)
    assert rota.on_call(network, MONDAY) == ["Priya"]
    with writing(rota.engine) as db:
        for policy in kept[:2]:
            escalation_policies.archive(db, policy, actor=ada, now=MONDAY)
        schedules.archive(db, network, actor=lena, now=MONDAY)
    assert rota.schedule(network).archived_at == MONDAY


def test_archived_it_ends_and_its_past_stays(rota):
    network = rota.make(rota.turning("Priya"))
    with writing(rota.engine) as db:
        schedules.archive(db, network, actor=rota.people["Lena"], now=MONDAY + DAY)
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [("Priya", MONDAY, MONDAY + DAY)]
    with pytest.raises(NotFound):
        rota.change(network, rota.turning("Sam"), MONDAY + 2 * DAY)
    with reading(rota.engine) as db:
        assert oncall.now_and_next(db, rota.people["Lena"], MONDAY + 2 * DAY) == []
        [mine] = oncall.my_shifts(db, rota.ids["Priya"], MONDAY, MONDAY + WEEK)
    assert (mine.start, mine.end) == (MONDAY, MONDAY + DAY)


def test_who_is_disabled_leaves_a_gap_from_then_on(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    with writing(rota.engine) as db:
        people.disable(db, rota.ids["Priya"], actor=rota.people["Ada"], now=MONDAY + DAY)
    assert rota.on_call(network, MONDAY + DAY - TICK) == ["Priya"]
    assert rota.on_call(network, MONDAY + DAY) == []
    with reading(rota.engine) as db:
        assert queries.gaps_ahead(db, network, MONDAY + 2 * DAY, 2 * WEEK) == [
            (MONDAY + 2 * DAY, MONDAY + WEEK),
            (MONDAY + 2 * WEEK, MONDAY + 2 * DAY + 2 * WEEK),
        ]
        seen = queries.problems(db, rota.people["Lena"], network, MONDAY + 2 * DAY)
    assert [seen.names[person] for person in seen.gone] == ["Priya"]


def test_overrides_add_remove_and_replace(rota):
    network = rota.make(rota.turning("Priya"))
    rota.override(network, MONDAY + DAY, MONDAY + 2 * DAY, add="Sam", remove="Priya")
    rota.override(network, MONDAY + 3 * DAY, MONDAY + 4 * DAY, add="Devi")
    rota.override(network, MONDAY + 5 * DAY, MONDAY + 6 * DAY, remove="Priya")
    found = [rota.on_call(network, MONDAY + number * DAY) for number in range(7)]
    assert found == [["Priya"], ["Sam"], ["Priya"], ["Priya", "Devi"], ["Priya"], [], ["Priya"]]


def test_an_override_begins_now_at_the_earliest_and_once(rota):
    network = rota.make(rota.turning("Priya"))
    made = [
        rota.override(network, MONDAY - DAY, MONDAY + DAY, add="Sam", remove="Priya", at=MONDAY + HOUR)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert rota.on_call(network, MONDAY) == ["Priya"]
    assert rota.on_call(network, MONDAY + HOUR) == ["Sam"]


@pytest.mark.parametrize(
    ("start", "end", "who", "said"),
    [
        (0, -1, {"add": "Sam"}, "ends before it begins"),
        (-5, -2, {"add": "Sam"}, "That is over"),
        (0, 400, {"add": "Sam"}, "within a year"),
        (0, 1, {}, "Choose who is added"),
        (0, 1, {"add": "Sam", "remove": "Sam"}, "stands in for themselves"),
        (0, 1, {"add": "Otto"}, "works on incidents"),
    ],
)
def test_an_override_that_cannot_be_is_refused(rota, start, end, who, said):
    network = rota.make(rota.turning("Priya"))
    with pytest.raises(RuleError, match=said):
        rota.override(network, MONDAY + start * DAY, MONDAY + end * DAY, **who)


def test_a_cancelled_override_counted_until_then(rota):
    network = rota.make(rota.turning("Priya"))
    live = rota.override(network, MONDAY, MONDAY + 4 * DAY, add="Sam", remove="Priya")
    ahead = rota.override(network, MONDAY + 5 * DAY, MONDAY + 6 * DAY, add="Sam", remove="Priya")
    rota.cancel(live, MONDAY + DAY)
    rota.cancel(ahead, MONDAY + DAY)
    rota.cancel(ahead, MONDAY + 2 * DAY)  # once more is nothing more
    assert rota.shifts(network, MONDAY, MONDAY + WEEK) == [
        ("Sam", MONDAY, MONDAY + DAY),
        ("Priya", MONDAY + DAY, MONDAY + WEEK),
    ]
    over = rota.override(network, MONDAY + 2 * DAY, MONDAY + 3 * DAY, add="Sam", at=MONDAY + 2 * DAY)
    with pytest.raises(RuleError, match="It is over"):
        rota.cancel(over, MONDAY + 3 * DAY)
    with pytest.raises(Forbidden):
        rota.cancel(rota.override(network, MONDAY + 8 * DAY, MONDAY + 9 * DAY, add="Sam"), MONDAY, by="Sam")


def test_taking_over_puts_one_on_call_in_the_place_of_everybody(rota):
    network = rota.make(rota.turning("Priya", "Devi", unit="hour"))
    rota.override(network, MONDAY, MONDAY + DAY, add="Lena")
    rota.override(network, MONDAY + 2 * HOUR, MONDAY + 3 * HOUR, remove="Priya")
    with writing(rota.engine) as db:
        overrides.take_over(db, network, 4 * HOUR, actor=rota.people["Priya"], now=MONDAY + HOUR)
    assert rota.shifts(network, MONDAY + HOUR, MONDAY + 5 * HOUR) == [("Priya", MONDAY + HOUR, MONDAY + 5 * HOUR)]
    with pytest.raises(RuleError, match="already"), writing(rota.engine) as db:
        overrides.take_over(db, network, 2 * HOUR, actor=rota.people["Priya"], now=MONDAY + 2 * HOUR)


def test_only_those_concerned_take_over(rota):
    network = rota.make(rota.turning("Priya", "Devi"))
    for name in ("Sam", "Dora", "Otto"):
        with pytest.raises(Forbidden), writing(rota.engine) as db:
            overrides.take_over(db, network, HOUR, actor=rota.people[name], now=MONDAY)
    with pytest.raises(RuleError, match="at most 72 hours"), writing(rota.engine) as db:
        overrides.take_over(db, network, 100 * HOUR, actor=rota.people["Devi"], now=MONDAY)


def test_who_gave_their_turns_away_cannot_take_over(rota):
    network = rota.make(rota.turning("Priya", "Devi"))
    rota.override(network, MONDAY, MONDAY + DAY, add="Sam", remove="Devi")
    with pytest.raises(RuleError, match="Somebody stands in for you"), writing(rota.engine) as db:
        overrides.take_over(db, network, HOUR, actor=rota.people["Devi"], now=MONDAY)
    assert rota.on_call(network, MONDAY) == ["Priya"]


def test_now_and_next_shows_ones_own_first(rota):
    rota.make(rota.turning("Sam", "Devi"), name="Archive", team_id=None)
    network = rota.make(rota.turning("Priya", "Lena"))
    with reading(rota.engine) as db:
        mine, other = oncall.now_and_next(db, rota.people["Priya"], MONDAY + HOUR)
    assert (mine.id, mine.mine, mine.team, mine.until) == (network, True, "Network", MONDAY + WEEK)
    assert ([who.name for who in mine.people], [who.name for who in mine.following]) == (["Priya"], ["Lena"])
    assert (other.name, other.mine, [who.name for who in other.people]) == ("Archive", False, ["Sam"])


def test_however_many_schedules_and_changes_it_takes_few_statements(rota):
    for number in range(4):
        made = rota.make(rota.turning("Priya", "Sam"), name=f"Schedule {number}")
        rota.change(made, rota.turning("Sam", "Priya"), MONDAY + DAY)
        rota.override(made, MONDAY + 2 * DAY, MONDAY + 3 * DAY, add="Devi", at=MONDAY + DAY)
    counted = []
    event.listen(
        rota.engine, "before_cursor_execute", lambda *given: counted.append(given[2]) if "SELECT" in given[2] else None
    )
    with reading(rota.engine) as db:
        oncall.now_and_next(db, rota.people["Priya"], MONDAY + 2 * DAY)
        first = len(counted)
        oncall.my_shifts(db, rota.ids["Priya"], MONDAY, MONDAY + 52 * WEEK)
    assert first <= 5
    assert len(counted) - first <= 4


def test_a_preview_says_who_changes_before_it_is_saved(rota):
    network = rota.make(rota.turning("Priya", "Sam"))
    rota.override(network, MONDAY + DAY, MONDAY + 2 * DAY, remove="Priya")
    with reading(rota.engine) as db:
        found = queries.preview(db, rota.people["Lena"], network, rota.turning("Priya", "Devi"), MONDAY + HOUR)
    called = {id_: name for id_, name in found.names.items()}
    assert [(one.start, [called[id_] for id_ in one.before], [called[id_] for id_ in one.after])
            for one in found.differences] == [
        (MONDAY + WEEK, ["Sam"], ["Devi"]),
        (MONDAY + 3 * WEEK, ["Sam"], ["Devi"]),
    ]  # fmt: skip
    assert found.missing == [(MONDAY + DAY, MONDAY + 2 * DAY)], "overrides stay"
    assert rota.on_call(network, MONDAY + WEEK) == ["Sam"], "nothing was saved"
    with pytest.raises(Forbidden), reading(rota.engine) as db:
        queries.preview(db, rota.people["Priya"], network, rota.turning("Priya"), MONDAY)


def test_hours_nights_and_pages_are_counted_per_person(rota):
    incident = rota.report()
    network = rota.make(rota.turning("Priya", "Sam", zone="Europe/Berlin", unit="day"))
    with writing(rota.engine) as db:
        db.execute(update(Person).where(Person.name == "Priya").values(zone="America/New_York"))
        for hours in (0, 14, 18):  # in New York 04:00, 18:00 and 22:00 of the Monday
            db.add(Page(incident_id=incident, person_id=rota.ids["Priya"], at=MONDAY + hours * HOUR))
    with reading(rota.engine) as db:
        rows = queries.hours_per_person(db, rota.people["Sam"], network, MONDAY, MONDAY + 4 * DAY)
        assert [(row.name, row.hours, row.night_hours, row.pages, row.night_pages) for row in rows] == [
            ("Priya", 48, 18, 3, 2),
            ("Sam", 48, 18, 0, 0),
        ]
        weekend = queries.hours_per_person(db, rota.people["Sam"], network, MONDAY, MONDAY + WEEK)
    assert sum(row.weekend_hours for row in weekend) == 48
    secret = rota.report()
    with writing(rota.engine) as db:
        db.execute(update(Incident).where(Incident.id == secret).values(restricted=True))
        db.add(Page(incident_id=secret, person_id=rota.ids["Priya"], at=MONDAY + HOUR))
    with reading(rota.engine) as db:
        for who, pages in (("Ada", 3), ("Max", 3), ("Rita", 4)):  # Rita reported the restricted one
            actor = replace(rota.people[who], roles=rota.people[who].roles | ({"lead"} if who == "Rita" else set()))
            found = queries.hours_of_everybody(db, actor, MONDAY, MONDAY + 4 * DAY)
            assert [(row.name, row.pages) for row in found] == [("Priya", pages), ("Sam", 0)], who


def test_a_calendar_address_is_kept_as_a_hash_and_a_new_one_ends_the_old(rota):
    priya = rota.people["Priya"]
    with writing(rota.engine) as db:
        first = calendar_feed.renew(db, actor=priya, now=MONDAY)
    with writing(rota.engine) as db:
        second = calendar_feed.renew(db, actor=priya, now=MONDAY + HOUR)
    with reading(rota.engine) as db:
        [kept] = db.scalars(select(CalendarFeed)).all()
        assert oncall.feed_holder(db, first) is None
        assert oncall.feed_holder(db, second) == rota.ids["Priya"]
        assert second.encode() not in kept.token_hash
    with writing(rota.engine) as db:
        people.disable(db, priya.id, actor=rota.people["Ada"], now=MONDAY)
    with reading(rota.engine) as db:
        assert oncall.feed_holder(db, second) is None


def test_an_override_names_the_person_who_made_it(rota):
    network = rota.make(rota.turning("Priya"))
    rota.override(network, MONDAY + DAY, MONDAY + 2 * DAY, add="Sam", remove="Priya")
    with reading(rota.engine) as db:
        [row] = queries.overrides(db, rota.people["Sam"], network, MONDAY)
        assert (row.added, row.removed, row.by) == ("Sam", "Priya", "Lena")
        assert queries.overrides(db, rota.people["Sam"], network, MONDAY + 2 * DAY) == []
        assert db.execute(select(func.count()).select_from(ScheduleOverride)).scalar() == 1
