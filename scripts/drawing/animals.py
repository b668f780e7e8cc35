"""One drawing from start to end: pose, place, scene, animal, what hides it, and the camera."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aquadash.data.synthetic import CLASS_NAMES
from scripts.drawing import beaver, dolphin, otter, seal, whale
from scripts.drawing.camera import exposed
from scripts.drawing.canvas import SIZE, Canvas, Pen, Placement
from scripts.drawing.colour import coat
from scripts.drawing.foreground import flood, obstruct, splash
from scripts.drawing.pose import Pose
from scripts.drawing.scenes import paint_scene

POSES: tuple[tuple[Pose, ...], ...] = (beaver.POSES, dolphin.POSES, otter.POSES, seal.POSES, whale.POSES)


def draw(label: int, *, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one animal.

    Args:
        label: Its class, an index into :data:`CLASS_NAMES`.
        rng: Every choice is drawn from it: a generator in the same state gives the same picture.

    Returns:
        uint8, shape (32, 32, 3), RGB.
    """
    if not 0 <= label < len(CLASS_NAMES):
        raise ValueError(f"label is {label}; expected 0 to {len(CLASS_NAMES) - 1}")
    poses = POSES[label]
    weights = np.array([pose.weight for pose in poses])
    pose = poses[rng.choice(len(poses), p=weights / weights.sum())]
    placement = _placed(pose, rng)
    canvas = Canvas()
    line = _line(pose, placement, rng)
    scene = paint_scene(canvas, pose.place, label=label, line=line, rng=rng)
    empty = canvas.image.copy()
    pen = Pen(canvas, placement, rng=rng, wobble=rng.uniform(0.0, 0.02))
    pose.paint(pen, coat(label, rng=rng, backdrops=scene.backdrops), rng)
    if pose.place == "afloat":
        flood(canvas, empty, scene, rng)
    elif pose.place == "leaping" and rng.random() < 0.7:
        splash(canvas, placement.x, scene, rng)
    obstruct(canvas, pose.place, scene, rng)
    return exposed(canvas.reduced(), rng)


def _placed(pose: Pose, rng: np.random.Generator) -> Placement:
    """Turn, bend, size and shift the animal so that the pose's box lies in the picture, give or take a little."""
    shape = Placement(
        x=0.0,
        y=0.0,
        scale=1.0,
        stretch=rng.uniform(0.9, 1.1),
        bend=rng.uniform(*pose.bend),
        angle=rng.uniform(*pose.tilt),
        mirrored=bool(rng.random() < 0.5),
    )
    left, top, right, bottom = pose.box
    corners = shape.to_pixels([(x, y) for x in (left, (left + right) / 2, right) for y in (top, bottom)])
    if pose.place == "afloat":
        # What lies below the waterline is hidden and needs no room.
        corners[:, 1] = np.minimum(corners[:, 1], 0.25)
    low, high = corners.min(axis=0), corners.max(axis=0)
    extent = float((high - low).max())
    scale = SIZE * rng.uniform(*pose.fill) / extent
    middle = (low + high) / 2 * scale
    # The more of the picture is free, the farther the animal may be from its middle.
    room = np.maximum(SIZE - (high - low) * scale, 0.0) / 2 * 0.8 + 1.0
    x, y = SIZE / 2 - middle + rng.uniform(-1, 1, 2) * room
    return replace(shape, x=float(x), y=float(y), scale=scale)


def _line(pose: Pose, placement: Placement, rng: np.random.Generator) -> float:
    """Where the waterline or the ground's edge has to be, in pixels from the top."""
    if pose.place == "afloat":
        return min(max(placement.y, 6.0), SIZE - 2.0)
    lowest = placement.y + pose.box[3] * placement.scale * math.cos(placement.angle)
    if pose.place == "leaping":
        return min(max(lowest + rng.uniform(-3, 3), 16.0), SIZE - 2.0)
    return min(max(lowest - rng.uniform(1, 9), 10.0), SIZE - 2.0)
