"""Tests of a run's ZIP: its files, the same bytes each time, and the same run after an import."""

import hashlib
import json
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from aquadash.errors import RunError
from aquadash.export import bundle, importing
from aquadash.people import Person, Role
from aquadash.store import RunStatus, RunStore, open_store
from aquadash.store.transfer import IMPORTED
from tests.export.test_importing import read
from tests.support.robust_runs import made_up_result
from tests.support.runs import make_run

NAME = "mine: <b>a</b>\N{OTTER} \"quoted\" '''"


@pytest.fixture(autouse=True)
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the report of four megabytes, which tests/export/test_report.py tests."""
    monkeypatch.setattr(bundle, "report_html", lambda *_: "<p>The report.</p>")


@pytest.fixture
def other_store(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Return the store of another computer."""
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "elsewhere"))
    other = open_store()
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    return other


def test_the_zip_holds_the_run_and_what_repeats_it_and_is_the_same_each_time(store: RunStore, tmp_path: Path) -> None:
    run_id = make_run(store, NAME, note="a *note*").run_id
    store.add_text_artifact(run_id, "model.keras", "no network, but nothing here loads it")
    path, again = (bundle.export_run(store, run_id, tmp_path / name).path for name in ("run.zip", "again.zip"))
    assert again.read_bytes() == path.read_bytes()

    def stop(text: str, share: float | None) -> None:
        if share is not None and share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle.export_run(store, run_id, path, progress=stop)
    assert again.read_bytes() == path.read_bytes(), "one that is stopped leaves the ZIP that was there"
    assert not list(tmp_path.glob(".*")), "nothing is left of the writing"
    files = read(path)
    manifest, script = json.loads(files[bundle.MANIFEST]), files[bundle.SCRIPT].decode()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != bundle.MANIFEST}
    wanted = {"config.json", "predictions.npz", "model.keras", "train.py", "notebook.ipynb", "report.html", "data.npz"}
    assert wanted | {"requirements.txt", "README.txt", "run.json", "manifest.json"} <= files.keys()
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == sums
    assert manifest["run_id"] == run_id
    compile(script, "train.py", "exec")
    assert "import aquadash" not in script and "from aquadash" not in script
    assert ascii(NAME) in script, "what a person typed is a literal"
    assert run_id in files[bundle.README].decode()


def test_a_run_taken_in_is_the_same_run(store: RunStore, other_store: RunStore, tmp_path: Path) -> None:
    run = make_run(store, note="a note")
    store.change_tags(run.run_id, add=["blue"])
    figures = made_up_result(fingerprint=run.dataset_fingerprint).to_json()
    store.add_robustness(run.run_id, figures)
    store.add_text_artifact(run.run_id, "robustness-spare.json", figures)  # As version 0.6.0 kept it.
    run = store.get(run.run_id)
    bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    taken = importing.import_run(other_store, tmp_path / "run.zip")
    copy_id = taken.run.run_id
    bound = {"run_id": copy_id, "worker": None, "origin": IMPORTED, "imported_id": run.run_id}
    assert taken.run.imported_id == run.run_id and taken.copies == ()
    assert other_store.get(copy_id) == replace(run, **bound)
    assert other_store.history(copy_id) == store.history(run.run_id)
    mine, theirs = store.predictions(run.run_id), other_store.predictions(copy_id)
    assert np.array_equal(mine.probabilities, theirs.probabilities) and np.array_equal(mine.labels, theirs.labels)
    names = set(store.artifact_names(run.run_id)) - {"robustness-spare.json"}
    assert set(other_store.artifact_names(copy_id)) == names, "what nothing reads any more stays here"


def test_a_run_is_recognised_wherever_it_has_been(store: RunStore, other_store: RunStore, tmp_path: Path) -> None:
    run = make_run(store)
    path = bundle.export_run(store, run.run_id, tmp_path / "run.zip").path
    first = importing.import_run(store, path)
    assert first.run.imported_id == run.run_id != first.run.run_id and first.copies == (run.run_id,)
    elsewhere = importing.import_run(other_store, path).run.run_id
    back = importing.import_run(store, bundle.export_run(other_store, elsewhere, tmp_path / "back.zip").path)
    assert back.run.imported_id == run.run_id and set(back.copies) == {run.run_id, first.run.run_id}
    store.delete(run.run_id)
    assert set(importing.import_run(store, path).copies) == {first.run.run_id, back.run.run_id}


@pytest.mark.parametrize("pinned_by", ["the teacher", "its owner"])
def test_a_pinned_run_stays_pinned(store: RunStore, other_store: RunStore, tmp_path: Path, pinned_by: str) -> None:
    run = make_run(store)
    ben = Person("b" * 32, "Ben", Role.STUDENT)
    store.update(run.run_id, owner=ben.person_id, owner_name=ben.name, shared=False)
    store.set_pinned(run.run_id, for_all=pinned_by == "the teacher")
    path = bundle.export_run(store, run.run_id, tmp_path / "run.zip").path
    taken = importing.import_run(other_store, path, owner=ben).run
    assert (taken.pinned, taken.pinned_by_owner) == (False, True)
    at_home = importing.import_run(other_store, path).run
    assert (at_home.pinned, at_home.pinned_by_owner) == (True, False)
    other_store.update(at_home.run_id, pinned=False, pinned_by_owner=True)  # As earlier versions imported it.
    for run_id in (at_home.run_id, taken.run_id):
        other_store.set_pinned(run_id, False)
    assert not other_store.get(at_home.run_id).pinned_by_owner and other_store.get(taken.run_id).pinned_by_owner


def test_a_stopped_run_brings_its_checkpoint_unless_no_import_takes_it_and_a_finished_one_drops_it(
    store: RunStore, other_store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = make_run(store, "halted", status=RunStatus.STOPPED).run_id
    slot, path = tmp_path / "slot-0.npz", tmp_path / "run.zip"
    np.savez(slot, state=np.zeros(200_000))
    store.add_artifact(run_id, slot, f"checkpoint/{slot.name}")
    store.add_text_artifact(run_id, "model.onnx", "what an older version made of the network")
    bundle.export_run(store, run_id, path)
    taken = importing.import_run(other_store, path).run
    assert other_store.artifact(taken.run_id, "checkpoint/slot-0.npz").read_bytes() == slot.read_bytes()
    assert taken.status is RunStatus.STOPPED

    with monkeypatch.context() as patch:
        for module in (bundle, importing):
            patch.setattr(module, "MAX_RUN_BYTES", 1_000_000)
        exported = bundle.export_run(store, run_id, path)
        assert any("cannot be resumed elsewhere" in note for note in exported.notes)
        assert "model.onnx" not in exported.files
        assert importing.import_run(other_store, path).run.status is RunStatus.STOPPED
    store.update(run_id, status=RunStatus.FINISHED)
    assert "checkpoint/slot-0.npz" not in bundle.export_run(store, run_id, path).files


def test_a_run_at_work_is_refused(store: RunStore, tmp_path: Path) -> None:
    run = make_run(store, "works", status=RunStatus.RUNNING)
    with pytest.raises(RunError, match="once it has ended"):
        bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    assert not list(tmp_path.iterdir())


def test_a_zip_that_cannot_repeat_its_run_says_why_not(store: RunStore, tmp_path: Path) -> None:
    run = make_run(store, settings={"model.name": "mobilenetv2"}, dataset_fingerprint="f" * 64)
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    assert not {"train.py", "notebook.ipynb", "data.npz"} & set(written.files)
    readme = " ".join(read(written.path)["README.txt"].decode().split())
    for words in ("ImageNet", "other images"):
        assert any(words in note for note in written.notes) and words in readme


def test_a_run_that_was_resumed_and_failed_is_repeated_up_to_its_results(store: RunStore, tmp_path: Path) -> None:
    run = make_run(store, "resumed", history=8)
    store.update(run.run_id, metrics={"epochs": 6}, status=RunStatus.FAILED)
    assert len(store.history(run.run_id)) == 8
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    assert "for epoch in range(1, 6 + 1):" in read(written.path)[bundle.SCRIPT].decode()


def test_versions_from_elsewhere_do_not_add_requirements(store: RunStore, tmp_path: Path) -> None:
    run = make_run(store)
    hostile = {"keras": "3.1\nevil", "numpy": "1.2.3", "imaug": "not installed", "tensorflow": "x; y", "numba": "0.1"}
    hostile["opencv-python-headless"] = "4.5.6"
    environment = {"versions": hostile, "precision": "__import__('os')"}
    store.add_text_artifact(run.run_id, "environment.json", json.dumps(environment))
    written = bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    lines = read(written.path)[bundle.REQUIREMENTS].decode().splitlines()
    assert "__import__" not in read(written.path)[bundle.SCRIPT].decode()
    assert "numpy==1.2.3" in lines and "evil" not in lines
    assert {"numba==0.1", "opencv-python==4.5.6", "opencv-python-headless==4.5.6"} <= set(lines)
    assert lines.index("opencv-contrib-python-headless==4.5.6") == len(lines) - 2, "pip writes it last"
    not_kept = ("imaug", "imagecorruptions-imaug", "scikit-image", "scipy", "pillow")
    assert {f"{name}=={version(name)}" for name in not_kept} <= set(lines), "those of here"
    assert all(line.startswith("#") or re.fullmatch(r"[\w-]+(==[\w.]+)?", line) for line in lines)
