"""The included model: stored once, and a finished run with everything that pages show."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from aquadash import data
from aquadash.evaluation import evaluate, stored_scores
from aquadash.store import RunStatus, RunStore
from aquadash.store.artifacts import MODEL, OOD_DETECTOR
from aquadash.store.first_model import CARD, FOLDER, NAME, add_first_model
from tests.cli.test_cli import answer


def test_it_is_a_finished_run_with_everything_that_pages_show(store: RunStore) -> None:
    run = add_first_model(store)
    assert (run.name, run.status, run.message) == (NAME, RunStatus.FINISHED, "")
    assert run.class_names == ("beaver", "dolphin", "otter", "seal", "whale")
    history = store.history(run.run_id)
    assert [record.epoch for record in history] == list(range(1, int(run.metrics["epochs"]) + 1))
    assert run.curve[-1] == pytest.approx(history[-1].val_accuracy, abs=1e-4)
    predictions = store.predictions(run.run_id)
    measured = evaluate(predictions.labels, predictions.probabilities, class_names=run.class_names)
    assert measured.n == 500 and measured.accuracy > 0.7
    expected = stored_scores(measured, predictions)
    assert expected == {name: run.metrics[name] for name in expected}
    replay, detector = store.epoch_replay(run.run_id), store.read_file(run.run_id, OOD_DETECTOR)
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
    assert store.find() == []
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
    measured = predictor.predict_images(dataset.test.images[::5])
    np.testing.assert_allclose(measured, stored.probabilities[::5], atol=0.05)
    right = stored.probabilities.argmax(axis=1) == dataset.test.labels
    assert right.mean() == pytest.approx(run.metrics["test_accuracy"])
    assert (measured.argmax(axis=1) == dataset.test.labels[::5]).mean() == pytest.approx(right[::5].mean(), abs=0.02)
