"""Colours that differ on both pages, and names that stay text."""

import re

import numpy as np
import pytest

from aquadash.figures import theme
from aquadash.figures.cells import SHADES

LIGHT, DARK = "#ffffff", "#0b1d2a"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [value / 255 for value in bytes.fromhex(colour.removeprefix("#"))]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_lines_are_visible_on_both_pages() -> None:
    own = [theme.class_colour("own", index) for index in range(3)]
    pairs = (theme.TRAINING_COLOUR, theme.VALIDATION_COLOUR, theme.RIGHT_COLOUR, theme.WRONG_COLOUR)
    for colour in (*pairs, *theme.CHANNEL_COLOURS, *theme.RUN_COLOURS, *own):
        assert contrast(colour, LIGHT) >= 3 and contrast(colour, DARK) >= 3, colour


@pytest.mark.parametrize("colour", sorted({colour for _, colour in SHADES}))
def test_the_numbers_of_a_matrix_have_contrast(colour: str) -> None:
    # Plotly's rule: white on colours with a brightness below 128, "#444" on the others.
    brightness = np.dot(list(bytes.fromhex(colour.removeprefix("#"))), (0.299, 0.587, 0.114))
    assert contrast(colour, LIGHT if brightness < 128 else "#444444") >= 4.5


def test_other_classes_take_the_other_colours_and_then_made_ones() -> None:
    colours = [theme.class_colour(f"class {i}", i) for i in range(100)]
    assert len(set(colours)) == 100
    assert not set(colours[:3]) & set(theme.CLASS_COLOURS.values())
    assert set(colours[3:8]) == set(theme.CLASS_COLOURS.values())
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours)


def test_markup_templates_and_formulas_stay_text_and_long_lists_are_counted() -> None:
    assert theme.escape("<b>a</b> & %{x} $y$") == "&lt;b&gt;a&lt;/b&gt; &amp; &#37;{x} &#36;y&#36;"
    assert theme.listed(["a", "b", "c"], most=2) == "a, b and 1 more" and theme.listed(["a"]) == "a"


def test_names_that_differ_at_their_end_are_still_told_apart_when_cut() -> None:
    ends = ("without", "with", "with again", "with (f57c450b)", "with (9a59d326)")
    cut = [theme.shorten(f"Gentle colours of the sea, {end}", length=14) for end in ends]
    assert len(set(cut)) == len(ends) and all(each.startswith("Gentle") and len(each) <= 14 for each in cut)
