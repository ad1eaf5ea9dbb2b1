"""What is said in a room and read in the channels of its team, where an administrator wants that."""

import pytest
from sqlalchemy import select, update

from db.commands import chat, contact, team_news
from db.commands.files import Upload
from db.engine import reading, writing
from db.models import AuditEntry, Incident, Message, Notice, OutboxMessage, TeamChannel, TimelineEntry
from db.queries import incidents, reach, rooms
from rules import channels
from rules.access import Forbidden
from tests.db.office import HOUR, MONDAY, Office
from worker.outbox import tick
from worker.senders import Undelivered

NOW = MONDAY + 5 * HOUR
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def office(engine):
    return Office(engine)


@pytest.fixture
def channel(office):
    return add(office, "Network", mirror=True)


@pytest.fixture
def number(office, channel):
    """An incident of the network team; the news of how it came there has left."""
    made = office.bring_to("assigned")
    send(office)
    return made


def add(office, team, way="slack", path="n", mirror=False):
    with writing(office.engine) as db:
        made = contact.add_team_channel(db, office.teams[team], way, f"https://chat.example/{path}", mirror,
                                        actor=office.people["Ada"], now=MONDAY)  # fmt: skip
        return made.id


def do(office, command, *given, by="Priya", now=NOW, **more):
    with writing(office.engine) as db:
        done = command(db, *given, actor=office.people[by], now=now, **more)
        return done.id if isinstance(done, Message) else done


def send(office, now=NOW, failing=False):
    """What left, as (way, subject, body)."""
    left = []

    def sender(message, _now):
        if failing:
            raise Undelivered("Down.")
        left.append((message.channel, message.subject, message.body))

    tick(now, office.engine, dict.fromkeys(channels.CHATS, sender))
    return left


def bodies(office, now=NOW):
    return [body for _, _, body in send(office, now)]


def rows(office):
    with reading(office.engine) as db:
        chosen = select(OutboxMessage).where(OutboxMessage.kind == channels.ROOM)
        return list(db.scalars(chosen.order_by(OutboxMessage.id)))


def test_what_is_said_goes_to_the_channels_that_want_it_and_no_other(office, number):
    add(office, "Network", "teams", "quiet")
    add(office, "Network", "mattermost", "m", mirror=True)
    add(office, "Servers", "slack", "s", mirror=True)
    broken = add(office, "Network", "webhook", "broken", mirror=True)
    send(office)
    with writing(office.engine) as db:
        db.get_one(TeamChannel, broken).broken_at = MONDAY
    do(office, chat.say, number, "It is the <switch>", token="one")
    do(office, chat.say, number, "It is the <switch>", token="one")
    told = "INC-000001: Mail is slow", "Priya: It is the <switch>"
    assert sorted(send(office)) == [("mattermost", *told), ("slack", *told)]
    row = rows(office)[0]
    assert (row.urgent, row.incident_id, row.target) == (False, number, "slack chat.example room")


def test_an_incident_of_no_team_and_a_channel_that_wants_none_make_no_message(office, channel):
    do(office, chat.say, office.report(), "Anyone?")
    do(office, contact.mirror_rooms, channel, False, by="Ada")
    do(office, chat.say, office.bring_to("assigned"), "Here")
    assert rows(office) == []


def test_of_a_restricted_incident_nothing_is_written_there_even_if_it_became_so_meanwhile(office, number):
    do(office, chat.say, number, "Salaries")
    with writing(office.engine) as db:
        db.get_one(Incident, number).restricted = True
    do(office, chat.say, number, "More about salaries")
    assert send(office) == []
    [row] = rows(office)
    assert (row.cancelled_why, "More" in str(row.payload)) == ("The incident is restricted.", False)


def test_of_a_file_only_its_name_is_told(office, number):
    do(office, chat.say, number, "Look", upload=Upload("graph.png", PNG))
    do(office, chat.say, number, "", upload=Upload("other.png", PNG), by="Lena")
    assert bodies(office) == ["Priya: Look (file: graph.png)\nLena: (file: other.png)"]


def test_an_edit_is_sent_once_as_a_correction_and_a_retraction_unsends_nothing(office, number):
    message = do(office, chat.say, number, "It is the swich")
    assert bodies(office) == ["Priya: It is the swich"]
    do(office, chat.edit, number, message, "It is the swich")
    assert send(office) == [], "nothing has changed"
    do(office, chat.edit, number, message, "It is the switch")
    do(office, chat.edit, number, message, "It is the router")
    assert bodies(office) == ["Priya, corrected: It is the router"]
    do(office, chat.retract, number, message)
    assert send(office) == []


def test_what_has_not_left_yet_is_corrected_in_its_place_and_left_out_when_it_is_taken_back(office, number):
    first = do(office, chat.say, number, "The password is 1234")
    second = do(office, chat.say, number, "It is the swich", by="Lena")
    do(office, chat.edit, number, second, "It is the switch", by="Lena")
    do(office, chat.retract, number, first)
    assert bodies(office) == ["Lena: It is the switch"]
    third = do(office, chat.say, number, "The password is 5678")
    send(office, failing=True)
    do(office, chat.retract, number, third)
    assert send(office, NOW + HOUR) == [], "an attempt that failed has told it nobody"
    assert rows(office)[-1].cancelled_why == "It was taken back."


def test_what_is_said_while_a_channel_is_down_comes_in_few_messages_and_in_order(office, number):
    said, minutes = [], 0
    for minutes in range(30):
        said.append(f"Minute {minutes}")
        for word in ("a", "b"):
            do(office, chat.say, number, f"{said[-1]}{word}", now=NOW + minutes * HOUR / 60)
        send(office, NOW + minutes * HOUR / 60, failing=True)
    waiting = rows(office)
    assert len(waiting) == 2
    assert waiting[0].payload["body"] == "Priya: Minute 0a\nPriya: Minute 0b", "what was attempted stays as it is"
    arrived = "\n".join(bodies(office, NOW + 5 * HOUR)).splitlines()
    assert arrived == [f"Priya: {one}{word}" for one in said for word in ("a", "b")]


def test_long_talk_is_cut_into_pieces_that_a_chat_shows(office, number):
    for _ in range(4):
        do(office, chat.say, number, "x" * 1000)
    assert [len(body) for body in bodies(office)] == [2015, 2015]


def test_talk_has_a_lane_of_its_own_beside_the_news_of_the_team(office, number):
    do(office, chat.say, number, "Talk")
    with writing(office.engine) as db:
        team_news.unanswered(db, db.get_one(Incident, number), "Nobody has answered.", NOW)
    with reading(office.engine) as db:
        waiting = select(OutboxMessage.target).where(OutboxMessage.sent_at.is_(None))
        assert sorted(db.scalars(waiting)) == ["slack chat.example", "slack chat.example room"]
    assert sorted(bodies(office)) == ["Nobody has answered.", "Priya: Talk"], "they do not join"


def test_talk_that_never_arrives_is_told_to_administrators_and_not_on_the_timeline(office, number):
    do(office, chat.say, number, "Talk")
    before = len(office.timeline(number))
    with writing(office.engine) as db:
        db.execute(update(OutboxMessage).values(wanted_at=MONDAY - 1000 * HOUR, attempts=50))
    send(office, NOW + HOUR, failing=True)
    assert rows(office)[0].given_up_at is not None
    with reading(office.engine) as db:
        assert db.scalars(select(Notice.subject).where(Notice.kind == "delivery")).all() == [
            "Messages by Slack do not arrive"
        ]
        assert len(db.scalars(select(TimelineEntry).where(TimelineEntry.incident_id == number)).all()) == before


def test_an_administrator_turns_it_on_and_off_which_the_audit_keeps(office):
    channel = add(office, "Network")
    number = office.bring_to("assigned")
    with pytest.raises(Forbidden):
        do(office, contact.mirror_rooms, channel, True, by="Lena")
    do(office, contact.mirror_rooms, channel, True, by="Ada")
    do(office, contact.mirror_rooms, channel, True, by="Ada")
    with reading(office.engine) as db:
        assert [kept.mirror for kept in reach.team_channels(db, office.people["Ada"])] == [True]
        kept = db.scalars(select(AuditEntry).where(AuditEntry.action == "team channel changed")).one()
        assert (kept.subject, kept.before["room messages"], kept.after["room messages"]) == ("Network", False, True)
        assert "chat.example/n" not in str(kept.after)
    do(office, chat.say, number, "Waits")
    do(office, contact.mirror_rooms, channel, False, by="Ada")
    assert [row.cancelled_why for row in rows(office)] == ["Room messages were turned off."]


def test_those_in_the_room_read_where_it_goes(office, number):
    def told():
        with reading(office.engine) as db:
            detail = incidents.by_number(db, office.people["Priya"], "INC-000001")
            return rooms.talk(db, office.people["Priya"], detail, NOW).mirrored

    assert told() == "Network by Slack"
    add(office, "Network", "teams", "t", mirror=True)
    assert told() == "Network by Slack and Microsoft Teams"
    with writing(office.engine) as db:
        db.get_one(Incident, number).restricted = True
    assert told() == ""
