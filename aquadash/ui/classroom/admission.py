"""Whether the visitor of a page may see it: asked before a page is drawn, and before each of its parts is drawn anew.

Everything here is courtesy to people and a second lock: what each may *do* is asked where it is done
(:mod:`aquadash.lab.rights`).
"""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

from aquadash import settings
from aquadash.classroom import limits
from aquadash.people import STRANGER, Role
from aquadash.ui.lab import visitor

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
    """The same for the page that is being drawn; :attr:`Admission.PAGE` wherever there is no class."""
    if not settings.classroom():
        return Admission.PAGE
    person = visitor()
    if person.role is Role.STRANGER or person is STRANGER:
        return Admission.JOIN
    if person.role is Role.STUDENT and st.session_state.get(_PAGE) in limits.in_force().locked_pages:
        return Admission.LOCKED
    return Admission.PAGE


def page() -> str:
    """The name of the page that is being drawn; empty before the first."""
    return str(st.session_state.get(_PAGE, ""))
