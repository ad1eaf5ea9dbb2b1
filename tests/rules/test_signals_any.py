"""Any JSON value that there can be is a signal that both databases can keep, or a sentence; for every format."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.errors import RuleError
from rules.signals import FORMATS, parse
from tests.rules import samples

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def names_in(value) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set(value).union(*map(names_in, value.values())) if isinstance(value, dict) else set()


def places_in(value, way=()):
    yield way
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in pairs:
        yield from places_in(item, (*way, name))


def changed(payload, way, value):
    if not way:
        return value
    payload = copy.deepcopy(payload)
    place = payload
    for name in way[:-1]:
        place = place[name]
    place[way[-1]] = value
    return payload


NAMES = st.sampled_from(sorted(names_in([payload for _, payload in samples.SAMPLES])))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**4000)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None), max_size=20)
    | st.sampled_from(
        ["firing", "ok", "trigger", "resolve", "https://a.example", "https://[", "2026-11-23", "[" * 300]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | NAMES, inner, max_size=6),
    max_leaves=12,
)


def holds(format, payload):
    """A signal that both databases can keep, or a sentence; nothing else, whatever is sent."""
    try:
        found = parse(format, payload, NOW)
    except RuleError as caught:
        refused: RuleError | None = caught
    else:
        refused = None
    if refused:
        assert refused.sentence.isprintable()
        return
    for signal in found:
        stored = json.dumps([replace(signal, started_at=0, ended_at=0).__dict__], ensure_ascii=False, allow_nan=False)
        assert "\\u0000" not in stored
        stored.encode("utf-8")
        assert 1 <= len(signal.dedup_key) <= 255
        assert 1 <= len(signal.title) <= 200
        assert signal.status in ("firing", "acknowledged", "resolved")
        assert signal.started_at.tzinfo is not None
        assert max(len(signal.severity) / 64, len(signal.source) / 255, len(signal.group_key) / 255) <= 1
        assert len(stored) < 60_000
    assert parse(format, payload, NOW) == found


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(format=st.sampled_from(FORMATS), payload=JSON)
def test_any_json_value_is_a_signal_or_a_sentence(format, payload):
    holds(format, payload)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_change_to_a_sample_is_a_signal_or_a_sentence(data):
    format, payload = data.draw(st.sampled_from(samples.SAMPLES))
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(sorted(places_in(payload), key=repr)))
        payload = changed(payload, way, data.draw(JSON))
    holds(format, payload)


@pytest.mark.parametrize("format", FORMATS)
def test_a_number_that_cannot_be_printed_harms_nothing(format):
    for known, payload in samples.SAMPLES:
        for way in places_in(payload) if known == format else ():
            try:
                found = parse(format, changed(payload, way, 10**5000), NOW)
            except RuleError:
                continue
            assert all(json.dumps(signal.details) for signal in found)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["alerts", "labels", "payload", "Message", "title", "more"])
def test_depth_harms_nothing(format, name):
    deep: object = "x"
    for _ in range(3000):
        deep = {"a": [deep]}
    for known, payload in samples.SAMPLES:
        if known == format and isinstance(payload, dict):
            try:
                found = parse(format, payload | {name: deep}, NOW)
            except RuleError:
                continue
            assert all(len(json.dumps(signal.details)) < 20_000 for signal in found)
    while isinstance(deep, dict):  # taken apart by hand: freeing it at once would descend as deep
        deep = deep["a"].pop()
