"""Uploaded files on the disk instead of in the memory.

Streamlit keeps the bytes of every uploaded file in the memory of the server while the visitor stays: two hundred
photographs of a phone take a gigabyte. Here they go into files of a private temporary folder when they arrive, and are
read when somebody asks for them. Streamlit has no option for it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

#: Smaller files stay in the memory.
LEAST_BYTES = 65_536


class _File:
    """A file that is deleted as soon as nobody holds this object."""

    def __init__(self, content: bytes) -> None:
        handle, self.path = tempfile.mkstemp(dir=_folder())
        self._delete = weakref.finalize(self, _delete, self.path)
        with os.fdopen(handle, "wb") as file:
            file.write(content)

    def read(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()


class _Elsewhere(bytes):
    """Stands for bytes that are on the disk: empty in the memory, as long as the file."""

    file: _File
    length: int

    def __len__(self) -> int:
        return self.length


def keep_on_disk() -> None:
    """Let Streamlit keep what is uploaded from now on in files; may be called more than once."""
    if getattr(MemoryUploadedFileManager.add_file, "keeps_on_disk", False):
        return
    add_file = MemoryUploadedFileManager.add_file

    @functools.wraps(add_file)
    def add(self: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
        # A full disk is no reason to refuse a picture.
        with contextlib.suppress(OSError):
            file = file._replace(data=moved(file.data))
        add_file(self, session_id, file)

    add.keeps_on_disk = True  # type: ignore[attr-defined]
    MemoryUploadedFileManager.add_file = add  # type: ignore[method-assign]
    _read_when_asked(UploadedFile)


def moved(content: bytes) -> bytes:
    """What stands for the content in a record of Streamlit's; small contents stand for themselves.

    Raises:
        OSError: The file cannot be written.
    """
    if len(content) < LEAST_BYTES:
        return content
    data = _Elsewhere()
    data.file, data.length = _File(content), len(content)
    return data


def copy_to(upload: Any, path: Path) -> None:
    """Write an uploaded file's content to a new file, without holding it in the memory where it lies on the disk.

    Raises:
        OSError: It cannot be written.
    """
    kept = getattr(upload, "_on_disk", None)
    if isinstance(kept, _File):
        shutil.copyfile(kept.path, path)
    else:
        path.write_bytes(upload.getvalue())


def _read_when_asked(kind: type[UploadedFile]) -> None:
    """Teach Streamlit's uploaded files to fetch their bytes: for ``getvalue`` each time, for reading once."""
    start, getvalue = kind.__init__, kind.getvalue

    def init(self: Any, record: UploadedFileRec, *arguments: Any, **options: Any) -> None:
        start(self, record, *arguments, **options)
        self._on_disk = record.data.file if isinstance(record.data, _Elsewhere) else None

    def value(self: Any) -> bytes:
        return getvalue(self) if self._on_disk is None else self._on_disk.read()

    def fetching(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def fetched(self: Any, *arguments: Any) -> Any:
            if self._on_disk is not None:
                content, self._on_disk = self._on_disk.read(), None
                super(kind, self).write(content)
                super(kind, self).seek(0)
            return original(self, *arguments)

        return fetched

    kind.__init__ = init  # type: ignore[method-assign]
    kind.getvalue = value  # type: ignore[method-assign]
    for name in ("read", "read1", "readinto", "readline", "readlines", "getbuffer", "seek", "__next__", "write"):
        setattr(kind, name, fetching(getattr(kind, name)))


@functools.cache
def _folder() -> str:
    """A folder of this process that only its user can look into; it goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="aquadash-uploads-", ignore_cleanup_errors=True)
    _FOLDERS.append(folder)
    return folder.name


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def _delete(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
