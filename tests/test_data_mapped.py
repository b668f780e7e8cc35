"""Images in files are looked at without keeping them in the memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from aquadash.data import Dataset, Split
from aquadash.data.mapped import in_chunks, let_go

COUNT, SIDE = 600, 200
MEGABYTES = COUNT * SIDE * SIDE * 3 / 1e6


def mapped_megabytes() -> float:
    """What the files that this process has mapped take in its memory, on a disk or in the memory itself."""
    found = re.findall(r"Rss(?:File|Shmem):\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert len(found) == 2
    return sum(map(int, found)) * 1024 / 1e6


@pytest.fixture
def images(tmp_path: Path) -> np.ndarray:
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8))
    return np.load(path, mmap_mode="r").view(np.ndarray)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_fingerprint_keeps_nothing_in_the_memory(images: np.ndarray) -> None:
    before = mapped_megabytes()
    split = Split(images, np.zeros(COUNT, np.int64), ("",) * COUNT)
    dataset = Dataset("a", "A", "", False, ("x",), split, split.take(slice(0, 0)))
    assert len(dataset.fingerprint) == 64
    assert mapped_megabytes() - before < MEGABYTES / 3
    # What the measurement would show otherwise.
    images.sum()
    assert mapped_megabytes() - before > MEGABYTES * 0.9


def test_chunks_are_all_there_is(images: np.ndarray) -> None:
    chunks = [chunk.copy() for chunk in in_chunks(images, most_bytes=7 * SIDE * SIDE * 3)]
    assert {len(chunk) for chunk in chunks[:-1]} == {7} and np.array_equal(np.concatenate(chunks), images)
    assert list(in_chunks(images[:0])) == []


def test_what_was_written_is_not_lost(tmp_path: Path) -> None:
    written = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (50, 100, 100, 3))
    written[:] = 7
    let_go(written)
    assert (written == 7).all()
    plain = np.ones(3)
    let_go(plain)
    assert plain.sum() == 3
