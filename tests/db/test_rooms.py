"""The talk in an incident's room: who may, what is kept, who is told, and who is there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db.commands import chat, presence
from db.commands.files import Upload
from db.engine import reading, writing
from db.models import Incident, Message, MessageVersion, Notice, Task, TimelineEntry
from db.queries import incidents, rooms
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya", **more):
    with writing(office.engine) as db:
        done = command(db, *given, actor=office.people[by], now=NOW, **more)
        return done.id if isinstance(done, Message) else done


def said(office, incident):
    with reading(office.engine) as db:
        return rooms.newest(db, incident)[0]


def told(office, who, kind="mention"):
    with reading(office.engine) as db:
        chosen = select(Notice.subject).where(Notice.person_id == office.people[who].id, Notice.kind == kind)
        return list(db.scalars(chosen.order_by(Notice.id)))


def test_what_is_said_stands_in_order_and_disturbs_no_form(office):
    number = office.report()
    before = office.incident(number).version
    first = do(office, chat.say, number, "Look at the switch", token="one")
    assert do(office, chat.say, number, "Look at the switch", token="one") == first, "a double click is one message"
    do(office, chat.say, number, "I do", by="Lena", reply_to=first)
    [one, other] = said(office, number)
    assert (one.author, one.text, one.turn) == ("Priya", "Look at the switch", 1)
    assert (other.author, other.reply_author, other.reply_text) == ("Lena", "Priya", "Look at the switch")
    assert office.incident(number).version == before


@pytest.mark.parametrize("who", ["Rita", "Otto", "Ada"])
def test_who_does_not_work_on_it_neither_writes_nor_reads(office, who):
    number = office.report()
    with pytest.raises((Forbidden, NotFound)):
        do(office, chat.say, number, "Hello", by=who)
    with pytest.raises(NotFound), reading(office.engine) as db:
        rooms.opened(db, office.people[who], office.incident(number).number)


def test_a_manager_reads_only(office):
    number = office.report()
    with reading(office.engine) as db:
        assert rooms.opened(db, office.people["Max"], office.incident(number).number).id == number
    with pytest.raises(Forbidden):
        do(office, chat.say, number, "Hello", by="Max")


def test_a_restricted_room_is_closed_to_strangers_and_they_cannot_be_named(office):
    number = office.report()
    office.perform(number, "accept", "Lena", NOW, **office.triage, restricted=True)
    with pytest.raises(NotFound):
        do(office, chat.say, number, "Hello", by="Sam")
    with pytest.raises(NotFound), reading(office.engine) as db:
        rooms.opened(db, office.people["Sam"], office.incident(number).number)
    do(office, chat.say, number, "@Sam and @Lena look")
    assert told(office, "Sam") == []
    assert len(told(office, "Lena")) == 1


def test_edits_and_retractions_leave_a_trace(office):
    number = office.report()
    message = do(office, chat.say, number, "It is the swich")
    with pytest.raises(Forbidden):
        do(office, chat.edit, number, message, "Mine now", by="Lena")
    with pytest.raises(Forbidden):
        do(office, chat.retract, number, message, by="Lena")
    do(office, chat.edit, number, message, "It is the switch")
    do(office, chat.edit, number, message, "It is the switch")
    do(office, chat.retract, number, message)
    do(office, chat.retract, number, message)
    [kept] = said(office, number)
    assert (kept.text, kept.retracted, kept.turn) == ("", True, 3)
    for change in (chat.edit, chat.pin, chat.make_task):
        with pytest.raises(RuleError):
            do(office, change, number, message, *(["Again"] if change is chat.edit else []))
    with reading(office.engine) as db:
        former = db.scalars(select(MessageVersion.text).order_by(MessageVersion.id)).all()
    assert former == ["It is the swich", "It is the switch"]


def test_a_message_is_pinned_once_at_its_time_and_made_a_step_once(office):
    number = office.report()
    message = do(office, chat.say, number, "Replace\nthe  cable " + "x" * 400)
    for _ in range(2):
        do(office, chat.pin, number, message, by="Lena")
        do(office, chat.make_task, number, message, by="Lena")
    with reading(office.engine) as db:
        entries = db.scalars(select(TimelineEntry).where(TimelineEntry.text.contains("pinned"))).all()
        steps = db.scalars(select(Task.text).where(Task.incident_id == number)).all()
    assert [(entry.at, entry.recorded_at, entry.text, entry.public) for entry in entries] == [
        (NOW, NOW, "pinned what Priya said", False)
    ]
    assert len(steps) == 1
    assert steps[0].startswith("Replace the cable xxx")
    assert len(steps[0]) <= 300
    [kept] = said(office, number)
    assert (kept.pinned, kept.task) == (True, True)


def test_whoever_is_named_is_told_once_and_not_by_themselves(office):
    number = office.report()
    message = do(office, chat.say, number, "@Lena @lena @Priya @Rita look")
    assert told(office, "Lena") == [f"{office.incident(number).number}: Priya named you in the room"]
    assert told(office, "Priya") == told(office, "Rita") == []
    do(office, chat.edit, number, message, "@Lena and @Sam look")
    assert (len(told(office, "Lena")), len(told(office, "Sam"))) == (1, 1)


def test_a_picture_of_the_room_is_not_for_the_reporter(office):
    number = office.report()
    do(office, chat.say, number, "", upload=Upload("screen.png", PNG))
    [kept] = said(office, number)
    assert (kept.file_name, kept.picture) == ("screen.png", True)
    with reading(office.engine) as db:
        detail = incidents.by_number(db, office.people["Rita"], office.incident(number).number)
        assert incidents.files(db, office.people["Rita"], detail) == []
        assert incidents.file_content(db, office.people["Lena"], kept.file_id)[1] == PNG
        with pytest.raises(NotFound):
            incidents.file_content(db, office.people["Rita"], kept.file_id)
        public = db.scalars(select(TimelineEntry.public).where(TimelineEntry.kind == "file")).all()
    assert public == [False]
    with pytest.raises(RuleError, match="not a picture"):
        do(office, chat.say, number, "look", upload=Upload("screen.png", b"MZ" + b"0" * 40))
    assert len(said(office, number)) == 1


def test_pages_what_was_missed_and_search(office):
    number, other = office.report(), office.report("Else")
    for place in range(rooms.PAGE + 5):
        do(office, chat.say, number, f"line {place}, 100% of_it")
    do(office, chat.say, other, "line elsewhere")
    with reading(office.engine) as db:
        newest, earlier = rooms.newest(db, number)
        assert (len(newest), earlier, newest[-1].text) == (rooms.PAGE, True, f"line {rooms.PAGE + 4}, 100% of_it")
        before, earlier = rooms.newest(db, number, newest[0].id)
        assert ([each.text for each in before][:1], earlier) == (["line 0, 100% of_it"], False)
        assert [each.turn for each in rooms.since(db, number, rooms.PAGE + 2)] == [
            rooms.PAGE + 3,
            rooms.PAGE + 4,
            rooms.PAGE + 5,
        ]
        assert rooms.since(db, number, 0) is None, "more than a page: it is shown anew"
        assert [each.text for each in rooms.found(db, number, "LINE 54,")] == ["line 54, 100% of_it"]
        assert len(rooms.found(db, number, "0% of_")) == rooms.MOST_FOUND
        assert rooms.found(db, number, "0%0") == rooms.found(db, number, "  ") == []


def test_a_message_of_another_room_is_not_touched(office):
    number, other = office.report(), office.report("Else")
    message = do(office, chat.say, other, "Hello")
    for change in (chat.retract, chat.pin, chat.make_task):
        with pytest.raises(NotFound):
            do(office, change, number, message)
    with pytest.raises(NotFound):
        do(office, chat.say, number, "Hello", reply_to=message)


def test_two_who_speak_at_once_are_both_heard(office):
    number = office.report()
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda who: do(office, chat.say, number, f"I am {who}", by=who), ["Priya", "Lena"] * 5))
    assert sorted(each.turn for each in said(office, number)) == list(range(1, 11))
    with reading(office.engine) as db:
        assert db.scalar(select(func.count()).select_from(Message)) == 10


def test_who_is_here_is_known_until_their_process_is_silent(office):
    number = office.report()

    def here(now):
        with reading(office.engine) as db:
            return rooms.marks(db, [number], now)[number].here

    def change(command, *given):
        with writing(office.engine) as db:
            return command(db, *given)

    lena, priya = office.people["Lena"].id, office.people["Priya"].id
    change(presence.arrive, number, lena, "one", NOW)
    change(presence.arrive, number, lena, "two", NOW)
    change(presence.arrive, number, priya, "two", NOW)
    assert here(NOW) == ("Lena", "Priya")
    change(presence.leave, number, lena, "one")
    assert here(NOW) == ("Lena", "Priya")
    later = NOW + rooms.GONE_AFTER - timedelta(seconds=1)
    assert change(presence.stay, "one", later) == set()
    assert here(later + timedelta(seconds=2)) == (), "the process 'two' has died"
    assert change(presence.stay, "one", later + timedelta(seconds=2)) == {number}


def test_the_mark_changes_with_the_incident_and_its_talk_alone(office):
    number, other = office.report(), office.report("Else")

    def mark():
        with reading(office.engine) as db:
            return rooms.marks(db, [number], NOW)[number]

    first = mark()
    do(office, chat.say, other, "elsewhere")
    assert mark() == first
    do(office, chat.say, number, "here")
    second = mark()
    assert (second.incident, second.turn) == (first.incident, 1)
    office.perform(number, "accept", "Lena", NOW, **office.triage)
    assert mark().incident != first.incident
    with reading(office.engine) as db:
        assert db.get_one(Incident, number).state == "assigned"
