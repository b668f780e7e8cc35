"""Uploaded files lie on the disk and are read when somebody asks."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aquadash.settings import PROJECT_ROOT

# In a process of its own: what is changed in Streamlit would be changed for all other tests.
SCRIPT = """
import gc, os, stat, sys
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from aquadash.ui import upload_files

upload_files.keep_on_disk()
upload_files.keep_on_disk()
manager = MemoryUploadedFileManager("/upload")
large, small = os.urandom(3_000_000), b"line 1\\nline 2\\n"
for name, data in (("large", large), ("small", small)):
    manager.add_file("session", UploadedFileRec(name, name + ".jpg", "image/jpeg", data))

def uploaded(name):
    (record,) = manager.get_files("session", [name])
    return UploadedFile(record, FileURLs())

def files():
    folder = upload_files._folder()
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    return os.listdir(folder)

first = uploaded("large")
assert (first.size, first.name, len(files())) == (3_000_000, "large.jpg", 1)
assert bytes(manager.get_files("session", ["large"])[0].data[:0]) == b"" and sys.getsizeof(first) < 2_000
assert first.getvalue() == large and first.getvalue() == large and sys.getsizeof(first) < 2_000
assert first.read(10) == large[:10] and first.read() == large[10:] and first.getvalue() == large
assert first.seek(5) == 5 and first.read(1) == large[5:6]
assert bytes(uploaded("large").getbuffer()) == large
assert uploaded("large").readline() == large[: large.index(b"\\n") + 1]
assert uploaded("small").getvalue() == small and list(uploaded("small")) == [b"line 1\\n", b"line 2\\n"]
assert next(iter(manager.get_stats().values()))[0].byte_length == len(large) + len(small)
held = uploaded("large")
del first
manager.remove_session_files("session")
gc.collect()
assert len(files()) == 1 and held.getvalue() == large
del held
gc.collect()
assert files() == []
print(upload_files._folder())
"""


def test_the_bytes_come_from_the_disk_and_go_with_the_session() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()  # The folder ends with the process.


def test_a_full_disk_leaves_the_file_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from aquadash.ui import upload_files

    def refuse(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upload_files, "_File", refuse)
    assert upload_files.moved(b"small") == b"small"
    with pytest.raises(OSError, match="No space"):
        upload_files.moved(b"x" * 100_000)


def test_a_file_is_deleted_when_nobody_holds_it() -> None:
    from aquadash.ui.upload_files import moved

    data = moved(b"x" * 100_000)
    path = data.file.path  # type: ignore[attr-defined]
    assert len(data) == 100_000 and os.path.getsize(path) == 100_000
    del data
    gc.collect()
    assert not os.path.exists(path)
