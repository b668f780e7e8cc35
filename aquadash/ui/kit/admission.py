"""The visitor of a page, known by the cookie of joining, and whether they may see the page.

Each action is checked again by :mod:`aquadash.lab.rights`.
"""

from contextlib import suppress
from enum import StrEnum

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person, Role

#: The name of the cookie that holds the session's token.
COOKIE = "aquadash_class"

#: The message to a person whom the teacher has removed.
REMOVED = "The teacher has removed you from this class. Your runs are kept. To come back, ask the teacher for a link."

_PAGE = "class:page"


class Admission(StrEnum):
    """The page, the way to join, or the notice of a locked page."""

    PAGE = "page"
    JOIN = "join"
    LOCKED = "locked"


def enter(page: str) -> Admission:
    """Remember the page that is drawn, and return the visitor's admission to it."""
    st.session_state[_PAGE] = page
    return now()


def now() -> Admission:
    """Return the visitor's admission to the page that is drawn; without a class, everybody has it."""
    if not settings.classroom():
        return Admission.PAGE
    from aquadash.classroom import limits

    person = visitor()
    if person.role is Role.STRANGER:
        return Admission.JOIN
    if person.role is Role.STUDENT and st.session_state.get(_PAGE) in limits.in_force().locked_pages:
        return Admission.LOCKED
    return Admission.PAGE


def visitor() -> Person:
    """Return the visitor of this thread's page; :data:`STRANGER` in a thread without a page."""
    return person_of(token())


def person_of(token: str | None) -> Person:
    """Return the person of a token; :data:`STRANGER` if it is unknown, or the sessions cannot be read."""
    from aquadash.classroom.sessions import open_sessions

    with suppress(AquaDashError):
        return open_sessions().person_of(token) or STRANGER
    return STRANGER


def was_removed(token: str | None) -> bool:
    """Return whether the teacher has removed the person of a token."""
    from aquadash.classroom.sessions import open_sessions

    with suppress(AquaDashError):
        return open_sessions().was_removed(token)
    return False


def token() -> str | None:
    """Return the browser's token, as it was when the page's connection was opened."""
    return st.context.cookies.get(COOKIE)
