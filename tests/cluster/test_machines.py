"""Two machines and one home: what the scheduler, the app or a machine that dies leaves to the others."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash import data, settings
from aquadash.config import RunConfig, with_values
from aquadash.store import Run, RunStatus, RunStore, open_store
from tests.cli.test_cli import answer
from tests.conftest import QUICK_TRAINING
from tests.support import clusters
from tests.support.clusters import Cluster, Machine, postgresql
from tests.support.live_runs import job_of
from tests.support.waiting import wait_for

MISSING = clusters.MISSING or clusters.namespaces_missing()

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600), pytest.mark.skipif(bool(MISSING), reason=MISSING)]

BASE = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 5})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two machines of one host name with a worker of one slot each, whose trainings take next to nothing."""
    folder = tmp_path_factory.mktemp("cluster")
    with clusters.network(2) as (host, addresses), postgresql(listen=host) as database:
        cluster = Cluster(host, folder, [])
        environment = {
            **os.environ,
            "AQUADASH_HOME": str(folder / "home"),
            "AQUADASH_DATABASE": database,
            "AQUADASH_SCHEDULER": cluster.address,
            "PYTHONPATH": str(QUICK_TRAINING),
        }
        try:
            with pytest.MonkeyPatch.context() as patch:
                for name in ("AQUADASH_HOME", "AQUADASH_DATABASE"):
                    patch.setenv(name, environment[name])
                open_store()
            cluster.start_scheduler()
            for name, address in addresses.items():
                cluster.machines.append(Machine(name, address, folder / f"{name}.log", environment))
                cluster.machines[-1].boot()
                cluster.machines[-1].start_worker("--gpu", "none")
            yield cluster
        finally:
            cluster.close()


@pytest.fixture
def store(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The store of the cluster, in whose name this process asks."""
    for name in ("AQUADASH_HOME", "AQUADASH_DATABASE", "AQUADASH_SCHEDULER"):
        monkeypatch.setenv(name, cluster.machines[0].environment[name])
    return open_store()


#: An app, which watches the cluster.
_APP = """
import sys
from aquadash.work.queue import open_engine
open_engine().serve()
sys.stdin.read()
"""


@contextmanager
def serving_queue() -> Iterator[None]:
    """Have an app, which is killed at the end."""
    words = [sys.executable, "-c", _APP]
    with subprocess.Popen(words, stdin=subprocess.PIPE, cwd=settings.PROJECT_ROOT) as process:
        try:
            yield
        finally:
            process.kill()


def quick(seed: int, epochs: int = 45) -> RunConfig:
    """A training of 0.2 seconds an epoch."""
    return with_values(BASE, {"training.epochs": epochs, "seed": seed})


def later(store: RunStore, run_id: str, cluster: Cluster, *, that: Callable[[Run], bool] = lambda run: True) -> Run:
    """The run as it is once it has completed another epoch and fulfils a condition."""
    progress = store.get(run_id).progress
    epoch = progress.epoch if progress else 0

    def look() -> Run | None:
        run = store.get(run_id)
        assert not run.status.ended, (run.message, cluster.logs())
        return run if run.progress and run.progress.epoch > epoch and that(run) else None

    return wait_for(look, timeout=90, saying=lambda: (store.get(run_id), cluster.logs()), every=0.3)


def undisturbed(config: RunConfig) -> NDArray[np.float32]:
    """Return the probabilities of tests/support/quick_training after the last epoch of a config."""
    images = data.load(config.data.source)
    weights = np.zeros(len(images.class_names))
    for epoch in range(1, config.training.epochs + 1):
        weights = weights + np.random.default_rng((config.seed, epoch)).random(len(weights))
    return np.tile((weights / weights.sum()).astype(np.float32), (len(images.test), 1))


def finished(store: RunStore, run_id: str, cluster: Cluster) -> None:
    """Wait until the run has finished; assert that it equals an undisturbed one, with each epoch once."""
    wait_for(lambda: store.get(run_id).status.ended, timeout=240, saying=cluster.logs)
    run = store.get(run_id)
    assert (run.status, run.message) == (RunStatus.FINISHED, "")
    epochs = [record.epoch for record in store.history(run_id)]
    assert epochs == list(range(1, run.config.training.epochs + 1))
    assert np.array_equal(store.predictions(run_id).probabilities, undisturbed(run.config))


def test_ten_runs_are_done_once_each(cluster: Cluster, store: RunStore) -> None:
    runs = [store.submit(quick(seed)).run_id for seed in range(10, 20)]
    first = runs[0]

    def left() -> int:
        return sum(not store.get(run_id).status.ended for run_id in runs)

    with serving_queue():
        wait_for(lambda: sum(store.get(run_id).status is RunStatus.RUNNING for run_id in runs) == 2)
        status = answer("cluster", "status")
        names = sorted(worker["name"] for worker in status["workers"])
        assert all(name.startswith("lab-") for name in names) and len({*names}) == 2
        assert status["problems"] == []
        assert [(worker["busy"], worker["slots"]) for worker in status["workers"]] == [(1, 1), (1, 1)]
        assert sorted(run["worker"] for run in status["runs"]) == [*(8 * [""]), *names]
        checked = cluster.machines[0].run("cluster", "worker", "--check")
        assert checked.returncode == 0 and "as the app" in checked.stderr
        # A training is killed.
        lost = later(store, first, cluster, that=lambda run: run.progress.epoch >= 2)
        machine = next(one for one in cluster.machines if lost.worker.name in one.log.read_text())
        machine.processes()[lost.worker.pid].kill()
        wait_for(lambda: "signal SIGKILL" in store.get(first).message, saying=lambda: store.get(first))
        # A worker is killed, while its training goes on.
        machine = wait_for(lambda: next((one for one in cluster.machines if one.trainings()), None))
        machine.worker.kill()
        machine.start_worker("--gpu", "none")
        done = left()
        wait_for(lambda: left() < done, saying=cluster.logs)
        # The scheduler is killed.
        cluster.kill_scheduler()
        waits = store.submit(quick(20)).run_id
        wait_for(lambda: "does not answer" in store.get(waits).message)
        cluster.start_scheduler()
        wait_for(lambda: left() < done - 1, saying=cluster.logs)
        assert left() > 2, "there is still something to do"
    # The app is killed: workers take the runs that wait.
    for run_id in (*runs, waits):
        finished(store, run_id, cluster)
    assert [job_of(run_id).attempt for run_id in runs] == [2, *(9 * [1])], (
        "only that of the killed training began twice"
    )


def test_a_machine_hands_its_run_over_and_one_without_power_loses_nothing(cluster: Cluster, store: RunStore) -> None:
    with serving_queue():
        run_id = store.submit(quick(21, epochs=200)).run_id
        first_name = later(store, run_id, cluster).worker.name
        first, second = sorted(cluster.machines, key=lambda one: not one.trainings())
        for machine in (first, second):
            refused = machine.run("cluster", "worker", "--name", first_name)
            assert refused.returncode == 1 and "Traceback" not in refused.stderr
            assert f"it has a worker {first_name} already" in refused.stderr
        later(store, run_id, cluster)
        assert job_of(run_id).attempt == 1, "the refused workers have not ended the training of their namesake"

        first.shut_worker_down()
        assert not first.trainings()
        moved = later(store, run_id, cluster, that=lambda run: run.worker.name != first_name)
        first.start_worker("--gpu", "none")

        second.cut_power()
        later(store, run_id, cluster, that=lambda run: run.worker.name == first_name)
        assert f"The worker on {moved.worker.name} was lost (no heartbeat)" in store.get(run_id).message
        second.boot()
        second.start_worker("--gpu", "none")
        finished(store, run_id, cluster)
    assert job_of(run_id).attempt == 3
