"""Addresses: what may be spoken to, what a way's address looks like, the mail server, links."""

import pytest

from rules import channels, mail_server, outgoing, page_links
from rules.errors import RuleError

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "0.1.2.3", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a00:1::1", "::ffff:0.0.0.0", "no address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_private_is_refused(address):
    assert outgoing.may_connect("hook.example", address, outgoing.Allowed()) is False


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is_public_is_not(address):
    assert outgoing.may_connect("hook.example", address, outgoing.Allowed()) is True


@pytest.mark.parametrize(
    ("setting", "host", "address", "opens"),
    [
        ("hooks.internal", "hooks.internal", "10.0.0.1", True),
        ("hooks.internal", "HOOKS.internal.", "10.0.0.1", True),
        ("hooks.internal", "hooks.internal.evil.example", "10.0.0.1", False),
        ("10.1.0.0/16, fd00::/8", "x.example", "10.1.2.3", True),
        ("10.1.0.0/16, fd00::/8", "x.example", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16, fd00::/8", "x.example", "fd00::5", True),
        ("10.1.0.0/16, fd00::/8", "x.example", "10.2.0.1", False),
        ("127.0.0.1", "x.example", "127.0.0.1", True),
        ("", "x.example", "127.0.0.1", False),
    ],
)
def test_a_setting_opens_hosts_and_networks(setting, host, address, opens):
    assert outgoing.may_connect(host, address, outgoing.parse(setting)) is opens


@pytest.mark.parametrize("setting", ["10.0.0.0/99", "https://hook", "a b", "host/path"])
def test_a_setting_that_means_nothing_is_refused(setting):
    with pytest.raises(ValueError, match="OUTGOING_ALLOW"):
        outgoing.parse(setting)


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "no address"), ("email", "a@b"), ("slack", ""), ("slack", "hooks.slack.com/x"),
        ("webhook", "ftp://host/x"), ("webhook", "file:///etc/passwd"), ("webhook", "https://"), ("webhook", "gopher://h"),
        ("webhook", "https://user:word@host/x"), ("webhook", "https://host:99999/x"), ("webhook", "https://ho st/x"),
        ("webhook", "https://host/x\ny"), ("webhook", "https://h/" + "x" * 500), ("apprise", "nothing"), ("fax", "1"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_refused(channel, address):
    with pytest.raises(RuleError) as refused:
        channels.checked(channel, address)
    assert refused.value.field in ("address", "channel")


@pytest.mark.parametrize(
    ("channel", "address", "target", "masked"),
    [
        ("email", "a@b.example", "email", "a@b.example"),
        ("slack", "https://hooks.slack.com/services/T/B/secret", "slack hooks.slack.com", "https://hooks.slack.com/…"),
        ("webhook", "http://Host.example:8080/x", "webhook host.example:8080", "http://host.example/…"),
        ("apprise", "twilio://a:b@c/d", "apprise twilio", "twilio://…"),
    ],
)
def test_targets_and_what_others_see_of_an_address(channel, address, target, masked):
    assert channels.checked(channel, address) == address
    assert (channels.target(channel, address), channels.masked(channel, address)) == (target, masked)


def test_a_mail_server():
    server = mail_server.parse("smtp://desk%40example.org:p%2Fw@mail.example.org:587?from=The%20Desk%20<d@example.org>")
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.org",
        587,
        "desk@example.org",
        "p/w",
    )
    assert (server.sender, server.sender_name, server.domain, server.tls) == (
        "d@example.org", "The Desk", "example.org", "auto")  # fmt: skip
    plain = mail_server.parse("smtps://mail.example.org?verify=no")
    assert (plain.port, plain.encrypted, plain.sender, plain.verify) == (
        465,
        True,
        "incident-desk@mail.example.org",
        False,
    )
    assert mail_server.parse("smtp://desk%40example.org:x@mail").sender == "desk@example.org"


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://mail", "smtp://", "smtp://mail:x", "smtp://m?form=x", "smtp://m?from=nobody",
            "smtp://m?tls=maybe", "smtp://m?from=a@b%0d%0aBcc:c@d"]
)  # fmt: skip
def test_a_mail_server_that_cannot_be_one_is_refused_without_its_password(url):
    with pytest.raises(ValueError, match="SMTP_URL"):
        mail_server.parse(url)


def test_links_cannot_be_made_up():
    secret, other = b"s" * 32, b"t" * 32
    assert page_links.token(secret, "seed") != page_links.token(other, "seed")
    leave = page_links.leave_token(secret, 7)
    assert page_links.leaves(secret, leave) == 7
    for forged in ("", "7", "7.", leave.replace("7.", "8.", 1), leave + "x", page_links.leave_token(other, 7), "x.y",
                   "9" * 40 + ".y"):  # fmt: skip
        assert page_links.leaves(secret, forged) is None


def test_codes_are_six_digits_and_new_each_time():
    codes = {page_links.code(b"s" * 32, 7, moment) for moment in range(200)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 190
