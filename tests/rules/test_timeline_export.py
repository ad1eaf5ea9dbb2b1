"""The timeline as a file: what people wrote stays words, whatever opens it."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules import timeline_export as export
from rules.markdown_text import plain, quoted

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def entry(at=NOON, what="noted", words="", who="Ana", recorded=None, **more):
    given = {"changes": None, "public": False, "imported": False} | more
    return export.Entry(at, recorded or at, who, "note", what, words, **given)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("plain words", "plain words"),
        ("a [link](https://evil.example)", r"a \[link\](`https://evil.example)`"),
        ("![x](http://a/b.png)", r"!\[x\](`http://a/b.png)`"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("www.example.org and ana@example.org", "`www.example.org` and `ana@example.org`"),
        ("[a]: javascript:alert(1)", r"\[a\]: javascript:alert(1)"),
        ("# head", r"\# head"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("$x$ ~~no~~ **b**", r"\$x\$ \~\~no\~\~ \*\*b\*\*"),
        ("see https://a/`b`", "see `` https://a/`b` ``"),
        ("up\u202edown", "updown"),
        ("1. one", r"1\. one"),
        ("2026.41 is - as it is - a release", "2026\\.41 is - as it is - a release"),
        ("- one", r"\- one"),
        ("> said", r"\> said"),
        ("=====", r"\====="),
        ("a :smile: at 12:30:15", r"a \:smile: at 12\:30:15"),
    ],
)
def test_what_people_typed_formats_links_and_loads_nothing(typed, kept):
    assert plain(typed) == kept


def test_every_line_of_a_quotation_is_quoted():
    assert quoted("one\n\n# two") == "> one  \n>\n> \\# two  "


def test_markdown_has_a_heading_a_day_and_both_clocks():
    late = entry(
        NOON + timedelta(hours=11, minutes=30), "wrote down", "1. first\n- second", recorded=NOON + timedelta(days=1)
    )
    written = export.as_markdown("INC-7", "Mail *is* down", [entry(), late], BERLIN, NOON + timedelta(days=2))
    assert written == (
        "# INC-7: Mail \\*is\\* down\n\n"
        "Timeline, 2 entries, oldest first. Written 4 Mar 2026 13:00 CET (2026-03-04T12:00:00Z).\n\n"
        "## Monday 2 March 2026\n\n"
        "- 13:00:00 CET (2026-03-02T12:00:00Z) **Ana** noted\n\n"
        "## Tuesday 3 March 2026\n\n"
        "- 00:30:00 CET (2026-03-02T23:30:00Z) **Ana** wrote down, written down 2026-03-03T12:00:00Z\n\n"
        "  > 1\\. first  \n"
        "  > \\- second  \n\n"
    )  # fmt: skip


@pytest.mark.parametrize("cell", ["=1+1", "+49 30", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_taken_for_a_formula(cell):
    rows = list(csv.DictReader(io.StringIO(export.as_csv([entry(words=cell, who=cell)]), newline="")))
    assert (rows[0]["words"], rows[0]["who"]) == (f"'{cell}", f"'{cell}")


def test_a_row_of_csv_survives_commas_quotes_and_lines():
    words = 'a, "b"\nc'
    [row] = csv.DictReader(io.StringIO(export.as_csv([entry(words=words)]), newline=""))
    assert (row["at"], row["words"], row["public"]) == ("2026-03-02T12:00:00Z", words, "False")


def test_json_keeps_values_before_and_after():
    whole = json.loads(export.as_json("INC-7", "Mail", [entry(changes={"impact": [2, 1]})], NOON))
    assert (whole["incident"], whole["entries"][0]["changes"]) == ("INC-7", {"impact": [2, 1]})
