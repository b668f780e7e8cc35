"""The base class of the parts of the lab."""

from collections.abc import Iterator
from contextlib import contextmanager

from aquadash.lab import memory
from aquadash.lab.limits import Limits
from aquadash.lab.rights import Rights
from aquadash.people import Person


class Part:
    """The base of a part of one person's lab. The docstrings of methods list errors besides these.

    Raises:
        NotAllowedError: The person lacks the right, or exceeds a limit of the class.
        RunError: The state of a run or job forbids the action.
        UnknownNameError: There is no resource of that name.
        StorageError: The store cannot be read or written.
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
