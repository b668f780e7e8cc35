"""Images mixed with one another."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from aquadash.config import AugmentationConfig, RunConfig, TrainingConfig
from aquadash.training.epoch_loop import EpochLoop, ParameterGroup
from aquadash.training.losses import Losses
from aquadash.training.mixing import Mixes, draw_mixes, mix

ORDER = np.random.default_rng(1).permutation(50)[:45].astype(np.int32)


def drawn(
    mixing: str, *, alpha: float = 1.0, seed: int = 3, epoch: int = 2, side: int = 32, batch_size: int = 10
) -> Any:
    config = AugmentationConfig(mixing=mixing, mixing_alpha=alpha)
    return draw_mixes(config, ORDER, seed=seed, epoch=epoch, batch_size=batch_size, image_shape=(side, side - 8, 3))


def test_nothing_is_mixed_unless_asked_for() -> None:
    assert drawn(RunConfig().augmentation.mixing) is None
    assert drawn("mixup", batch_size=1) is None, "an image has no other in its batch"


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_partners_come_from_the_same_batch_and_most_of_an_image_is_its_own(mixing: str) -> None:
    mixes = drawn(mixing)
    partners, masks = mixes.partners.numpy(), mixes.masks.numpy()
    assert masks.shape == (5, 32, 24, 1) and partners.shape == ORDER.shape
    for start in range(0, len(ORDER), 10):
        batch = slice(start, start + 10)
        assert sorted(partners[batch]) == sorted(ORDER[batch])
    assert (partners != ORDER).any()
    assert (masks.mean(axis=(1, 2, 3)) > 0.49).all() and (masks <= 1).all() and (masks >= 0).all()
    assert len(np.unique(masks.mean(axis=(1, 2, 3)))) > 1


def test_mixup_is_the_same_everywhere_and_cutmix_a_rectangle() -> None:
    assert all(len(np.unique(mask)) == 1 for mask in drawn("mixup").masks.numpy())
    for mask in drawn("cutmix", alpha=10.0).masks.numpy()[..., 0]:
        assert set(np.unique(mask)) <= {0.0, 1.0}
        rows, columns = np.where(mask == 0)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_mixes_follow_from_seed_and_epoch_and_a_small_alpha_leaves_images_nearly_alone() -> None:
    assert drawn("mixup", alpha=0.01).masks.numpy().mean() > 0.95 > drawn("mixup", alpha=5.0).masks.numpy().mean()
    same = [np.array_equal(drawn("cutmix").masks, drawn("cutmix", **other).masks) for other in ({}, {"seed": 4})]
    assert same == [True, False]
    assert not np.array_equal(drawn("mixup").masks, drawn("mixup", epoch=3).masks)


def test_the_share_of_the_label_is_the_share_of_the_image() -> None:
    mask = np.ones((1, 4, 4, 1), dtype=np.float32)
    mask[:, :2, :2] = 0.0
    mixed, share = mix(tf.ones((2, 4, 4, 3)), tf.zeros((2, 4, 4, 3)), tf.constant(mask))
    assert float(share) == pytest.approx(0.75) == mixed.numpy().mean()
    assert mixed.numpy()[:, :2, :2].max() == 0.0 and mixed.numpy()[:, 2:, 2:].min() == 1.0


def test_the_loss_is_that_of_both_labels_in_their_shares() -> None:
    labels = np.array([0, 1, 2, 3], dtype=np.int64)
    images = np.full((4, 8, 8, 3), 255, dtype=np.uint8) * (labels[:, None, None, None] % 2 == 0).astype(np.uint8)
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(inputs)))
    order, partners, rows = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]), np.arange(4)
    answers = model.predict(images[order] / 255.0 * 0.75 + images[partners] / 255.0 * 0.25, verbose=0)
    of_both = 0.75 * np.log(answers[rows, labels[order]]) + 0.25 * np.log(answers[rows, labels[partners]])

    group = ParameterGroup(keras.optimizers.SGD(0.0), model.trainable_variables)
    loop = EpochLoop(model, [group], Losses(TrainingConfig(), labels, num_classes=4), batch_size=4)
    loss, _ = loop.train(
        tf.constant(images),
        tf.constant(labels.astype(np.int32)),
        order.astype(np.int32),
        np.zeros(1, dtype=np.float32),
        mixes=Mixes(tf.constant(partners.astype(np.int32)), tf.fill((1, 8, 8, 1), 0.75)),
    )
    assert loss == pytest.approx(-of_both.mean(), rel=1e-5)
