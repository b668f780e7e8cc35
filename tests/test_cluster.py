"""More than one machine and one home, with everything that a cluster consists of as processes on loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from aquadash import data, settings
from aquadash.config import RunConfig, with_values
from aquadash.search import SearchPlan, parse_all, start_search
from aquadash.search.store import open_search_store
from aquadash.store import Run, RunStatus, RunStore, open_store
from aquadash.store.job_types import job_id
from aquadash.store.runs import KIND
from aquadash.work.queue import Engine, open_engine
from tests import clusters, job_rows
from tests.clusters import Cluster, Machine, postgresql
from tests.conftest import QUICK_TRAINING
from tests.made_runs import create
from tests.own_pictures import imported, in_folder, of_classes
from tests.stored_runs import without_seconds
from tests.test_cli import answer
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING),
]

#: tests/quick_training trains a run of this seed in earnest.
EARNEST_SEED = 4711

BASE = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 5})
#: Short epochs, and so many of them that the run does not end before it is told to.
LONG = with_values(BASE, {"training.epochs": 1000, "training.batch_size": 16})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers of one slot each, with one home."""
    folder = tmp_path_factory.mktemp("cluster")
    with postgresql() as database:
        cluster = Cluster(database, clusters.another_database(database, "jobs"), folder / "home", folder)
        try:
            cluster.start_scheduler()
            for name in ("one", "two"):
                cluster.start(name)
            joined(cluster)
            yield cluster
        finally:
            cluster.close()


def joined(cluster: Cluster) -> None:
    """Wait until all machines are part of the cluster."""
    for machine in machines(cluster):
        wait_for(machine.registrations, timeout=120, saying=cluster.logs, every=0.2)


@pytest.fixture
def app(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app whose runs the cluster trains."""
    monkeypatch.setenv("AQUADASH_HOME", str(cluster.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", cluster.store)
    monkeypatch.setenv("AQUADASH_DATABASE", cluster.database)
    monkeypatch.setenv("AQUADASH_SCHEDULER", cluster.address)
    yield
    # Its threads would look for the cluster for as long as this process lives.
    open_engine().close()


def test_a_search_over_own_pictures_uses_all_workers(cluster: Cluster, app: None, tmp_path: Path) -> None:
    seen = answer("cluster", "status")
    assert (seen["problems"], seen["slots"], seen["runs"]) == ([], 2, [])
    assert sorted((one["name"], one["home"], one["busy"]) for one in seen["workers"]) == [
        (machine.name, str(cluster.home), 0) for machine in machines(cluster)
    ]
    kept = imported(in_folder(tmp_path / "mine", of_classes({"cat": 30, "dog": 30}))).keep("Mine")
    config = with_values(BASE, {"data.source": kept.source, "training.epochs": 4})
    store = open_store()
    plan = SearchPlan(config, parse_all(["training.learning_rate=0.001,0.002"]), sampler="random", trials=2)
    search_id = start_search(plan, open_engine())
    wait_for(lambda: open_search_store().get(search_id).status.ended, saying=cluster.logs)
    search = open_search_store().get(search_id)
    assert search.status is RunStatus.FINISHED and [trial.message for trial in search.trials] == ["", ""]

    runs = [store.get(trial.run_id) for trial in search.trials]
    assert [(run.status, run.dataset_fingerprint) for run in runs] == 2 * [(RunStatus.FINISHED, kept.fingerprint)]
    # Each worker trained one of them, at the same time.
    assert max(run.started_at or 0 for run in runs) < min(run.ended_at or 0 for run in runs)

    one = runs[0].run_id
    assert answer("evaluate", one)["accuracy"] == runs[0].metrics["test_accuracy"]
    picture = tmp_path / "animal.png"
    Image.fromarray(data.load(kept.source).test.images[0]).save(picture)
    assert answer("predict", one, picture)["predictions"][0]["label"] in ("cat", "dog")
    answer("explain", one, picture, "--out", tmp_path / "explained.png")
    assert (tmp_path / "explained.png").is_file()
    assert "epoch 4:" in store.log(one)


def machines(cluster: Cluster) -> list[Machine]:
    return list(cluster.machines.values())


# It starts TensorFlow three times, and waits for several machines to be missed.
@pytest.mark.timeout(600)
def test_a_run_outlives_the_app_its_slot_the_scheduler_and_its_machine(cluster: Cluster, app: None) -> None:
    store = open_store()
    engine = Engine(store)
    run_id = engine.submit(LONG, name="tough").run_id
    run = later(store, run_id, cluster)
    first, second = sorted(machines(cluster), key=lambda one: not one.trainings())
    (training,) = first.trainings()
    assert run.worker and run.worker.pid == training.pid and not second.trainings()

    # The app ends, and another one comes.
    engine.close()
    later(store, run_id, cluster)
    engine = Engine(store)
    engine.serve()

    # The slot's process is killed, the training lives, and keeps its slot: of two more, one waits.
    before = first.registrations()
    first.dask_worker.kill()
    wait_for(lambda: first.registrations() > before, saying=cluster.logs, every=0.2)
    beside, waiting = engine.submit(LONG, name="beside").run_id, engine.submit(LONG, name="waiting").run_id
    later(store, beside, cluster)
    assert later(store, run_id, cluster).worker == run.worker
    assert store.ranks().get(waiting) == 1 and len(first.trainings()) == len(second.trainings()) == 1
    for stopped in (waiting, beside):
        store.request_stop(stopped)
        wait_for(lambda name=stopped: store.get(name).status.ended, saying=cluster.logs)

    # The scheduler is gone with all that it knew, and back.
    seen = [machine.registrations() for machine in (first, second)]
    cluster.kill_scheduler()
    later(store, run_id, cluster)
    cluster.start_scheduler()
    wait_for(
        lambda: all(machine.registrations() > count for machine, count in zip((first, second), seen, strict=True)),
        timeout=90, saying=cluster.logs, every=0.2,
    )  # fmt: skip
    assert later(store, run_id, cluster).worker == run.worker
    assert [one.pid for one in (*first.trainings(), *second.trainings())] == [training.pid]

    # `cluster worker` is killed and started again: what it left behind of Dask ends, the training does not.
    left, before = first.dask_worker, first.registrations()
    first.process.kill()
    first.process.wait(10)
    first = cluster.start(first.name)
    wait_for(lambda: first.registrations() > before, saying=cluster.logs, every=0.2)
    assert not left.is_running()
    assert later(store, run_id, cluster).worker == run.worker

    # Its machine is gone. The other one goes on after the last complete epoch.
    first.lose()
    kept = without_seconds(store.history(run_id))
    moved = later(store, run_id, cluster, that=lambda now: now.worker != run.worker)
    (again,) = second.trainings()
    assert moved.worker and moved.worker.pid == again.pid
    assert "was lost (no heartbeat); the next one goes on from what is complete." in moved.message
    assert re.search(r"going on after epoch \d+", settings.job_log(job_id(KIND, run_id)).read_text())
    assert without_seconds(store.history(run_id))[: len(kept)] == kept

    # A machine that is shut down hands its run over at once.
    before = first.registrations()
    first = cluster.start(first.name)
    wait_for(lambda: first.registrations() > before, saying=cluster.logs, every=0.2)
    second.shut_down()
    assert not second.processes()
    later(store, run_id, cluster, that=lambda now: now.worker != moved.worker)
    assert len(first.trainings()) == 1

    store.request_stop(run_id)
    run = wait_for(lambda: run if (run := store.get(run_id)).status.ended else None, saying=cluster.logs)
    assert (run.status, run.message) == (
        RunStatus.STOPPED,
        f"Stopped by request after {len(store.history(run_id))} complete epochs.",
    )
    assert store.model_path(run_id).is_file() and "test_accuracy" in run.metrics
    assert [record.epoch for record in store.history(run_id)] == list(range(1, len(store.history(run_id)) + 1))
    engine.close()


def later(
    store: RunStore,
    run_id: str,
    cluster: Cluster,
    *,
    at_least: int = 0,
    that: Callable[[Run], bool] = lambda run: True,
) -> Run:
    """The run as it is once it has completed another epoch, or so many, and fulfils a condition."""
    progress = store.get(run_id).progress
    epoch = max(at_least, progress.epoch if progress else 0)

    def there() -> Run | None:
        run = store.get(run_id)
        assert not run.status.ended, (run.message, cluster.logs())
        return (
            run
            if run.status is RunStatus.RUNNING and run.progress and run.progress.epoch > epoch and that(run)
            else None
        )

    return wait_for(there, timeout=90, saying=lambda: (store.get(run_id), cluster.logs()), every=0.3)


# -- a queue of ten ----------------------------------------------------------------------------------------------------

_APP = """
import sys
from aquadash.work.queue import open_engine
open_engine().serve()
sys.stdin.read()
"""


@contextmanager
def serving_queue() -> Iterator[subprocess.Popen[bytes]]:
    """An app that gives out the cluster's slots; at the end it is killed."""
    process = subprocess.Popen([sys.executable, "-c", _APP], stdin=subprocess.PIPE, cwd=settings.PROJECT_ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


@pytest.fixture
def quick_cluster(cluster: Cluster, app: None) -> Iterator[Cluster]:
    """Two machines that train next to nothing, but for one run."""
    quick = Cluster(cluster.store, cluster.database, cluster.home, cluster.folder / "quick")
    quick.folder.mkdir()
    try:
        quick.start_scheduler()
        for name in ("three", "four"):
            quick.start(name, PYTHONPATH=str(QUICK_TRAINING))
        joined(quick)
        yield quick
    finally:
        quick.close()


@pytest.mark.timeout(600)
def test_ten_runs_are_done_once_each(quick_cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AQUADASH_SCHEDULER", quick_cluster.address)
    store = open_store()
    earnest = with_values(BASE, {"training.epochs": 4, "seed": EARNEST_SEED})
    quick = [with_values(BASE, {"training.epochs": 30, "seed": seed}) for seed in range(1, 10)]
    runs = {create(store, config).run_id: config for config in (earnest, *quick)}
    for run_id in runs:
        store.queue(run_id)
    first = next(iter(runs))

    def left() -> list[str]:
        return [run_id for run_id in runs if store.ended_as(run_id) is None]

    with serving_queue():
        # A worker process, in the middle of the only training that is one.
        lost = later(store, first, quick_cluster, at_least=2)
        assert lost.worker is not None
        os.kill(lost.worker.pid, signal.SIGKILL)
        wait_for(lambda: "signal SIGKILL" in store.get(first).message, saying=lambda: store.get(first))
        # A Dask worker, while what it has launched is at work.
        machine = wait_for(lambda: next((one for one in machines(quick_cluster) if one.trainings()), None))
        machine.dask_worker.kill()
        done = len(left())
        wait_for(lambda: len(left()) < done, saying=quick_cluster.logs)
        # The scheduler.
        quick_cluster.kill_scheduler()
        quick_cluster.start_scheduler()
        done = len(left())
        wait_for(lambda: len(left()) < done - 1, saying=quick_cluster.logs)
        assert len(left()) > 2, "there is still something to do for the next app"
    # The app is lost with the end of the block; what is at work goes on, what waits waits.
    wait_for(lambda: not any(one.trainings() for one in machines(quick_cluster)), saying=quick_cluster.logs)
    assert left()
    with serving_queue():
        wait_for(lambda: not left(), timeout=240, saying=quick_cluster.logs)

    for run_id, config in runs.items():
        run, job = store.get(run_id), store.jobs.get(job_id(KIND, run_id))
        assert (run.status, run.message) == (RunStatus.FINISHED, "") and job is not None
        assert job.attempt == 1 + (run_id == first), "only the killed worker's was taken twice"
        steps = [point.step for point in store.client.get_metric_history(run_id, "loss")]
        assert steps == list(range(1, config.training.epochs + 1)), "no epoch was trained twice"
        if run_id != first:
            assert np.array_equal(store.predictions(run_id).probabilities, undisturbed(config))
    # As one that nobody disturbed, at home.
    history, answers = without_seconds(store.history(first)), store.predictions(first).probabilities
    for name in ("MLFLOW_TRACKING_URI", "AQUADASH_DATABASE", "AQUADASH_SCHEDULER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "alone"))
    alone = open_store()
    again = job_rows.train(alone, alone.create(earnest).run_id)
    assert without_seconds(alone.history(again.run_id)) == history
    assert np.array_equal(alone.predictions(again.run_id).probabilities, answers)


def undisturbed(config: RunConfig) -> NDArray[np.float32]:
    """What tests/quick_training answers after the last epoch of a config."""
    images = data.load(config.data.source)
    weights = np.zeros(len(images.class_names))
    for epoch in range(1, config.training.epochs + 1):
        weights = weights + np.random.default_rng((config.seed, epoch)).random(len(weights))
    return np.tile((weights / weights.sum()).astype(np.float32), (len(images.test), 1))
