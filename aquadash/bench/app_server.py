"""A server of the app of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aquadash import settings
from aquadash.errors import AquaDashError

_START_SECONDS = 120.0
#: Settings that would lead away from the home and from this machine, or keep visitors out.
_ELSEWHERE = ("MLFLOW_TRACKING_URI", "AQUADASH_DATABASE", "AQUADASH_SCHEDULER", "AQUADASH_CLASSROOM")


class ServerError(AquaDashError):
    """The app's server could not be started, or did not answer as it should."""


@dataclass(frozen=True)
class AppServer:
    """A running server.

    Attributes:
        address: Host and port.
        pid: Of its process.
        log: What it prints.
    """

    address: str
    pid: int
    log: Path


@contextmanager
def app_server(home: Path) -> Iterator[str]:
    """:func:`running_server` for those who need its address only."""
    with running_server(home) as server:
        yield server.address


@contextmanager
def running_server(home: Path) -> Iterator[AppServer]:
    """Run the app with that home on a free port of this machine until the block ends.

    Yields:
        The server; its address has no slash at the end.

    Raises:
        ServerError: It does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    quiet = ["--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"]
    log = home / "bench-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *quiet],
            cwd=settings.PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(home),
        )
    try:
        address = f"127.0.0.1:{port}"
        end = time.monotonic() + _START_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise ServerError(f"The app's server did not start. It says: {log.read_text(errors='replace')[-600:]}")
            time.sleep(0.05)
        yield AppServer(address, process.pid, log)
    finally:
        end_process(process)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it; one that does not listen is killed."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment(home: Path) -> dict[str, str]:
    """The environment of a process that shall use that home and nothing else."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "AQUADASH_HOME": str(home)}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
