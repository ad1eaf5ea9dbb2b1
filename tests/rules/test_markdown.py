"""Markdown read into pieces: what it knows, and that everything else stays the text that was typed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from rules.markdown import Span, blocks, safe, spans


def told(written):
    """Kind, depth and words of each piece."""
    return [(block.kind, block.level, block.words or block.code) for block in blocks(written)]


@pytest.mark.parametrize(
    ("written", "pieces"),
    [
        ("# One\ntext\n## Two ##", [("heading", 1, "One"), ("paragraph", 0, "text"), ("heading", 2, "Two")]),
        ("one\ntwo\n\nthree", [("paragraph", 0, "one two"), ("paragraph", 0, "three")]),
        ("- a\n  goes on\n  - b\n* c", [("bullet", 0, "a goes on"), ("bullet", 1, "b"), ("bullet", 0, "c")]),
        ("1. a\n2) b", [("numbered", 0, "a"), ("numbered", 0, "b")]),
        ("- [ ] do\n* [x] did\n1. [X] third\n  + [ ] deep",
         [("step", 0, "do"), ("step", 0, "did"), ("step", 0, "third"), ("step", 1, "deep")]),
        ("-[ ] no\n- [] no\n- [ ]\n[ ] no",
         [("paragraph", 0, "-[ ] no"), ("bullet", 0, "[] no"), ("bullet", 0, "[ ] [ ] no")]),
        ("> a\n> b\n\nc", [("quote", 0, "a b"), ("paragraph", 0, "c")]),
        ("```sh\n- [ ] not a step\n```\nafter", [("code", 0, "- [ ] not a step"), ("paragraph", 0, "after")]),
        ("~~~\n```\n~~~~\n", [("code", 0, "```")]),
        ("```\nopen to the end", [("code", 0, "open to the end")]),
        ("a\n---\nb", [("paragraph", 0, "a"), ("paragraph", 0, "b")]),
        ("<script>x</script>", [("paragraph", 0, "<script>x</script>")]),
        ("", []),
    ],
)  # fmt: skip
def test_lines_become_pieces(written, pieces):
    assert told(written) == pieces


def test_a_table_has_its_head_first_and_its_cells_whole():
    [table] = blocks("| Host | Role |\n|---|:-:|\n| a \\| b | **main** |")
    assert [["".join(span.text for span in cell) for cell in row] for row in table.rows] == [
        ["Host", "Role"],
        ["a | b", "main"],
    ]


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("a **b** c", [Span("a "), Span("b", bold=True), Span(" c")]),
        ("*a* _b_ __c__", [Span("a", italic=True), Span(" "), Span("b", italic=True), Span(" "), Span("c", bold=True)]),
        ("**a *b***", [Span("a ", bold=True), Span("b", bold=True, italic=True)]),
        ("snake_case_name 2 * 3 * 4", [Span("snake_case_name 2 * 3 * 4")]),
        ("`rm -rf *` now", [Span("rm -rf *", code=True), Span(" now")]),
        ("`` a`b ``", [Span("a`b", code=True)]),
        ("`open", [Span("`open")]),
        (r"\*no\* \[x\]", [Span("*no* [x]")]),
        ("[wiki](https://wiki.example/a)", [Span("wiki", url="https://wiki.example/a")]),
        ('[wiki](https://wiki.example/a "title")', [Span("wiki", url="https://wiki.example/a")]),
        ("see https://a.example/b.", [Span("see "), Span("https://a.example/b", url="https://a.example/b"), Span(".")]),
        ("<https://a.example>", [Span("https://a.example", url="https://a.example")]),
        ("[us](mailto:Ana@example.org)", [Span("us", url="mailto:ana@example.org")]),
        # a picture is only a link to it
        ("![plan](https://a.example/p.png)", [Span("plan", url="https://a.example/p.png")]),
        # what leads elsewhere stays as it was typed
        ("[x](javascript:alert(1))", [Span("[x](javascript:alert(1))")]),
        ("[x](data:text/html,y)", [Span("[x](data:text/html,y)")]),
        ("[x](/incident)", [Span("[x](/incident)")]),
        ("[x](//evil.example)", [Span("[x](//evil.example)")]),
        ("![x](file:///etc/passwd)", [Span("![x](file:///etc/passwd)")]),
        ("[x](https://user:pw@evil.example)", [Span("[x](https://user:pw@evil.example)")]),
        ("<b onclick=x>", [Span("<b onclick=x>")]),
        ("restart <service>", [Span("restart <service>")]),
        ("[x][1] and [1]: https", [Span("[x][1] and [1]: https")]),
    ],
)
def test_a_line_becomes_words_that_look_alike(line, pieces):
    assert list(spans(line)) == pieces


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://a.example/x(1)|y", "https://a.example/x%281%29%7Cy"),
        ("HTTP://A.example", "HTTP://A.example"),
        ("mailto:no", ""),
        ("mailto:a@b.example?subject=x", ""),
        ("ftp://a.example", ""),
        ("vbscript:x", ""),
        ("https://", ""),
    ],
)
def test_a_link_leads_to_the_web_or_to_an_address_of_e_mail(target, url):
    assert safe(target) == url


@settings(max_examples=200, deadline=None)
@given(some.text(alphabet="ab *_`[]()!<>#-|\\\n1.x:/~h", max_size=120))
def test_anything_is_read_and_no_word_of_a_step_is_lost(written):
    for block in blocks(written):
        for span in block.spans:
            assert span.url == "" or span.url.startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("piece", ["**a", "[", "`", "*a ", "_a", "[a](", "<a", "![a](h", "| ", "> ", "- [ ] "])
def test_what_never_ends_costs_little(piece):
    began = time.thread_time()
    blocks(piece * (30_000 // len(piece)))
    assert time.thread_time() - began < 1.5
