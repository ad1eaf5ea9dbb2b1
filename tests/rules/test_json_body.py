"""Bodies as they come in from the network: JSON or a sentence, never anything else, and never for long."""

import gc
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.json_body import BYTES_LIMIT, DEPTH_LIMIT, decode


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('"é"'.encode(), "é"),
        (b' "\\ud800\\u0000" ', "\ud800\0"),
        (b"1" * 100, int("1" * 100)),
        (b"-0.0", 0.0),
        (b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, json.loads("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT)),
        (b"[" + b"[]," * 1000 + b"[]]", [[]] * 1001),
        (json.dumps("[{" * 1000 + '\\"[[').encode(), "[{" * 1000 + '\\"[['),
        (b'{"a": 1, "A": 2}', {"a": 1, "A": 2}),
    ],
)
def test_json_in_utf_8_is_read(body, value):
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"{", "is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        (b'{"a": 1} x', "is not JSON"),
        (b"a=1&b=2", "is not JSON"),
        (b'"\xff"', "is not UTF-8: see byte 2"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        ('"é"'.encode("latin-1"), "is not UTF-8"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "has 'c' twice"),
        (b'{"\\ud800\\u0000": 1, "\\ud800\\u0000": 1}', r"has '\\ud800\\x00' twice"),
        (b'{"a": NaN}', "has NaN"),
        (b"[Infinity, -Infinity]", "has Infinity"),
        (b"1e999", "too large"),
        (b"1" * 101, "a number of 101 digits"),
        (b"1" * 100_000, "a number of 100,000 digits"),
        (b"[" * 51 + b"]" * 51, "more than 50 levels"),
        (b'{"a":' * 200_000, "more than 50 levels"),
        (b'{"a\\"": "]]]", "b":' * 60 + b"1" + b"}" * 60, "more than 50 levels"),
        (b" " * (BYTES_LIMIT + 1), "Send at most 4,194,304"),
    ],
)
def test_what_is_not_is_refused_with_a_sentence(body, says):
    with pytest.raises(RuleError, match=says) as refused:
        decode(body)
    assert refused.value.sentence.isprintable()
    assert len(refused.value.sentence) < 200


@pytest.mark.parametrize(
    "unit", [b"[],", b"{", b'"', b'\\"', b'"\\', b"\\", b'{"a":1},', b"[\n", b'"[', b"-", b"1e5,", b"\xf0\x9f\x98\x80"]
)
def test_no_body_takes_long(unit):
    body = (b"[" + unit * BYTES_LIMIT)[: BYTES_LIMIT - 1]
    # What other tests left in memory or run in threads is not what this costs.
    gc.freeze()
    began = time.thread_time()
    with pytest.raises(RuleError):
        decode(body)
    took = time.thread_time() - began
    gc.unfreeze()
    assert took < 5


TOKENS = st.sampled_from(
    [b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"1", b"a", b"NaN", b"e9", b"\xc3", b"\x00", b" "]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=80).map(b"".join) | st.binary(max_size=60))
def test_any_bytes_are_json_or_a_sentence(body):
    try:
        value = decode(body)
    except RuleError:
        return
    assert value == json.loads(body)
    assert not isinstance(value, float) or math.isfinite(value)
