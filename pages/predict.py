"""Predict: show trained networks pictures of one's own."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import components, run_lists, shell, uploads
from aquadash.ui.lab import lab
from aquadash.ui.predict import predict_runs, predict_views

with shell.page("predict"):
    runs = run_lists.best_first(run_lists.or_included_model(run_lists.with_networks(lab().runs.all())))
    if not runs:
        components.empty_state(
            "📷",
            "There is no trained network yet that could look at a picture. Train one first; the drawn animals and a "
            "small number of epochs take a minute or two.",
            page="pages/train.py",
            label="Go to Train",
        )
        run_lists.offer_included_model_again()
        st.stop()
    run = components.run_picker(runs, help="The run whose network looks at the pictures.")
    if run is None:
        st.stop()
    if not run_lists.has_results(run):
        with st.container(horizontal=True):
            components.status_badge(run.status)
        st.info("This run has no trained network yet. It is stored when the run ends or is stopped.", icon="📷")
        st.page_link(
            "pages/train.py", label="Go to Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
        )
        st.stop()
    compared = [run, *predict_runs.choose_more_runs(run, runs)]
    pictures = uploads.chosen()
    predict_views.choices_note(run)
    run_lists.render_model_card(run)
    with shell.guard():
        if pictures:
            predict_views.dropped(*predict_runs.networks(compared), pictures)
        elif predict_runs.sample_wanted():
            predict_runs.render_samples(*predict_runs.networks(compared))
