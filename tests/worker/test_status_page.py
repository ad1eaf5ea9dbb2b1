"""The status page's mails the whole way, with nothing replaced: from the form to a mailbox and out of it again."""

import re
from datetime import timedelta

import pytest

from db.commands import subscriptions
from db.engine import reading, writing
from db.queries import subscribers
from tests.db.office import MONDAY
from tests.db.public import Public
from worker.outbox import tick

HOST = "incidents.a-hospital-with-a-very-long-name-indeed.example.org"
"""so long that its links do not fit into a line of a mail"""
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_subscriber_confirms_is_told_and_leaves_in_one_click(engine, mailbox, set_up):
    set_up(BASE_URL=f"https://{HOST}")
    public = Public(engine)
    with writing(engine) as db:
        subscriptions.subscribe(db, "ana@example.org", None, address="192.0.2.1", now=MONDAY)
    tick(MONDAY, engine)
    [question] = mailbox.received
    text = question.get_body(("plain",)).get_content()
    token = re.search(rf"https://{HOST}/status/confirm/(\S+)", text).group(1)
    assert question["List-Unsubscribe"] is None
    assert f'href="https://{HOST}/status/confirm/' in question.get_body(("html",)).get_content()
    with writing(engine) as db:
        subscriptions.confirm(db, token, now=MONDAY)
    incident = public.report("Secret title", description="Secret words")
    public.update(incident, "Slow <b>today</b>.\nhttps://evil.example", states={"Mail": "degraded"})
    tick(MONDAY + MINUTE, engine)
    told = mailbox.received[-1]
    assert str(told["Subject"]) == "[Our status] E-mail is slow: Investigating"
    assert told["References"] is None
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = re.fullmatch(rf"<https://{HOST}/status/subscription/(\S+)>", str(told["List-Unsubscribe"])).group(1)
    for body in (told.get_body(("plain",)).get_content(), told.get_body(("html",)).get_content()):
        assert "Mail: Degraded performance" in body
        assert "Secret" not in body
        assert "INC-" not in body
    assert "Slow &lt;b&gt;today&lt;/b&gt;." in told.get_body(("html",)).get_content()
    with writing(engine) as db:
        subscriptions.leave(db, leave, now=MONDAY)
    public.update(incident, "Fixed.", "resolved")
    assert tick(MONDAY + 2 * MINUTE, engine) == 0
    with reading(engine) as db:
        assert subscribers.count(db) == 0
