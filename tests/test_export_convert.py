"""A network in other formats answers as the original does, or is not handed out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aquadash.config import ModelConfig
from aquadash.errors import RunError
from aquadash.export.convert import FORMATS, ConversionCheck, convert
from aquadash.export.jobs import converted, start_conversion
from aquadash.files import file_digest, write_whole
from aquadash.runs import RunStore
from tests import ui_runs

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


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", FORMATS)
def test_converted_networks_answer_alike(name: str, precision: str, tmp_path: Path) -> None:
    form = FORMATS[name]
    if form.missing():
        pytest.skip(f"needs {form.requirements}")
    target = tmp_path / form.file_name
    path = saved_model(tmp_path, precision=precision)
    digest = file_digest(path)

    def train_on_at_the_end(what: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if done == len(IMAGES):
            write_whole(path, b"trained on")

    check = convert(path, NETWORK, form, IMAGES, target, num_classes=4, progress=train_on_at_the_end)
    assert check.passed and check.images == 70 and check.size == target.stat().st_size
    assert check.model_sha256 == digest, "that of the weights that were converted, though others have come meanwhile"
    assert check.agree == 70 or precision != "float32"
    assert check.max_difference < (1e-5 if precision == "float32" else 0.05)


@pytest.mark.slow
def test_one_that_answers_differently_is_not_written(tmp_path: Path) -> None:
    def wrong(content: bytes):
        return lambda images: np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (len(images), 1))[:, ::-1]

    form = replace(FORMATS["tflite"], write=lambda model: b"converted", read=wrong)
    path, target = saved_model(tmp_path), tmp_path / "model.tflite"
    with pytest.raises(RunError, match="answers differently"):
        convert(path, NETWORK, form, IMAGES, target, num_classes=4, progress=lambda *_: None)
    assert not target.exists()


def test_a_difference_that_is_no_number_does_not_pass() -> None:
    check = ConversionCheck("tflite", 10, 10, 0.1, "float32", 5, "a", "b")
    assert check.passed and ConversionCheck.from_json(check.to_json()) == check
    assert not replace(check, max_difference=float("nan")).passed
    assert not replace(check, agree=9).passed
    for damaged in ("", "[]", '{"format": "tflite"}', "null"):
        with pytest.raises(ValueError):
            ConversionCheck.from_json(damaged)


def test_missing_packages_are_named() -> None:
    form = replace(FORMATS["onnx"], packages=("no_such_package",))
    with pytest.raises(RunError, match="no_such_package.*scripts/requirements-onnx.txt"):
        form.check_installed()


def test_a_file_of_other_weights_does_not_count(store: RunStore) -> None:
    run = ui_runs.finished(store, "mine")
    form = FORMATS["tflite"]
    with pytest.raises(RunError, match="model.keras of .* is missing"):
        start_conversion(store, run.run_id, form)
    store.add_text_artifact(run.run_id, "model.keras", "weights")
    store.add_text_artifact(run.run_id, "model.tflite", "converted")
    check = ConversionCheck("tflite", 5, 5, 0.0, "float32", 9, hashlib.sha256(b"weights").hexdigest(), "")
    store.add_text_artifact(run.run_id, form.check_name, check.to_json())
    found = converted(store, run.run_id, form)
    assert found.check == check and found.path.read_bytes() == b"converted"
    store.add_text_artifact(run.run_id, "model.keras", "others!")
    assert converted(store, run.run_id, form) is None


def test_a_run_that_has_not_ended_is_refused(store: RunStore) -> None:
    run_id = ui_runs.queued(store, "waits").run_id
    with pytest.raises(RunError, match="once it has ended"):
        start_conversion(store, run_id, FORMATS["tflite"])
