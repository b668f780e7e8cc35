"""The projector: a browser that shows what the teacher chooses, large and without anything around."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from aquadash.classroom import projector
from aquadash.errors import AquaDashError
from aquadash.lab import Lab
from aquadash.pages import PROJECTOR
from aquadash.people import OWNER
from aquadash.ui import address, shell, warmup
from aquadash.ui.classroom import admission
from aquadash.ui.classroom.admission import Admission
from aquadash.ui.evaluate.present import CSS as PRESENT_CSS
from aquadash.ui.lab import lab
from aquadash.ui.text import plain

#: Seconds between two looks at what is to be shown.
_FOLLOW_SECONDS = 1.0
_SEEN = "class:projected-at"
_ONE = "class:is-projector"


def is_one() -> bool:
    """Whether this browser is a projector: ``?projector=1`` or an empty projector's address; kept for the session."""
    if PROJECTOR in st.query_params or waits():
        st.session_state[_ONE] = True
    return bool(st.session_state.get(_ONE))


def follow() -> None:
    """Go where the teacher points, and hide what is not for the class to look at."""
    st.html(PRESENT_CSS)
    # The word stays in the address, so that reloading keeps the browser a projector.
    if PROJECTOR not in st.query_params:
        st.query_params[PROJECTOR] = "1"
    shell.live(_FOLLOW_SECONDS, open_to_all=True)(_follow)(admission.now(), hidden_runs())


def offer(page: str) -> None:
    """Draw the teacher's button that shows the present view on the projector."""
    st.button(
        "Show on the projector",
        key="class-show",
        icon=":material/cast:",
        help="Every browser that is open as a projector goes to this view, as it is now. The Class page opens one.",
        on_click=lambda: _show(page, st.query_params.to_dict()),
    )


@shell.guard()
def _show(page: str, query: dict[str, str]) -> None:
    lab().people.show(page, query)
    st.toast("The projector shows it.", icon="📽️")


def _follow(drawn: Admission, hidden: frozenset[str]) -> None:
    if admission.now() is not drawn or hidden_runs() != hidden:
        lab().refresh()
        address.draw_again()
    wanted = projector.shown()
    if wanted is None or st.session_state.get(_SEEN) == wanted.at:
        return
    st.session_state[_SEEN] = wanted.at
    # What the teacher's address leaves out is not what this browser showed last.
    address.forget()
    # What the page asked for last must not outweigh its new address.
    st.switch_page(f"pages/{wanted.page}.py", query_params={**wanted.query, PROJECTOR: "1"})


def hidden_runs() -> frozenset[str]:
    """The ids of the runs that a projector does not find; none while runs cannot be read, nor are any shown then."""
    with suppress(AquaDashError):
        if warmup.ready():
            return frozenset(run.run_id for run in Lab(OWNER).runs.all() if run.hidden)
    return frozenset()


def leave() -> None:
    """Be an ordinary browser again: the callback of a button."""
    st.session_state.pop(_ONE, None)
    st.query_params.clear()


def show_view(name: str) -> None:
    """Show a view of the Class page: the callback of a button."""
    _show("classroom", {"view": name})


def control() -> None:
    """Draw what the teacher needs for the projector: how to open one, and what to show."""
    st.markdown(
        "Open a projector window once, on the screen that the class sees. From then on it follows: the button **Show "
        "on the projector** at the left of every page sends the view that you look at, as it is."
    )
    # A link, because a projector is another window.
    st.link_button("Open a projector window", "/classroom?view=projector", icon=":material/open_in_new:")
    with st.container(horizontal=True):
        for name, label in (
            ("invitation", "Show the join code"),
            ("board", "Show the board"),
            ("queue", "Show the queue"),
        ):
            st.button(label, key=f"show-{name}", icon=":material/cast:", on_click=show_view, args=(name,))
        st.button(
            "Show nothing", key="show-nothing", icon=":material/cast_pause:", on_click=show_view, args=("projector",)
        )
    wanted = projector.shown()
    if wanted is None or wanted.query.get("view") == "projector":
        st.caption("Nothing is shown at the moment.")
    else:
        st.caption(f"Shown now: {plain(wanted.page)}")


def waits() -> bool:
    """Whether the address asks for an empty projector."""
    return st.query_params.get("view") == "projector" and admission.page() == "classroom"


def wait() -> None:
    """What an empty projector shows."""
    with st.container(horizontal_alignment="center", key="present-screen"):
        st.html("<div style='font-size: 6rem' aria-hidden='true'>🐋</div>", width="content")
        st.title("AquaDash", anchor=False, width="content")
        st.markdown("This window shows what the teacher chooses.", width="content")
        st.button("Use it as an ordinary window", key="projector-leave", type="tertiary", on_click=leave)
