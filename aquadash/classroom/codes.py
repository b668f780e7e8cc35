"""The two codes of a class, with which students and the teacher join; kept until the teacher renews them."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from filelock import FileLock
from pydantic import Field

from aquadash import settings
from aquadash.classroom.files import read_private, write_private
from aquadash.people import Role

#: Without characters that look alike on a projector (0 O, 1 I L, U V, 5 S, 2 Z, 8 B), and without vowels: no words.
ALPHABET = "CDFGHJKMNPQRTVWXY34679"
#: 22 ** 6 is 113 million; attempts are limited to some hundreds an hour.
STUDENT_LENGTH = 6
#: 22 ** 10 is 26 million million. A person who has read half of the code cannot guess the other half.
TEACHER_LENGTH = 10


@dataclass(frozen=True)
class Codes:
    """The present codes: each lets a person join in the role of its name."""

    student: Annotated[str, Field(pattern=f"^[{ALPHABET}]{{{STUDENT_LENGTH},}}$")]
    teacher: Annotated[str, Field(pattern=f"^[{ALPHABET}]{{{TEACHER_LENGTH},}}$")]

    def role_of(self, typed: str) -> Role | None:
        """Return the role that a typed code gives, None for a wrong code; compare both codes in constant time."""
        code = tidy(typed).encode("utf-8", "surrogatepass")
        student = hmac.compare_digest(code, self.student.encode())
        teacher = hmac.compare_digest(code, self.teacher.encode())
        return Role.TEACHER if teacher else Role.STUDENT if student else None


def tidy(typed: str) -> str:
    """Return a typed code in capitals, without blanks and hyphens."""
    return "".join(typed[:80].split()).replace("-", "").upper()


def spaced(code: str) -> str:
    """Return a code in groups, as it is read out: ``"CDF GHJ"``, ``"CDFGH JKMNP"``."""
    size = 3 if len(code) <= STUDENT_LENGTH else 5
    return " ".join(code[start : start + size] for start in range(0, len(code), size))


def codes() -> Codes:
    """Return the class's codes; make them where there are none yet."""
    return read_private(_path(), Codes) or _write(lambda known: known or _new())


def renew(role: Role) -> Codes:
    """Make a new code for a role; people who have joined stay in."""
    made = _new()
    return _write(lambda known: replace(known or made, **{role.value: getattr(made, role.value)}))


def new_code(length: int) -> str:
    """Return a random code of unambiguous characters."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _path() -> Path:
    return settings.classroom_folder() / "codes.json"


def _new() -> Codes:
    return Codes(new_code(STUDENT_LENGTH), new_code(TEACHER_LENGTH))


def _write(change: Callable[[Codes | None], Codes]) -> Codes:
    """Replace the codes by the result of ``change``, under a lock that all processes share."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_suffix(".lock"), timeout=20):
        made = change(read_private(path, Codes))
        write_private(path, asdict(made))
        return made
