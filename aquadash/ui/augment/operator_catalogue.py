"""The catalogue: every operator with a picture, what it does to an animal, and when it harms."""

from __future__ import annotations

import html

import streamlit as st

from aquadash.augment import FAMILIES, OPERATORS
from aquadash.ui import bound, inputs
from aquadash.ui.augment import operator_pictures
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
    if (picture := operator_pictures.original()) is not None:
        st.html(
            f'<div class="aqua-operator"><img class="aqua-pixels" alt="A drawn animal" src="{html.escape(picture)}">'
            "<div>The picture that the others are made of.</div></div>"
        )
    st.html("".join(operator_pictures.markup(info) for info in of_family))
