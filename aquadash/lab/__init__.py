"""The lab: everything that can be done here, in somebody's name.

The pages and the command line are its two faces, and hold no rules: what somebody may do, and how much of it, is asked
here and nowhere else. In Python::

    from aquadash.lab import OWNER, PRESETS, Lab

    lab = Lab(OWNER)
    run = lab.runs.wait(lab.runs.train(PRESETS["notebook-fixed"].config, name="first").run_id)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aquadash.lab import memory
from aquadash.lab.limits import Limits
from aquadash.lab.rights import Rights
from aquadash.people import OWNER, Person
from aquadash.presets import PRESETS

__all__ = ["OWNER", "PRESETS", "Lab"]

if TYPE_CHECKING:
    from aquadash.lab.data import DataSets
    from aquadash.lab.jobs import Jobs
    from aquadash.lab.people import People
    from aquadash.lab.pipelines import Pipelines
    from aquadash.lab.runs import Runs
    from aquadash.lab.searches import Searches


class Lab:
    """What somebody can do. Each part is loaded when it is used first. Safe to use from several threads.

    Args:
        person: In whose name: the owner of the machine (:data:`aquadash.people.OWNER`), a teacher or a student. There
            is no default: where nobody is named, nothing is done.

    Attributes:
        person: The same.
        rights: What they may do, for those who draw only what can be done.
        limits: How much of it.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.rights = Rights(person)
        self.limits = Limits(person)

    @cached_property
    def data(self) -> DataSets:
        """The data sets."""
        from aquadash.lab.data import DataSets

        return DataSets(self.person)

    @cached_property
    def pipelines(self) -> Pipelines:
        """The library of augmentation pipelines."""
        from aquadash.lab.pipelines import Pipelines

        return Pipelines(self.person)

    @cached_property
    def runs(self) -> Runs:
        """The runs: training them, and what came of it."""
        from aquadash.lab.runs import Runs

        return Runs(self.person)

    @cached_property
    def searches(self) -> Searches:
        """The searches, whose trials are runs."""
        from aquadash.lab.searches import Searches

        return Searches(self.person)

    @cached_property
    def jobs(self) -> Jobs:
        """The other work in the background: measuring, converting, taking home."""
        from aquadash.lab.jobs import Jobs

        return Jobs(self.person)

    @cached_property
    def people(self) -> People:
        """The class: who is there, the codes, the limits, the projector."""
        # Of the class's wing, which nobody loads who serves no class.
        from aquadash.lab.people import People

        return People(self.person)

    def refresh(self) -> None:
        """Read anew with the next question what may be a moment old, as after the end of work in another process."""
        memory.refresh()
