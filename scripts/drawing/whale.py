"""The whale: huge and dark, a blunt head, a pleated throat, a spout, broad flukes."""

from __future__ import annotations

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, WHITE, Coat, mix
from scripts.drawing.pose import Pose


def _body(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """The trunk from the blunt head to where the tail begins, with throat, pleats, mouth, eye and flipper."""
    blunt = rng.uniform(0.0, 0.12)
    pen.blob(
        [
            (1.02 + blunt, 0.02), (1.0 + blunt, -0.24), (0.82 + blunt, -0.42), (0.35, -0.48), (-0.15, -0.42),
            (-0.55, -0.25), (-0.9, -0.1), (-0.9, 0.08), (-0.55, 0.2), (-0.1, 0.36), (0.4, 0.44), (0.85, 0.32),
        ],
        coat.back,
    )  # fmt: skip
    if rng.random() < 0.85:
        pen.blob(
            [
                (1.02, 0.06),
                (0.75, 0.1),
                (0.4, 0.14),
                (0.0, 0.22),
                (-0.35, 0.27),
                (-0.1, 0.36),
                (0.4, 0.44),
                (0.85, 0.33),
            ],
            coat.belly,
        )
        for share in (0.25, 0.5, 0.75):
            dip = 0.24 * share
            pen.stroke([(0.98, 0.1 + dip * 0.7), (0.5, 0.15 + dip), (0.02, 0.23 + dip * 0.4)], 0.35, coat.dark)
    pen.stroke([(1.02 + blunt, 0.03), (0.72, 0.07), (0.5, 0.14)], 0.45, coat.dark)
    pen.dot(0.5, 0.02, 0.035, INK, at_least=0.4)
    pen.dot(0.51, 0.0, 0.012, WHITE, at_least=0.14)


def _flukes(pen: Pen, coat: Coat, *, x: float, y: float, size: float) -> None:
    """Broad two-lobed flukes seen from behind, joined at (x, y) and spreading upwards."""
    shape = [
        (0.0, 0.1), (-0.12, -0.12), (-0.5, -0.3), (-0.9, -0.22), (-0.82, -0.42), (-0.45, -0.52), (-0.12, -0.42),
        (0.0, -0.3), (0.12, -0.42), (0.45, -0.52), (0.82, -0.42), (0.9, -0.22), (0.5, -0.3), (0.12, -0.12),
    ]  # fmt: skip
    pen.fin([(x + a * size, y + b * size) for a, b in shape], coat.dark)


def _spout(pen: Pen, x: float, y: float, rng: np.random.Generator) -> None:
    """A blown fountain that spreads to both sides."""
    colour = mix(WHITE, (170, 205, 225), rng.uniform(0, 0.6))
    height = rng.uniform(0.4, 0.6)
    for lean in (-1, 1):
        spine = [
            (x, y),
            (x + lean * 0.08, y - height * 0.8),
            (x + lean * 0.28, y - height),
            (x + lean * 0.42, y - height * 0.6),
        ]
        pen.limb(spine, [0.09, 0.12, 0.13, 0.05], colour)
    for _ in range(4):
        pen.dot(x + rng.normal(0, 0.22), y - height * rng.uniform(0.7, 1.2), 0.04, colour, at_least=0.3)


def _side(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    lift = rng.uniform(0.1, 0.4)
    pen.limb([(-0.55, 0.0), (-0.9, -0.02 - lift * 0.3), (-1.12, -lift)], [0.46, 0.2, 0.12], coat.back)
    pen.fin(
        [
            (-1.08, -lift + 0.08),
            (-1.2, -lift - 0.3),
            (-1.0, -lift - 0.42),
            (-1.14, -lift - 0.06),
            (-1.45, -lift - 0.12),
            (-1.36, -lift + 0.12),
        ],
        coat.dark,
    )
    pen.fin([(-0.35, -0.3), (-0.52, -0.46), (-0.55, -0.22)], coat.dark)
    _body(pen, coat, rng)
    reach = rng.uniform(0.3, 0.55)
    pen.limb([(0.3, 0.24), (0.12, 0.24 + reach * 0.6), (-0.12, 0.24 + reach)], [0.2, 0.17, 0.06], coat.dark)


def _surfacing(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """The back and head above the water, the spout blowing and the tail raised behind."""
    height = rng.uniform(0.28, 0.5)
    pen.limb([(-0.7, 0.2), (-1.0, 0.0), (-1.1, -height)], [0.4, 0.22, 0.12], coat.back)
    _flukes(pen, coat, x=-1.1, y=-height, size=0.5)
    _body(pen, coat, rng)
    _spout(pen, 0.45, -0.46, rng)


def _diving(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Nothing but the tail, upright, flukes spread."""
    pen.limb([(0.0, 0.4), (0.0, 0.0), (0.02, -0.35), (0.0, -0.6)], [0.8, 0.52, 0.26, 0.16], coat.back)
    _flukes(pen, coat, x=0.0, y=-0.6, size=1.1)
    pen.stroke([(0.02, 0.0), (0.02, -0.6)], 0.4, coat.dark)


def _breaching(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Bursting upright out of the water: the body is painted lying and turned by the pose's tilt."""
    spread = rng.uniform(-0.15, 0.15)
    pen.limb([(0.35, -0.25), (0.32, -0.62), (0.4 + spread, -0.95)], [0.2, 0.22, 0.06], coat.dark)
    _body(pen, coat, rng)
    pen.limb([(0.38, 0.25), (0.3, 0.62), (0.36 - spread, 0.95)], [0.2, 0.24, 0.06], coat.dark)


POSES: tuple[Pose, ...] = (
    Pose(_side, "submerged", (-1.4, -0.7, 1.1, 0.65), 2.5, tilt=(-0.35, 0.35), bend=(-0.1, 0.15), fill=(0.85, 1.1)),
    Pose(_surfacing, "afloat", (-1.45, -1.0, 1.1, 0.15), 2.5, tilt=(-0.1, 0.05), fill=(0.8, 1.1)),
    Pose(_diving, "afloat", (-1.0, -1.15, 1.0, 0.15), 1.5, tilt=(-0.3, 0.3), bend=(0.0, 0.15), fill=(0.55, 0.95)),
    Pose(_breaching, "afloat", (-0.1, -0.8, 1.1, 0.8), 1.3, tilt=(-1.5, -1.0), bend=(-0.1, 0.1), fill=(0.7, 1.0)),
)
