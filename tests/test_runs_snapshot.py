"""The runs in memory: only what was written is read, and nothing that anybody wrote is missed."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aquadash.errors import RunError
from aquadash.runs import RunStatus, RunStore, open_store
from aquadash.runs import tags as tag
from aquadash.runs.snapshot import WHOLE_SECONDS, RunSnapshot, snapshot_of
from aquadash.runs.tags import StoredRun, stamp, stamp_prefixes
from tests import ui_runs
from tests.made_runs import made_run
from tests.waiting import wait_for

NOW = 1_764_000_000.0


class FakeStore:
    """Runs in a dict, and what was asked for."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredRun] = {}
        self.asked: list[str] = []

    def write(self, run_id: str, when: float, *, stamped: bool = True, deleted: bool = False, **more: str) -> None:
        known = dict(self.kept[run_id].tags) if run_id in self.kept else {
            tag.STATUS: "finished", tag.CONFIG: made_run().config.model_dump_json(), tag.CREATED: repr(when),
        }  # fmt: skip
        if stamped:
            known[tag.CHANGED] = stamp(when)
        names = {getattr(tag, name.upper()): text for name, text in more.items()}
        self.kept[run_id] = StoredRun(run_id, known | names, deleted)

    def stored_runs(self) -> list[StoredRun]:
        self.asked.append("all")
        return [stored for stored in self.kept.values() if not stored.deleted]

    def changed_runs(self, first: float, last: float) -> list[StoredRun]:
        self.asked.append("changes")
        return [each for each in self.kept.values() if first <= float(each.tags.get(tag.CHANGED, 0)) <= last]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def names(snapshot: RunSnapshot) -> list[str]:
    return [run.name for run in snapshot.runs()]


@pytest.fixture
def fake() -> FakeStore:
    return FakeStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def snapshot(fake: FakeStore, clock: Clock, kept: Path | None = None) -> RunSnapshot:
    return RunSnapshot(fake, clock=clock, kept=kept)  # type: ignore[arg-type]


def test_only_the_first_look_reads_everything(fake: FakeStore, clock: Clock) -> None:
    fake.write("a", NOW - 500, name="first")
    runs = snapshot(fake, clock)
    assert names(runs) == ["first"]
    fake.write("b", NOW + 1, name="second")
    clock.now += 1
    assert names(runs) == ["second", "first"]
    fake.write("a", NOW + 2, name="renamed")
    fake.write("b", NOW + 2, deleted=True)
    clock.now += 1
    assert names(runs) == ["renamed"]
    fake.write("b", NOW + 3)
    clock.now += 1
    assert names(runs) == ["second", "renamed"]
    assert fake.asked == ["all", "changes", "changes", "changes"]


def test_a_write_that_shows_late_or_by_another_clock_is_found(fake: FakeStore, clock: Clock) -> None:
    runs = snapshot(fake, clock)
    assert names(runs) == []
    clock.now += 10
    assert names(runs) == []
    fake.write("late", NOW - 5, name="late")
    fake.write("early", NOW + 25, name="early")
    assert sorted(names(runs)) == ["early", "late"]


def test_what_has_no_stamp_is_found_by_the_next_whole_read(fake: FakeStore, clock: Clock) -> None:
    runs = snapshot(fake, clock)
    fake.write("gone", NOW, name="gone")
    clock.now += 1
    assert names(runs) == ["gone"]
    fake.write("other", NOW, stamped=False, name="of another program")
    del fake.kept["gone"]
    clock.now += WHOLE_SECONDS + 1
    runs.runs()
    wait_for(lambda: names(runs) == ["of another program"])
    assert fake.asked.count("all") == 2


def test_a_running_run_that_goes_silent_reads_as_interrupted(fake: FakeStore, clock: Clock) -> None:
    fake.write("a", NOW, status="running", started=repr(time.time()))
    runs = snapshot(fake, clock)
    assert runs.runs()[0].status is RunStatus.RUNNING
    fake.write("a", NOW, started=repr(time.time() - 60))
    clock.now += 1
    assert runs.runs()[0].status is RunStatus.INTERRUPTED


def test_the_next_process_begins_with_what_was_read(fake: FakeStore, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "runs.json"
    fake.write("a", NOW - 500, name="first")
    assert names(snapshot(fake, clock, file)) == ["first"]
    clock.now += 3600
    fake.write("b", clock.now - 1800, name="written meanwhile")
    fake.write("a", clock.now - 900, name="renamed meanwhile")
    fake.asked.clear()
    runs = snapshot(fake, clock, file)
    assert sorted(names(runs)) == ["renamed meanwhile", "written meanwhile"]
    assert fake.asked == ["changes"]
    clock.now += WHOLE_SECONDS
    runs.runs()
    wait_for(lambda: "all" in fake.asked)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": 1}', '{"format": 0}', '{"format": 1, "looked_at": "x"}', "null"]
)
def test_a_damaged_file_is_no_harm(fake: FakeStore, clock: Clock, tmp_path: Path, text: str) -> None:
    file = tmp_path / "runs.json"
    file.write_text(text)
    fake.write("a", NOW - 500, name="first")
    assert names(snapshot(fake, clock, file)) == ["first"]
    assert json.loads(file.read_text())["runs"].keys() == {"a"}


def test_many_threads_may_look_at_once(fake: FakeStore, clock: Clock) -> None:
    for number in range(50):
        fake.write(f"{number}", NOW, name=str(number))
    runs = snapshot(fake, clock)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(runs.runs()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [50] * 8 and fake.asked.count("all") == 1


def test_prefixes_hold_the_span_and_little_more() -> None:
    for first, last in ((NOW, NOW + 60), (NOW, NOW + 5000), (NOW - 86_400, NOW), (0.0, NOW), (NOW, NOW)):
        prefixes = stamp_prefixes(first, last)
        assert len(prefixes) <= 3
        for when in (first, (first + last) / 2, last):
            assert any(stamp(when).startswith(prefix) for prefix in prefixes)
    assert not any(stamp(NOW - 400).startswith(prefix) for prefix in stamp_prefixes(NOW, NOW + 60))
    assert stamp(999.5) < stamp(1000.25) < stamp(NOW)


@pytest.fixture
def store(home: Path, prepared_home: Path) -> RunStore:
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    return open_store()


def test_what_people_write_is_kept_and_seen(store: RunStore, home: Path) -> None:
    run = ui_runs.finished(store, "mine")
    runs = snapshot_of(store)
    assert [each.name for each in runs.runs()] == ["mine"] and runs.runs()[0].test_images == 500
    store.add_tags(run.run_id, ["Flip", "too dark"])
    store.set_pinned(run.run_id)
    store.set_archived(run.run_id)
    (seen,) = runs.runs()
    assert (seen.tags, seen.pinned, seen.archived) == (("flip", "too-dark"), True, True)
    assert dataclasses.replace(store.get(run.run_id), progress=None) == dataclasses.replace(seen, progress=None)
    store.remove_tags(run.run_id, ["flip", "never-there"])
    store.set_pinned(run.run_id, False)
    store.set_archived(run.run_id, False)
    (seen,) = runs.runs()
    assert (seen.tags, seen.pinned, seen.archived) == (("too-dark",), False, False)
    with pytest.raises(RunError, match="cannot be a tag"):
        store.add_tags(run.run_id, ["fine", "<b>"])
    assert store.get(run.run_id).tags == ("too-dark",)
    store.delete(run.run_id)
    assert runs.runs() == []
    store.restore(run.run_id)
    assert [each.name for each in runs.runs()] == ["mine"]

    command = [sys.executable, "-m", "aquadash", "runs", "rename", run.run_id, "by another process"]
    subprocess.run(command, check=True, timeout=120, cwd=Path(__file__).resolve().parent.parent)
    assert [each.name for each in runs.runs()] == ["by another process"]
    run2 = ui_runs.queued(store, "second")
    assert [each.name for each in runs.runs()] == ["second", "by another process"]
    store.start(run2.run_id, ui_runs.WORKER)
    ui_runs.log_epochs(store, run2.run_id, 2)
    assert len(runs.runs()[0].curve) == 2 and runs.runs()[0].status is RunStatus.RUNNING
