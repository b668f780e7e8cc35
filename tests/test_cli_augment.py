"""``augment --numbers``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.test_cli import answer, call


def test_numbers_are_those_of_the_backend(home: Path) -> None:
    from aquadash import augment, data

    values = answer("augment", "--pipeline", "notebook", "--count", 40, "--seed", 3, "--numbers")
    expected = augment.measure(
        data.load("synthetic").train.images[:40], augment.pipeline("notebook"), seed=3, timed=False
    ).to_dict()
    expected = json.loads(json.dumps(expected))
    assert values["images"] == 200
    for found, wanted in zip(values["numbers"]["branches"], expected["branches"], strict=True):
        assert found.pop("time")["milliseconds"] >= 0
        del wanted["time"]
        assert found == wanted


def test_numbers_are_left_out_unless_asked_for(home: Path) -> None:
    assert "numbers" not in answer("augment", "--pipeline", "notebook-1", "--count", 3)


def test_numbers_as_text_name_every_version(home: Path) -> None:
    text = call("augment", "--pipeline", "notebook", "--count", 20, "--numbers").stdout
    for word in ("Original", "Flipped and blurred", "Relit through clouds", "ms an image", "clipped", "±"):
        assert word in text
