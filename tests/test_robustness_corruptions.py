"""The fifteen corruptions at every severity, their random choices, and the sets that are cached."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash import settings
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.robustness import corruptions
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Subjects, corrupt, kept, sample
from aquadash.robustness.corruptions import corrupted_sets as sets
from tests.waiting import gone, wait_for

#: Whose distance from the original need not grow with every severity.
UNEVEN = {"glass_blur", "snow", "frost", "fog"}


def pictures(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """Smooth pictures with edges, as photographs have, and not noise, which no blur would tell from noise."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[0:height, 0:width]
    images = np.empty((count, height, width, 3), np.uint8)
    for image in images:
        for channel in range(3):
            wave = np.sin(rows / random.uniform(2, 6)) + np.cos(columns / random.uniform(2, 6))
            image[..., channel] = np.clip(128 + 45 * wave + 40 * (rows > random.integers(5, height)), 0, 255)
    return images


@pytest.mark.parametrize("shape", [(32, 32), (9, 20)])
@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_every_pair_gives_valid_images_and_the_same_ones_wherever_they_stand(name: str, shape: tuple[int, int]) -> None:
    images = pictures(4, *shape)
    before = images.copy()
    distances, likenesses = [], []
    for severity in SEVERITIES:
        changed = corrupt(images, name, severity, seed=3)
        assert changed.dtype == np.uint8 and changed.shape == images.shape
        assert (changed != images).any(), severity
        part = corrupt(images[2:], name, severity, seed=3, positions=np.array([2, 3]))
        np.testing.assert_array_equal(part, changed[2:])
        distances.append(float(np.abs(changed.astype(float) - images).mean()))
        likenesses.append(float(np.corrcoef(changed.ravel(), images.ravel())[0, 1]))
    np.testing.assert_array_equal(images, before)
    if name in UNEVEN:
        # The package's own strengths rise by fits and starts; ice first makes lighter, then darker.
        assert distances[-1] > distances[0] or likenesses[-1] < likenesses[0]
    else:
        assert distances == sorted(distances)


def test_another_seed_and_another_position_draw_anew() -> None:
    images = np.repeat(pictures(1, 32, 32), 2, axis=0)
    for name in ("gaussian_noise", "impulse_noise", "glass_blur", "frost", "fog", "snow", "motion_blur"):
        first, second = corrupt(images, name, 4, seed=1), corrupt(images, name, 4, seed=2)
        assert (first[0] != first[1]).any() and (first != second).any(), name


@pytest.mark.parametrize("name", ["gaussian_noise", "frost", "contrast", "zoom_blur"])
def test_images_of_some_size_are_changed_as_the_package_does(name: str) -> None:
    import imagecorruptions

    image = pictures(1, 40, 60)
    start = int(np.random.SeedSequence([9, list(CORRUPTIONS).index(name), 0]).generate_state(1)[0])
    np.random.seed(start)
    expected = imagecorruptions.corrupt(image[0], 2, name)
    np.testing.assert_array_equal(corrupt(image, name, 2, seed=9)[0], expected)


def test_what_is_no_corruption_severity_or_picture_is_refused() -> None:
    for severity in (0, 6, True, 2.5):
        with pytest.raises(ConfigError, match="expected a whole number from 1"):
            corrupt(pictures(1, 32, 32), "fog", severity, seed=0)
    with pytest.raises(UnknownNameError, match="motion_blur"):
        corrupt(pictures(1, 32, 32), "motionblur", 1, seed=0)
    with pytest.raises(ValueError, match="expected uint8"):
        corrupt(np.zeros((2, 32, 32, 1), np.uint8), "fog", 1, seed=0)


# -- sets that are kept ----------------------------------------------------------------------------------------------


def source(seed: int = 0) -> Subjects:
    return Subjects(pictures(60, 32, 32), np.zeros(60, np.int64), np.arange(60), 60, "f" * 64, seed)


def test_a_set_is_made_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [("contrast", 1), ("pixelate", 2)]
    made = dict(sets(source(), cells))
    assert len(list((home / "cache" / "corrupted").glob("*.npy"))) == 2
    monkeypatch.setattr(corruptions, "corrupt", lambda *_, **__: pytest.fail("made a second time"))
    for cell, images in sets(source(), cells):
        np.testing.assert_array_equal(images, made[cell])
    np.testing.assert_array_equal(sample(source(), cells[0], 7), made[cells[0]][7])
    assert kept(source(seed=1), cells[0]) is None, "another seed is another set"


def test_a_damaged_set_is_made_again(home: Path) -> None:
    cell = ("contrast", 1)
    ((_, made),) = sets(source(), [cell])
    path = source().path(cell)
    for damage in (b"", path.read_bytes()[:-100], b"not an array"):
        path.write_bytes(damage)
        assert kept(source(), cell) is None
        np.testing.assert_array_equal(sample(source(), cell, 3), made[3])
        ((_, again),) = sets(source(), [cell])
        np.testing.assert_array_equal(again, made)


def test_a_home_that_cannot_be_written_is_passed_over(home: Path) -> None:
    (home / "cache").write_text("a file in the way")
    ((_, images),) = sets(source(), [("contrast", 1)])
    np.testing.assert_array_equal(images, corrupt(source().images, "contrast", 1, seed=0))


def test_sets_that_were_used_longest_ago_make_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [("contrast", severity) for severity in (1, 2, 3)]
    size = source().images.nbytes + 128
    monkeypatch.setattr(corruptions, "MAX_BYTES", 2 * size)
    for time, cell in enumerate(cells[:2], start=1):
        list(sets(source(), [cell]))
        os.utime(source().path(cell), (time, time))
    kept(source(), cells[0])
    list(sets(source(), cells[2:]))
    assert [source().path(cell).exists() for cell in cells] == [True, False, True]


@pytest.mark.slow
def test_other_processes_make_the_same_sets_and_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import hashlib, os, time\n"
        "from aquadash.robustness.corruptions import corrupted_sets, open_pool\n"
        "from tests.test_robustness_corruptions import source\n"
        "if __name__ == '__main__':\n"
        "    pool = open_pool()\n"
        "    ((_, images),) = corrupted_sets(source(), [('impulse_noise', 1)], executor=pool)\n"
        "    print(pool.submit(os.getpid).result(), hashlib.sha256(images.tobytes()).hexdigest(), flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(settings.PROJECT_ROOT)},
    )
    child, digest = parent.stdout.readline().split()
    assert digest == hashlib.sha256(corrupt(source().images, "impulse_noise", 1, seed=0).tobytes()).hexdigest()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: gone(int(child)), timeout=30)
