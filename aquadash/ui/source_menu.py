"""The menu of data sets: those that come with AquaDash, and those of own pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from aquadash.data import title_of
from aquadash.errors import NotAllowedError
from aquadash.ui import address, bound
from aquadash.ui.lab import lab
from aquadash.ui.text import plain

DEFAULT = "synthetic"


def choose(label: str, *, default: str = DEFAULT, title: Callable[[str], str] = title_of, **arguments: Any) -> str:
    """Draw the menu, whose key and name in the address is ``source``.

    Args:
        label: Above it.
        default: Chosen where the address says nothing. A data set that is not there any more gets a word, and the
            drawn animals take its place.
        title: What a data set is called.
        arguments: More for :func:`aquadash.ui.bound.menu`.
    """
    own = lab().data
    names = list(own.sources())
    if default not in names:
        st.info(
            f"The data set “{plain(default)}” is not on this computer any more. Choose another one, or bring it back "
            "on the Data page.",
            icon="🧭",
        )
        default = DEFAULT
    try:
        own.require(st.query_params.get("source", ""))
    except NotAllowedError as error:
        st.warning(plain(str(error)), icon="🧭")
    # Set in any case: another page's menu has the same key, but the value of another widget is not taken over.
    st.session_state["source"] = address.choice("source", names, default=default)
    return bound.menu("source", {name: title(name) for name in names}, label=label, default=DEFAULT, **arguments)
