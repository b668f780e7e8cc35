"""Taking in a run's ZIP file that may come from anywhere.

Everything is unpacked into a folder of its own and looked at before the store hears of it: names, sizes, check sums,
settings, figures and arrays. Nothing is unpickled, and the network is not loaded, which would run code of the file.
"""

from __future__ import annotations

import csv
import json
import math
import re
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aquadash import settings
from aquadash.classroom.checks import check_upload
from aquadash.classroom.rights import Action, require
from aquadash.config import from_json
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError, ConfigError, RunError, UnknownNameError
from aquadash.export.arrays import check_arrays, check_predictions
from aquadash.export.bundle import FORMAT, MADE, MANIFEST, RUN, VERSION
from aquadash.export.zip_files import DAMAGE, MOST_PACKED, ForeignZipError, Written, checked_members, unpack
from aquadash.models import check_model_file
from aquadash.runs import RunStore
from aquadash.runs.artifacts import CONFIG, HISTORY, PREDICTIONS, VALIDATION_PREDICTIONS
from aquadash.runs.transfer import Point, Snapshot, admit
from aquadash.runs.types import EpochRecord, Run

#: Texts that are read whole may have so many bytes.
_MOST_TEXT = 50_000_000

_ARTIFACT = re.compile(r"(checkpoint/)?[a-z0-9][a-z0-9_-]{0,80}\.(json|npz|csv|log|keras|tflite|onnx|md|txt)")

#: What a ``.keras`` file is made of.
_KERAS_MEMBERS = frozenset({"metadata.json", "config.json", "model.weights.h5"})


@dataclass(frozen=True)
class Imported:
    """A run that has been taken in.

    Attributes:
        run: As stored here.
        original_id: The id that it had where it came from.
    """

    run: Run
    original_id: str

    @property
    def kept_id(self) -> bool:
        """False where its id was taken, or the store makes ids of its own."""
        return self.run.run_id == self.original_id


def import_run(
    store: RunStore, path: Path, *, progress: ProgressCallback | None = None, called: str | None = None
) -> Imported:
    """Take in a run that :func:`aquadash.export.bundle.export_run` has written.

    Args:
        store: Where to.
        path: The ZIP file.
        progress: Told what is being done and the share that is done; what it raises ends the import.
        called: What people know the file by, for messages alone; ``None`` means its own name.

    Raises:
        ForeignZipError: The file is damaged, dangerous, or not a run's; the store is as it was before.
        NotAllowedError: It is larger than what whoever asks may upload; likewise.
        StorageError: The run cannot be stored; likewise.
    """
    tell = progress or silent
    called = path.name if called is None else called
    tell("looking at the ZIP", None)
    if not path.is_file():
        raise ForeignZipError(f"There is no file {path}. Give the path of a ZIP that AquaDash has exported.")
    require(Action.UPLOAD)
    check_upload(path.stat().st_size)
    if path.stat().st_size > MOST_PACKED:
        raise ForeignZipError(f"{called} has {path.stat().st_size:,} bytes; a run has at most {MOST_PACKED:,}.")
    workshop = settings.home() / "tmp"
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=workshop) as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                described = _unpacked(archive, folder, tell)
        except zipfile.BadZipFile as error:
            raise ForeignZipError(
                f"{called} is not a ZIP file, or a damaged one ({error}). Copy or download it again."
            ) from None
        tell("checking what it holds", None)
        snapshot, artifacts = _checked(described, folder)
        tell("storing the run", None)
        run = admit(store, snapshot, ((name, folder / name) for name in artifacts))
    tell("stored", 1.0)
    return Imported(run, snapshot.run_id)


def _unpacked(archive: zipfile.ZipFile, folder: Path, tell: ProgressCallback) -> Mapping[str, Any]:
    """Unpack what belongs to the run and return what ``run.json`` says."""
    try:
        members = checked_members(archive)
    except DAMAGE as error:
        raise ForeignZipError(f"The ZIP is damaged ({error}). Copy or download it again.") from None
    described: dict[str, Written] = {}
    for name in (MANIFEST, RUN):
        if name not in members:
            raise ForeignZipError(
                f"The ZIP has no {name}, so AquaDash has not made it. Export a run with Take home or runs export."
            )
        if members[name].file_size > _MOST_TEXT:
            raise ForeignZipError(f"{name} in the ZIP is too long to be a run's.")
        described[name] = unpack(archive, members[name], folder / name)
    sums = _sums(folder / MANIFEST, members)
    _compare(RUN, described[RUN], sums)
    wanted = [name for name in members if name not in MADE]
    total = sum(members[name].file_size for name in wanted) or 1
    done = 0
    for name in wanted:
        if not _ARTIFACT.fullmatch(name):
            raise ForeignZipError(f"The ZIP has a file {ascii(name[:80])} that no run has.")
        _compare(name, unpack(archive, members[name], folder / name), sums)
        done += members[name].file_size
        tell(f"unpacking {name}", done / total)
    return _record(_json(folder / RUN, RUN), RUN)


def _sums(path: Path, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, str]:
    """SHA-256 by name, for exactly the files that are in the ZIP."""
    manifest = _record(_json(path, MANIFEST), MANIFEST)
    _check_version(manifest, MANIFEST)
    files = _record(manifest.get("files"), f"files in {MANIFEST}")
    sums = {name: str(_record(value, f"{name} in {MANIFEST}").get("sha256", "")) for name, value in files.items()}
    missing, extra = sorted(set(sums) - set(members)), sorted(set(members) - set(sums) - {MANIFEST})
    if missing:
        raise ForeignZipError(f"The ZIP lacks {ascii(missing[0][:80])}, which its list names. Copy it again.")
    if extra:
        raise ForeignZipError(f"The ZIP has {ascii(extra[0][:80])}, which its list does not name: somebody added it.")
    return sums


def _compare(name: str, written: Written, sums: Mapping[str, str]) -> None:
    if written.sha256 != sums[name]:
        raise ForeignZipError(f"{name} in the ZIP is not as it was exported (its SHA-256 differs).")


def _check_version(values: Mapping[str, Any], where: str) -> None:
    if values.get("format") != FORMAT:
        raise ForeignZipError(f"{where} is of the format {str(values.get('format'))[:40]!r}; expected {FORMAT!r}.")
    if values.get("version") != VERSION or isinstance(values.get("version"), bool):
        raise ForeignZipError(
            f"The ZIP is of version {str(values.get('version'))[:20]}; this AquaDash reads version {VERSION}. Update "
            "AquaDash, or export the run again."
        )


def _checked(described: Mapping[str, Any], folder: Path) -> tuple[Snapshot, list[str]]:
    """The run and the names of its files, after every check."""
    _check_version(described, RUN)
    artifacts = described.get("artifacts")
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {MANIFEST, RUN}
    if not isinstance(artifacts, list) or {str(name) for name in artifacts} != here:
        raise ForeignZipError(f"The files that {RUN} names are not those in the ZIP.")
    snapshot = _snapshot(described)
    try:
        run = snapshot.run()
        stored = from_json(_text(folder / CONFIG)) if CONFIG in here else run.config
    except (RunError, ConfigError, UnknownNameError) as error:
        raise ForeignZipError(f"What the ZIP says of its run cannot be used: {error}") from None
    if stored != run.config:
        raise ForeignZipError(f"{CONFIG} and {RUN} in the ZIP have different settings.")
    for name in sorted(here):
        try:
            _check_file(folder / name, name, run)
        except ForeignZipError:
            raise
        except (AquaDashError, *DAMAGE, UnicodeDecodeError, RecursionError, MemoryError, KeyError, TypeError) as error:
            raise ForeignZipError(f"{name} in the ZIP is damaged or none of AquaDash's ({error}).") from None
    return snapshot, sorted(here)


def _snapshot(described: Mapping[str, Any]) -> Snapshot:
    tags = _record(described.get("tags"), f"tags in {RUN}")
    metrics = _record(described.get("metrics"), f"metrics in {RUN}")
    run_id = described.get("run_id")
    if not isinstance(run_id, str) or not re.fullmatch(r"[0-9a-f]{32}", run_id):
        raise ForeignZipError(f"The id of the run is {str(run_id)[:40]!r}; expected 32 hexadecimal digits.")
    if not all(isinstance(value, str) for value in tags.values()):
        raise ForeignZipError(f"The tags in {RUN} are not all text.")
    return Snapshot(
        run_id, tags, {name: tuple(_point(value, name) for value in _list(points)) for name, points in metrics.items()}
    )


def _point(value: object, name: str) -> Point:
    whole = (int,)
    if (
        isinstance(value, list)
        and len(value) == 3
        and type(value[0]) in whole
        and type(value[2]) in whole
        and type(value[1]) in (int, float)
        and 0 <= value[0] < 2**31
        and 0 <= value[2] < 2**53
        and math.isfinite(value[1])
    ):
        return Point(value[0], float(value[1]), value[2])
    raise ForeignZipError(f"A point of the metric {name[:60]!r} is not a step, a value and a time.")


def _check_file(path: Path, name: str, run: Run) -> None:
    """Read a file as AquaDash will, or less; raises anything for one that is not what its name says."""
    if name.endswith(".npz"):
        check_arrays(path)
        if name in (PREDICTIONS, VALIDATION_PREDICTIONS):
            check_predictions(path, num_classes=len(run.class_names))
    elif name.endswith(".json"):
        # Every file of this kind that a run has is an object.
        _record(_json(path, name), name)
    elif name == HISTORY:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                values = {column: float(value) for column, value in row.items()}
                EpochRecord(epoch=int(values.pop("epoch")), **values)
    elif name.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            inner = checked_members(archive)
            if not _KERAS_MEMBERS <= set(inner) or archive.testzip() is not None:
                raise ForeignZipError(f"{name} in the ZIP is not a model that Keras has saved.")
        check_model_file(path)
    elif not name.endswith((".tflite", ".onnx")):
        _text(path)


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST_TEXT:
        raise ForeignZipError(f"{path.name} has {path.stat().st_size:,} bytes; at most {_MOST_TEXT:,} are expected.")
    return path.read_text(encoding="utf-8", errors="strict" if path.suffix == ".json" else "replace")


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ForeignZipError(f"{name} in the ZIP is not valid JSON ({error}).") from None


def _record(values: object, what: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ForeignZipError(f"{what} in the ZIP is a {type(values).__name__}; expected an object of JSON.")
    return values


def _list(values: object) -> list[Any]:
    if not isinstance(values, list):
        raise ForeignZipError(f"A metric in {RUN} is a {type(values).__name__}; expected a list of points.")
    return values
