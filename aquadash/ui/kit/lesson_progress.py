"""The visitor's progress in the lesson, by the id in the address or the session."""

import streamlit as st

from aquadash.pages import ME
from aquadash.ui.kit import address
from aquadash.walkthrough import progress

_ME = "walkthrough:me"


def visitor_id() -> str:
    """Return the visitor's id from the address or the session; empty before the first answer."""
    named = st.query_params.get(ME, "")
    if named and not progress.is_id(named):
        address.render_note(ME, named, "the 16 letters and digits of an earlier visit")
        named = ""
    _remember(named or st.session_state.get(_ME, ""))
    return str(st.session_state[_ME])


def record(lesson: str, *, solved: bool) -> None:
    """Store an answer; the first one creates the visitor's id."""
    me = visitor_id() or progress.new_id()
    progress.note(me, lesson, solved=solved)
    _remember(me)


def read() -> progress.LessonProgress:
    """Return the visitor's progress."""
    return progress.read(visitor_id())


def _remember(me: str) -> None:
    st.session_state[_ME] = me
    if me and st.query_params.get(ME) != me:
        st.query_params[ME] = me
    elif not me and ME in st.query_params:
        del st.query_params[ME]
