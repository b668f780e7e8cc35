"""A small picture of what each operator does, with the words for it; encoded once for everybody."""

from __future__ import annotations

import html

import streamlit as st

from aquadash.augment import OperatorInfo
from aquadash.ui import gallery


def markup(info: OperatorInfo) -> str:
    """Picture, title and words of an operator as HTML, every text in it escaped."""
    harm = f'<span class="aqua-sub">⚠️ {html.escape(info.harm)}</span>' if info.harm else ""
    return (
        f'<div class="aqua-operator">{_picture(info)}<div><b>{html.escape(info.title)}</b> '
        f"<code>{html.escape(info.name)}</code><br>{html.escape(info.help)} {html.escape(info.effect)} {harm}"
        "</div></div>"
    )


def _picture(info: OperatorInfo) -> str:
    address = _addresses().get(info.name)
    if address is None:
        return ""
    return f'<img class="aqua-pixels" alt="An animal after {html.escape(info.title)}" src="{address}">'


def original() -> str | None:
    """The address of the picture that all others are made of."""
    return _addresses().get("")


@st.cache_resource(show_spinner="Drawing the small pictures ...")
def _addresses() -> dict[str, str]:
    """Data addresses by operator; the unchanged picture's under the empty name."""
    # The pictures need imgaug, which takes a second to import; a page that shows none of them does without.
    from aquadash.augment import thumbnails

    found = {name: gallery.data_url(image) for name, image in thumbnails.thumbnails().items()}
    return {"": gallery.data_url(thumbnails.thumbnail_source()), **found}
