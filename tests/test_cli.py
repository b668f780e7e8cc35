"""The command line: one JSON object on stdout, one line on stderr, and the exit status tells."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from aquadash import data, settings
from aquadash.cli import main, waiting
from aquadash.config import RunConfig, with_values
from aquadash.evaluation.calibration import scale
from aquadash.lab import memory
from aquadash.runs import EpochRecord, Predictions, RunStatus, RunStore, Worker, open_store

COMMAND = [sys.executable, "-m", "aquadash"]


def call(*arguments: object, process: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command: in this process, which is quick, or in one of its own, as people do."""
    texts = [str(argument) for argument in arguments]
    if process:
        return subprocess.run(
            [*COMMAND, *texts], capture_output=True, text=True, timeout=180, cwd=settings.PROJECT_ROOT
        )
    # As a process of its own would, it knows nothing of what an earlier one has read.
    memory.refresh()
    # What cannot be written as UTF-8 is an error there, too.
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as left,
    ):
        patch.setattr(sys, "argv", ["aquadash", *texts])
        main()
    said, complained = (stream.buffer.getvalue().decode() for stream in (output, errors))
    return subprocess.CompletedProcess(texts, int(left.value.code or 0), said, complained)


def answer(*arguments: object, process: bool = False) -> dict:
    """What a command prints with --json; stdout must hold nothing else."""
    done = call(*arguments, "--json", process=process)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def refusal(*arguments: object) -> str:
    """The one line that a failing command prints."""
    done = call(*arguments)
    assert done.returncode != 0 and done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    return last


def finished(store: RunStore, name: str, *, seed: int = 0, right: int = 6) -> str:
    """A run with made-up results on eight images of two classes."""
    run = store.create(with_values(RunConfig(), {"seed": seed}), name=name)
    store.start(run.run_id, Worker("here", 1))
    store.set_dataset(run.run_id, class_names=["cat", "dog"], fingerprint="f" * 64)
    store.log_epoch(run.run_id, EpochRecord(1, 0.5, 0.5, 0.6, 0.4, 0.01, 1.0), curve=[0.4])
    labels = np.array([0, 1] * 4)
    shown = np.where(np.arange(8) < right, labels, 1 - labels)
    probabilities = np.where(np.arange(2) == shown[:, None], 0.9, 0.1).astype(np.float32)
    store.add_predictions(run.run_id, Predictions(np.arange(8), labels, probabilities))
    store.set_metrics(run.run_id, {"test_accuracy": right / 8, "val_accuracy": 0.4, "kept_epoch": 1, "epochs": 1})
    store.set_status(run.run_id, RunStatus.FINISHED)
    return run.run_id


def test_unknown_commands_options_presets_and_settings_are_one_line() -> None:
    assert "No such command 'fly'" in refusal("fly")
    assert "--help" in refusal("train", "--fast")
    assert call("train", "--preset", "notebok", process=True).stderr.count("\n") == 1
    assert "Did you mean 'notebook'" in refusal("train", "--preset", "notebok")
    assert "Did you mean 'training.epochs'" in refusal("train", "--set", "training.epoch=3")
    assert "no data source called 'nothing'" in refusal("data", "info", "--source", "nothing")
    assert "no pipeline called 'nothing'" in refusal("augment", "--pipeline", "nothing")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b'{"training": {"epoch": 3}}', b"\xff\xfe\x00", b'{"training": 3}']
)
def test_a_malformed_config_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    refusal("train", "--config", path)


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    assert "nowhere.json" in refusal("train", "--config", tmp_path / "nowhere.json")


def test_a_home_that_is_a_file_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("x")
    monkeypatch.setenv("AQUADASH_HOME", str(home / "file"))
    assert "AQUADASH_HOME" in refusal("runs", "list")


def test_layers_per_settings_come_preset_then_file_then_command_line(tmp_path: Path) -> None:
    from aquadash.cli.config_options import GivenConfig

    path = tmp_path / "config.json"
    path.write_text('{"training": {"epochs": 9, "patience": 2}, "seed": 4}')
    config = GivenConfig("notebook", path, ("training.patience=7",), "cifar100").build()
    assert (config.training.epochs, config.training.patience, config.seed) == (9, 7, 4)
    assert (config.data.source, config.training.validation) == ("cifar100", "test")
    assert GivenConfig("notebook", path, seed=11).build().seed == 11


def test_data_fetch_finds_the_archive(cifar100_archive: Path) -> None:
    values = answer("data", "fetch", "cifar100")
    assert cifar100_archive.samefile(values["path"]) and len(values["sha256"]) == 64 and "verified" in values


def test_a_damaged_archive_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    path.write_bytes(b"\x1f\x8b truncated")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(path))
    refusal("data", "info", "--source", "cifar100")


@pytest.mark.slow
def test_model_summary_is_the_report_s() -> None:
    values = answer("model", "summary", "--preset", "notebook")
    assert values["params"] == 1_091_045 and len(values["layers"]) == 10
    first = values["layers"][0]
    assert (first["kind"], first["output_shape"], first["params"]) == ("Conv2D", [16, 16, 32], 416)
    assert first["multiply_adds"] == 16 * 16 * 32 * (2 * 2 * 3), "one for each weight of each output's window"


def test_runs_are_listed_shown_renamed_deleted_and_brought_back(store: RunStore) -> None:
    assert answer("runs", "list") == {"runs": []}
    run_id = finished(store, "first")
    assert [run["name"] for run in answer("runs", "list")["runs"]] == ["first"]
    values = answer("runs", "show", run_id[:8])
    assert values["config"]["training"]["epochs"] == 200
    assert values["history"][0]["val_loss"] == 0.6 and values["worker"] == {"host": "here", "pid": 1}
    assert (values["status"], values["metrics"]["test_accuracy"]) == ("finished", 0.75)
    assert answer("runs", "rename", "first", "second")["name"] == "second"
    assert answer("runs", "note", "second", "a note")["note"] == "a note"
    answer("runs", "delete", "second")
    assert answer("runs", "list")["runs"] == []
    assert answer("runs", "restore", "second")["deleted"] is False
    assert len(answer("runs", "list")["runs"]) == 1
    assert "first" in call("runs", "show", "second").stdout or "second" in call("runs", "show", "second").stdout


def test_a_run_that_is_not_there_is_one_line(store: RunStore) -> None:
    for command in (("runs", "show"), ("runs", "stop"), ("runs", "resume"), ("runs", "delete"), ("evaluate",)):
        assert "no run called 'nobody'" in refusal(*command, "nobody")
    run_id = store.create(RunConfig(), name="waiting").run_id
    assert "no predictions yet" in refusal("evaluate", run_id)


def test_output_into_a_closed_pipe_is_no_traceback() -> None:
    """As ``| head`` leaves it; before the first line, so that the command cannot have been quicker."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "pipelines", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=settings.PROJECT_ROOT)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, ""), "click's status"


QUICK = ("--set", "augmentation.pipeline=none", "--set", "training.batch_size=64", "--set", "training.patience=0")


@pytest.mark.slow
def test_train_waits_and_predict_answers(warm_home: Path, tmp_path: Path) -> None:
    values = answer(
        "train", "--preset", "notebook-fixed", *QUICK, "--set", "training.epochs=2", "--name", "mine", process=True
    )
    assert (values["status"], values["epochs"], values["name"]) == ("finished", 2, "mine")
    assert values["seconds"] > 0 and 0 < values["metrics"]["test_accuracy"] < 1
    shown = answer("runs", "show", values["run_id"])
    assert len(shown["history"]) == 2

    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (40, 30), "navy").save(good)
    bad.write_bytes(b"")
    predictions = answer("predict", "mine", good, bad)["predictions"]
    assert [entry["file"] for entry in predictions] == [str(good), str(bad)]
    assert sum(predictions[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert predictions[0]["label"] == max(predictions[0]["probabilities"], key=predictions[0]["probabilities"].get)
    assert predictions[0]["error"] is None and predictions[1]["label"] is None and "empty" in predictions[1]["error"]
    assert call("predict", "mine", bad).returncode == 1
    latin_1 = good.rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
    shown_name = str(tmp_path / "caf\N{REPLACEMENT CHARACTER}.png")
    assert answer("predict", "mine", latin_1)["predictions"][0]["file"] == shown_name
    assert call("predict", "mine", latin_1).stdout.startswith(f"{shown_name}: ")
    _test_images_as_files_agree_with_the_stored_predictions(values["run_id"], tmp_path)


def _test_images_as_files_agree_with_the_stored_predictions(run_id: str, folder: Path) -> None:
    store = open_store()
    stored = store.predictions(run_id)
    images = data.load("synthetic").test.images
    rows = range(0, len(stored.indices), 60)
    files = [folder / f"{row}.png" for row in rows]
    for row, file in zip(rows, files, strict=True):
        Image.fromarray(images[stored.indices[row]]).save(file)
    values = answer("predict", run_id, *files)
    scaled = scale(stored.probabilities, values["temperature"])
    for entry, row in zip(values["predictions"], rows, strict=True):
        assert list(entry["probabilities"].values()) == pytest.approx(scaled[row].tolist(), abs=1e-4)
        assert entry["label"] == store.get(run_id).class_names[stored.probabilities[row].argmax()]


@pytest.mark.slow
def test_ctrl_c_stops_the_run_and_keeps_its_epochs(
    store: RunStore, quick_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted: list[float] = []

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if not interrupted and any(len(run.curve) >= 2 for run in store.list_runs()):
            interrupted.append(seconds)
            raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=sleep))
    values = answer("train", *QUICK, "--set", "training.epochs=500")
    assert interrupted and values["status"] == "stopped" and 2 <= values["epochs"] < 500
