from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from aquadash.data.strangers import strangers
from aquadash.errors import DataError

#: Numbers of classes: two of the five animals, three others.
FINE = [4, 0, 1, 95, 2, 4]


def archive(path: Path, test: object) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, values in (("train", {}), ("test", test), ("meta", {})):
            content = pickle.dumps(values)
            entry = tarfile.TarInfo(f"cifar-100-python/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (len(FINE), 3072), dtype=np.uint8)


def test_images_of_other_classes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: np.ndarray) -> None:
    archive(tmp_path / "c.tar.gz", {b"data": rows, b"fine_labels": FINE})
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path / "c.tar.gz"))
    found = strangers("cifar100")
    assert found is not None and found.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(found[:, 5, 7, 1], rows[[1, 2, 4], 1024 + 5 * 32 + 7])
    np.testing.assert_array_equal(strangers("cifar100"), found)
    few = strangers("cifar100", most=2)
    assert few is not None
    np.testing.assert_array_equal(few, found[[0, 1]])


def test_none_without_an_archive_or_for_another_source(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert strangers("synthetic") is None
    monkeypatch.setattr("aquadash.data.cifar100.locate", lambda: None)
    assert strangers("cifar100") is None


@pytest.mark.parametrize("labels", [FINE[:3], []])
def test_a_damaged_archive_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: np.ndarray, labels: list[int]
) -> None:
    archive(tmp_path / "c.tar.gz", {b"data": rows, b"fine_labels": labels})
    monkeypatch.setenv("AQUADASH_CIFAR100", str(tmp_path / "c.tar.gz"))
    with pytest.raises(DataError, match="damaged"):
        strangers("cifar100")
