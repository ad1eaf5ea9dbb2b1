"""Signing and checking webhooks as Standard Webhooks says: the HMAC-SHA256 of 'id.timestamp.body' over the very bytes.

The headers are webhook-id, webhook-timestamp (seconds since 1970) and webhook-signature: 'v1,' and base64, or several
of these with a space between them. A secret is 'whsec_' and base64 of 24 to 64 random bytes. While a secret is
exchanged, two live side by side: the sender signs with both, the receiver takes either. Whoever checks also remembers
ids for twice the tolerance, so that a message cannot be sent a second time.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from rules.errors import RuleError

TOLERANCE_SECONDS = 300
ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX, _VERSION = "whsec_", "v1,"
_FEWEST_BYTES, _MOST_BYTES = 24, 64
_ID = re.compile(r"[!-~]{1,255}")
_SECONDS = re.compile(r"0|[1-9][0-9]{0,11}")
_SIGNATURES_LIMIT = 20


def secret_of(random: bytes) -> str:
    """The secret that 24 to 64 random bytes make."""
    if not _FEWEST_BYTES <= len(random) <= _MOST_BYTES:
        raise RuleError(f"A secret is made of {_FEWEST_BYTES} to {_MOST_BYTES} random bytes.", field="secret")
    return _PREFIX + base64.b64encode(random).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, 'v1,' and base64. RuleError when the secret or the id cannot be used."""
    if not _ID.fullmatch(message_id):
        raise RuleError("A message id has 1 to 255 characters, without spaces.", field=ID_HEADER)
    signed = b".".join((message_id.encode("ascii"), str(timestamp).encode("ascii"), body))
    return _VERSION + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message that leaves, signed with every live secret."""
    signatures = " ".join(sign(secret, message_id, timestamp, body) for secret in secrets)
    if not signatures:
        raise RuleError("There is no secret to sign with.", field="secret")
    return {ID_HEADER: message_id, TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signatures}


def verify(
    secrets: Sequence[str],
    message_id: str | None,
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    now: datetime,
) -> None:
    """Return when the body was signed with one of the live secrets just now; RuleError(field = the header) if not.

    The headers are given as they came, None when absent.
    """
    for name, value in ((ID_HEADER, message_id), (TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)):
        if not value:
            raise RuleError(f"The header {name} is missing.", field=name)
    if message_id is None or not _ID.fullmatch(message_id):
        raise RuleError(f"{ID_HEADER} has 1 to 255 characters, without spaces.", field=ID_HEADER)
    if timestamp is None or not _SECONDS.fullmatch(timestamp):
        raise RuleError(f"{TIMESTAMP_HEADER} is a number of seconds since 1970.", field=TIMESTAMP_HEADER)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise RuleError(
            f"{TIMESTAMP_HEADER} is more than 5 minutes away from this server's clock. "
            "Check both clocks, and sign each message when it is sent.",
            field=TIMESTAMP_HEADER,
        )
    expected = [sign(secret, message_id, int(timestamp), body).encode("ascii") for secret in secrets]
    given = [part.encode("utf-8", "replace") for part in (signature or "").split(" ")[:_SIGNATURES_LIMIT]]
    # Every pair is compared, so that the time it takes tells nothing about which one was right.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in given):
        raise RuleError(
            f"No signature in {SIGNATURE_HEADER} fits. Sign the bytes as they are sent, with the present secret.",
            field=SIGNATURE_HEADER,
        )


def _key(secret: str) -> bytes:
    written = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise RuleError(f"A secret is {_PREFIX} and base64 of {_FEWEST_BYTES} to {_MOST_BYTES} bytes.", field="secret")
    return key
