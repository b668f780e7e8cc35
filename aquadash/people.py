"""Who does things, and whose a resource is: what :mod:`aquadash.lab` decides by and the stores keep.

Without a class there is one person, the owner of the machine, who may do everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
        on_projector: True where the class looks on, so that what is hidden stays so. It is the same person.
    """

    person_id: str
    name: str
    role: Role
    on_projector: bool = field(default=False, compare=False)

    @property
    def leads(self) -> bool:
        """True for those who may do everything: the teacher and the owner of the machine."""
        return self.role in (Role.OWNER, Role.TEACHER)

    @property
    def sees_hidden(self) -> bool:
        """True for those who find what is hidden from the class."""
        return self.leads and not self.on_projector


@dataclass(frozen=True)
class Resource:
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


#: Whoever started AquaDash on this machine.
OWNER = Person("", "", Role.OWNER)
#: Whoever has not joined the class.
STRANGER = Person("", "", Role.STRANGER)
