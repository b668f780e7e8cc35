"""The data set or run of a section."""

import streamlit as st

from aquadash import data
from aquadash.config import with_values
from aquadash.data import Dataset
from aquadash.presets import PRESETS
from aquadash.store.types import Run
from aquadash.ui.kit import components, datasets, run_lists, shell
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain

#: Epochs of the offered training, which takes a minute or two.
EPOCHS = 8


def pick_dataset() -> Dataset | None:
    """Return the app's data set; draw the way to one that is missing."""
    source = datasets.current()
    return datasets.dataset(source) if datasets.here(source) else None


def pick_results() -> Evaluated | None:
    """Draw the menu of runs with results; draw the way to some if there are none."""
    from aquadash.store.first_model import ORIGIN

    # A resumed run has results, which change until it ends.
    ended = [run for run in lab().runs.all() if _usable(run)]
    usable = [run for run in run_lists.or_included_model(ended) if _usable(run)]
    # The included model comes last: it is better than most first runs.
    with_results = run_lists.pictured_first(usable, before=ORIGIN)
    if not with_results:
        st.info("This section needs a run with results, and there is none yet.", icon="🏊")
        _offer_run()
        run_lists.render_restore_button()
        return None
    if all(run.origin == ORIGIN for run in with_results):
        with st.expander("You have no run with results yet: this is the included model", icon="🏊"):
            _offer_run()
    picker, beside = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with picker:
        run = components.run_picker(with_results, help="This section is about the results of this run.")
    if run is None:
        return None
    beside.caption(
        f"Trained on: {plain(data.SOURCES[run.config.data.source].title)}"
        if run.config.data.source in data.SOURCES
        else "Trained on pictures that are not here."
    )
    return Evaluated.load(run)


def _usable(run: Run) -> bool:
    return run_lists.has_results(run) and run.status.ended


def _offer_run() -> None:
    """Draw a short training for visitors without a run."""
    at_work = [run for run in lab().runs.all() if not run.status.ended]
    if at_work:
        st.page_link("pages/train.py", label="Watch your run", icon="🏊", query_params={"run": at_work[0].run_id})
    source = datasets.current() if data.is_here(datasets.current()) else datasets.DEFAULT_SOURCE
    preset = with_values(PRESETS["notebook-fixed"].config, {"data.source": source, "training.epochs": EPOCHS})
    config = lab().limits.fitted(preset)
    epochs = config.training.epochs
    st.caption(
        f"A short training of the report's network on {plain(data.title_of(source))}, with a proper validation split: "
        f"{count(epochs, 'epoch')}, a minute or two. It continues while you read other sections."
    )
    if st.button("Train the report's network", icon="🏊", type="primary", key="walkthrough-train"):
        run = shell.launch_once("walkthrough:launched", lambda: lab().runs.train(config))
        st.switch_page("pages/train.py", query_params={"run": run.run_id})
