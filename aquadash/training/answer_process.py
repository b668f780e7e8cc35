"""A process beside the app that answers one question after another, so that a crash there costs one answer."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import psutil

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.work import processes
from aquadash.work.child import ChildProcess, open_pipe

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Seconds that an answer may take, the start of the process included.
ANSWER_SECONDS = 120.0

#: Seconds without a question after which the process ends; with TensorFlow it holds about 800 MB.
IDLE_SECONDS = 600.0

#: Bytes that the process may allocate beyond what it has after its start.
MAX_BYTES = 4_000_000_000

#: Bytes of free memory below which it is not started before it is needed.
MIN_FREE_MEMORY = 2 * 1024**3

#: Seconds that a cancelled answer has to end by itself.
_CANCEL_SECONDS = 2.0

#: Linux ends the process with the highest score first when memory runs out: better this one than the app.
_OOM_SCORE = Path("/proc/self/oom_score_adj")


class AnswerError(AquaDashError):
    """A question that the process could not answer; the next one may be asked at once."""


class _Reply(Enum):
    """What the process says of a question."""

    BEGUN = auto()
    PROGRESS = auto()
    ANSWER = auto()
    ERROR = auto()


class _EndedError(Exception):
    """The process has ended; the argument says whether it had begun with the question."""


class AnswerProcess:
    """Answers one question at a time; safe to ask from many threads.

    The process starts with the first question, or when it is prepared, keeps in its modules' variables what it has
    loaded, and is replaced when it has died or was ended.
    """

    def __init__(
        self,
        begin: Callable[[], object],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Store the limits; nothing is started yet."""
        self._start = (begin, idle_seconds, max_bytes)
        self._answer_seconds = answer_seconds
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        #: Counts the questions, so that the answer to an earlier one is recognised and dropped.
        self._question = 0

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the process and have it call a function of a module, unless memory is short; waits for neither."""
        # If the lock is held, a question is being asked, so the process is there.
        if self._lock.acquire(blocking=False):
            try:
                if psutil.virtual_memory().available >= MIN_FREE_MEMORY:
                    if self._child is not None and self._child.exit_status(0) is not None:
                        self._kill()
                    self._send(function, ())
            finally:
                self._lock.release()

    def ask(
        self, function: Callable[..., Answer], *args: Any, progress: Callable[[float], object] | None = None
    ) -> Answer:
        """Call a function in the process and wait for what it returns.

        Args:
            function: One of a module; it may call :func:`report_progress`.
            args: What it is called with. Arguments and answer go through a pipe.
            progress: Called some times a second with the fraction that the function reported last, 0 to 1. An exception
                that it raises cancels the work.

        Raises:
            AnswerError: The process died, ran out of memory or time, or the function failed.
            AquaDashError: Raised by the function.
        """
        with self._lock:
            for is_last in (False, True):
                try:
                    kind, value = self._ask(function, args, progress)
                except _EndedError as ended:
                    self._kill()
                    # The process may have died, or ended for lack of questions, since the last answer.
                    if is_last or ended.args[0]:
                        raise AnswerError(
                            "The process that asks the networks ended in the middle of this answer, probably for lack "
                            "of memory. Try again; if it ends again, the network is too large for this computer or "
                            "its file is damaged."
                        ) from None
                else:
                    if kind is _Reply.ERROR:
                        raise value
                    return value
            raise AssertionError("not reached")

    def end(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._kill()

    def _ask(
        self, function: Callable[..., Any], args: tuple[Any, ...], progress: Callable[[float], object] | None
    ) -> tuple[_Reply, Any]:
        """Return the answer, or the error that the function raised."""
        deadline = time.monotonic() + self._answer_seconds
        self._send(function, args)
        has_begun, fraction = False, 0.0
        try:
            while True:
                try:
                    reply = self._receive(0.1)
                except (EOFError, OSError):
                    raise _EndedError(has_begun) from None
                if reply is not None:
                    has_begun = True
                    if reply[0] in (_Reply.ANSWER, _Reply.ERROR):
                        return reply
                    fraction = reply[1]
                if progress is not None:
                    progress(fraction)
                if time.monotonic() > deadline:
                    raise AnswerError(
                        f"The network took more than {self._answer_seconds:.0f} seconds, so this answer was given up. "
                        "Ask for fewer images at once, or use a smaller network."
                    )
        except _EndedError:
            raise
        except BaseException:
            self._cancel()
            raise

    def _send(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Send a question, to a new process if there is none."""
        if self._child is None:
            self._child = ChildProcess("aquadash.training.answer_process", variables={"TF_CPP_MIN_LOG_LEVEL": "3"})
            self._child.send(self._start)
        self._question += 1
        self._child.send((self._question, function, args))

    def _receive(self, timeout: float) -> tuple[_Reply, Any] | None:
        """Return the next reply to the current question; None if none came within the time-out, in seconds."""
        assert self._child is not None, "a question was sent"
        if self._child.pipe.poll(timeout):
            question, kind, value = self._child.pipe.recv()
            if question == self._question:
                return kind, value
        return None

    def _cancel(self) -> None:
        """Tell the process to give the question up, and kill it if it does not within some seconds."""
        assert self._child is not None, "a question was sent"
        self._child.send(self._question)
        deadline = time.monotonic() + _CANCEL_SECONDS
        with contextlib.suppress(EOFError, OSError):
            while time.monotonic() < deadline:
                reply = self._receive(0.1)
                if reply is not None and reply[0] in (_Reply.ANSWER, _Reply.ERROR):
                    return
        self._kill()

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


#: In the process: its pipe, and the number of the question that is being answered.
_current: tuple[Connection, int] | None = None


def report_progress(fraction: float) -> None:
    """Report in the process how much of the answer is done, 0 to 1."""
    assert _current is not None, "only a function that was asked for reports"
    pipe, question = _current
    # The app sends nothing but a cancellation before it has its answer.
    if pipe.poll() and pipe.recv() == question:
        raise AnswerError("This answer was cancelled.")
    pipe.send((question, _Reply.PROGRESS, fraction))


def main(pipe: Connection) -> None:
    """Be the process: answer questions until none has come for some time."""
    global _current
    # TensorFlow prints warnings that do not belong into the app's console.
    processes.log_to(settings.home() / "logs" / "answers.log")
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")
    begin, idle_seconds, max_bytes = pipe.recv()
    begin()
    bytes_at_start = psutil.Process().memory_info()
    if sys.platform.startswith("linux"):
        import resource

        _, highest = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (bytes_at_start.data + max_bytes, highest))
    # A process that keeps this much would soon have no memory left for an answer. The app starts another.
    max_kept_bytes = bytes_at_start.rss + max_bytes // 2
    while pipe.poll(idle_seconds):
        message = pipe.recv()
        if isinstance(message, int):
            continue  # The cancellation came after the answer.
        question, function, args = message
        pipe.send((question, _Reply.BEGUN, 0.0))
        _current = pipe, question
        kind, value = _answer(function, args)
        pipe.send((question, kind, value))
        if psutil.Process().memory_info().rss > max_kept_bytes:
            return


def _answer(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[_Reply, Any]:
    try:
        return _Reply.ANSWER, function(*args)
    except AquaDashError as error:
        return _Reply.ERROR, error
    except Exception as error:
        # As text: to unpickle TensorFlow's exception, the app would import TensorFlow.
        _log.exception("a question could not be answered")
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return _Reply.ERROR, AnswerError(
                "The network needs more memory for this answer than AquaDash gives it. Ask for fewer images at once, "
                "or use a smaller network."
            )
        reason = " ".join(str(error).split())[:200]
        return _Reply.ERROR, AnswerError(f"The network could not answer ({type(error).__name__}: {reason}).")


if __name__ == "__main__":
    # Functions that are asked for import this module by its name, and share its variables there.
    from aquadash.training import answer_process

    # The app ends while it is spoken to.
    with contextlib.suppress(EOFError, ConnectionError):
        answer_process.main(open_pipe(sys.argv[1]))
