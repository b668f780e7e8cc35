"""The lab: everything that a person can do with AquaDash.

The pages and the command line call it. Only the lab checks a person's rights and limits. In Python::

    from aquadash.lab import OWNER, PRESETS, Lab

    lab = Lab(OWNER)
    run = lab.runs.wait(lab.runs.train(PRESETS["notebook-fixed"].config, name="third").run_id)
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aquadash.lab import memory
from aquadash.lab.limits import Limits
from aquadash.lab.rights import Rights
from aquadash.people import OWNER, Person
from aquadash.presets import PRESETS

if TYPE_CHECKING:
    from aquadash.lab.data import DataSets
    from aquadash.lab.jobs import Jobs
    from aquadash.lab.people import People
    from aquadash.lab.pipelines import Pipelines
    from aquadash.lab.runs import Runs
    from aquadash.lab.searches import Searches


class Lab:
    """The lab of one person. Each part is loaded when it is used first. Safe to use from several threads.

    Args:
        person: The person for whom the lab acts: the owner of the machine (:data:`aquadash.people.OWNER`), a teacher or
            a student. There is no default, so no caller acts for the owner by accident.
    """

    # Each part is a class in the module of its name.
    data: DataSets
    pipelines: Pipelines
    runs: Runs
    searches: Searches
    #: The other jobs in the background: measuring, exporting, importing.
    jobs: Jobs
    #: The class: its members, codes and limits.
    people: People

    def __init__(self, person: Person) -> None:
        self.person = person
        #: The actions that the person may take; pages leave out the others.
        self.rights = Rights(person)
        self.limits = Limits(person)

    def __getattr__(self, name: str) -> Any:
        """Return the part of that name, loaded at its first use: an app without a class never loads ``people``."""
        if name not in Lab.__annotations__:
            raise AttributeError(f"A lab has no {name!r}.")
        part = getattr(importlib.import_module(f"aquadash.lab.{name}"), Lab.__annotations__[name])(self.person)
        setattr(self, name, part)
        return part

    def refresh(self) -> None:
        """Forget cached readings that may be stale, such as after the end of a job in another process."""
        memory.refresh()


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
