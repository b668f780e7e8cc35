"""The seal: a fat torpedo with flippers instead of legs, no ears, large dark eyes, often spotted."""

from __future__ import annotations

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, WHITE, Coat, mix
from scripts.drawing.faces import seal_face, whiskers
from scripts.drawing.pose import Pose


def _spots(pen: Pen, coat: Coat, rng: np.random.Generator, *, within: tuple[float, float, float, float]) -> None:
    """Spots over a box, on most animals."""
    if rng.random() < 0.2:
        return
    left, top, right, bottom = within
    for _ in range(rng.integers(6, 14)):
        pen.dot(rng.uniform(left, right), rng.uniform(top, bottom), rng.uniform(0.03, 0.065), coat.dark, alpha=0.75)


def _hind_flippers(pen: Pen, coat: Coat, x: float, y: float) -> None:
    pen.blob([(x + 0.14, y - 0.06), (x - 0.16, y - 0.26), (x - 0.3, y - 0.2), (x - 0.1, y)], coat.dark)
    pen.blob([(x + 0.14, y - 0.02), (x - 0.22, y - 0.06), (x - 0.34, y + 0.08), (x - 0.06, y + 0.08)], coat.dark)


def _lying(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """On its belly, head raised, seen from the side."""
    rise = rng.uniform(-0.05, 0.2)
    _hind_flippers(pen, coat, -0.98, 0.08)
    pen.blob(
        [
            (1.02, -0.3 - rise), (0.94, -0.5 - rise), (0.74, -0.58 - rise), (0.54, -0.46 - rise * 0.7), (0.2, -0.36),
            (-0.3, -0.3), (-0.75, -0.08), (-1.02, 0.06), (-0.95, 0.16), (-0.4, 0.29), (0.2, 0.33), (0.62, 0.24),
            (0.78, -0.06), (0.92, -0.2 - rise),
        ],
        coat.back,
    )  # fmt: skip
    pen.blob(
        [(0.7, -0.1), (0.3, 0.1), (-0.3, 0.14), (-0.6, 0.18), (-0.4, 0.28), (0.2, 0.32), (0.6, 0.24)],
        mix(coat.back, coat.belly, 0.6),
    )
    _spots(pen, coat, rng, within=(-0.6, -0.22, 0.5, 0.2))
    pen.blob([(0.4, 0.08), (0.55, 0.36), (0.34, 0.44), (0.14, 0.36), (0.2, 0.1)], coat.dark)
    pen.oval(0.94, -0.32 - rise, 0.12, 0.09, coat.belly)
    pen.dot(1.02, -0.36 - rise, 0.05, INK, at_least=0.45)
    pen.dot(0.8, -0.42 - rise, 0.075, INK, at_least=0.75)
    whiskers(pen, 0.96, -0.28 - rise, 0.18, rng)


def _swimming(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Stretched out under water."""
    _hind_flippers(pen, coat, -0.98, 0.0)
    pen.blob(
        [
            (1.0, -0.02), (0.92, -0.18), (0.72, -0.24), (0.5, -0.22), (0.15, -0.34), (-0.3, -0.28), (-0.75, -0.12),
            (-1.02, 0.0), (-0.75, 0.12), (-0.3, 0.3), (0.15, 0.34), (0.5, 0.2), (0.75, 0.16), (0.93, 0.1),
        ],
        coat.back,
    )  # fmt: skip
    pen.blob(
        [(0.6, 0.12), (0.2, 0.16), (-0.3, 0.16), (-0.7, 0.1), (-0.3, 0.29), (0.15, 0.33)],
        mix(coat.back, coat.belly, 0.6),
    )
    _spots(pen, coat, rng, within=(-0.6, -0.2, 0.45, 0.2))
    pen.blob([(0.38, 0.1), (0.3, 0.4), (0.08, 0.58), (0.02, 0.4), (0.16, 0.1)], coat.dark)
    pen.oval(0.92, 0.03, 0.11, 0.08, coat.belly)
    pen.dot(1.0, -0.02, 0.045, INK, at_least=0.45)
    pen.dot(0.76, -0.06, 0.075, INK, at_least=0.75)
    whiskers(pen, 0.94, 0.05, 0.17, rng)


def _head(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Head and neck out of the water, looking at us."""
    pen.blob([(-0.55, 0.5), (-0.5, 0.0), (-0.38, -0.5), (0.38, -0.5), (0.5, 0.0), (0.55, 0.5)], coat.back)
    pen.blob([(-0.2, 0.4), (-0.2, -0.1), (0.2, -0.1), (0.2, 0.4)], mix(coat.back, coat.belly, 0.5))
    _spots(pen, coat, rng, within=(-0.35, -0.15, 0.35, 0.1))
    seal_face(pen, coat, 0.0, -0.5, 0.5, rng)
    whiskers(pen, 0.0, -0.27, 0.55, rng)


def _facing(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Lying on land with its head towards us, the round body behind."""
    pen.blob([(-0.9, 0.3), (-0.98, 0.12), (-1.2, -0.06), (-1.0, -0.12), (-0.8, 0.0)], coat.dark)
    pen.blob(
        [(-1.0, 0.2), (-0.75, -0.15), (-0.2, -0.42), (0.4, -0.4), (0.75, 0.0), (0.7, 0.4), (0.0, 0.48), (-0.7, 0.42)],
        coat.back,
    )
    _spots(pen, coat, rng, within=(-0.7, -0.2, 0.1, 0.3))
    pen.blob([(0.82, 0.2), (1.1, 0.4), (0.95, 0.5), (0.6, 0.42)], coat.dark)
    pen.blob([(0.0, 0.22), (-0.26, 0.46), (-0.05, 0.53), (0.22, 0.4)], coat.dark)
    lit = Coat(mix(coat.back, WHITE, 0.12), coat.belly, coat.dark)
    seal_face(pen, lit, 0.42, -0.05, 0.42, rng)


POSES: tuple[Pose, ...] = (
    Pose(_lying, "ashore", (-1.3, -0.75, 1.1, 0.42), 3.0, tilt=(-0.12, 0.12), bend=(-0.22, 0.0), fill=(0.8, 1.05)),
    Pose(_swimming, "submerged", (-1.3, -0.4, 1.05, 0.6), 2.0, tilt=(-0.4, 0.4), bend=(-0.15, 0.2), fill=(0.8, 1.05)),
    Pose(_head, "afloat", (-0.75, -1.0, 0.75, 0.15), 1.8, tilt=(-0.2, 0.2), bend=(0.0, 0.0), fill=(0.55, 0.9)),
    Pose(_facing, "ashore", (-1.15, -0.5, 1.1, 0.52), 1.5, tilt=(-0.1, 0.1), fill=(0.7, 0.95)),
)
