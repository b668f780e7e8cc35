"""The two codes of a class: who types one joins, as a student or as the teacher.

They are kept in ``classroom/codes.json`` of ``AQUADASH_HOME``, which only the account that AquaDash runs in may read,
and stay the same until somebody renews them, so that a class can meet again next week.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from filelock import FileLock
from pydantic import Field

from aquadash import settings
from aquadash.classroom.files import read_private, write_private
from aquadash.people import Role

#: Capital letters and digits that nobody takes for another on a projector (no 0 and O, 1, I and L, U and V, 5 and S,
#: 2 and Z, 8 and B), and no vowels, so that no code is a word.
ALPHABET = "CDFGHJKMNPQRTVWXY34679"
#: 22 ** 6 is 113 million; attempts are limited to some hundreds an hour.
STUDENT_LENGTH = 6
#: 22 ** 10 is 26 million million: it may be learned by nobody who saw half of it.
TEACHER_LENGTH = 10


@dataclass(frozen=True)
class Codes:
    """The codes as they are now: who types one joins as a student, or as the teacher."""

    student: Annotated[str, Field(pattern=f"^[{ALPHABET}]{{{STUDENT_LENGTH},}}$")]
    teacher: Annotated[str, Field(pattern=f"^[{ALPHABET}]{{{TEACHER_LENGTH},}}$")]

    def role_of(self, typed: str) -> Role | None:
        """What somebody who typed this is to the class, None for no code.

        Both codes are compared whatever comes out, each in a time that does not depend on how much of it is right.
        Lower case, blanks and hyphens do not matter: people copy codes from a wall.
        """
        code = tidy(typed).encode("utf-8", "surrogatepass")
        student = hmac.compare_digest(code, self.student.encode())
        teacher = hmac.compare_digest(code, self.teacher.encode())
        return Role.TEACHER if teacher else Role.STUDENT if student else None


def tidy(typed: str) -> str:
    """A typed code without what does not count."""
    return "".join(typed[:80].split()).replace("-", "").upper()


def spaced(code: str) -> str:
    """A code in groups, as it is read out: ``"CDF GHJ"``, ``"CDFGH JKMNP"``."""
    size = 3 if len(code) <= STUDENT_LENGTH else 5
    return " ".join(code[start : start + size] for start in range(0, len(code), size))


def codes() -> Codes:
    """Return the class's codes; they are made where there are none yet.

    Raises:
        StorageError: They cannot be read or written.
    """
    return read_private(_path(), Codes) or _write(lambda known: known or _new())


def renew(*roles: Role) -> Codes:
    """Make new codes; who has joined stays in. See :meth:`aquadash.lab.people.People.renew_codes`."""

    def change(known: Codes | None) -> Codes:
        made = _new()
        if known is None or not roles:
            return made
        return Codes(
            made.student if Role.STUDENT in roles else known.student,
            made.teacher if Role.TEACHER in roles else known.teacher,
        )

    return _write(change)


def new_code(length: int) -> str:
    """A random code of unambiguous characters."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _path() -> Path:
    return settings.classroom_folder() / "codes.json"


def _new() -> Codes:
    return Codes(new_code(STUDENT_LENGTH), new_code(TEACHER_LENGTH))


def _write(change: Callable[[Codes | None], Codes]) -> Codes:
    """Replace the codes by what ``change`` makes of them; no other process does so meanwhile."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_suffix(".lock"), timeout=20):
        made = change(read_private(path, Codes))
        write_private(path, asdict(made))
        return made
