"""The base class of the parts of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aquadash.lab import memory
from aquadash.lab.limits import Limits
from aquadash.lab.rights import Rights
from aquadash.people import Person


class Part:
    """A part of one person's lab.

    Every method raises :class:`~aquadash.errors.NotAllowedError` where the person may not do or see what is asked, with
    the reason; :class:`~aquadash.errors.UnknownNameError` where it is not there; and
    :class:`~aquadash.errors.StorageError` where what is kept of it cannot be read or written. A method names what it
    raises beside these, or for another reason.
    """

    def __init__(self, person: Person) -> None:
        self._person = person
        self._rights = Rights(person)
        self._limits = Limits(person)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Run a change of what is stored. Afterwards the next call reads again, even if the change failed."""
        try:
            yield
        finally:
            memory.refresh()
