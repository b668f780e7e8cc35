"""Words and tables of compared runs."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.config import RunConfig, with_values
from aquadash.evaluation import McNemar
from aquadash.evaluation.compare import exact_p_value
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import comparison


def run(name: str, **changes: object) -> Run:
    config = with_values(RunConfig(), {key.replace("__", "."): value for key, value in changes.items()})
    return Run(name[0] * 32, name, RunStatus.FINISHED, config, 0.0)


def result(fixed: int, broken: int) -> McNemar:
    return McNemar(
        500, fixed, broken, exact_p_value(fixed, broken), min(fixed, broken), np.arange(fixed), np.arange(broken)
    )


@pytest.mark.parametrize(
    ("fixed", "broken", "expected"),
    [
        (40, 10, "**new** is probably the better one"),
        (10, 40, "**old** is probably the better one"),
        (12, 10, "may well be luck"),
        (0, 0, "exactly the same 500 test images right"),
    ],
)
def test_verdict_in_words(fixed: int, broken: int, expected: str) -> None:
    assert expected in comparison.verdict(result(fixed, broken), before="old", after="new")


def test_verdict_escapes_names() -> None:
    assert "<b>" not in comparison.verdict(result(3, 1), before="<b>x", after="y").replace("\\<b>", "")


def test_settings_that_differ() -> None:
    rows = comparison.settings_table([run("a"), run("b", training__optimizer="adam", seed=3)], everything=False)

    assert rows == [
        {"Setting": "Optimizer", "a": "SGD, plain steps downhill", "b": "Adam"},
        {"Setting": "Seed", "a": "0", "b": "3"},
    ]


def test_the_same_pipeline_edited_in_between_is_a_difference() -> None:
    def carried(step: str) -> dict[str, object]:
        steps = f'{{"mine": {{"branches": [{{"operators": ["{step}"]}}]}}}}'
        return {"augmentation.pipeline": "mine", "augmentation.definitions": steps}

    one, other = run("one", **carried("a")), run("other", **carried("b"))
    (row,) = comparison.settings_table([one, other], everything=False)
    assert row["Setting"] == "Saved pipelines of its own"
    assert row["one"].startswith("mine (version ") and row["other"] not in (row["one"], "–")
    assert comparison.settings_table([one, run("other", **carried("a"))], everything=False) == []
    told = [row["Setting"] for row in comparison.settings_table([one, run("other")], everything=False)]
    assert "Augmentation" in told and "Saved pipelines of its own" not in told
