"""The walkthrough's corrections, progress and comparison with the report."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aquadash import data, settings
from aquadash.cli import cli
from aquadash.errors import StorageError
from aquadash.evaluation import evaluate
from aquadash.store import open_store
from aquadash.walkthrough import LESSONS, all_findings, findings, progress, report
from aquadash.walkthrough.beside import beside, learnt_from
from tests import ui_runs
from tests.stored_runs import add_run

MUST = {
    "logits", "test-as-validation", "ten-times", "patience", "one-hot", "linear-convolutions", "ninety-six",
    "sixty-seven", "precision",
}  # fmt: skip


def test_every_known_mistake_of_the_report_has_its_place_in_a_section() -> None:
    found = all_findings()
    keys = [finding.key for finding in found]
    assert MUST <= set(keys) and len(set(keys)) == len(keys)
    assert {finding.lesson for finding in found} <= set(LESSONS)
    assert sum(len(findings(lesson)) for lesson in LESSONS) == len(found)
    for finding in found:
        heading = finding.where.split(",")[0].split(";")[0]
        assert heading and finding.says and finding.right


def test_numbers_in_the_corrections_are_right() -> None:
    texts = {finding.key: finding.right for finding in all_findings()}
    assert "57 % to 75 %" in texts["sixty-seven"]
    assert "27,500" in texts["ten-times"]
    assert "0.905" in texts["logits"] and report.LOG[-1].loss < 0.905
    assert "92.9 %" in texts["ninety-six"] and "96.7 %" in texts["ninety-six"]


def test_the_report_s_figures_agree_with_one_another() -> None:
    rows = report.SCORES
    called_so = [round(report.right_ones(row) / row.precision) for row in rows]
    assert sum(row.support for row in rows) == report.MEASURED_IMAGES == sum(called_so)
    assert sum(map(report.right_ones, rows)) == 67
    mean = sum(row.precision * row.support for row in rows) / report.MEASURED_IMAGES
    assert mean == pytest.approx(report.WEIGHTED_AVERAGE.precision, abs=1e-4)
    assert [row.epoch for row in report.LOG] == list(range(1, 8))


def test_progress_is_kept_and_what_is_solved_stays_solved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = progress.new_id()
    assert progress.read(me) == progress.LessonProgress() and not (home / "progress").exists()
    progress.note(me, "loss", solved=False)
    progress.note(me, "loss", solved=True)
    first = progress.read(me)
    progress.note(me, "loss", solved=False)
    assert first.tries == {"loss": 2} and set(first.solved) == {"loss"}
    assert progress.read(me).tries == {"loss": 3} and progress.read(me).solved == first.solved

    def busy(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", busy)
        with pytest.raises(StorageError, match="Too many open files"):
            progress.note(me, "loss", solved=True)
    assert progress.read(me).tries == {"loss": 3}, "a file that cannot be read now is no damaged one"


_ANSWERING = """
import sys
from aquadash.walkthrough import progress
print("ready", flush=True)
sys.stdin.readline()
for _ in range(40):
    progress.note("0123456789abcdef", "loss", solved=False)
"""


def test_answers_of_two_processes_are_all_counted(home: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _ANSWERING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=settings.PROJECT_ROOT,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert progress.read("0123456789abcdef").tries == {"loss": 80}


@pytest.mark.parametrize("bad", ["", "../../runs", "A" * 16, "0" * 15, "0" * 17, "0" * 15 + "\n", "<b>"])
def test_what_is_no_id_is_nobody_and_touches_no_file(home: Path, bad: str) -> None:
    assert progress.read(bad) == progress.LessonProgress()
    with pytest.raises(ValueError):
        progress.note(bad, "loss", solved=True)
    assert not list(home.rglob("*.json"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "[" * 9000, '{"format": 2, "tries": {"loss": 1}, "solved": {}}', '{"format": 1, "tries": 3}',
     '{"format": 1, "tries": {"loss": "x", "evil": 2}, "solved": {"loss": true}}'],
)  # fmt: skip
def test_a_damaged_file_is_no_progress(home: Path, text: str) -> None:
    me = progress.new_id()
    (home / "progress").mkdir()
    (home / "progress" / f"{me}.json").write_text(text)
    assert progress.read(me) == progress.LessonProgress()
    assert set(progress.note(me, "loss", solved=True).solved) == {"loss"}
    # It is kept aside, once.
    progress.note(me, "loss", solved=True)
    assert [path.read_text() for path in (home / "progress").glob("*.unread")] == [text]


def test_the_oldest_progress_goes_when_there_is_too_much(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MAX_FILES", 3)
    ids = [progress.new_id() for _ in range(5)]
    for age, me in zip(range(50, 0, -10), ids, strict=True):
        progress.note(me, "loss", solved=True)
        os.utime(home / "progress" / f"{me}.json", (1e9 - age, 1e9 - age))
    kept = {path.stem for path in (home / "progress").iterdir()}
    assert kept == set(ids[-3:])


def test_a_folder_that_cannot_be_written_is_said(home: Path) -> None:
    (home / "progress").write_text("in the way")
    with pytest.raises(StorageError, match="progress"):
        progress.note(progress.new_id(), "loss", solved=True)


def test_the_report_beside_a_run(home: Path) -> None:
    store = open_store()
    run = add_run(store)
    found = store.predictions(run.run_id)
    scores = evaluate(found.labels, found.probabilities, class_names=run.class_names)
    dataset = data.load("synthetic")
    images = learnt_from(run.config, dataset)
    result = beside(run, scores, store.history(run.run_id), parameters=7, training_images=images)
    rows = {row.key: row for row in result.rows}
    # A fifth of 2,500 is held out, the rest becomes five times as many.
    fraction = run.config.training.validation_fraction
    assert abs(images - 2500 * (1 - fraction) * 5) < run.config.training.batch_size
    assert (rows["train_images"].report, rows["train_images"].run) == (12_500, images)
    assert rows["test_accuracy"].run == pytest.approx(100 * scores.accuracy)
    assert rows["best_epoch"].report == 2 and rows["best_epoch"].run == 6
    assert rows["recall_otter"].run == pytest.approx(100 * scores.report[2].recall)
    low, high = result.difference_ci95
    assert low < result.difference < high
    assert result.run_right == (int(scores.confusion_matrix.trace()), 500)


def test_the_command_prints_the_table(home: Path) -> None:
    run = add_run(open_store(), name="mine")
    done = CliRunner().invoke(cli, ["walkthrough", "report", "--run", "mine", "--json"], catch_exceptions=False)
    found = json.loads(done.output)
    assert found["run_id"] == run.run_id
    assert {row["key"] for row in found["rows"]} >= {"test_accuracy", "parameters", "patience", "precision"}
    text = CliRunner().invoke(cli, ["walkthrough", "report", "--run", "mine"], catch_exceptions=False).output
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["figure", "unit", "report", "run", "note"]
    assert ["Test", "accuracy", "%", "67", f"{100 * run.metrics['test_accuracy']:.4g}"] in lines

    # Its validation loss is lowest in epoch 5, its accuracy highest in epoch 6.
    ui_runs.finished(open_store(), "watches", {"training.monitor": "val_accuracy"})
    done = CliRunner().invoke(cli, ["walkthrough", "report", "--run", "watches", "--json"], catch_exceptions=False)
    assert {row["key"]: row["run"] for row in json.loads(done.output)["rows"]}["best_epoch"] == 6
