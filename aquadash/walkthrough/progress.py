"""A person's progress in the lesson: a file in ``AQUADASH_HOME/progress``, named by a random id in the address."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from pydantic import BaseModel, FiniteFloat, NonNegativeInt, field_validator

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.files import forget_oldest, write_whole
from aquadash.walkthrough.lessons import LESSONS

_ID = re.compile(r"[0-9a-f]{16}")
#: The most bytes that are read of a file.
_MAX_BYTES = 20_000
#: The most files; the oldest are deleted.
MAX_FILES = 2_000
#: Seconds that an answer waits for another one of the same person.
_LOCK_SECONDS = 10.0


class LessonProgress(BaseModel, frozen=True):
    """The content of a progress file."""

    format: Literal[1] = 1
    #: The number of answers by lesson.
    tries: dict[str, NonNegativeInt] = {}
    #: Unix time of the first right answer by lesson, in seconds.
    solved: dict[str, FiniteFloat] = {}

    @field_validator("tries", "solved")
    @classmethod
    def _known(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Drop the lessons of an older or newer version."""
        return {lesson: value for lesson, value in values.items() if lesson in LESSONS}

    def after(self, lesson: str, *, solved: bool, now: float) -> LessonProgress:
        """Return the progress with one more answer; a solved question stays solved."""
        tries = self.tries | {lesson: self.tries.get(lesson, 0) + 1}
        return LessonProgress(tries=tries, solved={lesson: now, **self.solved} if solved else self.solved)


def new_id() -> str:
    """Return a new random id."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Return whether the text has the form of an id."""
    return _ID.fullmatch(text) is not None


def read(progress_id: str) -> LessonProgress:
    """Return the progress of an id; empty if the id is unknown or malformed, or its file damaged."""
    with suppress(OSError):
        if is_id(progress_id):
            return _load(_path(progress_id))
    return LessonProgress()


def _load(path: Path) -> LessonProgress:
    """Read a file; a damaged one is empty, one that cannot be opened raises an ``OSError``."""
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES)
    try:
        return LessonProgress.model_validate_json(content)
    except ValueError:
        return LessonProgress()


def note(progress_id: str, lesson: str, *, solved: bool) -> LessonProgress:
    """Count and store an answer; a file that cannot be read or written raises a ``StorageError``."""
    if lesson not in LESSONS or not is_id(progress_id):
        raise ValueError(f"no lesson {lesson!r} or no id {progress_id!r}")
    path = _path(progress_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Lock: two tabs, which two apps may serve, must not write over each other's answers.
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            is_new = not path.exists()
            before = LessonProgress() if is_new else _load(path)
            progress = before.after(lesson, solved=solved, now=time.time())
            if not is_new and not before.tries:
                # The file is damaged or of a newer version: keep it aside.
                path.replace(path.with_suffix(".unread"))
            write_whole(path, progress.model_dump_json())
            if is_new:
                forget_oldest(path.parent, "*.json", max_files=MAX_FILES)
                forget_oldest(path.parent, "*.lock", max_files=MAX_FILES)
    except OSError as error:
        raise StorageError(f"Your progress cannot be kept in {path.parent} ({error.strerror or error}).") from error
    return progress


def _path(progress_id: str) -> Path:
    return settings.home() / "progress" / f"{progress_id}.json"
