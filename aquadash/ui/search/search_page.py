"""The search view of the Train page: a form to launch a search, and a search to watch."""

from __future__ import annotations

import streamlit as st

from aquadash.classroom.checks import check_search
from aquadash.errors import NotAllowedError
from aquadash.ui import cache
from aquadash.ui.search import search_form, search_live


def show() -> None:
    """Draw the whole view."""
    heads = cache.search_heads()
    refused = _refusal()
    if refused:
        st.info(refused, icon="🏫")
        if heads:
            search_live.watch(heads)
        return
    # The search at work comes first, for a narrow screen shows the columns one below the other.
    left, right = st.columns([3, 2], gap="large")
    with right:
        search_form.show()
    with left:
        if heads:
            search_live.watch(heads)
        else:
            st.info(
                "Nothing has been searched here yet. Choose which settings vary and press **Search**: AquaDash tries "
                "them out, a training each, and shows here which values do well.",
                icon="🔭",
            )


def _refusal() -> str:
    """Why the visitor may start no search; empty if they may."""
    try:
        check_search()
    except NotAllowedError as error:
        return str(error)
    return ""
