"""What a frozen body makes of images, computed once and kept on disk.

A cache entry is found by its content: on one computer the same images and the same body always have the same entry,
whichever run made it, and a file that is lost or damaged is made again.
"""

from __future__ import annotations

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

#: Bytes that the cache may take; beyond them the entries that were not used for longest are removed.
CACHE_BYTES = 2_000_000_000

#: Images looked at together, at most, and the bytes that the largest output of a layer may take for them: more would
#: need memory and save no time on a processor.
_BATCH = 32
_BATCH_BYTES = 200_000_000


def features(
    body: keras.Model,
    images: NDArray[np.uint8],
    *,
    key: str,
    progress: Callable[[float], None],
) -> NDArray[np.float32]:
    """The features of all images, from the cache or computed and put there.

    Args:
        body: Images as float32 in [0, 1] to features, (n, features); works as it does when it predicts.
        images: uint8 (n, height, width, channels).
        key: Names the body: all that its features depend on besides the images, its weights, precision and where it is
            computed included.
        progress: Told the fraction that is done after each batch; an exception that it raises ends the work, and
            nothing is stored.

    Returns:
        float32 (n, features).
    """
    path = _path(images, key)
    shape = (len(images), int(body.output_shape[-1]))
    found = _read(path, shape)
    if found is None:
        found = compute_features(body, images, progress)
        if found.nbytes <= CACHE_BYTES:
            keep(path, partial(np.savez, features=found), pattern="*.npz", max_bytes=CACHE_BYTES)
    progress(1.0)
    return found


def batch_size(body: keras.Model) -> int:
    """How many images a body looks at together: a power of two, fewer the larger the outputs of its layers are."""
    largest = max(math.prod(layer.output.shape[1:]) for layer in body.layers)
    fitting = _BATCH_BYTES // (4 * largest)
    return min(_BATCH, 2 ** int(math.log2(max(1, fitting))))


def compute_features(
    body: keras.Model, images: NDArray[np.uint8], progress: Callable[[float], None] = lambda fraction: None
) -> NDArray[np.float32]:
    """The features of all images, computed; arguments and result are those of :func:`features`."""
    forward, step = _forward(body), batch_size(body)
    found = np.empty((len(images), int(body.output_shape[-1])), np.float32)
    for start in range(0, len(images), step):
        progress(start / len(images))
        found[start : start + step] = forward(tf.constant(images[start : start + step]))
    return found


# One body is kept, with its graph: making that takes seconds, and a run asks for the features of several image sets.
@lru_cache(maxsize=1)
def _forward(body: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """The body as a graph: uint8 images, any number of them, to float32 features."""
    signature = tf.TensorSpec((None, *body.input_shape[1:]), tf.uint8)

    @tf.function(input_signature=[signature])
    def forward(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(body(models.normalise(images), training=False), tf.float32)

    return forward


def _path(images: NDArray[np.uint8], key: str) -> Path:
    digest = hashlib.sha256(f"{key}\0{images.shape}\0".encode())
    digest.update(np.ascontiguousarray(images).data)
    return _folder() / f"{digest.hexdigest()[:40]}.npz"


def _folder() -> Path:
    return settings.home() / "cache" / "features"


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """The stored features, or None if there is no sound copy of that shape; an .npz file has check sums."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = arrays["features"]
        if found.shape != shape or found.dtype != np.float32:
            return None
        os.utime(path)  # so that what is used stays
    except Exception:  # a damaged file can raise nearly anything, and any fault means the same: no copy
        return None
    return found
