"""The beaver: chunky, with a flat cross-hatched paddle of a tail, round ears and long front teeth."""

from __future__ import annotations

import math

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, Coat, Colour, mix, shade
from scripts.drawing.faces import beaver_face, teeth
from scripts.drawing.pose import Pose

_HIDE: Colour = (66, 56, 54)


def _paddle(pen: Pen, coat: Coat, *, x: float, y: float, turn: float, size: float = 1.0) -> None:
    """The tail: joined to the body at (x, y), a flat oval that points left, turned clockwise by ``turn`` radians."""
    hide = mix(coat.dark, _HIDE, 0.6)
    cosine, sine = math.cos(turn), math.sin(turn)

    def at(a: float, b: float) -> tuple[float, float]:
        a, b = a * size, b * size
        return x + a * cosine - b * sine, y + a * sine + b * cosine

    pen.blob(
        [
            at(0.1, -0.09),
            at(-0.2, -0.18),
            at(-0.55, -0.25),
            at(-0.86, -0.14),
            at(-0.92, 0.06),
            at(-0.7, 0.22),
            at(-0.3, 0.2),
            at(0.1, 0.1),
        ],
        hide,
    )
    pale = shade(hide, 1.75)
    for a in (-0.25, -0.45, -0.65):
        pen.stroke([at(a - 0.1, -0.18), at(a + 0.1, 0.18)], 0.22, pale)
        pen.stroke([at(a + 0.1, -0.18), at(a - 0.1, 0.18)], 0.22, pale)


def _profile(pen: Pen, coat: Coat, rng: np.random.Generator, *, x: float, y: float) -> None:
    """A big head turned to the right, ear on top, teeth below the muzzle."""
    pen.blob(
        [
            (x + 0.44, y + 0.06),
            (x + 0.3, y - 0.16),
            (x, y - 0.32),
            (x - 0.3, y - 0.2),
            (x - 0.32, y + 0.18),
            (x, y + 0.32),
            (x + 0.34, y + 0.22),
        ],
        coat.back,
    )
    teeth(pen, x + 0.34, y + 0.24, 0.22, rng)
    pen.blob(
        [(x + 0.46, y + 0.04), (x + 0.26, y - 0.06), (x + 0.12, y + 0.1), (x + 0.24, y + 0.24), (x + 0.42, y + 0.2)],
        mix(coat.back, coat.belly, 0.5),
    )
    pen.dot(x + 0.44, y + 0.02, 0.07, INK, at_least=0.5)
    pen.dot(x + 0.14, y - 0.1, 0.05, INK, at_least=0.5)
    pen.dot(x - 0.14, y - 0.28, 0.13, coat.dark, at_least=0.7)


def _stick(pen: Pen, rng: np.random.Generator, *, x: float, y: float) -> None:
    wood = mix((140, 100, 60), (205, 180, 130), rng.random())
    lean = rng.uniform(-0.3, 0.3)
    pen.limb([(x - 0.3, y + lean * 0.5), (x + 0.35, y - lean * 0.5)], [0.1, 0.1], wood)


def _sitting(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """On its haunches, seen from the side, the tail stretched out behind."""
    _paddle(pen, coat, x=-0.42, y=0.42, turn=rng.uniform(-0.1, 0.5))
    pen.blob(
        [(0.36, 0.55), (0.46, 0.1), (0.4, -0.3), (0.05, -0.5), (-0.35, -0.3), (-0.58, 0.15), (-0.45, 0.56)], coat.back
    )
    pen.blob([(0.38, 0.45), (0.44, 0.1), (0.36, -0.15), (0.2, 0.0), (0.18, 0.35)], mix(coat.back, coat.belly, 0.5))
    pen.oval(-0.14, 0.34, 0.28, 0.24, shade(coat.back, 0.85))
    pen.oval(0.14, 0.58, 0.3, 0.09, coat.dark)
    if rng.random() < 0.5:
        _stick(pen, rng, x=0.6, y=0.12)
    pen.limb([(0.2, -0.02), (0.42, 0.14), (0.58, 0.08)], [0.18, 0.14, 0.13], coat.dark)
    _profile(pen, coat, rng, x=0.36, y=-0.46)


def _walking(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """On four short legs, low and round."""
    _paddle(pen, coat, x=-0.62, y=0.18, turn=rng.uniform(-0.4, 0.35), size=0.9)
    for x in (-0.32, 0.42):
        pen.limb([(x, 0.2), (x + 0.04, 0.44), (x + 0.14, 0.48)], [0.2, 0.15, 0.12], coat.dark)
    pen.blob(
        [
            (0.72, -0.1),
            (0.45, -0.36),
            (0.0, -0.48),
            (-0.45, -0.36),
            (-0.72, 0.0),
            (-0.62, 0.28),
            (-0.1, 0.38),
            (0.4, 0.34),
            (0.7, 0.2),
        ],
        coat.back,
    )
    for x in (-0.46, 0.3):
        pen.limb([(x, 0.2), (x, 0.44), (x + 0.12, 0.5)], [0.24, 0.17, 0.12], coat.dark)
    _profile(pen, coat, rng, x=0.76, y=-0.14)


def _facing(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Sitting upright and looking at us, the tail to one side."""
    _paddle(pen, coat, x=-0.36, y=0.6, turn=rng.uniform(0.0, 0.9), size=0.95)
    pen.blob([(-0.46, 0.8), (-0.58, 0.35), (-0.4, -0.2), (0.4, -0.2), (0.58, 0.35), (0.46, 0.8)], coat.back)
    pen.oval(0.0, 0.36, 0.32, 0.36, mix(coat.back, coat.belly, 0.5))
    for side in (-1, 1):
        pen.oval(side * 0.3, 0.82, 0.22, 0.1, coat.dark)
        pen.limb([(side * 0.42, 0.0), (side * 0.38, 0.26), (side * 0.14, 0.28)], [0.16, 0.15, 0.14], coat.dark)
    if rng.random() < 0.4:
        _stick(pen, rng, x=0.0, y=0.3)
    beaver_face(pen, coat, 0.0, -0.42, 0.44, rng)


def _swimming(pen: Pen, coat: Coat, rng: np.random.Generator) -> None:
    """Head and back above the water, the tail raised for a slap."""
    _paddle(pen, coat, x=-0.6, y=0.02, turn=rng.uniform(0.35, 1.0))
    pen.blob(
        [(0.6, 0.2), (0.5, -0.12), (0.1, -0.26), (-0.4, -0.22), (-0.75, 0.05), (-0.6, 0.3), (0.3, 0.35)], coat.back
    )
    _profile(pen, coat, rng, x=0.68, y=-0.22)


POSES: tuple[Pose, ...] = (
    Pose(_sitting, "ashore", (-1.3, -0.85, 0.85, 0.68), 2.5, tilt=(-0.15, 0.15), fill=(0.75, 1.0)),
    Pose(_walking, "ashore", (-1.4, -0.55, 1.25, 0.5), 2.0, tilt=(-0.15, 0.15), fill=(0.8, 1.05)),
    Pose(_facing, "ashore", (-1.05, -0.95, 0.65, 0.92), 2.0, tilt=(-0.12, 0.12), bend=(0.0, 0.0), fill=(0.7, 1.0)),
    Pose(_swimming, "afloat", (-1.4, -0.85, 1.2, 0.2), 1.8, tilt=(-0.12, 0.05), fill=(0.8, 1.05)),
    Pose(_walking, "submerged", (-1.4, -0.55, 1.25, 0.5), 0.9, tilt=(-0.35, 0.35), fill=(0.8, 1.05)),
)
