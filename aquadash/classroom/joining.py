"""Joining a class: a name and a code, and not too many tries or names."""

from __future__ import annotations

from aquadash.classroom.attempts import Attempts
from aquadash.classroom.codes import codes
from aquadash.classroom.member_types import Joined
from aquadash.classroom.sessions import Sessions
from aquadash.errors import NotAllowedError
from aquadash.people import Role


class WrongCodeError(NotAllowedError):
    """What was typed is no code of this class."""


class TooManyAttemptsError(NotAllowedError):
    """Too many wrong codes or new names came from there.

    Attributes:
        seconds: How long to wait.
    """

    def __init__(self, seconds: float, came: str = "wrong codes were typed") -> None:
        self.seconds = seconds
        super().__init__(
            f"Too many {came}. Wait {max(1, round(seconds))} s, then try again with the code that the teacher shows."
        )


def join(
    sessions: Sessions, attempts: Attempts, new_names: Attempts, *, name: str, code: str, address: str,
    earlier_token: str | None = None,
) -> Joined:  # fmt: skip
    """Let somebody in.

    Args:
        sessions: The class.
        attempts: Counts wrong codes.
        new_names: Counts names that the class did not know; those of teachers are as many as they like.
        name: As typed.
        code: As typed: the students' or the teacher's.
        address: Where the request comes from.
        earlier_token: What the browser has from before.

    Raises:
        TooManyAttemptsError: The code was not looked at, or the name is one new name too many.
        WrongCodeError: It is none.
        ConfigError: The name cannot be used.
    """
    with attempts.turn:
        if (seconds := attempts.wait_seconds(address)) > 0:
            raise TooManyAttemptsError(seconds)
        role = codes().role_of(code)
        if role is None:
            attempts.count(address)
            raise WrongCodeError(
                "That is not the code of this class. It is on the projector, or ask the teacher; capital and small "
                "letters are the same."
            )

    def admit() -> None:
        if role is Role.TEACHER:
            return
        if (seconds := new_names.wait_seconds(address)) > 0:
            raise TooManyAttemptsError(seconds, "new names came from your address")
        new_names.count(address)

    return sessions.join(name, role, earlier_token=earlier_token, admit=admit)
