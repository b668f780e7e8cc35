"""What happens between the scene and the picture: light, colour cast, blur and noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scripts.drawing.canvas import SIZE

_GRID_Y, _GRID_X = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]


def exposed(picture: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph a painted picture.

    Args:
        picture: Shape (32, 32, 3), 0 to 255.
        rng: Decides the light and the camera's faults.

    Returns:
        uint8, the same shape.
    """
    direction = rng.uniform(0, 2 * math.pi)
    slope = 1 + rng.uniform(0, 0.3) * (_GRID_X * math.cos(direction) + _GRID_Y * math.sin(direction))
    cast = rng.uniform(0.78, 1.22) * rng.normal(1, 0.09, 3)
    lit = picture * slope[:, :, None] * cast
    # Automatic exposure: the bright parts are not burnt out, and a dark scene is lifted a little.
    bright = np.percentile(lit, 90)
    lit *= min(1.0, 238 / bright) if bright > 110 else 110 / bright
    contrast = rng.uniform(0.8, 1.2)
    mean = lit.mean()
    lit = (lit - mean) * contrast + mean
    grey = lit.mean(axis=2, keepdims=True)
    lit = grey + (lit - grey) * rng.uniform(0.35, 1.3)
    radius = max(0.0, rng.normal(0.1, 0.25))
    if radius > 0.1:
        clipped = Image.fromarray(np.clip(np.rint(lit), 0, 255).astype(np.uint8))
        lit = np.asarray(clipped.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float64)
    lit = lit + rng.normal(0, rng.uniform(1.5, 8), lit.shape)
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)
