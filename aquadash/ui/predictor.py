"""Trained models, made ready once for everybody who looks at the same run."""

from __future__ import annotations

import streamlit as st

from aquadash import settings
from aquadash.lab.rights import Action
from aquadash.predict import RemotePredictor
from aquadash.runs.types import Run
from aquadash.ui.lab import lab

#: What is kept here are a few numbers; the networks are in a process of their own.
_KEEP = 100

WAKING = "Waking the network up. The first time takes about 5 seconds, because TensorFlow has to be loaded ..."

#: Identifies one stored model of one run: training that goes on later replaces it.
ModelKey = tuple[str, str, float | None]


def model_key(run: Run) -> ModelKey:
    """What the run's present model is known by."""
    version = run.ended_at if run.status.ended else run.started_at
    return settings.place(), run.run_id, version


def predictor(run: Run) -> RemotePredictor:
    """The run's network, ready to look at images.

    Raises:
        NotAllowedError: The visitor may not open it.
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
        AnswerError: Loading it took too long, or more memory than there is.
    """
    lab().rights.require(Action.OPEN_MODEL, run.thing)
    return _predictor(model_key(run), run)


@st.cache_resource(max_entries=_KEEP, show_spinner=WAKING)
def _predictor(key: ModelKey, _run: Run) -> RemotePredictor:
    network, strangers = lab().runs.network(_run)
    return RemotePredictor(network, class_names=_run.class_names, strangers=strangers)
