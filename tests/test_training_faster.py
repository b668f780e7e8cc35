from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf  # noqa: E402

from aquadash.training.faster import OnePassSGD, as_saved, with_less_work  # noqa: E402


def assert_same_with_less_work(model: keras.Model, inputs: np.ndarray, *, replaced: str) -> None:
    """Outputs and gradients agree with Keras's own, and are its own again afterwards."""
    watched = tf.constant(inputs)

    def outputs_and_gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            outputs = model(watched)
            loss = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(loss, [watched, *(variable.value for variable in model.trainable_variables)])]

    before = outputs_and_gradients()
    with_less_work(model)
    assert replaced in vars(model.layers[0])
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    as_saved(model)
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_array_equal(mine, keras_own)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("side", "size", "channels"), [(2, 32, 3), (3, 9, 3), (4, 8, 3), (2, 16, 32), (3, 9, 8)])
def test_convolutions_without_overlap_give_the_same_numbers(side: int, size: int, channels: int, padding: str) -> None:
    convolution = keras.layers.Conv2D(5, side, strides=side, padding=padding)
    model = keras.Sequential([keras.Input((size, size, channels)), convolution, keras.layers.ReLU()])
    images = np.random.default_rng(0).random((4, size, size, channels), np.float32)
    assert_same_with_less_work(model, images, replaced="convolution_op")


@pytest.mark.parametrize("activation", [None, "relu"])
def test_large_dense_layers_give_the_same_numbers(activation: str | None) -> None:
    dense = keras.layers.Dense(128, activation=activation, kernel_regularizer=keras.regularizers.L2(0.1))
    model = keras.Sequential([keras.Input((1024,)), dense, keras.layers.Dense(3)])
    rows = np.random.default_rng(0).random((4, 1024), np.float32)
    assert_same_with_less_work(model, rows, replaced="call")


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((64,), {}),
        ((2, 1024), {}),
        ((1024,), {"use_bias": False}),
        ((1024,), {"dtype": "mixed_bfloat16"}),
    ],
)
def test_other_dense_layers_are_left_alone(shape: tuple[int, ...], options: dict[str, object]) -> None:
    model = keras.Sequential([keras.Input(shape), keras.layers.Dense(128, **options)])
    with_less_work(model)
    assert "call" not in vars(model.layers[0])


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
    with_less_work(model)
    assert "convolution_op" not in vars(model.layers[0])


def test_images_that_the_windows_do_not_tile_are_left_alone() -> None:
    model = keras.Sequential([keras.Input((31, 32, 3)), keras.layers.Conv2D(6, 2, strides=2, padding="same")])
    with_less_work(model)
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
