"""A run as one ZIP file: everything that the store has of it, and what repeats and explains it without AquaDash."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel

import aquadash
from aquadash import augment, data
from aquadash.augment import AugmentationPlan
from aquadash.data import Dataset
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError, RunError
from aquadash.export import readme
from aquadash.export.notebook import train_notebook
from aquadash.export.report import report_html
from aquadash.export.script import Recipe, train_script, why_no_script
from aquadash.export.zip_files import Member, Written, write_zip
from aquadash.models import MODELS, model_entry
from aquadash.runs import RunStore
from aquadash.runs.artifacts import CHECKPOINTS, MODEL
from aquadash.runs.transfer import Snapshot, take_snapshot
from aquadash.runs.types import Run, RunStatus

#: What a ZIP says it is, and the version of its form.
FORMAT: Final = "aquadash-run"
VERSION: Final = 1

RUN = "run.json"
MANIFEST = "manifest.json"
SCRIPT = "train.py"
NOTEBOOK = "notebook.ipynb"
REPORT = "report.html"
REQUIREMENTS = "requirements.txt"
README = "README.txt"
DATA = "data.npz"

#: What an export makes for people, and an import leaves aside.
MADE = frozenset({RUN, MANIFEST, SCRIPT, NOTEBOOK, REPORT, REQUIREMENTS, README, DATA}) | {
    entry.weights_file.name for entry in MODELS.values() if entry.weights_file
}

#: Files that are packed already, or hold numbers that hardly shrink.
_STORED = (".keras", ".npz", ".tflite", ".onnx")

#: A version that stands in a line of requirements as it is.
_VERSION = re.compile(r"\d[0-9A-Za-z.+!]{0,40}")


class RunFile(Snapshot, frozen=True):
    """What ``run.json`` holds: the run, and the names of its files."""

    format: Literal["aquadash-run"] = FORMAT
    version: Literal[1] = VERSION
    aquadash: str = aquadash.__version__
    artifacts: list[str]


class Listed(BaseModel, frozen=True):
    """A file in the list: its size in bytes and its SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


class Manifest(BaseModel, frozen=True):
    """What ``manifest.json`` holds: all other files of the ZIP by name."""

    format: Literal["aquadash-run"] = FORMAT
    version: Literal[1] = VERSION
    run_id: str
    files: dict[str, Listed]


@dataclass(frozen=True)
class Exported:
    """A ZIP file that has been written.

    Attributes:
        path: Where it is.
        size: Its bytes.
        files: The names of its members.
        notes: What it could not hold and why, a sentence each; empty when it is complete.
    """

    path: Path
    size: int
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "path": str(self.path), "files": list(self.files), "notes": list(self.notes)}


@dataclass
class _Parts:
    """What is gathered before anything is written."""

    run: Run
    snapshot: Snapshot
    dataset: Dataset | None
    notes: list[str] = field(default_factory=list)


def export_run(
    store: RunStore,
    run_id: str,
    path: Path,
    *,
    include_data: bool | None = None,
    progress: ProgressCallback | None = None,
) -> Exported:
    """Write a run as a ZIP file, whole or not at all; the same run gives the same bytes.

    Args:
        store: Where the run is.
        run_id: One that has ended.
        path: Where to; replaced if it exists.
        include_data: Whether the images go along. None: if AquaDash drew them; others may be somebody's own.
        progress: Told what is being done and the share that is done; what it raises ends the export.

    Raises:
        RunError: The run has not ended.
        StorageError: The store cannot be read.
    """
    tell = progress or silent
    tell("reading the run", None)
    parts = _Parts(store.get(run_id), take_snapshot(store, run_id), None)
    parts.dataset = _dataset(parts, tell)
    with tempfile.TemporaryDirectory(prefix="aquadash-export-") as folder:
        members = list(_members(store, parts, Path(folder), include_data=include_data, tell=tell))
        done = 0

        def after(name: str) -> None:
            nonlocal done
            done += 1
            tell(f"packing {name}", done / (len(members) + 1))

        written = write_zip(path, members, last=lambda found: _manifest(run_id, found), after=after)
    tell("packed", 1.0)
    return Exported(path, path.stat().st_size, tuple(written), tuple(parts.notes))


def file_name(run: Run) -> str:
    """A name for the ZIP file that any system takes, made of what people call the run and the start of its id."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in run.name)
    words = "-".join(part for part in plain.split("-") if part)[:40]
    return f"{words or 'run'}-{run.run_id[:8]}.zip"


def _members(
    store: RunStore, parts: _Parts, folder: Path, *, include_data: bool | None, tell: ProgressCallback
) -> Iterator[Member]:
    run, dataset = parts.run, parts.dataset
    artifacts = dict(_artifacts(store, run))
    yield _text(RUN, RunFile(**dict(parts.snapshot), artifacts=sorted(artifacts)).model_dump_json(indent=1))
    for name in sorted(artifacts):
        yield Member(name, artifacts[name], pack=not name.endswith(_STORED))
    if MODEL not in artifacts:
        parts.notes.append("The run ended before it had a trained model.")
    with_data = dataset is not None and (dataset.drawn if include_data is None else include_data)
    script = _script(store, parts, _plan(parts), with_data=with_data)
    if script:
        yield _text(SCRIPT, script)
        yield _text(NOTEBOOK, train_notebook(script))
        if weights_file := model_entry(run.config.model.name).weights_file:
            yield Member(weights_file.name, weights_file, pack=False)
    if with_data and dataset is not None:
        tell("copying the images", None)
        yield Member(DATA, _data_file(folder, dataset), pack=False)
    elif include_data:
        parts.notes.append("The images could not be added.")
    yield _text(REQUIREMENTS, _requirements(store.environment(run.run_id)))
    tell("writing the report", None)
    yield _text(REPORT, report_html(store, run, dataset))
    names = [*sorted(artifacts), *([SCRIPT, NOTEBOOK] if script else []), *([DATA] if with_data else [])]
    yield _text(README, readme.text(run, names, notes=parts.notes))


def _artifacts(store: RunStore, run: Run) -> Iterator[tuple[str, Path]]:
    # A finished run goes on from nowhere; its worker may be dropping them at this moment.
    for folder in (".",) if run.status is RunStatus.FINISHED else (".", CHECKPOINTS):
        for name in store.artifact_names(run.run_id, folder=folder):
            full = name if folder == "." else f"{folder}/{name}"
            path = store.artifact(run.run_id, full)
            # A file that is called like one that is made here would be taken for it.
            if path is not None and full not in MADE:
                yield full, path


def _dataset(parts: _Parts, tell: ProgressCallback) -> Dataset | None:
    """The run's images; None, with a note, where this machine does not have them."""
    run = parts.run
    try:
        found = data.load(run.config.data.source, progress=tell)
    except AquaDashError as error:
        parts.notes.append(f"The images are not on this computer ({error}), so the report shows none.")
        return None
    if run.dataset_fingerprint and found.fingerprint != run.dataset_fingerprint:
        parts.notes.append(
            "The data set on this computer has other images than the run was trained with, so none are added."
        )
        return None
    return found


def _plan(parts: _Parts) -> AugmentationPlan | None:
    try:
        return augment.plan(parts.run.config.augmentation)
    except AquaDashError as error:
        parts.notes.append(f"There is no script to repeat the run, for its augmentation is not here: {error}")
        return None


def _script(store: RunStore, parts: _Parts, plan: AugmentationPlan | None, *, with_data: bool) -> str:
    """The script, or an empty text with a note that says why there is none."""
    run = parts.run
    if plan is None:
        return ""
    if not run.dataset_fingerprint or not run.class_names:
        parts.notes.append("There is no script to repeat the run, for it ended before it had loaded its images.")
        return ""
    reason = why_no_script(run.config)
    if reason:
        parts.notes.append(f"There is no script to repeat the run. {reason}")
        return ""
    precision = store.environment(run.run_id).get("precision", "float32")
    recipe = Recipe(
        name=run.name,
        config=run.config,
        plan=plan,
        fingerprint=run.dataset_fingerprint,
        precision=precision if precision in ("float32", "mixed_bfloat16") else "float32",
        last_epoch=_stopped_after(store, run),
        data_in_zip=with_data,
    )
    try:
        return train_script(recipe)
    except RunError as error:
        parts.notes.append(f"There is no script to repeat the run. {error}")
        return ""


def _stopped_after(store: RunStore, run: Run) -> int | None:
    """The last epoch of a run that did not end by itself."""
    if run.status is RunStatus.FINISHED:
        return None
    return len(store.history(run.run_id)) or None


def _data_file(folder: Path, dataset: Dataset) -> Path:
    path = folder / DATA
    np.savez(
        path,
        train_images=dataset.train.images,
        train_labels=dataset.train.labels,
        test_images=dataset.test.images,
        test_labels=dataset.test.labels,
        class_names=np.array(dataset.class_names, dtype=np.str_),
    )
    return path


def _requirements(environment: Mapping[str, Any]) -> str:
    """What the script needs, in the versions that the run was trained with."""
    used = environment.get("versions", {})
    lines = ["# What train.py and notebook.ipynb need, in the versions that the run was trained with."]
    for name in ("tensorflow", "keras", "numpy", "imaug"):
        lines.append(_pinned(name, used.get(name)))
    # imaug asks for both builds of OpenCV below 4.13; without these lines a newer one may come.
    lines += [_pinned(name, None) for name in ("opencv-python", "opencv-python-headless")]
    lines.append("# For the notebook besides, any version: pip install jupyterlab")
    return "\n".join(lines) + "\n"


def _pinned(name: str, wanted: str | None) -> str:
    """A line of requirements: of that version, else of the one installed here, else of any."""
    if wanted is None or not _VERSION.fullmatch(wanted):
        # Runs come from other computers, too, and a version may hold anything there.
        try:
            wanted = version(name)
        except PackageNotFoundError:
            return name
    return f"{name}=={wanted}"


def _manifest(run_id: str, written: Mapping[str, Written]) -> Member:
    files = {name: Listed(bytes=found.size, sha256=found.sha256) for name, found in sorted(written.items())}
    return _text(MANIFEST, Manifest(run_id=run_id, files=files).model_dump_json(indent=1))


def _text(name: str, text: str) -> Member:
    return Member(name, text.encode("utf-8"))
