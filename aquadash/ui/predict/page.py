"""Predict: show trained networks pictures of one's own."""

from collections.abc import Sequence

import streamlit as st

from aquadash.store import Run
from aquadash.ui.kit import (
    components,
    datasets,
    image_dialog,
    picture_cards,
    predict_runs,
    run_lists,
    shell,
    uploads,
    warmup,
)
from aquadash.ui.predict import predict_views


def _no_results(run: Run) -> None:
    """Say why a run has no network, and show the state of its training."""
    components.render_status(run.status)
    if run.status.ended:
        text = "This run ended before a network was stored. Choose another one."
    else:
        text = "This run has no trained network yet. It is stored when the run ends or is stopped."
        run_lists.watch([run])
    st.info(text, icon="📷")
    st.page_link(
        "pages/train.py", label="Go to Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
    )


def _ask(runs: Sequence[Run]) -> None:
    """Show the pictures and networks on one side, the answers on the other."""
    controls, answers = st.columns([1, 2], gap="medium")
    with controls, st.container(key="predict-controls"):
        field = st.container()
        run = components.run_picker(runs)
        with field:
            # Always draw the field: the browser forgets the pictures of a hidden field, but the server keeps them.
            pictures = uploads.chosen()
        if run is None:
            return
        if not run_lists.has_results(run):
            _no_results(run)
            return
        compared = [run, *predict_runs.choose_more_runs(run, runs)]
    with field:
        sample = 0 if pictures else predict_runs.sample_number()
    source = run.config.data.source
    with answers:
        with shell.guard():
            if pictures:
                predict_views.dropped(predict_runs.networks(compared), pictures)
            elif sample:
                source = predict_runs.render_samples(predict_runs.networks(compared), sample)
        predict_views.choices_note(run)
        datasets.render_other_source(run)
        run_lists.render_model_card(run)
    own = [picture_cards.own(picture, run.class_names) for picture in pictures]
    image_dialog.clickable(*compared, source=source, own=own, as_now=bool(sample))


def render() -> None:
    """Draw the page."""
    with shell.page("predict"):
        warmup.prepare_answers()
        if runs := predict_runs.for_pictures():
            _ask(runs)
        else:
            components.render_empty_state("📷", "There is no trained network yet.", label="Train one: a minute or two")
            run_lists.render_restore_button()
