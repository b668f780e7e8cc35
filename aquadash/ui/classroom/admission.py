"""The visitor of a page, by the cookie that joining has set, and whether they may see the page.

Asked before a page is drawn, and before each of its parts is drawn again. The rights of people are checked where
something is done (:mod:`aquadash.lab.rights`); this is a second lock.
"""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

from aquadash.classroom import limits
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person, Role

#: The name of the cookie that holds the session's token.
COOKIE = "aquadash_class"

_PAGE = "class:page"


class Admission(StrEnum):
    """What is drawn."""

    PAGE = "page"
    JOIN = "join"
    LOCKED = "locked"


def enter(page: str) -> Admission:
    """Decide about a page that is about to be drawn, by its name in the address, and remember which it is."""
    st.session_state[_PAGE] = page
    return now()


def now() -> Admission:
    """The same for the page that is being drawn."""
    person = visitor()
    if person.role is Role.STRANGER:
        return Admission.JOIN
    if person.role is Role.STUDENT and st.session_state.get(_PAGE) in limits.in_force().locked_pages:
        return Admission.LOCKED
    return Admission.PAGE


def visitor() -> Person:
    """Return the visitor that this thread draws a page for; :data:`STRANGER` in a thread that draws no page."""
    return person_of(token())


def person_of(token: str | None) -> Person:
    """Return whose session a token proves; :data:`STRANGER` where it is nobody's, or the sessions cannot be read."""
    try:
        return open_sessions().person_of(token) or STRANGER
    except AquaDashError:
        return STRANGER


def token() -> str | None:
    """What the browser of this page holds, as it was when the page's connection was made."""
    value = st.context.cookies.get(COOKIE)
    return value if isinstance(value, str) else None
