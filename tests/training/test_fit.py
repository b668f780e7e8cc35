"""Training learns, repeats itself bit by bit, and goes on after a break as if there had been none."""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from aquadash import models
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import ConfigError, RunError
from aquadash.predict import Predictor
from aquadash.store import Progress, Stopped
from aquadash.training import epoch_loop
from aquadash.training.epoch_loop import EpochLoop, ParameterGroup, predict
from aquadash.training.losses import Losses, balanced_weights
from aquadash.training.out_of_distribution import feature_reader
from aquadash.training.prepare import TrainingImages, split
from aquadash.training.trainer import Trainer
from tests.conftest import ROOT
from tests.support.runs import without_seconds
from tests.support.tiny_networks import QUICK, Listener, assigned, fit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_detector")]

SMALL = assigned(
    "model.dense_units=32 training.epochs=6 training.batch_size=7 training.optimizer=adam "
    "training.learning_rate=0.003 training.patience=0 seed=3",
    base=QUICK,
)


@pytest.fixture(scope="module")
def first(tiny_dataset: Dataset) -> tuple[Any, Listener]:
    """The training with SMALL and what its listener heard, for all tests of the module, which change nothing in it."""
    listener = Listener()
    return fit(SMALL, tiny_dataset, listener), listener


def test_learns_what_can_be_learned_and_says_how_far_it_is(first: tuple[Any, Listener]) -> None:
    result, listener = first
    assert result.history[-1].loss < result.history[0].loss
    assert result.val_accuracy > 0.9
    right = (result.predictions.probabilities.argmax(axis=1) == result.predictions.labels).mean()
    assert right > 0.9 and not result.stopped
    last = [progress for progress in listener.progress if progress.phase == "training"][-1]
    assert (last.epoch, last.epochs, last.batch, last.batches) == (6, 6, 48 // 7, 48 // 7)
    # After all of its batches, the means so far are those of the epoch.
    assert (last.loss, last.accuracy) == pytest.approx((result.history[-1].loss, result.history[-1].accuracy))


def test_a_resumed_run_equals_an_uninterrupted_one(first: tuple[Any, Listener], tiny_dataset: Dataset) -> None:
    whole, heard = first
    _same_results(fit(SMALL, tiny_dataset, resume_from=heard.checkpoints[1]), whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"augmentation.mixing": "cutmix"},
        {"augmentation.pipeline": "notebook", "training.optimizer": "momentum", "training.restore_best_weights": False},
        {"augmentation.pipeline": "notebook-1", "augmentation.mode": "fresh", "training.optimizer": "rmsprop"},
    ],
    ids=["another seed", "mixed", "augmented, with momentum", "fresh, with rmsprop"],
)
def test_so_does_one_with_other_settings(tiny_dataset: Dataset, uncompiled: None, changes: dict) -> None:
    plain = with_values(SMALL, {"training.epochs": 3, "training.batch_size": 48})
    config = with_values(plain, changes)
    heard = Listener()
    whole = fit(config, tiny_dataset, heard)
    _same_results(fit(config, tiny_dataset, resume_from=heard.checkpoints[1]), whole)
    without = fit(with_values(plain, {"training.epochs": 1}), tiny_dataset)
    assert without_seconds(whole.history[:1]) != without_seconds(without.history), "what is changed has an effect"


def _same_results(resumed: Any, whole: Any) -> None:
    assert without_seconds(resumed.history) == without_seconds(whole.history)
    np.testing.assert_equal(resumed.model.get_weights(), whole.model.get_weights())
    assert np.array_equal(resumed.predictions.probabilities, whole.predictions.probabilities)


def test_a_run_stopped_in_an_epoch_leaves_the_last_one(first: tuple[Any, Listener], tiny_dataset: Dataset) -> None:
    broken = Listener(stop_in_epoch=3)
    part = fit(SMALL, tiny_dataset, broken)
    assert part.stopped and len(part.history) == 2
    left, had = broken.checkpoints[-1], first[1].checkpoints[1]
    assert without_seconds(left.history) == without_seconds(had.history)
    for name in ("weights", "optimizer", "best_weights"):
        np.testing.assert_equal(getattr(left, name), getattr(had, name))
    assert fit(SMALL, tiny_dataset, Listener(stop_in_epoch=1)) is None, "no epoch is complete"


def test_a_seed_repeats_however_batches_are_grouped_and_whatever_others_draw(
    first: tuple[Any, Listener], tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Drawing(Listener):
        """Takes from the random numbers that Keras has its seeds from, as a thread does that tries a server again."""

        def on_progress(self, progress: Progress) -> None:
            random.random()
            super().on_progress(progress)

    monkeypatch.setattr(epoch_loop, "CALL_SECONDS", 1e-9)  # One batch a call.
    one_by_one = Drawing()
    fit(with_values(SMALL, {"training.epochs": 2}), tiny_dataset, one_by_one)
    grouped, alone = first[1].checkpoints[1], one_by_one.checkpoints[1]
    assert without_seconds(grouped.history) == without_seconds(alone.history)
    np.testing.assert_equal(grouped.weights, alone.weights)


def test_the_mathematics_is_that_of_keras_fit(tiny_dataset: Dataset) -> None:
    """Without dropout and shuffling both take the same steps, so the weights agree up to rounding."""
    config = with_values(SMALL, {"model.dropout": 0}).model
    images, labels = tiny_dataset.train.images, tiny_dataset.train.labels
    ours = models.build(config, image_shape=tiny_dataset.image_shape, num_classes=3)
    theirs = models.build(config, image_shape=tiny_dataset.image_shape, num_classes=3)
    theirs.set_weights(ours.get_weights())
    group = ParameterGroup(keras.optimizers.SGD(0.01), ours.trainable_variables)
    losses = Losses(with_values(SMALL, {"training.from_logits": True}).training, labels, num_classes=3)
    loop = EpochLoop(ours, [group], losses, batch_size=7)
    order = np.arange(len(labels), dtype=np.int32)
    rates = np.full(-(-len(labels) // 7), 0.01, np.float32)
    loss, accuracy = loop.train(tf.constant(images), tf.constant(labels.astype(np.int32)), order, rates)
    theirs.compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = theirs.fit(images / 255.0, labels, batch_size=7, shuffle=False, verbose=0).history
    assert loss == pytest.approx(history["loss"][0], rel=1e-4)
    assert accuracy == pytest.approx(history["accuracy"][0])
    for mine, reference in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.allclose(mine, reference, atol=1e-5)
    expected = theirs.evaluate(images / 255.0, labels, verbose=0)
    assert loop.evaluate(images, labels)[:2] == pytest.approx(expected, rel=1e-3)


def test_large_networks_look_at_few_images_at_once(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """After training, too: the worker would be lost with all epochs done. Small ones keep the last digits they had."""

    class Together(keras.layers.Layer):
        """Says of each image how many it is looked at with."""

        def call(self, images: Any) -> Any:
            ones = keras.ops.ones_like(images[:, 0, 0])
            return ones * keras.ops.sum(ones, axis=0)

    inputs = keras.Input(tiny_dataset.image_shape)
    model = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="identity")(Together()(inputs)))
    monkeypatch.setattr("aquadash.training.epoch_loop.FORWARD_VALUES", 50 * 16 * 16 * 3)
    images, labels = tiny_dataset.test.images, tiny_dataset.test.labels
    loop = EpochLoop(model, [], Losses(SMALL.training, labels, num_classes=3), batch_size=100)
    for outputs in (
        predict(model, images),
        loop.evaluate(images, labels)[2],
        feature_reader(model)(images),
        Predictor(model, class_names=tiny_dataset.class_names).predict_images(images),
    ):
        assert outputs[:, 0].tolist() == [50] * 100 + [20] * 20


def test_best_weights_are_kept_or_the_last(tiny_dataset: Dataset, uncompiled: None) -> None:
    config = with_values(SMALL, {"training.learning_rate": 0.05, "training.epochs": 5, "training.batch_size": 24})
    best = fit(config, tiny_dataset)
    lowest = min(best.history, key=lambda record: record.val_loss)
    assert (best.kept_epoch, best.val_loss) == (lowest.epoch, lowest.val_loss) and lowest.epoch < 5
    last = fit(with_values(config, {"training.restore_best_weights": False}), tiny_dataset)
    assert (last.kept_epoch, last.val_loss) == (5, last.history[-1].val_loss)


def test_early_stopping_ends_the_run(tiny_dataset: Dataset, uncompiled: None) -> None:
    # Updates too small for float32 change nothing, so the first epoch stays the best.
    changes = "training.learning_rate=1e-12 training.patience=2 training.epochs=50 training.batch_size=24"
    result = fit(assigned(changes, base=SMALL), tiny_dataset)
    assert len(result.history) == 3 and not result.stopped


def test_a_late_stop_leaves_the_results(first: tuple[Any, Listener], tiny_dataset: Dataset, uncompiled: None) -> None:
    class Impatient(Listener):
        def on_progress(self, progress: Progress) -> None:
            super().on_progress(progress)
            if self.checkpoints:
                raise Stopped

    listener = Impatient()
    result = fit(SMALL, tiny_dataset, listener, resume_from=first[1].checkpoints[-2])
    assert not result.stopped and len(result.predictions.labels) == 120
    after = listener.progress[-3:]
    assert [each.epoch for each in after] == [6, 6, 6] and all(each.eta_seconds == 0.0 for each in after)
    assert ["test images" in each.phase for each in after] == [True, False, False]


def test_going_on_with_other_settings_or_images_is_refused(first: tuple[Any, Listener], tiny_dataset: Dataset) -> None:
    checkpoint = first[1].checkpoints[0]
    with pytest.raises(RunError, match="other settings than this run"):
        fit(with_values(SMALL, {"training.epochs": 5}), tiny_dataset, resume_from=checkpoint)
    changed = replace(tiny_dataset, class_names=("x", "y", "z"))
    with pytest.raises(RunError, match="have changed since this run was interrupted"):
        fit(SMALL, changed, resume_from=checkpoint)


def test_validation_images_are_held_out_and_never_augmented(tiny_dataset: Dataset) -> None:
    config = with_values(SMALL, {"augmentation.pipeline": "notebook"})
    data = split(config, tiny_dataset)
    assert np.bincount(data.validation_labels).tolist() == [4, 4, 4] and len(data.labels) == 48
    originals = {image.tobytes() for image in tiny_dataset.train.images}
    assert all(image.tobytes() in originals for image in data.validation_images)
    assert not {image.tobytes() for image in data.images} & {image.tobytes() for image in data.validation_images}
    drawn = TrainingImages(config, data, progress=lambda *_: None)
    images = drawn.epoch(1)
    assert len(images) == len(drawn.labels) == 5 * 48
    assert np.array_equal(images[:48], data.images)


def test_class_weights_follow_from_the_learnt_images_alone(tiny_dataset: Dataset, uncompiled: None) -> None:
    # Updates too small for float32 change nothing, so the loss is that of the returned network.
    config = assigned(
        "training.class_weights=balanced model.dropout=0 training.batch_size=64 training.learning_rate=1e-12 "
        "training.epochs=1",
        base=SMALL,
    )
    labels = tiny_dataset.train.labels
    chosen = np.concatenate([np.flatnonzero(labels == label)[:count] for label, count in enumerate((20, 13, 2))])
    dataset = replace(tiny_dataset, train=tiny_dataset.train.take(chosen))
    data, result = split(config, dataset), fit(config, dataset)
    own = predict(result.model, data.images)[np.arange(len(data.labels)), data.labels]
    weights = balanced_weights(data.labels, num_classes=3)[data.labels]
    assert result.history[0].loss == pytest.approx(float((-np.log(own) * weights).mean()), rel=1e-4)


@pytest.mark.parametrize("validation", ["training", "test"])
def test_label_noise_replaces_training_labels_alone(validation: str, tiny_dataset: Dataset) -> None:
    config = with_values(SMALL, {"training.validation": validation})
    clean = split(config, tiny_dataset)
    noisy = split(with_values(config, {"training.label_noise": 0.25}), tiny_dataset)
    replaced = noisy.labels != clean.labels
    assert replaced.sum() == len(clean.labels) / 4
    assert {0, 1, 2} == set(noisy.labels[replaced].tolist()), "any class may be the wrong one"
    for unchanged in ("images", "validation_images", "validation_labels", "validation_indices"):
        assert np.array_equal(getattr(noisy, unchanged), getattr(clean, unchanged))

    again, other = (
        split(with_values(config, {"training.label_noise": 0.25, "seed": seed}), tiny_dataset).labels
        for seed in (config.seed, config.seed + 1)
    )
    assert np.array_equal(again, noisy.labels) and not np.array_equal(other, noisy.labels)


def test_the_report_s_validation_takes_the_first_400_test_images(tiny_dataset: Dataset) -> None:
    config = with_values(SMALL, {"training.validation": "test"})
    many = replace(tiny_dataset, test=tiny_dataset.test.take(np.arange(420) % len(tiny_dataset.test)))
    data = split(config, many)
    assert np.array_equal(data.validation_images, many.test.images[:400]) and len(data.labels) == 60
    few = split(config, replace(tiny_dataset, test=tiny_dataset.test.take(slice(100))))
    assert np.array_equal(few.validation_images, tiny_dataset.test.images[:80])
    assert few.validation_indices.tolist() == list(range(80))
    with pytest.raises(ConfigError, match="too few test images"):
        split(config, replace(tiny_dataset, test=tiny_dataset.test.take(slice(1))))


def test_fresh_images_differ_by_epoch_and_copies_do_not(tiny_dataset: Dataset) -> None:
    config = with_values(SMALL, {"augmentation.pipeline": "notebook-2"})
    data = split(config, tiny_dataset)
    copies = TrainingImages(config, data, progress=lambda *_: None)
    assert copies.epoch(1) is copies.epoch(2)
    fresh = TrainingImages(with_values(config, {"augmentation.mode": "fresh"}), data, progress=lambda *_: None)
    drawn = {fresh.epoch(epoch).tobytes() for epoch in (1, 2, 3)}
    fresh.close()
    assert len(drawn) == 3


EPOCHS = 100

#: In a process of its own, since the memory of this one belongs to other tests, too.
SCRIPT = """
import json, sys
import psutil
from aquadash.config import from_json
from aquadash.training.fit import fit
from tests.support.drawn_images import few_drawings

class Sizes(list):
    def on_progress(self, progress):
        pass
    def on_epoch(self, checkpoint):
        self.append(psutil.Process().memory_info().rss)

sizes = Sizes()
fit(from_json(sys.argv[1]), few_drawings(train_per_class=100, test_per_class=20), listener=sizes)
print(json.dumps(sizes))
"""


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "changes",
    [
        {"augmentation.pipeline": "none"},
        {"augmentation.pipeline": "mirror-shift", "augmentation.mode": "fresh", "augmentation.mixing": "mixup"},
    ],
    ids=["once", "anew each epoch"],
)
def test_a_hundred_epochs_need_no_more_memory_than_ten(changes: dict[str, object], home: object) -> None:
    config = with_values(RunConfig(), {"training.epochs": EPOCHS, "training.patience": 0, **changes})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, config.to_json()], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    sizes = json.loads(done.stdout.splitlines()[-1])
    assert len(sizes) == EPOCHS
    assert max(sizes[-10:]) <= 1.05 * max(sizes[:10]), [size // 2**20 for size in sizes[::10]]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_hundreds_of_tracings_give_the_same_bits(tiny_dataset: Dataset) -> None:
    """Of first epochs of the report's network, one in 330 was another while its step stood inside the loop's graph."""
    tf.config.experimental.enable_op_determinism()
    config = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 1})
    results: Counter[bytes] = Counter()
    for _ in range(400):
        trainer = Trainer(config, tiny_dataset, Listener(), lambda *_: None)
        state = trainer.train_one_epoch(None)
        trainer.close()
        record = state.history[-1]
        results[b"".join(map(np.ndarray.tobytes, state.weights)) + repr((record.loss, record.val_loss)).encode()] += 1
    assert list(results.values()) == [400]
