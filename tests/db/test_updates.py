"""Updates: who reads them, when the next is owed, who is reminded, and what the commander says about them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import conversation, incidents, major, relations, setup, updates
from db.engine import reading, writing
from db.models import IncidentRole, Notice, ServiceSubscriber, Update
from db.queries import incidents as reads
from db.queries import updates as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office
from worker import timers as worker

NOW = MONDAY + 3 * HOUR
MINUTE = timedelta(minutes=1)
STILL_OWED = "INC-000001: the update is still owed 20 min late: Mail is slow"
NEXT = NOW + 20 * MINUTE


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya", at=NOW, **more):
    with writing(office.engine) as db:
        done = command(db, *given, actor=office.people[by], now=at, **more)
        return done.id if isinstance(done, Update) else done


def write(office, number, words="We look for the cause.", **more):
    given = {"audience": "internal", "stage": "investigating", "next_at": more.get("at", NOW) + 20 * MINUTE} | more
    return do(office, updates.write, number, words=words, **given)


def response(office, number, by="Lena"):
    with reading(office.engine) as db:
        who = office.people[by]
        return queries.of_incident(db, who, reads.by_number(db, who, office.incident(number).number))


def told(office, number, kind="update"):
    return [(name, subject) for name, notice, subject in office.notices(number) if notice == kind]


def texts(office, number, *kinds):
    return [entry.text for entry in office.timeline(number) if entry.kind in kinds]


def test_an_update_reaches_followers_those_who_answer_for_it_and_subscribers(office):
    number = office.bring_to("in_progress", service_id=office.service)
    do(office, conversation.follow, number, by="Otto")
    do(office, updates.subscribe, [office.service], by="Ada")
    do(office, major.give, number, "expert", office.people["Devi"].id, "mail")
    write(office, number)
    subject = "INC-000001, investigating: Mail is slow"
    assert told(office, number) == [(name, subject) for name in ("Rita", "Otto", "Devi", "Lena", "Ada")]
    [entry] = [entry for entry in office.timeline(number) if entry.kind == "update"]
    assert (entry.text, entry.detail, entry.public) == (
        "sent an update: investigating",
        "We look for the cause.",
        True,
    )
    assert texts(office, number, "sent") == ["told Ada, Devi, Lena, Otto and Rita"]
    found = response(office, number)
    assert (found.due_at, found.newest[0].text, found.newest[0].writer) == (NEXT, "We look for the cause.", "Priya")


def test_managers_hear_of_what_is_major_or_critical(office):
    small, large = office.bring_to("in_progress"), office.bring_to("in_progress")
    do(office, major.declare, large, None, "Down.", by="Lena")
    for number in (small, large):
        write(office, number)
    assert "Max" not in dict(told(office, small))
    assert "Max" in dict(told(office, large))


def test_of_a_restricted_incident_only_those_hear_to_whom_it_is_open(office):
    number = office.bring_to("in_progress", service_id=office.service)
    do(office, conversation.follow, number, by="Otto")
    do(office, updates.subscribe, [office.service], by="Ada")
    do(office, major.give, number, "expert", office.people["Sam"].id)
    do(office, major.declare, number, None, "Down.", by="Lena")
    with writing(office.engine) as db:
        incidents.prioritise(db, number, None, {"restricted": True}, actor=office.people["Lena"], now=NOW)
    write(office, number)
    assert {name for name, _ in told(office, number)} == {"Rita", "Lena"}
    with pytest.raises(NotFound):
        write(office, number, by="Sam")
    with pytest.raises(NotFound):
        response(office, number, by="Sam")


def test_it_reaches_the_reporters_of_its_parts(office):
    number, part = office.bring_to("in_progress"), office.report("The same on floor 2", by="Otto")
    do(office, relations.set_parent, part, None, number, by="Lena")
    write(office, number)
    assert told(office, part) == [
        ("Otto", "INC-000002: Priya sent an update on INC-000001, which this is part of"),
    ]


def test_a_double_click_is_one_update_and_nobody_is_told_twice(office):
    number = office.bring_to("in_progress")
    assert write(office, number, token="one") == write(office, number, token="one")
    assert told(office, number).count(("Rita", "INC-000001, investigating: Mail is slow")) == 1


@pytest.mark.parametrize(("who", "refusal"), [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden)])
def test_only_those_who_work_on_it_write(office, who, refusal):
    number = office.bring_to("in_progress")
    with pytest.raises(refusal):
        write(office, number, by=who)


def test_what_was_published_stays_and_a_correction_is_another(office):
    number = office.bring_to("in_progress")
    first = write(office, number)
    write(office, number, "It began at eight, not at nine.", corrects=first, at=NOW + MINUTE)
    found = response(office, number).newest
    assert [(each.text, each.corrects) for each in found] == [
        ("It began at eight, not at nine.", True),
        ("We look for the cause.", False),
    ]
    assert texts(office, number, "update")[-1] == "corrected an update: investigating"
    with pytest.raises(NotFound):
        write(office, number, corrects=99)
    public = write(office, number, audience="both", title="Mail", by="Lena")
    with pytest.raises(RuleError, match="everybody who read") as caught:
        write(office, number, corrects=public)
    assert "audience" in caught.value.fields


def test_what_was_cancelled_is_not_told_of(office):
    number = office.bring_to("cancelled")
    with pytest.raises(RuleError, match="nothing more to tell"):
        write(office, number, by="Dora")


def test_of_what_is_over_the_public_hears_that_it_is_resolved_or_a_correction(office):
    number = office.bring_to("in_progress")
    public = {"audience": "external", "title": "Mail", "by": "Lena"}
    first = write(office, number, **public)
    office.perform(number, "resolve", "Priya", NOW, resolution_code="fixed", resolution_note="Restarted it.")
    office.perform(number, "recover", "Priya", NOW)
    with pytest.raises(RuleError, match="It is over") as caught:
        write(office, number, **public)
    assert "stage" in caught.value.fields
    with pytest.raises(RuleError, match="It is over"):
        write(office, number, stage="identified", corrects=first, **public)
    write(office, number, "It began at eight.", corrects=first, **public)
    write(office, number, "It is over.", stage="resolved", **public)
    write(office, number, "We look back.")


def test_an_overdue_update_nags_communications_then_the_commander(office):
    number = office.bring_to("in_progress")
    do(office, major.declare, number, None, "Down.", by="Lena", commander_id=office.people["Lena"].id)
    do(office, major.give, number, "communications", office.people["Sam"].id, by="Lena")

    def chased():
        return [name for name, _ in told(office, number, "chase")]

    worker.tick(NOW + 4 * MINUTE, office.engine)
    assert chased() == []
    worker.tick(NOW + 5 * MINUTE, office.engine)
    assert chased() == ["Sam"]
    worker.tick(NOW + 10 * MINUTE, office.engine)
    assert chased() == ["Sam", "Sam", "Lena"]
    worker.tick(NOW + 12 * MINUTE, office.engine)
    worker.tick(NOW + 25 * MINUTE, office.engine)
    assert chased() == ["Sam", "Sam", "Lena", "Sam", "Lena"]
    assert texts(office, number, "chase") == [
        "an update is due: told Sam",
        "the update is still owed: told Lena and Sam",
    ], "the timeline says it twice, people hear it until they write"
    assert told(office, number, "chase")[-1] == ("Lena", STILL_OWED)
    write(office, number, by="Sam", at=NOW + 26 * MINUTE)
    worker.tick(NOW + 45 * MINUTE, office.engine)
    assert len(chased()) == 5
    worker.tick(NOW + 46 * MINUTE, office.engine)
    assert chased()[5:] == ["Sam"], "what was promised is owed"


def test_after_an_outage_of_the_worker_nobody_gets_a_heap(office):
    number = office.bring_to("in_progress")
    do(office, major.declare, number, None, "Down.", by="Lena", commander_id=office.people["Lena"].id)
    for _ in range(3):
        worker.tick(NOW + 9 * HOUR, office.engine)
    assert len(told(office, number, "chase")) == 1


def test_the_last_update_promises_no_other(office):
    number = office.bring_to("in_progress")
    write(office, number)
    write(office, number, "It is over.", stage="resolved", next_at=None, at=NOW + MINUTE)
    assert response(office, number).due_at is None
    assert "update_due" not in office.timers(number)


def test_what_the_public_is_told_waits_for_the_commander_when_the_setting_says_so(office):
    number = office.bring_to("in_progress")
    with writing(office.engine) as db:
        setup.put(db, {"updates.approval": True}, NOW, None)
    do(office, major.declare, number, None, "Down.", by="Lena", commander_id=office.people["Sam"].id)
    public = {"audience": "both", "title": "Mail is slow for some"}
    asked = write(office, number, by="Lena", **public)
    assert told(office, number, "update") == []
    assert told(office, number, "approve") == [("Sam", "Read before the public does: INC-000001: Mail is slow")]
    found = response(office, number, by="Sam")
    assert ([each.id for each in found.waiting], found.newest, found.decides) == ([asked], (), True)
    assert not response(office, number).decides
    with pytest.raises(Forbidden, match="commander decides"):
        do(office, updates.decide, number, asked, True, by="Lena")
    with pytest.raises(RuleError, match="Say what should be different"):
        do(office, updates.decide, number, asked, False, by="Sam")
    do(office, updates.decide, number, asked, False, "Say which offices.", by="Sam")
    assert told(office, number, "approve")[-1] == ("Lena", "Not published: your update on INC-000001: Mail is slow")
    with pytest.raises(RuleError, match="decided meanwhile"):
        do(office, updates.decide, number, asked, True, by="Sam")
    again = write(office, number, by="Lena", **public)
    late = NOW + HOUR
    with pytest.raises(RuleError, match="still to come"):
        do(office, updates.decide, number, again, True, by="Sam", at=late)
    do(office, updates.decide, number, again, True, by="Sam", at=late, next_at=late + 30 * MINUTE)
    found = response(office, number)
    assert ([each.id for each in found.newest], found.due_at) == ([again], late + 30 * MINUTE)
    assert texts(office, number, "update") == ["sent an update by Lena: investigating"]
    assert write(office, number, by="Sam", at=late, **public) == response(office, number).newest[0].id, (
        "the commander's own"
    )


def test_without_the_setting_those_who_only_repair_still_ask(office):
    number = office.bring_to("in_progress")
    public = {"audience": "external", "title": "Mail is slow"}
    write(office, number, by="Sam", **public)
    assert response(office, number).waiting[0].writer == "Sam"
    assert told(office, number, "approve") == [("Lena", "Read before the public does: INC-000001: Mail is slow")]
    do(office, major.give, number, "communications", office.people["Sam"].id, by="Lena")
    published = write(office, number, by="Sam", **public)
    assert response(office, number).newest[0].id == published


def test_subscriptions_are_chosen_as_a_whole(office):
    for chosen in ([office.service], [office.service], []):
        do(office, updates.subscribe, chosen, by="Rita")
        with reading(office.engine) as db:
            assert list(queries.subscribed(db, office.people["Rita"])) == chosen
    with pytest.raises(RuleError, match="from the list"):
        do(office, updates.subscribe, [999], by="Rita")
    with reading(office.engine) as db:
        assert db.scalars(select(ServiceSubscriber)).all() == []


def test_a_room_that_nobody_used_is_asked_nothing_more(office):
    number = office.bring_to("in_progress")
    assert response(office, number) == queries.Response()
    with reading(office.engine) as db:
        assert not db.scalars(select(IncidentRole)).all()
        assert not db.scalars(select(Notice).where(Notice.kind == "chase")).all()
