"""Curves, colours, placement and the drawings themselves."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.data import synthetic
from aquadash.data.synthetic import CLASS_NAMES, SIZE
from scripts.draw_animals import drawings
from scripts.drawing import draw
from scripts.drawing.animals import POSES
from scripts.drawing.camera import exposed
from scripts.drawing.canvas import OVERSAMPLING, Canvas, Pen, Placement
from scripts.drawing.colour import coat, luminance, mix, shade
from scripts.drawing.curves import SAMPLES, closed_curve, open_curve, ribbon
from scripts.drawing.pose import Pose
from scripts.drawing.scenes import paint_scene

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def test_curves_run_through_every_control_point() -> None:
    closed = closed_curve(SQUARE)
    assert closed.shape == (4 * SAMPLES, 2)
    np.testing.assert_allclose(closed[::SAMPLES], SQUARE, atol=1e-12)
    opened = open_curve(SQUARE)
    assert opened.shape == (3 * SAMPLES + 1, 2)
    np.testing.assert_allclose(opened[::SAMPLES], SQUARE, atol=1e-12)


def test_an_open_curve_through_two_points_is_straight() -> None:
    curve = open_curve([(0, 0), (2, 4)])
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0], atol=1e-12)


def test_a_ribbon_has_the_widths_asked_for() -> None:
    outline = ribbon([(0, 0), (1, 0), (2, 0)], [0.4, 0.2, 0.0])
    half = len(outline) // 2
    np.testing.assert_allclose(outline[:half, 1] - outline[::-1][:half, 1], np.linspace(0.4, 0, half), atol=1e-12)


def test_colours_mix_and_stay_in_range() -> None:
    assert mix((0, 100, 200), (100, 200, 0), 0.5) == (50, 150, 100)
    assert shade((200, 100, 0), 2.0) == (255, 200, 0)


@pytest.mark.parametrize("level", [20, 90, 128, 200, 240])
def test_a_coat_stands_out_from_what_lies_behind(level: int) -> None:
    for label in range(len(CLASS_NAMES)):
        for seed in range(20):
            worn = coat(label, rng=np.random.default_rng(seed), backdrops=((level, level, level),))
            assert abs(luminance(worn.back) - level) > 25
            assert luminance(worn.dark) < luminance(worn.back) < luminance(worn.belly)


def test_a_placement_turns_bends_mirrors_scales_and_shifts() -> None:
    assert Placement(10, 20, 4).to_pixels([(1, 0.5)]).tolist() == [[14, 22]]
    assert Placement(10, 20, 4, mirrored=True).to_pixels([(1, 0.5)]).tolist() == [[6, 22]]
    assert Placement(10, 20, 4, bend=0.5).to_pixels([(2, 0)]).tolist() == [[18, 28]]
    assert Placement(10, 20, 4, stretch=2).to_pixels([(1, 1)]).tolist() == [[18, 22]]
    np.testing.assert_allclose(Placement(0, 0, 1, angle=math.pi / 2).to_pixels([(1, 0)]), [[0, 1]], atol=1e-12)


def test_painting_covers_the_pixels_it_names() -> None:
    canvas = Canvas()
    canvas.gradient(0, SIZE, (10, 20, 30), (10, 20, 30))
    Pen(canvas, Placement(16, 16, 4), rng=np.random.default_rng(0)).fin(
        [(-1, -1), (1, -1), (1, 1), (-1, 1)], (200, 0, 0)
    )
    picture = canvas.reduced()
    assert canvas.image.size == (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING)
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture[16, 16].tolist() == [200, 0, 0]
    assert picture[4, 4].tolist() == [10, 20, 30]


def test_an_eye_stays_visible_however_small_the_animal() -> None:
    canvas = Canvas()
    Pen(canvas, Placement(16, 16, 0.1), rng=np.random.default_rng(0)).dot(0, 0, 0.01, (255, 255, 255), at_least=1.0)
    assert canvas.reduced().max() > 120


@pytest.mark.parametrize("place", ["afloat", "leaping", "submerged", "ashore"])
def test_a_scene_fills_the_picture(place: str) -> None:
    for seed in range(8):
        canvas = Canvas()
        scene = paint_scene(canvas, place, label=seed % 5, line=16.0, rng=np.random.default_rng(seed))  # type: ignore[arg-type]
        assert scene.backdrops
        # Unpainted parts would be pure black.
        assert canvas.reduced().sum(axis=2).min() > 0


def test_the_camera_never_burns_out_a_bright_scene_or_loses_a_dark_one() -> None:
    rng = np.random.default_rng(0)
    for level in (15.0, 128.0, 255.0):
        means = [exposed(np.full((SIZE, SIZE, 3), level), rng).mean() for _ in range(20)]
        assert 50 < min(means) and max(means) < 245


@pytest.mark.parametrize("label", range(5), ids=CLASS_NAMES)
def test_every_pose_changes_the_picture_it_is_painted_on(label: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(pen: Pen, worn: object, rng: np.random.Generator) -> None:
        """Paints nothing."""

    for pose in POSES[label]:
        with_animal: list[NDArray[np.int64]] = []
        without: list[NDArray[np.int64]] = []
        for shown, pictures in ((pose, with_animal), (_like(pose, unseen), without)):
            monkeypatch.setattr("scripts.drawing.animals.POSES", [[shown]] * 5)
            pictures.extend(draw(label, rng=np.random.default_rng(seed)).astype(int) for seed in range(4))
        for first, second in zip(with_animal, without, strict=True):
            assert (np.abs(first - second).max(axis=2) > 20).mean() > 0.02


def _like(pose: Pose, paint: object) -> Pose:
    return Pose(paint, pose.place, pose.box, pose.weight, pose.tilt, pose.bend, pose.fill)  # type: ignore[arg-type]


@pytest.mark.parametrize("label", range(5), ids=CLASS_NAMES)
def test_a_drawing_follows_from_its_generator_alone(label: int) -> None:
    first, again = (draw(label, rng=np.random.default_rng([3, label])) for _ in range(2))
    other = draw(label, rng=np.random.default_rng([4, label]))
    assert first.shape == (32, 32, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("label", [-1, 5])
def test_an_unknown_label_is_refused(label: int) -> None:
    with pytest.raises(ValueError, match="expected 0 to 4"):
        draw(label, rng=np.random.default_rng(0))


def test_many_drawings_of_every_class_are_varied_and_have_contrast() -> None:
    for label in range(5):
        pictures = np.stack([draw(label, rng=np.random.default_rng([9, label, i])) for i in range(40)]).astype(float)
        assert pictures.std(axis=(1, 2)).max(axis=1).min() > 6
        assert pictures.mean(axis=(1, 2, 3)).std() > 15


def test_the_file_holds_what_is_drawn() -> None:
    shipped = synthetic.load()
    for part, split in (("train", shipped.train), ("test", shipped.test)):
        for position, (label, picture) in enumerate(itertools.islice(drawings(part), 20)):
            assert label == split.labels[position]
            np.testing.assert_array_equal(picture, split.images[position])
