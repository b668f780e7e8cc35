"""Processes that work in the background: how they start, and what they inherit."""

import faulthandler
import logging
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from aquadash import settings

#: The thread that starts processes with the first priority of this one; None before :func:`step_back`.
_launcher: ThreadPoolExecutor | None = None


def step_back(niceness: int) -> None:
    """Lower the priority of the calling thread and its later threads, but not of the processes that it starts.

    On Linux a process inherits the priority of the thread that starts it, and only a privileged user can raise a
    priority. One thread therefore keeps the first priority and starts all processes.
    """
    global _launcher
    if not sys.platform.startswith("linux"):
        return
    if _launcher is None:
        _launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aquadash-launcher")
        _launcher.submit(os.getpid).result()  # The thread exists from its first task on.
    os.nice(niceness)


def raise_open_files() -> None:
    """Raise the limit of open files to the most that the user may have: each page of a class is a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS reports an unlimited number and refuses to set it.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start_detached(module: str, arguments: Sequence[str], *, log_path: Path, keep: Sequence[int] = ()) -> psutil.Popen:
    """Start a Python module in a session of its own, which Ctrl-C and the end of the app do not reach."""
    log_path.parent.mkdir(parents=True, exist_ok=True)

    def start() -> psutil.Popen:
        with log_path.open("ab") as log:
            return psutil.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=keep,
                cwd=settings.PROJECT_ROOT,
                start_new_session=True,
                env=environment(),
            )

    return start() if _launcher is None else _launcher.submit(start).result()


def environment() -> dict[str, str]:
    """Return the environment variables of a process that works for this one."""
    return {**os.environ, **settings.whole_paths(), "PYTHONUNBUFFERED": "1"}


def is_worker(pid: int) -> bool:
    """Return whether a process is a worker: a slot has its own id on a job until the worker begins."""
    try:
        return any("aquadash.work" in word for word in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False


def end_with_parent() -> None:
    """End this process within a second of the process that has started it, however that ends."""

    def watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, args=(os.getppid(),), name="end-with-parent", daemon=True).start()


def log_to(path: Path) -> None:
    """Append the output of this process and its libraries to a log file, crashes of compiled code included."""
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
