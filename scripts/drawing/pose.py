"""What a pose is: how to paint an animal, and what the picture around it has to be like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scripts.drawing.canvas import Pen
from scripts.drawing.colour import Coat

#: Where an animal can be. ``afloat``: the water hides what lies below its y = 0. ``leaping``: clear of the water.
#: ``submerged``: under water. ``ashore``: on something solid.
Place = Literal["afloat", "leaping", "submerged", "ashore"]

Painter = Callable[[Pen, Coat, np.random.Generator], None]


@dataclass(frozen=True)
class Pose:
    """One way of painting an animal.

    Attributes:
        paint: Paints it.
        place: Where it is.
        box: Left, top, right and bottom of what has to be seen, in the animal's coordinates.
        weight: How often it is chosen, relative to the animal's other poses.
        tilt: The animal is turned by an angle between these, in radians; negative lifts its head.
        bend: It is bent by a curvature between these; see :class:`~scripts.drawing.canvas.Placement`.
        fill: The larger side of the box takes a share of the picture between these.
    """

    paint: Painter
    place: Place
    box: tuple[float, float, float, float]
    weight: float = 1.0
    tilt: tuple[float, float] = (-0.15, 0.15)
    bend: tuple[float, float] = (-0.05, 0.05)
    fill: tuple[float, float] = (0.68, 1.0)
