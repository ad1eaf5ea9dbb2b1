"""Between the tiers: whose it is since when, each team's own clock, what is handed over, who is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import incidents, tiers
from db.commands.undo import undo
from db.engine import reading, writing
from db.models import PersonRole, Team, TeamMember
from db.queries import home
from db.queries import incidents as queries
from db.queries import tiers as between
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker.timers import tick

SUMMARY = "The switch is fine, the portal answers 500 since nine."
FIX = {"resolution_code": "fixed", "resolution_note": "Restarted it."}
HOLD = {"hold_reason": "vendor", "hold_until": MONDAY + 9 * DAY}


@pytest.fixture
def office(engine):
    made = Office(engine)
    with writing(engine) as db:
        vendor = Team(name="Nordlink", tier="external", contact="+49 30 5550 1000")
        desk = Team(name="Service Desk", tier="1")
        db.add_all([vendor, desk])
        db.flush()
        made.teams |= {"Nordlink": vendor.id, "Service Desk": desk.id}
        lead = db.scalars(select(TeamMember).where(TeamMember.person_id == made.people["Lena"].id)).one()
        lead.lead = True
    return made


def stays(office, number):
    """(team, tier, began, ended, warned at, due), times since Monday at nine."""
    names = {team_id: name for name, team_id in office.teams.items()}
    return [
        (
            names[one.team_id],
            one.tier,
            *(at and at - MONDAY for at in (one.began_at, one.ended_at)),
            one.due_at - MONDAY,
        )
        for one in office.assignments(number)
    ]


def escalate(office, number, to="Portal", by="Priya", at=MONDAY + 3 * HOUR, **given):
    return office.perform(number, "escalate", by, at, team_id=office.teams[to], **({"reason": SUMMARY} | given))


def take_back(office, number, by, at):
    with writing(office.engine) as db:
        version = office.incident(number).version
        return undo(db, number, version, actor=office.people[by], now=at)


def test_each_team_has_its_own_clock_from_when_it_received_it(office):
    number = office.bring_to("in_progress")  # P3: 24 business hours; Network has it since ten
    assert stays(office, number) == [("Network", "2", HOUR, None, DAY + 5 * HOUR)]  # half: 7 h today, 5 h tomorrow
    escalate(office, number)
    assert stays(office, number) == [
        ("Network", "2", HOUR, 3 * HOUR, DAY + 5 * HOUR),
        ("Portal", "3", 3 * HOUR, None, 3 * DAY + 3 * HOUR),  # the whole of it, in business time
    ]
    assert office.timers(number)["ola_breach"].due_at == MONDAY + 3 * DAY + 3 * HOUR
    assert office.timers(number)["ola_warning"].due_at == MONDAY + 2 * DAY + 5 * HOUR


def test_a_pause_moves_the_teams_due_time_too(office):
    number = office.bring_to("in_progress")
    office.perform(number, "hold", "Priya", MONDAY + 3 * HOUR, **HOLD)
    assert set(office.timers(number)) == {"hold_until"}
    office.perform(number, "resume", "Priya", MONDAY + 5 * HOUR)
    assert stays(office, number)[0][-1] == DAY + 7 * HOUR
    office.perform(number, "hold", "Priya", MONDAY + 6 * HOUR, hold_reason="problem", hold_until=MONDAY + DAY)
    assert stays(office, number)[0][-1] == DAY + 7 * HOUR  # waiting for a problem does not stop it


def test_another_priority_gives_the_team_another_due_time_and_keeps_the_pauses(office):
    number = office.bring_to("in_progress")
    office.perform(number, "hold", "Priya", MONDAY + 3 * HOUR, **HOLD)
    office.perform(number, "resume", "Priya", MONDAY + 5 * HOUR)
    with writing(office.engine) as db:
        fields = {"impact": 1, "urgency": 2}
        incidents.prioritise(db, number, None, fields, actor=office.people["Lena"], now=MONDAY + 5 * HOUR)
    assert stays(office, number) == [("Network", "2", HOUR, None, 7 * HOUR)]  # half of 8 h, and 2 h of pause
    assert office.timers(number)["ola_breach"].due_at == MONDAY + 7 * HOUR


def test_a_fix_ends_the_stay_and_a_reopening_begins_a_new_one(office):
    number = office.bring_to("resolved")
    assert [stay[2:4] for stay in stays(office, number)] == [(HOUR, 3 * HOUR)]
    assert not {"ola_warning", "ola_breach"} & set(office.timers(number))
    office.perform(number, "reopen", "Priya", MONDAY + DAY, reason="It came back.")
    assert stays(office, number)[1:] == [("Network", "2", DAY, None, 2 * DAY + 4 * HOUR)]


def test_an_undo_goes_on_with_the_stay_that_was(office):
    number = office.bring_to("in_progress")
    before = stays(office, number)
    office.perform(number, "assign", "Lena", MONDAY + 3 * HOUR, team_id=office.teams["Servers"])
    assert [stay[0] for stay in stays(office, number)] == ["Network", "Servers"]
    take_back(office, number, "Lena", MONDAY + 3 * HOUR + timedelta(minutes=1))
    assert stays(office, number) == before
    office.perform(number, "cancel", "Lena", MONDAY + 4 * HOUR, reason="Not an incident.")
    take_back(office, number, "Lena", MONDAY + 4 * HOUR + timedelta(minutes=2))
    assert stays(office, number) == [("Network", "2", HOUR, None, DAY + 5 * HOUR + timedelta(minutes=2))]


def test_what_is_merged_by_mistake_goes_on_with_its_team(office):
    survivor, number = office.report("The one that goes on"), office.bring_to("in_progress")
    office.perform(number, "merge", "Lena", MONDAY + 3 * HOUR, duplicate_of_id=survivor)
    assert stays(office, number)[0][3] == 3 * HOUR
    office.perform(number, "unmerge", "Lena", MONDAY + 4 * HOUR)
    assert stays(office, number) == [("Network", "2", HOUR, None, DAY + 6 * HOUR)]


def test_sending_it_back_to_triage_ends_the_stay(office):
    number = office.bring_to("assigned")
    office.perform(number, "reject", "Priya", MONDAY + 2 * HOUR, reason="Not the network.")
    assert [stay[3] for stay in stays(office, number)] == [2 * HOUR]
    assert "ola_breach" not in office.timers(number)


def test_the_whole_story_of_a_slow_team_is_told_once(office):
    number = office.bring_to("in_progress", scope="team", effect="partly")
    assert tick(MONDAY + DAY + 2 * HOUR - timedelta(seconds=1), office.engine) == 0
    assert tick(MONDAY + DAY + 2 * HOUR, office.engine) == 1  # 9 of 12 business hours
    assert tick(MONDAY + DAY + 6 * HOUR, office.engine) == 1
    assert tick(MONDAY + DAY + 6 * HOUR, office.engine) == 0
    told = [entry for entry in office.timeline(number) if entry.kind == "ola"]
    assert [(entry.text, entry.at - MONDAY) for entry in told] == [
        ("used 75 % of the time of Network, tier 2", DAY + 2 * HOUR),
        ("missed the time of Network, tier 2", DAY + 5 * HOUR),
    ]
    assert not any(entry.public for entry in told)
    missed = f"INC-{number:06d} missed the time of Network, tier 2: Mail is slow"
    notices = office.notices(number)
    assert sorted(notice[0] for notice in notices if notice[2] == missed) == ["Lena", "Priya"]
    assert len(notices) == 4
    # Handed on and taken back, it is not told again; the next team's clock is its own.
    office.perform(number, "assign", "Lena", MONDAY + DAY + 7 * HOUR, team_id=office.teams["Servers"])
    take_back(office, number, "Lena", MONDAY + DAY + 7 * HOUR + timedelta(minutes=1))
    assert tick(MONDAY + DAY + 7.5 * HOUR, office.engine) == 0
    escalate(office, number, at=MONDAY + DAY + 8 * HOUR)
    tick(MONDAY + 9 * DAY, office.engine)
    told = [entry.text for entry in office.timeline(number) if entry.kind == "ola"]
    assert told[2:] == ["used 75 % of the time of Portal, tier 3", "missed the time of Portal, tier 3"]


def test_a_missed_promise_to_the_reporter_is_told_to_who_answers_for_it(office):
    number = office.report(scope="everyone", effect="stopped")  # P1, and nobody has triaged it: the desk hears of it
    tick(MONDAY + HOUR, office.engine)
    tick(MONDAY + HOUR, office.engine)
    soon, late = (f"INC-{number:06d} {word} the time to answer: Mail is slow" for word in ("used 75 % of", "missed"))
    assert office.notices(number) == [("Dora", "sla", soon), ("Dora", "sla", late)]
    office.perform(number, "accept", "Dora", MONDAY + HOUR, **office.triage | {"impact": 1, "urgency": 1})
    office.perform(number, "acknowledge", "Priya", MONDAY + HOUR)
    tick(MONDAY + 9 * HOUR, office.engine)
    heard = [
        (who, subject.split(": ")[0].partition(" ")[2])
        for who, kind, subject in office.notices(number)
        if kind == "sla"
    ]
    assert heard[2:] == [
        ("Priya", "used 75 % of the time to resolve"),
        ("Lena", "used 75 % of the time to resolve"),
        ("Priya", "missed the time to resolve"),
        ("Lena", "missed the time to resolve"),
    ]


@pytest.mark.parametrize("restricted", [False, True])
def test_where_nobody_leads_the_team_others_are_told_who_may_see_it(office, restricted):
    number = office.report(scope="everyone", effect="stopped")
    given = office.triage | {"impact": 1, "urgency": 1, "team_id": office.teams["Servers"]}
    office.perform(number, "accept", "Dora", MONDAY, **given)
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"restricted": restricted}, actor=office.people["Lena"], now=MONDAY)
    tick(MONDAY + HOUR, office.engine)
    told = [who for who, kind, _ in office.notices(number) if kind == "sla"]
    assert told == ["Lena" if restricted else "Dora"] * 2  # warned, and missed
    with writing(office.engine) as db:
        db.add(PersonRole(person_id=office.people["Sam"].id, role="lead"))
    tick(MONDAY + 4 * HOUR, office.engine)
    assert {who for who, _, _ in office.notices(number)} - {"Dora", "Lena"} == {"Sam"}


def test_an_escalation_goes_up_with_a_summary_and_is_counted(office):
    number = office.bring_to("in_progress")
    with pytest.raises(RuleError) as refused:
        escalate(office, number, "Servers", reason="Help.")
    assert set(refused.value.fields) == {"team_id", "reason"}
    assert "is not above Network" in refused.value.fields["team_id"]
    up = escalate(office, number)
    assert (up.escalations, up.handovers, up.state) == (1, 1, "assigned")
    down = office.perform(number, "assign", "Devi", MONDAY + 4 * HOUR, team_id=office.teams["Network"], reason=SUMMARY)
    assert (down.escalations, down.handovers, down.ping_pong) == (1, 2, True)
    again = escalate(office, number, at=MONDAY + 5 * HOUR)
    assert again.escalations == 2
    with reading(office.engine) as db:
        found = between.standing(db, number, ping_pong=True)
    assert found.came_back_to == ["Network", "Portal"]
    assert [one.team for one in found.handed] == ["Portal", "Network", "Portal"]


@pytest.mark.parametrize("action", ["acknowledge", "resume", "resolve"])
def test_the_next_tier_cannot_skip_the_summary(office, action):
    number = office.bring_to("in_progress")
    escalate(office, number)
    if action == "resume":
        office.perform(number, "hold", "Devi", MONDAY + 4 * HOUR, **HOLD)
    given = FIX if action == "resolve" else {}
    with pytest.raises(RuleError, match="Read first what Priya handed over") as refused:
        office.perform(number, action, "Devi", MONDAY + 5 * HOUR, **given)
    assert list(refused.value.fields) == ["summary_read"]
    office.perform(number, action, "Devi", MONDAY + 5 * HOUR, summary_read=True, **given)
    read = office.assignments(number)[1]
    assert (read.read_at, read.read_by_id) == (MONDAY + 5 * HOUR, office.people["Devi"].id)
    assert [entry.text for entry in office.timeline(number)].count("read what was handed over") == 1


def test_whoever_wrote_it_need_not_read_it(office):
    number = office.bring_to("in_progress")
    escalate(office, number)
    assert office.perform(number, "acknowledge", "Priya", MONDAY + 4 * HOUR).state == "in_progress"
    with reading(office.engine) as db:
        assert between.unread(db, number).summary == SUMMARY


def test_only_the_receiving_team_says_that_it_was_read(office):
    number = office.bring_to("in_progress")
    escalate(office, number)

    def confirm(who):
        with writing(office.engine) as db:
            tiers.confirm(db, number, actor=office.people[who], now=MONDAY + 4 * HOUR)

    with pytest.raises(Forbidden, match="handed over to Portal"):
        confirm("Sam")
    for _ in range(2):
        confirm("Devi")
    with reading(office.engine) as db:
        detail = queries.by_number(db, office.people["Devi"], f"INC-{number:06d}")
        [handed] = between.standing(db, number, ping_pong=False).handed
    assert (detail.handover, detail.must_read) == (None, False)
    assert (handed.summary, handed.writer, handed.reader) == (SUMMARY, "Priya", "Devi")
    office.perform(number, "acknowledge", "Devi", MONDAY + 5 * HOUR)


def test_a_vendor_comes_with_a_contact_and_a_number_of_its_own(office):
    number = office.bring_to("in_progress")
    given = escalate(office, number, "Nordlink")
    assert (given.vendor_contact, given.vendor_reference) == ("+49 30 5550 1000", "")
    office.perform(number, "hold", "Priya", MONDAY + 4 * HOUR, **HOLD)

    def note(who, contact, reference, version=None):
        with writing(office.engine) as db:
            actor = office.people[who]
            return tiers.set_vendor(db, number, version, contact, reference, actor=actor, now=MONDAY + 5 * HOUR)

    kept = note("Sam", "noc@nordlink.example", " NL-4711 ", office.incident(number).version)
    assert (kept.vendor_contact, kept.vendor_reference) == ("noc@nordlink.example", "NL-4711")
    entry = office.timeline(number)[-1]
    assert (entry.kind, entry.public) == ("vendor", False)
    assert "NL-4711" in entry.text
    assert note("Sam", "noc@nordlink.example", "NL-4711").version == kept.version
    with pytest.raises(RuleError) as refused:
        note("Sam", "x" * 201, "y" * 101)
    assert set(refused.value.fields) == {"vendor_contact", "vendor_reference"}
    with pytest.raises(NotFound):
        note("Otto", "", "")
    with pytest.raises(incidents.Conflict):
        note("Sam", "other", "", 2)
    # Back inside and out again, it keeps the number as long as it is the same vendor's contact.
    office.perform(number, "assign", "Lena", MONDAY + 6 * HOUR, team_id=office.teams["Network"])
    again = escalate(office, number, "Nordlink", at=MONDAY + 7 * HOUR, vendor_contact="noc@nordlink.example")
    assert again.vendor_reference == "NL-4711"
    assert stays(office, number)[0][:2] == ("Network", "2")


def inform(office, number, by="Priya", words="The ward has no mail since nine.", **who):
    with writing(office.engine) as db:
        return tiers.inform(db, number, words, actor=office.people[by], now=MONDAY + 4 * HOUR, **who)


def test_informing_up_tells_each_once_and_moves_nothing(office):
    number = office.bring_to("in_progress")
    before = office.incident(number)
    sam = office.people["Sam"].id
    assert inform(office, number, leads=True, managers=True, people=[sam, office.people["Max"].id]) == [
        "Lena",
        "Max",
        "Sam",
    ]
    told = [notice for notice in office.notices(number) if notice[1] == "inform"]
    assert sorted(who for who, _, _ in told) == ["Lena", "Max", "Sam"]
    assert told[0][2] == f"INC-{number:06d}, Priya informs you: Mail is slow"
    entry = office.timeline(number)[-1]
    assert (entry.kind, entry.text, entry.public) == ("inform", "informed Lena, Max, Sam", False)
    assert entry.detail == "The ward has no mail since nine."
    after = office.incident(number)
    assert (after.state, after.team_id, after.version) == (before.state, before.team_id, before.version)
    with reading(office.engine) as db:
        assert between.standing(db, number, ping_pong=False).informed == 1


def test_what_is_wrong_with_informing_is_said_in_words(office):
    number = office.bring_to("in_progress")
    for who, expected in (
        ({}, "Choose who is to be informed."),
        ({"people": [office.people["Rita"].id]}, None),  # who reported it may read it
        (
            {"people": [office.people["Otto"].id]},
            "Otto cannot open incidents. Choose people who work on them or manage.",
        ),
        ({"people": [office.people["Priya"].id]}, "There is nobody among them to inform."),
    ):
        if expected is None:
            assert inform(office, number, **who) == ["Rita"]
            continue
        with pytest.raises(RuleError) as refused:
            inform(office, number, words="", **who)
        assert refused.value.fields == {"people": expected, "words": "Write what they should know."}
    with pytest.raises(NotFound):
        inform(office, number, by="Otto", managers=True)
    with pytest.raises(Forbidden):
        inform(office, number, by="Max", managers=True)


def test_a_restricted_incident_is_told_only_to_who_may_see_it(office):
    number = office.bring_to("in_progress")
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"restricted": True}, actor=office.people["Lena"], now=MONDAY)
    assert inform(office, number, leads=True, managers=True) == ["Lena"]
    with pytest.raises(RuleError, match="Max may not see this restricted incident"):
        inform(office, number, people=[office.people["Max"].id])


def test_what_ran_past_its_teams_time_is_there_for_its_lead(office):
    number = office.bring_to("in_progress")

    def past(who, now):
        with reading(office.engine) as db:
            found = home.home(db, office.people[who], now, MONDAY).past_ola
        return found and [line.id for line in found.lines]

    assert past("Lena", MONDAY + DAY + 5 * HOUR) == []
    assert past("Lena", MONDAY + DAY + 6 * HOUR) == [number]
    assert past("Dora", MONDAY + DAY + 6 * HOUR) is None
    escalate(office, number, at=MONDAY + DAY + 6 * HOUR)
    assert past("Lena", MONDAY + DAY + 7 * HOUR) == []


def test_the_team_that_had_a_cancelled_incident_receives_it_anew_after_it_was_reopened(office):
    incident = office.bring_to("assigned")
    office.perform(incident, "cancel", "Dora", MONDAY + 2 * HOUR, reason="Reported by mistake.")
    office.perform(incident, "reopen", "Dora", MONDAY + 3 * HOUR, reason="It was none.")
    assert [stay.ended_at for stay in office.assignments(incident)] == [MONDAY + 2 * HOUR]
    office.perform(incident, "accept", "Lena", MONDAY + 4 * HOUR, **office.triage)
    assert [stay.began_at for stay in office.assignments(incident)] == [MONDAY + HOUR, MONDAY + 4 * HOUR]
