"""Painting at several times the final size, in the final picture's or in an animal's own coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from scripts.drawing.colour import Colour
from scripts.drawing.curves import closed_curve, open_curve, ribbon

#: Height and width of a finished picture in pixels.
SIZE = 32

#: Painted pixels for each finished pixel, along each axis.
OVERSAMPLING = 6


class Canvas:
    """A picture under work. All coordinates are finished pixels, 0 to :data:`SIZE`, x to the right and y downwards."""

    def __init__(self) -> None:
        side = SIZE * OVERSAMPLING
        self.image = Image.new("RGB", (side, side))
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour) -> None:
        """Fill the full width from ``top`` to ``bottom`` with colours that run from the first to the last."""
        start, stop = (min(max(round(y * OVERSAMPLING), 0), self.image.height) for y in (top, bottom))
        if stop <= start:
            return
        share = np.linspace(0, 1, stop - start)[:, None]
        column = np.rint(np.array(first) * (1 - share) + np.array(last) * share).astype(np.uint8)
        strip = Image.fromarray(np.ascontiguousarray(column[:, None, :]))
        self.image.paste(strip.resize((self.image.width, stop - start), Image.Resampling.NEAREST), (0, start))

    def polygon(self, points: ArrayLike, colour: Colour, *, alpha: float = 1.0) -> None:
        """Fill the polygon with these corners, shape (n, 2); ``alpha`` is its opacity, 0 to 1."""
        corners = (np.asarray(points, dtype=np.float64) * OVERSAMPLING).ravel().tolist()
        self._draw.polygon(corners, fill=(*colour, round(255 * alpha)))

    def line(self, points: ArrayLike, width: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """A line of this width through these points."""
        corners = (np.asarray(points, dtype=np.float64) * OVERSAMPLING).ravel().tolist()
        thickness = max(1, round(width * OVERSAMPLING))
        self._draw.line(corners, fill=(*colour, round(255 * alpha)), width=thickness, joint="curve")

    def disc(self, x: float, y: float, radius: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """A filled circle."""
        box = [(v + d) * OVERSAMPLING for d in (-radius, radius) for v in (x, y)]
        self._draw.ellipse(box, fill=(*colour, round(255 * alpha)))

    def cover(self, picture: Image.Image, outline: ArrayLike, *, alpha: float) -> None:
        """Lay the part of ``picture`` (as large as this one's) that lies within the outline over what is painted."""
        mask = Image.new("L", self.image.size)
        corners = (np.asarray(outline, dtype=np.float64) * OVERSAMPLING).ravel().tolist()
        ImageDraw.Draw(mask).polygon(corners, fill=round(255 * alpha))
        self.image.paste(picture, (0, 0), mask)

    def reduced(self) -> NDArray[np.float64]:
        """The picture at its final size, each pixel the mean of what was painted in it: shape (32, 32, 3), 0 to 255."""
        return np.asarray(self.image.reduce(OVERSAMPLING), dtype=np.float64)


@dataclass(frozen=True)
class Placement:
    """Where an animal's own coordinates lie in the picture.

    An animal is about 2 units long, faces right, and has y pointing downwards.

    Attributes:
        x, y: Where its origin lies, in pixels.
        scale: Pixels for each unit.
        stretch: Factor on its length; its height is divided by the same.
        bend: Curvature: a point at x is pushed down by ``bend * x * x`` units.
        angle: Turned clockwise as seen, in radians, before mirroring.
        mirrored: Whether it faces left.
    """

    x: float
    y: float
    scale: float
    stretch: float = 1.0
    bend: float = 0.0
    angle: float = 0.0
    mirrored: bool = False

    def to_pixels(self, points: ArrayLike) -> NDArray[np.float64]:
        """Positions in the picture, shape (n, 2)."""
        own = np.asarray(points, dtype=np.float64)
        along = own[:, 0] * self.stretch
        across = own[:, 1] / self.stretch + self.bend * own[:, 0] ** 2
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        x = (along * cosine - across * sine) * (-1 if self.mirrored else 1)
        y = along * sine + across * cosine
        return np.stack([self.x + x * self.scale, self.y + y * self.scale], axis=1)


class Pen:
    """Paints on a canvas in an animal's own coordinates, with a slightly unsteady hand.

    Args:
        canvas: What to paint on.
        placement: Where the animal is.
        rng: Decides the unsteadiness.
        wobble: Standard deviation of each control point's displacement, in the animal's units.
    """

    def __init__(self, canvas: Canvas, placement: Placement, *, rng: np.random.Generator, wobble: float = 0.0) -> None:
        self._canvas = canvas
        self._placement = placement
        self._rng = rng
        self._wobble = wobble

    def blob(self, points: ArrayLike, colour: Colour) -> None:
        """A filled smooth closed shape through these points."""
        controls = np.asarray(points, dtype=np.float64)
        if self._wobble:
            controls = controls + self._rng.normal(0, self._wobble, controls.shape)
        self._canvas.polygon(self._placement.to_pixels(closed_curve(controls)), colour)

    def fin(self, points: ArrayLike, colour: Colour) -> None:
        """A filled shape with sharp corners."""
        self._canvas.polygon(self._placement.to_pixels(points), colour)

    def limb(self, spine: ArrayLike, widths: list[float], colour: Colour) -> None:
        """A leg, tail or flipper along a spine, with a width at each of its points."""
        self._canvas.polygon(self._placement.to_pixels(ribbon(spine, widths)), colour)

    def oval(self, x: float, y: float, across: float, down: float, colour: Colour) -> None:
        """A filled ellipse with these half-axes."""
        angle = np.linspace(0, 2 * math.pi, 20, endpoint=False)
        outline = np.stack([x + across * np.cos(angle), y + down * np.sin(angle)], axis=1)
        self._canvas.polygon(self._placement.to_pixels(outline), colour)

    def dot(
        self, x: float, y: float, radius: float, colour: Colour, *, at_least: float = 0.0, alpha: float = 1.0
    ) -> None:
        """A filled circle; ``at_least`` is its smallest radius in pixels, so that an eye stays visible."""
        ((px, py),) = self._placement.to_pixels([(x, y)])
        self._canvas.disc(px, py, max(radius * self._placement.scale, at_least), colour, alpha=alpha)

    def stroke(self, points: ArrayLike, width: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """A smooth line of this width in pixels."""
        self._canvas.line(self._placement.to_pixels(open_curve(points)), width, colour, alpha=alpha)
