"""The dolphin: sleek, with a beak, a hooked fin on its back and a light belly."""

from __future__ import annotations

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, Coat
from scripts.drawing.pose import Pose


def _side(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    fin = rng.uniform(0.85, 1.2)
    pen.fin([(-0.92, 0.0), (-1.12, -0.24), (-1.26, -0.26), (-1.1, 0.02), (-1.2, 0.24), (-1.06, 0.2)], coat.dark)
    pen.blob([(0.38, 0.12), (0.3, 0.36), (0.1, 0.52), (0.12, 0.3), (0.18, 0.12)], coat.dark)
    pen.fin(
        [(0.16, -0.22), (0.04, -0.22 - 0.2 * fin), (-0.2, -0.24 - 0.3 * fin), (-0.14, -0.3 - 0.1 * fin), (-0.2, -0.2)],
        coat.dark,
    )
    pen.blob(
        [
            (1.14, 0.06), (0.92, -0.03), (0.8, -0.07), (0.7, -0.2), (0.4, -0.28), (0.0, -0.27), (-0.5, -0.14),
            (-0.95, -0.04), (-0.95, 0.05), (-0.5, 0.13), (0.0, 0.22), (0.4, 0.22), (0.72, 0.14), (0.92, 0.11),
        ],
        coat.back,
    )  # fmt: skip
    pen.blob(
        [
            (1.06, 0.07),
            (0.7, 0.06),
            (0.3, 0.07),
            (-0.2, 0.07),
            (-0.6, 0.06),
            (-0.5, 0.13),
            (0, 0.22),
            (0.4, 0.22),
            (0.72, 0.14),
        ],
        coat.belly,
    )
    pen.blob([(0.36, 0.1), (0.24, 0.34), (0.04, 0.46), (0.08, 0.26), (0.16, 0.1)], coat.dark)
    pen.stroke([(1.1, 0.06), (0.85, 0.05), (0.7, 0.02)], 0.35, coat.dark)
    pen.dot(0.64, -0.05, 0.035, INK, at_least=0.42)


POSES: tuple[Pose, ...] = (
    Pose(_side, "leaping", (-1.2, -0.5, 1.15, 0.6), 3.0, tilt=(-0.5, 0.5), bend=(0.2, 0.45), fill=(0.8, 1.05)),
    Pose(_side, "submerged", (-1.25, -0.5, 1.15, 0.45), 2.5, tilt=(-0.4, 0.4), bend=(-0.15, 0.2), fill=(0.8, 1.1)),
    Pose(_side, "afloat", (-0.2, -0.55, 1.15, 0.5), 1.0, tilt=(-1.1, -0.55), bend=(0.0, 0.2), fill=(0.7, 0.95)),
    Pose(_side, "afloat", (-1.0, -0.55, 1.15, 0.2), 1.2, tilt=(-0.35, -0.1), bend=(0.1, 0.25), fill=(0.8, 1.05)),
)
