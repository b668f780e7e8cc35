"""What is told of the people of a class, and why a name is refused."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.errors import ConfigError
from aquadash.people import Person


class NameTakenError(ConfigError):
    """The name is somebody else's in the class, or looks like it.

    Attributes:
        suggestion: A name like it that is free.
    """

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__(
            f"There is already somebody called {name!r} in this class, and nobody could tell the two names apart. Take "
            f"another name, such as {suggestion!r}. If that is you, on another computer or after leaving, ask the "
            "teacher for a link to rejoin."
        )
        self.suggestion = suggestion


@dataclass(frozen=True)
class Joined:
    """A new session.

    Attributes:
        token: For the person's browser alone.
        person: Who it is.
        expires_at: When it ends, in seconds since 1970.
    """

    token: str
    person: Person
    expires_at: float


@dataclass(frozen=True)
class Member:
    """Somebody of the class, as the teacher sees them.

    Attributes:
        person: Who.
        joined_at: When they first joined, in seconds since 1970.
        seen_at: When they last did something, to about half a minute.
        sessions: How many sessions of theirs go on.
    """

    person: Person
    joined_at: float
    seen_at: float
    sessions: int
