"""Text for people."""

import pytest
import streamlit as st

from aquadash.ui.kit import components
from aquadash.ui.kit.text import duration, plain, safe_markdown
from tests.support.app_pages import run_script


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


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("- x", "\\- x"),
        ("1. x", "1\u2060. x"),
        ("0.5 is a half-way - house", "0\u2060.5 is a half-way - house"),
        (":smile: :+1: :material/home:", ":\u2060smile: :\u2060+1: :\u2060material/home:"),
        (":red[x] :red x, a:blue-badge[x]", ":\u2060red\\[x\\] :\u2060red x, a:\u2060blue-badge\\[x\\]"),
        ("10:30, C:\\x, a: b", "10:30, C:\\\\x, a: b"),
        ("a\n\n# b", "a \\# b"),
        ("HTTPS://evil.example/prize", "HTTPS\\://\u2060evil.example/prize"),
        ("see http://localhost:80", "see http\\://\u2060localhost:80"),
        ("www.evil.example", "www\u2060.evil.example"),
        ("photo@2x.png, a @ b", "photo@\u20602x.png, a @ b"),
    ],
)
def test_lists_emoji_codes_line_breaks_and_addresses_stay_text(text: str, escaped: str) -> None:
    assert plain(text) == escaped


@pytest.mark.parametrize(
    "heading",
    ["AquaDash\n@====", "a\r@==", "a\n@-", "> a\n>  @---", "- @# x", "> 1.\t@## x", "    @# x", "\xa0@# x", "a[@^1]"],
)
def test_a_note_has_no_large_headings(heading: str) -> None:
    assert safe_markdown(heading.replace("@", "")) == heading.replace("@", "\u2060").replace("\r", "\n")


def test_other_markdown_stays_in_a_note() -> None:
    for text in ("a\n\n---\n\nb", "a | b\n--- | ---\n1 | 2", "-# x", "1.5 # x", "a = b", "- ###### x"):
        assert safe_markdown(text) == text


def test_a_click_is_the_numbers_of_its_point_and_nothing_else_is_one() -> None:
    clicks: list[object] = []

    def click_on(points: list[object]) -> None:
        for number, point in enumerate(points):
            st.session_state[f"chart{number}-clicked"] = (None, None), point
            clicks.append(components.new_click(f"chart{number}", 5, 2))

    wrong = [*([number, 0] for number in (5, -1, 1.5, "1", None)), [1, 2], [1], [1, 1, 2], [], None, "ab", 3]
    run_script(click_on, [[4, 1], [0, 0], *wrong])
    assert clicks == [(4, 1), (0, 0), *[None] * len(wrong)]
