"""Text for people."""

from __future__ import annotations

import pytest

from aquadash.ui.text import (
    duration,
    plain,
    safe_markdown,
)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "–"), (-1, "–"), (0, "0.0 s"), (9.94, "9.9 s"), (45, "45 s"), (200, "3 min 20 s"), (3599.6, "1 h 0 min")],
)
def test_durations_have_units(seconds: float | None, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    "text", ["*bold*", "_it_", "`code`", "<b>", "$x$", "# head", "~~gone~~", "[a](b)", "a|b", "&lt;"]
)
def test_markup_is_escaped(text: str) -> None:
    marks = "*_`<$#~[]|&"
    escaped = plain(text)
    assert all(escaped[i - 1] == "\\" for i, letter in enumerate(escaped) if letter in marks)
    assert escaped.replace("\\", "") == text


def test_a_text_never_begins_a_list() -> None:
    assert plain("- x") == "\\- x"
    assert not plain("1. x").startswith("1.")
    assert plain("0.5 is a half-way - house").endswith("is a half-way - house")


def test_emoji_codes_and_line_breaks_stay_text() -> None:
    for text in (":smile:", ":+1:", ":material/home:", ":red[x]", ":red x", "a:blue-badge[x]"):
        assert ":\u2060" in plain(text), text
    assert plain("10:30, C:\\x, a: b") == "10:30, C:\\\\x, a: b"
    assert plain("a\n\n# b") == "a \\# b"


def test_addresses_are_no_links() -> None:
    assert plain("HTTPS://evil.example/prize") == "HTTPS\\://\u2060evil.example/prize"
    assert plain("see http://localhost:80") == "see http\\://\u2060localhost:80"
    assert plain("www.evil.example") == "www\u2060.evil.example"
    assert plain("photo@2x.png, a @ b") == "photo@\u20602x.png, a @ b"


@pytest.mark.parametrize(
    "heading",
    ["AquaDash\n@====", "a\r@==", "a\n@-", "> a\n>  @---", "- @# x", "> 1.\t@## x", "    @# x", "\xa0@# x", "a[@^1]"],
)
def test_a_note_has_no_large_headings(heading: str) -> None:
    assert safe_markdown(heading.replace("@", "")) == heading.replace("@", "\u2060").replace("\r", "\n")


def test_other_markdown_stays_in_a_note() -> None:
    for text in ("a\n\n---\n\nb", "a | b\n--- | ---\n1 | 2", "-# x", "1.5 # x", "a = b", "- ###### x"):
        assert safe_markdown(text) == text
