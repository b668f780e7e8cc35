"""Small drawings of five animals, from nothing but curves, colours and a random generator."""

from __future__ import annotations

from scripts.drawing.animals import draw

__all__ = ["draw"]
