"""A download is whole and verified, or leaves nothing behind."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquadash.data import download as module
from aquadash.data.download import download
from aquadash.errors import DataError

CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.tar.gz"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "served" / "file.tar.gz"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def _instead(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Run ``script`` in place of the downloading process; it finds address, file and hash in ``sys.argv``."""
    monkeypatch.setattr(
        module,
        "_command",
        lambda url, part, sha256: [sys.executable, "-I", "-S", "-c", f"import sys\n{script}", url, str(part), sha256],
    )
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.02)


_COPY = "open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())"
_HALF_THEN_HANG = f"open(sys.argv[2], 'wb').write(b'x' * {len(CONTENT) // 2})\nsys.stdin.read()"


def _fetch(target: Path, source: Path, **options: object) -> None:
    download(target, url=str(source), sha256=SHA256, size=len(CONTENT), **options)  # type: ignore[arg-type]


def _left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_arrives_whole(target: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, _COPY)
    _fetch(target, source)
    assert target.read_bytes() == CONTENT
    assert _left(target) == [target.name]


def test_progress_tells_the_share_and_may_end_the_download(
    target: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, _HALF_THEN_HANG)
    threads = set()

    def until_half(text: str, fraction: float | None) -> None:
        threads.add(threading.current_thread())
        if fraction is not None and fraction >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fetch(target, source, progress=until_half)
    assert threads == {threading.current_thread()}
    assert _left(target) == []


def test_a_stalled_download_is_given_up(target: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, _HALF_THEN_HANG)
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    with pytest.raises(DataError, match="nothing arrived"):
        _fetch(target, source)
    assert _left(target) == []


def test_a_wrong_hash_is_refused(target: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, _COPY)
    source.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match="SHA-256 differs"):
        _fetch(target, source)
    assert _left(target) == []


def test_the_processs_last_line_is_the_reason(target: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, "print('chatter', flush=True)\nsys.exit('no route to host')")
    with pytest.raises(DataError, match="^no route to host$"):
        _fetch(target, source)
    assert _left(target) == []


def test_nothing_is_written_to_standard_output(
    target: Path, source: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _instead(monkeypatch, "print('chatter')\nprint('chatter', file=sys.stderr)\n" + _COPY)
    _fetch(target, source)
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, source: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="data cannot be written to"):
        _fetch(tmp_path / "data" / "file.tar.gz", source)


def test_what_a_killed_process_left_is_removed_and_a_running_one_is_not(
    target: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, _COPY)
    for name, age in ((".download-old", 7200.0), (".download-new", 0.0)):
        folder = target.parent / name
        folder.mkdir(parents=True)
        part = folder / target.name
        part.write_bytes(b"half")
        for path in (part, folder):
            os.utime(path, (path.stat().st_mtime - age,) * 2)
    _fetch(target, source)
    assert _left(target) == [".download-new", target.name]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(source: Path) -> Iterator[str]:
    """A server on this machine that serves ``source``'s folder."""
    handler = functools.partial(_Quiet, directory=str(source.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, name="test-http-server")
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join(timeout=10)


@pytest.mark.slow
@pytest.mark.soak
def test_keras_downloads_from_a_server(
    target: Path, server: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    download(target, url=f"{server}/file.tar.gz", sha256=SHA256, size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert _left(target) == [target.name]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.soak
def test_keras_says_why_it_failed(target: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(DataError, match="404"):
        download(target, url=f"{server}/missing.tar.gz", sha256=SHA256, size=len(CONTENT))
    assert _left(target) == []
