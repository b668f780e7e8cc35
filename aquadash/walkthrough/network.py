"""The report's network in numbers: convolutions by hand, where the parameters are, the loss with a softmax too many."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import cross_entropy

#: 2 x 2 filters that a person can imagine.
FILTERS: dict[str, NDArray[np.float64]] = {
    "upright edges": np.array([[1.0, -1.0], [1.0, -1.0]]) / 2,
    "level edges": np.array([[1.0, 1.0], [-1.0, -1.0]]) / 2,
    "blur": np.full((2, 2), 0.25),
}


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """The outputs (height, width) of two convolutions in a row, and of one that could replace both."""

    #: The first convolution's output after activation and pooling.
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    single: NDArray[np.float64]
    #: The largest difference between ``second`` and ``single``.
    difference: float


def two_layers(image: NDArray[np.uint8], *, filters: tuple[str, str], activation: str, pooling: str) -> TwoLayers:
    """Send an image's brightness through two convolutions of the report's kind: 2 x 2, two pixels at a time."""
    grey = image.astype(np.float64).mean(axis=-1) / 255.0
    one, two = FILTERS[filters[0]], FILTERS[filters[1]]
    first = _convolve(grey, one)
    if activation == "relu":
        first = np.maximum(first, 0.0)
    if pooling == "max":
        first = _max_pool(first)
    second = _convolve(first, two)
    # Without activation and pooling, both filters are one of 4 x 4: their Kronecker product.
    single = _convolve(grey, np.asarray(np.kron(two, one), dtype=np.float64))
    return TwoLayers(first, second, single, float(np.abs(second - single).max()))


def as_picture(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw outputs in grey, uint8 (height, width, 3): 128 is 0, and the largest absolute value is white or black."""
    largest = float(np.abs(values).max()) or 1.0
    grey = np.rint(127.5 + 127.5 * values / largest).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _convolve(values: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slide a square kernel over the values by its own size, padding the end with 0."""
    size = len(kernel)
    padded = np.pad(values, [(0, -length % size) for length in values.shape])
    height, width = (length // size for length in padded.shape)
    blocks = padded.reshape(height, size, width, size)
    return np.asarray(np.einsum("hiwj,ij->hw", blocks, kernel))


def _max_pool(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, [(0, 1), (0, 1)], constant_values=-np.inf)
    return np.maximum.reduce([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])


def parameters(image_shape: tuple[int, int, int], *, classes: int, units: tuple[int, int]) -> dict[str, int]:
    """Count the weights and biases of each layer of the report's network with ``units`` in its two dense layers."""
    height, width, channels = image_shape
    flat = math.ceil(math.ceil(height / 2) / 2) * math.ceil(math.ceil(width / 2) / 2) * 64
    first, second = units
    return {
        "First convolution": (4 * channels + 1) * 32,
        "Second convolution": (4 * 32 + 1) * 64,
        "First dense layer": (flat + 1) * first,
        "Second dense layer": (first + 1) * second,
        "Last layer": (second + 1) * classes,
    }


def flattened_loss(y_true: ArrayLike, y_prob: ArrayLike) -> NDArray[np.float64]:
    """Return the loss of each image in nats with a second softmax over the probabilities."""
    powers = np.exp(np.asarray(y_prob, dtype=np.float64))
    return cross_entropy(np.asarray(y_true), powers / powers.sum(axis=1, keepdims=True))


def even_rest(own: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Return answers (n, classes) that give class 0 the probabilities ``own`` (n,) and the other classes the rest."""
    first = np.asarray(own, dtype=np.float64)[:, None]
    return np.hstack([first, np.repeat((1 - first) / (classes - 1), classes - 1, axis=1)])


def lowest_flattened_loss(classes: int) -> float:
    """Return the flattened loss of a perfect answer: ln(1 + (classes - 1) / e)."""
    return math.log(1 + (classes - 1) / math.e)
