"""Tests of the job that measures robustness, which can be stopped and continued, and of its command."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aquadash import data
from aquadash.errors import RunError, StorageError
from aquadash.robustness import corruptions
from aquadash.robustness import job as robustness_job
from aquadash.robustness.job import KIND, job_of, start
from aquadash.robustness.measure import is_measured, load_network, measure
from aquadash.robustness.measurement import Measurement
from aquadash.robustness.requests import RobustnessRequest, choose_subjects
from aquadash.store import Run, RunStatus, RunStore, Stopped, open_jobs
from aquadash.store.artifacts import MODEL, ROBUSTNESS
from aquadash.work import worker
from tests.cli.test_cli import answer, call, refusal
from tests.support import job_rows
from tests.support.robust_runs import add_result, add_tiny_model, made_up_result
from tests.support.runs import make_run
from tests.support.waiting import wait_for

REQUEST = RobustnessRequest(("gaussian_noise", "contrast"), (1, 5), limit=20, pipelines=("notebook-1",), seed=2)


@pytest.fixture
def run(store: RunStore) -> Run:
    return make_run(store, "tested")


@pytest.fixture
def with_model(store: RunStore, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Corrupt in a thread, since tests/robustness/test_measure.py tests the processes."""
    monkeypatch.setattr(corruptions, "open_pool", lambda: ThreadPoolExecutor(1))
    return add_tiny_model(store, run, tmp_path)


def result_of(store: RunStore, run_id: str) -> Measurement | None:
    return robustness_job.result_of(store, store.get(run_id))


@pytest.mark.slow
def test_stopped_then_finished_as_if_nothing_had_happened(
    store: RunStore, with_model: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_rows.start_no_process(monkeypatch)
    run = with_model
    start(store, run.run_id, REQUEST)
    with pytest.raises(RunError, match="already"):
        start(store, run.run_id, REQUEST)

    def stopped_after_two_cells(*arguments: Any, **options: Any) -> Iterator[Measurement]:
        for part in measure(*arguments, **options):
            yield part
            if len(part.scores) == 2:
                raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("aquadash.robustness.measure.measure", stopped_after_two_cells)
        job = job_rows.do_next(KIND)
    assert (job.status, job.message) == (RunStatus.STOPPED, "Stopped by request. What is measured is kept.")
    assert len(result_of(store, run.run_id).scores) == 2
    start(store, run.run_id)
    assert job_rows.do_next(KIND).status is RunStatus.FINISHED
    measurement = result_of(store, run.run_id)
    assert is_measured(measurement, REQUEST)
    network = load_network(store, run)
    subjects = choose_subjects(REQUEST, run, data.load("synthetic"), None)
    *_, direct = measure(network, subjects, REQUEST, model_sha256=measurement.identity["model_sha256"])
    stored, expected = (json.loads(each.to_json()) for each in (measurement, direct))
    for name in ("identity", "clean", "corruptions", "pipelines"):
        assert stored[name] == expected[name], name
    assert store.get(run.run_id) == replace(run, has_robustness=True), "its status, progress and log are untouched"
    assert {"numpy", "tensorflow"} <= set(measurement.versions)


@pytest.mark.slow
def test_the_command_measures_once(with_model: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.do_at_once(monkeypatch)
    arguments = ["--corruption", "contrast", "--severity", "1", "--severity", "5", "--no-pipelines", "--limit", "50"]
    first = answer("robustness", "tested", *arguments)
    assert (first["status"], first["cells"], first["complete"]) == ("finished", 2, False)
    assert set(first["corruptions"]["contrast"]) == {"1", "5"}
    errors = [1 - entry["accuracy"] for entry in first["corruptions"]["contrast"].values()]
    assert first["mean_corruption_error"] == pytest.approx(sum(errors) / 2)
    job = open_jobs().get(job_of(with_model))
    assert answer("robustness", "tested", *arguments) == first
    assert open_jobs().get(job.id).started_at == job.started_at


def test_the_command_tells_what_is_measured_and_refuses_what_it_does_not_know(store: RunStore, run: Run) -> None:
    add_result(store, run, made_up_result(fingerprint=run.dataset_fingerprint))
    said = call("robustness", "tested").stdout
    for words in ("cells: 75\n", "normalised by alexnet: no\n", "\ngaussian_noise ", "\nmirror-shift "):
        assert words in said
    assert "'fog'" in refusal("robustness", "tested", "--corruption", "fogg")
    for other in (("--corruption", "fog", "--limit", "50"), ("--seed", "1")):
        assert "with --seed 0 --limit 500. " in refusal("robustness", "tested", *other), "those are not lost"
        assert "model.keras of tested is missing" in refusal("robustness", "tested", *other, "--replace"), "it begins"


def test_what_cannot_be_measured_is_refused_or_fails_with_its_reason(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_rows.start_no_process(monkeypatch)
    queued = make_run(store, "waits", status=RunStatus.QUEUED)
    for one, reason in ((run, "model.keras of .* is missing"), (queued, "once it has ended")):
        with pytest.raises(RunError, match=reason):
            start(store, one.run_id, REQUEST)
        assert open_jobs().get(job_of(one)) is None
    changed = make_run(store, "changed", dataset_fingerprint="0" * 64)
    for one, reason in ((run, "cannot be loaded"), (changed, "data set has changed")):
        store.add_text_artifact(one.run_id, MODEL, "no model")
        start(store, one.run_id, REQUEST)
        job = job_rows.do_next(KIND)
        assert (job.run, job.status) == (one.run_id, RunStatus.FAILED) and reason in job.message


def test_a_lost_job_stores_nothing(store: RunStore, with_model: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    run = with_model
    start(store, run.run_id, REQUEST)
    assert job_rows.queued_kinds() == [KIND]
    first = job_rows.claim(KIND)
    context = worker.JobContext(open_jobs(), first)

    def lose_the_job(*_: object, **__: object) -> Iterator[Measurement]:
        job_rows.let_the_lease_run_out(first)
        start(store, run.run_id)
        with context.beating(interval=0.01):
            wait_for(lambda: context.lost, timeout=60)
        yield made_up_result(fingerprint=run.dataset_fingerprint)

    monkeypatch.setattr("aquadash.robustness.measure.measure", lose_the_job)
    robustness_job.work(context)
    assert result_of(store, run.run_id) is None and not store.get(run.run_id).has_robustness


@pytest.mark.parametrize("set_back", [0, 3600])
def test_figures_of_a_resumed_run_stay_until_it_gets_further(store: RunStore, run: Run, set_back: float) -> None:
    store.add_text_artifact(run.run_id, MODEL, "no model")
    figures = made_up_result(fingerprint=run.dataset_fingerprint)
    add_result(store, run, replace(figures, measured_at=figures.measured_at + set_back))
    store.update(run.run_id, status=RunStatus.STOPPED)
    assert is_measured(result_of(store, run.run_id), RobustnessRequest())
    store.add_text_artifact(run.run_id, MODEL, "trained on")
    assert result_of(store, run.run_id) is None


def test_what_counts_as_measured() -> None:
    measurement, whole = made_up_result(fingerprint="f", seed=4), RobustnessRequest(seed=4)
    assert is_measured(measurement, whole)
    assert is_measured(measurement, replace(whole, limit=900, corruptions=("fog",)))
    assert not is_measured(measurement, replace(whole, seed=5))
    assert not is_measured(measurement, replace(whole, limit=100))
    assert not is_measured(None, whole)


def test_damaged_figures_are_an_error_and_are_measured_again(store: RunStore, run: Run) -> None:
    result = made_up_result(fingerprint=run.dataset_fingerprint)
    store.add_robustness(run.run_id, result.to_json())
    assert is_measured(result_of(store, run.run_id), RobustnessRequest()), "an imported run has no job"
    store.add_text_artifact(run.run_id, ROBUSTNESS, result.to_json()[:1000])
    with pytest.raises(StorageError, match="damaged"):
        result_of(store, run.run_id)
    assert "model.keras of tested is missing" in refusal("robustness", "tested"), "the command begins to measure"
