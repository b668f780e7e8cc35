"""The limits of a class, which the teacher sets for the students, in a JSON file of the class's folder.

While the file is damaged, the limits that this process read last hold, or else the default ones.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aquadash import settings
from aquadash.classroom.files import read_private, write_private
from aquadash.errors import ConfigError, StorageError, UnknownNameError
from aquadash.pages import PAGES

_log = logging.getLogger(__name__)

#: The pages that can be locked.
LOCKABLE = tuple(name for name, page in PAGES.items() if page.lockable)


def _lockable(name: str) -> str:
    if name not in LOCKABLE:
        raise ValueError(str(UnknownNameError.of("page that can be locked", name, LOCKABLE)))
    return name


class ClassLimits(BaseModel):
    """The limits for students; None means no limit, a megabyte is a million bytes."""

    # Limits of another version are ignored.
    model_config = ConfigDict(frozen=True, strict=True)

    waiting_runs: Annotated[
        int | None, Field(ge=0, le=100, description="Runs of one student that may wait at the same time")
    ] = 2
    epochs: Annotated[int | None, Field(ge=1, le=2000, description="Maximum epochs of a student's run")] = 60
    upload_megabytes: Annotated[
        int | None, Field(ge=0, le=1000, description="Largest upload of a student in megabytes")
    ] = 20
    data_sets: Annotated[
        int | None, Field(ge=0, le=1000, description="Data sets of own pictures a student may keep")
    ] = 5
    searches: Annotated[bool, Field(description="Students may start searches")] = False
    locked_pages: Annotated[
        frozenset[Annotated[str, AfterValidator(_lockable)]],
        # JSON and forms have lists.
        Field(strict=False, description="Pages that students cannot open"),
    ] = frozenset()
    paused: Annotated[bool, Field(description="The queue waits: no run starts")] = False
    #: False while the board shows the test results.
    test_results_hidden: Annotated[
        bool, Field(description="The board ranks by validation accuracy, not by test results")
    ] = True

    def to_values(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**self.model_dump(), "locked_pages": sorted(self.locked_pages)}


#: The description of each limit, for people.
WORDS = {name: str(field.description) for name, field in ClassLimits.model_fields.items()}
#: Least and greatest value of the numbers.
NUMBERS = {
    name: (field.metadata[0].ge, field.metadata[1].le)
    for name, field in ClassLimits.model_fields.items()
    if field.annotation == int | None
}


def from_values(values: Mapping[str, object], *, typed: bool = False) -> ClassLimits:
    """Read plain values, or typed ones such as ``{"epochs": "30", "locked_pages": ["train", "compare"]}``."""
    for name in values:
        if name not in ClassLimits.model_fields:
            raise ConfigError(str(UnknownNameError.of("limit", name, ClassLimits.model_fields)))
    try:
        return ClassLimits.model_validate(values, strict=False if typed else None)
    except ValidationError as error:
        first = error.errors()[0]
        name, value = str(first["loc"][0]), str(first.get("input"))[:40]
        reason = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        raise ConfigError(f"The limit {name} is {value!r}: {reason[0].lower()}{reason[1:]}.") from None


def with_texts(limits: ClassLimits, texts: Mapping[str, str]) -> ClassLimits:
    """Return the limits with some changed, as typed: pages with commas between, ``none`` for no limit or no page."""
    values: dict[str, object] = {}
    for name, text in texts.items():
        values[name] = None if text.strip().lower() == "none" else text.strip()
        if name == "locked_pages":
            values[name] = [page.strip() for page in text.split(",")] if values[name] else []
    return from_values({**limits.to_values(), **values}, typed=True)


def path() -> Path:
    """Return the path of the file."""
    return settings.classroom_folder() / "limits.json"


def load() -> ClassLimits:
    """Return the stored limits, or the default ones where none were ever saved."""
    return read_private(path(), ClassLimits) or ClassLimits()


def save(limits: ClassLimits) -> None:
    """Store limits; they hold from now on."""
    write_private(path(), limits.to_values())


_read: dict[Path, tuple[tuple[int, int, int] | None, ClassLimits]] = {}
_reading = threading.Lock()


def in_force() -> ClassLimits:
    """Return the limits that hold now; read the file again only when it has changed."""
    file = path()
    try:
        status = file.stat()
        mark: tuple[int, int, int] | None = (status.st_ino, status.st_mtime_ns, status.st_size)
    except OSError:
        mark = None
    with _reading:
        known = _read.get(file)
        if known is not None and known[0] == mark:
            return known[1]
        try:
            limits = load()
        except StorageError as error:
            limits = known[1] if known is not None else ClassLimits()
            _log.error("%s Until then these hold: %s", error, limits.to_values())
        _read[file] = (mark, limits)
        return limits


@contextmanager
def served() -> Iterator[None]:
    """Lock the class, so that commands beside this app obey the pause of its queue."""
    lock = settings.class_lock()
    lock.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as locked:
        # Another app of the same class may hold the lock.
        with suppress(Timeout):
            locked.enter_context(FileLock(lock, timeout=1))
        yield
