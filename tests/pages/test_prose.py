"""Markdown that people wrote, as the browser gets it: nothing of it loads, links elsewhere or formats by itself."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import prose
from rules.markdown import blocks, spans


def drawn(written):
    def page():
        import streamlit as st

        from pages.parts import prose
        from rules.markdown import blocks

        prose.draw(blocks(st.session_state["written"]))

    at = AppTest.from_function(page, default_timeout=60)
    at.session_state["written"] = written
    at = at.run()
    assert not at.exception
    return [found.value for found in at.markdown], [found.value for found in at.code]


def plain(words):
    return words.replace("\u2060", "")


@pytest.mark.parametrize(
    ("line", "markdown"),
    [
        ("a **b** *c*", "a **b** *c*"),
        ("[wiki](https://a.example/x)", "[wiki](https://a.example/x) :gray[(a\\.example)]"),
        ("https://a.example/x", "[https\\://a\\.example/x](https://a.example/x)"),
        ("[ana@example.org](mailto:ana@example.org)", "[ana@example\\.org](mailto:ana@example.org)"),
        ("[https://bank.example](https://evil.example)",
         "[https\\://bank\\.example](https://evil.example) :gray[(evil\\.example)]"),
        ("![x](https://a.example/p.png)", "[x](https://a.example/p.png) :gray[(a\\.example)]"),
        ("[x](javascript:alert(1))", "\\[x\\]\\(javascript\\:alert\\(1\\)\\)"),
        ("<img src=x onerror=y>", "\\<img src\\=x onerror\\=y\\>"),
        (":material/home: :red[x] $a$", "\\:material/home\\: \\:red\\[x\\] \\$a\\$"),
        ("`a|b` :x:", "`a|b` \\:x\\:"),
    ],
)  # fmt: skip
def test_a_line_is_given_to_the_browser_without_what_it_might_act_upon(line, markdown):
    assert plain(prose.inline(spans(line))) == markdown


def test_lists_nest_as_far_as_they_hold_together():
    [markdown], _ = drawn("    - deep alone\n- a\n        - b\n        - c\n  1. d")
    assert markdown.split("\n") == ["- deep alone", "- a", "    - b", "    - c", "    1. d"]


def test_code_stands_as_it_was_typed_and_a_table_keeps_its_cells():
    [markdown], code = drawn("```\nmailq | tail\n```\n| a | `x \\| y` |\n|---|---|\n| <b> | c |")
    assert code == ["mailq | tail"]
    assert "| a | `x \\| y` |\n| --- | --- |" in markdown, "a table takes the backslash away again"
    assert "\\<b\\>" in markdown


def test_what_is_not_a_list_ends_it():
    [markdown], _ = drawn("- a\n\ntext\n> said\n# Head")
    assert markdown.split("\n") == ["- a", "", "text", "", "", "> said", "", "", "**Head**"]


def test_a_whole_text_of_attacks_has_no_html_and_no_foreign_picture():
    attack = "<script>x</script>\n\n![a](http://evil/a.png)\n\n[a]: http://evil\n\n&lt;b&gt;\n\n<!-- x -->"
    [markdown], _ = drawn(attack)
    assert "![" not in markdown
    assert "<script" not in markdown.replace("\\<", "")
    assert [block.kind for block in blocks(attack)] == ["paragraph"] * 5
