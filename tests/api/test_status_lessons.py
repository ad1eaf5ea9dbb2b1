"""What the public reads of a postmortem, for programs: in JSON and in the feed as on the incident's page."""

import json
import xml.etree.ElementTree as xml
from datetime import timedelta

import pytest

from api import status_feeds
from db.commands import postmortems, published_postmortems
from db.engine import reading
from db.queries import status_page as queries
from tests.db.learned import DAY, NOW, RECOVERED, Learned

ATOM = "{http://www.w3.org/2005/Atom}"
LONG_AFTER = NOW + 30 * DAY


@pytest.fixture
def office(engine):
    return Learned(engine)


def board(office, at):
    with reading(office.engine) as db:
        return queries.board(db, at)


def told(office, at=LONG_AFTER):
    return json.loads(status_feeds.as_json(board(office, at)))["postmortems"]


def entries(office, at=LONG_AFTER):
    feed = xml.fromstring(status_feeds.as_atom(board(office, at)))
    return [{part.tag.removeprefix(ATOM): part.text for part in entry} for entry in feed.findall(f"{ATOM}entry")]


def test_programs_read_what_was_learned_as_the_incidents_page_has_it(office):
    incident = office.recovered()
    one = office.postmortem(incident).id
    office.update(incident, stage="resolved", at=RECOVERED, title="Mail was down")
    office.save(one)
    office.act(one)
    office.do(postmortems.send, one, 2)
    office.do(postmortems.publish, one, 2, by="Lena")
    assert told(office) == entries(office) == [], "nothing of it by itself"
    words = "We added <b>space</b> & an alarm."
    office.do(published_postmortems.publish, one, None, "A full disk", words, by="Lena", at=LONG_AFTER)
    with reading(office.engine) as db:
        [known] = queries.past(db, LONG_AFTER).past
        _, page = queries.one(db, known.id, LONG_AFTER)
    [lesson] = told(office)
    assert lesson == {
        "incident": {"id": known.id, "title": "Mail was down"},
        "title": page.lesson.title,
        "text": words,
        "published_at": "2026-04-01T14:00:00Z",
    }
    [entry] = entries(office)
    assert (entry["title"], entry["content"]) == ("Mail was down: What we learned", f"A full disk\n\n{words}")
    assert entry["updated"] == lesson["published_at"]
    assert entries(office)[0]["id"] == entry["id"]
    assert told(office, LONG_AFTER + 90 * DAY) != []
    assert told(office, LONG_AFTER + 90 * DAY + timedelta(seconds=1)) == []
    for document in (lesson, entry):
        for secret in ("Lena", "Priya", "Nobody read mail", office.seen(one).number, "INC-"):
            assert secret not in str(document), secret
    office.do(published_postmortems.withdraw, one, by="Dora", at=LONG_AFTER)
    assert told(office) == entries(office) == []
