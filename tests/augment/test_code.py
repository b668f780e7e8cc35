"""The exported script gives the app's bytes for every pipeline; pipelines that cannot be built get a clear error."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aquadash.augment import OPERATORS, PIPELINES, Operator, Parameter, Range, describe, editing, op, to_code
from aquadash.augment.reading import MAX_DEPTH, check, from_json
from aquadash.augment.spec import Branch, PipelineSpec, Value
from aquadash.errors import AquaDashError
from tests.support.drawn_images import augmented
from tests.support.faults import tries

_IMAGES = np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def _run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "pipeline"}
    exec(compile(code, "pipeline.py", "exec"), names)
    return names


def _own(*operators: Operator, title: str = "Own") -> PipelineSpec:
    return PipelineSpec("own", title, "", (Branch(title, operators),))


def _assert_same(spec: PipelineSpec, *, seed: int = 5, images: np.ndarray = _IMAGES) -> None:
    _assert_versions_equal(spec, _run(to_code(spec))["augment"](images, seed), augmented(images, spec, seed=seed))


def _assert_versions_equal(spec: PipelineSpec, made: np.ndarray, expected: np.ndarray) -> None:
    parts = (np.split(images, spec.factor) for images in (made, expected))
    for branch, ours, theirs in zip(spec.branches, *parts, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=branch.title)


@pytest.mark.parametrize("name", PIPELINES)
def test_built_in_pipelines(name: str) -> None:
    _assert_same(PIPELINES[name])


def test_every_operator_in_an_array_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [Branch(info.name, (info.example,)) for info in OPERATORS.values() if info.example]
    added = [Branch(f"{name}, just added", (editing.new_step(name),)) for name in OPERATORS]
    switched_off = (Operator("Fliplr", enabled=False),)
    hollow = [
        Branch(
            f"{name}, all inside off", (replace(editing.new_step(name), children=((info.slots[0][0], switched_off),)),)
        )
        for name, info in OPERATORS.items()
        if info.slots
    ]
    spec = PipelineSpec("all", "All operators", "", (*examples, *added, *hollow))
    assert "aquadash" not in to_code(spec)
    images = _IMAGES[:2]
    np.save(tmp_path / "images.npy", images)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipeline.py", "--seed", "9", "--out", "made", "images.npy"])
    _run(to_code(spec))["main"]()
    _assert_versions_equal(spec, np.load(tmp_path / "made" / "augmented.npy"), augmented(images, spec, seed=9))


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


#: Operators that take so long that many of them in one example would hold the test up.
_SLOW = {"DefocusBlur", "MeanShiftBlur", "Superpixels", "ZoomBlur", "RegularGridVoronoi", "UniformVoronoi"}

_titles = st.text(max_size=40)


def values(parameter: Parameter) -> st.SearchStrategy[Value]:
    """Every value that a setting may have."""
    if parameter.kind == "word":
        return st.sampled_from(parameter.words)
    numbers: st.SearchStrategy[Any] = st.floats(parameter.low, parameter.high)
    if parameter.kind == "integer":
        numbers = st.sampled_from(range(int(parameter.low), int(parameter.high) + 1, parameter.step))
    if parameter.kind == "probability":
        return st.one_of(st.booleans(), numbers)
    if not parameter.drawn:
        return numbers
    return st.one_of(numbers, st.tuples(numbers, numbers).map(lambda pair: Range(min(pair), max(pair))))


@st.composite
def operators(draw: st.DrawFn, depth: int = 1, one_channel: bool = False) -> Operator:
    """Any operator with any settings, and inside it others, down to the greatest depth that a file may have."""
    names = [
        info.name
        for info in OPERATORS.values()
        if not (one_channel and info.needs_colour)
        and not (info.slots and depth == MAX_DEPTH)
        and info.name not in _SLOW
    ]
    info = OPERATORS[draw(st.sampled_from(names))]
    chosen = tuple(
        (parameter.name, draw(values(parameter)))
        for parameter in info.parameters
        if parameter.default is None or draw(st.booleans())
    )
    children = []
    for number, (slot, _) in enumerate(info.slots):
        inner = operators(depth + 1, one_channel or info.one_channel)
        children.append((slot, tuple(draw(st.lists(inner, min_size=number == 0, max_size=2)))))
    return Operator(info.name, chosen, tuple(children), draw(st.just(1.0) | st.floats(0.0, 1.0)), draw(st.booleans()))


@st.composite
def pipelines(draw: st.DrawFn) -> PipelineSpec:
    """Any pipeline of some branches."""
    branches = st.builds(Branch, _titles, st.lists(operators(), max_size=3).map(tuple))
    drawn = draw(st.lists(branches, min_size=1, max_size=3))
    return PipelineSpec(draw(_titles), draw(_titles), draw(_titles), tuple(drawn))


#: Anything that JSON can hold, and what Python's reader takes beyond that: NaN, infinity and numbers of any size.
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A pipeline's JSON with one name, value or sign replaced by any JSON or left out, or cut off there."""
    tokens = re.findall(r'"[^"]*"|[-\w.]+|.', draw(pipelines()).to_json())
    number = draw(st.integers(0, len(tokens) - 1))
    tokens[number] = draw(st.just("") | anything.map(json.dumps))
    return "".join(tokens if draw(st.integers(0, 4)) else tokens[:number])


def _images(size: tuple[int, int]) -> np.ndarray:
    images = np.random.default_rng(1).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    images[1] = 128
    return images


@tries(60)
@given(pipelines(), st.sampled_from([(32, 32), (9, 14), (1, 1), (33, 31)]), st.integers(0, 2**40))
def test_a_built_pipeline_works_and_its_code_gives_the_same_bytes(
    spec: PipelineSpec, size: tuple[int, int], seed: int
) -> None:
    check(spec)
    assert from_json(spec.to_json()) == spec
    assert all(line.strip() for line in describe(spec))
    images = _images(size)
    result = augmented(images, spec, seed=seed)
    assert result.shape == (spec.factor * len(images), *size, 3)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(images, _images(size))
    np.testing.assert_array_equal(_run(to_code(spec))["augment"](images, seed), result)


@tries(180)
@given(st.one_of(damaged(), anything.map(json.dumps), st.text()))
def test_damaged_json_other_json_and_any_text_get_a_clear_error(text: str) -> None:
    # Damaged JSON may still describe a pipeline, which must then work.
    try:
        spec = from_json(text)
    except AquaDashError as error:
        assert len(str(error)) > 10
    else:
        assert from_json(spec.to_json()) == spec
        compile(to_code(spec), "pipeline.py", "exec")
