"""ZIP files that are foreign, damaged or hostile are refused with a reason and leave nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from aquadash.errors import AquaDashError, DataError, StorageError
from aquadash.export import bundle, importing
from aquadash.export.zip_files import ForeignZipError, unpack
from aquadash.runs import RunStore, open_store
from aquadash.runs.transfer import remove_traces
from tests import ui_runs

Files = dict[str, bytes]
ZEROS = np.zeros(2, np.int64)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunStore]:
    """A store and its home for all that is refused, which each time leaves both as they were."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("refusing")
        patch.setenv("AQUADASH_HOME", str(home))
        return home, open_store()


@pytest.fixture
def store(shared_store: tuple[Path, RunStore], monkeypatch: pytest.MonkeyPatch) -> RunStore:
    home, store = shared_store
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    return store


@pytest.fixture
def own_store(home: Path) -> RunStore:
    """For what is taken in."""
    return open_store()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The ZIP of a run of another store."""
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:

        def none_here(source: str, **_: object) -> None:
            raise DataError("no images in this test")

        patch.setattr(bundle.data, "load", none_here)
        # Of four megabytes, which no import reads.
        patch.setattr(bundle, "report_html", lambda *_: "<p>The report.</p>")
        patch.setenv("AQUADASH_HOME", str(folder / "home"))
        run = ui_runs.finished(open_store(), "mine")
        path = bundle.export_run(open_store(), run.run_id, folder / "sound.zip").path
    yield path


def store_home(store: RunStore) -> Path:
    location = store.client.get_experiment(store.experiment_id).artifact_location
    return Path(location.removeprefix("file://")).parent


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, files: Files, *, honest: bool = True) -> Path:
    """A ZIP of these files, with a list that names them and their sums if it is to be honest."""
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


def extra(files: Files, name: str, content: bytes) -> Files:
    """One more file that the run says it has."""
    artifacts = [*json.loads(files[bundle.RUN])["artifacts"], name]
    return {name: content, bundle.RUN: described(files, artifacts=artifacts)}


def described(files: Files, **changes: object) -> bytes:
    return json.dumps({**json.loads(files[bundle.RUN]), **changes}).encode()


def refused(store: RunStore, path: Path) -> str:
    """The reason why the file is refused; the store and its folder are as before."""
    folder = store_home(store)
    before = {str(found) for found in folder.rglob("*")} | {str(folder / "tmp")}
    with pytest.raises(AquaDashError) as caught:
        importing.import_run(store, path)
    assert not isinstance(caught.value, StorageError)
    assert {str(found) for found in folder.rglob("*")} <= before
    assert not store.list_runs() and not store.list_runs(deleted=True)
    assert not store.client.search_runs([store.experiment_id])
    return str(caught.value)


def npz(**arrays: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.savez(target, **arrays, allow_pickle=True)
    return target.getvalue()


def test_the_sound_one_is_taken_in(own_store: RunStore, sound: Path) -> None:
    assert importing.import_run(own_store, sound).copies == ()
    assert not list((store_home(own_store) / "tmp").iterdir())


def test_files_of_others(store: RunStore, sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    assert "no file" in refused(store, path)
    path.write_bytes(b"")
    assert "not a ZIP" in refused(store, path)
    path.write_bytes(b"GIF89a" * 100)
    assert "not a ZIP" in refused(store, path)
    write(path, {"holiday.jpg": b"x"}, honest=False)
    assert "manifest.json" in refused(store, path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda files: {**files, "../evil.txt": b"x"}, "leads elsewhere"),
        (lambda files: {**files, "/etc/evil.txt": b"x"}, "leads elsewhere"),
        (lambda files: {**files, "a\\..\\evil.txt": b"x"}, "leads elsewhere"),
        (lambda files: {**files, "C:evil.txt": b"x"}, "leads elsewhere"),
        (lambda files: {**files, "evil.exe": b"x"}, "no run has"),
        (lambda files: {**files, "CONFIG.JSON": b"{}"}, "twice"),
        (lambda files: {**files, "model.onnx": b""}, "not those in the ZIP"),
        (lambda files: {**files, "run.json": described(files, format="else")}, "format"),
        (lambda files: {**files, "run.json": described(files, version=99)}, "version"),
        (lambda files: {**files, "run.json": described(files, run_id="../../x")}, "run_id"),
        (lambda files: {**files, "run.json": described(files, tags={})}, "missing"),
        (lambda files: {**files, "run.json": described(files, tags={"aquadash.status": 3})}, "aquadash.status"),
        (lambda files: {**files, "run.json": described(files, metrics={"loss": [[0, "1", 0]]})}, "metrics.loss.0"),
        (lambda files: {**files, "run.json": b"[" * 100_000}, "JSON"),
        (lambda files: {**files, "config.json": b'{"seed": 9}'}, "different settings"),
        (lambda files: {**files, "config.json": b'{"training": {"epochs": -1}}'}, "epochs"),
        (lambda files: {**files, **extra(files, "environment.json", b"[]")}, "environment.json in the ZIP is damaged"),
        (lambda files: {**files, "predictions.npz": b"PK\x03\x04 no"}, "predictions.npz"),
        (
            lambda files: {**files, "predictions.npz": npz(indices=ZEROS, labels=ZEROS, probabilities=np.ones(3))},
            "belong together",
        ),
        (lambda files: {**files, "predictions.npz": headed("|O", (1,), pickle.dumps([Shout()]))}, "expected numbers"),
        (lambda files: {**files, "predictions.npz": headed("<f4", (10**12,))}, "claims"),
        (lambda files: {**files, "run.json": described(files, metrics={"x": 20_001 * [[0, 1, 0]]})}, "20,001 points"),
        (lambda files: {**files, "run.json": np.random.default_rng(0).bytes(5_000_001)}, "has 5,000,001 bytes"),
        (lambda files: {**files, "worker.log": b"\0" * 40_000_000}, "would grow"),
        (lambda files: {**files, **{f"n{number}.txt": b"" for number in range(400)}}, "files"),
    ],
)  # fmt: skip
def test_changed_files(
    store: RunStore, sound: Path, tmp_path: Path, change: Callable[[Files], Files], reason: str
) -> None:
    assert reason in refused(store, write(tmp_path / "x.zip", change(read(sound))))


def test_what_the_list_does_not_say(store: RunStore, sound: Path, tmp_path: Path) -> None:
    files, path = read(sound), tmp_path / "x.zip"
    write(path, {**files, "model.onnx": b"added"}, honest=False)
    assert "somebody added it" in refused(store, path)
    write(path, {name: content for name, content in files.items() if name != "config.json"}, honest=False)
    assert "lacks" in refused(store, path)
    write(path, {**files, "config.json": files["config.json"] + b" "}, honest=False)
    assert "SHA-256" in refused(store, path)


def tagged(files: Files, **tags: str) -> bytes:
    """What ``run.json`` says with other tags."""
    return described(files, tags=json.loads(files[bundle.RUN])["tags"] | {f"aquadash.{n}": v for n, v in tags.items()})


def damaged_tags() -> list[tuple[str, str]]:
    """Tags and texts that no run has under them."""
    texts = {
        "metrics": [
            "5", "null", "{", '{"test_accuracy": "0.5"}', '{"loss": {}}', '{"loss": NaN}', "[" * 5000,
            '{"test_accuracy": 57}', '{"epochs": -1}', f'{{"loss": 1{"0" * 400}}}',
        ],
        "created_at": ["nan", "1e300", "soon"],
        "ended_at": ["-inf"],
        "test_images": ["0", "1.5", "9" * 4000],
        "class_names": ["[null]", "null", '[""]', "[" * 900],
        "curve": ["[2.0]"],
        "status": ["unreadable"],
    }  # fmt: skip
    return [(tag, text) for tag in texts for text in texts[tag]]


@pytest.mark.parametrize(("tag", "text"), damaged_tags())
def test_tags_that_no_run_has(store: RunStore, sound: Path, tmp_path: Path, tag: str, text: str) -> None:
    files = read(sound)
    reason = refused(store, write(tmp_path / "x.zip", {**files, bundle.RUN: tagged(files, **{tag: text})}))
    assert f"cannot be read ({tag}" in reason and "Delete" not in reason


def zipped(content: bytes, *, method: int, damaged: bool = False) -> bytes:
    """An archive with one array, whose packed bytes may be damaged."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("labels.npy", content)
    found = bytearray(target.getvalue())
    if damaged:
        found[50:60] = b"\xff" * 10
    return bytes(found)


def damaged_files() -> list[tuple[str, str, bytes]]:
    """Files of a run, what is wrong with them, and their content."""
    header = b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
    return [
        ("history.csv", "an epoch of inf", header + b"inf,1,1,1,1,1,1\n"),
        ("history.csv", "a field of 200,000 digits", header + b"1," + b"1" * 200_000 + b",1,1,1,1,1\n"),
        ("history.csv", "not UTF-8", b"\xff\xfe"),
        ("history.csv", "half a row", header + b"1,1\n"),
        ("config.json", "100,000 brackets", b"[" * 100_000),
        ("robustness.json", "nothing but a version", b'{"version": 1}'),
        ("robustness-spare.json", "a second copy by version 0.6.0, empty", b""),
        ("predictions.npz", "damaged deflate", zipped(bytes(3000), method=zipfile.ZIP_DEFLATED, damaged=True)),
        ("predictions.npz", "damaged LZMA", zipped(bytes(3000), method=zipfile.ZIP_LZMA, damaged=True)),
        (
            "predictions.npz", "a broken header",
            zipped(b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((", method=zipfile.ZIP_STORED),
        ),
        ("predictions.npz", "half a header", zipped(b"\x93NUMPY\x01\x00\xff\xff", method=zipfile.ZIP_STORED)),
        ("epochs.npz", "empty", b""),
        ("model.keras", "damaged LZMA", zipped(bytes(3000), method=zipfile.ZIP_LZMA, damaged=True)),
        ("checkpoint/slot-0.npz", "damaged bzip2", zipped(bytes(3000), method=zipfile.ZIP_BZIP2, damaged=True)),
    ]  # fmt: skip


def with_file(files: Files, name: str, content: bytes) -> Files:
    """The files of a run, one of them with this content; added where it has none of that name."""
    return {**files, **({name: content} if name in files else extra(files, name, content))}


@pytest.mark.parametrize(("name", "what", "content"), damaged_files())
def test_files_that_no_run_has(
    store: RunStore, sound: Path, tmp_path: Path, name: str, what: str, content: bytes
) -> None:
    reason = refused(store, write(tmp_path / "x.zip", with_file(read(sound), name, content)))
    assert f"{name} in the ZIP is damaged" in reason and "Unexpected" not in reason


def test_a_run_of_more_bytes_than_are_taken_in(
    store: RunStore, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, state=np.zeros(1_000_000))
    for content, most, reason in (
        (npz(state=np.zeros(100_000)), 800_000, "checkpoint/slot-0.npz in the ZIP has 800,"),
        (npz(state=np.zeros(100_000)), 801_000, "The run in the ZIP has 8"),
        (packed.getvalue(), 801_000, "it unpacks to 8,000,"),
    ):
        monkeypatch.setattr(importing, "MAX_RUN_BYTES", most)
        path = write(tmp_path / "x.zip", with_file(read(sound), "checkpoint/slot-0.npz", content))
        assert reason in refused(store, path)


def test_archives_that_python_cannot_open(store: RunStore, sound: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "x.zip", sound.read_bytes()
    directory = struct.unpack_from("<I", whole, whole.rindex(b"PK\x05\x06") + 16)[0]
    for offset, value, reason in ((6, 99, "not a ZIP file"), (8, 1, "has a password"), (10, 93, "by the method 93")):
        changed = bytearray(whole)
        changed[directory + offset] = value
        path.write_bytes(changed)
        assert reason in refused(store, path)
    changed = bytearray(whole)
    changed[directory + 9] |= 0x08  # the name is UTF-8, it says
    changed[directory + 46] = 0xFF
    path.write_bytes(changed)
    assert "not a ZIP file" in refused(store, path)


def test_an_offset_that_no_file_has(sound: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(sound) as archive:
        (info, *_) = archive.infolist()
        info.header_offset = 2**64
        with pytest.raises(ForeignZipError, match="is damaged"):
            unpack(archive, info, tmp_path / "x")


class Shout:
    """What a hostile array would run when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def headed(descr: str, shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """An archive with an array of that header, whatever its content."""
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": descr, "fortran_order": False, "shape": shape})
    return zipped(array.getvalue() + content, method=zipfile.ZIP_STORED)


def test_a_link_is_refused(store: RunStore, sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(write(path, read(sound)), "a") as archive:
        link = zipfile.ZipInfo("worker.log")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "link" in refused(store, path)


def test_a_bomb_that_lies_about_its_size(store: RunStore, sound: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {**read(sound), "worker.log": b"\0" * 300_000})
    content = bytearray(path.read_bytes())
    # Both places that say how long the unpacked file is are made to say 10 bytes.
    for place in range(len(content) - 4):
        if struct.unpack_from("<I", content, place)[0] == 300_000:
            struct.pack_into("<I", content, place, 10)
    path.write_bytes(bytes(content))
    refused(store, path)


def test_damage_anywhere_is_refused_or_harmless(own_store: RunStore, sound: Path, tmp_path: Path) -> None:
    whole, path = sound.read_bytes(), tmp_path / "x.zip"
    generator = np.random.default_rng(0)
    for length in generator.integers(0, len(whole), 4).tolist():
        path.write_bytes(whole[:length])
        refused(own_store, path)
    accepted = 0
    for _ in range(12):
        content = bytearray(whole)
        content[generator.integers(len(content))] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(content))
        try:
            run = importing.import_run(own_store, path).run
        except ForeignZipError:
            assert not own_store.client.search_runs([own_store.experiment_id])
            continue
        # What an import does not read, such as the report or a time in a header, may be damaged.
        accepted += 1
        assert run.config == own_store.get(run.run_id).config and len(own_store.predictions(run.run_id).labels) == 500
        remove_traces(own_store, run.run_id)
    assert 0 < accepted < 12


def test_a_failure_while_storing_leaves_nothing(
    own_store: RunStore, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = own_store.add_artifact

    def full(run_id: str, path: Path, *, folder: str | None = None) -> None:
        if path.name == "predictions.npz":
            raise StorageError("the disk is full")
        kept(run_id, path, folder=folder)

    monkeypatch.setattr(own_store, "add_artifact", full)
    with pytest.raises(StorageError, match="full"):
        importing.import_run(own_store, sound)
    assert not own_store.client.search_runs([own_store.experiment_id])
    assert not [path for path in (store_home(own_store) / "artifacts").rglob("*") if path.is_file()]
    monkeypatch.setattr(own_store, "add_artifact", kept)
    assert importing.import_run(own_store, sound).copies == ()
    assert not own_store.list_runs(deleted=True), "what is left in MLflow's bin is no run of AquaDash"
