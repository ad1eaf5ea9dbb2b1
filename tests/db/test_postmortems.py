"""Postmortems: drafted when they are due, written in versions, reviewed by somebody else, published, amended."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text

from db.commands import hypotheses, incidents, major, people, postmortem_actions, postmortems, published_postmortems
from db.engine import reading, writing
from db.models import Postmortem, PostmortemAction, PostmortemVersion
from db.queries import home, room_parts, status_page
from db.queries import incidents as incident_queries
from db.queries import postmortem_actions as action_queries
from db.queries import postmortems as queries
from db.verify import learning
from db.verify.findings import Findings
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from rules.postmortems import DISCARDED, DRAFT, PUBLISHED, REVIEW
from tests.db.learned import NOW, RECOVERED, TODAY, WORDS, Learned
from tests.db.office import DAY, HOUR, MONDAY
from worker import postmortems as worker


@pytest.fixture
def office(engine):
    return Learned(engine)


def refused(office, command, *given, by="Priya", at=NOW):
    with pytest.raises(RuleError) as found:
        office.do(command, *given, by=by, at=at)
    return found.value


def test_a_draft_is_made_when_a_severe_incident_recovers(office):
    incident = office.report("Mail is down")
    office.perform(incident, "accept", "Lena", MONDAY + HOUR, **office.triage | {"impact": 1, "urgency": 1})
    office.perform(incident, "acknowledge", "Priya", MONDAY + 2 * HOUR)
    cause = office.do(hypotheses.suspect, incident, "A full disk")
    office.do(hypotheses.confirm, incident, cause, 1, "df says so")
    office.perform(incident, "resolve", "Priya", MONDAY + 3 * HOUR, resolution_code="fixed", resolution_note="Space.")
    assert office.postmortem(incident) is None
    office.perform(incident, "recover", "Sam", RECOVERED)
    made = office.postmortem(incident)
    assert (made.state, made.version, made.owner_id) == (DRAFT, 1, office.people["Priya"].id)
    whole = office.seen(made.id)
    assert whole.words["title"] == "Mail is down"
    assert whole.words["summary"].startswith("Mail is down (P1 Critical, Outlook). It began Mon 2 Mar 2026 09:00 UTC")
    assert "confirmed 'A full disk': df says so" in whole.words["timeline"]
    assert whole.words["factors"] == "A full disk"
    assert (whole.saved_by, whole.words["went_well"]) == ("Incident Desk", "")
    assert office.steps(incident) == [("Incident Desk", "drafted the postmortem from what is known")]
    number = office.incident(incident).number
    assert office.heard("Priya") == [f"Write the postmortem of {number}: Mail is down"]


def test_nobody_who_is_gone_has_the_postmortem(office):
    incident = office.recovered(impact=3)
    for gone, owner in (("Priya", "Lena"), ("Lena", "Sam")):
        with writing(office.engine) as db:
            people.disable(db, office.people[gone].id, actor=office.people["Ada"], now=NOW)
        office.do(postmortems.start, incident, by="Sam")
        assert office.postmortem(incident).owner_id == office.people[owner].id
        with writing(office.engine) as db:
            db.execute(delete(PostmortemVersion))
            db.execute(delete(Postmortem))
    assert office.heard("Lena") == [f"Write the postmortem of {office.incident(incident).number}: Mail is down"]


def test_a_second_recovery_adds_nothing(office):
    incident = office.recovered()
    first = office.postmortem(incident)
    office.perform(incident, "reopen", "Priya", NOW, reason="It came back.")
    assert office.postmortem(incident).id == first.id
    office.perform(incident, "resolve", "Priya", NOW, resolution_code="fixed", resolution_note="Again.")
    office.perform(incident, "recover", "Priya", NOW)
    assert office.postmortem(incident).id == first.id
    assert len(office.steps(incident)) == len(office.heard("Priya")) == 1


@pytest.mark.parametrize(("impact", "declared", "expected"), [(1, False, True), (3, False, False), (3, True, True)])
def test_only_the_severe_are_drafted_by_themselves(office, impact, declared, expected):
    incident = office.report()
    office.perform(incident, "accept", "Lena", MONDAY, **office.triage | {"impact": impact, "urgency": impact})
    if declared:
        lena = office.people["Lena"]
        with writing(office.engine) as db:
            major.declare(db, incident, None, "All of them.", commander_id=lena.id, actor=lena, now=MONDAY)
    office.perform(incident, "acknowledge", "Priya", MONDAY)
    office.perform(incident, "resolve", "Priya", MONDAY, resolution_code="fixed", resolution_note="x")
    office.perform(incident, "recover", "Priya", MONDAY)
    made = office.postmortem(incident)
    assert (made is not None) is expected
    if declared:
        assert made.owner_id == office.people["Lena"].id, "whoever led the response"


def test_anybody_who_works_on_incidents_begins_one_once_it_is_resolved(office):
    incident = office.bring_to("in_progress")
    assert "Resolve it first" in refused(office, postmortems.start, incident).sentence
    incident = office.bring_to("resolved")
    one = office.do(postmortems.start, incident, by="Sam")
    assert office.do(postmortems.start, incident, by="Dora") == one
    assert office.steps(incident) == [("Sam", "drafted the postmortem from what is known")]
    for who in ("Rita", "Ada"):
        with pytest.raises(Forbidden):
            office.do(postmortems.start, incident, by=who)


def test_every_save_is_a_version_and_the_old_ones_stay(office):
    incident = office.recovered()
    one = office.postmortem(incident).id
    assert office.save(one) == 2
    assert office.save(one, 2) == 2, "what changes nothing is no version"
    assert office.save(one, 2, by="Lena", lucky="It was night.") == 3
    with reading(office.engine) as db:
        priya = office.people["Priya"]
        kept = [(each.number, each.saved_by) for each in queries.versions(db, priya, one)]
        assert kept == [(3, "Lena"), (2, "Priya"), (1, "Incident Desk")]
        assert queries.words(db, priya, one, 1)["factors"] == ""
        assert queries.words(db, priya, one, 3)["lucky"] == "It was night."
    assert office.steps(incident)[1:] == [
        ("Priya", "wrote on the postmortem: version 2"), ("Lena", "wrote on the postmortem: version 3"),
    ]  # fmt: skip


def test_the_second_of_two_editors_loses_nothing_and_takes_nothing(office):
    one = office.postmortem(office.recovered()).id
    office.save(one)
    with pytest.raises(RuleError, match="Priya saved version 2 while you had version 1") as late:
        office.save(one, 1, by="Lena", summary="Mine.")
    assert set(late.value.fields) == {"version"}
    assert office.seen(one).words["summary"] == WORDS["summary"]
    assert office.save(one, 2, by="Lena", summary="Mine.") == 3


def test_it_is_reviewed_by_somebody_else_than_who_wrote_it(office):
    incident = office.recovered()
    one = office.postmortem(incident).id
    missing = refused(office, postmortems.send, one, 1)
    assert set(missing.fields) == {"factors", "no_action"}
    office.save(one)
    office.act(one)
    assert "cannot become published" in refused(office, postmortems.publish, one, 2, by="Lena").sentence
    office.do(postmortems.send, one, 2)
    assert office.heard("Lena")[-1].startswith("Review the postmortem of")
    for who in ("Priya",):
        assert "Ask somebody else" in refused(office, postmortems.publish, one, 2, by=who).sentence
    office.do(postmortems.send_back, one, "Say who noticed.", by="Lena")
    assert office.seen(one).state == DRAFT
    assert office.heard("Priya")[-1].startswith("Not yet:")
    office.save(one, 2, summary="Rita noticed.")
    office.do(postmortems.send, one, 3)
    office.save(one, 3, by="Lena", at=NOW + HOUR, summary="Rita noticed it.")
    assert "See what it says" in refused(office, postmortems.publish, one, 3, by="Dora").sentence
    assert "Ask somebody else" in refused(office, postmortems.publish, one, 4, by="Lena").sentence
    office.do(postmortems.publish, one, 4)  # Priya sent version 3; version 4 is Lena's
    whole = office.seen(one)
    assert (whole.state, whole.reviewer, whole.published_at) == (PUBLISHED, "Priya", NOW)
    assert any(subject.startswith("Published:") for subject in office.heard("Sam")), "who has an action to do"


def test_what_is_published_is_amended_in_the_open_and_stays_whole(office):
    one = office.published()
    with pytest.raises(RuleError, match="what you change, and why"):
        office.save(one, 2, summary="Other.")
    with pytest.raises(RuleError, match="at least one contributing factor"):
        office.save(one, 2, factors="", why="Less")
    assert office.save(one, 2, by="Sam", summary="Other.", why="The vendor said so.") == 3
    with reading(office.engine) as db:
        newest = queries.versions(db, office.people["Max"], one)[0]
    assert (newest.saved_by, newest.why) == ("Sam", "The vendor said so.")
    [action] = office.seen(one).actions
    assert "the only action" in refused(office, postmortem_actions.drop, action.id, 1, "No").sentence
    assert office.seen(one).state == PUBLISHED


def test_only_a_draft_is_discarded_and_may_be_taken_up_again(office):
    one = office.written()
    office.do(postmortems.send, one, 2)
    assert "cannot become discarded" in refused(office, postmortems.discard, one, "No").sentence
    office.do(postmortems.send_back, one, "No", by="Lena")
    assert "Say why" in refused(office, postmortems.discard, one, " ").sentence
    office.do(postmortems.discard, one, "A false alarm.")
    whole = office.seen(one)
    assert (whole.state, whole.discarded_why) == (DISCARDED, "A false alarm.")
    assert (office.library(), office.library(view="discarded")) == ([], ["Mail was down"])
    for command, given in (
        (postmortem_actions.add, (one, "x", office.people["Sam"].id, TODAY)),
        (postmortem_actions.finish, (whole.actions[0].id, 1)),
    ):
        assert "discarded" in refused(office, command, *given).sentence
    assert worker.tick(NOW + 30 * DAY, office.engine) == 0, "nobody is asked for what does not count"
    assert office.do(postmortems.start, whole.incident_id) == one
    assert office.seen(one).state == DRAFT


def test_it_can_be_given_to_whoever_may_read_it(office):
    one = office.written()
    office.do(postmortems.give, one, office.people["Max"].id)
    assert office.seen(one).owner == "Max"
    assert office.heard("Max")[0].startswith("The postmortem of")
    for who in ("Rita",):
        assert "cannot read it" in refused(office, postmortems.give, one, office.people[who].id).sentence
    assert "from the list" in refused(office, postmortems.give, one, None).sentence


def test_an_action_goes_from_given_to_verified(office):
    one = office.written()
    [action] = office.seen(one).actions
    assert (action.text, action.owner, action.open, action.overdue) == ("Add an alarm", "Sam", True, False)
    assert office.heard("Sam") == ["To be done by 9 Mar 2026: Add an alarm"]
    assert office.act(one) == action.id, "the same again is the same"
    assert "not done yet" in refused(office, postmortem_actions.verify, action.id, 1, "It rang.").sentence
    office.do(postmortem_actions.finish, action.id, 1, by="Sam")
    office.do(postmortem_actions.finish, action.id, 1, by="Sam")
    assert office.heard("Priya")[-1] == "Done: Add an alarm"
    assert "meanwhile" in refused(office, postmortem_actions.verify, action.id, 1, "x").sentence
    assert "Say what you saw" in refused(office, postmortem_actions.verify, action.id, 2, "").sentence
    office.do(postmortem_actions.verify, action.id, 2, "It rang on Friday.", by="Lena")
    [seen] = office.seen(one).actions
    assert (seen.done_by, seen.verified_by, seen.effect) == ("Sam", "Lena", "It rang on Friday.")
    office.do(postmortem_actions.take_up, action.id, 3, "It rings no more.")
    [again] = office.seen(one).actions
    assert (again.open, again.effect, again.verified_at) == (True, "", None)


def test_an_action_is_changed_given_to_another_or_dropped(office):
    one = office.written()
    [action] = office.seen(one).actions
    lena = office.people["Lena"].id
    later = TODAY + timedelta(days=20)
    office.do(postmortem_actions.change, action.id, 1, "Add two alarms", lena, later)
    [changed] = office.seen(one).actions
    assert (changed.text, changed.owner, changed.due_on) == ("Add two alarms", "Lena", later)
    assert office.steps(office.seen(one).incident_id)[-1] == (
        "Priya", "changed the action 'Add an alarm': now 'Add two alarms', to Lena, from 9 Mar 2026 to 22 Mar 2026"
    )  # fmt: skip
    assert "meanwhile" in refused(office, postmortem_actions.change, action.id, 1, "x", lena, later).sentence
    assert set(refused(office, postmortem_actions.change, action.id, 2, "", None, None).fields) == {
        "text", "owner_id", "due_on",
    }  # fmt: skip
    office.do(postmortem_actions.drop, action.id, 2, "The server goes.")
    assert "dropped" in refused(office, postmortem_actions.finish, action.id, 3).sentence
    assert (office.seen(one).counted, office.seen(one).actions[0].dropped_why) == (0, "The server goes.")


def test_what_is_overdue_is_told_in_the_morning_once_and_then_weekly(office):
    one = office.published()
    office.do(postmortems.give, one, office.people["Max"].id)
    due = MONDAY.replace(hour=0) + 8 * DAY  # the first moment after its day
    for moment in (due - HOUR, due, due + 6 * HOUR):
        assert worker.tick(moment, office.engine) == 0
    for moment in (due + 7 * HOUR, due + 7 * HOUR, due + 3 * DAY):
        worker.tick(moment, office.engine)
    assert office.heard("Sam", "overdue") == ["Overdue since 9 Mar 2026: Add an alarm"]
    assert office.heard("Max", "overdue") == []
    worker.tick(due + 28 * DAY, office.engine)  # after an outage: one, not a heap
    worker.tick(due + 28 * DAY, office.engine)
    assert len(office.heard("Sam", "overdue")) == 2
    assert len(office.heard("Max", "overdue")) == 1
    [action] = office.seen(one).actions
    office.do(
        postmortem_actions.change, action.id, 1, action.text, action.owner_id, TODAY + timedelta(days=40),
        at=due + 28 * DAY,
    )  # fmt: skip
    assert worker.tick(due + 29 * DAY, office.engine) == 0
    assert worker.tick(due + 40 * DAY, office.engine) == 1, "its new day is over too"


def test_two_workers_tell_it_once(office):
    office.published()
    now = MONDAY + 9 * DAY
    with reading(office.engine) as db:
        [action] = postmortem_actions.overdue(db, now, 10)
    with writing(office.engine) as db:
        assert postmortem_actions.tell_overdue(db, action, now)
    with writing(office.engine) as db:
        assert not postmortem_actions.tell_overdue(db, action, now)
    assert len(office.heard("Sam", "overdue")) == 1


def test_what_was_discarded_while_the_worker_was_on_its_way_is_told_to_nobody(office):
    one = office.written()
    now = MONDAY + 9 * DAY
    with reading(office.engine) as db:
        [action] = postmortem_actions.overdue(db, now, 10)
    office.do(postmortems.discard, one, "A false alarm.", at=now)
    with writing(office.engine) as db:
        assert not postmortem_actions.tell_overdue(db, action, now)
    assert office.heard("Sam", "overdue") == []


def test_what_nobody_can_be_told_of_any_more_is_told_to_who_has_the_postmortem_else_who_leads(office):
    office.published()
    due = MONDAY + 9 * DAY
    for gone in ("Sam", "Priya"):
        with writing(office.engine) as db:
            people.disable(db, office.people[gone].id, actor=office.people["Ada"], now=due)
        assert worker.tick(due, office.engine) == 1
        due += 8 * DAY
    assert office.heard("Sam", "overdue") == []
    assert office.heard("Priya", "overdue") == ["Overdue since 9 Mar 2026: Add an alarm"]
    assert office.heard("Lena", "overdue") == ["Overdue since 9 Mar 2026: Add an alarm"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_tells_what_is_overdue_does_not_wait_for_who_works_on_it(office):
    one = office.published()
    [action] = office.seen(one).actions
    now = MONDAY + 9 * DAY
    with writing(office.engine) as db:
        postmortems.opened(db, one, office.people["Sam"])
        with writing(office.engine) as other:
            other.execute(text("set local lock_timeout = '500ms'"))
            assert not postmortem_actions.tell_overdue(other, action.id, now)
    assert worker.tick(now, office.engine) == 1


def test_whoever_has_an_action_finds_it_at_home_and_everybody_what_is_overdue(office):
    one = office.published()
    late = MONDAY + 20 * DAY
    with reading(office.engine) as db:
        [action] = home.home(db, office.people["Sam"], late, MONDAY).actions
        assert (action.text, action.overdue, action.postmortem_id) == ("Add an alarm", True, one)
        assert home.home(db, office.people["Lena"], late, MONDAY).actions == ()
        for who in ("Max", "Ada", "Dora"):
            found = action_queries.overdue(db, office.people[who], late)
            assert ([each.text for each in found.actions], found.total) == (["Add an alarm"], 1)
        assert action_queries.overdue(db, office.people["Max"], NOW).total == 0
    with writing(office.engine) as db:
        row = db.get_one(PostmortemAction, action.id)
        row.done_at, row.done_by_id = late, office.people["Sam"].id
    with reading(office.engine) as db:
        assert home.home(db, office.people["Sam"], late, MONDAY).actions == ()
        assert action_queries.overdue(db, office.people["Max"], late).total == 0


def test_the_library_is_searched_by_words_state_service_and_team(office):
    first = office.published()
    second = office.written(title="Wi-Fi is gone", service_id=None)
    office.save(second, 2, title="Wi-Fi 100% gone", lucky="A_B")
    for words, found in {
        "": 2, "disk full": 2, "wi-fi": 1, "100%": 1, "a_b": 1, "axb": 0, "%": 1, "nobody gone": 1, "alarm nothing": 0,
        office.seen(first).number.lower(): 1, "\0": 2,
    }.items():  # fmt: skip
        assert len(office.library(text=words)) == found, words
    office.save(second, 3, title="Wi-Fi 100% gone", lucky="Über Nacht")
    assert len(office.library(text="über")) == len(office.library(text="ÜBER")) == 1
    assert office.library(view=PUBLISHED) == ["Mail was down"]
    assert office.library(view=DRAFT) == ["Wi-Fi 100% gone"]
    assert office.library(view=REVIEW) == []
    assert office.library(service_id=office.service) == ["Mail was down"]
    assert len(office.library(team_id=office.teams["Network"])) == 2
    assert office.library(team_id=office.teams["Portal"]) == []
    with reading(office.engine) as db:
        [row] = queries.library(db, office.people["Max"], queries.Filters(view=PUBLISHED), 1, MONDAY + 20 * DAY)[0]
    assert (row.owner, row.open_actions, row.overdue, row.priority) == ("Priya", 1, 1, 1)


def test_the_library_is_paged(office, monkeypatch):
    monkeypatch.setattr(queries, "PAGE_SIZE", 1)
    office.postmortem(office.recovered("One"))
    office.recovered("Two", at=MONDAY + DAY)
    assert (office.library(), office.library(page=2), office.library(page=3)) == (["Two"], ["One"], [])


def test_what_is_due_and_has_none_is_shown_for_a_while(office):
    incident = office.recovered(impact=3)
    with writing(office.engine) as db:
        assert queries.due(db, office.people["Priya"], NOW) == ([], False)
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, {"impact": 1, "urgency": 1}, actor=office.people["Lena"], now=NOW)
    with reading(office.engine) as db:
        [one], more = queries.due(db, office.people["Max"], NOW)
        assert (one.incident_id, one.priority, more) == (incident, 1, False)
        assert queries.due(db, office.people["Priya"], NOW + 91 * DAY) == ([], False)
        assert queries.due(db, office.people["Ada"], NOW) == ([], False), "an administrator begins none"
    office.do(postmortems.start, incident)
    with reading(office.engine) as db:
        assert queries.due(db, office.people["Priya"], NOW) == ([], False)


def test_the_room_knows_its_postmortem(office):
    incident = office.recovered()
    with reading(office.engine) as db:
        for who, expected in (("Priya", (office.postmortem(incident).id, DRAFT)), ("Rita", None)):
            detail = incident_queries.by_number(db, office.people[who], office.incident(incident).number)
            assert room_parts.parts(db, office.people[who], detail).postmortem == expected


def test_a_postmortem_of_a_restricted_incident_is_open_to_those_on_it_alone(office):
    one = office.written()
    open_one = office.written(title="Another")
    incident = office.seen(one).incident_id
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, {"restricted": True}, actor=office.people["Lena"], now=NOW)
    assert office.seen(one, "Priya").id == one, "its team"
    for who in ("Sam", "Dora", "Max", "Ada", "Devi"):
        with pytest.raises(NotFound) as hidden:
            office.seen(one, who)
        with pytest.raises(NotFound) as absent:
            office.seen(999, who)
        assert hidden.value.sentence == absent.value.sentence
        assert (hidden.value.refused, absent.value.refused) == ((office.people[who].id, "postmortems"), None)
        assert office.seen(open_one, who).id == open_one
        assert len(office.library(who)) == 1
    with pytest.raises(NotFound, match="no such postmortem"):
        office.save(one, 2, by="Sam")
    assert (
        "cannot read it" in refused(office, postmortem_actions.add, one, "x", office.people["Max"].id, TODAY).sentence
    )
    worker.tick(MONDAY + 20 * DAY, office.engine)
    assert len(office.heard("Sam", "overdue")) == 1, "of the open one alone: the other is Sam's no more to read"
    with reading(office.engine) as db:
        assert len(home.home(db, office.people["Sam"], NOW, MONDAY).actions) == 1


def test_reporters_have_no_part_in_it(office):
    one = office.published()
    with reading(office.engine) as db:
        rita = office.people["Rita"]
        for ask in (
            lambda: queries.one(db, rita, one, NOW),
            lambda: queries.library(db, rita, queries.Filters(), 1, NOW),
            lambda: queries.versions(db, rita, one),
            lambda: action_queries.overdue(db, rita, NOW),
            lambda: queries.due(db, rita, NOW),
        ):
            with pytest.raises(Forbidden):
                ask()
    for who in ("Rita", "Ada"):
        with pytest.raises((Forbidden, NotFound)):
            office.save(one, 2, by=who)


def publish(office, one, version=None, title="Mail was slow", words="We added space.", by="Lena", at=NOW):
    office.do(published_postmortems.publish, one, version, title, words, by=by, at=at)


def lesson(office, incident):
    with reading(office.engine) as db:
        [(publication, *_)] = [(each.id,) for each in status_page.past(db, NOW).past]
        return status_page.one(db, publication, NOW)[1].lesson


def test_the_public_reads_words_of_its_own_by_choice(office):
    incident = office.recovered()
    one = office.postmortem(incident).id
    office.save(one)
    office.act(one)
    assert "has reviewed" in refused(office, published_postmortems.publish, one, None, "x", "y", by="Lena").sentence
    office.do(postmortems.send, one, 2)
    office.do(postmortems.publish, one, 2, by="Lena")
    assert (
        "not on the status page"
        in refused(office, published_postmortems.publish, one, None, "x", "y", by="Lena").sentence
    )
    office.update(incident, stage="resolved", at=RECOVERED)
    assert lesson(office, incident) is None
    with pytest.raises(Forbidden):
        publish(office, one, by="Priya")
    with pytest.raises(RuleError) as wrong:
        publish(office, one, title="", words="")
    assert set(wrong.value.fields) == {"public_title", "public_text"}
    publish(office, one)
    shown = lesson(office, incident)
    assert (shown.title, shown.words, shown.at) == ("Mail was slow", "We added space.", NOW)
    with pytest.raises(RuleError, match="meanwhile"):
        publish(office, one, None, "Mine", "x")
    publish(office, one, 1, words="We added more space.", at=NOW + HOUR)
    assert (lesson(office, incident).words, lesson(office, incident).at) == ("We added more space.", NOW)
    office.do(published_postmortems.withdraw, one, by="Dora")
    assert lesson(office, incident) is None
    assert [told for _, told in office.steps(incident)[-3:]] == [
        "told the public what we learned",
        "changed what the public reads of it",
        "took what we learned off the status page",
    ]


def findings(office):
    found = Findings()
    with reading(office.engine) as db:
        learning.check(db, found)
    return found.first


def test_verify_finds_what_is_not_whole(office):
    one = office.published()
    assert findings(office) == []
    with writing(office.engine) as db:
        db.get_one(PostmortemVersion, (one, 2)).impact = ""
        db.delete(db.get_one(PostmortemVersion, (one, 1)))
    with writing(office.engine) as db:
        db.scalars(select(PostmortemAction)).one().dropped_at = NOW
        db.get_one(Postmortem, one).published_at = None
    said = findings(office)
    assert len(said) == 4
    assert all(office.seen(one).number in sentence for sentence in said)
