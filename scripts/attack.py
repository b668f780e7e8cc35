"""What one person can send to hurt a class, tried out: ``.venv/bin/python scripts/attack.py [part of a case's name]``.

Each case is built in a home and a process of its own. The table says what happened, after how many seconds and with how
much memory at most; the exit status is 1 if anything was unexpected, took more than 5 s or more than 1 GB.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

MAX_SECONDS, MAX_BYTES = 5.0, 10**9
#: Where the sound ZIP of a run is, for the processes of the cases.
SOUND = "ATTACK_SOUND"

#: What is attacked, by name: told a folder, each answers what happened, or raises an AquaDashError.
CASES: dict[str, Callable[[Path], str]] = {}

Attack = Callable[[Path], str]


def case(name: str) -> Callable[[Attack], Attack]:
    """Add a case."""

    def add(attack: Attack) -> Attack:
        CASES[name] = attack
        return attack

    return add


# -- the ZIP of a run -------------------------------------------------------------------------------------------------


def run_zip(folder: Path, changes: Mapping[str, bytes]) -> Path:
    """A run's ZIP with other files in it, and check sums that fit."""
    with zipfile.ZipFile(os.environ[SOUND]) as archive:
        files = {name: archive.read(name) for name in archive.namelist()} | dict(changes)
    described = json.loads(files["run.json"]) if "run.json" not in changes else None
    if described is not None:
        described["artifacts"] = sorted({*described["artifacts"], *changes})
        files["run.json"] = json.dumps(described).encode()
    listed = json.loads(files["manifest.json"])
    listed["files"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if name != "manifest.json"
    }
    path = folder / "run.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files | {"manifest.json": json.dumps(listed).encode()}).items():
            archive.writestr(name, content)
    return path


def imported(path: Path) -> str:
    """Take a run in; afterwards the list of runs must work."""
    from aquadash.export.importing import import_run
    from aquadash.runs import open_store

    try:
        return f"taken in as {import_run(open_store(), path).run.name}"
    finally:
        open_store().list_runs()


def described(**changes: Any) -> bytes:
    """``run.json`` with other values."""
    with zipfile.ZipFile(os.environ[SOUND]) as archive:
        return json.dumps(json.loads(archive.read("run.json")) | changes).encode()


def with_tag(name: str, text: str) -> bytes:
    """``run.json`` with another text under a tag."""
    return described(tags=json.loads(described())["tags"] | {f"aquadash.{name}": text})


def nested(content: bytes, method: int) -> bytes:
    """An ``.npz`` file of one array, with damaged bytes where they are packed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("labels.npy", content)
    found = bytearray(target.getvalue())
    if method != zipfile.ZIP_STORED:
        found[50:60] = b"\xff" * 10
    return bytes(found)


for _name, _texts in {
    "metrics": ["5", '"x"', "null", "[]", '{"test_accuracy": {}}', '{"loss": NaN}', '{"loss": Infinity}', "[" * 5000,
                '{"loss": 1' + "0" * 400 + "}"],
    "created_at": ["nan", "inf"],
    "ended_at": ["inf"],
    "test_images": ["9" * 4000],
    "class_names": ["[null]", "[1, 2]"],
}.items():  # fmt: skip
    for _text in _texts:
        case(f"run.json: {_name} is {_text if len(_text) < 30 else f'{_text[:12]}… ({len(_text):,} characters)'}")(
            lambda folder, name=_name, text=_text: imported(run_zip(folder, {"run.json": with_tag(name, text)}))  # type: ignore[misc]
        )

_HEADER = b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
for _name, _what, _content in (
    ("run.json", "100,000 brackets", b"[" * 100_000),
    ("history.csv", "an epoch of inf", _HEADER + b"inf,1,1,1,1,1,1\n"),
    ("history.csv", "a field of 200,000 digits", _HEADER + b"1," + b"1" * 200_000 + b",1,1,1,1,1\n"),
    ("predictions.npz", "damaged deflate", nested(bytes(3000), zipfile.ZIP_DEFLATED)),
    ("predictions.npz", "damaged LZMA", nested(bytes(3000), zipfile.ZIP_LZMA)),
    ("predictions.npz", "a broken header", nested(b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((", zipfile.ZIP_STORED)),
    ("model.keras", "damaged LZMA", nested(bytes(3000), zipfile.ZIP_LZMA)),
    ("worker.log", "4 MB of zeros", bytes(4_000_000)),
):
    case(f"{_name}: {_what}")(
        lambda folder, name=_name, content=_content: imported(run_zip(folder, {name: content}))  # type: ignore[misc]
    )


@case("run.json: 200,000 points of one metric")
def _(folder: Path) -> str:
    metrics = {"loss": [[step, 0.5, 0] for step in range(200_000)]}
    return imported(run_zip(folder, {"run.json": described(metrics=metrics)}))


@case("run.json: as many points as are accepted")
def _(folder: Path) -> str:
    metrics = {name: [[step, 0.5, 0] for step in range(2000)] for name in ("loss", "accuracy", "val_loss")}
    return imported(run_zip(folder, {"run.json": described(metrics=metrics)}))


@case("predictions.npz: images beyond the split")
def _(folder: Path) -> str:
    target = io.BytesIO()
    labels = np.zeros(3, np.int64)
    np.savez(target, indices=labels + 10**6, labels=labels, probabilities=np.full((3, 5), 0.2, np.float32))
    return imported(run_zip(folder, {"predictions.npz": target.getvalue()}))


@case("checkpoint: as large as is accepted, of zeros")
def _(folder: Path) -> str:
    target = io.BytesIO()
    np.savez(target, state=np.zeros(30_000_000))
    return imported(run_zip(folder, {"checkpoint/slot-0.npz": target.getvalue()}))


@case("checkpoint: 2 GB of zeros")
def _(folder: Path) -> str:
    target = folder / "slot.npz"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (250_000_000,)})
        for _ in range(2000):
            file.write(bytes(1_000_000))
    return imported(run_zip(folder, {"checkpoint/slot-0.npz": target.read_bytes()}))


for _offset, _value, _what in (
    (6, 99, "of ZIP version 9.9"),
    (8, 1, "with a password"),
    (10, 93, "of an unknown method"),
):

    def _entry(folder: Path, offset: int = _offset, value: int = _value) -> str:
        whole = bytearray(Path(os.environ[SOUND]).read_bytes())
        (directory,) = struct.unpack_from("<I", whole, whole.rindex(b"PK\x05\x06") + 16)
        whole[directory + offset] = value
        path = folder / "run.zip"
        path.write_bytes(whole)
        return imported(path)

    case(f"run ZIP: {_what}")(_entry)


# -- the table --------------------------------------------------------------------------------------------------------


def attempt(name: str) -> None:
    """Try a case in this process and print what happened as JSON."""
    from aquadash.errors import AquaDashError

    attack = CASES[name]
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        os.environ["AQUADASH_HOME"] = str(Path(folder) / "home")
        began = time.perf_counter()
        try:
            what = f"answered: {attack(Path(folder))}"
        except AquaDashError as error:
            what = f"refused: {error}"
        except Exception as error:
            what = f"UNEXPECTED {type(error).__name__}: {error}"
        seconds = time.perf_counter() - began
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * 1024
    print(json.dumps({"what": what, "seconds": seconds, "bytes": peak}))


def sound_zip(folder: Path) -> Path:
    """The ZIP of the included model's run."""
    program = (
        "import sys; from pathlib import Path; from aquadash.runs import open_store;"
        "from aquadash.runs.first_model import add_first_model; from aquadash.export.bundle import export_run;"
        "export_run(open_store(), add_first_model(open_store()).run_id, Path(sys.argv[1]), include_data=False)"
    )
    path = folder / "sound.zip"
    environment = {**os.environ, "AQUADASH_HOME": str(folder / "home")}
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, cwd=ROOT, env=environment)
    return path


def main(wanted: str) -> int:
    """Try all cases whose name has the text in it; returns the exit status."""
    failed = 0
    print(f"{'case':58}  {'s':>5}  {'MB':>5}  what happened")
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        environment = {**os.environ, SOUND: str(sound_zip(Path(folder)))}
        for name in CASES:
            if wanted not in name:
                continue
            command = [sys.executable, __file__, "--one", name]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
            lines = done.stdout.splitlines()
            found = json.loads(lines[-1]) if lines else {"what": f"UNEXPECTED end: {done.stderr[-200:]}"}
            seconds, size = found.get("seconds", 0.0), found.get("bytes", 0)
            bad = "UNEXPECTED" in found["what"].upper() or seconds > MAX_SECONDS or size > MAX_BYTES
            failed += bad
            print(f"{name[:58]:58}  {seconds:5.1f}  {size / 1e6:5.0f}  {'!! ' * bad}{found['what'][:300]}", flush=True)
    print(f"{failed} of {len(CASES)} cases are not as they must be.")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        attempt(sys.argv[2])
    else:
        sys.exit(main(" ".join(sys.argv[1:])))
