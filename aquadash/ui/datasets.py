"""The data sets that pages show, what there is to see in them, and the menu of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from aquadash import data
from aquadash.data import title_of
from aquadash.data.dataset import Dataset
from aquadash.data.statistics import SplitStatistics, describe
from aquadash.errors import DataError, NotAllowedError
from aquadash.runs.types import Run
from aquadash.ui import address, bound
from aquadash.ui.lab import lab
from aquadash.ui.text import plain


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


DEFAULT_SOURCE = "synthetic"


def choose_source(
    label: str, *, default: str = DEFAULT_SOURCE, title: Callable[[str], str] = title_of, **arguments: Any
) -> str:
    """Draw the menu, whose key and name in the address is ``source``.

    Args:
        label: Above it.
        default: Chosen where the address says nothing. A data set that is not there any more gets a word, and the
            drawn animals take its place.
        title: What a data set is called.
        arguments: More for :func:`aquadash.ui.bound.menu`.
    """
    own = lab().data
    names = list(own.sources())
    if default not in names:
        st.info(
            f"The data set “{plain(default)}” is not on this computer any more. Choose another one, or bring it back "
            "on the Data page.",
            icon="🧭",
        )
        default = DEFAULT_SOURCE
    try:
        own.require(st.query_params.get("source", ""))
    except NotAllowedError as error:
        st.warning(plain(str(error)), icon="🧭")
    # Set in any case: another page's menu has the same key, but the value of another widget is not taken over.
    st.session_state["source"] = address.choice("source", names, default=default)
    return bound.menu("source", {name: title(name) for name in names}, label=label, default=DEFAULT_SOURCE, **arguments)
