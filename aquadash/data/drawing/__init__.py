"""Small drawings of five animals, from nothing but curves, colours and a random generator."""

from __future__ import annotations

from aquadash.data.drawing.animals import CLASS_NAMES, draw
from aquadash.data.drawing.canvas import SIZE

__all__ = ["CLASS_NAMES", "SIZE", "draw"]
