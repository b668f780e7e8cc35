"""Trained models, loaded once for everybody who looks at the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from aquadash import settings
from aquadash.classroom.rights import Action, require
from aquadash.runs.types import Run
from aquadash.ui import cache

if TYPE_CHECKING:
    from aquadash.predict import Predictor

#: A loaded network takes 10 to 100 MB.
_KEEP = 3

#: Identifies one stored model of one run: training that goes on later replaces it.
ModelKey = tuple[str, str, float | None]


def model_key(run: Run) -> ModelKey:
    """What the run's present model is known by."""
    version = run.ended_at if run.status.ended else run.started_at
    return settings.place(), run.run_id, version


def predictor(run: Run) -> Predictor:
    """The run's network, ready to look at images; loads TensorFlow when it is first called.

    Raises:
        NotAllowedError: The visitor may not open it.
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
    """
    require(Action.OPEN_MODEL, run.thing)
    return _predictor(model_key(run), run.class_names)


@st.cache_resource(
    max_entries=_KEEP,
    show_spinner="Waking the network up. The first time takes about 5 seconds, because TensorFlow has to be loaded ...",
)
def _predictor(key: ModelKey, class_names: tuple[str, ...]) -> Predictor:
    from aquadash.predict import Predictor

    keep_keras_session()
    _, run_id, _ = key
    store = cache.store()
    return Predictor.load(store.model_path(run_id), class_names=class_names, detector=store.strangers(run_id))


def keep_keras_session() -> None:
    """Stop Streamlit from clearing Keras's session after every run of a script.

    Once anything has imported Keras, Streamlit does so for every page, every tick of a live chart and every visitor,
    for the sake of scripts that build models. It takes a quarter of a second of garbage collection each time, and
    resets global state while another visitor's network may just be loading. Networks are loaded once here and shared,
    so nothing builds up. Streamlit has no option for it.
    """
    from streamlit.runtime.scriptrunner import script_runner

    script_runner._clean_problem_modules = _nothing


def _nothing() -> None:
    """In place of the clearing."""
