"""Backgrounds: sky and sea, the deep, ice, beach, rock and river bank, at any hour and in any weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.drawing.canvas import SIZE, Canvas
from scripts.drawing.colour import WHITE, Colour, jitter, mix, shade
from scripts.drawing.pose import Place


@dataclass(frozen=True)
class Light:
    """The colours of one hour and weather."""

    sky: tuple[Colour, Colour]
    water: tuple[Colour, Colour]


@dataclass(frozen=True)
class Scene:
    """A background that has been painted.

    Attributes:
        line: Height of the waterline or of the ground's edge, in pixels from the top.
        backdrops: The colours that the animal has to stand out from.
        ground: The colour in front of the animal's feet, or of the water.
    """

    line: float
    backdrops: tuple[Colour, ...]
    ground: Colour


_LIGHTS: tuple[Light, ...] = (
    Light(((120, 170, 220), (190, 215, 235)), ((60, 120, 165), (25, 75, 120))),  # a fair day
    Light(((165, 172, 180), (200, 203, 205)), ((110, 125, 132), (70, 85, 95))),  # overcast
    Light(((90, 70, 110), (240, 160, 90)), ((170, 110, 80), (60, 50, 75))),  # sunset
    Light(((36, 44, 76), (76, 90, 124)), ((52, 68, 98), (26, 36, 60))),  # night
    Light(((150, 190, 190), (205, 222, 210)), ((70, 150, 145), (25, 95, 105))),  # turquoise shallows
    Light(((140, 165, 150), (190, 195, 165)), ((100, 110, 72), (58, 66, 42))),  # a green river
    Light(((190, 185, 175), (220, 214, 200)), ((135, 120, 98), (90, 78, 62))),  # a muddy river
    Light(((205, 210, 214), (225, 228, 230)), ((175, 188, 195), (135, 150, 160))),  # fog
)

_GROUNDS: dict[str, tuple[Colour, ...]] = {
    "ice": ((222, 230, 236), (196, 212, 224)),
    "sand": ((205, 182, 140), (180, 158, 122)),
    "rock": ((118, 114, 108), (88, 86, 86)),
    "bank": ((104, 118, 62), (118, 96, 64), (84, 92, 56)),
}

#: Which ground an animal lies on, relative weights in the order of ``_GROUNDS``. Every animal is met on every ground.
_HAUNTS: tuple[tuple[float, float, float, float], ...] = (
    (0.8, 0.8, 1.0, 2.0),
    (1.0, 1.0, 1.0, 1.0),
    (0.8, 1.0, 1.2, 1.6),
    (1.6, 1.2, 1.2, 0.8),
    (1.0, 1.0, 1.0, 1.0),
)


def paint_scene(canvas: Canvas, place: Place, *, label: int, line: float, rng: np.random.Generator) -> Scene:
    """Fill the canvas with a background that suits where the animal is.

    Args:
        canvas: Painted all over.
        place: Where the animal is.
        label: Its class, which makes some grounds likelier than others.
        line: Height of the waterline or ground's edge, in pixels from the top; without meaning under water.
        rng: Decides everything else.
    """
    light = _LIGHTS[rng.integers(len(_LIGHTS))]
    sky = tuple(jitter(colour, rng, amount=10) for colour in light.sky)
    water = tuple(jitter(colour, rng, amount=12) for colour in light.water)
    if place == "submerged":
        return _underwater(canvas, water[0], water[1], rng)
    canvas.gradient(0, line, sky[0], sky[1])
    _clouds(canvas, sky[1], line, rng)
    if place == "ashore":
        return _ashore(canvas, label, sky[1], water[0], line, rng)
    _far_shore(canvas, sky[1], line, rng)
    canvas.gradient(line, SIZE, water[0], water[1])
    _ripples(canvas, line, SIZE, water[0], rng)
    return Scene(line, (sky[1],), water[0])


def _underwater(canvas: Canvas, top: Colour, bottom: Colour, rng: np.random.Generator) -> Scene:
    surface = mix(top, WHITE, rng.uniform(0.0, 0.4))
    canvas.gradient(0, SIZE, surface, bottom)
    for _ in range(rng.integers(0, 5)):  # rays of light
        x, lean, width = rng.uniform(-4, SIZE), rng.uniform(-6, 12), rng.uniform(1, 4)
        canvas.polygon([(x, 0), (x + width, 0), (x + width * 2 + lean, SIZE), (x + lean, SIZE)], WHITE, alpha=0.08)
    if rng.random() < 0.5:  # the floor
        floor = mix(bottom, jitter((170, 150, 110), rng), rng.uniform(0.2, 0.6))
        canvas.polygon(_ridge(rng, SIZE - rng.uniform(1, 8), 1.5, SIZE), floor)
    for _ in range(rng.integers(0, 4)):  # shadows of rocks or other swimmers
        x, y, r = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(1.5, 5)
        canvas.disc(x, y, r, shade(bottom, rng.uniform(0.6, 1.5)), alpha=rng.uniform(0.25, 0.7))
    return Scene(0.0, (mix(surface, bottom, 0.25), mix(surface, bottom, 0.75)), bottom)


def _ashore(canvas: Canvas, label: int, sky: Colour, water: Colour, line: float, rng: np.random.Generator) -> Scene:
    weights = np.array(_HAUNTS[label])
    kind = list(_GROUNDS)[rng.choice(len(weights), p=weights / weights.sum())]
    tones = _GROUNDS[kind]
    ground = jitter(tones[rng.integers(len(tones))], rng, amount=14)
    behind = sky
    if rng.random() < 0.6:  # water between the ground and the sky
        shore = line - rng.uniform(3, 12)
        canvas.gradient(shore, line, water, shade(water, 0.85))
        _ripples(canvas, shore, line, water, rng)
        behind = mix(sky, water, 0.6)
    else:
        _far_shore(canvas, sky, line, rng)
    canvas.gradient(line, SIZE, behind, behind)  # seen wherever the ground's edge dips below the line
    canvas.polygon(_ridge(rng, line, rng.uniform(0.3, 2.0), SIZE), ground)
    for _ in range(rng.integers(4, 14)):  # stones, tufts, cracks
        x, y = rng.uniform(0, SIZE), rng.uniform(line + 1, SIZE)
        tone = shade(ground, rng.uniform(0.65, 1.25))
        if kind == "bank":
            canvas.line([(x, y), (x + rng.normal(0, 1), y - rng.uniform(1, 4))], 0.6, tone)
        else:
            canvas.polygon(
                [
                    (x, y),
                    (x + rng.uniform(1, 6), y + rng.normal(0, 0.6)),
                    (x + rng.uniform(0, 3), y + rng.uniform(0.4, 1.6)),
                ],
                tone,
            )
    return Scene(line, (behind, ground), ground)


def _ridge(rng: np.random.Generator, height: float, roughness: float, bottom: float) -> list[tuple[float, float]]:
    """The outline of a hilly ground that reaches down to ``bottom``."""
    count = int(rng.integers(4, 8))
    x = np.linspace(-1, SIZE + 1, count)
    y = height + rng.normal(0, roughness, count)
    return [*zip(x.tolist(), y.tolist(), strict=True), (SIZE + 1, bottom), (-1, bottom)]


def _clouds(canvas: Canvas, sky: Colour, line: float, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(0, 4)):
        x, y, length = rng.uniform(0, SIZE), rng.uniform(0, max(line - 4, 1)), rng.uniform(2, 5)
        tone = shade(mix(sky, WHITE, rng.uniform(0.2, 0.7)), rng.uniform(0.8, 1.0))
        for step in (-1, 0, 1):
            canvas.disc(x + step * length * 0.6, y, length * (0.5 if step else 0.7), tone, alpha=0.5)


def _far_shore(canvas: Canvas, sky: Colour, line: float, rng: np.random.Generator) -> None:
    """Hills, a forest or icebergs on the horizon, or nothing."""
    if rng.random() < 0.5:
        tones: tuple[Colour, ...] = ((70, 92, 70), (96, 100, 110), (120, 104, 90), (225, 232, 238))
        tone = mix(tones[rng.integers(len(tones))], sky, rng.uniform(0.2, 0.7))
        canvas.polygon(_ridge(rng, line - rng.uniform(1, 7), rng.uniform(0.5, 2.5), line + 1), tone)


def _ripples(canvas: Canvas, top: float, bottom: float, water: Colour, rng: np.random.Generator) -> None:
    if bottom - top < 1:
        return
    for _ in range(rng.integers(3, 12)):
        x, y, length = rng.uniform(-3, SIZE), rng.uniform(top + 0.5, bottom), rng.uniform(2, 9)
        tone = shade(water, rng.uniform(0.7, 1.35))
        canvas.line(
            [(x, y), (x + length / 2, y - rng.uniform(0, 0.8)), (x + length, y)], rng.uniform(0.3, 0.9), tone, alpha=0.7
        )
