"""What all parts of the lab have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aquadash.lab import memory
from aquadash.lab.limits import Limits
from aquadash.lab.rights import Rights
from aquadash.people import Person


class Part:
    """A part of the lab, in somebody's name.

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
        """Do something that changes what is stored: whatever came of it, what was read is read anew afterwards."""
        try:
            yield
        finally:
            memory.refresh()
