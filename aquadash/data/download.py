"""Downloads a file with ``keras.utils.get_file`` in a process of its own.

A process of its own, because importing Keras takes seconds and several hundred megabytes that the app need not carry,
because Keras writes its progress bar to standard output, and because a process can be ended at once when the person
changes their mind or the network stalls. The file appears under its final name only when it is complete and its hash is
right.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import DataError

#: Give up when nothing has arrived for so many seconds; the start of Keras is included.
STALL_SECONDS = 90.0

#: A socket without an answer for so many seconds is closed.
_SOCKET_SECONDS = 30.0

#: Half-done folders of a process that was killed are removed after so many seconds without a change.
_ABANDONED_SECONDS = 3600.0

_PREFIX = ".download-"
_POLL_SECONDS = 0.2


def download(
    target: Path,
    *,
    url: str,
    size: int,
    sha256: str = "",
    md5: str | None = None,
    progress: ProgressCallback | None = None,
) -> None:
    """Put the file at ``url`` to ``target``, whole or not at all.

    Whatever ends it early, an exception from ``progress`` or Ctrl-C included, the transfer is stopped and what had
    arrived is removed.

    Args:
        target: The file to write; its folder is made.
        url: Where it is.
        size: The expected number of bytes, for the progress alone.
        sha256: The expected hash, 64 hexadecimal digits; empty where none is known.
        md5: A hash of the older kind, 32 hexadecimal digits, for a file that has no other.
        progress: Told the share that has arrived.

    Raises:
        DataError: No network, no room, a stalled transfer or a wrong hash. The message holds the reason alone.
    """
    report = progress or silent
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
    except OSError as error:
        raise DataError(f"{target.parent} cannot be written to ({error.strerror})") from None
    try:
        part = folder / target.name
        report(f"Connecting to {url}", None)
        _transfer(part, url=url, digest=sha256 or md5 or "", size=size, report=report)
        report("Checking the download", None)
        if not part.is_file() or (sha256 and file_sha256(part) != sha256):
            raise DataError("what arrived is not the expected file: its SHA-256 differs")
        if md5 and file_md5(part) != md5:
            raise DataError("what arrived is not the expected file: its MD5 differs")
        os.replace(part, target)
    except OSError as error:
        raise DataError(f"the file cannot be stored ({error.strerror})") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    return _digest(path, "sha256")


def file_md5(path: Path) -> str:
    """The MD5 of a file's bytes, 32 hexadecimal digits; for files whose authors name no better hash."""
    return _digest(path, "md5")


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _transfer(part: Path, *, url: str, digest: str, size: int, report: ProgressCallback) -> None:
    """Run the process and watch the file grow."""
    log = part.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(url, part, digest),
            cwd=settings.PROJECT_ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    try:
        arrived, last_change = 0, time.monotonic()
        while True:
            try:
                code = process.wait(timeout=_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                pass
            now = part.stat().st_size if part.exists() else 0
            if now != arrived:
                arrived, last_change = now, time.monotonic()
            elif time.monotonic() - last_change > STALL_SECONDS:
                raise DataError(f"nothing arrived for {STALL_SECONDS:.0f} seconds")
            if arrived:
                text = f"Downloading {part.name}: {arrived / 1e6:.0f} of {size / 1e6:.0f} MB"
                report(text, min(arrived / size, 1.0))
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()
    if code != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise DataError(lines[-1][:300] if lines else f"the download ended with code {code}")


def _command(url: str, part: Path, digest: str) -> list[str]:
    return [sys.executable, "-m", "aquadash.data.download", url, str(part), digest]


def _remove_abandoned(folder: Path) -> None:
    for left in folder.glob(f"{_PREFIX}*"):
        times = [entry.stat().st_mtime for entry in (left, *left.glob("*"))]
        if time.time() - max(times) > _ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone: its end of our standard input closes then."""
    # Not through sys.stdin: its lock, held by a waiting reader, makes the interpreter abort when the download is done.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main(url: str, part: str, digest: str) -> int:
    """The process: fetch ``url`` into ``part``; the last line of output is the reason where that fails.

    The length of ``digest`` tells Keras which hash it is; an empty one is not checked.
    """
    threading.Thread(target=_leave_with_parent, name="leave-with-parent", daemon=True).start()
    socket.setdefaulttimeout(_SOCKET_SECONDS)
    import keras

    keras.utils.disable_interactive_logging()
    path = Path(part)
    try:
        keras.utils.get_file(
            fname=path.name,
            origin=url,
            file_hash=digest or None,
            hash_algorithm="auto",
            cache_dir=str(path.parent),
            cache_subdir="",
        )
    except Exception as error:  # get_file raises bare Exception for network faults
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
