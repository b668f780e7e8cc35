"""Predict: show a trained network pictures of one's own."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import cache, components, predict_views, predictions, scores, shell

with shell.page("📷 Predict", question="What does the network say about my picture?"):
    runs = scores.results_first(cache.runs())
    if not runs:
        components.empty_state(
            "📷",
            "There is no trained network yet that could look at a picture. Train one first; the drawn animals and a "
            "small number of epochs take a minute or two.",
            page="pages/train.py",
            label="Go to Train",
        )
        st.stop()
    run = components.run_picker(runs, help="The run whose network looks at the pictures.")
    if run is None:
        st.stop()
    if not scores.has_results(run):
        with st.container(horizontal=True):
            components.status_badge(run.status)
        st.info("This run has no trained network yet. It is stored when the run ends or is stopped.", icon="📷")
        st.page_link(
            "pages/train.py", label="Go to Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
        )
        st.stop()
    uploads = st.file_uploader(
        "Drop pictures here: one, or many at once",
        type=list(predictions.ENDINGS),
        accept_multiple_files=True,
        max_upload_size=25,
        key="pictures",
        help="PNG, JPEG, WebP, BMP or GIF, at most 25 MB each. They "
        "go to the computer that AquaDash runs on and nowhere else.",
    )
    predict_views.choices_note(run)
    if uploads:
        with shell.guard():
            predict_views.dropped(run, uploads)
    else:
        with shell.guard():
            predict_views.samples(run)
