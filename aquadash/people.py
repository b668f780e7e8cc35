"""People, their roles, and the owners of resources. Without a class there is one person, the owner of the machine."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The role of a person, which decides their rights."""

    OWNER = "owner"
    TEACHER = "teacher"
    STUDENT = "student"
    #: A visitor who has not joined and may do nothing.
    STRANGER = "stranger"


@dataclass(frozen=True)
class Person:
    """A person who uses the lab."""

    #: 32 hexadecimal digits; empty for the owner of the machine and for strangers.
    person_id: str
    #: Name as typed: text, never markup or a path.
    name: str
    role: Role

    @property
    def leads(self) -> bool:
        """True for the teacher and the owner of the machine, who may do everything."""
        return self.role in (Role.OWNER, Role.TEACHER)


@dataclass(frozen=True)
class Resource:
    """A thing that an action concerns, with its owner."""

    #: ``"run"``, ``"search"``, ``"data set"`` or ``"pipeline"``.
    kind: str
    #: Title for people, plain text.
    name: str
    #: Id of the person who made it; empty for the owner of the machine.
    owner: str = ""
    #: Name of that person, plain text.
    owner_name: str = ""
    #: True if the teacher or the owner of the machine made it: all may open it.
    shared: bool = True
    #: True if the teacher has hidden it from the class.
    hidden: bool = False


#: The person who started AquaDash on this machine.
OWNER = Person("", "", Role.OWNER)
#: A visitor who has not joined the class.
STRANGER = Person("", "", Role.STRANGER)
