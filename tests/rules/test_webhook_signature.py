"""Webhooks signed and checked as Standard Webhooks says, with the vector of its own test suite."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.webhook_signature import headers, secret_of, sign, verify

# From the reference implementations' tests, https://github.com/standard-webhooks/standard-webhooks
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(TIMESTAMP, UTC)
OTHER = secret_of(b"another secret of 32 bytes......")


def test_the_published_vector_holds():
    assert sign(SECRET, ID, TIMESTAMP, BODY) == SIGNATURE
    verify([SECRET], ID, str(TIMESTAMP), SIGNATURE, BODY, NOW)
    verify([SECRET.removeprefix("whsec_")], ID, str(TIMESTAMP), SIGNATURE, BODY, NOW)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"message_id": None}, "webhook-id", "is missing"),
        ({"timestamp": ""}, "webhook-timestamp", "is missing"),
        ({"signature": None}, "webhook-signature", "is missing"),
        ({"message_id": "msg 1"}, "webhook-id", "without spaces"),
        ({"message_id": "é"}, "webhook-id", "without spaces"),
        ({"message_id": "x" * 256}, "webhook-id", "1 to 255"),
        ({"message_id": "msg_other"}, "webhook-signature", "No signature"),
        ({"timestamp": "now"}, "webhook-timestamp", "number of seconds"),
        ({"timestamp": "-1"}, "webhook-timestamp", "number of seconds"),
        ({"timestamp": "١٦١٤٢٦٥٣٣٠"}, "webhook-timestamp", "number of seconds"),
        ({"timestamp": "1" * 400}, "webhook-timestamp", "number of seconds"),
        ({"timestamp": str(TIMESTAMP + 1)}, "webhook-signature", "No signature"),
        ({"timestamp": f"0{TIMESTAMP}"}, "webhook-timestamp", "number of seconds"),
        ({"signature": SIGNATURE.removeprefix("v1,")}, "webhook-signature", "No signature"),
        ({"signature": SIGNATURE.replace("v1", "v2")}, "webhook-signature", "No signature"),
        ({"signature": "v1a," + SIGNATURE}, "webhook-signature", "No signature"),
        ({"signature": SIGNATURE[:-1]}, "webhook-signature", "No signature"),
        ({"signature": "v1,"}, "webhook-signature", "No signature"),
        ({"signature": "é\ud800"}, "webhook-signature", "No signature"),
        ({"signature": "v1,x " * 20 + SIGNATURE}, "webhook-signature", "No signature"),
        ({"body": BODY + b" "}, "webhook-signature", "No signature"),
        ({"secrets": [OTHER]}, "webhook-signature", "No signature"),
        ({"secrets": []}, "webhook-signature", "No signature"),
        ({"now": NOW + timedelta(seconds=301)}, "webhook-timestamp", "5 minutes"),
        ({"now": NOW - timedelta(seconds=301)}, "webhook-timestamp", "5 minutes"),
    ],
)
def test_what_was_not_signed_just_now_is_refused(changed, field, says):
    whole = {"secrets": [SECRET], "message_id": ID, "timestamp": str(TIMESTAMP), "signature": SIGNATURE}
    with pytest.raises(RuleError, match=says) as refused:
        verify(**{**whole, "body": BODY, "now": NOW, **changed})
    assert refused.value.field == field


@pytest.mark.parametrize("seconds", [-300, 300])
def test_clocks_may_be_five_minutes_apart(seconds):
    verify([SECRET], ID, str(TIMESTAMP), SIGNATURE, BODY, NOW + timedelta(seconds=seconds))


def test_two_secrets_live_side_by_side():
    verify([OTHER, SECRET], ID, str(TIMESTAMP), SIGNATURE, BODY, NOW)
    sent = headers([OTHER, SECRET], ID, TIMESTAMP, BODY)
    assert sent["webhook-signature"].split(" ")[1] == SIGNATURE
    for secret in (SECRET, OTHER):
        verify([secret], sent["webhook-id"], sent["webhook-timestamp"], sent["webhook-signature"], BODY, NOW)
    with pytest.raises(RuleError, match="no secret"):
        headers([], ID, TIMESTAMP, BODY)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_short", "whsec_é", "whsec_" + "A" * 100, "*" * 32, SECRET[:20] + "****" + SECRET[20:]],
)
def test_a_secret_has_24_to_64_bytes(secret):
    with pytest.raises(RuleError, match="24 to 64") as refused:
        sign(secret, ID, TIMESTAMP, BODY)
    assert refused.value.field == "secret"
    assert "short" not in refused.value.sentence


@pytest.mark.parametrize("length", [0, 23, 65])
def test_a_new_secret_is_long_enough(length):
    with pytest.raises(RuleError, match="24 to 64"):
        secret_of(bytes(length))
    assert base64.b64decode(OTHER.removeprefix("whsec_")) == b"another secret of 32 bytes......"


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=24, max_size=64), st.binary(max_size=200), st.integers(0, 10**11))
def test_what_is_signed_is_accepted_and_a_changed_byte_is_not(random, body, timestamp):
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp)
    sent = headers([secret_of(random)], "msg_1", timestamp, body)
    proof = ("msg_1", sent["webhook-timestamp"], sent["webhook-signature"])
    verify([secret_of(random)], *proof, body, now)
    with pytest.raises(RuleError, match="No signature"):
        verify([secret_of(random)], *proof, body + b"x", now)
