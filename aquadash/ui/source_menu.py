"""The menu of data sets: those that come with AquaDash, and those of own pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from aquadash.data import SOURCES, title_of
from aquadash.data.folder import about
from aquadash.errors import NotAllowedError
from aquadash.ui import address, inputs
from aquadash.ui.text import plain

DEFAULT = "synthetic"


def take(names: Sequence[str], *, default: str = DEFAULT) -> None:
    """Set the value of the menu that is drawn next, from the address or from the page that was open before."""
    try:
        about.ask(st.query_params.get("source", ""))
    except NotAllowedError as error:
        st.warning(plain(str(error)), icon="🧭")
    # Set in any case: another page's menu has the same key, but the value of another widget is not taken over.
    st.session_state["source"] = address.choice("source", names, default=default)


def choose(
    label: str, *, default: str = DEFAULT, help: str | None = None, width: int | Literal["stretch"] = "stretch"
) -> str:
    """Draw the menu, whose key and name in the address is ``source``.

    Args:
        label: Above it.
        default: Chosen where the address says nothing. A data set that is not there any more gets a word, and the
            drawn animals take its place.
        help: Beside the label.
        width: In pixels, or all there is.
    """
    names = list(SOURCES)
    if default not in names:
        st.info(
            f"The data set “{plain(default)}” is not on this computer any more. Choose another one, or bring it back "
            "on the Data page.",
            icon="🧭",
        )
        default = DEFAULT
    take(names, default=default)
    source = inputs.selectbox(label, names, key="source", format_func=title_of, help=help, width=width)
    address.record("source", source, default=DEFAULT)
    return source
