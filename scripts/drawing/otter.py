"""The otter: long and slender, a long tapering tail, a round head with whiskers, a pale throat."""

from __future__ import annotations

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, Coat, mix, shade
from scripts.drawing.faces import otter_face, whiskers
from scripts.drawing.pose import Pose


def _floating(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """On its back at the surface: face up, paws on the chest, feet and tail sticking out."""
    pen.limb([(-0.8, 0.02), (-1.1, -0.02), (-1.4, -0.12 - rng.uniform(0, 0.15))], [0.26, 0.17, 0.05], coat.dark)
    pen.blob(
        [(0.8, -0.1), (0.4, -0.3), (-0.2, -0.28), (-0.8, -0.14), (-0.95, 0.05), (-0.5, 0.25), (0.5, 0.3), (0.85, 0.1)],
        coat.back,
    )
    pen.blob(
        [(0.7, -0.12), (0.3, -0.25), (-0.2, -0.23), (-0.6, -0.12), (-0.2, -0.05), (0.4, -0.04)],
        mix(coat.back, coat.belly, 0.55),
    )
    for x in (-0.86, -0.66):
        pen.limb([(x, -0.05), (x - 0.04, -0.28), (x - 0.14, -0.42)], [0.14, 0.13, 0.16], coat.dark)
    for x in (0.42, 0.2):
        pen.limb([(x + 0.06, -0.12), (x, -0.32), (x - 0.06, -0.38)], [0.14, 0.12, 0.12], coat.dark)
    if rng.random() < 0.5:
        pen.dot(0.22, -0.4, 0.12, shade(coat.belly, rng.uniform(0.85, 1.1)))
    otter_face(pen, coat, 0.84, -0.26, 0.3, rng)


def _standing(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Upright on its hind legs, the tail lying behind."""
    pen.limb([(-0.1, 0.72), (-0.45, 0.84), (-0.85, 0.78), (-1.05, 0.62)], [0.3, 0.22, 0.13, 0.04], coat.dark)
    pen.blob(
        [(-0.34, 0.9), (-0.38, 0.5), (-0.24, 0.0), (-0.2, -0.5), (0.2, -0.5), (0.26, 0.0), (0.36, 0.5), (0.34, 0.9)],
        coat.back,
    )
    pen.blob(
        [(-0.14, -0.5), (-0.12, 0.0), (-0.16, 0.5), (0.0, 0.7), (0.18, 0.5), (0.16, 0.0), (0.16, -0.5)], coat.belly
    )
    for side in (-1, 1):
        pen.limb([(side * 0.2, -0.2), (side * 0.22, 0.1), (side * 0.06, 0.2)], [0.12, 0.12, 0.12], coat.dark)
        pen.oval(side * 0.24, 0.92, 0.2, 0.08, coat.dark)
    otter_face(pen, coat, 0.0, -0.68, 0.27, rng)


def _profile(pen: Pen, coat: Coat, rng: np.random.Generator, *, x: float, y: float) -> None:
    """A small round head turned to the right, with its pale throat."""
    pen.dot(x - 0.1, y - 0.16, 0.06, coat.dark, at_least=0.55)
    pen.blob(
        [
            (x + 0.3, y + 0.02),
            (x + 0.2, y - 0.1),
            (x, y - 0.2),
            (x - 0.2, y - 0.12),
            (x - 0.22, y + 0.1),
            (x, y + 0.17),
            (x + 0.22, y + 0.12),
        ],
        coat.back,
    )
    pen.blob(
        [
            (x + 0.28, y + 0.04),
            (x + 0.08, y + 0.02),
            (x - 0.12, y + 0.1),
            (x - 0.2, y + 0.22),
            (x, y + 0.2),
            (x + 0.2, y + 0.13),
        ],
        coat.belly,
    )
    pen.dot(x + 0.3, y, 0.05, INK, at_least=0.45)
    pen.dot(x + 0.1, y - 0.05, 0.035, INK, at_least=0.42)
    whiskers(pen, x + 0.24, y + 0.06, 0.22, rng)


def _walking(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """On four short legs, the back arched, the long tail behind."""
    sway = rng.uniform(-0.2, 0.15)
    step = rng.uniform(-0.1, 0.1)
    pen.limb(
        [(-0.5, 0.02), (-0.85, 0.12 + sway * 0.3), (-1.2, 0.14 + sway), (-1.45, 0.05 + sway)],
        [0.3, 0.2, 0.12, 0.03],
        coat.back,
    )
    for x, swing in ((-0.38, -step), (0.46, step)):
        pen.limb([(x, 0.1), (x + swing, 0.32), (x + swing + 0.08, 0.42)], [0.17, 0.12, 0.12], coat.dark)
    pen.blob(
        [
            (0.8, -0.22),
            (0.5, -0.18),
            (0.1, -0.2),
            (-0.3, -0.24),
            (-0.6, -0.1),
            (-0.62, 0.1),
            (-0.3, 0.18),
            (0.2, 0.14),
            (0.6, 0.16),
            (0.84, 0.0),
        ],
        coat.back,
    )
    for x, swing in ((-0.5, step), (0.58, -step)):
        pen.limb([(x, 0.06), (x + swing, 0.32), (x + swing + 0.08, 0.42)], [0.18, 0.13, 0.12], coat.back)
    pen.blob([(0.84, -0.06), (0.62, 0.0), (0.4, 0.12), (0.6, 0.16), (0.8, 0.06)], coat.belly)
    _profile(pen, coat, rng, x=0.92, y=-0.2)


def _diving(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Gliding under water, legs trailing, tail stretched out."""
    sway = rng.uniform(-0.25, 0.25)
    pen.limb([(-0.45, 0.0), (-0.85, 0.04), (-1.2, sway * 0.6), (-1.48, sway)], [0.32, 0.2, 0.12, 0.03], coat.back)
    for x, reach in ((-0.45, 0.38), (0.4, 0.3)):
        pen.limb([(x, 0.05), (x - 0.14, 0.26), (x - 0.34, reach)], [0.18, 0.11, 0.17], coat.dark)
    pen.blob(
        [(0.8, -0.14), (0.4, -0.2), (-0.1, -0.2), (-0.55, -0.14), (-0.55, 0.13), (-0.1, 0.2), (0.4, 0.18), (0.8, 0.12)],
        coat.back,
    )
    for x, reach in ((-0.55, 0.34), (0.55, 0.38)):
        pen.limb([(x, 0.08), (x - 0.06, 0.28), (x - 0.2, reach)], [0.16, 0.11, 0.16], coat.dark)
    pen.blob([(0.84, 0.06), (0.5, 0.06), (0.0, 0.12), (-0.3, 0.15), (0.3, 0.18), (0.7, 0.15)], coat.belly)
    _profile(pen, coat, rng, x=0.88, y=-0.04)


POSES: tuple[Pose, ...] = (
    Pose(_floating, "afloat", (-1.4, -0.6, 1.2, 0.25), 2.5, tilt=(-0.12, 0.12), bend=(-0.12, 0.0), fill=(0.8, 1.05)),
    Pose(_standing, "ashore", (-1.0, -1.0, 0.5, 1.0), 2.0, tilt=(-0.12, 0.12), bend=(0.0, 0.0), fill=(0.75, 1.0)),
    Pose(_walking, "ashore", (-1.4, -0.5, 1.25, 0.45), 2.5, tilt=(-0.15, 0.15), bend=(0.0, 0.2), fill=(0.8, 1.05)),
    Pose(_diving, "submerged", (-1.4, -0.35, 1.25, 0.4), 2.0, tilt=(-0.4, 0.4), bend=(-0.2, 0.25), fill=(0.8, 1.05)),
)
