from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from aquadash.training.faster import OnePassSGD, as_saved, with_less_work

LAYERS = {
    **{
        f"{side} x {side} of {size} pixels and {channels} channels, {padding}": (
            keras.layers.Conv2D, {"filters": 5, "kernel_size": side, "strides": side, "padding": padding},
            (size, size, channels), "convolution_op",
        )
        for side, size, channels in ((2, 32, 3), (3, 9, 8))
        for padding in ("same", "valid")
    },
    "a large dense layer": (keras.layers.Dense, {"units": 128, "kernel_regularizer": "l2"}, (1024,), "call"),
    "a small one": (keras.layers.Dense, {"units": 128}, (64,), ""),
    "one without a bias": (keras.layers.Dense, {"units": 128, "use_bias": False}, (1024,), ""),
    "windows that overlap": (keras.layers.Conv2D, {"filters": 6, "kernel_size": 3, "strides": 2}, (32, 32, 3), ""),
    "groups": (
        keras.layers.Conv2D, {"filters": 6, "kernel_size": 2, "strides": 2, "groups": 3}, (32, 32, 3), ""
    ),
    "images that the windows do not tile": (
        keras.layers.Conv2D, {"filters": 6, "kernel_size": 2, "strides": 2, "padding": "same"}, (31, 32, 3), ""
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "shape", "replaced"), LAYERS.values(), ids=LAYERS)
def test_layers_with_less_work_give_keras_s_numbers_and_others_are_left_alone(
    kind: type[keras.Layer], options: dict[str, Any], shape: tuple[int, ...], replaced: str
) -> None:
    model = keras.Sequential([keras.Input(shape), kind(**options), keras.layers.ReLU()])
    watched = tf.constant(np.random.default_rng(0).random((4, *shape), np.float32))

    def outputs_and_gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            outputs = model(watched)
            loss = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(loss, [watched, *(variable.value for variable in model.trainable_variables)])]

    before, attributes = outputs_and_gradients(), set(vars(model.layers[0]))
    with_less_work(model)
    assert set(vars(model.layers[0])) - attributes == ({replaced} if replaced else set())
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    as_saved(model)
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_array_equal(mine, keras_own)


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
