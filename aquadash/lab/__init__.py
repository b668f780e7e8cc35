"""The lab: everything that can be done here, in somebody's name.

The pages and the command line are its two faces, and hold no rules: what somebody may do, and how much of it, is asked
here and nowhere else. In Python::

    from aquadash.lab import Lab
    from aquadash.people import OWNER

    lab = Lab(OWNER)
    rain = lab.pipelines.save(lab.pipelines.get("notebook-4"), title="My rain")
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aquadash.people import Person

if TYPE_CHECKING:
    from aquadash.lab.people import People
    from aquadash.lab.pipelines import Pipelines


class Lab:
    """What somebody can do.

    Args:
        person: In whose name: the owner of the machine (:data:`aquadash.people.OWNER`), a teacher or a student. There
            is no default: where nobody is named, nothing is done.

    Attributes:
        person: The same.
    """

    def __init__(self, person: Person) -> None:
        self.person = person

    @cached_property
    def pipelines(self) -> Pipelines:
        """The library of augmentation pipelines."""
        from aquadash.lab.pipelines import Pipelines

        return Pipelines(self.person)

    @cached_property
    def people(self) -> People:
        """The class: who is there, the codes, the limits, the projector."""
        # Of the class's wing, which nobody loads who serves no class.
        from aquadash.lab.people import People

        return People(self.person)
