"""What one person can send to hurt a class, tried out: ``.venv/bin/python scripts/attack.py [part of a case's name]``.

Each case has a home and a process of its own. The table says what happened, after how many seconds and with how much
memory at most, that of started processes included; the exit status is 1 if anything was unexpected, took more than 5 s
or more than 1 GB. Tests of each case are in ``tests/``, and so is what builds them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from aquadash.classroom import codes  # noqa: E402
from aquadash.classroom.sessions import Role, open_sessions  # noqa: E402
from aquadash.data.folder import drafts  # noqa: E402
from aquadash.data.images import MAX_WEBP_PIXELS, decode  # noqa: E402
from aquadash.errors import AquaDashError  # noqa: E402
from aquadash.export.importing import import_run  # noqa: E402
from aquadash.runs import open_store  # noqa: E402
from tests import (  # noqa: E402
    own_pictures,
    test_classroom_served,
    test_data_folder_listing,
    test_data_images,
    test_models_saved,
)
from tests.serving import serving  # noqa: E402
from tests.test_export_importing import (  # noqa: E402
    Files,
    damaged_files,
    damaged_tags,
    described,
    read,
    tagged,
    with_file,
    write,
)

MAX_SECONDS, MAX_BYTES = 5.0, 10**9
#: Where the sound ZIP of a run is, for the processes of the cases.
SOUND = "ATTACK_SOUND"

#: Builds an attack in a folder and returns it; what it answers or refuses is what happened.
Attack = Callable[[], str]
CASES: dict[str, Callable[[Path, ExitStack], Attack]] = {}


def case(name: str) -> Callable[[Callable[[Path, ExitStack], Attack]], None]:
    """Add a case."""

    def add(build: Callable[[Path, ExitStack], Attack]) -> None:
        CASES[name] = build

    return add


# -- the ZIP of a run -------------------------------------------------------------------------------------------------


def importing(path: Path) -> Attack:
    """Take a run in; afterwards the list of runs must work."""
    store = open_store()

    def attack() -> str:
        try:
            return f"taken in as {import_run(store, path).run.name}"
        finally:
            store.list_runs()

    return attack


def changed_run(name: str, change: Callable[[Files], Files]) -> None:
    """Add the case of a run's ZIP with other files in it and check sums that fit."""

    @case(f"run: {name}")
    def _(folder: Path, stack: ExitStack) -> Attack:
        files = read(Path(os.environ[SOUND]))
        return importing(write(folder / "run.zip", {**files, **change(files)}))


def shown(text: str) -> str:
    """The beginning of a long text, and how long it is."""
    return text if len(text) < 30 else f"{text[:12]}... ({len(text):,} characters)"


def arrays(**named: np.ndarray) -> bytes:
    """An ``.npz`` file."""
    target = io.BytesIO()
    np.savez(target, **named)  # type: ignore[arg-type]
    return target.getvalue()


def add_runs() -> None:
    """The cases of a run's ZIP."""
    for tag, text in damaged_tags():
        changed_run(
            f"{tag} = {shown(text)}", lambda files, tag=tag, text=text: {"run.json": tagged(files, **{tag: text})}
        )
    for name, what, content in damaged_files():
        changed_run(f"{name}, {what}", lambda files, name=name, content=content: with_file(files, name, content))
    for count in (20_000, 200_000):
        points = [[step, 0.5, 0] for step in range(count)]
        changed_run(
            f"{count:,} points of a metric",
            lambda files, points=points: {"run.json": described(files, metrics={"loss": points})},
        )
    beyond = arrays(
        indices=np.arange(3) + 10**6, labels=np.zeros(3, np.int64), probabilities=np.full((3, 5), 0.2, np.float32)
    )
    changed_run("predictions of images beyond the split", lambda files: {"predictions.npz": beyond})
    for name, (description, _) in test_models_saved.HOSTILE.items():
        weights = test_models_saved.claim_100_gb if name == "weights of 100 GB" else None

        @case(f"network: {name}")
        def _(folder: Path, stack: ExitStack, made_of: tuple[Any, Any] = (description, weights)) -> Attack:
            content = test_models_saved.write(folder / "model.keras", *made_of).read_bytes()
            files = with_file(read(Path(os.environ[SOUND])), "model.keras", content)
            return importing(write(folder / "run.zip", files))


for _field, _value, _what in ((6, 99, "ZIP version 9.9"), (8, 1, "a password"), (10, 93, "an unknown method")):

    @case(f"run: {_what}")
    def _(folder: Path, stack: ExitStack, field: int = _field, value: int = _value) -> Attack:
        content = own_pictures.with_field(Path(os.environ[SOUND]).read_bytes(), b"run.json", field, bytes([value]))
        (folder / "run.zip").write_bytes(content)
        return importing(folder / "run.zip")


@case("run: a checkpoint of 950 MB, the largest that is accepted")
def _(folder: Path, stack: ExitStack) -> Attack:
    return importing(with_checkpoint(folder, 950))


@case("run: a checkpoint of 2 GB of zeros")
def _(folder: Path, stack: ExitStack) -> Attack:
    return importing(with_checkpoint(folder, 2000))


def with_checkpoint(folder: Path, megabytes: int) -> Path:
    """The ZIP of a run with a checkpoint of so many millions of bytes, packed in little memory."""
    files = read(Path(os.environ[SOUND]))
    slot = folder / "slot.npz"
    with zipfile.ZipFile(slot, "w") as archive, archive.open("a.npy", "w", force_zip64=True) as file:
        shape = (megabytes * 10**6,)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for _ in range(megabytes):
            # Numbers that pack to a third, as weights hardly do.
            file.write(b"0123456789abcdef" * 62_500)
    name = "checkpoint/slot-0.npz"
    with slot.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    write(folder / "run.zip", with_file(files, name, b""))
    rewritten = read(folder / "run.zip")
    listed = json.loads(rewritten["manifest.json"])
    listed["files"][name] = {"bytes": slot.stat().st_size, "sha256": digest}
    path = folder / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in (rewritten | {"manifest.json": json.dumps(listed).encode()}).items():
            if each != name:
                archive.writestr(each, content)
        archive.write(slot, name)
    slot.unlink()
    return path


# -- own pictures -----------------------------------------------------------------------------------------------------


def reading(path: Path) -> Attack:
    """Read a ZIP of pictures as the Data page does."""

    def attack() -> str:
        draft_id = drafts.begin(drafts.Request(str(path), path.name, 32))
        drafts.read(draft_id)
        draft = drafts.opened(draft_id)
        return f"{len(draft.pictures)} pictures read, {len(draft.refused)} refused"

    return attack


for _what, (_content, _) in test_data_folder_listing.no_archives().items():

    @case(f"pictures: {_what}")
    def _(folder: Path, stack: ExitStack, content: bytes = _content) -> Attack:
        (folder / "a.zip").write_bytes(content)
        return reading(folder / "a.zip")


@case("pictures: one damaged LZMA picture")
def _(folder: Path, stack: ExitStack) -> Attack:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for number in range(40):
            archive.writestr(f"{'cat' if number % 2 else 'dog'}/{number}.png", own_pictures.picture(number))
    content = bytearray(path.read_bytes())
    start = content.index(b"cat/1.png") + 20
    content[start : start + 20] = bytes(byte ^ 0x5A for byte in content[start : start + 20])
    path.write_bytes(content)
    return reading(path)


@case("pictures: a class named with 5,000 digits")
def _(folder: Path, stack: ExitStack) -> Attack:
    names = ["7" * 5000, "dog"]
    files = {f"{names[number % 2]}/{number}.png": own_pictures.picture(number) for number in range(40)}
    return reading(own_pictures.in_archive(folder / "a.zip", files))


for _what, _content in test_data_images.of_many_parts().items():

    @case(f"a picture of many parts: {_what}")
    def _(folder: Path, stack: ExitStack, name: str = _what, content: bytes = _content) -> Attack:
        return lambda: f"read as {decode(content, name=name).rgb.shape}"


@case("a grey picture of 16 bits and 8,000 x 8,000 pixels")
def _(folder: Path, stack: ExitStack) -> Attack:
    target = io.BytesIO()
    Image.fromarray(np.full((8000, 8000), 40_000, np.uint16)).save(target, "PNG")
    return lambda: f"read as {decode(target.getvalue(), name='a.png').rgb.shape}"


@case("a WebP picture of as many pixels as are read")
def _(folder: Path, stack: ExitStack) -> Attack:
    # Made in a process of its own, for that takes more memory than reading it.
    program = (
        "import sys; from PIL import Image; Image.new('RGB', (5000, int(sys.argv[1]) // 5000), 'red')"
        ".save(sys.argv[2], 'WEBP', lossless=True, method=0)"
    )
    path = folder / "a.webp"
    subprocess.run([sys.executable, "-c", program, str(MAX_WEBP_PIXELS), str(path)], check=True)
    return lambda: f"read as {decode(path.read_bytes(), name='a.webp').rgb.shape}"


# -- a class ----------------------------------------------------------------------------------------------------------


@case("class: 1,100 half-open connections at 1,024 files")
def _(folder: Path, stack: ExitStack) -> Attack:
    server = stack.enter_context(serving(folder / "home", open_files=1024, AQUADASH_CLASSROOM="1"))

    def attack() -> str:
        for number in range(1100):
            silent = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=60)
            stack.enter_context(silent)
            if number % 2:
                silent.sendall(b"GET / HTTP/1.1\r\nHost:")
        return f"{test_classroom_served.request(server, '/class/join').status} for whoever comes then"

    return attack


@case("class: 500 invented names, then the teacher")
def _(folder: Path, stack: ExitStack) -> Attack:
    server = stack.enter_context(serving(folder / "home", AQUADASH_CLASSROOM="1"))

    def attack() -> str:
        join = test_classroom_served.asked_to_join
        told = Counter(join(server, f"pupil {number}", codes.codes().student).status for number in range(500))
        return f"{dict(told)}, the teacher {join(server, 'Ms Lee', codes.codes().teacher).status}"

    return attack


@case("class: eight uploads of 19 MB without a widget")
def _(folder: Path, stack: ExitStack) -> Attack:
    server = stack.enter_context(serving(folder / "home", AQUADASH_CLASSROOM="1"))
    upload = stack.enter_context(test_classroom_served.uploading(server, "Anna"))
    return lambda: f"{[upload('PUT', str(number), bytes(19_000_000)) for number in range(8)]}"


for _name in ("\u0410nna", "\u0391nna", "Teacher"):

    @case(f"class: the name {_name.encode('unicode_escape').decode()} beside Anna")
    def _(folder: Path, stack: ExitStack, name: str = _name) -> Attack:
        open_sessions().join("Anna", Role.STUDENT)
        return lambda: f"is in the class as {open_sessions().join(name, Role.STUDENT)}"


# -- the home ---------------------------------------------------------------------------------------------------------


@case("home: runs.db is a folder")
def _(folder: Path, stack: ExitStack) -> Attack:
    (folder / "home" / "runs.db").mkdir()
    return lambda: f"opened: {open_store()}"


@case("home: runs.db of a newer version")
def _(folder: Path, stack: ExitStack) -> Attack:
    with sqlite3.connect(folder / "home" / "runs.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    return lambda: f"opened: {open_store()}"


# -- the table --------------------------------------------------------------------------------------------------------


def attempt(name: str) -> None:
    """Try a case in this process and print what happened as JSON."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, ExitStack() as stack:
        (Path(folder) / "home").mkdir()
        os.environ["AQUADASH_HOME"] = str(Path(folder) / "home")
        with redirect_stdout(sys.stderr):
            attack = CASES[name](Path(folder), stack)
            began = time.perf_counter()
            try:
                what = f"answered: {attack()}"
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
    chosen = [name for name in CASES if wanted in name]
    print(f"{'case':58}  {'s':>5}  {'MB':>5}  what happened")
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        environment = {**os.environ, SOUND: str(sound_zip(Path(folder)))}
        for name in chosen:
            command = [sys.executable, __file__, "--one", name]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
            lines = done.stdout.splitlines()
            found = json.loads(lines[-1]) if lines else {"what": f"UNEXPECTED end: {done.stderr[-200:]}"}
            seconds, size = found.get("seconds", 0.0), found.get("bytes", 0)
            bad = "UNEXPECTED" in found["what"].upper() or seconds > MAX_SECONDS or size > MAX_BYTES
            failed += bad
            print(f"{name[:58]:58}  {seconds:5.1f}  {size / 1e6:5.0f}  {'!! ' * bad}{found['what'][:300]}", flush=True)
    print(f"{failed} of {len(chosen)} cases are not as they must be.")
    return 1 if failed else 0


add_runs()

if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        attempt(sys.argv[2])
    else:
        sys.exit(main(" ".join(sys.argv[1:])))
