"""Who does things, and whose a resource is: what :mod:`aquadash.lab` decides by and the stores keep.

Without a class there is one person, the owner of the machine, who may do everything.
"""

from __future__ import annotations

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
    """Somebody who does things here."""

    #: 32 hexadecimal digits; empty for the owner of the machine and for strangers.
    person_id: str
    #: What they call themselves; text, never markup or a path.
    name: str
    #: What they are to the class.
    role: Role

    @property
    def leads(self) -> bool:
        """True for those who may do everything: the teacher and the owner of the machine."""
        return self.role in (Role.OWNER, Role.TEACHER)


@dataclass(frozen=True)
class Resource:
    """What somebody wants to do something with."""

    #: ``"run"``, ``"search"``, ``"data set"`` or ``"pipeline"``.
    kind: str
    #: What people call it: plain text.
    name: str
    #: The id of whoever made it; empty for the owner of the machine.
    owner: str = ""
    #: What they are called: plain text.
    owner_name: str = ""
    #: True if the teacher or the owner of the machine made it, so that all may open it.
    shared: bool = True
    #: True if the teacher keeps it from the class.
    hidden: bool = False


#: Whoever started AquaDash on this machine.
OWNER = Person("", "", Role.OWNER)
#: Whoever has not joined the class.
STRANGER = Person("", "", Role.STRANGER)
