"""A real MLflow server in a process of its own, for the tests of the MLflow integration."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.serving import free_port
from tests.support.waiting import wait_for

#: mlflow-skinny has no server.
MISSING = importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("flask") is None
REASON = "the whole of MLflow is not installed (requirements-dev.txt has it)"

#: No telemetry, and no processes for MLflow's own jobs.
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """Run a tracking server with its database, artifacts and log in ``folder``; yield its address."""
    folder.mkdir(parents=True, exist_ok=True)
    stores = (
        "--backend-store-uri",
        f"sqlite:///{folder}/tracking.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    )
    with mlflow_process(folder / "server.log", "server", *stores, "--serve-artifacts", "--workers", "1") as url:
        yield url


@contextmanager
def mlflow_process(log: Path, *arguments: str) -> Iterator[str]:
    """``mlflow`` with some arguments, on a free port of this machine; yields its address once it answers."""
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)],
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env=environment | _QUIET,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url, process, log), timeout=120, saying=lambda: log.read_text()[-2000:])
        yield url
    finally:
        # The process is gone where it could not start.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-2000:]
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
