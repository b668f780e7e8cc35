"""A run as one ZIP file: its stored files, and a script and a report that need no AquaDash."""

import hashlib
import io
import os
import re
import stat
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel

import aquadash
from aquadash import augment, data
from aquadash.augment.code import DRAWING
from aquadash.data import Dataset
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError
from aquadash.export.report import report_html
from aquadash.export.script import Recipe, train_notebook, train_script, why_no_script
from aquadash.files import replacing
from aquadash.models import MODELS, model_entry
from aquadash.store import RunStore
from aquadash.store.artifacts import CHECKPOINTS, MODEL
from aquadash.store.transfer import OldRecord, Record, take_record
from aquadash.store.types import Run, RunStatus

#: Name and version of the format, in ``run.json`` and ``manifest.json``.
FORMAT: Final = "aquadash-run"
VERSION: Final = 1
#: The version of the form of ``run.json``; versions up to 0.7 wrote 1.
RUN_VERSION: Final = 2

RUN = "run.json"
MANIFEST = "manifest.json"
SCRIPT = "train.py"
NOTEBOOK = "notebook.ipynb"
REPORT = "report.html"
REQUIREMENTS = "requirements.txt"
README = "README.txt"
DATA = "data.npz"

#: The weights that pretrained networks start from, where they come with AquaDash.
_WEIGHTS = tuple(entry.weights_file.name for entry in MODELS.values() if entry.weights_file)

#: Files that an export makes and an import does not store.
MADE = frozenset({RUN, MANIFEST, SCRIPT, NOTEBOOK, REPORT, REQUIREMENTS, README, DATA, *_WEIGHTS})

#: Files of older versions that nothing reads: the network in other formats, and a second copy of the robustness.
UNUSED = frozenset(
    {"model.tflite", "converted_tflite.json", "model.onnx", "converted_onnx.json", "robustness-spare.json"}
)

#: Limit of an import for a run's own files. The largest preset has 0.9 GB: its optimizer's state is in two checkpoints.
MAX_RUN_BYTES = 1_000_000_000

#: Suffixes of files that compression hardly shrinks.
_STORED = (".keras", ".npz")

#: Explanation of each file for ``README.txt``, in its order.
_EXPLAINED = {
    "report.html": "the results on one page, to read in a browser without a network, or to print",
    "train.py": "trains the network again from nothing, without AquaDash, and says whether the results are the same",
    "notebook.ipynb": "the same as a notebook, with explanations between the steps",
    "requirements.txt": "the packages that both need",
    "data.npz": "the images: training and test images as bytes with their labels (NumPy)",
    **dict.fromkeys(_WEIGHTS, "the weights that the pretrained part of the network starts from"),
    "config.json": "every setting",
    "environment.json": "versions, processor, seed, and the fingerprint of the images",
    "history.csv": "losses and accuracies, a row an epoch",
    "model.keras": "the trained network: keras.models.load_model('model.keras'); it takes colours from 0 to 1",
    "predictions.npz": "its predictions of the test images: indices, labels, probabilities",
    "validation_predictions.npz": "the same for the validation images",
    "epochs.npz": "its answers after each epoch",
    "strangers.npz": "its detector of pictures of none of the classes",
    "robustness.json": "its accuracy on corrupted images",
    **{f"{CHECKPOINTS}/slot-{slot}.npz": "the state after one of its last epochs, to resume it" for slot in (0, 1)},
    "worker.log": "the log of the training",
    "run.json": "name, note and figures, for AquaDash to read",
    "manifest.json": "the SHA-256 of every file",
}

_REPEAT = """\
To train it again, in a fresh environment of the Python version in environment.json:

  python -m venv again && . again/bin/activate
  pip install -r requirements.txt
  python train.py
""".split("\n")

_OPEN = """\
To open it in AquaDash on another computer: Compare, "More", "Import run", or

  .venv/bin/python -m aquadash runs import THIS-FILE.zip""".split("\n")

#: A version that is safe in a line of requirements.
_VERSION = re.compile(r"\d[0-9A-Za-z.+!]{0,40}")


class RunFile(Record, frozen=True):
    """The content of ``run.json``: the run, and the names of its files."""

    format: Literal["aquadash-run"] = FORMAT
    version: Literal[2] = RUN_VERSION
    aquadash: str = aquadash.__version__
    artifacts: list[str]


class OldRunFile(OldRecord, frozen=True):
    """The content of ``run.json`` of versions up to 0.7."""

    format: Literal["aquadash-run"] = FORMAT
    version: Literal[1] = VERSION
    aquadash: str = ""
    artifacts: list[str]


@dataclass(frozen=True)
class Written:
    """A written member of the ZIP: how many bytes it has, and their SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


class Manifest(BaseModel, frozen=True):
    """The content of ``manifest.json``: all other files of the ZIP by name, with their bytes and SHA-256."""

    format: Literal["aquadash-run"] = FORMAT
    version: Literal[1] = VERSION
    run_id: str
    files: dict[str, Written]


@dataclass(frozen=True)
class Exported:
    """A written ZIP file."""

    path: Path
    #: The number of bytes.
    size: int
    #: The names of its members.
    files: tuple[str, ...]
    #: A sentence for each thing that is missing; empty when the ZIP is complete.
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "path": str(self.path)}


@dataclass
class _Parts:
    """The run, its images, and the notes that are collected while the members are made."""

    run: Run
    record: Record
    dataset: Dataset | None
    notes: list[str] = field(default_factory=list)


def export_run(
    store: RunStore,
    run_id: str,
    path: Path,
    *,
    include_data: bool | None = None,
    show_images: bool = True,
    progress: ProgressCallback = silent,
) -> Exported:
    """Write a run as a ZIP file, whole or not at all; the same run gives the same bytes."""
    progress("reading the run", None)
    parts = _Parts(store.get(run_id), take_record(store, run_id), None)
    if show_images:
        parts.dataset = _dataset(parts, progress)
    else:
        parts.notes.append("The images are another person's, so the report shows none.")
    written: dict[str, Written] = {}
    with tempfile.TemporaryDirectory(prefix="aquadash-export-") as folder:
        members = list(_members(store, parts, Path(folder), include_data=include_data, on_progress=progress))
        with replacing(path, mode=0o600) as file, zipfile.ZipFile(file, "w", compresslevel=6) as archive:
            for count, (name, content) in enumerate(members, start=1):
                written[name] = _write(archive, name, content)
                progress(f"packing {name}", count / (len(members) + 1))
            manifest = Manifest(run_id=run_id, files=dict(sorted(written.items())))
            written[MANIFEST] = _write(archive, MANIFEST, manifest.model_dump_json(indent=1).encode())
    return Exported(path, path.stat().st_size, tuple(written), tuple(parts.notes))


def file_name(run: Run) -> str:
    """Return a file name that every operating system accepts: the run's name and the start of its id."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", run.name).strip("-")[:40]
    return f"{words or 'run'}-{run.run_id[:8]}.zip"


def _write(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> Written:
    """Write bytes, or the file that has them, with bounded memory; the same content gives the same bytes."""
    # The earliest time that a ZIP file can hold.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.create_system = 3
    digest, size = hashlib.sha256(), 0
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
        large = file.seek(0, os.SEEK_END) > 2**31
        file.seek(0)
        with archive.open(info, "w", force_zip64=large) as target:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
    return Written(size, digest.hexdigest())


def _members(
    store: RunStore, parts: _Parts, folder: Path, *, include_data: bool | None, on_progress: ProgressCallback
) -> Iterator[tuple[str, bytes | Path]]:
    """Yield names and contents of all members but the manifest."""
    run, dataset = parts.run, parts.dataset
    artifacts = dict(_artifacts(store, run))
    # 1 % less than the limit, because the import counts run.json and manifest.json, too.
    if sum(path.stat().st_size for path in artifacts.values()) > 0.99 * MAX_RUN_BYTES:
        artifacts = {name: path for name, path in artifacts.items() if not name.startswith(CHECKPOINTS)}
        parts.notes.append("Its checkpoints are too large for an import, so it cannot be resumed elsewhere.")
    described = RunFile(**dict(parts.record), artifacts=sorted(artifacts))
    yield RUN, described.model_dump_json(indent=1).encode()
    yield from sorted(artifacts.items())
    if MODEL not in artifacts:
        parts.notes.append("The run ended before it had a trained model.")
    with_data = dataset is not None and (dataset.drawn if include_data is None else include_data)
    script = _script(store, parts, with_data=with_data)
    names = [*artifacts, *([DATA] if with_data else [])]
    if script:
        yield SCRIPT, script.encode()
        yield NOTEBOOK, train_notebook(script).encode()
        names += [SCRIPT, NOTEBOOK]
        if weights_file := model_entry(run.config.model.name).weights_file:
            yield weights_file.name, weights_file
            names.append(weights_file.name)
    if with_data and dataset is not None:
        on_progress("copying the images", None)
        yield DATA, data_file(folder, dataset)
    elif include_data:
        parts.notes.append("The images could not be added.")
    yield REQUIREMENTS, _requirements(store.environment(run.run_id)).encode()
    on_progress("writing the report", None)
    yield REPORT, report_html(store, run, dataset).encode()
    yield README, _readme(run, names, notes=parts.notes).encode()


def _artifacts(store: RunStore, run: Run) -> Iterator[tuple[str, Path]]:
    # A finished run is not resumed, and its worker may be deleting the checkpoints at this moment.
    for folder in (".",) if run.status is RunStatus.FINISHED else (".", CHECKPOINTS):
        for name in store.artifact_names(run.run_id, folder=folder):
            full = name if folder == "." else f"{folder}/{name}"
            path = store.artifact(run.run_id, full)
            # Leave out files whose names an export uses itself.
            if path is not None and full not in MADE | UNUSED:
                yield full, path


def _dataset(parts: _Parts, on_progress: ProgressCallback) -> Dataset | None:
    """Return the run's images; None, with a note, where this machine does not have them."""
    run = parts.run
    try:
        dataset = data.load(run.config.data.source, progress=on_progress)
    except AquaDashError as error:
        parts.notes.append(f"The images are not on this computer ({error}), so the report shows none.")
        return None
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        parts.notes.append(
            "The data set on this computer has other images than the run was trained with, so none are added."
        )
        return None
    return dataset


def _script(store: RunStore, parts: _Parts, *, with_data: bool) -> str:
    """Return the script, or an empty text with a note that says why there is none."""
    run = parts.run

    def none(why: str) -> str:
        parts.notes.append(f"There is no script to repeat the run{why}")
        return ""

    try:
        plan = augment.plan(run.config.augmentation)
    except AquaDashError as error:
        return none(f", for its augmentation is not here: {error}")
    if not run.dataset_fingerprint or not run.class_names:
        return none(", for it ended before it had loaded its images.")
    if reason := why_no_script(run.config):
        return none(f". {reason}")
    precision = store.environment(run.run_id).get("precision")
    # The results of a run that was resumed and then failed are those of its stop, before its last epochs.
    ended = int(run.metrics.get("epochs", 0)) or len(store.history(run.run_id)) or None
    recipe = Recipe(
        name=run.name,
        config=run.config,
        plan=plan,
        fingerprint=run.dataset_fingerprint,
        precision=precision if precision in ("float32", "mixed_bfloat16") else "float32",
        last_epoch=None if run.status is RunStatus.FINISHED else ended,
        data_in_zip=with_data,
    )
    return train_script(recipe)


def data_file(folder: Path, dataset: Dataset) -> Path:
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
    """Return the packages of the script, in the versions that the run was trained with."""
    used = environment.get("versions", {})
    lines = ["# The packages of train.py and notebook.ipynb, in the versions that the run was trained with."]
    lines += [_pinned(name, used.get(name)) for name in ("tensorflow", "keras", "numpy", *DRAWING)]
    # imaug requires two builds of OpenCV below 4.13, and one of them needs the libraries of a screen. pip installs the
    # last one last, over the files that the builds share.
    builds = ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")
    lines += [_pinned(name, used.get("opencv-python-headless")) for name in builds]
    lines.append("# Also for the notebook, in any version: pip install jupyterlab")
    return "\n".join(lines) + "\n"


def _pinned(name: str, wanted: str | None) -> str:
    """Return a line of requirements with that version, else with the installed one, else with none."""
    if wanted is None or not _VERSION.fullmatch(wanted):
        # The version of an imported run is untrusted text.
        try:
            wanted = version(name)
        except PackageNotFoundError:
            return name
    return f"{name}=={wanted}"


def _readme(run: Run, names: Sequence[str], *, notes: Sequence[str]) -> str:
    """Return the text of ``README.txt``; ``names`` need not have the files that every ZIP has."""
    always = {REPORT, REQUIREMENTS, RUN, MANIFEST}
    accuracy = run.metrics.get("test_accuracy")
    about = ["", f"  name    {run.name}", f"  id      {run.run_id}", f"  status  {run.status}"]
    if accuracy is not None:
        about.append(f"  test accuracy  {100 * accuracy:.1f} %")
    lines = ["A training run of AquaDash", *about, "", *(_REPEAT if SCRIPT in names else ()), *_OPEN, "", "Files", ""]
    for name, explained in _EXPLAINED.items():
        if name in always or name in names:
            lines += textwrap.wrap(explained, 100, initial_indent=f"  {name:<28}", subsequent_indent=" " * 30)
    if notes:
        lines += ["", "What is missing", ""]
        for note in notes:
            lines += textwrap.wrap(note, 100, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"
