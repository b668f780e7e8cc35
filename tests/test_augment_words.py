"""Pipelines and their steps in words."""

from __future__ import annotations

from aquadash.augment import OPERATORS, PIPELINES, Branch, describe


def test_branches_are_named_and_nested_operators_indented() -> None:
    assert describe(PIPELINES["notebook"])[:4] == (
        "Original:",
        "    The images as they are",
        "Flipped and blurred:",
        "    Flip left-right (always)",
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


def test_every_operator_reads_well() -> None:
    for info in OPERATORS.values():
        assert info.example is not None
        lines = describe(Branch("one", (info.example,)))
        assert lines[0].startswith(info.title)
        assert lines[0].endswith(":") == bool(info.slots)
        assert "None" not in " ".join(lines) and ",," not in " ".join(lines)
        for name, value in info.example.settings:
            parameter = info.parameter(name)
            assert value == parameter.default or name == "channels" or parameter.title in lines[0], name
