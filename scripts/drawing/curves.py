"""Smooth outlines from a few control points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The uniform Catmull-Rom basis: rows are the powers 1, t, t^2, t^3, columns the four control points around a segment.
#: Source: Catmull and Rom, "A class of local interpolating splines" (1974), with tension one half.
_BASIS = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], dtype=np.float64)


#: Positions computed for each segment, the control point included, and the weights of the four points at each.
SAMPLES = 5
_T = np.arange(SAMPLES) / SAMPLES
_WEIGHTS = np.stack([np.ones_like(_T), _T, _T**2, _T**3], axis=1) @ _BASIS


def closed_curve(points: ArrayLike) -> NDArray[np.float64]:
    """A closed curve that runs smoothly through every point.

    Args:
        points: At least 3 control points, shape (n, 2).

    Returns:
        Shape (n * SAMPLES, 2); the first control point comes first and is not repeated at the end.
    """
    controls = np.asarray(points, dtype=np.float64)
    neighbours = np.stack([np.roll(controls, shift, axis=0) for shift in (1, 0, -1, -2)], axis=1)
    return np.matmul(_WEIGHTS, neighbours).reshape(-1, 2)


def open_curve(points: ArrayLike) -> NDArray[np.float64]:
    """A curve through every point from the first to the last, shape ((n - 1) * SAMPLES + 1, 2); needs n >= 2."""
    controls = np.asarray(points, dtype=np.float64)
    padded = np.concatenate([2 * controls[:1] - controls[1:2], controls, 2 * controls[-1:] - controls[-2:-1]])
    neighbours = np.stack([padded[i : len(controls) - 1 + i] for i in range(4)], axis=1)
    inner = np.matmul(_WEIGHTS, neighbours).reshape(-1, 2)
    return np.concatenate([inner, controls[-1:]])


def ribbon(spine: ArrayLike, widths: Sequence[float]) -> NDArray[np.float64]:
    """The outline of a limb or tail: a smooth spine with a width that changes along it.

    Args:
        spine: The middle line's control points, shape (n, 2), n >= 2.
        widths: The full width at each control point, in the unit of the points.

    Returns:
        The outline, down one side and back along the other, shape (2 * ((n - 1) * SAMPLES + 1), 2).
    """
    middle = open_curve(spine)
    direction = np.gradient(middle, axis=0)
    length = np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1) / length[:, None]
    half = np.interp(np.linspace(0, len(widths) - 1, len(middle)), np.arange(len(widths)), widths)[:, None] / 2
    return np.concatenate([middle + normal * half, (middle - normal * half)[::-1]])
