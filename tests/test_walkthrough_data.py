"""The checks of the walkthrough's sections on data."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.data import Split
from aquadash.data.statistics import describe
from aquadash.walkthrough import Outcome, checks_data, read_number
from aquadash.walkthrough.checks_data import FOUR

NAMES = ("dark", "middle", "bright")


@pytest.fixture(scope="module")
def split() -> Split:
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = random.integers(0, 60, (60, 8, 8, 3)) + 70 * labels[:, None, None, None]
    return Split(images.astype(np.uint8), labels.astype(np.int64), tuple(f"{index}.png" for index in range(60)))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("bright", Outcome.RIGHT), ("middle", Outcome.NEARLY), ("dark", Outcome.WRONG), ("", Outcome.WRONG),
        ("<b>", Outcome.WRONG),
    ],
)  # fmt: skip
def test_the_brightest_class(split: Split, answer: str, outcome: Outcome) -> None:
    assert checks_data.brightest_class(answer, describe(split, NAMES).classes).outcome is outcome


def test_a_hint_does_not_name_the_brightest_class(split: Split) -> None:
    for answer in ("middle", "dark", ""):
        verdict = checks_data.brightest_class(answer, describe(split, NAMES).classes)
        assert "bright." not in verdict.text.split("second")[0]


def test_only_the_third_pipeline_leaves_images_alone(split: Split) -> None:
    shares = {name: checks_data.untouched_fraction(split.images, name, seed=0) for name in FOUR}
    found = {name: checks_data.untouched_pipeline(name, shares).outcome for name in FOUR}
    assert found == {
        "notebook-1": Outcome.WRONG,
        "notebook-2": Outcome.WRONG,
        "notebook-3": Outcome.RIGHT,
        "notebook-4": Outcome.WRONG,
    }


def test_rarely_is_nearly_and_an_unknown_pipeline_is_wrong() -> None:
    assert checks_data.untouched_pipeline("notebook-2", {"notebook-2": 0.01}).outcome is Outcome.NEARLY
    assert checks_data.untouched_pipeline("../etc", {"notebook-2": 0.01}).outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("pipelines", "copies", "keep", "outcome"),
    [
        (FOUR, 1, True, Outcome.RIGHT),
        (FOUR[::-1], 1, True, Outcome.RIGHT),
        (FOUR[:1], 5, False, Outcome.NEARLY),
        (FOUR[:2], 2, True, Outcome.NEARLY),
        (FOUR, 10, True, Outcome.WRONG),
        (FOUR, 1, False, Outcome.WRONG),
        ((), 10, False, Outcome.WRONG),
        (("mirror-shift",), 4, True, Outcome.WRONG),
        (FOUR, 0, True, Outcome.WRONG),
    ],
)
def test_the_report_s_composition(pipelines: tuple[str, ...], copies: int, keep: bool, outcome: Outcome) -> None:
    found = checks_data.report_composition(2500, pipelines=pipelines, copies=copies, keep_originals=keep)
    assert found.outcome is outcome


def test_the_number_of_training_images() -> None:
    assert checks_data.training_images(2500, pipelines=FOUR, copies=1, keep_originals=True) == 12_500
    assert checks_data.training_images(2500, pipelines=FOUR, copies=10, keep_originals=False) == 100_000


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("standardize", Outcome.RIGHT), ("symmetric", Outcome.NEARLY), ("unit", Outcome.WRONG), ("log", Outcome.WRONG)],
)
def test_centring(kind: str, outcome: Outcome) -> None:
    assert checks_data.centring(kind, (124.0, 129.0, 127.0)).outcome is outcome


@pytest.mark.parametrize(("kind", "means"), [("unit", 0.5), ("symmetric", 0.0), ("standardize", 0.0)])
def test_a_normalized_value(kind: str, means: float) -> None:
    assert checks_data.normalized(127.5, 127.5, 50.0, kind) == pytest.approx(means)
    ends = {"unit": 1.0, "symmetric": 1.0, "standardize": 2.55}
    assert checks_data.normalized(255.0, 127.5, 50.0, kind) == pytest.approx(ends[kind])


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.905", 0.905), ("0,905", 0.905), (" 67 % ", 67.0), ("-1", -1.0), (".5", 0.5), ("5.", 5.0),
     ("", None), ("abc", None), ("1e5", None), ("nan", None), ("inf", None), ("1.2.3", None), ("9" * 40, None),
     ("1 000", None)],
)  # fmt: skip
def test_typed_numbers(text: str, number: float | None) -> None:
    assert read_number(text) == number
