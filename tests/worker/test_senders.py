"""What really goes over the wire: to a real mail server and a real web server."""

import json
import socket
import ssl
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.commands.deliveries import Message
from rules.mail_server import parse
from rules.webhook_signature import sign
from tests.worker.post_office import mail_server
from worker.senders import SENDERS, Undelivered, apprise, chat, email, outgoing
from worker.senders.webhook import content

DATA = Path(__file__).resolve().parents[1] / "data"

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def message(channel="email", address="priya@example.org", **other):
    values = {
        "id": 1, "key": "a1b2", "channel": channel, "address": address, "secret": SECRET, "kind": "page",
        "urgent": True, "subject": "INC-000007 needs you", "body": "Mail <b>is</b> down", "name": "Priya",
        "incident_id": 7, "number": "INC-000007", "title": "Mail is down",
        "url": "https://desk.example/incident?number=INC-000007",
        "links": (("acknowledge", "https://desk.example/act/x.y"),), "leave_url": "", "created_at": NOW, "attempt": 1,
    }  # fmt: skip
    return Message(**values | other)


def refused(channel, address, **other):
    with pytest.raises(Undelivered) as raised:
        SENDERS[channel](message(channel, address, **other), NOW)
    return raised.value


def test_a_page_by_e_mail(mailbox):
    email.send(message(), NOW)
    [written] = mailbox.received
    assert mailbox.envelopes == [("desk@example.org", ["priya@example.org"])]
    headers = {
        name: str(written[name]) for name in ("To", "From", "Subject", "Message-ID", "References", "In-Reply-To")
    }
    assert headers == {
        "To": "Priya <priya@example.org>",
        "From": "Incident Desk <desk@example.org>",
        "Subject": "INC-000007 needs you",
        "Message-ID": "<a1b2@example.org>",
        "References": "<incident-7@example.org>",
        "In-Reply-To": "<incident-7@example.org>",
    }
    assert written["List-Unsubscribe"] is None, "nobody leaves pages"
    plain = written.get_body(("plain",)).get_content()
    assert "Acknowledge: https://desk.example/act/x.y" in plain
    assert "Mail <b>is</b> down" in plain
    html = written.get_body(("html",)).get_content()
    assert "Mail &lt;b&gt;is&lt;/b&gt; down" in html
    assert 'href="https://desk.example/act/x.y"' in html


def test_a_notice_can_be_left(mailbox):
    email.send(message(urgent=False, links=(), leave_url="https://desk.example/leave/1.x"), NOW)
    [written] = mailbox.received
    assert written["List-Unsubscribe"] == "<https://desk.example/leave/1.x>"
    assert written["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "No more of these by e-mail" in written.get_body(("plain",)).get_content()


def test_a_repeat_has_the_same_id(mailbox):
    email.send(message(attempt=1), NOW)
    email.send(message(attempt=2), NOW)
    assert {str(written["Message-ID"]) for written in mailbox.received} == {"<a1b2@example.org>"}


@pytest.mark.parametrize(
    "words", ["x\r\nBcc: evil@example.org", "x\nBcc: evil@example.org", "x\u2028y\x00\x0bz", "ü" * 200]
)
def test_line_breaks_make_no_headers(mailbox, words):
    email.send(message(subject=words, name=words), NOW)
    [written] = mailbox.received
    assert written["Bcc"] is None
    assert mailbox.envelopes[0][1] == ["priya@example.org"]
    assert "\n" not in str(written["Subject"])


@pytest.mark.parametrize("address", ["a@b.example\r\nRCPT TO:<evil@example.org>", "a@b.example,evil@example.org", "no"])
def test_an_address_is_one_address(mailbox, address):
    failure = refused("email", address)
    assert failure.permanent
    assert mailbox.received == []


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [("550 no such mailbox", True), ("553 not allowed", True), ("450 try later", False), ("421 busy", False)],
)
def test_what_the_mail_server_refuses(mailbox, answer, permanent):
    mailbox.answers["priya@example.org"] = answer
    failure = refused("email", "priya@example.org")
    assert failure.permanent is permanent
    assert answer[:3] in failure.sentence


def test_no_mail_server_is_a_reason_to_wait(set_up):
    set_up(SMTP_URL="")
    assert "SMTP_URL" in refused("email", "priya@example.org").sentence
    with socket.socket() as held:  # bound, but nobody listens
        held.bind(("127.0.0.1", 0))
        set_up(SMTP_URL=f"smtp://127.0.0.1:{held.getsockname()[1]}?from=a@example.org")
        failure = refused("email", "priya@example.org")
    assert (failure.permanent, "could not be reached" in failure.sentence) == (False, True)


def test_a_password_does_not_travel_in_the_clear(mailbox, set_up, monkeypatch):
    monkeypatch.setattr(email, "_here", lambda _host: False)
    set_up(SMTP_URL=mailbox.url.replace("smtp://", "smtp://user:word@"))
    assert "no encryption" in refused("email", "priya@example.org").sentence
    assert mailbox.received == []


@pytest.fixture
def protected(set_up, monkeypatch):
    """A mail server that speaks TLS alone, under a certificate of the tests' own authority: (its address, it)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "mail_server.pem")
    with mail_server(context) as box:
        yield f"smtp://user:word@localhost:{box.port}?from=desk@example.org", box
    email._context.cache_clear()


def trust(monkeypatch, known=True):
    monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "mail_ca.pem") if known else "/dev/null")
    email._context.cache_clear()


@pytest.mark.parametrize("more", ["", "&tls=required"])
def test_by_starttls_words_and_password_travel_encrypted(protected, set_up, monkeypatch, more):
    trust(monkeypatch)
    address, box = protected
    set_up(SMTP_URL=address + more)
    email.send(message(), NOW)
    assert (len(box.received), box.encrypted, box.signed_in) == (1, [True], [(b"user", b"word")])


def test_a_mail_server_under_an_unknown_certificate_gets_neither(protected, set_up, monkeypatch):
    trust(monkeypatch, known=False)
    address, box = protected
    set_up(SMTP_URL=address)
    failure = refused("email", "priya@example.org")
    assert (failure.permanent, "certificate verify failed" in failure.sentence.lower()) == (False, True)
    set_up(SMTP_URL=address.replace("localhost", "127.0.0.1"))
    trust(monkeypatch)
    assert "not valid for '127.0.0.1'" in refused("email", "priya@example.org").sentence
    assert (box.received, box.signed_in) == ([], [])
    set_up(SMTP_URL=f"{address}&verify=no")
    trust(monkeypatch, known=False)
    email.send(message(), NOW)
    assert box.encrypted == [True], "who says verify=no has it encrypted all the same"


def test_encryption_that_is_required_and_not_offered_sends_nothing(mailbox, set_up):
    set_up(SMTP_URL=f"{mailbox.url}&tls=required")
    assert "no encryption" in refused("email", "priya@example.org").sentence
    assert mailbox.received == []


def test_a_mail_server_that_says_nothing_is_not_waited_for(set_up, monkeypatch):
    monkeypatch.setattr(email, "STEP_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        set_up(SMTP_URL=f"smtp://127.0.0.1:{silent.getsockname()[1]}?from=a@example.org")
        assert refused("email", "priya@example.org").permanent is False


def test_a_webhook_is_signed_and_says_what_happened(hook):
    SENDERS["webhook"](message("webhook", hook.url("/x?y=1")), NOW)
    [(path, headers, body)] = hook.received
    assert path == "/x?y=1"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("a1b2", str(int(NOW.timestamp())))
    assert headers["webhook-signature"] == sign(SECRET, "a1b2", int(NOW.timestamp()), body)
    assert json.loads(body) == content(message()) | {"type": "incident.page"}
    assert json.loads(body)["data"]["incident"]["number"] == "INC-000007"


@pytest.mark.parametrize(
    ("status", "headers", "permanent", "wait"),
    [
        (500, {}, False, None),
        (503, {"retry-after": "120"}, False, 120.0),
        (429, {"retry-after": "Mon, 02 Mar 2026 09:05:00 GMT"}, False, 300.0),
        (429, {"retry-after": "soon"}, False, None),
        (408, {}, False, None),
        (400, {}, True, None),
        (401, {}, True, None),
        (404, {}, True, None),
        (410, {}, True, None),
    ],
)
def test_what_a_web_server_answers(hook, status, headers, permanent, wait):
    hook.answers = [(status, headers)]
    failure = refused("webhook", hook.url())
    assert (failure.permanent, failure.wait) == (permanent, wait)
    assert str(status) in failure.sentence


def test_a_redirect_is_not_followed(hook):
    hook.answers = [(307, {"location": hook.url("/elsewhere")})]
    failure = refused("webhook", hook.url())
    assert failure.permanent
    assert "redirect" in failure.sentence
    assert [path for path, _, _ in hook.received] == ["/hook"]


def test_a_web_server_that_says_nothing_is_cut_off(hook, monkeypatch):
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    hook.hold = threading.Event()
    failure = refused("webhook", hook.url())
    assert (failure.permanent, "did not answer" in failure.sentence) == (False, True)


def test_one_that_drips_is_cut_off_too(set_up, monkeypatch):
    """Each byte comes in time; all of them would not."""
    monkeypatch.setattr(outgoing, "SECONDS", 0.4)
    set_up(OUTGOING_ALLOW="127.0.0.1")
    ended = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def drip():
            peer, _ = listening.accept()
            with peer:
                try:
                    while not ended.wait(0.05):
                        peer.sendall(b"H")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        failure = refused("webhook", f"http://127.0.0.1:{listening.getsockname()[1]}/")
        ended.set()
        thread.join(60)
    assert (failure.permanent, "did not answer" in failure.sentence) == (False, True)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.1", "[fe80::1]", "[fd00:ec2::254]"],
)  # fmt: skip
def test_private_addresses_are_refused_however_they_are_written(hook, set_up, host):
    set_up(OUTGOING_ALLOW="")
    failure = refused("webhook", f"http://{host}:{hook.port}/")
    assert failure.permanent
    assert "private network" in failure.sentence
    assert hook.received == []


def test_a_name_that_turns_private_after_it_was_looked_at_gains_nothing(hook, set_up):
    """DNS rebinding: the first answer is public, the second is not. There is one look-up, and its socket is checked."""
    set_up(OUTGOING_ALLOW="")
    answers = [("8.8.8.8", hook.port), ("127.0.0.1", hook.port)]
    asked = []

    def resolve(host, _port, **_given):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", answers[1])]

    with pytest.raises(Undelivered, match="private network"):
        outgoing.post(f"http://rebind.example:{hook.port}/", b"{}", {}, now=NOW, resolve=resolve)
    assert (asked, hook.received) == (["rebind.example"], [])


def test_the_socket_itself_is_checked(hook, set_up, monkeypatch):
    """Whatever the look-up said: a peer that is private is never spoken to."""
    set_up(OUTGOING_ALLOW="")
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, _address: real(self, ("127.0.0.1", hook.port)))
    with pytest.raises(Undelivered, match="private network"):
        outgoing.post(
            "http://public.example/", b"{}", {}, now=NOW,
            resolve=lambda *_g, **_m: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))],
        )  # fmt: skip
    assert hook.received == []


def test_an_unknown_host_is_a_reason_to_wait(set_up):
    def resolve(*_given, **_more):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Undelivered, match="no host called") as raised:
        outgoing.post("http://nowhere.example/", b"", {}, now=NOW, resolve=resolve)
    assert raised.value.permanent is False


NASTY = "<!channel> @all **b** [x](http://evil.example)"


def test_slack(hook):
    SENDERS["slack"](message("slack", hook.url(), subject=NASTY), NOW)
    said = json.loads(hook.received[0][2])
    assert said["text"].startswith("&lt;!channel&gt;")
    header, section, actions = said["blocks"]
    assert header["text"] == {"type": "plain_text", "text": NASTY, "emoji": False}
    assert section["text"]["type"] == "plain_text"
    assert actions["elements"][0]["url"] == "https://desk.example/act/x.y"


def test_teams(hook):
    SENDERS["teams"](message("teams", hook.url(), subject=NASTY), NOW)
    said = json.loads(hook.received[0][2])
    [attachment] = said["attachments"]
    assert (said["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert card["body"][0]["inlines"][0]["text"] == NASTY
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [action["title"] for action in card["actions"]] == ["Acknowledge", "Open"]


def test_mattermost(hook):
    SENDERS["mattermost"](message("mattermost", hook.url(), subject=NASTY), NOW)
    said = json.loads(hook.received[0][2])["text"]
    assert "@all" not in said
    assert r"\[x\]\(http" in said
    assert "[Acknowledge](https://desk.example/act/x.y)" in said


TALK = {
    "kind": "room", "urgent": False, "subject": f"INC-000007: {NASTY}", "body": f"Priya: {NASTY}\nLena: & @here",
    "name": "", "links": (),
}  # fmt: skip


def test_talk_in_slack_stands_above_its_incident_as_plain_text(hook):
    SENDERS["slack"](message("slack", hook.url(), **TALK), NOW)
    said = json.loads(hook.received[0][2])
    words, about = said["blocks"]
    assert words == {"type": "section", "text": {"type": "plain_text", "text": TALK["body"], "emoji": False}}
    assert about["elements"] == [
        {"type": "plain_text", "text": TALK["subject"], "emoji": False},
        {"type": "mrkdwn", "text": "<https://desk.example/incident?number=INC-000007|Open>"},
    ]
    assert said["text"].startswith("INC-000007 Priya: &lt;!channel&gt;")
    assert "& @here" not in said["text"]
    nowhere = chat.slack(message("slack", **TALK, url=""))
    assert [element["type"] for element in nowhere["blocks"][1]["elements"]] == ["plain_text"]


def test_talk_in_teams_takes_no_markup(hook):
    SENDERS["teams"](message("teams", hook.url(), **TALK), NOW)
    card = json.loads(hook.received[0][2])["attachments"][0]["content"]
    assert [block["inlines"][0]["text"] for block in card["body"]] == [TALK["body"], TALK["subject"]]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [action["url"] for action in card["actions"]] == ["https://desk.example/incident?number=INC-000007"]


def test_talk_in_mattermost_formats_nothing_and_calls_nobody(hook):
    SENDERS["mattermost"](message("mattermost", hook.url(), **TALK), NOW)
    said = json.loads(hook.received[0][2])["text"]
    assert said.startswith(r"Priya\: \<\!channel\> @")
    assert not {"@all", "@here", "**b**"} & set(said.split())
    assert r"\[x\]\(http" in said
    assert said.endswith(" [Open](https://desk.example/incident?number=INC-000007)")


def test_talk_by_webhook_says_what_it_is(hook):
    SENDERS["webhook"](message("webhook", hook.url(), **TALK), NOW)
    said = json.loads(hook.received[0][2])
    assert (said["type"], said["data"]["body"], said["data"]["person"]) == ("incident.room", TALK["body"], None)


def test_long_words_are_cut_with_a_mark():
    blocks = chat.slack(message("slack", subject="x" * 500, body="y" * 9000))["blocks"]
    assert [len(block["text"]["text"]) for block in blocks[:2]] == [150, 3000]
    assert blocks[0]["text"]["text"].endswith("…")


def test_apprise_is_not_waited_for_without_an_end(monkeypatch):
    released, ended = threading.Event(), threading.Semaphore(0)

    class Hanging:
        def add(self, _address):
            return True

        def notify(self, **_words):
            released.wait(120)
            ended.release()
            return True

    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=Hanging))
    monkeypatch.setattr(apprise, "SECONDS", 0.01)
    said = [refused("apprise", "twilio://x").sentence for _ in range(apprise.MOST_HANGING + 1)]
    assert said == [*["twilio did not answer within 0 seconds."] * apprise.MOST_HANGING,
                    "twilio has not answered earlier messages yet."]  # fmt: skip
    assert "did not answer" in refused("apprise", "json://x").sentence, "another service is still tried"
    released.set()
    assert all(ended.acquire(timeout=60) for _ in range(apprise.MOST_HANGING + 1))
    monkeypatch.setattr(apprise, "SECONDS", 20.0)
    for thread in [one for one in threading.enumerate() if one.name.startswith("apprise")]:
        thread.join(60)
    SENDERS["apprise"](message("apprise", "twilio://x"), NOW)


def test_apprise_that_is_not_installed_says_so():
    failure = refused("apprise", "json://host/x")
    assert (failure.permanent, "pip install apprise" in failure.sentence) == (False, True)


def test_the_sender_of_the_url_is_the_sender_of_the_mail():
    server = parse("smtp://mail.example.org?from=Störungen%20<desk@example.org>")
    written = email.compose(message(), server)
    assert str(written["From"]) == "Störungen <desk@example.org>"
