"""Files that only the account which AquaDash runs in may read."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from aquadash.errors import StorageError


def write_private(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON object, whole or not at all, readable and writable by its owner only (mode 0600).

    Raises:
        StorageError: It cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes the file with mode 0600, so that it is at no moment open to others.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file, ensure_ascii=False)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}. Is the disk full, or the folder read-only?"
        ) from error


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object of a file; None where there is none.

    Raises:
        StorageError: It cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise StorageError(f"{path} is damaged: it is no JSON. Delete it, and a new one is made.") from error
    if not isinstance(values, dict):
        raise StorageError(f"{path} is damaged: it holds no JSON object. Delete it, and a new one is made.")
    return values
