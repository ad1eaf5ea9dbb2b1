"""The link of a call: made from the template of any provider, with a room name that nobody guesses."""

import re
from urllib.parse import urlsplit

from rules import web_address
from rules.errors import RuleError

ROOM = "{room}"
LEAST_SECRET = 16
"""characters of a secret, of an alphabet of 64: 96 bits"""


def checked(template: str) -> str:
    """The template of calls, where '{room}' stands for the room's name. ValueError when no browser could open it."""
    if template.count(ROOM) != 1:
        raise ValueError("write {room} once, where the name of the call's room belongs")
    try:
        plain = web_address.checked(template.replace(ROOM, "room"))
    except RuleError as error:
        raise ValueError("give an address that begins with https:// or http://, with {room} in it") from error
    if not plain or ROOM in (urlsplit(template).netloc or ROOM):
        raise ValueError("give an address with {room} behind the host")
    return template


def link(template: str, number: str, secret: str) -> str:
    """The address of a call for the incident `number`; ValueError unless `secret` is long enough.

    The secret's signs that not every provider takes in a name are left out of it, so give a few more.
    """
    kept = re.sub(r"[^A-Za-z0-9]", "", secret)
    if len(kept) < LEAST_SECRET:
        raise ValueError("The secret of a call needs 16 letters and digits.")
    return template.replace(ROOM, f"{re.sub(r'[^A-Za-z0-9]', '', number).lower()}-{kept}")
