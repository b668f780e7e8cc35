"""A data set of own pictures on its way to another machine."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import data, settings
from aquadash.config import RunConfig, with_values
from aquadash.data.folder import about
from aquadash.data.folder import store as folder_store
from aquadash.data.folder.about import About
from aquadash.data.folder.store import fetched_folder, pack, unpack
from aquadash.engine import Engine
from aquadash.engine.cluster import sending
from aquadash.errors import DataError
from aquadash.jobs import JobStatus
from aquadash.jobs.types import LEASE_SECONDS
from aquadash.runs import Progress, RunStatus, RunStore, open_store
from aquadash.runs.connection import experiment_named
from aquadash.runs.data_files import EXPERIMENT, PART_BYTES, DataFiles
from aquadash.training.worker import load_dataset
from tests import job_rows
from tests.own_pictures import imported, in_folder, of_classes
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "_elsewhere", {})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path_factory.mktemp("home")))
        return open_store()


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> About:
    return imported(in_folder(tmp_path / "mine", of_classes({"cat": 12, "dog": 12}))).keep("Mine")


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(settings, "store_is_shared", lambda: True)


def test_other_pictures_than_sent_are_refused(kept: About, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "packed.zip"
    pack(kept.name, path)
    elsewhere(tmp_path, monkeypatch)
    with pytest.raises(DataError, match=r"their fingerprint differs\. Start the run again"):
        unpack(path, "0" * 64)
    with pytest.raises(DataError, match="not the fingerprint"):
        unpack(path, "../../etc")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        unpack(torn, kept.fingerprint)
    whole, flipped = path.read_bytes(), tmp_path / "flipped.zip"
    with zipfile.ZipFile(path) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    for content in contents:
        at = whole.index(content) + len(content) // 2
        flipped.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DataError, match=r"damaged.*Start the run again"):
            unpack(flipped, kept.fingerprint)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("about.json", "pictures.json", "images.npy"):
            archive.writestr(name, bytes(10_000_000))
    with pytest.raises(DataError, match="damaged"):
        unpack(bomb, kept.fingerprint)
    assert [path for path in fetched_folder().iterdir()] == []


def test_a_worker_fetches_pictures(
    store: RunStore, kept: About, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(with_values(RunConfig(), {"data.source": kept.source}))
    pack(kept.name, tmp_path / "packed.zip")
    files, sizes = DataFiles(store), []
    files.send(kept.fingerprint, tmp_path / "packed.zip", title="Mine", progress=lambda *size: sizes.append(size))
    total = (tmp_path / "packed.zip").stat().st_size
    assert sizes == [(0, total), (total, total)] and total < PART_BYTES
    assert files.has(kept.fingerprint) and not files.has("0" * 64)

    elsewhere(tmp_path, monkeypatch)
    own = imported(in_folder(tmp_path / "other", of_classes({"eel": 12, "owl": 12}, first_seed=500))).keep("Mine")
    assert own.source == kept.source and own.fingerprint != kept.fingerprint
    told: list[Progress] = []
    for number in range(5):  # Used while this one was copied, which took long.
        other = fetched_folder() / f"{number:064}"
        other.mkdir(parents=True)
        os.utime(other, (2000, 2000))
    monkeypatch.setattr(folder_store, "flush_to_disk", lambda file: os.utime(Path(file.name).parent, (1000, 1000)))
    loaded = load_dataset(store, run, told.append)
    assert told and all("fetching its pictures" in progress.phase for progress in told)
    assert (loaded.fingerprint, loaded.class_names) == (kept.fingerprint, ("cat", "dog"))
    about._elsewhere.clear()
    assert data.load(own.source).fingerprint == own.fingerprint


def test_damaged_pictures_are_sent_again(
    store: RunStore, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = imported(in_folder(tmp_path / "mine", of_classes({"cat": 12, "dog": 12}, first_seed=900))).keep("Sent")
    path = tmp_path / "sent.zip"
    pack(kept.name, path)
    path.write_bytes(path.read_bytes()[:-100])
    DataFiles(store).send(kept.fingerprint, path, title="Sent", progress=lambda *_: None)
    fetch, fetched = DataFiles.fetch, []

    def counted(files: DataFiles, fingerprint: str, path: Path, **options: Any) -> str:
        fetched.append(fetch(files, fingerprint, path, **options))
        if len(fetched) == 3:  # A whole copy is damaged on its way.
            path.write_bytes(path.read_bytes()[:-100])
        return fetched[-1]

    monkeypatch.setattr(DataFiles, "fetch", counted)
    first, again = (store.create(with_values(RunConfig(), {"data.source": kept.source})) for _ in range(2))
    for run in (first, again):
        sending.start(store, store.queue(run.run_id, held=True), kept.name, needs="")
        sending.wait()
        if run is first:
            with monkeypatch.context() as patch:
                elsewhere(tmp_path, patch)
                with pytest.raises(DataError, match="Start the run again"):
                    load_dataset(store, run, lambda _: None)
            assert len(fetched) == 2
    elsewhere(tmp_path, monkeypatch)
    assert load_dataset(store, again, lambda _: None).fingerprint == kept.fingerprint
    assert len(fetched) == 4 and DataFiles(store).has(kept.fingerprint)
    assert not store.client.list_artifacts(fetched[0]), "a copy that was taken out leaves no files"


def test_pictures_in_several_parts(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aquadash.runs.data_files.PART_BYTES", 1000)
    files = DataFiles(store)
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(np.random.default_rng(0).bytes(2500))
    files.send("a" * 64, sent, title="Mine", progress=lambda *_: None)
    steps: list[tuple[int, int]] = []
    files.fetch("a" * 64, got, progress=lambda *step: steps.append(step))
    assert got.read_bytes() == sent.read_bytes() and steps == [(1000, 2500), (2000, 2500), (2500, 2500)]
    with pytest.raises(DataError, match="not in the run store any more"):
        files.fetch("b" * 64, got, progress=lambda *_: None)


def test_a_run_is_held_while_its_pictures_pack(store: RunStore, kept: About, monkeypatch: pytest.MonkeyPatch) -> None:
    job = store.queue(store.create(with_values(RunConfig(), {"data.source": kept.source})).run_id, held=True)

    def slowly(name: str, target: Path) -> About:
        job_rows.let_time_pass(job, LEASE_SECONDS - 5, jobs=store.jobs)
        wait_for(lambda: "being packed" in store.jobs.get(job.id).message, timeout=30)
        job_rows.let_time_pass(job, LEASE_SECONDS - 5, jobs=store.jobs)
        return pack(name, target)

    monkeypatch.setattr(sending, "LEASE_SECONDS", 0.03)
    monkeypatch.setattr(sending, "pack", slowly)
    sending.start(store, job, kept.name, needs="gpu")
    sending.wait()
    sent = store.jobs.get(job.id)
    assert (sent.status, sent.needs, sent.message) == (JobStatus.QUEUED, "gpu", "")
    assert DataFiles(store).has(kept.fingerprint)


def test_a_run_is_resumed_with_its_pictures(store: RunStore, kept: About, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "store_is_shared", lambda: True)
    run_id = store.create(with_values(RunConfig(), {"data.source": kept.source})).run_id
    store.set_tags(run_id, "as version 0.6.0 did", {"aquadash.dataset_fingerprint": "", "aquadash.data_sent": "f" * 64})
    assert store.get(run_id).dataset_fingerprint == "f" * 64, "what it had sent to a cluster is known"
    store.set_tags(run_id, "have sent nothing", {"aquadash.data_sent": ""})
    store.set_status(run_id, RunStatus.FAILED)
    Engine(store, serving=False).resume(run_id)
    sending.wait()
    assert store.get(run_id).dataset_fingerprint == kept.fingerprint and DataFiles(store).has(kept.fingerprint)


def test_an_early_end_leaves_nothing(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(tmp_path, monkeypatch)
    files, experiment_id, begun = DataFiles(store), experiment_named(store.client, EXPERIMENT), []
    (tmp_path / "sent").write_bytes(b"pictures")

    def stop(done: int, size: int) -> None:
        if done:
            (found,) = store.client.search_runs([experiment_id], "attributes.run_name = 'Stopped'")
            assert store.client.list_artifacts(found.info.run_id)
            begun.append(found.info.run_id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.send("c" * 64, tmp_path / "sent", title="Stopped", progress=stop)
    assert not files.has("c" * 64) and not store.client.list_artifacts(begun[0])
    assert store.client.get_run(begun[0]).info.lifecycle_stage == "deleted"
