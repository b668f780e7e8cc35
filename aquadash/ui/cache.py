"""The data sets that pages show, and what there is to see in them."""

from __future__ import annotations

import streamlit as st

from aquadash import data
from aquadash.data.dataset import Dataset
from aquadash.data.statistics import SplitStatistics, describe
from aquadash.errors import DataError
from aquadash.runs.types import Run
from aquadash.ui.lab import lab


def dataset(source: str) -> Dataset:
    """A data set, loaded once for everybody; never downloads it.

    Raises:
        UnknownNameError: There is no such source.
        NotAllowedError: It is another student's.
        DataError: It is missing or damaged.
    """
    known = data.SOURCES.get(source)
    if known is not None and known.key() is None:
        # Loading would begin a download, which is for the person at the screen to decide.
        raise DataError(f"{known.title} is not on this computer yet. The Data page can fetch it.")
    with st.spinner("Loading the images ..."):
        return lab().data.load(source)


def matching_dataset(run: Run) -> Dataset | None:
    """The data set that the run learned from; None where it has changed since, or where what is stored of the run names
    images that it does not have.

    Raises:
        AquaDashError: The data set or what is stored of the run cannot be read.
    """
    found, runs = dataset(run.config.data.source), lab().runs
    if found.fingerprint != run.dataset_fingerprint:
        return None
    validated = found.test if run.config.training.validation == "test" else found.train
    named = [(validated, replay.probe_indices)] if (replay := runs.epoch_replay(run.run_id)) else []
    if run.status.ended and "test_accuracy" in run.metrics:
        named.append((found.test, runs.predictions(run.run_id).indices))
        if validation := runs.validation_predictions(run.run_id):
            named.append((validated, validation.indices))
    return found if all(indices.max(initial=-1) < len(split) for split, indices in named) else None


def statistics(source: str, split: str) -> SplitStatistics:
    """What there is to see in one split, ``"train"`` or ``"test"``; errors as in :func:`dataset`."""
    return _statistics(dataset(source).fingerprint, source, split)


@st.cache_resource(max_entries=16, show_spinner="Measuring the images ...")
def _statistics(fingerprint: str, source: str, split: str) -> SplitStatistics:
    found = dataset(source)
    return describe(found.train if split == "train" else found.test, found.class_names)
