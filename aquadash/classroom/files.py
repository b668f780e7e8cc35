"""JSON files that only the account of the AquaDash process may read."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from aquadash.errors import StorageError
from aquadash.files import write_whole

T = TypeVar("T")

#: The pydantic adapter of a type, made once.
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def write_private(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON object, whole or not at all, readable and writable by its owner only (mode 0600)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, json.dumps(values, ensure_ascii=False), mode=0o600)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}. Is the disk full, or the folder read-only?"
        ) from error


def read_private(path: Path, kind: type[T]) -> T | None:
    """Return the content of a JSON file as a value of a type; None where there is no file."""
    try:
        value: T = _adapter(kind).validate_json(path.read_bytes())
        return value
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise StorageError(f"{path} is damaged: {where}{first['msg']}. Delete it, and a new one is made.") from error
