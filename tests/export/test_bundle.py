"""Tests of a run's ZIP: foreign, damaged or hostile ones are refused; an exported run is the same after an import."""

import hashlib
import io
import json
import math
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from aquadash import settings
from aquadash.errors import AquaDashError, DataError, RunError, StorageError
from aquadash.export import bundle, importing
from aquadash.store import EPOCH_METRICS, Run, RunStatus, RunStore, open_store
from aquadash.store.artifacts import ROBUSTNESS
from aquadash.store.first_model import add_first_model
from aquadash.store.transfer import IMPORTED
from tests.support.app_pages import open_app_page
from tests.support.drawn_images import use_images
from tests.support.faults import tries
from tests.support.lessons import BEN
from tests.support.robust_runs import made_up_result
from tests.support.runs import make_run


@pytest.fixture(autouse=True)
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the report of four megabytes, which tests/export/test_report.py tests."""
    monkeypatch.setattr(bundle, "report_html", lambda *_: "<p>The report.</p>")


Files = dict[str, bytes]


def other_store_zip(folder: Path, add: Callable[[RunStore], Run]) -> Path:
    """Export a run of another store without images and report, which are large and which no import reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(folder / "home"))
        run_id = add(open_store()).run_id
        use_images(patch, DataError("no images in this test"))
        patch.setattr(bundle, "report_html", lambda *_: "<p>The report.</p>")
        return bundle.export_run(open_store(), run_id, folder / "sound.zip").path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_store_zip(tmp_path_factory.mktemp("sound"), make_run)


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, files: Files, *, honest: bool = True) -> Path:
    """Write a ZIP of these files; an honest one has their names and check sums in its list."""
    if honest:
        sums = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
            if name != bundle.MANIFEST
        }
        listed = {**json.loads(files[bundle.MANIFEST]), "files": sums}
        files = {**files, bundle.MANIFEST: json.dumps(listed).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def described(files: Files, **changes: Any) -> bytes:
    """Return ``run.json`` with other values; ``run`` and ``tags`` replace single columns and tags."""
    content = json.loads(files[bundle.RUN])
    for name, value in changes.items():
        content[name] = {**content[name], **value} if name in ("run", "tags") else value
    return json.dumps(content).encode()


def as_old(files: Files) -> Files:
    """Return the files with ``run.json`` in the form of versions up to 0.7: tags and points of MLflow."""
    content = json.loads(files[bundle.RUN])
    run = content["run"]
    texts = "status created_at queued_at started_at ended_at dataset_fingerprint test_images".split()
    tags = {f"aquadash.{name}": str(run[name]) for name in texts}
    tags |= {f"aquadash.{name}": json.dumps(run[name]) for name in ("config", "metrics", "curve", "class_names")}
    tags |= {"mlflow.runName": run["name"], "mlflow.note.content": run["note"], "aquadash.label.good": "1"}
    points = {
        name: [[epoch["epoch"], epoch[name], 1_796_000_000_000 + epoch["epoch"]] for epoch in content["epochs"]]
        for name in EPOCH_METRICS
    }
    old = {name: content[name] for name in ("format", "run_id", "artifacts")}
    old |= {"version": 1, "aquadash": "0.6.0", "tags": tags, "metrics": points}
    return {**files, bundle.RUN: json.dumps(old).encode()}


def refused(store: RunStore, path: Path) -> str:
    """Return the reason of a refusal that leaves the store and its folder as before."""
    folder = settings.home()
    before = {str(file) for file in folder.rglob("*")} | {str(folder / "tmp")}
    with pytest.raises(AquaDashError) as caught:
        importing.import_run(store, path)
    assert not isinstance(caught.value, StorageError)
    assert {str(file) for file in folder.rglob("*")} <= before
    assert not store.find()
    return str(caught.value)


class Shout:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def npz(**arrays: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.savez(target, **arrays, allow_pickle=True)
    return target.getvalue()


def zipped(content: bytes) -> bytes:
    """Return an archive with one array."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", content)
    return target.getvalue()


def headed(descr: str, shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """Return an archive of an array with that header and any content."""
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": descr, "fortran_order": False, "shape": shape})
    return zipped(array.getvalue() + content)


HEADER = b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
EPOCHS = b"".join(b"%d,1,1,1,1,1,1\n" % epoch for epoch in range(1, 3001))
UNEVEN = npz(indices=np.zeros(2, np.int64), labels=np.zeros(2, np.int64), probabilities=np.ones(3))
EPOCH: dict[str, Any] = {"epoch": 1, **dict.fromkeys(EPOCH_METRICS, 1.0)}
DAMAGED = "in the ZIP is damaged"
PACKED = zipped(bytes(3000))
DAMAGED_ZIP = PACKED[:50] + b"\xff" * 10 + PACKED[60:]

#: A file; its content, or changed values of run.json; and a part of the error.
FOREIGN: dict[str, tuple[str, bytes | dict[str, object], str]] = {
    "a name that leads up": ("../evil.txt", b"x", "leads out"),
    "a program": ("evil.exe", b"x", "belongs to no run"),
    "a text that grows": ("worker.log", b"\0" * 40_000_000, "at most 5,000,000"),
    "another format": ("run.json", {"format": "else"}, "format"),
    "a version to come": ("run.json", {"version": 99}, "version"),
    "an id that leads up": ("run.json", {"run_id": "../../x"}, "run_id"),
    "a loss of nan": ("run.json", {"epochs": [EPOCH | {"loss": math.nan}]}, "epoch 1: loss is nan"),
    "an epoch after the last": ("run.json", {"epochs": [EPOCH | {"epoch": 60_000_000}]}, "the run has at most"),
    "an epoch stored twice": ("run.json", {"epochs": [EPOCH, EPOCH]}, "epoch 1 comes after epoch 1"),
    "endless seconds": ("run.json", {"epochs": [EPOCH | {"seconds": 1e308}]}, "epoch 1: seconds is 1e+308"),
    "an accuracy of 37": ("run.json", {"epochs": [EPOCH | {"val_accuracy": 37}]}, "val_accuracy is 37"),
    "a final accuracy of 37": ("run.json", {"run": {"metrics": {"test_accuracy": 37}}}, "test_accuracy is 37"),
    "too many epochs": ("run.json", {"epochs": 2001 * [EPOCH]}, "epochs"),
    "a long description": ("run.json", np.random.default_rng(0).bytes(5_000_001), "has 5,000,001 bytes"),
    "other settings": ("config.json", b'{"seed": 9}', "different settings"),
    "settings that cannot be": ("config.json", b'{"training": {"epochs": -1}}', "epochs"),
    "an environment whose version is a list": ("environment.json", b'{"versions": {"keras": ["x"]}}', DAMAGED),
    "more epochs than the run": ("history.csv", HEADER + EPOCHS, "it has an epoch 3000; the run has at most"),
    "a loss that is no number": ("history.csv", HEADER + b"1,nan,1,1,1,1,1\n", "loss is nan; expected"),
    "an endless loss": ("history.csv", HEADER + b"1,1,1,-inf,1,1,1\n", "val_loss is -inf; expected"),
    "an epoch twice": ("history.csv", HEADER + 2 * b"1,1,1,1,1,1,1\n", "epoch 1 comes after epoch 1"),
    "a field of 200,000 digits": ("history.csv", HEADER + b"1," + b"1" * 200_000 + b",1,1,1,1,1\n", DAMAGED),
    "half a row": ("history.csv", HEADER + b"1,1\n", DAMAGED),
    "nothing but a version": ("robustness.json", b'{"version": 1}', DAMAGED),
    "arrays of several lengths": ("predictions.npz", UNEVEN, "belong together"),
    "a pickle": ("predictions.npz", headed("|O", (1,), pickle.dumps([Shout()])), "expected numbers"),
    "an array of terabytes": ("predictions.npz", headed("<f4", (10**12,)), "claims"),
    "damaged deflate": ("predictions.npz", DAMAGED_ZIP, DAMAGED),
    "a broken header": ("predictions.npz", zipped(b"\x93NUMPY\x01\x00\x10\x00{'descr': ((((("), DAMAGED),
    "no epochs": ("epochs.npz", b"", DAMAGED),
    "a damaged network": ("model.keras", DAMAGED_ZIP, DAMAGED),
    "a damaged checkpoint": ("checkpoint/slot-0.npz", DAMAGED_ZIP, DAMAGED),
}


def with_file(files: Files, name: str, content: bytes | dict[str, object]) -> Files:
    """Return the files with one of another content; a new file is added to the list in ``run.json``."""
    if isinstance(content, dict):
        return {**files, name: described(files, **content)}
    artifacts = [*json.loads(files[bundle.RUN])["artifacts"], name]
    return {**files, **({} if name in files else {bundle.RUN: described(files, artifacts=artifacts)}), name: content}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_that_no_run_has(store: RunStore, sound: Path, tmp_path: Path, what: str) -> None:
    name, content, reason = FOREIGN[what]
    message = refused(store, write(tmp_path / "x.zip", with_file(read(sound), name, content)))
    assert (f"{name} {DAMAGED}" if reason is DAMAGED else reason) in message and "Unexpected" not in message


def test_files_that_are_no_export_or_differ_from_its_list(store: RunStore, sound: Path, tmp_path: Path) -> None:
    files, path = read(sound), tmp_path / "x.zip"
    assert "no file" in refused(store, path)
    path.write_bytes(b"GIF89a" * 100)
    assert "not a sound ZIP" in refused(store, path)
    assert "not those in the ZIP" in refused(store, write(path, {**files, "strangers.npz": b""}))
    for dishonest, reason in (
        ({"holiday.jpg": b"x"}, "manifest.json"),
        ({**files, **{f"n{number}.txt": b"" for number in range(400)}}, "files; at most"),
        ({**files, "strangers.npz": b"added"}, "it was added later"),
        ({name: content for name, content in files.items() if name != "config.json"}, "lacks"),
        ({**files, "config.json": files["config.json"] + b" "}, "SHA-256"),
    ):
        assert reason in refused(store, write(path, dishonest, honest=False))


#: Invalid texts for these tags of an old ``run.json`` and, read as JSON, for these columns of a new one.
DAMAGED_VALUES = {
    "metrics": [
        *('null { {"test_accuracy":"0.5"} {"loss":NaN} {"test_accuracy":57} {"seconds":1e308} {"epochs":-1}'.split()),
        *("[" * 5000, f'{{"loss": 1{"0" * 400}}}'),
    ],
    "created_at": ["nan", "1e300", "soon"],
    "ended_at": ["-inf"],
    "test_images": ["0", "1.5"],
    "class_names": ["null", '[""]'],
    "curve": ["[2.0]"],
    "status": ["unreadable"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in DAMAGED_VALUES.items() for text in texts])
def test_values_that_no_run_has(store: RunStore, sound: Path, tmp_path: Path, name: str, text: str) -> None:
    files, path = read(sound), tmp_path / "x.zip"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    old = with_file(as_old(files), bundle.RUN, {"tags": {f"aquadash.{name}": text}})
    for changed in (old, with_file(files, bundle.RUN, {"run": {name: value}})):
        reason = refused(store, write(path, changed))
        assert f"cannot be read ({name}" in reason and "Delete" not in reason


def test_an_old_description_that_no_run_has(store: RunStore, sound: Path, tmp_path: Path) -> None:
    old, too_high = as_old(read(sound)), dict.fromkeys(EPOCH_METRICS, [[1, 37, 0]])
    changes: tuple[tuple[dict[str, object], str], ...] = (
        ({"tags": {"aquadash.status": ""}}, "are missing"),
        ({"metrics": too_high}, "accuracy is 37"),
        ({"metrics": {"loss": 20_001 * [[0, 1, 0]]}}, "20000 items"),
        ({"tags": {"aquadash.class_names": '["a", "b", "a"]'}}, "have the same name"),
    )
    for changed, reason in changes:
        assert reason in refused(store, write(tmp_path / "x.zip", with_file(old, bundle.RUN, changed)))


def test_a_zip_of_an_earlier_version_is_taken_in(store: RunStore, sound: Path, tmp_path: Path) -> None:
    old = as_old(read(sound))
    points = json.loads(old[bundle.RUN])["metrics"]
    # An epoch that was trained twice, and one that was stored in part.
    points["val_loss"] = [[1, 9.0, 1], *points["val_loss"], [7, 1.0, 1_796_000_000_007]]
    files = with_file(old, bundle.RUN, {"metrics": points})
    for name in bundle.UNUSED:
        files = with_file(files, name, b"of an older version")
    run = importing.import_run(store, write(tmp_path / "old.zip", files)).run
    again = importing.import_run(store, sound).run
    assert replace(run, run_id=again.run_id, tags=()) == again and run.tags == ("good",)
    assert store.history(run.run_id) == store.history(again.run_id) != []
    assert np.array_equal(store.predictions(run.run_id).labels, store.predictions(again.run_id).labels)
    assert not bundle.UNUSED & set(store.artifact_names(run.run_id))


def test_a_run_of_too_many_bytes(store: RunStore, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, many = io.BytesIO(), io.BytesIO()
    np.savez_compressed(packed, state=np.zeros(1_000_000))
    with zipfile.ZipFile(many, "w") as arrays:
        for number in range(10_001):
            arrays.writestr(f"{number}.npy", b"")
    for content, most, reason in (
        (npz(state=np.zeros(100_000)), 800_000, "checkpoint/slot-0.npz in the ZIP has 800,"),
        (npz(state=np.zeros(100_000)), 801_000, "The run in the ZIP has 8"),
        (packed.getvalue(), 801_000, "it unpacks to 8,000,"),
        (many.getvalue(), 10_000_000, "slot-0.npz in the ZIP is damaged, or not AquaDash's (it has 10,001 files"),
    ):
        monkeypatch.setattr(importing, "MAX_RUN_BYTES", most)
        path = write(tmp_path / "x.zip", with_file(read(sound), "checkpoint/slot-0.npz", content))
        assert reason in refused(store, path)


def test_a_bomb_that_lies_about_its_size(store: RunStore, sound: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {**read(sound), "worker.log": b"\0" * 300_000})
    content = bytearray(path.read_bytes())
    # Forge the unpacked size in both headers.
    for place in range(len(content) - 4):
        if struct.unpack_from("<I", content, place)[0] == 300_000:
            struct.pack_into("<I", content, place, 10)
    path.write_bytes(bytes(content))
    refused(store, path)


def test_a_failed_import_leaves_nothing(store: RunStore, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_artifact = store.add_artifact

    def full(run_id: str, path: Path, name: str) -> None:
        if path.name == "predictions.npz":
            raise StorageError("the disk is full")
        add_artifact(run_id, path, name)

    with monkeypatch.context() as patch, pytest.raises(StorageError, match="full"):
        patch.setattr(store, "add_artifact", full)
        importing.import_run(store, sound)
    assert not store.find()
    assert not [path for path in settings.runs_folder().rglob("*") if path.is_file()]
    assert importing.import_run(store, sound).copies == ()
    assert not list((settings.home() / "tmp").iterdir())


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["nan", "1e999", "[" * 300, "{}", "9" * 4000, "\x00", "<b>x</b>", "../../x", "\ud800"]),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(st.text(max_size=4), st.floats(), max_size=2),
)


def retyped(draw: st.DrawFn, value: Any) -> Any:
    """Replace or delete one nested value, inside JSON texts, too."""
    if isinstance(value, str) and value[:1] in "[{" and draw(st.booleans()):
        with suppress(ValueError):
            return json.dumps(retyped(draw, json.loads(value)))
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 9)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        changed = value.copy()
        if draw(st.integers(0, 9)):
            changed[key] = retyped(draw, value[key])
        else:
            del changed[key]
        return changed
    return draw(ODD)


@st.composite
def archives(draw: st.DrawFn, files: Files) -> Files:
    """Return the files of a run with one to three changes."""
    files = dict(as_old(files) if draw(st.booleans()) else files)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([bundle.RUN] * 3 + sorted(set(files) - {bundle.MANIFEST})))
        try:
            files[name] = json.dumps(retyped(draw, json.loads(files[name]))).encode("utf-8", "surrogatepass")
        except ValueError:
            start = draw(st.integers(0, len(files[name])))
            files[name] = files[name][:start] + draw(st.binary(max_size=8)) + files[name][start + 8 :]
    return files


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files of a run with everything except its network, which is large."""

    def add(store: RunStore) -> Run:
        run = add_first_model(store)
        store.add_text_artifact(run.run_id, ROBUSTNESS, made_up_result(fingerprint=run.dataset_fingerprint).to_json())
        store.model_path(run.run_id).unlink()
        return run

    files = read(other_store_zip(tmp_path_factory.mktemp("sound"), add))
    return {name: content for name, content in files.items() if name not in bundle.MADE - {bundle.RUN, bundle.MANIFEST}}


@pytest.mark.slow
@pytest.mark.usefixtures("no_engine")
@given(drawn=st.data())
@tries(14)
def test_every_archive_is_taken_in_or_refused(
    drawn: st.DataObject, everything: Files, store: RunStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "fuzz.zip", drawn.draw(archives(everything)))
    try:
        run = importing.import_run(store, path).run
    except AquaDashError as error:
        event("refused")
        assert not isinstance(error, StorageError) and "Unexpected" not in str(error)
        assert not store.list_runs()
        return
    event("taken in")
    assert [stored.run_id for stored in store.list_runs()] == [run.run_id]
    for part in ("get", "history", "predictions", "epoch_replay", "environment"):
        with suppress(AquaDashError):
            getattr(store, part)(run.run_id)
    assert not open_app_page("home").error
    store.delete(run.run_id)


NAME = "mine: <b>a</b>\N{OTTER} \"quoted\" '''"


@pytest.fixture
def other_store(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Return the store of another computer."""
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "elsewhere"))
    other = open_store()
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    return other


def test_the_zip_holds_the_run_and_is_the_same_each_time(store: RunStore, tmp_path: Path) -> None:
    run_id = make_run(store, NAME, note="a *note*").run_id
    store.add_text_artifact(run_id, "model.keras", "no network, but nothing here loads it")
    path, again = (bundle.export_run(store, run_id, tmp_path / name).path for name in ("run.zip", "again.zip"))
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(RunError, match="once it has ended"):
        bundle.export_run(store, make_run(store, "works", status=RunStatus.RUNNING).run_id, path)

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
    run = make_run(store, owner=BEN)
    store.set_pinned(run.run_id, for_all=pinned_by == "the teacher")
    path = bundle.export_run(store, run.run_id, tmp_path / "run.zip").path
    taken = importing.import_run(other_store, path, owner=BEN).run
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
