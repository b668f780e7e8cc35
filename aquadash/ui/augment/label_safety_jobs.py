"""Label-safety measurements of this app: their threads, their networks and their results, shared between sessions."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from aquadash.classroom.rights import Action, require
from aquadash.explain.label_safety import SafetyRequest, Subjects, measure, told_to
from aquadash.explain.label_safety_result import SafetyResult
from aquadash.runs.types import Run
from aquadash.tasks import Report, Task, Tasks, Turn
from aquadash.ui import cache
from aquadash.ui.predictor import ModelKey, keep_keras_session, model_key

if TYPE_CHECKING:
    from aquadash.explain.label_safety import ImagePredictor
    from aquadash.runs import RunStore

#: Results that are kept; one with its pictures takes up to 1 MB.
_MOST_KEPT = 32
#: A loaded network takes 10 to 100 MB.
_MOST_NETWORKS = 2


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
    keep_keras_session()
    store, networks = cache.store(), _networks()

    def work(report: Report) -> SafetyResult:
        network = networks.get(model_key(run))
        if network is None:
            report("waking the network up; the first time takes about 5 seconds", None)
            network = load_network(store, run)
            networks.put(model_key(run), network)
        return measure(network, subjects, request, tell=told_to(report))

    return _jobs().start(name, work, name=f"label-safety-{name}")


def new_jobs() -> Tasks[SafetyResult]:
    """A place for measurements: one works at a time, and what one has found is not measured again."""
    return Tasks(most=_MOST_KEPT, turn=Turn("waiting for another measurement"), keeps_results=True)


def load_network(store: RunStore, run: Run) -> ImagePredictor:
    """The run's network; loads TensorFlow when it is first called. Works in any thread, unlike Streamlit's caches.

    Raises:
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
    """
    from aquadash.predict import Predictor

    return Predictor.load(store.model_path(run.run_id), class_names=run.class_names)


class _Networks:
    """The networks that were asked last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[ModelKey, ImagePredictor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: ModelKey) -> ImagePredictor | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: ModelKey, network: ImagePredictor) -> None:
        with self._lock:
            self._kept[name] = network
            while len(self._kept) > _MOST_NETWORKS:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _jobs() -> Tasks[SafetyResult]:
    return new_jobs()


@st.cache_resource(show_spinner=False)
def _networks() -> _Networks:
    return _Networks()
