"""Processes of this one: the standby process, which has the slow libraries imported and forks, and children."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import psutil

from aquadash import settings
from aquadash.store.kinds import KINDS, named
from aquadash.work import processes

_log = logging.getLogger(__name__)

#: Seconds without work after which the process ends, to free 0.8 GB of memory.
IDLE_SECONDS = 600.0

#: Bytes of free memory below which no standby process is started.
MIN_FREE_MEMORY = 2 * 1024**3

CAN_FORK = sys.platform.startswith("linux")

#: Seconds that a killed process may take to end.
_KILL_SECONDS = 10.0

#: Seconds between two looks at the children.
_LOOK_SECONDS = 0.1


class Forked:
    """A child of the standby process."""

    def __init__(self, parent: psutil.Popen) -> None:
        #: The process id; None before the process has begun.
        self.pid: int | None = None
        self.exit_status: int | None = None
        self.ended = threading.Event()
        self.parent = parent

    def wait(self, timeout: float) -> int | None:
        """Return the exit status, negative for the signal that ended it; None if it still runs after the time-out."""
        if self.ended.wait(timeout):
            return self.exit_status
        if self.parent.poll() is not None and (self.pid is None or not psutil.pid_exists(self.pid)):
            # The exit status was lost with the parent.
            return 1
        return None


class NewProcess:
    """A process that was started without the standby process."""

    def __init__(self, process: psutil.Process | psutil.Popen) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait(self, timeout: float) -> int | None:
        """Return the exit status as :meth:`Forked.wait` does."""
        try:
            return self._process.wait(timeout)
        except psutil.TimeoutExpired:
            return None


WorkerProcess: TypeAlias = Forked | NewProcess


class Standby:
    """The standby process of this process, if there is one. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: psutil.Popen | None = None
        self._pipe: Connection | None = None
        self._forked: dict[int, Forked] = {}
        self._number = 0
        self._used_at = 0.0

    def keep_ready(self) -> bool:
        """Start the process unless it runs or memory is short; return whether it runs.

        The process ends with this one and after :data:`IDLE_SECONDS` without work.
        """
        with self._lock:
            self._used_at = time.monotonic()
            if self._process is not None and self._process.poll() is None:
                return True
            if not CAN_FORK or psutil.virtual_memory().available < MIN_FREE_MEMORY:
                self._process = None
                return False
            pipe, its_end = multiprocessing.Pipe()
            with its_end:
                number = its_end.fileno()
                process = processes.start_detached(
                    "aquadash.work.standby", [str(number)], log_path=_log_path(), keep=[number]
                )
                # The process needs the key to receive a pipe.
                pipe.send(bytes(multiprocessing.current_process().authkey))
            self._process, self._pipe = process, pipe
            name = f"standby-{process.pid}"
            threading.Thread(target=self._read_statuses, args=(process, pipe), name=name, daemon=True).start()
            return True

    def launch(self, arguments: Sequence[str], *, log_path: Path) -> WorkerProcess:
        """Start ``python -m aquadash.work.worker ARGUMENTS``, forked from the standby process if one runs."""
        if KINDS[arguments[0]].prepare:
            self.keep_ready()
        forked = self.fork("aquadash.work.worker:main", list(arguments), log_path=log_path)
        return forked or NewProcess(processes.start_detached("aquadash.work.worker", arguments, log_path=log_path))

    def fork(self, function: str, *arguments: Any, log_path: Path) -> WorkerProcess | None:
        """Fork a process that calls a function, whose arguments may be pipes; None if no process stands by."""
        with self._lock:
            process = self._process
            if process is None or self._pipe is None or process.poll() is not None:
                return None
            self._used_at = time.monotonic()
            self._number += 1
            forked = self._forked[self._number] = Forked(process)
            with contextlib.suppress(OSError):
                self._pipe.send((self._number, function, arguments, processes.environment(), log_path))
                return forked
            self._forked.pop(self._number, None)
            return None

    @property
    def pid(self) -> int | None:
        """The id of the process; None while none stands by."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def close(self) -> None:
        """End the process; its workers go on."""
        with self._lock:
            process = self._process
            self._ask_to_end()
        if process is not None:
            process.wait(timeout=60)

    def _read_statuses(self, process: psutil.Popen, pipe: Connection) -> None:
        """Read the ids and the exit statuses of the children from the pipe, and end the process when it is idle."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                if not pipe.poll(min(IDLE_SECONDS, 60.0)):
                    self._end_if_idle(process)
                    continue
                number, pid, status = pipe.recv()
                self._forked[number].pid = pid
                if status is not None:
                    self._forked[number].exit_status = status
                    self._forked.pop(number).ended.set()
        process.wait()
        # The exit statuses of these children remain unknown.
        for number in [number for number, forked in list(self._forked.items()) if forked.parent is process]:
            self._forked.pop(number, None)

    def _end_if_idle(self, process: psutil.Popen) -> None:
        with self._lock:
            is_idle = not self._forked and time.monotonic() - self._used_at >= IDLE_SECONDS
            if is_idle and self._process is process:
                self._ask_to_end()

    def _ask_to_end(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                self._pipe.send(None)
        self._process = self._pipe = None


def _log_path() -> Path:
    return settings.home() / "logs" / "standby.log"


#: The standby process of this process.
STANDBY = Standby()


class ChildProcess:
    """A process with a pipe to this one. It calls ``processes.end_with_parent``, so that it ends with this process."""

    def __init__(self, process: WorkerProcess, pipe: Connection) -> None:
        #: This process's end; reading raises EOFError when the child has ended.
        self.pipe = pipe
        self.process = process

    @classmethod
    def start(
        cls, module: str, *arguments: str, keep: Sequence[int] = (), variables: Mapping[str, str]
    ) -> ChildProcess:
        """Start a Python module whose first argument is the descriptor of its end of the pipe.

        ``multiprocessing`` would run this process's script again, which is a page of Streamlit or a training.
        """
        pipe, its_end = multiprocessing.Pipe()
        with its_end:
            process = psutil.Popen(
                [sys.executable, "-m", module, str(its_end.fileno()), *arguments],
                stdin=subprocess.DEVNULL,
                # Libraries print to standard output, which may belong to a command's JSON.
                stdout=2,
                pass_fds=(its_end.fileno(), *keep),
                cwd=settings.PROJECT_ROOT,
                env={**processes.environment(), **variables},
                # Ctrl-C in a terminal reaches this process alone, which then ends the child.
                process_group=0,
            )
        return cls(NewProcess(process), pipe)

    @classmethod
    def fork(cls, function: str, *, log_path: Path) -> ChildProcess | None:
        """Have the standby process call a function with its end of the pipe; None if no such process can run."""
        pipe, its_end = multiprocessing.Pipe()
        with its_end:
            process = STANDBY.fork(function, its_end, log_path=log_path) if STANDBY.keep_ready() else None
        return None if process is None else cls(process, pipe)

    @classmethod
    def fork_this(cls, function: Callable[..., int | None], *arguments: object) -> ChildProcess:
        """Fork this process, and call a function there with its end of the pipe; it must not use TensorFlow."""
        pipe, its_end = multiprocessing.Pipe()
        with its_end:
            pid = os.fork()
            if not pid:
                # Ctrl-C in a terminal reaches the parent alone, which then ends the child.
                os.setpgid(0, 0)
                pipe.close()
                _exit_after(function, its_end, *arguments)
        return cls(NewProcess(psutil.Process(pid)), pipe)

    def send(self, message: object) -> None:
        """Send a picklable object; do nothing if the child has ended, since reading its answer raises EOFError."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def close(self) -> None:
        """Kill the process; a fork that has not begun ends when it finds the pipe closed."""
        if self.process.pid is not None and self.process.wait(0) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(_KILL_SECONDS)
        self.pipe.close()


def main(pipe: Connection) -> None:
    """Import the libraries, fork a child for each request, and send its exit status, until a request is None.

    Forking is safe: this is the only Python thread, and the native threads of the libraries handle forks.
    """
    processes.log_to(_log_path())
    for kind in KINDS.values():
        if kind.prepare:
            named(kind.prepare)()
    _log.info("standing by")
    children: dict[int, int] = {}
    # The pipe breaks when the parent has ended.
    with contextlib.suppress(EOFError, ConnectionError, FileNotFoundError):
        multiprocessing.current_process().authkey = pipe.recv()
        while True:
            for pid, number in list(children.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del children[pid]
                    pipe.send((number, pid, os.waitstatus_to_exitcode(status)))
            if pipe.poll(_LOOK_SECONDS if children else None):
                request = pipe.recv()
                if request is None:
                    return
                number, *call = request
                pid = os.fork()
                if not pid:
                    pipe.close()
                    _exit_after(_begin, *call)
                # The pipes among the arguments close here, and stay open in the child.
                del request, call
                children[pid] = number
                pipe.send((number, pid, None))


def _begin(function: str, arguments: Sequence[Any], environment: dict[str, str], log_path: Path) -> int | None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    processes.log_to(log_path)
    status: int | None = named(function)(*arguments)
    return status


def _exit_after(function: Callable[..., int | None], *arguments: Any) -> NoReturn:
    """Call a function in a fork, which ends with the status that it returns."""
    status = 1
    try:
        status = function(*arguments) or 0
    except (EOFError, ConnectionError):
        # The process at the other end of the pipe has ended.
        status = 0
    except BaseException:
        _log.exception("the process failed")
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
