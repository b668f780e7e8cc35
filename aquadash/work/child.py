"""A child process with a pipe to this one. It ends with this process, and its crash costs one answer only."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from aquadash import settings
from aquadash.work import processes
from aquadash.work.standby import STANDBY, NewProcess, WorkerProcess

#: Seconds that a killed process may take to end.
_KILL_SECONDS = 10.0


class ChildProcess:
    """A process with a pipe to this one. It calls ``processes.end_with_parent``, so that it ends with this process."""

    def __init__(self, process: WorkerProcess, pipe: Connection) -> None:
        #: This process's end; reading raises EOFError when the child has ended.
        self.pipe = pipe
        self._process = process

    @classmethod
    def start(
        cls, module: str, *arguments: str, keep: Sequence[int] = (), variables: Mapping[str, str]
    ) -> ChildProcess:
        """Start a Python module whose first argument is the descriptor of its end of the pipe.

        ``multiprocessing`` would run this process's script again, which is a page of Streamlit or a training.
        """
        pipe, its_end = multiprocessing.Pipe()
        with its_end:
            process = subprocess.Popen(
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

    @property
    def pid(self) -> int | None:
        """The process id; None before the process has begun."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Send a picklable object; do nothing if the child has ended, since reading its answer raises EOFError."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def exit_status(self, timeout: float) -> int | None:
        """Return the exit status, negative for the signal that ended it; None if it still runs after the time-out."""
        return self._process.wait(timeout)

    def close(self) -> None:
        """Kill the process; a fork that has not begun ends when it finds the pipe closed."""
        if self._process.pid is not None and self._process.wait(0) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(_KILL_SECONDS)
        self.pipe.close()
