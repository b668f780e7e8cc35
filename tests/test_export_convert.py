"""A network in other formats answers as the original does, or is not handed out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aquadash.config import ModelConfig, RunConfig
from aquadash.errors import RunError
from aquadash.export.convert import FORMATS, ConversionCheck, convert
from aquadash.export.jobs import converted, start_conversion
from aquadash.files import file_digest, write_whole
from aquadash.runs import RunStatus, open_store
from tests import live_runs, ui_runs

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)

NETWORK = ModelConfig(
    name="cnn", filters=(8,), batch_normalization=True, normalization="symmetric", dense_units=(), test_time_flip=True
)


def saved_model(folder: Path, *, precision: str = "float32") -> Path:
    import keras

    from aquadash import models
    from aquadash.models.transfer import with_flip

    keras.utils.set_random_seed(1)
    path = folder / "model.keras"
    with_flip(models.build(NETWORK, image_shape=(16, 16, 3), num_classes=4, precision=precision)).save(path)
    return path


def silent(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", FORMATS)
def test_converted_networks_answer_alike(name: str, precision: str, tmp_path: Path) -> None:
    form = FORMATS[name]
    if form.missing():
        pytest.skip(f"needs {form.requirements}")
    target = tmp_path / form.file_name
    path = saved_model(tmp_path, precision=precision)
    check = convert(path, NETWORK, form, IMAGES, target, num_classes=4, progress=silent)
    assert check.passed and check.images == 70 and check.size == target.stat().st_size
    assert check.agree == 70 or precision != "float32"
    assert check.max_difference < (1e-5 if precision == "float32" else 0.05)


@pytest.mark.slow
def test_one_that_answers_differently_is_not_written(tmp_path: Path) -> None:
    def wrong(content: bytes):
        return lambda images: np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (len(images), 1))[:, ::-1]

    form, target = replace(FORMATS["tflite"], read=wrong), tmp_path / "model.tflite"
    with pytest.raises(RunError, match="answers differently"):
        convert(saved_model(tmp_path), NETWORK, form, IMAGES, target, num_classes=4, progress=silent)
    assert not target.exists()


@pytest.mark.slow
def test_the_check_names_the_weights_that_were_converted_though_others_come_meanwhile(tmp_path: Path) -> None:
    path = saved_model(tmp_path)
    digest = file_digest(path)

    def replace_at_the_end(what: str, done: int, total: int) -> None:
        if done == len(IMAGES):
            write_whole(path, b"trained on")

    form, target = FORMATS["tflite"], tmp_path / "model.tflite"
    check = convert(path, NETWORK, form, IMAGES, target, num_classes=4, progress=replace_at_the_end)
    assert check.model_sha256 == digest


def test_a_difference_that_is_no_number_does_not_pass() -> None:
    check = ConversionCheck("tflite", 10, 10, float("nan"), "float32", 5, "a", "b")
    assert not check.passed
    assert replace(check, max_difference=0.1).passed
    assert not replace(check, max_difference=0.1, agree=9).passed
    assert ConversionCheck.from_json(replace(check, max_difference=0.1).to_json()) == replace(check, max_difference=0.1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "tflite"}', "null"])
def test_damaged_checks(text: str) -> None:
    with pytest.raises(ValueError):
        ConversionCheck.from_json(text)


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = replace(FORMATS["onnx"], packages=("no_such_package",))
    with pytest.raises(RunError, match="no_such_package.*scripts/requirements-onnx.txt"):
        form.check_installed()


def test_a_file_of_other_weights_does_not_count(tmp_path: Path) -> None:
    import hashlib

    store = open_store()
    run = ui_runs.finished(store, "mine")
    form = FORMATS["tflite"]
    with pytest.raises(RunError, match="model.keras of .* is missing"):
        start_conversion(store, run.run_id, form)
    model, file = tmp_path / "model.keras", tmp_path / "model.tflite"
    model.write_bytes(b"weights"), file.write_bytes(b"converted")
    check = ConversionCheck("tflite", 5, 5, 0.0, "float32", 9, hashlib.sha256(b"weights").hexdigest(), "")
    for path in (model, file):
        store.add_artifact(run.run_id, path)
    store.add_text_artifact(run.run_id, form.check_name, check.to_json())
    found = converted(store, run.run_id, form)
    assert found.check == check and found.path.read_bytes() == b"converted"
    model.write_bytes(b"others!")
    store.add_artifact(run.run_id, model)
    assert converted(store, run.run_id, form) is None


def test_a_run_that_has_not_ended_is_refused() -> None:
    store = open_store()
    run = live_runs.queue(store, store.create(RunConfig(), name="waits").run_id)
    assert run.status is RunStatus.QUEUED
    with pytest.raises(RunError, match="once it has ended"):
        start_conversion(store, run.run_id, FORMATS["tflite"])
