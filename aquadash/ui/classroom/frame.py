"""The frame of every page in a class: admission, the visitor's name, and locked pages."""

import html
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import streamlit as st

from aquadash.classroom import limits
from aquadash.classroom.invitation import JOIN_PATH, LEAVE_PATH
from aquadash.pages import name_at
from aquadash.people import Role
from aquadash.training.forecast import PAUSED
from aquadash.ui.kit import address, admission, shell
from aquadash.ui.kit.admission import REMOVED, Admission
from aquadash.ui.kit.lab import visitor
from aquadash.ui.kit.text import plain

#: Seconds between two checks of the visitor's admission.
_WATCH_SECONDS = 3.0

#: A form, because only the server can delete the cookie.
_LEAVE = (
    f"<form action='{LEAVE_PATH}' method='post'><button style='font: inherit; color: inherit; background: none; "
    "border: 1px solid currentColor; border-radius: 0.6rem; padding: 0.35rem 1rem; cursor: pointer'>Leave</button>"
    "</form>"
)


def run(pages: Sequence[st.Page]) -> None:
    """Draw the requested page, a notice that it is locked, or for strangers the way to join."""
    address.begin()
    page = st.navigation(pages, position="hidden" if admission.now() is Admission.JOIN else "sidebar")
    name = name_at(page.url_path)
    allowed = admission.enter(name)
    if allowed is Admission.JOIN:
        _join(name)
        return
    st.set_page_config(page_title=f"{page.title} · AquaDash")
    _sidebar()
    if allowed is Admission.LOCKED:
        with shell.bare_page():
            shell.render_head(f"🔒 {page.title}", question="The teacher has locked this page for now.")
            st.markdown("It opens by itself when the teacher unlocks it. The other pages are in the menu.")
            st.page_link("pages/classroom.py", label="Go to the class", icon="🏫")
        return
    page.run()


def _join(page: str) -> None:
    """Draw the way to join, which strangers see instead of any page."""
    st.set_page_config(page_title="Join the class · AquaDash")
    with shell.bare_page(open_to_all=True):
        st.title("🐋 Join the class", anchor=False)
        if admission.was_removed(admission.token()):
            st.warning(REMOVED, icon="🚪")
        else:
            st.markdown("You have not joined this class, or your time in it is over. Your work is kept.")
        # The requested address, to come back to. Plain HTML: Streamlit's links open another tab.
        query = urlencode([(name, value) for name in st.query_params for value in st.query_params.get_all(name)])
        link = html.escape(f"{JOIN_PATH}?next={quote(f'/{page}?{query}'.rstrip('?'), safe='')}", quote=True)
        st.html(
            f"<p><a href='{link}' target='_self' style='font-size: 1.25rem; color: inherit'>"
            "Join with a name and a code</a></p>"
            "<style>[data-testid='stSidebar'], [data-testid='stExpandSidebarButton'] { display: none }</style>"
        )


def _sidebar() -> None:
    person = visitor()
    with st.sidebar:
        with st.container(key="class-person"):
            role = "Teacher" if person.role is Role.TEACHER else "Student"
            st.markdown(f"{'🧑‍🏫' if person.leads else '🧑‍🎓'} **{plain(person.name)}**  \n{role}")
            with st.popover("Leave the class", icon=":material/logout:", type="tertiary", key="class-leave-box"):
                st.markdown(
                    "Your runs are kept. To come back, "
                    + ("type this name and the teacher's code." if person.leads else "ask the teacher for a link.")
                )
                with st.container(key="class-leave"):
                    st.html(_LEAVE)
        shell.live(_WATCH_SECONDS, open_to_all=True)(_watch)(_signature())


def _watch(drawn: tuple[object, ...]) -> None:
    """Draw the page again when the visitor's admission changes; say that the queue is paused."""
    if _signature() != drawn:
        address.draw_again()
    now = limits.in_force()
    if now.paused:
        st.caption(f"⏸️ {PAUSED}")


def _signature() -> tuple[object, ...]:
    return visitor(), admission.now(), limits.in_force().locked_pages
