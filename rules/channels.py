"""The ways by which messages leave, and what an address of each looks like."""

from urllib.parse import SplitResult, urlsplit

from rules import text
from rules.errors import RuleError

LABELS = {
    "email": "E-mail",
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "mattermost": "Mattermost",
    "webhook": "Webhook",
    "apprise": "Apprise (SMS, voice, push)",
}
WORDS = LABELS | {"email": "e-mail", "webhook": "webhook", "apprise": "Apprise"}
"""within a sentence: 'by e-mail'"""
CHATS = ("slack", "teams", "mattermost", "webhook")
"""what a team can have"""
ROOM = "room"
"""kind of a message that holds what was said in an incident's room"""
_ASIDE = f" {ROOM}"
ADDRESS_LIMIT = 500
_APPRISE_EXAMPLE = "Paste an Apprise address such as twilio://account:token@from/to."


def checked(channel: str, address: object) -> str:
    """The address, cleaned. RuleError(field 'address') with what it should look like; who may set it is not asked."""
    if channel not in LABELS:
        raise RuleError("Choose a way from the list.", field="channel")
    if channel == "email":
        return text.email(address, "address")
    cleaned = text.line(address, "address", ADDRESS_LIMIT, required="Give the address.")
    if "\ufffd" in cleaned or " " in cleaned:
        raise RuleError("Leave out blanks and unseen characters.", field="address")
    if channel == "apprise":
        scheme, separator, rest = cleaned.partition("://")
        if not (separator and rest and scheme.isascii() and scheme.replace("+", "").isalnum()):
            raise RuleError(_APPRISE_EXAMPLE, field="address")
        return cleaned
    parts = web(cleaned)
    if parts is None:
        raise RuleError("Paste the whole address; it begins with https:// or http://.", field="address")
    if parts.username is not None or parts.password is not None:
        raise RuleError("Leave name and password out of the address.", field="address")
    return cleaned


def web(address: str) -> SplitResult | None:
    """The parts of a web address; None when it is none, or names no host."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and port != 0 else None


def target(channel: str, address: str) -> str:
    """What a message waits for: one slow target holds up only what goes to it. All e-mail goes to one server."""
    if channel == "email":
        return "email"
    if channel == "apprise":
        return f"apprise {address.partition('://')[0].lower()}"[:200]
    parts = web(address)
    return f"{channel} {parts.netloc.rpartition('@')[2].lower()}"[:200] if parts else channel


def aside(target: str) -> str:
    """Where the talk of rooms waits for the same target, so that nothing else waits for it."""
    return f"{target[: 200 - len(_ASIDE)]}{_ASIDE}"


def in_order(target: str) -> bool:
    """Whether one message after another goes there: answers that come before their question are no talk."""
    return target.endswith(_ASIDE)


def short(channel: str, address: str) -> str:
    """What tells one address from another on a small screen: the host, or the whole of an e-mail address."""
    parts = web(address)
    return (parts.hostname or "") if parts else masked(channel, address)


def masked(channel: str, address: str) -> str:
    """The address as others may see it: a web address can hold a secret, so only its host is told."""
    if channel == "email":
        return address
    if channel == "apprise":
        return f"{address.partition('://')[0]}://…"
    parts = web(address)
    return f"{parts.scheme}://{parts.hostname}/…" if parts else "…"


def sealed(number: str) -> str:
    """All that a channel whose readers are not known is told of a restricted incident."""
    return f"{number} is restricted. Open it in the app."
