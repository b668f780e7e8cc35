"""Starts the app as people do and opens it in Chromium, for the tests that need a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]

#: Without these Chromium looks for the network at every start.
CHROMIUM_ARGUMENTS = """
    --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync
""".split()

#: Milliseconds that a page may take, on a machine shared with others.
SLOW = 120_000


def chromium() -> str | None:
    """The path of Debian's Chromium, None where it is missing: without windows, if there is one, which is quicker."""
    return next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)


#: The marks of every module of tests in a real browser.
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium"),
]


@dataclass
class Server:
    """A running app, its home, process and output; ``url`` has no slash at the end."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def memory_of(self, module: str) -> bool:
        """True if the process has imported a module with compiled files."""
        return module in Path(f"/proc/{self.process.pid}/maps").read_text()


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start_server(command: Sequence[str | Path], log: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process whose output is added to a log; ``options`` are those of ``subprocess.Popen``."""
    with log.open("ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[Server]:
    """Run ``streamlit run app.py`` on a free port until the block ends."""
    port = free_port()
    log = home / f"server-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = start_server(command, log, cwd=ROOT, env={**os.environ, "AQUADASH_HOME": str(home), **environment})
    server = Server(f"http://localhost:{port}", home, process, log)
    try:
        wait_for(lambda: _answers(server), timeout=60, saying=log.read_text)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
