"""A file that cannot be taken as a whole changes nothing and is refused in one sentence; a bad row is left out."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.engine import make_engine
from db.imports import BadFile
from db.models import Incident
from rules.errors import RuleError
from tests.db.imported import MANY, SAMPLE, counted, one, sample_rows, take, written

TEXT = SAMPLE.read_text(encoding="utf-8")
LINES = TEXT.splitlines(keepends=True)
HEADER = LINES[0]
PACKED = gzip.compress(TEXT.encode())


def changed_line(number: int, line: str) -> str:
    return "".join([*LINES[:number], line, *LINES[number + 1 :]])


def with_phone(word: str) -> bytes:
    return changed_line(9, LINES[9].replace("Phone", word)).encode()


def month_first(line: str) -> str:
    cells = line.split(",")
    day, month, rest = cells[9].split("/")
    assert int(day) > 12, "choose a line whose opened_at proves its order"
    cells[9] = f"{month}/{day}/{rest}"
    return ",".join(cells)


PROVING = next(n for n, line in enumerate(LINES[1:], 1) if int(line.split(",")[9].split("/")[0]) > 12)

BAD = {
    "empty": (b"", "The file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "The file is empty"),
    "blank first line": (b"\n" + TEXT.encode(), "first line is empty"),
    "header only": (HEADER.encode(), "a header but no rows"),
    "other columns": (b"title,severity\nMail is down,1\n", "lacks 'number', 'opened_at' and 'incident_state'"),
    "not a table": (b"Dear all,\nplease find attached\n", "lacks 'number'"),
    "header twice": ((TEXT + TEXT).encode(), "header appears again in row 384"),
    "a column twice": (HEADER.replace("vendor", "number").encode() + LINES[1].encode(), "Two columns mean the same"),
    "mixed date orders": (changed_line(PROVING, month_first(LINES[PROVING])).encode(), "mixes two date orders"),
    "too few columns": (changed_line(9, "INC1,New,true\n").encode(), "Row 10 has too few columns: 3 where"),
    "too many columns": (
        with_phone("Phone,more"),
        "Row 10 has too many columns: 37",
    ),
    "cut off in a row": (TEXT[:-40].encode(), "too few columns"),
    "not UTF-8": (TEXT.replace("Location 143", "Zürich").encode("latin-1"), "not UTF-8 text: byte 0xfc"),
    "UTF-16": (TEXT.encode("utf-16"), "UTF-16"),
    "NUL": (TEXT.replace("Location 143", "Loc\0ation").encode(), "Line 2 holds a NUL character"),
    "unclosed quote": (with_phone('"Phone'), "after row 9 is never closed"),
    "stray quote": (with_phone('"Pho"ne'), "quotation marks after row 9"),
    "huge field": (
        with_phone("x" * 200_000),
        "after row 9 is longer than 131,072",
    ),
    "truncated gzip": (PACKED[:-2000], "gzip file is cut off"),
    "damaged gzip": (PACKED[:3000] + b"\xff" * 300 + PACKED[3300:], "gzip file is damaged"),
    "gzip header only": (b"\x1f\x8b", "gzip file is cut off"),
    "a workbook": (b"PK\x03\x04" + b"\0" * 200, "workbook"),
    "binary": (bytes(range(256)) * 8, "not UTF-8|NUL|lacks"),
    "no usable row": (
        (HEADER + LINES[1].replace("29/2/2016", "soon")).encode(),
        "No row of the file can be used",
    ),
}


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """One kind of database is enough for what is refused before any database is asked."""
    made = make_engine(sqlite_url)
    yield made
    made.dispose()


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_in_one_sentence_and_changes_nothing(sqlite_engine, tmp_path, kind):
    content, sentence = BAD[kind]
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(BadFile, match=sentence) as refused:
        take(sqlite_engine, file)
    assert "\n" not in refused.value.sentence
    assert counted(sqlite_engine) == 0


def test_a_file_that_is_not_there_or_a_folder_is_refused(sqlite_engine, tmp_path):
    with pytest.raises(BadFile, match="There is no file"):
        take(sqlite_engine, tmp_path / "nothing.csv")
    with pytest.raises(BadFile, match="is a folder"):
        take(sqlite_engine, tmp_path)


def test_an_unknown_zone_is_refused(sqlite_engine):
    with pytest.raises(RuleError, match="no zone 'Mars/Olympus'"):
        take(sqlite_engine, zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("csv.gz", gzip.compress(TEXT.encode())),
        ("csv", TEXT.replace("\n", "\r\n").encode()),
        ("csv", (TEXT + "\n\n").encode()),
        ("csv", TEXT.replace(",", "\t").encode()),
        ("csv", TEXT.replace(",", ";").encode()),
    ],
    ids=["byte order mark", "gzip", "Windows line ends", "blank lines at the end", "tabs", "semicolons"],
)
def test_other_shapes_of_a_good_file_are_taken(sqlite_engine, tmp_path, suffix, content):
    file = tmp_path / f"good.{suffix}"
    file.write_bytes(content)
    report = take(sqlite_engine, file)
    assert (report.created, report.refused) == (MANY, 0)


def with_cell(path: Path, at: int, name: str, value: str) -> Path:
    rows = sample_rows()
    rows[at][name] = value
    return written(path, rows)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("sys_updated_at", "yesterday", "The date 'yesterday' in sys_updated_at cannot be read"),
        ("sys_updated_at", "?", "sys_updated_at is missing"),
        ("opened_at", "31/4/2016 10:00", "The date '31/4/2016 10:00' in opened_at cannot be read"),
        ("resolved_at", "30/2/2016 10:00", "in resolved_at cannot be read"),
        ("number", "", "The number is missing"),
        ("number", "INC" + "0" * 60, "The number is longer than 40 characters"),
        ("incident_state", "Limbo", "The state 'Limbo' is not known"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_is_taken(sqlite_engine, tmp_path, name, value, reason):
    report = take(sqlite_engine, with_cell(tmp_path / "one_bad.csv", 1, name, value))
    assert report.refused == 1
    row, _, said = report.refusals.first[0]
    assert row == 3
    assert reason in said
    assert (report.created, report.entries) == (MANY, 381)


def test_refusals_are_all_counted_and_the_first_are_told(sqlite_engine, tmp_path):
    rows = sample_rows()
    for row in rows[:300]:
        row["incident_state"] = "Limbo"
    report = take(sqlite_engine, written(tmp_path / "many_bad.csv", rows))
    assert report.refused == report.refusals.reasons["The state 'Limbo' is not known."] == 300
    lines = "\n".join(report.lines())
    assert "Refused 300: The state 'Limbo' is not known." in lines
    assert "row 2 (INC0000045)" in lines
    assert "and 280 more" in lines


def test_the_same_row_twice_counts_once(sqlite_engine, tmp_path):
    rows = sample_rows()
    report = take(sqlite_engine, written(tmp_path / "twice.csv", [rows[0], *rows]))
    assert report.entries == 382
    assert any("repeat another row" in warning for warning in report.warnings)


def test_levels_that_mean_nothing_are_left_empty_with_a_warning(sqlite_engine, tmp_path):
    last = sample_rows()[-1]
    report = take(sqlite_engine, with_cell(tmp_path / "level.csv", -1, "priority", "9 - Whenever"))
    assert any("without a known level: 1" in warning for warning in report.warnings)
    read_from_impact_and_urgency = int(last["priority"][0])
    assert one(sqlite_engine, last["number"]).priority == read_from_impact_and_urgency
    assert counted(sqlite_engine, Incident.impact.is_(None)) == 0


def test_a_multiline_description_with_quotes_survives(sqlite_engine, tmp_path):
    words = 'He said "no".\nThen nothing; really, nothing.'
    rows = [row | {"description": words} for row in sample_rows()[:4]]
    file = written(tmp_path / "words.csv", rows, quoting=csv.QUOTE_ALL)
    take(sqlite_engine, file)
    assert one(sqlite_engine, "INC0000045").description.startswith(words)
