"""A warm process that measures networks for the app, so that the app never imports TensorFlow and never waits for it.

TensorFlow takes some seconds to import, hence one process that has done so stays at hand: it is started when the first
question comes, takes one question at a time as a line of JSON, and ends when its input does, so with the app, however
that ends. After some idle minutes the app ends it itself.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from aquadash.augment import embedded
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError, ConfigError
from aquadash.training.probe import Measurement, measured_part
from aquadash.training.probe_process import COMMAND, ProbeProcess

_log = logging.getLogger(__name__)

#: Seconds without a question after which the process ends; it holds about 800 MB.
IDLE_SECONDS = 600.0

#: Seconds that an answer may take, the start of the process not counted.
ANSWER_SECONDS = 30.0

#: Seconds that the start may take on a slow computer.
START_SECONDS = 120.0

#: A question not asked again for so many seconds is dropped: the settings have changed, or the page was left.
_STILL_WANTED_SECONDS = 5.0

#: Seconds after which a network that could not be measured is tried again, if it is still asked for.
_UNANSWERED_SECONDS = 30.0

#: So many answers are kept.
_KEEP = 200

#: A process that has grown by so much is replaced: TensorFlow keeps memory once taken.
_MOST_GROWTH_BYTES = 1_500_000_000


@dataclass(frozen=True)
class Question:
    """What is to be measured.

    Attributes:
        config: The measured part of a run's config.
        image_shape: Height, width and channels.
        num_classes: How many classes there are.
        busy: Whether a training runs meanwhile: the answer is another one then.
    """

    config: RunConfig
    image_shape: tuple[int, int, int]
    num_classes: int
    busy: bool = False

    @classmethod
    def of(
        cls, config: RunConfig, *, image_shape: tuple[int, int, int], num_classes: int, busy: bool = False
    ) -> Question:
        """The question for a run's config; configs that need no new measurement have the same."""
        return cls(measured_part(embedded(config)), image_shape, num_classes, busy)

    def to_line(self) -> str:
        """One line of JSON."""
        values = {"config": self.config.model_dump(), "image_shape": self.image_shape, "num_classes": self.num_classes}
        return json.dumps(values) + "\n"


Answer = Measurement | AquaDashError


class _Task(Enum):
    """What the service may have to do besides answering."""

    START = auto()
    REST = auto()
    CLOSE = auto()


class ProbeService:
    """Answers questions one after another with one process; safe to call from many threads.

    Nobody has to wait: :meth:`look` says what is known so far.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        idle_seconds: float = IDLE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Starts nothing yet.

        Args:
            command: Starts the process.
            idle_seconds: After so long without a question the process ends.
            answer_seconds: After so long without an answer it is ended.
        """
        self._command = command
        self._idle_seconds = idle_seconds
        self._answer_seconds = answer_seconds
        self._changed = threading.Condition()
        # All below belongs to whoever holds the condition's lock.
        self._wanted: OrderedDict[Question, float] = OrderedDict()
        self._answers: OrderedDict[Question, tuple[Answer, float]] = OrderedDict()
        self._process: ProbeProcess | None = None
        self._start_wanted = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ProbeService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process in the background if it does not run, so that a question finds it warm."""
        with self._changed:
            self._start_wanted = True
            self._wake()

    @property
    def warm(self) -> bool:
        """Whether the process is ready to measure at once."""
        process = self._process
        return process is not None and process.ready

    def known(self, question: Question) -> Answer | None:
        """The answer if there is one; nothing is measured for it."""
        with self._changed:
            answer, good_until = self._answers.get(question, (None, 0.0))
            if answer is None or time.monotonic() >= good_until:
                return None
            self._answers.move_to_end(question)
            return answer

    def look(self, question: Question) -> Answer | None:
        """The answer, or None while it is being found; ask again within five seconds to say that it is still wanted."""
        with self._changed:
            answer = self.known(question)
            if answer is None:
                self._wanted[question] = time.monotonic()
                self._wake()
            return answer

    def wait(self, question: Question, *, timeout: float) -> Answer | None:
        """The answer as soon as there is one; None if there is none within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (answer := self.look(question)) is None and (left := deadline - time.monotonic()) > 0:
            with self._changed:
                # Woken by every answer, and in time to say that this one is still wanted.
                self._changed.wait(min(left, _STILL_WANTED_SECONDS / 2))
        return answer

    def close(self) -> None:
        """End the process and answer nothing more."""
        with self._changed:
            self._closed = True
            thread, process = self._thread, self._process
            self._changed.notify_all()
        if process is not None:
            process.end()
        if thread is not None:
            thread.join(timeout=10)

    def _wake(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="aquadash-probe", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        """Answer until closed."""
        while (task := self._next_task()) is not _Task.CLOSE:
            try:
                if task is _Task.START:
                    self._running()
                elif task is _Task.REST:
                    self._end_process()
                else:
                    self._keep(task, *self._answer(task))
            except Exception as error:
                if self._closed:
                    break
                # The thread must not die: pages would say for ever that they are measuring.
                _log.error("a network could not be measured", exc_info=error)
                if isinstance(task, Question):
                    self._keep(task, *_unanswered(f"failed ({type(error).__name__})"))
        self._end_process()

    def _next_task(self) -> Question | _Task:
        """The question that has waited longest, or what else there is to do; waits for it."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for question in [q for q, asked in self._wanted.items() if now - asked > _STILL_WANTED_SECONDS]:
                    del self._wanted[question]
                if self._wanted or self._start_wanted:
                    self._start_wanted = False
                    return next(iter(self._wanted), _Task.START)
                if not self._changed.wait(self._idle_seconds if self._process else None):
                    return _Task.REST
            return _Task.CLOSE

    def _keep(self, question: Question, answer: Answer, good_seconds: float) -> None:
        with self._changed:
            self._wanted.pop(question, None)
            self._answers[question] = answer, time.monotonic() + good_seconds
            while len(self._answers) > _KEEP:
                self._answers.popitem(last=False)
            self._changed.notify_all()

    def _answer(self, question: Question) -> tuple[Answer, float]:
        """Ask the process, and another one if it has died since the last question.

        Returns:
            The answer, and for how many seconds it is good.
        """
        reply = None
        for _ in range(2):
            try:
                reply = self._running().ask(question.to_line(), timeout=self._answer_seconds)
            except TimeoutError:
                self._end_process()
                return _unanswered(f"took more than {self._answer_seconds:.0f} s")
            if reply is not None:
                break
            self._end_process()
        if reply is None:
            return _unanswered("ended before it had an answer, probably for lack of memory")
        if reply["grown_bytes"] > _MOST_GROWTH_BYTES:
            self._end_process()
            self.start()
        if "error" in reply:
            return ConfigError(reply["error"]), math.inf
        return Measurement.from_dict(reply["measurement"]), math.inf

    def _running(self) -> ProbeProcess:
        """The process, started if it does not run, once it is ready.

        Raises:
            OSError: It cannot be started, or not in time.
        """
        with self._changed:
            if self._closed:
                raise OSError("the service is closed")
            if self._process is None or not self._process.alive:
                self._process = ProbeProcess(self._command)
            process = self._process
        if not process.wait_ready(START_SECONDS):
            self._end_process()
            raise OSError("the process that measures networks did not start")
        return process

    def _end_process(self) -> None:
        with self._changed:
            process, self._process = self._process, None
        if process is not None:
            process.end()


def _unanswered(why: str) -> tuple[ConfigError, float]:
    """What is said of a network that could not be measured; it may be tried again after some seconds."""
    message = (
        f"This network could not be tried on this computer: the process that measures it {why}. Use fewer or smaller "
        "layers, or a smaller batch."
    )
    return ConfigError(message), _UNANSWERED_SECONDS


_shared_lock = threading.Lock()
_shared: ProbeService | None = None


def shared_service() -> ProbeService:
    """The one service of this process; it ends with it."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = ProbeService()
            atexit.register(_shared.close)
        return _shared
