"""Starting the processes that work in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aquadash import settings

#: A thread that starts processes with the priority that this one had when it was made; None where all have the same.
_launcher: ThreadPoolExecutor | None = None


def step_back(niceness: int) -> None:
    """Let the calling thread, and those that it starts from now on, wait for the processes that are started here.

    On Linux a priority belongs to a thread, and a process begins with that of the thread that starts it. Only a
    privileged user can raise it again, so that one thread keeps the present one and starts all of them.

    Args:
        niceness: How far to step back, 0 to 19, as ``nice`` counts.
    """
    global _launcher
    if not sys.platform.startswith("linux"):
        return
    if _launcher is None:
        _launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aquadash-launcher")
        _launcher.submit(os.getpid).result()  # The thread exists from its first task on.
    os.nice(niceness)


def start_detached(arguments: Sequence[str], *, log_path: Path) -> subprocess.Popen[bytes]:
    """Start a command of AquaDash in a process session of its own.

    Neither Ctrl-C in the app's terminal nor the app's end reaches it.

    Args:
        arguments: The command's words, such as ``["worker", run_id]``.
        log_path: What it prints is added to this file.
    """
    launcher = _launcher
    if launcher is not None:
        return launcher.submit(_start, arguments, log_path).result()
    return _start(arguments, log_path)


def _start(arguments: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
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
