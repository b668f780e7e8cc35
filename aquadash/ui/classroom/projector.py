"""The projector: a browser that shows what the teacher chooses, large and without anything around."""

from __future__ import annotations

import streamlit as st

from aquadash.classroom import projector
from aquadash.ui import shell
from aquadash.ui.present import CSS as PRESENT_CSS

#: Seconds between two looks at what is to be shown.
_FOLLOW_SECONDS = 1.0
_SEEN = "class:projected-at"
_ONE = "class:is-projector"


def is_one() -> bool:
    """Whether this browser is a projector: ``?projector=1`` in the address, kept for the rest of the session."""
    if projector.KEY in st.query_params:
        st.session_state[_ONE] = True
    return bool(st.session_state.get(_ONE))


def become() -> None:
    """Make this browser a projector: the callback of the button."""
    st.session_state[_ONE] = True


def follow() -> None:
    """Go where the teacher points, and hide what is not for the class to look at."""
    st.html(PRESENT_CSS)
    # The word stays in the address, so that reloading keeps the browser a projector.
    if projector.KEY not in st.query_params:
        st.query_params[projector.KEY] = "1"
    shell.live(_FOLLOW_SECONDS)(_follow)()


def offer(page: str) -> None:
    """Draw the teacher's button that shows the present view on the projector."""
    st.button(
        "Show on the projector",
        key="class-show",
        icon=":material/cast:",
        help="Every browser that is open as a projector goes to this view, as it is now. The Class page opens one.",
        on_click=_show,
        args=(page,),
    )


def _show(page: str) -> None:
    with shell.guard():
        projector.show(page, st.query_params.to_dict())
        st.toast("The projector shows this view.", icon="📽️")


def _follow() -> None:
    wanted = projector.shown()
    if wanted is None or st.session_state.get(_SEEN) == wanted.at:
        return
    st.session_state[_SEEN] = wanted.at
    # What the page asked for last must not outweigh its new address.
    st.switch_page(f"pages/{wanted.page}.py", query_params={**wanted.query, projector.KEY: "1"})


def leave() -> None:
    """Be an ordinary browser again: the callback of a button."""
    st.session_state.pop(_ONE, None)
    st.query_params.pop(projector.KEY, None)

