"""Classes that are hardly ever recognised."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.coach import run_notes
from aquadash.coach.result_rules import classes_ignored
from aquadash.coach.situation import Situation
from aquadash.evaluation import Evaluation, evaluate
from tests.coach_runs import run

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")


def evaluation(recall: dict[str, float], *, per_class: int = 100, instead: str = "seal") -> Evaluation:
    """Each class is recognised in that share (else fully), and otherwise taken for ``instead``, or a whale."""
    labels, answers = [], []
    for index, name in enumerate(CLASSES):
        right = round(per_class * recall.get(name, 1.0))
        other = CLASSES.index(instead if instead != name else "whale")
        labels += [index] * per_class
        answers += [index] * right + [other] * (per_class - right)
    return evaluate(labels, np.eye(5)[answers], class_names=CLASSES)


def note(found: Evaluation | None, counts: dict[str, int] | None = None, **changes: object):  # noqa: ANN201
    return classes_ignored(Situation(run(dict(changes)), [], found, lambda: counts or {}))


def test_without_results_there_is_nothing_to_say() -> None:
    assert note(None) is None


@pytest.mark.parametrize(("recall", "told"), [(0.0, True), (0.09, True), (0.1, False), (0.5, False)])
def test_less_than_half_of_guessing_is_ignored(recall: float, told: bool) -> None:
    assert (note(evaluation({"otter": recall})) is not None) is told


def test_the_evidence_says_what_became_of_the_images() -> None:
    found = note(evaluation({"otter": 0.03}))
    assert found.title == "Hardly ever recognised: otter"
    assert found.evidence.startswith("otter is right for 3 of 100 images; most of them, 97, were taken for seal.")
    assert "By guessing it would be 20 %" in found.evidence
    assert found.level == "hint"


def test_a_class_that_is_never_named() -> None:
    assert "otter is never named at all" in note(evaluation({"otter": 0.0})).evidence


def test_test_images_lead_to_no_setting() -> None:
    found = note(evaluation({"otter": 0.0}), counts=dict.fromkeys(CLASSES, 500))
    assert found.changes == {} and "observation on test images" in found.evidence


def test_a_class_that_is_rare_in_training_may_be_weighted() -> None:
    counts = dict.fromkeys(CLASSES, 500) | {"otter": 40}
    assert note(evaluation({"otter": 0.0}), counts).changes == {"training.class_weights": "balanced"}
    assert note(evaluation({"otter": 0.0}), counts, **{"training.class_weights": "balanced"}).changes == {}
    assert note(evaluation({"otter": 0.0, "seal": 0.0}), counts).changes == {}, "the seal is not rare"


def test_a_few_images_prove_nothing() -> None:
    assert note(evaluation({"otter": 0.0}, per_class=9)) is None


def test_images_are_counted_only_for_a_class_that_is_ignored() -> None:
    counted = []

    def count() -> dict[str, int]:
        counted.append(1)
        return {}

    run_notes(run(), [], evaluation({"otter": 0.5}), count_training=count)
    assert not counted
    run_notes(run(), [], evaluation({"otter": 0.0}), count_training=count)
    assert counted
