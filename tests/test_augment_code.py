"""The exported script runs as it stands and gives the bytes that the app gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aquadash.augment import OPERATORS, PIPELINES, Branch, Operator, PipelineSpec, Range, editing, op, to_code
from aquadash.errors import AquaDashError
from tests.augmented import augmented

_IMAGES = np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def _run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "pipeline"}
    exec(compile(code, "pipeline.py", "exec"), names)
    return names


def _own(*operators: Operator, title: str = "Own") -> PipelineSpec:
    return PipelineSpec("own", title, "", (Branch(title, operators),))


def _assert_same(spec: PipelineSpec, *, seed: int = 5, images: np.ndarray = _IMAGES) -> None:
    found = _run(to_code(spec))["augment"](images, seed)
    expected = augmented(images, spec, seed=seed)
    for number, branch in enumerate(spec.branches):
        part = slice(number * len(images), (number + 1) * len(images))
        np.testing.assert_array_equal(found[part], expected[part], err_msg=branch.title)


@pytest.mark.parametrize("name", PIPELINES)
def test_built_in_pipelines(name: str) -> None:
    _assert_same(PIPELINES[name])


def test_every_operator_in_an_array_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [Branch(info.name, (info.example,)) for info in OPERATORS.values() if info.example]
    added = [Branch(f"{name}, just added", (editing.new_step(name),)) for name in OPERATORS]
    spec = PipelineSpec("all", "All operators", "", (*examples, *added))
    assert "aquadash" not in to_code(spec)
    images = _IMAGES[:2]
    np.save(tmp_path / "images.npy", images)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipeline.py", "--seed", "9", "--out", "made", "images.npy"])
    _run(to_code(spec))["main"]()
    found, expected = np.load(tmp_path / "made" / "augmented.npy"), augmented(images, spec, seed=9)
    differ = [
        branch.title
        for branch, ours, theirs in zip(
            spec.branches, np.split(found, spec.factor), np.split(expected, spec.factor), strict=True
        )
        if not np.array_equal(ours, theirs)
    ]
    assert differ == []


def test_many_and_large_images_come_in_the_same_batches() -> None:
    rng = np.random.default_rng(3)
    spec = _own(op("Add", value=Range(-90, 90)))
    _assert_same(spec, images=rng.integers(0, 256, (1003, 4, 4, 3), dtype=np.uint8))
    _assert_same(spec, images=rng.integers(0, 256, (3, 1000, 1500, 3), dtype=np.uint8))


def test_photographs_of_several_sizes_in_a_process_that_cannot_import_the_app(tmp_path: Path) -> None:
    # Each of AquaDash's own augmenters that go into the code.
    spec = _own(*{info.maker: info.example for info in OPERATORS.values() if info.maker and info.example}.values())
    (tmp_path / "pipeline.py").write_text(to_code(spec), encoding="utf-8")
    photos = {"first": _IMAGES[0], "second": _IMAGES[1][:20], "third": _IMAGES[2]}
    for name, photo in photos.items():
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
    # -I: neither the folder at hand nor the environment adds to the path, so that only installed packages are found.
    command = [sys.executable, "-I", "pipeline.py", "--seed", "4", "--out", "made", *(f"{name}.png" for name in photos)]
    subprocess.run(command, cwd=tmp_path, check=True)
    made = {path.name: np.asarray(Image.open(path)) for path in (tmp_path / "made").iterdir()}
    assert sorted(made) == ["0001-first-version-1.png", "0002-second-version-1.png", "0003-third-version-1.png"]
    expected = augmented(_IMAGES[[0, 2]], spec, seed=4)
    np.testing.assert_array_equal(made["0001-first-version-1.png"], expected[0])
    np.testing.assert_array_equal(made["0003-third-version-1.png"], expected[1])
    assert made["0002-second-version-1.png"].shape == (20, 32, 3)


@pytest.mark.parametrize(
    "title", ["One\nboom()\r\nboom()", "\u2028boom()", "\0", "\ud800", "# -*- coding: utf-7 -*-", "{names}", '"""', ""]
)
def test_titles_stay_comments(title: str) -> None:
    _assert_same(_own(op("Fliplr"), title=title))


def test_nothing_unchecked_gets_into_code() -> None:
    for operator in (op("Fliplr()); boom(", p=1.0), op("Add", **{"value=1), boom(x": 1})):
        with pytest.raises(AquaDashError):
            to_code(_own(operator))
