"""The app's end of the pipe to the process that measures networks."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from aquadash import settings

#: How the process is started.
COMMAND = (sys.executable, "-m", "aquadash.training.probe_server")


class ProbeProcess:
    """The process as seen from the app. Its first line says that it is ready; then a line answers each question."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """Starts it; :meth:`wait_ready` says when it can be asked.

        Raises:
            OSError: It cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.PROJECT_ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            # Ctrl-C in the app's terminal is for the app, whose end this process notices.
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        self._ready = threading.Event()
        self._gone = threading.Event()
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="aquadash-probe-reader", daemon=True).start()

    @property
    def alive(self) -> bool:
        """True until its output has ended."""
        return not self._gone.is_set()

    @property
    def ready(self) -> bool:
        """True while it can be asked."""
        return self._ready.is_set() and self.alive

    def wait_ready(self, timeout: float) -> bool:
        """True as soon as it can be asked; False when it has ended instead, or time is up."""
        self._ready.wait(timeout)
        return self.ready

    def ask(self, line: str, *, timeout: float) -> dict[str, Any] | None:
        """The answer to a question; None when it has died.

        Raises:
            TimeoutError: It has not answered within ``timeout`` seconds.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError):
            return None
        try:
            return self._replies.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None

    def end(self) -> None:
        """End it and wait until it has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if self._ready.is_set():
                    self._replies.put(json.loads(line))
                else:
                    self._ready.set()
        # No zombie is left, whoever ended it.
        self._process.wait()
        self._gone.set()
        self._ready.set()
        self._replies.put(None)
