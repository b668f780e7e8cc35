"""``evaluate``: what it says beyond accuracy agrees with scikit-learn over the stored predictions."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Predictions, RunStore
from tests.stored_runs import add_run
from tests.test_cli import answer, call


def uneven(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and too confident probabilities."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, n)
    scores = random.normal(size=(n, 5))
    scores[np.arange(n), labels] += 1.2
    shares = np.exp(3 * scores)
    return labels, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def test_figures_agree_with_scikit_learn(store: RunStore) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    run = add_run(store, name="sharp")
    labels, probabilities = uneven(500, seed=1)
    store.add_predictions(run.run_id, Predictions(np.arange(500), labels, probabilities))
    learnt, shares = uneven(300, seed=2)
    store.add_validation_predictions(run.run_id, Predictions(np.arange(300), learnt, shares))

    values = answer("evaluate", "sharp")

    for index, name in enumerate(values["classes"]):
        own = labels == index, probabilities[:, index].astype(float)
        assert values["auc"][name] == pytest.approx(metrics.roc_auc_score(*own), abs=1e-9)
        assert values["average_precision"][name] == pytest.approx(metrics.average_precision_score(*own), abs=1e-9)
        scores, intervals = values["report"][name], values["class_ci95"][name]
        for score in ("precision", "recall", "f1-score"):
            assert intervals[score][0] < scores[score] < intervals[score][1]
    exact = probabilities.astype(float) / probabilities.astype(float).sum(axis=1, keepdims=True)
    macro = metrics.roc_auc_score(labels, exact, multi_class="ovr", average="macro")
    assert values["macro_auc"] == pytest.approx(macro, abs=1e-9)
    assert values["top2_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(labels, probabilities, k=2), abs=1e-9)
    assert values["temperature"] > 1.5
    scaling = values["temperature_scaling"]
    assert scaling["fitted_on"] == 300 and scaling["test_images"] == 500
    assert scaling["ece_before"] == values["ece"] and scaling["ece_after"] < values["ece"] / 2
    assert scaling["loss_after"] < scaling["loss_before"] == pytest.approx(values["loss"], abs=1e-9)
    assert sum(row["images"] for row in values["reliability"]) == 500

    text = call("evaluate", "sharp").stdout
    assert "Temperature: " in text and "ROC area" in text and "Top-2 accuracy" in text


def test_a_run_without_validation_predictions_has_no_temperature(store: RunStore) -> None:
    run = add_run(store, name="old")
    values = answer("evaluate", run.run_id)
    assert values["temperature"] is None and values["temperature_scaling"] is None
    assert 0 < values["ece"] < 1
    assert "kept no predictions of its validation images" in call("evaluate", "old").stdout


def test_images_that_the_temperature_was_fitted_on_do_not_judge_it(store: RunStore) -> None:
    run = add_run(store, name="as reported", validation="test")
    store.set_metrics(run.run_id, {"unseen_test_loss": 1.0})
    found = store.predictions(run.run_id)
    first = Predictions(found.indices[:400], found.labels[:400], found.probabilities[:400])
    store.add_validation_predictions(run.run_id, first)
    scaling = answer("evaluate", run.run_id)["temperature_scaling"]
    assert scaling["fitted_on"] == 400 and scaling["test_images"] == 100


def test_own_pictures_are_answered_with_the_temperature_that_evaluate_names(store: RunStore) -> None:
    run = add_run(store, name="sharp")
    assert Lab(OWNER).runs.temperature(run) == 1.0, "no validation predictions"
    labels, shares = uneven(300, seed=2)
    store.add_validation_predictions(run.run_id, Predictions(np.arange(300), labels, shares))
    assert Lab(OWNER).runs.temperature(run) == answer("evaluate", "sharp")["temperature"] > 1.5
    all_right = np.eye(5, dtype=np.float32)[labels]
    store.add_validation_predictions(run.run_id, Predictions(np.arange(300), labels, all_right))
    assert Lab(OWNER).runs.temperature(run) == 1.0, "nothing to fit it on"
