"""The runs in memory: only what was written is read, and nothing that anybody wrote is missed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aquadash.store.old_tags import StoredRun

from aquadash.errors import RunError
from aquadash.store import JobProgress, RunStatus, RunStore, Worker
from aquadash.store import old_tags as tag
from aquadash.store import snapshot as snapshot_module
from aquadash.store.job_types import job_id
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND, WHOLE_SECONDS, RunSnapshot, snapshot_of
from tests import live_runs, ui_runs
from tests.job_rows import let_the_lease_run_out
from tests.made_runs import made_run
from tests.waiting import wait_for

NOW = 1_764_000_000.0


class FakeStore:
    """Records of runs in a dict with real jobs, what was asked for, and the time that the snapshot is told."""

    def __init__(self, jobs: JobTable) -> None:
        self.kept: dict[str, StoredRun] = {}
        self.asked: list[str] = []
        self.jobs = jobs
        self.now = NOW

    def write(
        self, run_id: str, *, created: float = NOW, said: bool = True, deleted: bool = False, **more: str
    ) -> None:
        """Write the record of a run; unless ``said`` as another program does, of which the jobs do not hear."""
        known = dict(self.kept[run_id].tags) if run_id in self.kept else {
            tag.STATUS: "finished", tag.CONFIG: made_run().config.model_dump_json(), tag.CREATED: repr(created),
        }  # fmt: skip
        names = {getattr(tag, name.upper()): text for name, text in more.items()}
        self.kept[run_id] = StoredRun(run_id, known | names, deleted)
        if said:
            self.jobs.run_changed(run_id)

    def search(self) -> list[StoredRun]:
        self.asked.append("all")
        return [stored for stored in self.kept.values() if not stored.deleted]

    def stored_run(self, run_id: str) -> StoredRun | None:
        self.asked.append(run_id)
        return self.kept.get(run_id)

    def ranks(self) -> dict[str, int]:
        return {job.run: place for place, job in enumerate(self.jobs.queue(KIND), start=1)}


def names(snapshot: RunSnapshot) -> list[str]:
    return [run.name for run in snapshot.runs()]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeStore]:
    jobs = JobTable(f"sqlite:///{tmp_path / 'jobs.db'}")
    yield FakeStore(jobs)
    jobs.close()


def snapshot(fake: FakeStore, kept: Path | None = None) -> RunSnapshot:
    return RunSnapshot(fake, clock=lambda: fake.now, kept=kept)


def test_only_the_first_look_reads_everything(fake: FakeStore) -> None:
    fake.write("a", created=NOW - 500, name="first")
    runs = snapshot(fake)
    assert names(runs) == names(runs) == ["first"]
    fake.write("b", name="second")
    assert names(runs) == ["second", "first"]
    fake.write("a", name="renamed")
    fake.write("b", deleted=True)
    assert names(runs) == ["renamed"]
    fake.write("b")
    assert names(runs) == names(runs) == ["second", "renamed"]
    assert fake.asked == ["all", "b", "a", "b", "b"]


def test_what_a_worker_says_is_seen_without_a_look_into_the_store(fake: FakeStore) -> None:
    fake.write("a", name="mine", status="queued", created=NOW - 1)
    fake.write("b", name="next", status="queued")
    runs = snapshot(fake)
    assert {run.status for run in runs.runs()} == {RunStatus.INTERRUPTED}, "no job knows of them"
    fake.jobs.submit(KIND, "a", {})
    fake.jobs.submit(KIND, "b", {})
    assert [(run.name, run.status, run.rank) for run in runs.runs()] == [
        ("next", RunStatus.QUEUED, 2), ("mine", RunStatus.QUEUED, 1),
    ]  # fmt: skip
    job = fake.jobs.claim([KIND], Worker("here", 1))
    fake.jobs.heartbeat(job, JobProgress("training", 1, 9, 4.0, {"epoch": 3, "epochs": 9}), log_tail="a line")
    fake.jobs.request_stop(job.id)
    second, first = runs.runs()
    assert (first.status, first.worker, first.log_tail) == (RunStatus.RUNNING, Worker("here", 1), "a line")
    assert (first.progress.phase, first.progress.epoch) == ("training", 3)
    assert first.stop_requested and (second.rank, first.rank) == (1, 0)
    assert fake.asked == ["all"]


def test_a_run_whose_worker_is_lost_waits_again(fake: FakeStore) -> None:
    fake.write("a", status="running")
    job = fake.jobs.submit(KIND, "a", {})
    fake.jobs.claim([KIND], Worker("here", 1))
    runs = snapshot(fake)
    assert runs.runs()[0].status is RunStatus.RUNNING
    let_the_lease_run_out(job, jobs=fake.jobs)
    (run,) = runs.runs()
    assert (run.status, run.rank) == (RunStatus.QUEUED, 1) and "here was lost" in run.message


def test_what_other_programs_write_is_found_by_the_next_whole_read(fake: FakeStore) -> None:
    runs = snapshot(fake)
    fake.write("gone", name="gone")
    assert names(runs) == ["gone"]
    fake.write("other", said=False, name="of another program")
    del fake.kept["gone"]
    assert names(runs) == ["gone"]
    fake.now += WHOLE_SECONDS + 1
    runs.runs()
    wait_for(lambda: names(runs) == ["of another program"])
    assert fake.asked.count("all") == 2


def test_changes_are_found_after_a_clock_was_set_back(fake: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    monkeypatch.setattr(time, "time", lambda: now[0])
    spec = importlib.util.find_spec(snapshot_module.__name__)
    begun_anew = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(begun_anew)
    begun_anew.WHOLE_SECONDS = 0.0
    runs = begun_anew.RunSnapshot(fake)
    assert names(runs) == []
    fake.write("other", said=False, name="of another program")
    now[0] -= 3600
    wait_for(lambda: names(runs) == ["of another program"], timeout=20)


def test_the_next_process_begins_with_what_was_read(fake: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "runs.json"
    fake.write("a", created=NOW - 500, name="first")
    fake.write("c", created=NOW - 900, name="trained meanwhile", status="queued")
    fake.jobs.submit(KIND, "c", {})
    assert names(snapshot(fake, file)) == ["first", "trained meanwhile"]
    fake.now += 3600
    fake.write("b", name="written meanwhile")
    fake.write("a", name="renamed meanwhile")
    fake.jobs.request_stop(job_id(KIND, "c"))
    fake.asked.clear()
    runs = snapshot(fake, file)
    assert names(runs) == ["written meanwhile", "renamed meanwhile", "trained meanwhile"]
    assert runs.runs()[2].status is RunStatus.STOPPED
    assert sorted(fake.asked) == ["a", "b"]
    fake.now += WHOLE_SECONDS
    runs.runs()
    wait_for(lambda: "all" in fake.asked)


def test_a_database_of_jobs_that_begins_anew_hides_nothing(fake: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "runs.json"
    for name in ("first", "second"):
        fake.write("a", name=name)
    assert names(snapshot(fake, file)) == ["second"]
    fake.jobs = JobTable(f"sqlite:///{tmp_path / 'new.db'}")
    fake.write("a", name="third", said=False)
    assert names(snapshot(fake, file)) == ["third"]
    fake.jobs.close()


def test_a_damaged_file_is_no_harm(fake: FakeStore, tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    fake.write("a", name="first")
    for text in ("", "[]", "{", '{"format": 2}', '{"format": 1}', '{"format": 2, "runs": {}, "mark": 3}', "null"):
        file.write_text(text)
        assert names(snapshot(fake, file)) == ["first"]
        assert json.loads(file.read_text())["runs"].keys() == {"a"}


def test_many_threads_may_look_at_once_and_many_changes_are_read_at_once(fake: FakeStore) -> None:
    runs = snapshot(fake)
    assert names(runs) == []
    for number in range(60):
        fake.write(f"{number}", name=str(number))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(runs.runs()), range(8)))
    assert found == [60] * 8 and fake.asked == ["all", "all"]


def test_no_reader_waits_for_the_writing(fake: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, written = threading.Semaphore(0), threading.Semaphore(0)

    def slowly(path: Path, content: str) -> None:
        writing.release()
        assert written.acquire(timeout=60)

    monkeypatch.setattr(snapshot_module, "write_whole", slowly)
    fake.write("a", name="first")
    runs = snapshot(fake, tmp_path / "runs.json")
    with ThreadPoolExecutor(3) as pool:
        try:
            first = pool.submit(names, runs)
            assert writing.acquire(timeout=30), "the first look keeps what it has read"
            assert pool.submit(names, runs).result(timeout=10) == ["first"]
        finally:
            written.release()
        assert first.result(timeout=30) == ["first"]


def test_what_people_write_is_kept_and_seen(store: RunStore) -> None:
    run = ui_runs.finished(store, "mine")
    runs = snapshot_of(store)
    assert [each.name for each in runs.runs()] == ["mine"] and runs.runs()[0].test_images == 500
    store.add_tags(run.run_id, ["Flip", "too dark"])
    store.set_pinned(run.run_id)
    store.set_archived(run.run_id)
    (seen,) = runs.runs()
    assert (seen.tags, seen.pinned, seen.archived) == (("flip", "too-dark"), True, True)
    assert store.get(run.run_id) == seen
    with pytest.raises(RunError, match="cannot be a tag"):
        store.add_tags(run.run_id, ["fine", "<b>"])
    store.remove_tags(run.run_id, ["flip", "never-there"])
    assert runs.runs()[0].tags == ("too-dark",)
    store.set_tags(run.run_id, "write as another program", {"aquadash.label.Too Dark": 1, "aquadash.label..a/b": 1})
    store.remove_tags(run.run_id, [".a/b", "Too Dark"])
    assert runs.runs()[0].tags == ("too-dark",)
    store.remove_tags(run.run_id, ["a/b", "too dark"])  # The first is another run's.
    assert runs.runs()[0].tags == ()
    store.delete(run.run_id)
    assert runs.runs() == []
    store.restore(run.run_id)
    assert [each.name for each in runs.runs()] == ["mine"]

    run2 = ui_runs.queued(store, "second")
    assert [each.name for each in runs.runs()] == ["second", "mine"]
    live_runs.start(store, run2.run_id)
    ui_runs.log_epochs(store, run2.run_id, 2)
    assert len(runs.runs()[0].curve) == 2 and runs.runs()[0].status is RunStatus.RUNNING


def test_what_was_kept_is_read_without_mlflow(store: RunStore) -> None:
    run = ui_runs.finished(store, "mine")
    snapshot_of(store).runs()
    script = """
import sys
from aquadash.lab import OWNER, Lab
print([run.name for run in Lab(OWNER).runs.all()], "mlflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "['mine'] False\n"
    assert RunStore().history(run.run_id) == store.history(run.run_id), "what is not kept opens the store"
