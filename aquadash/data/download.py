"""Downloads a file, which appears under its name once it is complete and its hash is right."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import DataError
from aquadash.files import forget_oldest, replacing, unfinished

#: Give up when nothing has arrived for so many seconds.
STALL_SECONDS = 30.0

#: Seconds after which the file of a killed download is removed.
_ABANDONED_SECONDS = 3600.0

_CHUNK = 1 << 18


def download(
    target: Path,
    *,
    url: str,
    size: int,
    sha256: str = "",
    md5: str | None = None,
    progress: ProgressCallback | None = None,
) -> None:
    """Download the file at ``url`` to ``target``, whole or not at all, also after an exception from ``progress``.

    Args:
        target: The file to write; its folder is made.
        size: The expected number of bytes, for the progress alone.
        sha256: The expected hash, 64 hexadecimal digits; empty where none is known.
        md5: A hash of the older kind, 32 hexadecimal digits, for a file that has no other.
        progress: Called with the fraction that has arrived.

    Raises:
        DataError: No network, no room, a stalled transfer or a wrong hash. The message holds the reason alone.
    """
    import urllib.request  # It takes 10 ms, and most commands need none.
    from http.client import HTTPException

    report = progress or silent
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        forget_oldest(target.parent, unfinished(target), max_seconds=_ABANDONED_SECONDS)
    except OSError as error:
        raise DataError(f"{target.parent} cannot be written to ({error.strerror})") from None
    report(f"Connecting to {url}", None)
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer, replacing(target) as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                text = f"Downloading {target.name}: {file.tell() / 1e6:.0f} of {size / 1e6:.0f} MB"
                report(text, min(file.tell() / size, 1.0))
            if file.tell() < int(answer.headers.get("Content-Length") or 0):
                raise DataError("the connection ended before everything had arrived")
            report("Checking the download", None)
            for name, expected in (("sha256", sha256), ("md5", md5)):
                file.seek(0)
                if expected and hashlib.file_digest(file, name).hexdigest() != expected:
                    kind = {"sha256": "SHA-256", "md5": "MD5"}[name]
                    raise DataError(f"what arrived is not the expected file: its {kind} differs")
    except TimeoutError:
        raise DataError(f"nothing arrived for {STALL_SECONDS:.0f} seconds") from None
    except (OSError, ValueError, HTTPException) as error:  # ValueError: a proxy's address that is none.
        raise DataError(str(getattr(error, "reason", "") or error)) from None
