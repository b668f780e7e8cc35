"""Joining a class: a name and a code, and not too many tries."""

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
    """Too many wrong codes came from there.

    Attributes:
        seconds: How long to wait.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"Too many wrong codes were typed. Wait {max(1, round(seconds))} s, then try again with the code that the "
            "teacher shows."
        )


def join(
    sessions: Sessions, attempts: Attempts, *, name: str, code: str, address: str, earlier_token: str | None = None
) -> Joined:
    """Let somebody in.

    Args:
        sessions: The class.
        attempts: Counts wrong codes.
        name: As typed.
        code: As typed: the students', the teacher's, or one for coming back under that name.
        address: Where the request comes from.
        earlier_token: What the browser has from before.

    Raises:
        TooManyAttemptsError: The code was not looked at.
        WrongCodeError: It is none.
        ConfigError: The name cannot be used.
    """
    with attempts.turn:
        if (seconds := attempts.wait_seconds(address)) > 0:
            raise TooManyAttemptsError(seconds)
        # All are compared whatever comes out.
        role = codes().role_of(code)
        returning = sessions.returning(name, code)
        if role is None and not returning:
            attempts.failed(address)
            raise WrongCodeError(
                "That is not the code of this class. It is on the projector, or ask the teacher; capital and small "
                "letters are the same."
            )
    return sessions.join(name, role or Role.STUDENT, earlier_token=earlier_token, return_code=code if returning else "")
