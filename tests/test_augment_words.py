from __future__ import annotations

from aquadash.augment import PIPELINES, Branch, describe, op


def test_plain_words() -> None:
    assert describe(PIPELINES["none"]) == ("The images as they are",)
    assert describe(PIPELINES["notebook-1"]) == ("Flip left-right (always)", "Blur, sigma 0 to 1")


def test_nested_operators_are_indented() -> None:
    assert describe(PIPELINES["notebook-3"])[:2] == (
        "Sometimes (in 50 % of the images):",
        "    Black out rectangles, share covered 10 to 30 %, grid 2 to 5 %",
    )
    assert describe(PIPELINES["notebook-2"])[1:4] == (
        "In another colour space, HSV:",
        "    On one channel, hue:",
        "        Add, amount -50 to 50",
    )
    assert describe(PIPELINES["notebook-4"])[2:5] == (
        "Blend through a cloudy mask, exponent -4 to 0:",
        "    Where the mask is high:",
        "        Multiply, factor 0.5 to 1.5, red, green and blue each on their own (always)",
    )


def test_every_branch_of_a_pipeline_is_named() -> None:
    lines = describe(PIPELINES["notebook"])
    assert lines[:4] == (
        "Original:",
        "    The images as they are",
        "Flipped and blurred:",
        "    Flip left-right (always)",
    )


def test_settings_that_change_nothing_are_left_out() -> None:
    line = describe(Branch("one", (op("Multiply", mul=1.5, per_channel=False), op("Fliplr", p=0.0))))
    assert line == ("Multiply, factor 1.5", "Flip left-right (never)")
