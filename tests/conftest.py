"""Shared fixtures: every test gets an empty home of its own and no setting from the outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_OUTSIDE = ("MLFLOW_TRACKING_URI", "AQUADASH_SCHEDULER", "AQUADASH_SLOTS", "AQUADASH_CIFAR100")

#: Read before the tests clear the environment.
_ARCHIVE = os.environ.get("AQUADASH_CIFAR100") or str(
    Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "cifar-100-python.tar.gz"
)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``AQUADASH_HOME``."""
    folder = tmp_path_factory.mktemp("home")
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AQUADASH_HOME", str(folder))
    return folder


@pytest.fixture
def cifar100_archive(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real archive, named by ``AQUADASH_CIFAR100``; the test is skipped where it is missing."""
    path = Path(_ARCHIVE)
    if not path.is_file():
        pytest.skip(f"needs the CIFAR-100 archive: set AQUADASH_CIFAR100 (looked at {path})")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(path))
    return path
