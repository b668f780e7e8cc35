"""Who looks at a page, by the cookie that joining has set."""

from __future__ import annotations

import streamlit as st

from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person

#: The name of the cookie that holds the session's token.
COOKIE = "aquadash_class"


def visitor() -> Person:
    """The visitor that this thread draws a page for; :data:`STRANGER` for one who has not joined, whose session has
    ended, or about whom nothing can be learnt, and in a thread that draws no page."""
    try:
        return open_sessions().person_of(token()) or STRANGER
    except AquaDashError:
        # The session file cannot be read. Whoever asks is nobody until it can.
        return STRANGER


def token() -> str | None:
    """What the browser of this page holds, as it was when the page's connection was made."""
    value = st.context.cookies.get(COOKIE)
    return value if isinstance(value, str) else None
