"""Downloads of files, which appear under their names once they are complete and their hashes are right."""

import hashlib
from pathlib import Path

from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import DataError
from aquadash.files import forget_unfinished, replacing

#: Seconds without any data after which a download fails.
STALL_SECONDS = 30.0

_CHUNK = 1 << 18


def download(
    target: Path, *, url: str, size: int, sha256: str = "", md5: str | None = None, progress: ProgressCallback = silent
) -> None:
    """Download ``url`` to ``target``, whole or not at all; the message of a ``DataError`` is the reason alone.

    Args:
        size: The expected number of bytes, used for the progress only.
        sha256: The expected hash in hexadecimal digits; empty for none.
        md5: The same for a file that is published with an MD5 hash only.
    """
    import urllib.request  # It takes 10 ms, and most commands need none.
    from http.client import HTTPException

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        forget_unfinished(target.parent)
    except OSError as error:
        raise DataError(f"{target.parent} cannot be written to ({error.strerror})") from None
    progress(f"Connecting to {url}", None)
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer, replacing(target) as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                text = f"Downloading {target.name}: {file.tell() / 1e6:.0f} of {size / 1e6:.0f} MB"
                progress(text, min(file.tell() / size, 1.0))
            if file.tell() < int(answer.headers.get("Content-Length") or 0):
                raise DataError("the connection ended before everything had arrived")
            progress("Checking the download", None)
            for name, expected in (("sha256", sha256), ("md5", md5)):
                file.seek(0)
                if expected and hashlib.file_digest(file, name).hexdigest() != expected:
                    kind = {"sha256": "SHA-256", "md5": "MD5"}[name]
                    raise DataError(f"the downloaded file is not the expected one: its {kind} differs")
    except TimeoutError:
        raise DataError(f"nothing arrived for {STALL_SECONDS:.0f} seconds") from None
    except (OSError, ValueError, HTTPException) as error:  # ValueError: an invalid proxy address.
        raise DataError(str(getattr(error, "reason", "") or error)) from None
