"""Who looks at a page, by the cookie that joining has set."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from aquadash import people, settings
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person

#: The name of the cookie that holds the session's token.
COOKIE = "aquadash_class"


def visitor() -> Person | None:
    """The visitor that this thread draws a page for.

    Returns:
        None where there is no class, or in a thread that draws no page; :data:`STRANGER` for one who has not joined,
        whose session has ended, or about whom nothing can be learnt.
    """
    # Nothing public tells a thread that draws a page from any other (streamlit/streamlit#8490): st.context says nothing
    # in both, once the browser has gone.
    if not settings.classroom() or get_script_run_ctx(suppress_warning=True) is None:
        return None
    try:
        return open_sessions().person_of(token()) or STRANGER
    except AquaDashError:
        # The session file cannot be read. Whoever asks is nobody until it can.
        return STRANGER


def token() -> str | None:
    """What the browser of this page holds, as it was when the page's connection was made."""
    value = st.context.cookies.get(COOKIE)
    return value if isinstance(value, str) else None


# At the import, not in a function that a way into the pages might pass by: until this is said, all visitors count as
# the owner of the machine.
people.look_up_by(visitor)
