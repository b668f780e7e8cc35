"""The command line: one JSON object on stdout, one line on stderr, and the exit status tells."""

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import time
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aquadash import data, settings
from aquadash.cli import main
from aquadash.evaluation.calibration import scale
from aquadash.lab import memory
from aquadash.store import RunStatus, RunStore, open_store
from tests.support.faults import let_fail
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import make_run, skilled
from tests.support.waiting import between_looks, interrupt, wait_for

COMMAND = [sys.executable, "-m", "aquadash"]


def call(*arguments: object, process: bool = False, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command: in this process, which is quick, or in one of its own with these options, as people do."""
    texts = [str(argument) for argument in arguments]
    if process:
        command, where = [*COMMAND, *texts], settings.PROJECT_ROOT
        return subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=where, **options)
    # As a process of its own would, it knows nothing of what an earlier one has read.
    memory.refresh()
    # The real streams refuse text that UTF-8 cannot hold, so these do, too.
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
    """Return the object that a command prints with --json. Stdout must hold nothing else."""
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


def test_unknown_commands_options_presets_and_settings_are_one_line(tmp_path: Path) -> None:
    done = call("runs")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", call("runs", "--help").stdout)
    assert "No such command 'fly'" in refusal("fly")
    assert "--help" in refusal("train", "--fast")
    assert "nan is not a number" in refusal("predict", "--position", "nan", "a-run", "photo.jpg")
    assert call("train", "--preset", "notebok", process=True).stderr.count("\n") == 1
    assert "Did you mean 'notebook'" in refusal("train", "--preset", "notebok")
    assert "Did you mean 'training.epochs'" in refusal("train", "--set", "training.epoch=3")
    assert "no data source called 'nothing'" in refusal("data", "info", "--source", "nothing")
    assert "no pipeline called 'nothing'" in refusal("augment", "--pipeline", "nothing")
    for command in (("runs", "show"), ("runs", "delete"), ("evaluate",), ("reproduce",)):
        assert "no run called 'nobody'" in refusal(*command, "nobody")
    assert "no\ufffd]0;where.json" in refusal("train", "--config", "no\x1b]0;where.json")
    for content in (b"{", b"[1, 2]", b"\xff\xfe\x00"):
        (tmp_path / "config.json").write_bytes(content)
        refusal("train", "--config", tmp_path / "config.json")


def test_layers_per_settings_come_preset_then_file_then_command_line(tmp_path: Path) -> None:
    from aquadash.cli.config_options import ConfigOptions

    path = tmp_path / "config.json"
    path.write_text('{"training": {"epochs": 9, "patience": 2}, "seed": 4}')
    config = ConfigOptions("notebook", path, ("training.patience=7",), "cifar100").build()
    assert (config.training.epochs, config.training.patience, config.seed) == (9, 7, 4)
    assert (config.data.source, config.training.validation) == ("cifar100", "test")
    assert ConfigOptions("notebook", path, seed=11).build().seed == 11


@pytest.mark.slow
def test_model_summary_is_the_report_s() -> None:
    values = answer("model", "summary", "--preset", "notebook")
    assert values["params"] == 1_091_045 and len(values["layers"]) == 10
    first = values["layers"][0]
    assert (first["kind"], first["output_shape"], first["params"]) == ("Conv2D", [16, 16, 32], 416)
    told = call("model", "summary", "--set", "model.test_time_flip=true").stdout
    assert "\nmultiply adds: " in told and "An answer takes twice as many" in told


def test_runs_are_listed_shown_renamed_deleted_and_brought_back(store: RunStore) -> None:
    assert answer("runs", "list") == {"runs": []}
    for group in ((), ("--group-by", "all-but-seed")):
        assert call("runs", "list", *group).stdout == "No runs yet: train one with train.\n"
        assert call("runs", "list", "--deleted", *group).stdout == "The bin is empty.\n"
    run = make_run(store, "first", predictions=skilled(0.75))
    assert [run["name"] for run in answer("runs", "list")["runs"]] == ["first"]
    values = answer("runs", "show", run.run_id[:8])
    assert values["config"]["training"]["epochs"] == 200
    assert values["history"][0]["val_loss"] == 1.6 and values["worker"]["host"] == "test-host"
    assert values["status"] == "finished" and values["metrics"]["test_accuracy"] == pytest.approx(0.75)
    assert answer("runs", "rename", "first", "second")["name"] == "second"
    note = "a note\x1b]0;\x9b2J"
    said = call("runs", "note", "second", note, "--json").stdout
    assert json.loads(said)["note"] == note and not {"\x1b", "\x9b"} & set(said), "a terminal would obey them"
    answer("runs", "delete", "second")
    assert answer("runs", "list")["runs"] == []
    assert answer("runs", "restore", "second")["deleted"] is False
    assert len(answer("runs", "list")["runs"]) == 1
    said = call("runs", "show", "second").stdout
    assert "name: second\n" in said and "\nnote: a note\ufffd]0;\ufffd2J\n" in said
    store.update(run.run_id, status=RunStatus.STOPPED)
    assert "finished by itself" in refusal("reproduce", "second")
    waiting = make_run(store, "waiting", status=RunStatus.RUNNING)
    assert "no predictions yet" in refusal("evaluate", "waiting")
    assert answer("runs", "show", waiting.run_id)["log"] == "epoch 3: loss 0.9\n"
    assert "\nLog:\nepoch 3: loss 0.9\n" in call("runs", "show", waiting.run_id).stdout


def test_an_unexpected_error_has_an_exit_status_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_fail(monkeypatch, RunStore, "list_runs", ZeroDivisionError("by zero"))
    done = call("runs", "list")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("Error: Unexpected ZeroDivisionError: by zero. Set AQUADASH_DEBUG=1")


def test_a_disk_without_room_is_named_where_nothing_but_the_jobs_is_read(store: RunStore, home: Path) -> None:
    make_run(store, "kept", status=RunStatus.QUEUED)
    assert call("runs", "list", process=True).returncode == 0
    # The last one to leave the database takes the files beside it away, which the next has to make.
    store.database.close()
    # The system then refuses every write to a file, as a full disk does; SQLite says "disk I/O error".
    done = call("runs", "list", process=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: AquaDash cannot write to its folder {home} (") and "I/O" not in done.stderr


def test_commands_that_only_look_import_nothing_slow(store: RunStore) -> None:
    make_run(store, "one")
    slow = {"tensorflow", "mlflow", "sklearn", "scipy.stats", "optuna", "distributed", "aquadash.augment"}
    for words, also_slow in ((("runs", "list"), "scipy"), (("evaluate", "one"), "pandas")):
        command = [sys.executable, "-X", "importtime", *COMMAND[1:], *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=settings.PROJECT_ROOT)
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert done.returncode == 0 and "aquadash.cli" in imported, done.stderr[-2000:]
        assert not imported & {*slow, also_slow}, words


def test_ctrl_c_while_a_command_is_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    done = call(process=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: Interrupted.\n")


@pytest.fixture(scope="module")
def trained(shared_home: Path) -> tuple[Path, dict[str, Any]]:
    """A home with own pictures, and what ``train`` has printed there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(shared_home))
        pictures = in_folder(shared_home / "mine", of_classes({name: 40 for name in ("cat", "dog", "eel")}))
        source = imported(pictures).keep("Mine").source
        small = ("model.name=cnn", "model.filters=8", "model.dense_units=8", "training.epochs=2")
        settings = (*small, "augmentation.pipeline=notebook-1", f"data.source={source}")
        words = [word for setting in settings for word in ("--set", setting)]
        return shared_home, answer("train", "--preset", "notebook-fixed", *words, "--name", "mine")


@pytest.fixture
def mine(trained: tuple[Path, dict[str, Any]], home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The run that is trained, in its home, whose tests leave it as it is."""
    monkeypatch.setenv("AQUADASH_HOME", str(trained[0]))
    return trained[1]


@pytest.mark.slow
def test_predict_answers(mine: dict[str, Any], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (40, 30), "navy").save(good)
    bad.write_bytes(b"")
    predictions = answer("predict", "mine", good, bad)["predictions"]
    assert [entry["file"] for entry in predictions] == [str(good), str(bad)]
    assert sum(predictions[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert predictions[0]["label"] == max(predictions[0]["probabilities"], key=predictions[0]["probabilities"].get)
    assert predictions[0]["error"] is None and predictions[1]["label"] is None and "empty" in predictions[1]["error"]
    failed = call("predict", "mine", bad)
    assert failed.returncode == 1 and "No file could be predicted" in failed.stderr
    latin_1 = good.rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
    shown_name = str(tmp_path / "caf\N{REPLACEMENT CHARACTER}.png")
    assert answer("predict", "mine", latin_1)["predictions"][0]["file"] == shown_name
    assert call("predict", "mine", latin_1).stdout.splitlines()[1].startswith(f"{shown_name}  ")


@pytest.mark.slow
def test_test_images_as_files_agree_with_the_stored_predictions(mine: dict[str, Any], tmp_path: Path) -> None:
    store = open_store()
    run, stored = store.get(mine["run_id"]), store.predictions(mine["run_id"])
    images = data.load(run.config.data.source).test.images
    rows = range(0, len(stored.indices), 3)
    files = [tmp_path / f"{row}.png" for row in rows]
    for row, file in zip(rows, files, strict=True):
        Image.fromarray(images[stored.indices[row]]).save(file)
    values = answer("predict", run.run_id, *files)
    scaled = scale(stored.probabilities, values["temperature"])
    for entry, row in zip(values["predictions"], rows, strict=True):
        assert list(entry["probabilities"].values()) == pytest.approx(scaled[row].tolist(), abs=1e-4)
        assert entry["label"] == run.class_names[stored.probabilities[row].argmax()]


@pytest.mark.slow
def test_a_trained_run_is_told_and_its_repeat_identical(mine: dict[str, Any]) -> None:
    assert (mine["status"], mine["epochs"], mine["name"]) == ("finished", 2, "mine")
    assert mine["seconds"] > 0 and mine["metrics"]["test_accuracy"] == answer("evaluate", "mine")["accuracy"]
    result = answer("reproduce", "mine")
    assert result["run_id"] == mine["run_id"] == open_store().get(result["repeat_id"]).repeats
    assert result["identical"] is True and result["max_difference"] == 0.0 and result["reasons"] == []
    assert all(part["count"] > 0 for part in result["parts"])
    assert answer("reproduce", "mine", "--against", result["repeat_id"]) == result


@pytest.mark.slow
def test_ctrl_c_keeps_the_epochs(store: RunStore, quick_training: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def has_two_epochs() -> bool:
        return any(len(run.curve) >= 2 for run in store.list_runs())

    between_looks(monkeypatch, chain([lambda: wait_for(has_two_epochs), interrupt], repeat(lambda: time.sleep(0.1))))
    values = answer("train", "--set", "augmentation.pipeline=none", "--set", "training.epochs=500")
    assert values["status"] == "stopped" and 2 <= values["epochs"] < 500
    (run,) = store.list_runs()
    assert "test_accuracy" in run.metrics and store.model_path(run.run_id).is_file()
