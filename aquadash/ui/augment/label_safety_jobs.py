"""Label-safety measurements of this app: their threads, their networks and their results, shared between sessions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from aquadash.classroom.rights import Action, require
from aquadash.explain.label_safety import SafetyRequest, Subjects, measure, told_to
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.predict import RemotePredictor
from aquadash.runs.types import Run
from aquadash.tasks import Report, Task, Tasks, Turn
from aquadash.ui import cache
from aquadash.ui.predictor import model_key

if TYPE_CHECKING:
    from aquadash.explain.label_safety import ImagePredictor
    from aquadash.runs import RunStore

#: Results that are kept; one with its pictures takes up to 1 MB.
_MOST_KEPT = 32


def key(run: Run, subjects: Subjects, request: SafetyRequest) -> str:
    """What a measurement is known by: 12 hexadecimal digits that follow from all that decides its figures.

    Raises:
        NotAllowedError: The visitor may not open the run's network, and so not know what it says.
    """
    require(Action.OPEN_MODEL, run.thing)
    told = hashlib.sha256(repr((model_key(run), request, subjects.positions, subjects.split)).encode())
    told.update(np.ascontiguousarray(subjects.images).tobytes())
    told.update(np.ascontiguousarray(subjects.labels).tobytes())
    return told.hexdigest()[:12]


def job(name: str) -> Task[SafetyResult] | None:
    """The measurement of that key; None where nobody has asked for it lately."""
    return _jobs().get(name)


def start(name: str, run: Run, subjects: Subjects, request: SafetyRequest) -> Task[SafetyResult]:
    """Begin a measurement in the background, or join it.

    Raises:
        AquaDashError: The run store could not be opened, or the visitor may not open the run's network.
    """
    require(Action.OPEN_MODEL, run.thing)
    store = cache.store()

    def work(report: Report) -> SafetyResult:
        report("waking the network up; the first time takes about 5 seconds", None)
        return measure(load_network(store, run), subjects, request, tell=told_to(report))

    return _jobs().start(name, work, name=f"label-safety-{name}")


def new_jobs() -> Tasks[SafetyResult]:
    """A place for measurements: one works at a time, and what one has found is not measured again."""
    return Tasks(most=_MOST_KEPT, turn=Turn("waiting for another measurement"), keeps_results=True)


def load_network(store: RunStore, run: Run) -> ImagePredictor:
    """The run's network, ready to look at images. Works in any thread, unlike Streamlit's caches.

    Raises:
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
        AnswerError: Loading it took too long, or more memory than there is.
    """
    return RemotePredictor(store.model_path(run.run_id), class_names=run.class_names)


@st.cache_resource(show_spinner=False)
def _jobs() -> Tasks[SafetyResult]:
    return new_jobs()
