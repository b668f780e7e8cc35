"""A process that stands by with the libraries of the work imported, and forks a worker when one is wanted."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from aquadash import settings
from aquadash.jobs import processes
from aquadash.jobs.kinds import KINDS, named

_log = logging.getLogger(__name__)

#: Seconds without work after which the process gives its memory (0.8 GB) back.
IDLE_SECONDS = 600.0

#: Bytes of free memory below which none stands by.
MIN_FREE_MEMORY = 2 * 1024**3

_CAN_FORK = sys.platform.startswith("linux")

#: What the interpreter and the libraries read at their start begins so; where it has changed, a new process is needed.
_READ_AT_START = ("PYTHON", "TF_", "KERAS_", "CUDA_", "OMP_", "MLFLOW_")

#: Seconds between two looks at the children.
_LOOK_SECONDS = 0.1


class WorkerProcess(Protocol):
    """A worker that was launched."""

    def wait(self, timeout: float) -> int | None:
        """Its exit status, negative for the signal that ended it; None if it is still at work after so many seconds."""

    @property
    def pid(self) -> int | None:
        """Its process id; None before it has begun."""


class Standby:
    """The process that stands by for this one, if there is one. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._forked: dict[int, _Forked] = {}
        self._number = 0
        self._used_at = 0.0
        self._read_at_start: dict[str, str] = {}

    def keep_ready(self) -> bool:
        """Start the process if memory allows and none is there; returns whether one is.

        It ends by itself when nothing has been launched for :data:`IDLE_SECONDS`, and with this process. One that was
        started with other environment variables is replaced once no child of it is at work.
        """
        with self._lock:
            self._used_at = time.monotonic()
            if self._process is not None and self._process.poll() is None:
                if self._read_at_start == _read_at_start():
                    return True
                if self._forked:
                    return False
                _let_end(self._process)
            if not _CAN_FORK or psutil.virtual_memory().available < MIN_FREE_MEMORY:
                self._process = None
                return False
            self._read_at_start = _read_at_start()
            self._process = processes.start_detached(
                [], log_path=settings.home() / "logs" / "standby.log", module="aquadash.jobs.standby", piped=True
            )
            for target in (self._hear, self._end_when_idle):
                threading.Thread(
                    target=target, args=(self._process,), name=f"standby-{self._process.pid}", daemon=True
                ).start()
            return True

    def launch(self, arguments: Sequence[str], *, log_path: Path) -> WorkerProcess:
        """Start ``python -m aquadash.jobs.worker ARGUMENTS``: a fork of the process that stands by, or a new one.

        Work that takes long to import has a process stand by from now on.

        Args:
            arguments: The worker's words.
            log_path: What it prints is added to this file.

        Raises:
            OSError: It cannot be started.
        """
        if KINDS[arguments[0]].prepare:
            self.keep_ready()
        with self._lock:
            process = self._process
            there = process is not None and process.poll() is None and self._read_at_start == _read_at_start()
            if there and process is not None and process.stdin is not None:
                self._used_at = time.monotonic()
                self._number += 1
                forked = self._forked[self._number] = _Forked(process)
                request = {
                    "number": self._number,
                    "arguments": list(arguments),
                    "environment": processes.environment(),
                    "log": str(log_path),
                }
                with contextlib.suppress(OSError):
                    process.stdin.write(json.dumps(request).encode() + b"\n")
                    process.stdin.flush()
                    return forked
                self._forked.pop(self._number, None)
        return _New(processes.start_detached(arguments, log_path=log_path, module="aquadash.jobs.worker"))

    def close(self) -> None:
        """Let the process end; what it has forked goes on."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _let_end(process)
            process.wait(timeout=60)

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the process says of its children."""
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            forked = self._forked[said["number"]]
            if "pid" in said:
                forked.pid = said["pid"]
            else:
                forked.ended.put(said["exit"])
                del self._forked[said["number"]]
        process.wait()
        # Nobody says any more how these end.
        for number in [number for number, forked in list(self._forked.items()) if forked.parent is process]:
            self._forked.pop(number, None)

    def _end_when_idle(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            with self._lock:
                idle = time.monotonic() - self._used_at
                if not self._forked and idle >= IDLE_SECONDS and self._process is process:
                    _let_end(process)
                    self._process = None
                    return
            time.sleep(max(1.0, min(IDLE_SECONDS - idle, 60.0)))


def _let_end(process: subprocess.Popen[bytes]) -> None:
    """Say to a process that stands by that nothing more is wanted of it."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _read_at_start() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_READ_AT_START)}


class _Forked:
    """A child of the process that stands by."""

    def __init__(self, parent: subprocess.Popen[bytes]) -> None:
        self.pid: int | None = None
        self.ended: queue.Queue[int] = queue.Queue()
        self.parent = parent

    def wait(self, timeout: float) -> int | None:
        with contextlib.suppress(queue.Empty):
            return self.ended.get(timeout=timeout)
        if self.parent.poll() is not None and (self.pid is None or not psutil.pid_exists(self.pid)):
            # How it ended, nobody can say any more.
            return 1
        return None


class _New:
    """A process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout: float) -> int | None:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


#: That of this process.
STANDBY = Standby()


def main() -> int:
    """Import what workers need; then fork one for each line on stdin and say on stdout how it goes, until stdin ends.

    Nothing but this thread runs Python here, and the native threads of the libraries know forks.
    """
    requests, answers = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    processes.log_to(settings.home() / "logs" / "standby.log")
    for kind in KINDS.values():
        if kind.prepare:
            named(kind.prepare)()
    _log.info("standing by")
    children: dict[int, int] = {}
    pending = b""
    while True:
        for pid, number in list(children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _say(answers, number=number, exit=os.waitstatus_to_exitcode(status))
                del children[pid]
        if not select.select([requests], [], [], _LOOK_SECONDS if children else None)[0]:
            continue
        received = requests.read(65536)
        if not received:
            return 0
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = os.fork()
            if not pid:
                _be_worker(request, requests, answers)
            children[pid] = request["number"]
            _say(answers, number=request["number"], pid=pid)


def _be_worker(request: dict[str, Any], *pipes: IO[bytes]) -> None:
    """What the child does; it does not return."""
    status = 1
    try:
        os.setsid()
        for pipe in pipes:
            pipe.close()
        os.environ.clear()
        os.environ.update(request["environment"])
        processes.log_to(Path(request["log"]))
        from aquadash.jobs import worker

        status = worker.main(request["arguments"])
    except BaseException:
        _log.exception("the worker failed")
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _say(answers: IO[bytes], **values: int) -> None:
    # Whoever started this process may be gone; then stdin ends, too.
    with contextlib.suppress(OSError):
        answers.write(json.dumps(values).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
