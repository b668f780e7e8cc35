"""Pretrained networks: the head alone, then more of the body; stop, resume, the flip, and the cached features."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from aquadash import models
from aquadash.config import with_values
from aquadash.data import Dataset
from aquadash.evaluation import evaluate
from aquadash.models import backbone, transfer
from aquadash.models.weights import load_npz
from aquadash.training import features, hardware
from aquadash.training.epoch_loop import predict
from tests.support.runs import without_seconds
from tests.support.tiny_networks import Listener, assigned, fit

TRANSFER = assigned(
    "augmentation.pipeline=none model.name=backbone model.dense_units= model.dropout=0.2 model.fine_tuning=all "
    "training.epochs=4 training.head_epochs=2 training.batch_size=48 training.optimizer=adam "
    "training.learning_rate=0.01 training.patience=0 training.validation_fraction=0.2 seed=3"
)
HEAD = assigned("model.fine_tuning=head model.dropout=0 training.epochs=2 training.optimizer=sgd", base=TRANSFER)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def small(narrow_bodies: None, all_uncompiled: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Few filters, nothing after the last epoch, and a home for what all tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("aquadash.training.fit.detector", lambda model, data: None)
        yield


@pytest.fixture(scope="module")
def head(tiny_dataset: Dataset, small: None) -> tuple[Any, Listener]:
    """A run whose head alone learns, and what its listener heard; nothing changes in it."""
    listener = Listener()
    return fit(HEAD, tiny_dataset, listener), listener


def _has_the_pretrained_body(model: object) -> None:
    with np.load(backbone.WEIGHTS_FILES["backbone"]) as stored:
        for weight in transfer.parts(model).body.weights:
            np.testing.assert_array_equal(np.array(weight), stored[weight.path.replace("/", ".")].astype(np.float32))


def test_the_head_alone_leaves_the_body_as_it_came(head: tuple[Any, Listener]) -> None:
    result, listener = head
    _has_the_pretrained_body(result.model)
    assert any("computing features of the training images" in each.phase for each in listener.progress)
    # Only the head is kept in the checkpoints: a body of a hundred megabytes would be written every second.
    assert [array.shape for array in listener.checkpoints[0].weights] == [(16, 3), (3,)]


def test_another_computer_s_features_are_not_used(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def looks() -> bool:
        listener = Listener(stop_in_epoch=1)
        assert fit(HEAD, tiny_dataset, listener) is None
        return any(each.phase == "computing features of the training images, 0%" for each in listener.progress)

    assert [looks(), looks()] == [True, False]
    monkeypatch.setattr(hardware, "last_digits", lambda training: "another computer")
    assert looks()


def test_the_head_phase_equals_the_whole_frozen_network(tiny_dataset: Dataset, head: tuple[Any, Listener]) -> None:
    """Learning from features is a shortcut: without dropout it gives what training through the frozen body gives."""
    through = {"model.fine_tuning": "all", "training.head_epochs": 0, "training.body_learning_rate": 0}
    slow = fit(with_values(HEAD, {**through, "training.epochs": 1}), tiny_dataset)
    assert head[0].history[0].loss == pytest.approx(slow.history[0].loss, rel=1e-3)
    _has_the_pretrained_body(slow.model)


def test_only_the_top_learns_and_at_a_rate_of_its_own(tiny_dataset: Dataset) -> None:
    """With plain SGD the first step is proportional to the rate."""
    config = assigned(
        "training.head_epochs=0 training.epochs=1 training.optimizer=sgd training.learning_rate=1 "
        "model.dropout=0 model.fine_tuning=top",
        base=TRANSFER,
    )
    before = models.build(TRANSFER.model, image_shape=(16, 16, 3), num_classes=3)
    load_npz(transfer.parts(before).body, backbone.WEIGHTS_FILES["backbone"])
    moves = []
    for share in (0.1, 0.2):
        body = transfer.parts(fit(with_values(config, {"training.body_learning_rate": share}), tiny_dataset).model).body
        moves.append(
            {
                weight.path: np.array(weight) - old
                for weight, old in zip(body.weights, transfer.parts(before).body.get_weights(), strict=True)
                if not np.array_equal(np.array(weight), old)
            }
        )
    # Not the batch normalization: it keeps the means and deviations of the images that it has learnt from.
    assert {path.split("/")[0] for path in moves[0]} == {
        f"{stage}_{part}_convolution" for stage in ("stage2", "stage3") for part in ("down", "first", "second")
    }
    for path, move in moves[0].items():
        assert np.abs(move).max() > 1e-4
        np.testing.assert_allclose(moves[1][path], 2 * move, rtol=1e-2, atol=1e-6)


def test_the_body_waits_for_the_head_and_resuming_changes_nothing_in_any_phase(tiny_dataset: Dataset) -> None:
    listener = Listener()
    never_interrupted = fit(TRANSFER, tiny_dataset, listener)
    sizes = [len(checkpoint.weights) for checkpoint in listener.checkpoints]
    assert sizes[:2] == [2, 2] and sizes[2] == sizes[3] > 30
    assert len(never_interrupted.history) == 4 and never_interrupted.predictions.probabilities.shape == (120, 3)
    broken = Listener(stop_in_epoch=3)
    stopped = fit(TRANSFER, tiny_dataset, broken)
    # The predictions are those of the last complete epoch, although a part of the next one was trained.
    assert stopped.stopped and len(stopped.history) == 2 and stopped.predictions is not None
    # The interrupted epoch had changed the body; the head was trained on the pretrained one.
    _has_the_pretrained_body(stopped.model)
    # A checkpoint does not depend on whether the run then went on or was stopped.
    checkpoints = [listener.checkpoints[0], broken.checkpoints[-1], listener.checkpoints[2]]
    for checkpoint in checkpoints:
        resumed = fit(TRANSFER, tiny_dataset, resume_from=checkpoint)
        assert without_seconds(resumed.history) == without_seconds(never_interrupted.history)
        np.testing.assert_array_equal(resumed.predictions.probabilities, never_interrupted.predictions.probabilities)


def test_a_network_that_flips_uses_the_mirror_image(tiny_dataset: Dataset, head: tuple[Any, Listener]) -> None:
    plain, _ = head
    flipped = fit(with_values(HEAD, {"model.test_time_flip": True}), tiny_dataset)
    answers = flipped.predictions.probabilities
    np.testing.assert_allclose(answers, predict(transfer.with_flip(plain.model), tiny_dataset.test.images), atol=1e-6)
    assert np.abs(answers - plain.predictions.probabilities).max() > 1e-3
    np.testing.assert_allclose(predict(flipped.model, tiny_dataset.test.images), answers, atol=1e-6)
    held_out = flipped.validation_predictions
    validated = evaluate(held_out.labels, held_out.probabilities, class_names=tiny_dataset.class_names)
    assert flipped.val_accuracy == validated.accuracy
    assert flipped.val_loss == pytest.approx(validated.loss, rel=1e-5) != flipped.history[-1].val_loss


@pytest.fixture(scope="module")
def body() -> Any:
    """A body with a layer that would tell training from predicting."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name="body")


IMAGES = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), dtype=np.uint8)


def looked(
    body: Any, images: np.ndarray = IMAGES, key: str = "a", stop_at: float = 2
) -> tuple[np.ndarray, list[float]]:
    """Return the features and the fractions of the progress, which ends the work at ``stop_at``."""
    told: list[float] = []

    def tell(share: float) -> None:
        told.append(share)
        if share >= stop_at:
            raise KeyboardInterrupt

    return features.features(body, images, key=key, progress=tell), told


def computed(body: Any, key: str, images: np.ndarray = IMAGES) -> bool:
    """Whether they were not in the cache."""
    return len(looked(body, images, key)[1]) > 1


def _files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "features").iterdir())


def test_features_are_what_the_body_predicts_and_are_computed_once(body: Any, home: Path) -> None:
    first, told = looked(body)
    assert first.shape == (70, 4) and first.dtype == np.float32
    np.testing.assert_allclose(first, np.asarray(body(models.normalise(IMAGES), training=False)), atol=1e-6)
    assert told == [0.0, 32 / 70, 64 / 70, 1.0]
    # The key is the content: a view of the same images in another order of memory has the same features.
    again, told = looked(body, np.asfortranarray(IMAGES))
    np.testing.assert_array_equal(again, first)
    assert told == [1.0] and len(_files(home)) == 1
    for other, key in ((IMAGES[:-1], "a"), (IMAGES[::-1], "a"), (IMAGES, "b")):
        assert computed(body, key, other), "other images or another body"
    assert len(_files(home)) == 4


def test_damaged_features_are_computed_again(body: Any, home: Path) -> None:
    first, _ = looked(body)
    (path,) = _files(home)
    whole = path.read_bytes()
    of_another_shape = io.BytesIO()
    np.savez(of_another_shape, features=first[:, :2])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for damaged in (whole[:-50], changed, b"nothing of the kind", of_another_shape.getvalue()):
        path.write_bytes(damaged)
        again, told = looked(body)
        np.testing.assert_array_equal(again, first)
        assert len(told) > 1 and path.read_bytes() == whole


def test_the_least_used_features_make_room(body: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert computed(body, "first") and computed(body, "second")
    left = home / "cache" / "features" / ".left.part"
    left.write_bytes(b"half")
    for path in (*_files(home), left):
        os.utime(path, (0, 0))
    assert not computed(body, "first")  # Now "second" is the least recently used.
    monkeypatch.setattr(features, "CACHE_BYTES", 2 * _files(home)[-1].stat().st_size)
    assert computed(body, "third") and not left.exists()
    assert not computed(body, "first") and computed(body, "second")


def test_features_of_stopped_work_or_beyond_the_limit_or_without_a_folder_are_not_kept(
    body: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        looked(body, stop_at=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(features, "CACHE_BYTES", 1000)
        assert looked(body)[0].nbytes > 1000
    assert not (home / "cache").exists()
    (home / "cache").write_text("a file where the folder should be")
    assert looked(body)[0].shape == (70, 4)
