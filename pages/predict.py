"""Predict: show trained networks pictures of one's own."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import components, owners, run_order, shell, uploads
from aquadash.ui.evaluate import first_model
from aquadash.ui.lab import lab
from aquadash.ui.predict import predict_runs, predict_samples, predict_views

with shell.page("predict"):
    runs = run_order.results_first(first_model.or_first_model(owners.with_networks(lab().runs.all())))
    if not runs:
        components.empty_state(
            "📷",
            "There is no trained network yet that could look at a picture. Train one first; the drawn animals and a "
            "small number of epochs take a minute or two.",
            page="pages/train.py",
            label="Go to Train",
        )
        first_model.offer_again()
        st.stop()
    run = components.run_picker(runs, help="The run whose network looks at the pictures.")
    if run is None:
        st.stop()
    if not run_order.has_results(run):
        with st.container(horizontal=True):
            components.status_badge(run.status)
        st.info("This run has no trained network yet. It is stored when the run ends or is stopped.", icon="📷")
        st.page_link(
            "pages/train.py", label="Go to Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
        )
        st.stop()
    compared = [run, *predict_runs.beside(run, runs)]
    pictures = uploads.chosen()
    predict_views.choices_note(run)
    first_model.show_card(run)
    with shell.guard():
        if pictures:
            predict_views.dropped(*predict_runs.networks(compared), pictures)
        elif predict_samples.wanted():
            predict_samples.show(*predict_runs.networks(compared))
