"""How far somebody has come: a small file in ``AQUADASH_HOME/progress``, named by a random id.

The id stands in the page's address and is no secret worth guarding: it opens nothing but ticks. Who loses it loses
those and nothing else.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat, field_validator

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.files import forget_oldest, write_whole
from aquadash.walkthrough.lessons import LESSONS

_ID = re.compile(r"[0-9a-f]{16}")
#: A file that is larger was not written by us.
_MAX_BYTES = 20_000
#: The oldest files go when there are more.
MAX_FILES = 2_000
_MAX_TRIES = 9_999

_lock = threading.Lock()


class LessonProgress(BaseModel, frozen=True):
    """What was done so far, as its file holds it."""

    format: Literal[1] = 1
    #: Answers given, by lesson.
    tries: dict[str, Annotated[int, Field(ge=0, le=_MAX_TRIES)]] = {}
    #: When each lesson's question was first answered correctly, as Unix time in seconds.
    solved: dict[str, FiniteFloat] = {}

    @field_validator("tries", "solved")
    @classmethod
    def _known(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Pass over the lessons of an older or newer version."""
        return {lesson: value for lesson, value in values.items() if lesson in LESSONS}

    def after(self, lesson: str, *, solved: bool, now: float) -> LessonProgress:
        """Return the progress with one more answer; a solved question stays solved."""
        tries = self.tries | {lesson: min(self.tries.get(lesson, 0) + 1, _MAX_TRIES)}
        return LessonProgress(tries=tries, solved={lesson: now, **self.solved} if solved else self.solved)


def new_id() -> str:
    """An id that nobody has."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Whether the text has an id's form."""
    return _ID.fullmatch(text) is not None


def read(progress_id: str) -> LessonProgress:
    """The progress of that id; none for an id that is unknown, malformed, or whose file is damaged."""
    if not is_id(progress_id):
        return LessonProgress()
    try:
        return _load(_path(progress_id))
    except OSError:
        return LessonProgress()


def _load(path: Path) -> LessonProgress:
    """What a file says, which is nothing where it is damaged; an ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES)
    try:
        return LessonProgress.model_validate_json(content)
    except ValueError:
        return LessonProgress()


def note(progress_id: str, lesson: str, *, solved: bool) -> LessonProgress:
    """Count an answer, right if ``solved``, and keep it.

    Raises:
        StorageError: The file cannot be read or written.
        ValueError: There is no such lesson, or the id is malformed.
    """
    if lesson not in LESSONS or not is_id(progress_id):
        raise ValueError(f"no lesson {lesson!r} or no id {progress_id!r}")
    with _lock:
        path = _path(progress_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            before = LessonProgress() if is_new else _load(path)
            known = before.after(lesson, solved=solved, now=time.time())
            if not is_new and not before.tries:
                # Nothing in it makes sense: it is damaged, or of a newer version.
                path.replace(path.with_suffix(".unread"))
            write_whole(path, known.model_dump_json())
            if is_new:
                forget_oldest(path.parent, "*.json", max_files=MAX_FILES)
        except OSError as error:
            raise StorageError(f"Your progress cannot be kept in {path.parent} ({error.strerror}).") from error
        return known


def _path(progress_id: str) -> Path:
    return settings.home() / "progress" / f"{progress_id}.json"
