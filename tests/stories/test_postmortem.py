"""A severe incident is looked back on: drafted, reviewed, published, its action overdue, told by mail, then seen."""

from datetime import timedelta

import pytest

from db.commands import postmortem_actions, postmortems
from db.settings import settings
from tests.db.learned import NOW, Learned
from tests.db.office import DAY, HOUR, MONDAY
from tests.worker.post_office import mail_server
from worker import outbox
from worker import postmortems as overdue


@pytest.fixture
def mailbox(monkeypatch):
    with mail_server() as box:
        monkeypatch.setattr(settings(), "smtp_url", box.url)
        monkeypatch.setattr(settings(), "base_url", "https://desk.example")
        yield box


@pytest.fixture
def office(engine, mailbox):
    return Learned(engine)


def turn(office, at):
    """What the worker does at this moment."""
    overdue.tick(at, office.engine)
    outbox.tick(at, office.engine)


def letters(mailbox, about):
    """Who got a mail with these words in its subject."""
    found = [letter for letter in mailbox.received if about in letter["subject"]]
    return [letter["to"].partition(" ")[0].lower() for letter in found]


def test_from_the_recovery_to_what_the_action_changed(office, mailbox):
    incident = office.recovered("Mail is down")
    turn(office, NOW)
    assert letters(mailbox, "Write the postmortem of") == ["priya"]
    one = office.postmortem(incident).id
    office.save(one)
    action = office.act(one, days=7)
    office.do(postmortems.send, one, 2)
    office.do(postmortems.publish, one, 2, by="Lena", at=NOW + HOUR)
    turn(office, NOW + HOUR)
    assert letters(mailbox, "To be done by 9 Mar 2026: Add an alarm") == ["sam"]
    assert letters(mailbox, "Review the postmortem of") == ["lena"]
    assert sorted(letters(mailbox, "Published: the postmortem of")) == ["priya", "sam"]

    late = MONDAY + 8 * DAY
    for hours in range(0, 72, 6):
        turn(office, late + timedelta(hours=hours))
    assert letters(mailbox, "Overdue since 9 Mar 2026") == ["sam"]
    turn(office, late + 7 * DAY)
    assert sorted(letters(mailbox, "Overdue since 9 Mar 2026")) == ["priya", "sam", "sam"]

    office.do(postmortem_actions.finish, action, 1, by="Sam", at=late + 8 * DAY)
    office.do(postmortem_actions.verify, action, 2, "It rang at once.", by="Lena", at=late + 9 * DAY)
    turn(office, late + 30 * DAY)
    assert len(letters(mailbox, "Overdue")) == 3
    [seen] = office.seen(one).actions
    assert (seen.done_by, seen.verified_by, seen.effect) == ("Sam", "Lena", "It rang at once.")
    assert [told for _, told in office.steps(incident)] == [
        "drafted the postmortem from what is known",
        "wrote on the postmortem: version 2",
        "gave Sam an action until 9 Mar 2026: Add an alarm",
        "gave the postmortem to be reviewed",
        "reviewed and published the postmortem",
        "did the action 'Add an alarm'",
        "saw what the action 'Add an alarm' changed",
    ]
