"""The comparison of a run with its repeat."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aquadash.errors import NotAllowedError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.store import Run, RunStatus, RunStore
from aquadash.training.reproduction import compare_arrays, reproduction
from tests.support.lessons import ANNA, BEN
from tests.support.runs import make_run
from tests.support.weights_files import keras_file


def stored(store: RunStore, folder: Path, *, name: str, scale: float = 1.0, owner: Person = OWNER) -> Run:
    run = make_run(store, name, owner=owner)
    (folder / name).mkdir()
    store.add_artifact(run.run_id, keras_file(folder / name / "model.keras", 8, scale=scale))
    environment = {"python": "3.11", "versions": {"keras": "3.15.1"}, "cpu_count": 2}
    store.add_text_artifact(run.run_id, "environment.json", json.dumps(environment))
    return run


def test_arrays_are_compared_value_by_value() -> None:
    nan = float("nan")
    a = {"x": np.array([1.0, 2.0, nan]), "y": np.array(3)}
    assert compare_arrays("all", a, {key: value.copy() for key, value in a.items()}).identical
    part = compare_arrays("all", a, {"x": np.array([1.0, 2.5, nan]), "y": np.array(3)})
    assert (part.count, part.different, part.max_difference, part.where) == (4, 1, 0.5, "x")
    lacking = compare_arrays("all", a, {"y": np.array(3)})
    assert (lacking.different, lacking.max_difference) == (3, np.inf)
    assert compare_arrays("all", a, {**a, "x": np.array([1.0, 2.0, 0.0])}).max_difference == np.inf


def test_what_differs_is_told_with_the_reasons(store: RunStore, tmp_path: Path) -> None:
    first, second = stored(store, tmp_path, name="first"), stored(store, tmp_path, name="second", scale=1.5)
    predictions = store.predictions(second.run_id)
    store.add_predictions(second.run_id, replace(predictions, probabilities=predictions.probabilities[:, ::-1].copy()))
    other = {"python": "3.12", "versions": {"keras": "3.16.0"}, "cpu_count": 4}
    store.add_text_artifact(second.run_id, "environment.json", json.dumps(other))
    store.update(second.run_id, class_names=second.class_names, dataset_fingerprint="another")
    result = reproduction(store, first.run_id, second.run_id)
    assert not result.identical
    by_name = {part.name: part for part in result.parts}
    assert by_name["metrics by epoch"].identical
    assert (by_name["weights"].different, by_name["weights"].max_difference) == (5, 2.5)
    assert result.max_difference == 2.5
    reasons = "\n".join(result.reasons)
    assert "another fingerprint" in reasons and "Python was 3.11 and is 3.12" in reasons
    assert "keras was 3.15.1 and is 3.16.0" in reasons and "cores was 2 and is 4" in reasons


def test_a_student_may_compare_another_s_run_without_its_network(store: RunStore, tmp_path: Path) -> None:
    first, second = (stored(store, tmp_path, name=person.name, owner=person) for person in (BEN, ANNA))
    # Times differ, and a later version may store one more figure.
    store.update(second.run_id, metrics={**second.metrics, "seconds": 99.0, "balanced_accuracy": 0.5})
    runs = Lab(ANNA).runs
    with pytest.raises(NotAllowedError):
        runs.network(first)
    result = runs.reproduction(first.run_id, second.run_id)
    assert result.identical and result.max_difference == 0.0 and result.reasons == ()
    compared = ["metrics by epoch", "final figures", "weights", "predictions of the test images"]
    assert [part.name for part in result.parts] == compared
    assert result.to_dict()["identical"] is True

    store.update(second.run_id, status=RunStatus.STOPPED, message="Stopped by request.")
    with pytest.raises(RunError, match="stopped: Stopped by request"):
        reproduction(store, first.run_id, second.run_id)
