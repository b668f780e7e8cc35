"""The features of a frozen body, computed once and cached on disk by a hash of the images and the body."""

import hashlib
import math
import os
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash import models, settings
from aquadash.files import keep

#: Maximum size of the cache in bytes; the least recently used entries are removed.
CACHE_BYTES = 2_000_000_000

#: Limits of a batch: images, and bytes of the largest output of a layer; larger batches are not faster on a CPU.
_BATCH = 32
_BATCH_BYTES = 200_000_000


def features(
    body: keras.Model, images: NDArray[np.uint8], *, key: str, progress: Callable[[float], None]
) -> NDArray[np.float32]:
    """Return the features of uint8 images, float32 (n, features), from the cache or computed.

    Args:
        key: Names everything else that the features depend on: the body's weights, precision and the computer.
        progress: Called with the fraction done after each batch; an exception that it raises ends the work.
    """
    digest = hashlib.sha256(f"{key}\0{images.shape}\0".encode())
    digest.update(np.ascontiguousarray(images).data)
    path = settings.home() / "cache" / "features" / f"{digest.hexdigest()[:40]}.npz"
    values = _read(path, (len(images), int(body.output_shape[-1])))
    if values is None:
        values = compute_features(body, images, progress)
        if values.nbytes <= CACHE_BYTES:
            keep(path, partial(np.savez, features=values), pattern="*.npz", max_bytes=CACHE_BYTES)
    progress(1.0)
    return values


def compute_features(
    body: keras.Model, images: NDArray[np.uint8], progress: Callable[[float], None] = lambda fraction: None
) -> NDArray[np.float32]:
    """Compute the features of all images; exported scripts carry this function, which needs no cache."""
    largest = max(math.prod(layer.output.shape[1:]) for layer in body.layers)
    fitting = _BATCH_BYTES // (4 * largest)
    # A power of two.
    forward, step = _forward(body), min(_BATCH, 2 ** int(math.log2(max(1, fitting))))
    values = np.empty((len(images), int(body.output_shape[-1])), np.float32)
    for start in range(0, len(images), step):
        progress(start / len(images))
        values[start : start + step] = forward(tf.constant(images[start : start + step]))
    return values


# Compiling takes seconds, and a run computes the features of several image sets.
@lru_cache(maxsize=1)
def _forward(body: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Compile the body: uint8 images, any number of them, to float32 features."""
    signature = tf.TensorSpec((None, *body.input_shape[1:]), tf.uint8)

    @tf.function(input_signature=[signature])
    def forward(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(body(models.normalise(images), training=False), tf.float32)

    return forward


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Read stored features; None if there is no undamaged copy of that shape. An .npz file has checksums."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values: NDArray[np.float32] = arrays["features"]
        if values.shape != shape or values.dtype != np.float32:
            return None
        os.utime(path)  # The least recently used files are removed first.
    except Exception:  # NumPy has no common error for damaged files.
        return None
    return values
