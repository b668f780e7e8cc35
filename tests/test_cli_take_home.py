"""``runs export``, ``runs import`` and ``runs convert``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aquadash.cli import cli
from aquadash.errors import AquaDashError
from aquadash.export.convert import ConversionCheck
from aquadash.lab import memory
from aquadash.runs import open_store
from tests import ui_runs
from tests.test_cli import refusal


def run_command(*arguments: object) -> Result:
    memory.refresh()
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def answer(*arguments: object) -> dict[str, object]:
    result = run_command(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_a_run_goes_out_and_comes_in(home: Path, tmp_path: Path) -> None:
    run = ui_runs.finished(open_store(), "mine")
    path = tmp_path / "mine.zip"
    out = answer("runs", "export", "mine", path)
    assert out["run_id"] == run.run_id and out["size"] == path.stat().st_size and "train.py" in out["files"]
    back = answer("runs", "import", path)
    assert (back["original_id"], back["kept_id"], back["name"]) == (run.run_id, False, "mine")
    assert back["metrics"] == run.metrics
    assert back["copies"] == [run.run_id] and back["run_id"] != run.run_id
    said = run_command("runs", "import", path)
    assert f"was here already, as {run.run_id[:8]}" in said.output and said.exit_code == 0


def test_a_foreign_zip_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"no zip")
    assert "not a ZIP file" in refusal("runs", "import", path)


def test_a_converted_network_is_handed_out_with_its_check(tmp_path: Path) -> None:
    store = open_store()
    run = ui_runs.finished(store, "mine")
    check = ConversionCheck("tflite", 500, 500, 1e-7, "float32", 9, hashlib.sha256(b"weights").hexdigest(), "")
    for name, content in (("model.keras", b"weights"), ("model.tflite", b"converted")):
        (tmp_path / name).write_bytes(content)
        store.add_artifact(run.run_id, tmp_path / name)
    store.add_text_artifact(run.run_id, "converted_tflite.json", check.to_json())
    out = answer("runs", "convert", "mine", tmp_path / "out.tflite")
    assert (out["agree"], out["images"]) == (500, 500)
    assert (tmp_path / "out.tflite").read_bytes() == b"converted"
    refused = run_command("runs", "convert", "mine", tmp_path / "out.doc")
    assert isinstance(refused.exception, AquaDashError) and "tflite" in str(refused.exception)


@pytest.mark.slow
def test_converting_in_a_process_of_its_own(home: Path, tmp_path: Path) -> None:
    from aquadash import data, models
    from aquadash.config import ModelConfig

    store, dataset = open_store(), data.load("synthetic")
    run = ui_runs.finished(store, "mine", fingerprint=dataset.fingerprint)
    model = models.build(ModelConfig(name="notebook"), image_shape=(32, 32, 3), num_classes=5)
    model.save(tmp_path / "model.keras")
    store.add_artifact(run.run_id, tmp_path / "model.keras")
    out = answer("runs", "convert", "mine", tmp_path / "out.tflite")
    assert out["agree"] == out["images"] == 500 and out["path"] == str(tmp_path / "out.tflite")
