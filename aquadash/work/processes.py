"""Starting the processes that work in the background."""

from __future__ import annotations

import faulthandler
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from aquadash import settings

#: A thread that starts processes with the priority that this one had when it was made; None where all have the same.
_launcher: ThreadPoolExecutor | None = None


def step_back(niceness: int) -> None:
    """Let the calling thread, and those that it starts from now on, wait for the processes that are started here.

    On Linux a priority belongs to a thread, and a process begins with that of the thread that starts it. Only a
    privileged user can raise it again, so that one thread keeps the present one and starts all of them.
    """
    global _launcher
    if not sys.platform.startswith("linux"):
        return
    if _launcher is None:
        _launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aquadash-launcher")
        _launcher.submit(os.getpid).result()  # The thread exists from its first task on.
    os.nice(niceness)


def raise_open_files() -> None:
    """Let this process open as many files and connections as its user may: each page of a class is a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS reports an unlimited number and refuses to set it.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start_detached(
    arguments: Sequence[str], *, log_path: Path, module: str = "aquadash", keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a command of AquaDash in a process session of its own.

    Neither Ctrl-C in the app's terminal nor the app's end reaches it.
    """
    launcher = _launcher
    if launcher is not None:
        return launcher.submit(_start, arguments, log_path, module, keep).result()
    return _start(arguments, log_path, module, keep)


def _start(arguments: Sequence[str], log_path: Path, module: str, keep: Sequence[int]) -> subprocess.Popen[bytes]:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=keep,
            cwd=settings.PROJECT_ROOT,
            start_new_session=True,
            env=environment(),
        )


def environment() -> dict[str, str]:
    """The environment variables of a process that works for this one."""
    return {**os.environ, **settings.whole_paths(), "PYTHONUNBUFFERED": "1"}


def is_worker(pid: int) -> bool:
    """Return whether a process is a worker: a slot has its own id on a job until the worker begins."""
    try:
        return any("aquadash.work" in word for word in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False


def log_to(path: Path) -> None:
    """Send everything that this process and its libraries print to the log file, crashes of compiled code too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
        force=True,
    )
    logging.captureWarnings(True)
