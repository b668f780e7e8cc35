"""A child process with a pipe to this one. It ends with this process, and its crash costs one answer only."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from aquadash import settings
from aquadash.work import processes
from aquadash.work.standby import WorkerProcess


class ChildProcess:
    """A Python module that runs beside this process; its first argument is the descriptor for :func:`open_pipe`.

    ``multiprocessing`` starts a process by running the script again, which is a page of Streamlit or a training. This
    class therefore starts a command.
    """

    def __init__(self, module: str, *arguments: str, keep: Sequence[int] = (), variables: Mapping[str, str]) -> None:
        #: This process's end; reading raises EOFError when the child has ended.
        self.pipe, its_end = multiprocessing.Pipe()
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(its_end.fileno()), *arguments],
                stdin=subprocess.PIPE,
                # Libraries print to standard output, which may belong to a command's JSON.
                stdout=2,
                pass_fds=(its_end.fileno(), *keep),
                cwd=settings.PROJECT_ROOT,
                env={**processes.environment(), **variables},
                # Ctrl-C in a terminal reaches this process alone, which then ends the child.
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Send a picklable object; do nothing if the child has ended, since reading its answer raises EOFError."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def exit_status(self, timeout: float) -> int | None:
        """Return the exit status, negative for the signal that ended it; None if it still runs after the time-out."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Kill the process and wait for its end."""
        with self._process:
            self._process.kill()
        self.pipe.close()


class ForkedChild:
    """The same as :class:`ChildProcess`, forked from the standby process, with which it shares TensorFlow's memory."""

    def __init__(self, process: WorkerProcess, pipe: Connection) -> None:
        self.pipe = pipe
        self._process = process

    def send(self, message: object) -> None:
        """Send a picklable object; see :meth:`ChildProcess.send`."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def exit_status(self, timeout: float) -> int | None:
        """Return the exit status; see :meth:`ChildProcess.exit_status`."""
        return self._process.wait(timeout)

    def close(self) -> None:
        """Kill the process; one that the standby process has not forked yet ends when it finds the pipe closed."""
        self.pipe.close()
        if self._process.pid is not None and self._process.wait(0) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)


def open_pipe(descriptor: str) -> Connection:
    """Return the child's end of the pipe, and have the child end as soon as its parent has ended."""
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    return Connection(int(descriptor))


def _end_with_parent() -> None:
    # Standard input closes however the parent ends, SIGKILL included.
    os.read(0, 1)
    os._exit(0)
