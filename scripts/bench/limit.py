"""The least time of an epoch on this machine: its matrix products at their best, and its updates of the weights.

Nothing else is counted: no pooling, no activations, no dropout, no loss, no cutting of batches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

#: Seconds and number of the timings of one way; the best counts.
_TRY_SECONDS, _TRIES = 0.02, 5


def products(model: keras.Model, batch_size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the matrix products of a batch as (rows, inner, columns): forward, gradient of weights, gradient of inputs.

    The first layer needs no gradient of its inputs. A convolution multiplies its windows, laid out as rows, by its
    filters.
    """
    learning = [layer for layer in model.layers if layer.weights]
    for layer in learning:
        rows, columns = batch_size * math.prod(layer.output.shape[1:-1]), layer.kernel.shape[-1]
        inner = math.prod(layer.kernel.shape[:-1])
        yield rows, inner, columns
        yield inner, rows, columns
        if layer is not learning[0]:
            yield rows, columns, inner


def least_seconds(model: keras.Model, *, images: int, batch_size: int) -> dict[str, Callable[[], float]]:
    """Return functions that measure the least seconds of an epoch's ``products`` and ``updates``."""
    random, batches = np.random.default_rng(0).random, images / batch_size
    multiply = [
        _products(random((rows, inner), np.float32), random((inner, columns), np.float32))
        for rows, inner, columns in products(model, batch_size)
    ]
    copy = _copies(random(model.count_params(), np.float32))
    return {
        "products": lambda: batches * sum(map(_best, multiply)),
        # A copy reads and writes once; an update by plain gradient descent reads weights and gradients, writes weights.
        "updates": lambda: batches * 1.5 * _best(copy),
    }


#: Repeats a call a given number of times.
_Repeated = Callable[[int], object]


def _products(a: np.ndarray, b: np.ndarray) -> tuple[_Repeated, _Repeated]:
    """Multiply by NumPy's BLAS, into allocated memory, and by TensorFlow."""
    import tensorflow as tf

    out, factor = np.empty((len(a), b.shape[1]), np.float32), tf.constant(b)
    return _in_numpy(lambda: np.matmul(a, b, out=out)), _in_tensorflow(lambda rows: tf.matmul(rows, factor), a)


def _copies(values: np.ndarray) -> tuple[_Repeated, _Repeated]:
    """Copy by NumPy, on one core, and by TensorFlow, on all; TensorFlow also adds, which takes no more time."""
    out = np.empty_like(values)
    return _in_numpy(lambda: np.copyto(out, values)), _in_tensorflow(lambda x: x + 1.0, values)


def _in_numpy(call: Callable[[], object]) -> _Repeated:
    def repeat(times: int) -> None:
        for _ in range(times):
            call()

    return repeat


def _in_tensorflow(call: Callable[[tf.Tensor], tf.Tensor], value: np.ndarray) -> _Repeated:
    import tensorflow as tf

    # Two values in turn, because TensorFlow calculates a constant result once.
    both = tf.constant(np.stack([value, value]))

    @tf.function(autograph=False)
    def repeat(times: tf.Tensor) -> tf.Tensor:
        results = tf.while_loop(
            lambda done, _: done < times,
            lambda done, _: (done + 1, call(both[done % 2])),
            (0, tf.zeros_like(call(both[0]))),
            parallel_iterations=1,
        )
        return tf.reshape(results[1], (-1,))[0]

    return lambda times: repeat(tf.constant(times)).numpy()


def _best(ways: Sequence[_Repeated]) -> float:
    """Return the fewest seconds of one call, over all ways."""
    best = math.inf
    for repeat in ways:
        repeat(1)
        times = 1
        for _ in range(1 + _TRIES):
            began = time.perf_counter()
            repeat(times)
            seconds = (time.perf_counter() - began) / times
            best = min(best, seconds)
            times = max(1, int(_TRY_SECONDS / seconds))
    return best
