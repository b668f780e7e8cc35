"""Heads of the furred animals, seen from the front or turned to the side."""

from __future__ import annotations

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import INK, WHITE, Coat, Colour, mix, shade


def whiskers(pen: Pen, x: float, y: float, reach: float, rng: np.random.Generator) -> None:
    """Three hairs to each side of the muzzle at (x, y)."""
    colour = mix(WHITE, (200, 200, 195), rng.random())
    for side in (-1, 1):
        for slope in (-0.35, 0.05, 0.45):
            pen.stroke(
                [(x + side * reach * 0.35, y), (x + side * reach, y + slope * reach * 0.6)], 0.28, colour, alpha=0.8
            )


def beaver_face(pen: Pen, coat: Coat, x: float, y: float, radius: float, rng: np.random.Generator) -> None:
    """Small round ears high on the head, a broad muzzle and two long front teeth."""
    for side in (-1, 1):
        pen.dot(x + side * radius * 0.72, y - radius * 0.78, radius * 0.3, coat.dark)
    pen.oval(x, y, radius, radius * 0.95, coat.back)
    for side in (-1, 1):
        pen.dot(x + side * radius * 0.45, y - radius * 0.25, radius * 0.13, INK, at_least=0.5)
    teeth(pen, x, y + radius * 0.6, radius * 0.62, rng)
    pen.oval(x, y + radius * 0.3, radius * 0.56, radius * 0.34, mix(coat.back, coat.belly, 0.5))
    pen.oval(x, y + radius * 0.12, radius * 0.24, radius * 0.15, INK)


def teeth(pen: Pen, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    """Two long front teeth hanging down from (x, y); white to orange, as those of real beavers."""
    colour: Colour = mix(WHITE, (240, 160, 60), rng.uniform(0, 0.9))
    half = size * 0.42
    pen.fin(
        [
            (x - half, y - size * 0.2),
            (x + half, y - size * 0.2),
            (x + half, y + size * 0.75),
            (x - half, y + size * 0.75),
        ],
        colour,
    )
    pen.stroke([(x, y), (x, y + size * 0.75)], 0.25, shade(colour, 0.45))


def otter_face(pen: Pen, coat: Coat, x: float, y: float, radius: float, rng: np.random.Generator) -> None:
    """A flat, wide head: tiny ears low at the sides, pale cheeks, a big nose, whiskers."""
    for side in (-1, 1):
        pen.dot(x + side * radius * 0.98, y - radius * 0.4, radius * 0.24, coat.dark)
    pen.oval(x, y, radius * 1.1, radius * 0.9, coat.back)
    pen.oval(x, y + radius * 0.4, radius * 0.78, radius * 0.5, coat.belly)
    for side in (-1, 1):
        pen.dot(x + side * radius * 0.45, y - radius * 0.2, radius * 0.12, INK, at_least=0.45)
    pen.oval(x, y + radius * 0.18, radius * 0.28, radius * 0.18, INK)
    whiskers(pen, x, y + radius * 0.45, radius * 1.5, rng)


def seal_face(pen: Pen, coat: Coat, x: float, y: float, radius: float, rng: np.random.Generator) -> None:
    """A smooth ball without ears: very large dark eyes, a small nose on two pale cheeks."""
    pen.oval(x, y, radius, radius * 0.95, coat.back)
    for side in (-1, 1):
        pen.dot(x + side * radius * 0.45, y - radius * 0.12, radius * 0.27, INK, at_least=0.8)
        pen.dot(x + side * radius * 0.45 + radius * 0.08, y - radius * 0.22, radius * 0.08, WHITE, at_least=0.22)
        pen.oval(x + side * radius * 0.22, y + radius * 0.45, radius * 0.3, radius * 0.24, coat.belly)
    pen.oval(x, y + radius * 0.26, radius * 0.17, radius * 0.11, INK)
