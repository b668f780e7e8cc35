"""Starting the processes that work in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from aquadash import settings


def start_detached(arguments: Sequence[str], *, log_path: Path) -> subprocess.Popen[bytes]:
    """Start a command of AquaDash in a process session of its own.

    Neither Ctrl-C in the app's terminal nor the app's end reaches it.

    Args:
        arguments: The command's words, such as ``["worker", run_id]``.
        log_path: What it prints is added to this file.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "aquadash", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=settings.PROJECT_ROOT,
            start_new_session=True,
            env={**os.environ, "AQUADASH_HOME": str(settings.home()), "PYTHONUNBUFFERED": "1"},
        )


def start_unattended(arguments: Sequence[str], *, log_path: Path) -> None:
    """:func:`start_detached` for a process whose end nobody here waits for.

    Raises:
        OSError: It cannot be started.
    """
    process = start_detached(arguments, log_path=log_path)
    # Or it would stay in the table of processes as long as the app lives.
    threading.Thread(target=process.wait, name=f"{arguments[0]}-{process.pid}", daemon=True).start()
