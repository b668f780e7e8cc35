from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf  # noqa: E402

from aquadash.training.faster import OnePassSGD, as_saved, without_overlap  # noqa: E402


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("side", "size"), [(2, 32), (3, 9), (4, 8)])
def test_convolutions_without_overlap_give_the_same_numbers(side: int, size: int, padding: str) -> None:
    model = keras.Sequential(
        [keras.Input((size, size, 3)), keras.layers.Conv2D(5, side, strides=side, padding=padding), keras.layers.ReLU()]
    )
    images = tf.constant(np.random.default_rng(0).random((4, size, size, 3), np.float32))

    def outputs_and_gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = model(images)
            loss = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(loss, [images, *(variable.value for variable in model.trainable_variables)])]

    before = outputs_and_gradients()
    without_overlap(model)
    assert "convolution_op" in vars(model.layers[0])
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    as_saved(model)
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_array_equal(mine, keras_own)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "strides": 2},
        {"kernel_size": 1, "strides": 1},
        {"kernel_size": 2, "strides": (2, 1)},
        {"kernel_size": 2, "strides": 2, "groups": 3},
    ],
)
def test_other_convolutions_are_left_alone(options: dict[str, int]) -> None:
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(6, padding="same", **options)])
    without_overlap(model)
    assert "convolution_op" not in vars(model.layers[0])


def test_images_that_the_windows_do_not_tile_are_left_alone() -> None:
    model = keras.Sequential([keras.Input((31, 32, 3)), keras.layers.Conv2D(6, 2, strides=2, padding="same")])
    without_overlap(model)
    assert "convolution_op" not in vars(model.layers[0])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_pass_sgd_takes_kerass_steps(momentum: float) -> None:
    start = np.random.default_rng(1).random((6, 4)).astype(np.float32)
    gradients = np.random.default_rng(2).random((3, 6, 4)).astype(np.float32)
    ends = []
    for kind in (keras.optimizers.SGD, OnePassSGD):
        variable = keras.Variable(start)
        optimizer = kind(0.1, momentum=momentum, weight_decay=0.01)
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [variable])
        ends.append(np.array(variable))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
