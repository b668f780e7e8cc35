"""What only those may do who lead the class."""

from __future__ import annotations

from aquadash import people
from aquadash.errors import NotAllowedError


def require_lead(what: str) -> None:
    """Let the teacher and the owner of the machine pass.

    Args:
        what: What is asked for, after "may": ``"renew the codes"``.

    Raises:
        NotAllowedError: Somebody else asks.
    """
    person = people.current()
    if not person.leads:
        who = f"{person.name}, a student," if person.name else "Who has not joined the class"
        raise NotAllowedError(f"{who} may not {what}. Only the teacher may; ask them.")
