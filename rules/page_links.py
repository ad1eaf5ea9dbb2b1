"""Links that act for the person who got them: signed, so that none can be made up or read from a database."""

import base64
import hashlib
import hmac

ACTIONS = {"acknowledge": "Acknowledge", "resolve": "Resolve"}
"""what can be done from a page, and the word on its button"""


def token(secret: bytes, seed: str) -> str:
    """The token of a link whose random `seed` is known."""
    return f"{seed}.{_signature(secret, f'act:{seed}')}"


def leave_token(secret: bytes, person_id: int) -> str:
    """The token by which a person ends notices by e-mail. It does not expire, and works as often as it is used."""
    return f"{person_id}.{_signature(secret, f'leave:{person_id}')}"


def leaves(secret: bytes, given: str) -> int | None:
    """The id of the person a leave_token is of; None when it is none."""
    person, _, _ = given.partition(".")
    if not (person.isascii() and person.isdigit() and len(person) < 19):
        return None
    genuine = hmac.compare_digest(given.encode(), leave_token(secret, int(person)).encode())
    return int(person) if genuine else None


def report_token(secret: bytes, schedule_id: int, person_id: int, made: int) -> str:
    """The token by which a person leaves one report that is sent, and nothing else. `made`: when that was set up.

    It works as often as it is used; what is set up later under the same number is another report.
    """
    claimed = f"{schedule_id}.{person_id}.{made}"
    return f"{claimed}.{_signature(secret, f'report:{claimed}')}"


def reports(secret: bytes, given: str) -> tuple[int, int, int] | None:
    """The schedule, the person and the `made` that a report_token is of; None when it is none."""
    parts = given.split(".")[:-1]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    schedule, person, made = map(int, parts)
    return (schedule, person, made) if same(given, report_token(secret, schedule, person, made)) else None


def subscriber_token(secret: bytes, purpose: str, subscriber_id: int, seed: str) -> str:
    """The token of a subscriber of the status page, to 'confirm' that the address is theirs, or to 'choose'."""
    return f"{subscriber_id}.{_signature(secret, f'subscriber:{purpose}:{subscriber_id}:{seed}')}"


def subscriber_of(given: str) -> int | None:
    """The id that the token claims; whether it is genuine is to be compared with subscriber_token."""
    claimed, _, _ = given.partition(".")
    return int(claimed) if claimed.isascii() and claimed.isdigit() and len(claimed) < 19 else None


def same(one: str, other: str) -> bool:
    """Whether two tokens are the same, in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())


def code(secret: bytes, method_id: int, sent_at: int) -> str:
    """Six digits that prove that somebody reads what is sent to a contact method; `sent_at` makes each one new."""
    digest = hmac.new(secret, f"code:{method_id}:{sent_at}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def _signature(secret: bytes, words: str) -> str:
    digest = hmac.new(secret, b"page-link:" + words.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
