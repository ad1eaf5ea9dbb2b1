"""Postmortems: when one is due, its states, its checks, the draft, and the Markdown that leaves."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import markdown_out, postmortem_draft, postmortem_export, postmortems
from rules.errors import RuleError
from rules.markdown import blocks
from rules.postmortem_draft import Entry, Facts
from rules.postmortems import DISCARDED, DRAFT, FIELDS, LABELS, PUBLISHED, REVIEW

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""nine in Berlin"""
TODAY = date(2026, 3, 2)
EMPTY = dict.fromkeys(FIELDS, "")
WHOLE = EMPTY | {"title": "Mail", "summary": "It broke.", "impact": "Nobody read mail.", "factors": "A full disk"}


def minutes(count):
    return AT + timedelta(minutes=count)


@pytest.mark.parametrize(
    ("major", "priority", "expected"),
    [(True, 5, True), (True, None, True), (False, 1, True), (False, 2, True), (False, 3, False), (False, None, False)],
)
def test_it_is_due_for_major_incidents_and_the_two_worst_priorities(major, priority, expected):
    assert postmortems.due(major=major, priority=priority) is expected


def test_each_state_leads_where_the_design_says():
    may = {(state, to) for state in LABELS for to in LABELS if to in postmortems.MOVES[state]}
    assert may == {
        (DRAFT, REVIEW), (DRAFT, DISCARDED), (REVIEW, DRAFT), (REVIEW, PUBLISHED), (DISCARDED, DRAFT),
    }  # fmt: skip
    for state in LABELS:
        for to in LABELS:
            if (state, to) in may:
                postmortems.move(state, to)
            else:
                with pytest.raises(RuleError, match="cannot become"):
                    postmortems.move(state, to)


@pytest.mark.parametrize(
    ("saved_by", "saved", "sent_by", "sent", "expected"),
    [
        (1, 0, 1, 5, {1}),
        (1, 0, 2, 5, {1, 2}),
        (None, 0, 2, 5, {2}),  # the app's own draft, sent as it is
        (3, 9, 2, 5, {3}),  # changed in review: whoever sent it may read the change
        (1, 0, None, None, {1}),
        (None, 0, None, None, set()),
    ],
)
def test_whoever_wrote_the_words_does_not_review_them(saved_by, saved, sent_by, sent, expected):
    of = postmortems.authors(saved_by, minutes(saved), sent_by, minutes(sent) if sent is not None else None)
    assert of == expected
    for one in of:
        with pytest.raises(RuleError, match="somebody else"):
            postmortems.check_reviewer(one, of)
    postmortems.check_reviewer(99, of)


@pytest.mark.parametrize(
    ("taken", "actions", "missing"),
    [
        ({}, 1, set()),
        ({"no_action": "It is retired."}, 0, set()),
        ({}, 0, {"no_action"}),
        ({"summary": ""}, 1, {"summary"}),
        ({"impact": "", "factors": " - \n"}, 1, {"impact", "factors"}),
        ({"went_well": "", "timeline": ""}, 3, set()),
    ],
)
def test_what_is_published_has_its_parts(taken, actions, missing):
    assert set(postmortems.lacking(WHOLE | taken, actions)) == missing


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("- A full disk\n* No alarm\n\n2. Nobody knew\n• Late", ["A full disk", "No alarm", "Nobody knew", "Late"]),
        ("  one   two ", ["one two"]),
        ("-nothing", ["-nothing"]),
        ("", []),
    ],
)
def test_factors_are_one_on_each_line(typed, kept):
    assert list(postmortems.factors(typed)) == kept
    assert postmortems.checked(WHOLE | {"factors": typed})["factors"] == "\n".join(kept)


@pytest.mark.parametrize(
    ("taken", "field", "said"),
    [
        ({"title": " "}, "title", "Give it a title"),
        ({"title": "x" * 201}, "title", "Shorten 'Title'"),
        ({"went_well": "x" * 20_001}, "went_well", "Shorten 'What went well'"),
        ({"factors": "\n".join(f"f{n}" for n in range(21))}, "factors", "at most 20"),
        ({"factors": "one\n" + "x" * 501}, "factors", "Shorten factor 2"),
    ],
)
def test_words_that_cannot_be_kept_are_named(taken, field, said):
    with pytest.raises(RuleError) as refused:
        postmortems.checked(WHOLE | taken)
    assert list(refused.value.fields) == [field]
    assert said in refused.value.fields[field]


@pytest.mark.parametrize(
    ("words", "owner", "due", "kept", "wrong"),
    [
        ("Add an alarm", 1, TODAY, None, set()),
        ("", None, None, None, {"text", "owner_id", "due_on"}),
        ("x" * 301, 1, TODAY, None, {"text"}),
        ("Add", 1, TODAY - timedelta(days=1), None, {"due_on"}),
        ("Add", 1, TODAY - timedelta(days=1), TODAY - timedelta(days=1), set()),  # its day stays as it was
        ("Add", 1, TODAY + timedelta(days=3000), None, {"due_on"}),
    ],
)
def test_an_action_has_words_an_owner_and_a_day_to_come(words, owner, due, kept, wrong):
    if not wrong:
        assert postmortems.action(words, owner, due, TODAY, kept) == words
        return
    with pytest.raises(RuleError) as refused:
        postmortems.action(words, owner, due, TODAY, kept)
    assert set(refused.value.fields) == wrong


@pytest.mark.parametrize(
    ("at", "today", "told"),
    [
        (datetime(2026, 3, 1, 22, 59, tzinfo=UTC), date(2026, 3, 1), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 23, 0, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 1)),  # midnight in Berlin
        (datetime(2026, 3, 2, 5, 59, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 6, 0, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 2)),  # seven in the morning
    ],
)
def test_a_day_is_over_at_midnight_there_and_told_in_the_morning(at, today, told):
    assert postmortems.today(at, BERLIN) == today
    assert postmortems.telling_day(at, BERLIN) == told


def test_the_public_reads_words_of_its_own():
    assert postmortems.public(" Mail  was slow ", "We added space.\n") == ("Mail was slow", "We added space.")
    with pytest.raises(RuleError) as refused:
        postmortems.public("", "It was {service}.")
    assert set(refused.value.fields) == {"public_title", "public_text"}
    assert "Replace {service}" in refused.value.sentence


def facts(**given):
    moments = {
        "started_at": AT, "detected_at": None, "reported_at": minutes(10), "acknowledged_at": minutes(15),
        "resolved_at": minutes(120), "recovered_at": minutes(150), "verified_at": None, "closed_at": None,
    }  # fmt: skip
    entries = [
        Entry(minutes(10), "Rita", "report", "reported it", "a template's answers"),
        Entry(minutes(15), "Priya", "acknowledge", "started work", ""),
        Entry(minutes(30), "Priya", "hypothesis", "suspects 'DNS'", ""),
        Entry(minutes(40), "Priya", "hypothesis", "confirmed 'A full disk'", "df says\n100 %"),
        Entry(minutes(50), "Priya", "note", "wrote a note", "not for the draft"),
        Entry(minutes(150), "Priya", "recover", "restored the service", ""),
    ]
    known = {
        "number": "INC-000001", "title": "Mail is down.", "service": "E-mail", "team": "Servers", "priority": 1,
        "major": True, "people": 1200, "scope": "everyone", "effect": "stopped", "moments": moments,
        "resolution_code": "fixed", "resolution_note": "Removed\nold logs.", "missed": ("the promised time to fix",),
        "public_updates": [minutes(20), minutes(150)], "causes": ["A full disk", "No alarm"], "entries": entries,
    }  # fmt: skip
    return Facts(**known | given)


def test_the_draft_tells_what_is_known_on_the_organisations_clock():
    made = postmortem_draft.draft(facts(), BERLIN)
    assert made["title"] == "Mail is down."
    assert made["summary"] == (
        "Mail is down (P1 Critical, major incident, E-mail). It began Mon 2 Mar 2026 09:00 CET and was over "
        "Mon 2 Mar 2026 11:30 CET, after 2 h 30 min. Servers had it. Fixed: Removed old logs."
    )
    assert made["impact"].splitlines() == [
        "- People affected: 1,200",
        "- The reporter said: Everyone · No, work has stopped",
        "- Started: Mon 2 Mar 2026 09:00 CET",
        "- Reported: Mon 2 Mar 2026 09:10 CET (after 10 min)",
        "- Work began: Mon 2 Mar 2026 09:15 CET (after 15 min)",
        "- Resolved: Mon 2 Mar 2026 11:00 CET (after 2 h)",
        "- Recovered: Mon 2 Mar 2026 11:30 CET (after 2 h 30 min)",
        "- Missed: the promised time to fix",
        "- The public was told 2 times, the first Mon 2 Mar 2026 09:20 CET",
    ]
    assert made["timeline"].splitlines() == [
        "**Monday 2 March 2026** (CET)",
        "",
        "- 09:10 Rita reported it",
        "- 09:15 Priya started work",
        "- 09:40 Priya confirmed 'A full disk': df says 100 %",
        "- 11:30 Priya restored the service",
    ]
    assert postmortems.factors(made["factors"]) == ("A full disk", "No alarm")
    assert not any(made[name] for name in ("went_well", "went_badly", "lucky", "no_action"))
    assert "root cause" not in str(made).lower()
    assert postmortems.checked(made) == made, "a draft can be saved as it is"


def test_a_draft_of_what_is_hardly_known_says_no_more():
    bare = facts(
        title="x", service="", team="", priority=None, major=False, people=None, scope=None, effect=None, moments={},
        resolution_code=None, resolution_note="", missed=(), public_updates=(), causes=(), entries=(),
    )  # fmt: skip
    made = postmortem_draft.draft(bare, BERLIN)
    assert made["summary"] == "x (Not prioritised)."
    assert (made["impact"], made["timeline"], made["factors"]) == ("", "", "")


def test_a_long_timeline_loses_its_middle():
    many = [Entry(minutes(n), "Priya", "update", f"told {n}", "") for n in range(postmortem_draft.MOST_ENTRIES + 5)]
    lines = [line for line in postmortem_draft.timeline(many, BERLIN, "INC-1").splitlines() if line.startswith("- ")]
    assert len(lines) == postmortem_draft.MOST_ENTRIES + 1
    assert lines[30] == "- … 5 more on the timeline of INC-1"
    assert (lines[29][-7:], lines[31][-7:]) == ("told 29", "told 35")


@pytest.mark.parametrize(
    ("what", "words", "told"),
    [("told all", 200, "w" * 200), ("told all", 4000, "w" * 119 + "…"), ("x" * 700, 10, "w" * 10)],
)
def test_a_draft_of_much_that_was_written_can_be_saved_as_it_is(what, words, told):
    many = [Entry(minutes(n), "P" * 100, "update", what, "w" * words) for n in range(90)]
    facts = Facts("INC-1", "x", "E-mail", "Net", 1, True, None, None, None, {}, "fixed", "n" * 20_000, entries=many)
    made = postmortem_draft.draft(facts, BERLIN)
    assert postmortems.checked(made) == made
    assert made["timeline"].splitlines()[3].endswith(f" {what}: {told}")


def test_the_file_has_every_section_and_nothing_that_acts():
    words = WHOLE | {
        "title": "<b>Mail</b>",
        "summary": "# Loud\n\nSee [the wiki](https://wiki.example/x) <script>alert(1)</script> ![pixel](https://x.example)",
        "no_action": "It is retired.",
    }
    done = postmortem_export.Action("Add an alarm", "Ana", TODAY, False, AT, "Ana", AT, "Ben", "It rang.")
    late = postmortem_export.Action("More *space*", "Cy", TODAY, True)
    dropped = postmortem_export.Action("Pray", "Cy", TODAY, False, dropped_why="No use")
    file = postmortem_export.as_markdown(
        "INC-000001", [("Service", "E-mail")], PUBLISHED, words, [late, done, dropped], BERLIN
    )
    assert file.startswith("# INC-000001: &lt;b>Mail&lt;/b>\n")
    assert "### Loud\n\nSee [the wiki](<https://wiki.example/x>) &lt;script>" in file
    assert "![" not in file
    assert [line for line in file.splitlines() if line.startswith("## ")] == [
        "## Summary", "## Impact", "## Timeline", "## Contributing factors", "## What went well", "## What went badly",
        "## Where we got lucky", "## Actions",
    ]  # fmt: skip
    assert "- [ ] More \\*space\\* (Cy; overdue, due 2 Mar 2026)" in file
    assert "- [x] Add an alarm (Ana; done 2 Mar 2026 by Ana; Ben saw on 2 Mar 2026: It rang.)" in file
    assert "- [ ] Pray (Cy; dropped: No use)" in file
    assert "No action because: It is retired." in file


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab *_`#-[]()<>|\n1.!~:/&\\"), max_size=80))
def test_what_left_reads_as_it_was_written(typed):
    once = blocks(typed)
    again = blocks(markdown_out.written(once))
    assert [block.kind for block in again if block.words] == [block.kind for block in once if block.words]
    assert not any("<" in line.replace("(<", "").replace("\\<", "") for line in _outside_code(once))


def _outside_code(pieces):
    """Lines of what is not code, where a sign that begins HTML would act."""
    return [
        markdown_out.inline([span])
        for piece in pieces
        for span in piece.spans
        if not (span.code or span.url or "@" in span.text or "://" in span.text)
    ]
