"""Files by their address: who may, and that none of them does anything in a browser."""

import pytest
from sqlalchemy import select

from api import files as routes
from api import rooms, timelines
from db.commands import chat, conversation
from db.commands.files import Upload
from db.engine import reading, writing
from db.models import Attachment, Incident
from rules.errors import RuleError
from tests.api.visitor import visitor
from tests.db.office import HOUR, MONDAY

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
HOSTILE = '../..\\"><img src=x onerror=alert(1)>\u202e[x](https://evil.example).png'


@pytest.fixture
def ask(office):
    with visitor(office, [*routes.routes, *rooms.routes, *timelines.routes]) as asked:
        yield asked


def attach(office, incident, name="screen.png", content=PNG, by="Rita"):
    with writing(office.engine) as db:
        conversation.attach(db, incident, Upload(name, content), actor=office.people[by], now=MONDAY)
    return newest(office)


def say(office, incident, by="Priya"):
    with writing(office.engine) as db:
        chat.say(db, incident, "", upload=Upload("room.png", PNG), actor=office.people[by], now=MONDAY)
    return newest(office)


def newest(office):
    with reading(office.engine) as db:
        return db.scalars(select(Attachment.id).order_by(Attachment.id.desc()).limit(1)).one()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_is_its_incidents_alone(office, ask):
    """Another incident's file by its address, and what was shown in a room by its address."""
    incident = office.report(by="Rita")
    own, talk = attach(office, incident), say(office, incident)
    for who, opens in (
        ("Rita", (True, False)),
        ("Priya", (True, True)),
        ("Max", (True, True)),
        ("Otto", (False, False)),
    ):
        assert tuple(ask(who, f"/files/{each}").status_code == 200 for each in (own, talk)) == opens, who
    assert [ask(None, f"/files/{each}").status_code for each in (own, talk)] == [401, 401]
    assert ask("Otto", f"/files/{own}").text == ask("Otto", "/files/999999").text, "it looks as if there were none"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_restricted_incident_shows_strangers_no_room_no_feed_no_picture_and_no_timeline(office, ask):
    incident = office.report(by="Rita")
    own, talk = attach(office, incident), say(office, incident)
    office.perform(incident, "accept", "Lena", MONDAY + HOUR, **office.triage, restricted=True)
    with reading(office.engine) as db:
        number = db.get_one(Incident, incident).number
    paths = (
        f"/files/{own}",
        f"/files/{talk}",
        f"/rooms/{number}/messages",
        f"/rooms/{number}/live",
        f"/rooms/{number}/timeline.json",
    )
    for who in ("Sam", "Devi", "Dora", "Max", "Ada", "Otto"):
        assert {ask(who, path).status_code for path in paths} <= {403, 404}, who
    assert ask("Priya", paths[1]).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_is_a_name_and_nothing_is_shown_in_a_page(office, ask):
    kept = attach(office, office.report(by="Rita"), name=HOSTILE)
    answer = ask("Rita", f"/files/{kept}")
    header = answer.headers["content-disposition"]
    assert header.startswith("attachment; filename*=UTF-8''")
    assert not set('<>"\\/\n\r ') & set(header.partition("''")[2])
    assert "\u202e" not in header
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.png", b"<html><script>alert(1)</script>"),
        ("page.html", b"<html></html>"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("program.pdf", b"MZ\x90\x00"),
        ("words.txt", b"\x00\x01\x02"),
        ("picture.pdf", PNG),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_lies_about_its_kind_is_refused_and_not_kept(office, name, content):
    incident = office.report(by="Rita")
    with pytest.raises(RuleError, match="its name says otherwise"), writing(office.engine) as db:
        conversation.attach(db, incident, Upload(name, content), actor=office.people["Rita"], now=MONDAY)
    with pytest.raises(RuleError, match="its name says otherwise"), writing(office.engine) as db:
        chat.say(db, incident, "Look", upload=Upload(name, content), actor=office.people["Priya"], now=MONDAY)
    with reading(office.engine) as db:
        assert db.scalars(select(Attachment)).all() == []
