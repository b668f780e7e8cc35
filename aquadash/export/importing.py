"""Import of a run's ZIP file, which is untrusted.

Names, sizes, check sums, settings, figures and arrays are checked in a temporary folder before the store is written.
Nothing is unpickled; of the network, only its description and sizes are read.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError
from aquadash.export.bundle import MADE, MANIFEST, MAX_RUN_BYTES, RUN, UNUSED, VERSION, Manifest, OldRunFile, RunFile
from aquadash.models.network_file import check_network
from aquadash.people import OWNER, Person
from aquadash.robustness.measurement import Measurement
from aquadash.store import RunStore
from aquadash.store.artifacts import CHECKPOINTS, CONFIG, MODEL, READERS, ROBUSTNESS, check_arrays
from aquadash.store.database import storage_errors
from aquadash.store.transfer import admit, copies_of
from aquadash.store.types import Run, reason
from aquadash.zips import ForeignZipError, ZipLimits, member_chunks, member_fault, open_zip

T = TypeVar("T", bound=BaseModel)

#: Limits of a ZIP that has the run's images, too. The run itself may have :data:`MAX_RUN_BYTES`.
_LIMITS = ZipLimits(members=300, unpacked_bytes=6_000_000_000)

#: Limits of a text and of a file of predictions, far above those of real runs.
_MAX_TEXT_BYTES, _MAX_ARRAYS_BYTES = 5_000_000, 200_000_000


#: The reader that checks each file that a run may have; a file of another name is refused.
_READERS: Mapping[str, Callable[[Path, Run], Any]] = {
    **READERS,
    MODEL: lambda path, run: check_network(path),
    **dict.fromkeys(
        (f"{CHECKPOINTS}/slot-{slot}.npz" for slot in (0, 1)),
        lambda path, run: check_arrays(path, max_bytes=MAX_RUN_BYTES),
    ),
    ROBUSTNESS: lambda path, run: Measurement.from_json(path.read_bytes()),
}


@dataclass(frozen=True)
class Imported:
    """A run that has been imported."""

    #: As stored here, with a new id.
    run: Run
    #: Ids of other copies of the same run in this store.
    copies: tuple[str, ...] = ()


def import_run(
    store: RunStore,
    path: Path,
    *,
    progress: ProgressCallback = silent,
    called: str | None = None,
    owner: Person = OWNER,
) -> Imported:
    """Import a run that :func:`aquadash.export.bundle.export_run` has written.

    Args:
        progress: Gets the step and its fraction that is done; an exception of it ends the import.
        called: Name of the file in messages; None means its own name.

    Raises:
        ForeignZipError: The file is damaged, dangerous, or not a run's; the store is as it was before.
        StorageError: The run cannot be stored; likewise.
    """
    called = path.name if called is None else called
    progress("looking at the ZIP", None)
    if not path.is_file():
        raise ForeignZipError(f"There is no file {path}. Give the path of a ZIP that AquaDash has exported.")
    workshop = settings.home() / "tmp"
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=workshop) as name:
        folder = Path(name)
        with open_zip(path, _LIMITS, name=called, remedy="Copy or download it again.") as archive:
            described = _unpacked(archive, folder, progress)
        progress("checking the files", None)
        _check(described, folder)
        progress("storing the run", None)
        copies = copies_of(store, described.read().imported_id or described.run_id)
        run = admit(store, described, ((name, folder / name) for name in _kept(described)), owner=owner)
    return Imported(run, tuple(copies))


def _unpacked(archive: zipfile.ZipFile, folder: Path, on_progress: ProgressCallback) -> RunFile:
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    members = {info.filename: info for info in infos}
    if len(members) < len(infos):
        raise ForeignZipError("The ZIP has two files of one name.")
    for name, info in members.items():
        if fault := member_fault(info, name):
            raise ForeignZipError(f"{ascii(name[:80])} in the ZIP is refused. {fault}")
    for name in (MANIFEST, RUN):
        if name not in members:
            raise ForeignZipError(
                f"The ZIP has no {name}, so AquaDash has not made it. Export a run on Evaluate or with runs export."
            )
    wanted = [RUN, *(name for name in members if name not in MADE | UNUSED)]
    total = 0
    for name in (MANIFEST, *wanted):
        if name not in (MANIFEST, RUN, *_READERS):
            raise ForeignZipError(f"The ZIP has a file {ascii(name[:80])} that belongs to no run.")
        size, most = members[name].file_size, _max_bytes(name)
        if size > most:
            raise ForeignZipError(f"{name} in the ZIP has {size:,} bytes; at most {most:,} are expected.")
        total += size
    if total > MAX_RUN_BYTES:
        raise ForeignZipError(f"The run in the ZIP has {total:,} bytes; at most {MAX_RUN_BYTES:,} are expected.")
    unpack(archive, members[MANIFEST], folder / MANIFEST)
    listed = _parsed(Manifest, folder / MANIFEST).files
    missing, extra = sorted(listed.keys() - members), sorted(members.keys() - listed - {MANIFEST})
    if missing:
        raise ForeignZipError(f"The ZIP lacks {ascii(missing[0][:80])}, which its list names. Copy it again.")
    if extra:
        raise ForeignZipError(f"The ZIP has {ascii(extra[0][:80])}, which its list does not name: it was added later.")
    done = 0
    for name in wanted:
        if unpack(archive, members[name], folder / name) != listed[name].sha256:
            raise ForeignZipError(f"{name} in the ZIP is not as it was exported (its SHA-256 differs).")
        done += members[name].file_size
        on_progress(f"unpacking {name}", done / total)
    return _run_file(folder / RUN)


def _run_file(path: Path) -> RunFile:
    """Read ``run.json``, of which versions up to 0.7 wrote another form."""
    try:
        version = from_json(path.read_bytes()).get("version")
    except (ValueError, AttributeError):
        version = None
    if version != VERSION:
        return _parsed(RunFile, path)
    described = _parsed(OldRunFile, path)
    try:
        return RunFile(**dict(described.to_record()), artifacts=described.artifacts)
    except AquaDashError as error:
        raise ForeignZipError(f"The run in the ZIP cannot be used: {error}") from None


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> str:
    """Write a file of a ZIP archive to the disk and return its SHA-256."""
    digest = hashlib.sha256()
    with storage_errors("unpack the ZIP"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for chunk in member_chunks(archive, info):
                digest.update(chunk)
                file.write(chunk)
    return digest.hexdigest()


def _kept(described: RunFile) -> list[str]:
    return [name for name in described.artifacts if name not in UNUSED]


def _max_bytes(name: str) -> int:
    if name == MODEL or name.startswith(CHECKPOINTS):
        return MAX_RUN_BYTES
    return _MAX_ARRAYS_BYTES if name.endswith(".npz") else _MAX_TEXT_BYTES


def _parsed(model: type[T], path: Path) -> T:
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ForeignZipError(
            f"{path.name} in the ZIP cannot be used ({reason(error)}). Another version of AquaDash may have made it: "
            "update AquaDash, or export the run again."
        ) from None


def _check(described: RunFile, folder: Path) -> None:
    """Read every file as the store and the pages will."""
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {MANIFEST, RUN}
    if sorted(_kept(described)) != sorted(here):
        raise ForeignZipError(f"The files that {RUN} names are not those in the ZIP.")
    try:
        run = described.read()
    except AquaDashError as error:
        raise ForeignZipError(f"The run in the ZIP cannot be used: {error}") from None
    for name in sorted(here):
        try:
            content = _READERS[name](folder / name, run)
        except Exception as error:
            # Readers, and the libraries below them, raise exceptions of any kind on damaged files.
            raise ForeignZipError(
                f"{name} in the ZIP is damaged, or not AquaDash's ({reason(error)}). Copy it or export the run again."
            ) from error
        if name == CONFIG and content != run.config:
            raise ForeignZipError(f"{CONFIG} and {RUN} in the ZIP have different settings.")
