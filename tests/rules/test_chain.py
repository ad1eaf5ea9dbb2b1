"""Chains: the same entry hashes the same wherever it was stored, and no other entry does."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import chain

KEY, OTHER = chain.key_of(b"a secret key"), chain.key_of(b"another secret key")
KEYS = {KEY.name: KEY}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def exchanged(value):
    """The same value as a database may give it back: keys in another order, whole numbers without a point."""
    if isinstance(value, dict):
        return {name: exchanged(value[name]) for name in reversed(value)}
    if isinstance(value, list):
        return [exchanged(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value


@settings(max_examples=150, deadline=None)
@given(st.lists(json_values, max_size=5))
def test_what_a_database_gives_back_is_written_the_same(values):
    written = chain.canonical(values)
    assert chain.canonical(exchanged(values)) == written
    assert chain.canonical(json.loads(json.dumps(values))) == written
    assert json.loads(written) == exchanged(values)


@settings(max_examples=150, deadline=None)
@given(st.lists(json_values, max_size=4), st.lists(json_values, max_size=4))
def test_other_values_are_written_otherwise(one, other):
    same = json.dumps(exchanged(one), sort_keys=True) == json.dumps(exchanged(other), sort_keys=True)
    assert (chain.canonical(one) == chain.canonical(other)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "bc"], ["ab", "c"]),
        ([None], [""]),
        ([None], ["None"]),
        ([1], ["1"]),
        ([1], [True]),
        ([0], [False]),
        ([["a"]], ["a"]),
        ([{}], [[]]),
        (["é"], ["e\u0301"]),
        (["x\\u0000"], ["x\x00"]),
    ],
)
def test_what_looks_alike_is_told_apart(one, other):
    assert chain.canonical(one) != chain.canonical(other)


def test_what_is_not_json_is_refused():
    for value in (math.nan, math.inf, b"bytes", object()):
        with pytest.raises((ValueError, TypeError)):
            chain.canonical([value])


def test_an_entry_holds_in_its_place_only():
    first = chain.link(KEY, chain.START, ["first"])
    second = chain.link(KEY, first, ["second"])
    assert len(first) == len(second) == chain.HASH_BYTES
    assert chain.holds(KEYS, chain.START, ["first"], first) is True
    assert chain.holds(KEYS, first, ["second"], second) is True
    assert chain.holds(KEYS, chain.START, ["second"], second) is False
    assert chain.holds(KEYS, first, ["changed"], second) is False


def test_an_entry_made_with_another_key_is_known_as_such():
    entry = chain.link(OTHER, chain.START, ["first"])
    assert chain.holds(KEYS, chain.START, ["first"], entry) is None
    assert chain.holds(KEYS | {OTHER.name: OTHER}, chain.START, ["first"], entry) is True


def test_nobody_makes_an_entry_hold_by_naming_our_key():
    forged = KEY.name + chain.link(OTHER, chain.START, ["first"])[chain.NAME_BYTES :]
    assert chain.holds(KEYS, chain.START, ["first"], forged) is False
