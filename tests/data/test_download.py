"""Tests of downloads, which are whole and verified or leave nothing."""

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquadash.data import download as module
from aquadash.data.download import download
from aquadash.errors import DataError

CONTENT = os.urandom(2_000_000)
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


class _Server(http.server.BaseHTTPRequestHandler):
    """Sends the file; at ``/half`` half of it and then nothing, at ``/short`` half of it before it disconnects."""

    ended = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/file" else CONTENT[: len(CONTENT) // 2])
        if self.path == "/half":
            self.ended.wait(timeout=30)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, name="test-http-server")
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        _Server.ended.set()
        httpd.shutdown()
        thread.join(timeout=10)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.tar.gz"


def _fetch(target: Path, url: str, **options: object) -> None:
    download(target, url=url, size=len(CONTENT), **({"sha256": SHA256} | options))  # type: ignore[arg-type]


def _left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_progress_tells_the_share_and_may_end_the_download(target: Path, server: str) -> None:
    threads, fractions = set(), []

    def until_half(text: str, fraction: float | None) -> None:
        threads.add(threading.current_thread())
        fractions.append(fraction)
        if fraction is not None and fraction >= 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fetch(target, f"{server}/half", progress=until_half)
    assert threads == {threading.current_thread()} and fractions[0] is None and fractions[-1] < 0.6
    assert _left(target) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/half", "nothing arrived"),
        ("/short", "before everything had arrived"),
        ("/missing", "Not Found"),
        ("http://127.0.0.1:9/file", "refused"),
    ],
)
def test_what_ends_too_early_or_never_begins_is_told_with_its_reason(
    target: Path, server: str, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    with pytest.raises(DataError, match=reason):
        _fetch(target, path if "://" in path else server + path, sha256="")
    assert _left(target) == []


@pytest.mark.parametrize("hashes", [{"sha256": SHA256}, {"sha256": "", "md5": MD5}])
def test_a_wrong_hash_is_refused(target: Path, server: str, hashes: dict[str, str]) -> None:
    with pytest.raises(DataError, match="its (SHA-256|MD5) differs"):
        _fetch(target, f"{server}/file", **{name: digest and "0" * len(digest) for name, digest in hashes.items()})
    assert _left(target) == []
    _fetch(target, f"{server}/file", **hashes)
    assert _left(target) == [target.name]


def test_a_folder_that_cannot_be_written_is_named(target: Path, server: str) -> None:
    target.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="data cannot be written to"):
        _fetch(target, f"{server}/file")


def test_a_file_arrives_whole_and_silently_and_what_a_killed_process_left_is_removed(
    target: Path, server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    target.parent.mkdir()
    killed, running = target.with_name(".file-1.part"), target.with_name(".file-2.part")
    for part, age in ((killed, 7200.0), (running, 0.0)):
        part.write_bytes(b"half")
        os.utime(part, (part.stat().st_mtime - age,) * 2)
    _fetch(target, f"{server}/file")
    assert target.read_bytes() == CONTENT and capfd.readouterr() == ("", "")
    assert _left(target) == [running.name, target.name]
