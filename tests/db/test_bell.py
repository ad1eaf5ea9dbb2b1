"""The bell: everybody who listens hears of a committed change, of it alone, in this process and in another."""

import os
import queue
import subprocess
import sys
from contextlib import ExitStack

import pytest

from db.commands import chat, conversation
from db.engine import make_engine, writing
from db.queries import rooms
from tests.browser.running import ROOT
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
SOON = 60.0


@pytest.fixture
def office(database_url):
    engine = make_engine(database_url)
    yield Office(engine)
    engine.dispose()


@pytest.fixture
def listening(office):
    """Listen to incidents; gives a queue of what each is told."""
    bell = office.engine.info["bell"]
    bell.read = lambda db, ids: rooms.marks(db, ids, NOW)
    with ExitStack() as stack:

        def listen(incident):
            heard = queue.Queue()
            stack.enter_context(bell.heard(incident, heard.put))
            heard.get(timeout=SOON)  # what is so when the ear begins
            return heard

        yield listen


def until(heard, turn):
    while heard.get(timeout=SOON).turn < turn:
        pass


def say(office, incident, words="Hello"):
    with writing(office.engine) as db:
        chat.say(db, incident, words, actor=office.people["Priya"], now=NOW)


def test_all_who_listen_hear_what_was_committed_and_nobody_what_was_not(office, listening):
    number = office.report()
    one, other = listening(number), queue.Queue()
    with office.engine.info["bell"].heard(number, other.put):
        with pytest.raises(ZeroDivisionError), writing(office.engine) as db:
            chat.say(db, number, "Never", actor=office.people["Priya"], now=NOW)
            raise ZeroDivisionError
        say(office, number)
        until(one, 1)
        until(other, 1)
    with writing(office.engine) as db:
        conversation.comment(db, number, "A note", public=False, actor=office.people["Lena"], now=NOW)
    before = one.get(timeout=SOON)
    assert before.turn == 1, "what was rolled back was never told"


def test_another_process_is_heard_too(office, database_url, listening):
    number = office.report()
    heard = listening(number)
    script = (
        "import sys; from db.engine import writing; from db.commands import chat; from db.models import Person;"
        "from rules.access import Actor; from datetime import datetime, UTC\n"
        "with writing() as db:\n"
        f"    actor = Actor({office.people['Priya'].id}, 'Priya', frozenset(('reporter', 'responder')))\n"
        f"    chat.say(db, {number}, 'From afar', actor=actor, now=datetime.now(UTC))\n"
    )
    environment = os.environ | {"DATABASE_URL": database_url}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    until(heard, 1)


def test_the_ear_ends_with_the_last_listener_and_begins_with_the_next(office, listening):
    number, bell = office.report(), office.engine.info["bell"]
    for turn in (1, 2):
        heard = queue.Queue()
        with bell.heard(number, heard.put):
            ear = bell._ear
            say(office, number)
            until(heard, turn)
        ear.join(SOON)
        assert not ear.is_alive()
