"""Who acts, the person behind a click, and whose a thing is, so that what somebody may do can be asked.

Without a classroom there is one person, who may do everything. In a classroom the pages say who their visitor is
(:func:`look_up_by`); threads that work for a visitor say it by :func:`acting`. What nobody stands behind, such as the
engine's own threads, workers and the command line, is done by :data:`OWNER`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the class."""

    OWNER = "owner"
    TEACHER = "teacher"
    STUDENT = "student"
    #: Has not joined: may do nothing.
    STRANGER = "stranger"


@dataclass(frozen=True)
class Person:
    """Somebody who does things here.

    Attributes:
        person_id: 32 hexadecimal digits; empty for the owner of the machine and for strangers.
        name: What they call themselves; text, never markup or a path.
        role: What they are to the class.
    """

    person_id: str
    name: str
    role: Role

    @property
    def leads(self) -> bool:
        """True for those who may do everything: the teacher and the owner of the machine."""
        return self.role in (Role.OWNER, Role.TEACHER)


@dataclass(frozen=True)
class Thing:
    """What somebody wants to do something with.

    Attributes:
        kind: ``"run"``, ``"search"``, ``"data set"`` or ``"pipeline"``.
        name: What people call it: plain text.
        owner: The id of whoever made it; empty for the owner of the machine.
        owner_name: What they are called: plain text.
        shared: True if the teacher or the owner of the machine made it, so that all may open it.
        hidden: True if the teacher keeps it from the class.
    """

    kind: str
    name: str
    owner: str = ""
    owner_name: str = ""
    shared: bool = True
    hidden: bool = False


#: Whoever started AquaDash on this machine, and everything that no visitor stands behind.
OWNER = Person("", "", Role.OWNER)
STRANGER = Person("", "", Role.STRANGER)

_acting: ContextVar[Person | None] = ContextVar("aquadash_acting", default=None)
_look_up: Callable[[], Person | None] = lambda: None  # noqa: E731


def look_up_by(look_up: Callable[[], Person | None]) -> None:
    """Say how to find the visitor that the calling thread draws a page for.

    Args:
        look_up: Gives the visitor, :data:`STRANGER` for one who has not joined, and None in a thread that draws no
            page.
    """
    global _look_up
    _look_up = look_up


def current() -> Person:
    """Who acts in this thread."""
    return _acting.get() or _look_up() or OWNER


@contextmanager
def acting(person: Person) -> Iterator[None]:
    """Do something in somebody's name, in this thread."""
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)
