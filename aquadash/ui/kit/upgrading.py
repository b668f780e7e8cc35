"""The notice about runs of an earlier version, and the button on Home that brings them over."""

import streamlit as st

from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain

_DONE = "upgrade:done"


def render_notice(page: str) -> None:
    """Say on every page that runs of an earlier version are not shown yet; on Home, offer to bring them over."""
    if page == "home" and _DONE in st.session_state:
        _result()
    if not lab().runs.may_upgrade():
        return
    with st.container(border=True, key="upgrade"):
        st.markdown("**An earlier version of AquaDash has left its runs here.** They are not shown yet.")
        if page != "home":
            st.page_link("pages/home.py", label="Bring them over on Home")
            return
        st.markdown(
            "One click copies its runs, searches and waiting trainings into the new database beside the old files. "
            "Nothing old is changed or deleted. Stop the earlier version first. It takes a few seconds."
        )
        place = st.empty()
        if place.button("Bring them over", type="primary", key="upgrade-start"):
            bar = place.progress(0.0, text="Starting ...")

            def show(text: str, fraction: float | None) -> None:
                bar.progress(fraction or 0.0, text=plain(f"{text} ..."))

            st.session_state[_DONE] = lab().runs.upgrade(progress=show)
            st.rerun()


def _result() -> None:
    done = st.session_state[_DONE]
    st.success(f"{count(done.runs, 'run')} and {count(done.searches, 'search', 'searches')} are here now.")
    if done.damaged:
        st.warning("These could not be read:\n" + "\n".join(f"- {plain(line)}" for line in done.damaged), icon="🚧")
