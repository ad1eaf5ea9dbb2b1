"""The link of a call, from any provider's template."""

import pytest

from rules import calls

SECRET = "0123456789abcdef"


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://meet.jit.si/{room}", f"https://meet.jit.si/inc000012-{SECRET}"),
        ("https://talk.example/j?name={room}&lang=en", f"https://talk.example/j?name=inc000012-{SECRET}&lang=en"),
        ("https://talk.example/#/{room}", f"https://talk.example/#/inc000012-{SECRET}"),
    ],
)
def test_the_rooms_name_stands_where_the_template_says(template, link):
    assert calls.link(calls.checked(template), "INC-000012", SECRET) == link


@pytest.mark.parametrize(
    "template",
    ["", "https://meet.jit.si/", "https://meet.jit.si/{room}/{room}", "javascript:{room}", "ftp://x/{room}",
     "https://{room}.example/", "https://user:word@x.example/{room}", "https://[::1/{room}", "meet.jit.si/{room}"],
)  # fmt: skip
def test_a_template_that_no_browser_could_open_is_refused(template):
    with pytest.raises(ValueError, match=r"give an address|write"):
        calls.checked(template)


def test_a_name_that_could_be_guessed_is_refused():
    with pytest.raises(ValueError, match="16 letters"):
        calls.link("https://meet.jit.si/{room}", "INC-000012", "0123456789-_-_-_-_")
