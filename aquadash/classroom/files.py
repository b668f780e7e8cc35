"""Files that only the account which AquaDash runs in may read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aquadash.errors import StorageError
from aquadash.files import write_whole


def write_private(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON object, whole or not at all, readable and writable by its owner only (mode 0600).

    Raises:
        StorageError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, json.dumps(values, ensure_ascii=False), mode=0o600)
    except OSError as error:
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
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path} is damaged: it is no JSON. Delete it, and a new one is made.") from error
    if not isinstance(values, dict):
        raise StorageError(f"{path} is damaged: it holds no JSON object. Delete it, and a new one is made.")
    return values
