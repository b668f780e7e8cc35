"""What lies in front of an animal: the water it floats in, and things that hide a part of it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from scripts.drawing.canvas import SIZE, Canvas
from scripts.drawing.colour import WHITE, Colour, jitter, mix, shade
from scripts.drawing.pose import Place
from scripts.drawing.scenes import Scene


def flood(canvas: Canvas, empty: Image.Image, scene: Scene, rng: np.random.Generator) -> None:
    """Hide what lies below the waterline behind the water of the empty scene; a little may shine through."""
    x = np.linspace(-1, SIZE + 1, 24)
    height = rng.uniform(0.1, 0.8)
    y = scene.line + height * np.sin(x * rng.uniform(0.3, 0.9) + rng.uniform(0, 2 * math.pi))
    outline = np.concatenate([np.stack([x, y], axis=1), [(SIZE + 1, SIZE + 1), (-1, SIZE + 1)]])
    canvas.cover(empty, outline, alpha=rng.uniform(0.8, 1.0))
    if rng.random() < 0.7:  # foam where the animal breaks the surface
        for _ in range(rng.integers(2, 6)):
            left = rng.uniform(4, SIZE - 8)
            level = scene.line + rng.uniform(-0.3, 1.0)
            tone = mix(scene.ground, WHITE, rng.uniform(0.3, 0.8))
            canvas.line([(left, level), (left + rng.uniform(2, 6), level)], rng.uniform(0.4, 0.9), tone, alpha=0.8)


def splash(canvas: Canvas, x: float, scene: Scene, rng: np.random.Generator) -> None:
    """Spray thrown up from the water below a leaping animal."""
    tone = mix(scene.ground, WHITE, rng.uniform(0.5, 0.9))
    for _ in range(rng.integers(5, 14)):
        canvas.disc(
            x + rng.normal(0, 3.5), scene.line - abs(rng.normal(0, 2.5)), rng.uniform(0.25, 0.9), tone, alpha=0.85
        )


def obstruct(canvas: Canvas, place: Place, scene: Scene, rng: np.random.Generator) -> None:
    """Put at most two things in front of the animal, chosen from those that are met at such a place."""
    for _ in range(rng.choice(3, p=(0.45, 0.41, 0.14))):
        if place == "submerged":
            thing = (_stems, _bubbles, _lump, _bubbles)[rng.integers(4)]
        elif place == "ashore":
            thing = (_stems, _lump, _post, _flakes)[rng.integers(4)]
        else:
            thing = (_wave, _lump, _stems, _flakes, _post)[rng.integers(5)]
        thing(canvas, scene, rng)


def _stems(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Reeds or seaweed, growing from the bottom edge."""
    tones: tuple[Colour, ...] = ((86, 112, 52), (140, 124, 64), (60, 84, 58), (104, 70, 46))
    tone = jitter(tones[rng.integers(len(tones))], rng)
    root = rng.uniform(0, SIZE)
    for _ in range(rng.integers(2, 7)):
        x, lean, top = root + rng.normal(0, 4), rng.normal(0, 3), rng.uniform(6, 22)
        canvas.line(
            [(x, SIZE), (x + lean * 0.3, (SIZE + top) / 2), (x + lean, top)],
            rng.uniform(0.5, 1.3),
            shade(tone, rng.uniform(0.8, 1.2)),
        )


def _lump(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A rock, an ice floe or a mound that juts in from a lower corner."""
    tones: tuple[Colour, ...] = ((110, 106, 102), (72, 70, 72), (222, 230, 236), scene.ground)
    tone = jitter(tones[rng.integers(len(tones))], rng)
    x = rng.uniform(-2, 9) if rng.random() < 0.5 else SIZE - rng.uniform(-2, 9)
    wide, high = rng.uniform(4, 9), rng.uniform(4, 12)
    corners = [
        (x - wide, SIZE + 1),
        (x - wide * 0.7, SIZE - high * 0.7),
        (x - wide * 0.1, SIZE - high),
        (x + wide * 0.6, SIZE - high * 0.6),
        (x + wide, SIZE + 1),
    ]
    canvas.polygon(corners, tone)
    canvas.polygon([corners[1], corners[2], (x, SIZE - high * 0.5)], shade(tone, 1.2))


def _post(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A trunk, a branch or a rope across the picture."""
    tones: tuple[Colour, ...] = ((92, 74, 56), (60, 52, 46), (150, 140, 124))
    tone = jitter(tones[rng.integers(len(tones))], rng)
    width = rng.uniform(0.8, 2.4)
    if rng.random() < 0.5:
        x = rng.uniform(0, SIZE)
        canvas.line([(x, -1), (x + rng.normal(0, 4), SIZE + 1)], width, tone)
    else:
        y = rng.uniform(0, SIZE)
        canvas.line([(-1, y), (SIZE + 1, y + rng.normal(0, 7))], width, tone)


def _wave(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A crest that rolls before the animal."""
    x, wide, high = rng.uniform(0, SIZE), rng.uniform(5, 12), rng.uniform(1.5, 5)
    base = scene.line + rng.uniform(0.5, 3)
    crest = [
        (x - wide, base),
        (x - wide * 0.3, base - high * 0.7),
        (x, base - high),
        (x + wide * 0.4, base - high * 0.6),
        (x + wide, base),
    ]
    canvas.polygon([*crest, (x, base + 1.5)], shade(scene.ground, rng.uniform(0.85, 1.1)), alpha=0.9)
    canvas.line(crest[1:4], 0.6, mix(scene.ground, WHITE, 0.7), alpha=0.9)


def _bubbles(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    x, y = rng.uniform(4, SIZE - 4), rng.uniform(4, SIZE)
    for _ in range(rng.integers(3, 9)):
        canvas.disc(x + rng.normal(0, 3), y - rng.uniform(0, 12), rng.uniform(0.3, 1.1), WHITE, alpha=0.5)


def _flakes(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Snow, spray, or leaves in the air."""
    tones: tuple[Colour, ...] = (WHITE, (190, 140, 70), (90, 110, 60))
    tone = tones[rng.choice(3, p=(0.7, 0.15, 0.15))]
    for _ in range(rng.integers(8, 26)):
        canvas.disc(rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(0.25, 0.6), tone, alpha=0.8)
