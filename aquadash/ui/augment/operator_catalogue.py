"""The catalogue: every operator with a picture, what it does to an animal, and when it harms."""

from __future__ import annotations

import html

import streamlit as st

from aquadash.augment import FAMILIES, OPERATORS, OperatorInfo
from aquadash.augment.preview import thumbnail, thumbnail_source
from aquadash.ui import bound, gallery, inputs
from aquadash.ui.augment.studio import Studio
from aquadash.ui.text import count


def show(studio: Studio) -> None:
    """Draw the operators of a family; the family is in the address."""
    family = bound.choice("family", FAMILIES, label="Family", widget=inputs.pills)
    of_family = [info for info in OPERATORS.values() if info.family == family]
    st.caption(
        f"{count(len(of_family), 'step')} of {len(OPERATORS)}. The second names are imgaug's, whose "
        "documentation says more."
    )
    st.html(
        f'<div class="aqua-operator"><img class="aqua-pixels" alt="A drawn animal" src="{_pictures()[""]}">'
        "<div>The picture that the others are made of.</div></div>"
    )
    st.html("".join(markup(info) for info in of_family))


def markup(info: OperatorInfo) -> str:
    """Picture, title and words of an operator as HTML, every text in it escaped."""
    harm = f'<span class="aqua-sub">⚠️ {html.escape(info.harm)}</span>' if info.harm else ""
    title = html.escape(info.title)
    return (
        f'<div class="aqua-operator"><img class="aqua-pixels" alt="An animal after {title}" '
        f'src="{_pictures()[info.name]}">'
        f"<div><b>{title}</b> <code>{html.escape(info.name)}</code><br>{html.escape(info.help)} "
        f"{html.escape(info.effect)} {harm}</div></div>"
    )


@st.cache_resource(show_spinner="Drawing the small pictures ...")
def _pictures() -> dict[str, str]:
    """A small picture of each operator as a data address, encoded once for everybody; the original's under no name."""
    found = {name: gallery.data_url(thumbnail(name)) for name in OPERATORS}
    return {"": gallery.data_url(thumbnail_source()), **found}
