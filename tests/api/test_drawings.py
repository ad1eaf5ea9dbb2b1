"""Panels drawn without a browser: the same shapes as SVG and PNG, with everything said in words."""

import io
from datetime import UTC, datetime, timedelta
from math import log
from xml.etree import ElementTree

import pytest
from PIL import Image

from api import png as pngs
from api.drawings import ACCENT, SLATE, Box, Dot, Stroke, Words, cut, drawing, in_time
from api.png import framed, png
from api.svg import svg
from rules.panels import Column, Opens, Panel

START = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(weeks=1)
SVG = "{http://www.w3.org/2000/svg}"


def a_panel(chart, rows, opens=(), **marks):
    return Panel(
        "key", "Title & <more>", "Defined.", "It says <so>.", chart, (Column("n", "n"),), rows, opens, marks=marks
    )


def weeks(kinds, field, values):
    """Rows of a value per kind and week, and what each opens; None: there is none."""
    rows, opens = [], []
    for kind, line in zip(kinds, values, strict=True):
        for number, value in enumerate(line):
            if value is not None:
                rows.append({"when": f"week {number}", "kind": kind, field: value, "n": value, "few": value == 1})
                opens.append(Opens("opened", START + number * WEEK, START + (number + 1) * WEEK))
    return rows, opens


def waits(*places):
    """Rows of (name, median hours, 90th percentile, whether they are few)."""
    return [
        {"name": name, "median": given[0], "p90": given[1], "ended": 5, "few": len(given) > 2}
        if given
        else {"name": name, "median": None, "p90": None, "ended": 0, "few": True}
        for name, *given in places
    ]


NOTES = [{"when": "week 1", "note": "<New> release"}]
PANELS = {
    "pairs": a_panel(
        "pairs",
        *weeks(("Opened", "Resolved"), "n", ((4, 8), (2, 0))),
        low=1.0,
        high=9.5,
        notes=NOTES,
    ),
    "level": a_panel("level", [{"when": "1 Mar", "n": 3, "words": ""}, {"when": "8 Mar", "n": 5, "words": "5"}]),
    "one day": a_panel("level", [{"when": "1 Mar", "n": 0, "words": "0"}]),
    "quantiles": a_panel("quantiles", *weeks(("Median", "90th percentile"), "hours", ((5, None, 1), (9, 700.5, None)))),
    "shares": a_panel("shares", *weeks(("Kept",), "share", ((0.5, 0.97),))),
    "ranking": a_panel(
        "ranking",
        [{"name": "A & B " * 9, "n": 9, "words": "9 · 90%", "rest": False}, {"name": "Rest", "n": 1, "rest": True}],
    ),
    "heat": a_panel("heat", [{"day": day, "hour": hour, "n": hour} for day in ("Mon", "Tue") for hour in range(24)]),
    "flows": a_panel(
        "flows",
        [
            {"name": f"Team {number} to <Network> & more " * 4, "n": 30 - number, "back": number, "words": f"{number}"}
            for number in range(25)
        ],
    ),
    "waits": a_panel("waits", [*waits(("New", 0.5, 2), ("With <us>", 30, 300, True)), *waits(("Left by none",))]),
    "a wait of a day": a_panel("waits", waits(("New", 24, 24))),
    "interval": a_panel(
        "interval",
        [
            *({"when": f"{day} Mar", "n": day, "low": None, "high": None, "ahead": False} for day in (2, 9)),
            {"when": "16 Mar", "n": 6, "low": 1, "high": 12, "ahead": True},
        ],
    ),
    "nothing counted": a_panel("heat", [{"day": "Mon", "hour": 0, "n": 0}]),
}


def shapes(name, kind):
    return [shape for shape in drawing(PANELS[name]).shapes if isinstance(shape, kind)]


@pytest.mark.parametrize("name", PANELS)
def test_a_picture_is_well_formed_named_and_says_its_conclusion(name):
    panel = PANELS[name]
    element = ElementTree.fromstring(svg(drawing(panel), panel.key, panel.title, panel.says))
    assert element.get("role") == "img"
    named = {part.get("id"): part.text for part in (element.find(f"{SVG}title"), element.find(f"{SVG}desc"))}
    assert [named[id_] for id_ in element.get("aria-labelledby").split()] == ["Title & <more>", "It says <so>."]
    drawn = drawing(panel)
    for text in element.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= drawn.width
        assert 0 <= float(text.get("y")) <= drawn.height


@pytest.mark.parametrize("name", PANELS)
def test_the_same_picture_as_png_has_its_words_around_it(name):
    drawn = framed(drawing(PANELS[name]), "Ünïcode Ελληνικά Кириллица ąčę", ["Period: " + "long words " * 40])
    picture = Image.open(io.BytesIO(png(drawn)))
    assert picture.format == "PNG"
    assert picture.size == (round(drawn.width * 2), round(drawn.height * 2))
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    beneath = picture.crop((0, picture.height - 100, picture.width, picture.height))
    assert min(beneath.convert("L").tobytes()) < 120, "the words beneath"


def test_bars_are_as_high_as_their_numbers_and_limits_are_dashed():
    bars = [box for box in shapes("pairs", Box) if box.y > 20]
    assert [round(bar.height / bars[0].height, 3) for bar in bars] == [1, 2, 0.5, 0]
    across = [line for line in shapes("pairs", Stroke) if line.dashed and line.points[0][1] == line.points[1][1]]
    assert len(across) == 2
    (note,) = [line for line in shapes("pairs", Stroke) if line.dashed and line not in across]
    assert bars[1].x < note.points[0][0] < bars[1].x + 2 * bars[1].width, "at its week"
    assert {"Opened", "Resolved", "<New> release", "week 0", "week 1", "0", "10"} <= {
        words.text for words in shapes("pairs", Words)
    }


def test_a_gap_in_one_line_moves_no_other_and_few_cases_are_hollow():
    assert in_time(PANELS["quantiles"]) == [("week 0", [0, 2]), ("week 1", [3]), ("week 2", [1])]
    dots = shapes("quantiles", Dot)
    assert [dot.hollow for dot in dots] == [False, True, False, False]
    assert dots[0].x == dots[2].x < dots[3].x < dots[1].x


def test_what_was_sent_back_is_the_end_of_its_bar_and_rows_beyond_the_most_are_counted():
    on, back = ([box for box in shapes("flows", Box)[2:] if box.fill == colour] for colour in (ACCENT, SLATE))
    assert len(on) == len(back) == 20
    assert [round((one.width + other.width) / on[0].width, 3) for one, other in zip(on, back, strict=True)] == [
        round((30 - number) / 30, 3) for number in range(20)
    ]
    assert [round(other.width / on[0].width * 30, 3) for other in back] == list(range(20))
    assert all(one.x + one.width == other.x for one, other in zip(on, back, strict=True))
    assert "5 more are in the table." in {words.text for words in shapes("flows", Words)}


def test_waits_lie_on_a_scale_on_which_minutes_and_months_are_told_apart_and_few_are_hollow():
    p90_new, new, p90_us, us = shapes("waits", Dot)
    assert new.x < p90_new.x < us.x < p90_us.x
    assert p90_new.x - new.x == pytest.approx((p90_us.x - us.x) * log(4) / log(10))
    assert [dot.hollow for dot in (new, p90_new, us, p90_us)] == [False, False, True, True]
    said = {words.text for words in shapes("waits", Words)}
    assert {"New", "With <us>", "30 min · 2 h · n 5", "1 h", "30 d"} <= said
    assert "Left by none" not in said
    assert drawing(a_panel("waits", waits(("Left by none",)))) is None


def test_the_week_to_come_is_pale_and_its_interval_reaches_from_the_least_to_the_most():
    *_, before, last, ahead = shapes("interval", Box)[:3]
    assert [round(box.height / before.height, 3) for box in (before, last, ahead)] == [1, 4.5, 3]
    assert [box.opacity < 1 for box in (before, last, ahead)] == [False, False, True]
    (line,) = [stroke for stroke in shapes("interval", Stroke) if stroke.points[0][0] == stroke.points[1][0]]
    assert line.points[0][1] - line.points[1][1] == pytest.approx(before.height / 2 * 11)
    assert line.points[0][0] == pytest.approx(ahead.x + ahead.width / 2)
    assert "1 to 12" in {words.text for words in shapes("interval", Words)}


def test_without_what_they_open_steps_keep_the_order_they_came_in():
    rows, _ = weeks(("A", "B"), "n", ((1, 2), (3, 4)))
    assert in_time(a_panel("pairs", rows)) == [("week 0", [0, 2]), ("week 1", [1, 3])]


def test_a_long_name_is_cut_and_one_that_fits_is_not():
    assert cut("x" * 100, 64) == "x" * 8 + "…"
    assert cut("short", 64) == "short"


def test_what_has_nothing_to_draw_is_no_picture():
    assert drawing(a_panel("pairs", [])) is None
    assert drawing(a_panel("table", [{"n": 1}])) is None


def test_where_the_font_cannot_be_read_words_are_drawn_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(pngs, "_FONTS", tmp_path)
    pngs._font.cache_clear()
    try:
        picture = Image.open(io.BytesIO(png(framed(drawing(PANELS["level"]), "Title", []))))
    finally:
        pngs._font.cache_clear()
    assert min(picture.crop((40, 40, 200, 90)).convert("L").tobytes()) < 120
