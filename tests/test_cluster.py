"""More than one machine and no shared folder, with everything that a cluster consists of as processes on loopback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data.folder import drafts
from aquadash.data.folder.drafts import SplitChoice
from aquadash.engine import Engine, open_engine
from aquadash.runs import EpochRecord, Run, RunStatus, RunStore, open_store
from aquadash.search import Budget, SearchPlan, parse_all, start_search
from aquadash.search.store import open_search_store
from tests import clusters
from tests.clusters import Cluster, Machine, postgresql
from tests.own_pictures import drafted, in_folder, of_classes
from tests.test_cli import answer
from tests.tracking_server import MISSING, REASON, tracking_server
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(MISSING, reason=REASON),
    pytest.mark.skipif(bool(clusters.MISSING), reason=clusters.MISSING),
]

BASE = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 5})
#: Short epochs, and so many of them that the run does not end before it is told to.
LONG = with_values(BASE, {"training.epochs": 1000, "training.batch_size": 16})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers of one slot each, with homes of their own."""
    folder = tmp_path_factory.mktemp("cluster")
    with (
        postgresql() as database,
        tracking_server(folder / "mlflow", backend=database) as url,
    ):
        cluster = Cluster(url, folder)
        try:
            cluster.start_scheduler()
            for name in ("one", "two"):
                cluster.start(name)
            for machine in machines(cluster):
                wait_for(machine.registrations, timeout=120, saying=cluster.logs, every=0.2)
            yield cluster
        finally:
            cluster.close()


@pytest.fixture
def app(cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of the app, whose runs the cluster trains."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", cluster.store)
    monkeypatch.setenv("AQUADASH_SCHEDULER", cluster.address)
    yield home
    # Its threads would look for the cluster for as long as this process lives.
    open_engine().close()


def without_seconds(history: list[EpochRecord]) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in history]


def test_a_search_over_own_pictures_spreads_over_workers_that_do_not_have_them(
    cluster: Cluster, app: Path, tmp_path: Path
) -> None:
    seen = answer("cluster", "status")
    assert (seen["problems"], seen["slots"], seen["runs"]) == ([], 2, [])
    assert sorted((one["name"], one["home"], one["busy"]) for one in seen["workers"]) == [
        (machine.name, str(machine.home), 0) for machine in machines(cluster)
    ]
    draft = drafted(in_folder(tmp_path / "mine", of_classes({"cat": 30, "dog": 30})), size=32)
    kept = drafts.use(draft, SplitChoice(), title="Mine")
    config = with_values(BASE, {"data.source": kept.source, "training.epochs": 4})
    store = open_store()
    plan = SearchPlan(config, parse_all(["training.learning_rate=0.001,0.002"]), sampler="grid", budget=Budget(2))
    search_id = start_search(plan, open_engine())
    wait_for(lambda: open_search_store().get(search_id).status.ended, saying=cluster.logs)
    search = open_search_store().get(search_id)
    assert search.status is RunStatus.FINISHED and [trial.message for trial in search.trials] == ["", ""]

    runs = [store.get(trial.run_id) for trial in search.trials]
    assert [(run.status, run.dataset_fingerprint) for run in runs] == 2 * [(RunStatus.FINISHED, kept.fingerprint)]
    # Each worker trained one of them, at the same time.
    began = [
        {run.run_id for run in runs if f"run {run.run_id}: training starts" in m.log.read_text()}
        for m in machines(cluster)
    ]
    assert sorted(map(len, began)) == [1, 1] and began[0] != began[1]
    assert max(run.started_at or 0 for run in runs) < min(run.ended_at or 0 for run in runs)
    # The pictures went through the store, once, and nothing else of the app's home is on the other machines.
    for machine in machines(cluster):
        assert [path.name for path in (machine.home / "datasets" / ".fetched").iterdir()] == [kept.fingerprint]
        assert not (machine.home / "runs.db").exists() and not (machine.home / "artifacts").exists()
    experiment = store._client.get_experiment_by_name("aquadash-data")
    assert experiment is not None and len(store._client.search_runs([experiment.experiment_id])) == 1

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
def test_a_run_outlives_the_app_its_slot_the_scheduler_and_its_machine(cluster: Cluster, app: Path) -> None:
    store = open_store()
    engine = Engine(store)
    run_id = engine.submit(LONG, name="tough").run_id
    run = later(store, run_id, cluster)
    first, second = sorted(machines(cluster), key=lambda one: not one.trainings())
    (training,) = first.trainings()
    assert run.worker and run.worker.pid == training.pid and not second.trainings()

    # The app ends. Its successor joins the cluster's task and does not make another one.
    engine.close()
    later(store, run_id, cluster)
    engine = Engine(store)
    assert engine.adopt() == [run_id]

    # The slot's process is killed, the training lives: another slot watches, and nothing is trained twice.
    first.dask_worker.kill()
    wait_for(lambda: watches(second, run_id) or watches(first, run_id), saying=cluster.logs)
    assert later(store, run_id, cluster).worker == run.worker

    # The scheduler is gone with all that it knew, and back.
    seen = [watches(machine, run_id) for machine in (first, second)]
    joined = [machine.registrations() for machine in (first, second)]
    cluster.kill_scheduler()
    later(store, run_id, cluster)
    cluster.start_scheduler()
    wait_for(
        lambda: [watches(machine, run_id) for machine in (first, second)] != seen
        and all(machine.registrations() > before for machine, before in zip((first, second), joined, strict=True)),
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
    assert re.search(
        rf"run {run_id}: The worker on .* was lost \(no sign of life for 12 s\). Loss 1 of at most 3",
        second.log.read_text(),
    )
    assert re.search(r"going on after epoch \d+", store.log(run_id))
    assert without_seconds(store.history(run_id))[: len(kept)] == kept

    # A machine that is shut down hands its run over at once.
    before = first.registrations()
    first = cluster.start(first.name)
    wait_for(lambda: first.registrations() > before, saying=cluster.logs, every=0.2)
    second.shut_down()
    assert not second.trainings()
    later(store, run_id, cluster, that=lambda now: now.worker != moved.worker)
    assert len(first.trainings()) == 1

    engine.stop(run_id)
    run = wait_for(lambda: run if (run := store.get(run_id)).status.ended else None, saying=cluster.logs)
    assert (run.status, run.message) == (
        RunStatus.STOPPED,
        f"Stopped by request after {len(store.history(run_id))} complete epochs.",
    )
    assert store.model_path(run_id).is_file() and "test_accuracy" in run.metrics
    assert [record.epoch for record in store.history(run_id)] == list(range(1, len(store.history(run_id)) + 1))
    engine.close()


def watches(machine: Machine, run_id: str) -> int:
    """How often a slot of the machine has begun to watch the run."""
    return machine.log.read_text().count(f"run {run_id}: trained by")


def later(store: RunStore, run_id: str, cluster: Cluster, *, that: Callable[[Run], bool] = lambda run: True) -> Run:
    """The run as it is once it has completed another epoch, and fulfils a condition."""
    progress = store.get(run_id).progress
    epoch = progress.epoch if progress else 0

    def there() -> Run | None:
        run = store.get(run_id)
        assert not run.status.ended, (run.message, cluster.logs())
        return (
            run
            if run.status is RunStatus.RUNNING and run.progress and run.progress.epoch > epoch and that(run)
            else None
        )

    return wait_for(there, timeout=90, saying=lambda: (store.get(run_id), cluster.logs()), every=0.3)
