"""Home: show a network a picture, begin somewhere, go on with what there is."""

import streamlit as st

from aquadash.ui.home import home_views
from aquadash.ui.kit import datasets, image_dialog, picture_cards, predict_runs, shell, uploads, warmup
from aquadash.ui.kit.text import plain


def render() -> None:
    """Draw the page."""
    with shell.page("home"):
        _home()


def _home() -> None:
    warmup.prepare_answers()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picture = uploads.one("home-picture")
        with st.container(border=True, key="home-answer"):
            place, below = st.container(), st.container(horizontal=True, vertical_alignment="center")
        with below:
            sample = 0 if picture else predict_runs.sample_number()
        if picture or sample:
            # Clear the old sentence before the network loads; the browser draws no container without an element.
            place = place.container(key="home-asked")
            place.empty()
    shown = None
    with right, shell.guard(), st.container(key="home-animals"):
        if datasets.here(datasets.current()):
            shown = datasets.dataset(datasets.current())
            home_views.animals(shown)
    with shell.guard():
        home_views.cards(shown or datasets.dataset(datasets.DEFAULT_SOURCE))
    home_views.render_progress()
    by = None
    # Last, because the answer may take seconds.
    with place, shell.guard():
        if by := home_views.answer(picture, sample):
            text = f"Answered by {by.name}"
            query = {"run": by.run_id} | ({"sample": str(sample)} if sample else {})
            below.page_link("pages/predict.py", label=plain(text), query_params=query, width="stretch")
    own = [picture_cards.own(picture)] if picture else []
    image_dialog.clickable(*filter(None, [by]), source=datasets.current(), own=own, as_now=True)
