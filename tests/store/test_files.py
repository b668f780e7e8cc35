"""Files of networks that are damaged, hostile or not AquaDash's, read without TensorFlow."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from aquadash import data
from aquadash.errors import NotAllowedError, RunError, StorageError
from aquadash.evaluation import evaluate
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.store import Run, RunStatus, RunStore
from aquadash.store.artifacts import MODEL
from aquadash.store.first_model import CARD, FOLDER, NAME, add_first_model, find_first_model
from aquadash.store.network_file import stored_weights
from aquadash.store.reproduction import compare_arrays, reproduction
from tests.cli.test_cli import answer
from tests.support.compared_runs import keras_file
from tests.support.lessons import ANNA, BEN
from tests.support.made_runs import set_status
from tests.support.stored_runs import add_run

Config = dict[str, Any]


def layer(kind: str, **config: Any) -> Config:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


def sequential(*layers: Config, shape: tuple[object, ...] = (8, 8, 3)) -> Config:
    takes = layer("InputLayer", batch_shape=[None, *shape])
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "made", "layers": [takes, *layers]}}


def rescaling(scale: object) -> Config:
    return sequential(layer("Rescaling", scale=scale, offset=0.0))


def nested(deep: int) -> Config:
    model = sequential(layer("Dense"))
    for _ in range(deep):
        model = sequential(model)
    return model


def claim_100_gb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (25_000_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")


def pad(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/0", data=np.zeros(100_000, np.uint8))


def chain(groups: int) -> Callable[[h5py.File], None]:
    """Groups within groups, one in each."""

    def write(file: h5py.File) -> None:
        group: h5py.Group = file
        for _ in range(groups):
            group = group.create_group("layers")

    return write


def write(
    path: Path, description: Config | str, weights: Callable[[h5py.File], object] | None = None, *more: str
) -> Path:
    text = description if isinstance(description, str) else json.dumps(description)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        if weights is not None:
            weights(file)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", *more):
            archive.writestr(name, "{}")
        archive.writestr("config.json", text)
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


DENSE = sequential(layer("Dense"))

#: Hostile settings of a network, and the error that each gets.
HOSTILE: dict[str, tuple[Config | str, str]] = {
    "weights of 100 GB": (DENSE, "claims 100,000,000,000 bytes"),
    "a chain of 8,000 groups": (DENSE, "claims 0 bytes of weights in a file of 8,"),
    "one file too many": (sequential(), "it has the members ['assets/code.py'"),
    "long description": (sequential(layer("x" * 5_000_000)), "described in 10,000"),
    "a long name": (sequential(layer("x" * 1_000)), "it has a layer of the name layers/xxx"),
    "models within models": (nested(100), "it has a layer of the name layers/sequential/layers/seq"),
    "many layers": (sequential(*[layer("Dense")] * 4_000), "it has 4,001 layers"),
    "nested too deep for JSON": ('{"a":' * 100_000, "cannot be loaded"),
    "no model": ("[1, 2]", "cannot be loaded"),
    "a layer that is none": (sequential(layer("Dense") | {"config": None}), "cannot be loaded"),
    "padding": (sequential(), "claims 0 bytes of weights in a file of"),
    "images of no size": (sequential(shape=(8, None, 3)), "images of the shape (8, None, 3)"),
    "a size that is a text": (sequential(shape=("8", 8, 3)), "images of the shape ('8', 8, 3)"),
    "grey images": (sequential(shape=(8, 8, 1)), "images of the shape (8, 8, 1)"),
    "a list that stretches": (rescaling([1.0] * 100_000), "rescales 100000 channels"),
    "lists in lists": (rescaling([[1.0]] * 3), "cannot be loaded"),
    "4,000 digits": (rescaling(int("7" * 4_000)), "cannot be loaded"),
}

WEIGHTS = {"weights of 100 GB": claim_100_gb, "padding": pad, "a chain of 8,000 groups": chain(8_000)}

_LOOK = """
import json, sys, time
from pathlib import Path
from aquadash.errors import StorageError
from aquadash.store.network_file import check_network
found = []
for path in sys.argv[1:]:
    started = time.perf_counter()
    try:
        said = str(check_network(Path(path)))
    except StorageError as error:
        said = str(error)
    found.append([said, time.perf_counter() - started])
print(json.dumps([found, "tensorflow" in sys.modules, "keras" in sys.modules]))
"""


def test_hostile_files_are_refused_at_once_without_tensorflow(tmp_path: Path) -> None:
    paths = [
        write(
            tmp_path / f"{number}.keras",
            description,
            WEIGHTS.get(name),
            *(["assets/code.py"] if "too many" in name else []),
        )
        for number, (name, (description, _)) in enumerate(HOSTILE.items())
    ]
    told = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, paths)], check=True, capture_output=True, text=True, timeout=120
    )
    found, *imported = json.loads(told.stdout)
    assert imported == [False, False]
    for (name, (_, expected)), (said, seconds) in zip(HOSTILE.items(), found, strict=True):
        assert expected in said, (name, said)
        assert seconds < 2, (name, seconds)


def test_a_damaged_network_says_so(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 torn", b"no archive"):
        (tmp_path / "model.keras").write_bytes(content)
        with pytest.raises(StorageError, match="damaged"):
            stored_weights(tmp_path / "model.keras", lambda one: one[()])


def test_a_network_whose_weights_are_those_of_other_files_is_refused(tmp_path: Path) -> None:
    secret, other = tmp_path / "codes.json", tmp_path / "other.h5"
    secret.write_bytes(b"secret" * 4)
    with h5py.File(other, "w") as file:
        file["layers/dense/vars/0"] = file["codes"] = np.arange(6.0)
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:] = h5py.VirtualSource(other, "codes", (6,))
    place, kinds = "layers/dense/vars/0", {
        "lies in another file": lambda file: file.create_dataset(place, (6,), "f4", external=[(secret, 0, 24)]),
        "0 lies in another file": lambda file: file.create_virtual_dataset(place, layout),
        "is a link": lambda file: file.update({"layers": h5py.ExternalLink(other, "layers")}),
        "0 is a link": lambda file: file.update({place: h5py.SoftLink("/layers")}),
    }  # fmt: skip
    for said, make in kinds.items():
        with pytest.raises(StorageError, match=said):
            stored_weights(write(tmp_path / "model.keras", DENSE, make), lambda one: one[()])


def stored(store: RunStore, folder: Path, *, name: str, scale: float = 1.0, owner: Person = OWNER) -> Run:
    run = add_run(store, name=name, owner=owner)
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
    found = reproduction(store, first.run_id, second.run_id)
    assert not found.identical
    by_name = {part.name: part for part in found.parts}
    assert by_name["metrics by epoch"].identical
    assert (by_name["weights"].different, by_name["weights"].max_difference) == (5, 2.5)
    assert found.max_difference == 2.5
    reasons = "\n".join(found.reasons)
    assert "another fingerprint" in reasons and "Python was 3.11 and is 3.12" in reasons
    assert "keras was 3.15.1 and is 3.16.0" in reasons and "cores was 2 and is 4" in reasons


def test_a_figure_that_one_version_does_not_store_is_not_compared(store: RunStore, tmp_path: Path) -> None:
    first, second = stored(store, tmp_path, name="first"), stored(store, tmp_path, name="second")
    store.update(second.run_id, metrics={**second.metrics, "balanced_accuracy": 0.5})
    outcome = reproduction(store, first.run_id, second.run_id)
    assert outcome.identical and outcome.max_difference == 0.0


def test_a_student_may_compare_another_s_run_without_its_network(store: RunStore, tmp_path: Path) -> None:
    first, second = (stored(store, tmp_path, name=person.name, owner=person) for person in (BEN, ANNA))
    store.update(second.run_id, metrics={**second.metrics, "seconds": 99.0})
    runs = Lab(ANNA).runs
    with pytest.raises(NotAllowedError):
        runs.network(first)
    found = runs.reproduction(first.run_id, second.run_id)
    assert found.identical and found.max_difference == 0.0 and found.reasons == ()
    compared = ["metrics by epoch", "final figures", "weights", "predictions of the test images"]
    assert [part.name for part in found.parts] == compared
    assert found.to_dict()["identical"] is True

    set_status(store, second.run_id, RunStatus.STOPPED, message="Stopped by request.")
    with pytest.raises(RunError, match="stopped: Stopped by request"):
        reproduction(store, first.run_id, second.run_id)


def test_it_is_a_finished_run_with_everything_that_pages_show(store: RunStore) -> None:
    assert find_first_model(store) is None
    run = add_first_model(store)
    assert (run.name, run.status, run.message) == (NAME, RunStatus.FINISHED, "")
    assert run.class_names == ("beaver", "dolphin", "otter", "seal", "whale")
    history = store.history(run.run_id)
    assert [record.epoch for record in history] == list(range(1, int(run.metrics["epochs"]) + 1))
    assert run.curve[-1] == pytest.approx(history[-1].val_accuracy, abs=1e-4)
    predictions = store.predictions(run.run_id)
    found = evaluate(predictions.labels, predictions.probabilities, class_names=run.class_names)
    assert found.n == 500 and found.accuracy == run.metrics["test_accuracy"] > 0.7
    replay, detector = store.epoch_replay(run.run_id), store.ood_detector(run.run_id)
    assert replay.epochs == len(history)
    assert 0.95 <= detector.accepted < 0.96
    assert store.validation_predictions(run.run_id) is not None and store.environment(run.run_id)["seed"] == 0


def test_it_comes_once_and_stays_deleted_until_the_command_brings_it_back(store: RunStore) -> None:
    first = add_first_model(store)
    assert add_first_model(store) == first and len(store.list_runs()) == 1
    store.delete(first.run_id)
    assert add_first_model(store).deleted and store.list_runs() == []
    assert answer("runs", "first-model")["run_id"] == first.run_id and not store.get(first.run_id).deleted


def test_unpacking_that_was_broken_off_is_done_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "add", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            add_first_model(store)
    assert find_first_model(store) is None
    run = add_first_model(store)
    assert run.status is RunStatus.FINISHED and len(store.history(run.run_id)) == run.metrics["epochs"]
    assert store.list_runs() == [run]


def test_the_card_is_of_this_file(store: RunStore) -> None:
    card, content = (FOLDER / CARD).read_text(), (FOLDER / MODEL).read_bytes()
    assert hashlib.sha256(content).hexdigest() in card and f"{len(content):,} bytes" in card
    metrics = json.loads((FOLDER / "run.json").read_text())["metrics"]
    assert f"{100 * metrics['test_accuracy']:.1f} %" in card and f"{metrics['stranger_auroc']:.3f}" in card


@pytest.mark.slow
def test_the_model_gives_the_stored_predictions(store: RunStore, cifar100_archive: Path) -> None:
    from aquadash.predict import Predictor

    run = add_first_model(store)
    dataset = data.load("cifar100")
    assert dataset.fingerprint == run.dataset_fingerprint
    predictor = Predictor.load(store.model_path(run.run_id), run.config.model, class_names=run.class_names)
    stored = store.predictions(run.run_id)
    # bfloat16 has three digits, and processors round differently.
    found = predictor.predict_images(dataset.test.images[::5])
    np.testing.assert_allclose(found, stored.probabilities[::5], atol=0.05)
    right = stored.probabilities.argmax(axis=1) == dataset.test.labels
    assert right.mean() == pytest.approx(run.metrics["test_accuracy"])
    assert (found.argmax(axis=1) == dataset.test.labels[::5]).mean() == pytest.approx(right[::5].mean(), abs=0.02)
