"""The lines of a backup: what was written is read again, and whatever was changed since is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.backups import Header, Reader, Table, Writer, decoder
from rules.errors import RuleError

HEADER = Header("0021", 1_772_442_000_000_000, 3)
TEAM = Table("team", {"id": "int", "name": "text", "lead": "bool", "logo": "bytes", "share": "float", "more": "json"})
TAG = Table("tag", {"name": "text"})
NOTHING = Table("nothing", {"id": "int"})
WORDS = st.text(st.characters(exclude_categories=("Cs",)))
ROWS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.none() | WORDS,
        st.none() | st.booleans(),
        st.none() | st.binary(),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([None, "null", '{"a": [1.50, "\\u00fc"]}']),
    ),
    max_size=4,
)


def written(*filled, header=HEADER):
    lines = []
    writer = Writer(lines.append, header)
    for table, rows in filled:
        writer.table(table, iter(rows))
    writer.end()
    return lines


def read(lines, newest="0021"):
    reader = Reader(iter(lines), newest)
    return {table.name: list(map(decoder(table), rows)) for table, rows in reader.tables()}


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_again(rows):
    lines = written((TEAM, rows), (NOTHING, []), (TAG, [("x",)]))
    assert all(line.count(b"\n") == 1 for line in lines)
    assert read(lines) == {"team": list(map(list, rows)), "nothing": [], "tag": [["x"]]}


def test_the_truth_of_sqlite_is_that_of_postgresql():
    assert written((Table("t", {"a": "bool"}), [(1,), (0,), (None,)])) == written(
        (Table("t", {"a": "bool"}), [(True,), (False,), (None,)])
    )


FILE = Table("file", {"name": "text", "content": "bytes"})


def whole():
    return written((TAG, [("one",), ("two",)]), (NOTHING, [(1,)]), (FILE, [("a.png", b"picture")]))


def changes():
    lines = whole()
    for place in range(len(lines)):
        yield f"line {place} is missing", lines[:place] + lines[place + 1 :]
        yield f"line {place} is there twice", lines[: place + 1] + lines[place:]
        yield f"nothing from line {place} on", lines[:place]
        for at in range(len(lines[place])):
            for bit in (1, 64):
                other = lines[place][:at] + bytes([lines[place][at] ^ bit]) + lines[place][at + 1 :]
                yield f"byte {at} of line {place} is another", [*lines[:place], other, *lines[place + 1 :]]
    for place in range(len(lines) - 1):
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        yield f"lines {place} and {place + 1} are exchanged", swapped


def test_every_change_is_refused():
    assert read(whole()) == {"tag": [["one"], ["two"]], "nothing": [[1]], "file": [["a.png", b"picture"]]}
    taken = []
    for what, lines in changes():
        try:
            read(lines)
        except RuleError:
            continue
        taken.append(what)
    assert taken == []


@pytest.mark.parametrize(
    ("newest", "lines", "said"),
    [
        ("0020", whole(), "newer version of Incident Desk"),
        ("0021", [], "not a backup"),
        ("0021", [b"{}\n"], "not a backup"),
        ("0021", [b'["incident desk backup"]\n'], "not a backup"),
        ("0021", [b"\xff\xfe\n"], "not a backup"),
        ("0021", whole()[:1], "its end is missing"),
    ],
)
def test_the_refusal_says_what_it_is(newest, lines, said):
    with pytest.raises(RuleError, match=said):
        read(lines, newest)


def test_a_backup_of_an_earlier_version_is_read():
    assert read(whole(), "0099")
