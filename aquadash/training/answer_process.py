"""A process beside the app that answers one question after another, so that a crash there costs one answer."""

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
from aquadash.work.standby import ChildProcess

_log = logging.getLogger(__name__)

_MODULE = "aquadash.training.answer_process"

Answer = TypeVar("Answer")

#: Seconds that an answer may take, the start of the process included.
ANSWER_SECONDS = 120.0

#: Seconds without a question after which the process ends; with TensorFlow it takes about 800 MB.
IDLE_SECONDS = 600.0

#: Bytes that the process may allocate beyond what it has after its start.
MAX_BYTES = 4_000_000_000

#: Bytes of free memory below which no process is started ahead of its first question.
MIN_FREE_MEMORY = 2 * 1024**3

#: Seconds that a cancelled answer has to end by itself.
_CANCEL_SECONDS = 2.0

_CRASHED = (
    "The process that runs networks and augmentations crashed, probably because memory ran out. Try again. If it "
    "crashes again, the network is too large for this computer or its file is damaged."
)

#: When memory runs out, Linux kills the process with the highest score first: this one, not the app.
_OOM_SCORE = Path("/proc/self/oom_score_adj")


class AnswerError(AquaDashError):
    """The process could not answer a question; the next one may be asked at once."""


class _Reply(Enum):
    """Kinds of messages from the process."""

    PROGRESS = auto()
    ANSWER = auto()
    ERROR = auto()


class AnswerProcess:
    """Answers one question at a time in a process that is replaced when it has ended; thread-safe."""

    def __init__(
        self,
        begin: Callable[[], object],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        max_bytes: int = MAX_BYTES,
        forks: bool = False,
    ) -> None:
        """Store the limits, which the constants describe; nothing is started yet.

        Args:
            begin: Called by the process when it starts.
            forks: Whether to fork the standby process, which has TensorFlow loaded, where the system can fork.
        """
        self._forks = forks
        self._start = (begin, idle_seconds, max_bytes)
        self.answer_seconds = answer_seconds
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        #: Counts the questions, so that the answer to an earlier one is recognised and dropped.
        self._question = 0

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the process and have it call a function of a module, unless memory is short; waits for neither."""
        # If the lock is held, a question is being asked, so the process runs already.
        if self._lock.acquire(blocking=False):
            try:
                if psutil.virtual_memory().available >= MIN_FREE_MEMORY:
                    if self._child is not None and self._child.process.wait(0) is not None:
                        self._kill()
                    self._send(function, ())
            finally:
                self._lock.release()

    def ask(
        self, function: Callable[..., Answer], *args: Any, progress: Callable[[float], object] | None = None
    ) -> Answer:
        """Call a function of a module in the process and return its result; arguments and result are pickled.

        Args:
            progress: Called some times a second with the last fraction of :func:`report_progress`, 0 to 1; an exception
                that it raises cancels the work.

        Raises:
            AnswerError: The process died, ran out of memory or time, or the function failed.
            AquaDashError: Raised by the function.
        """
        with self._lock:
            # Retry once where the process ended between two questions.
            reply = self._ask(function, args, progress) or self._ask(function, args, progress)
            if reply is None:
                raise AnswerError(_CRASHED)
            kind, value = reply
            if kind is _Reply.ERROR:
                raise value
            return value

    def end(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._kill()

    def _ask(
        self, function: Callable[..., Any], args: tuple[Any, ...], progress: Callable[[float], object] | None
    ) -> tuple[_Reply, Any] | None:
        """Return the answer or the error; None where the process ended before it began to answer."""
        deadline = time.monotonic() + self.answer_seconds
        self._send(function, args)
        has_begun, fraction = False, 0.0
        try:
            while True:
                try:
                    reply = self._receive(0.1)
                except (EOFError, OSError):
                    self._kill()
                    return (_Reply.ERROR, AnswerError(_CRASHED)) if has_begun else None
                if reply is not None:
                    has_begun = True
                    if reply[0] in (_Reply.ANSWER, _Reply.ERROR):
                        return reply
                    fraction = reply[1]
                if progress is not None:
                    progress(fraction)
                if time.monotonic() > deadline:
                    raise AnswerError(
                        f"The answer took more than {self.answer_seconds:.0f} seconds, so AquaDash stopped waiting. "
                        "Ask for fewer images at once, or use a smaller network."
                    )
        except BaseException:
            self._cancel()
            raise

    def _send(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Send a question, to a new process if there is none."""
        if self._child is None:
            forked = ChildProcess.fork(f"{_MODULE}:main", log_path=_log_path()) if self._forks else None
            self._child = forked or ChildProcess.start(_MODULE, variables={"TF_CPP_MIN_LOG_LEVEL": "3"})
            self._child.send(self._start)
        self._question += 1
        self._child.send((self._question, function, args))

    def _receive(self, timeout: float) -> tuple[_Reply, Any] | None:
        """Return the next reply to the current question; None after the timeout, in seconds."""
        assert self._child is not None, "a question was sent"
        if self._child.pipe.poll(timeout):
            question, kind, value = self._child.pipe.recv()
            if question == self._question:
                return kind, value
        return None

    def _cancel(self) -> None:
        """Cancel the question, and kill the process if it still answers after some seconds."""
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
    # Until the answer, the app sends nothing but a cancellation: the question's number.
    if pipe.poll() and pipe.recv() == question:
        raise AnswerError("This answer was cancelled.")
    pipe.send((question, _Reply.PROGRESS, fraction))


def main(pipe: Connection) -> None:
    """Run the process: answer questions until none has come for ``idle_seconds``."""
    global _current
    processes.end_with_parent()
    # Keeps TensorFlow's warnings out of the app's console.
    processes.log_to(_log_path())
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")
    begin, idle_seconds, max_bytes = pipe.recv()
    begin()
    bytes_at_start = psutil.Process().memory_info()
    if sys.platform.startswith("linux"):
        import resource

        _, highest = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (bytes_at_start.data + max_bytes, highest))
    # A process above this size ends after its answer and frees its memory; the app starts another.
    max_kept_bytes = bytes_at_start.rss + max_bytes // 2
    while pipe.poll(idle_seconds):
        message = pipe.recv()
        if isinstance(message, int):
            continue  # A cancellation that arrived after the answer.
        question, function, args = message
        pipe.send((question, _Reply.PROGRESS, 0.0))
        _current = pipe, question
        kind, value = _answer(function, args)
        pipe.send((question, kind, value))
        if psutil.Process().memory_info().rss > max_kept_bytes:
            return


def _log_path() -> Path:
    return settings.home() / "logs" / "answers.log"


def _answer(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[_Reply, Any]:
    try:
        return _Reply.ANSWER, function(*args)
    except AquaDashError as error:
        return _Reply.ERROR, error
    except Exception as error:
        # Send the text alone: the app would import TensorFlow to unpickle its exceptions.
        _log.exception("a question could not be answered")
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return _Reply.ERROR, AnswerError(
                "This answer needs more memory than AquaDash allows. Ask for fewer images at once, or use a smaller "
                "network."
            )
        reason = " ".join(str(error).split())[:200]
        return _Reply.ERROR, AnswerError(f"No answer could be calculated ({type(error).__name__}: {reason}).")


if __name__ == "__main__":
    # Imported again by name: report_progress reads _current of this module, and __main__ is another module.
    from aquadash.training import answer_process

    # The pipe breaks when the app ends.
    with contextlib.suppress(EOFError, ConnectionError):
        answer_process.main(Connection(int(sys.argv[1])))
