"""A process beside the app that answers one question after another, so that a crash there costs one answer."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.evaluation.metrics import IMPORTING
from aquadash.jobs import processes

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Seconds that an answer may take, the start of the process included.
ANSWER_SECONDS = 120.0

#: Seconds without a question after which the process ends; with TensorFlow it holds about 800 MB.
IDLE_SECONDS = 600.0

#: Memory that the process may take beyond what it has after its start.
MAX_BYTES = 4_000_000_000

#: Bytes of free memory below which it is not started before it is needed.
MIN_FREE_MEMORY = 2 * 1024**3

#: Seconds that an answer that nobody wants any more has to end by itself.
_STOP_SECONDS = 2.0

#: The numbers that app and process share: how much is done, whether nobody wants it any more, whether it is begun.
_SHARE, _UNWANTED, _BEGUN = range(3)

#: Linux ends the process with the highest score first when memory runs out: better this one than the app.
_OOM_SCORE = Path("/proc/self/oom_score_adj")


class AnswerError(AquaDashError):
    """A question that the process could not answer; the next one may be asked at once."""


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
        """Starts nothing yet.

        Args:
            begin: Called in the process when it starts, as to import what is slow.
            answer_seconds: After so long without an answer it is ended.
            idle_seconds: After so long without a question it ends.
            max_bytes: How much memory it may take beyond what it has after its start.
        """
        self._begin = begin
        self._answer_seconds = answer_seconds
        self._idle_seconds = idle_seconds
        self._most_bytes = max_bytes
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None
        self._share()

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the process and have it call a function of a module, unless memory is short; waits for neither."""
        import psutil
        from loky.process_executor import BrokenProcessPool

        # While a question is asked, the process is there.
        if self._lock.acquire(blocking=False):
            try:
                if psutil.virtual_memory().available < MIN_FREE_MEMORY:
                    return
                try:
                    self._submit(function)
                except BrokenProcessPool:  # It has died unasked.
                    self._kill()
                    self._submit(function)
            finally:
                self._lock.release()

    def ask(
        self, function: Callable[..., Answer], *args: Any, progress: Callable[[float], object] | None = None
    ) -> Answer:
        """Call a function in the process and wait for what it returns.

        Args:
            function: One of a module; it may call :func:`report_progress`.
            args: What it is called with. Arguments and answer go through a pipe.
            progress: Told the fraction done, by the function's :func:`report_progress`. What it raises ends the work.

        Raises:
            AnswerError: The process died, ran out of memory or time, or the function failed.
            AquaDashError: Raised by the function.
        """
        from loky.process_executor import BrokenProcessPool

        with self._lock:
            # Of a process that has died since the last question this one may be the first to hear.
            for last in (False, True):
                try:
                    return self._asked(function, args, progress)
                except BrokenProcessPool as error:
                    self._kill()
                    if last or self._shared[_BEGUN]:
                        raise AnswerError(
                            "The process that asks the networks ended in the middle of this answer, probably for lack "
                            "of memory. Try again; if it ends again, the network is too large for this computer or "
                            "its file is damaged."
                        ) from error
            raise AssertionError("not reached")

    def end(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._kill()

    def _asked(
        self, function: Callable[..., Answer], args: tuple[Any, ...], progress: Callable[[float], object] | None
    ) -> Answer:
        until = time.monotonic() + self._answer_seconds
        self._shared[:] = 0.0
        future = self._submit(_call, function, args)
        try:
            while not wait([future], timeout=0.1).done:
                if progress is not None:
                    progress(float(self._shared[_SHARE]))
                if time.monotonic() > until:
                    raise AnswerError(
                        f"The network took more than {self._answer_seconds:.0f} seconds, so this answer was given up. "
                        "Ask for fewer images at once, or use a smaller network."
                    )
        except BaseException:
            self._shared[_UNWANTED] = 1.0
            if not wait([future], timeout=_STOP_SECONDS).done:
                self._kill()
            raise
        return future.result()

    def _submit(self, function: Callable[..., Answer], *args: Any) -> Future[Answer]:
        # Joblib, which scikit-learn imports, has a loky of its own, by which ours starts processes from then on: where
        # that happens while it is half imported, both fail.
        with IMPORTING:
            return self._running().submit(function, *args)

    def _running(self) -> ProcessPoolExecutor:
        from loky import ProcessPoolExecutor

        if not self._shared_path.exists():
            # Systems remove temporary files that lie for days; the next process would not begin without.
            self._kill()
            self._folder.cleanup()
            self._share()
        if self._executor is None:
            # loky does not run the script again, which is Streamlit's page, as multiprocessing's own start does.
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                timeout=self._idle_seconds,
                initializer=_start,
                initargs=(os.getpid(), self._shared_path, self._begin, self._most_bytes),
                # A process that has kept so much more than after its first answer is replaced by loky.
                env={"LOKY_MAX_MEMORY_LEAK_SIZE": str(self._most_bytes // 2), "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        return self._executor

    def _share(self) -> None:
        """Make the file of the numbers that app and process share."""
        self._folder = tempfile.TemporaryDirectory(prefix="aquadash-answers-")
        self._shared_path = Path(self._folder.name) / "shared"
        np.zeros(3).tofile(self._shared_path)
        self._shared = _open_shared(self._shared_path)

    def _kill(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


#: In the process: what it shares with the app.
_shared: NDArray[np.float64] | None = None


def report_progress(fraction: float) -> None:
    """Say in the process how much of the answer is done, 0 to 1.

    Raises:
        AnswerError: Nobody wants it any more.
    """
    assert _shared is not None, "only a function that is asked may tell"
    _shared[_SHARE] = fraction
    if _shared[_UNWANTED]:
        raise AnswerError("Nobody waits for this answer any more.")


def _open_shared(path: Path) -> NDArray[np.float64]:
    return np.memmap(path, np.float64, mode="r+", shape=(3,))


def _start(app: int, shared: Path, begin: Callable[[], object], max_bytes: int) -> None:
    global _shared
    import psutil

    # What TensorFlow has to say is nothing for the app's console.
    processes.log_to(settings.home() / "logs" / "answers.log")
    threading.Thread(target=_leave_with, args=(app,), name="leave-with-app", daemon=True).start()
    _shared = _open_shared(shared)
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")
    begin()
    if sys.platform.startswith("linux"):
        import resource

        _, highest = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (psutil.Process().memory_info().data + max_bytes, highest))


def _leave_with(app: int) -> None:
    """End this process with the app, however that ends; loky would have it wait for its next question."""
    import psutil

    # Where an orphan gets another parent, even one that is not reaped yet is noticed.
    while os.getppid() == app and psutil.pid_exists(app):
        time.sleep(1.0)
    os._exit(0)


def _call(function: Callable[..., Answer], args: tuple[Any, ...]) -> Answer:
    assert _shared is not None
    _shared[_BEGUN] = 1.0
    try:
        return function(*args)
    except AquaDashError:
        raise
    except Exception as error:
        # As text: an exception of TensorFlow's would have the app import it.
        _log.exception("a question could not be answered")
        reason = " ".join(str(error).split())[:200]
        raise AnswerError(f"The network could not answer ({type(error).__name__}: {reason}).") from None
