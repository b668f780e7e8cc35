"""The pages' data sets, their statistics, and the menu of them."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cache
from typing import Any

import streamlit as st

from aquadash import data
from aquadash.data import title_of
from aquadash.data.dataset import Dataset
from aquadash.data.statistics import SplitStatistics, describe
from aquadash.errors import AquaDashError, DataError, NotAllowedError
from aquadash.store.types import Run
from aquadash.ui.kit import address, bound, inputs
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain, unique_titles

#: The hash of a data set for Streamlit's caches.
BY_CONTENT: dict[str | type, Callable[[Any], object]] = {Dataset: lambda dataset: (dataset.name, dataset.fingerprint)}


def dataset(source: str) -> Dataset:
    """Return a data set, loaded once for everybody and never downloaded; another student's is refused."""
    built_in = data.SOURCES.get(source)
    if built_in is not None and built_in.key() is None:
        # Loading would start a download; the student starts it on the Data page.
        raise DataError(f"{built_in.title} is not on this computer yet. The Data page can fetch it.")
    with ExitStack() as waiting:
        # Start the spinner, which is a thread, at the first progress: usually the data set is in memory.
        begin = cache(lambda: waiting.enter_context(st.spinner("Loading the images ...")))
        return lab().data.load(source, progress=lambda text, fraction: begin())


def here(source: str) -> bool:
    """Return whether a data set is on this computer; otherwise draw a link to the page that can fetch it."""
    if data.is_here(source):
        return True
    st.info(f"{plain(data.title_of(source))} is not on this computer yet. The Data page can fetch it.", icon="📦")
    st.page_link("pages/data.py", label="Go to Data", query_params={"source": source}, icon=":material/arrow_forward:")
    return False


def matching_dataset(run: Run) -> Dataset:
    """Return the :func:`dataset` of a run; :class:`DataError` if it has changed or lacks images that the run names."""
    present, runs = dataset(run.config.data.source), lab().runs
    changed = DataError(
        f"The data set “{title_of(run.config.data.source)}” has changed since this run was trained, so that its images "
        "and the network's answers no longer belong together."
    )
    if present.fingerprint != run.dataset_fingerprint:
        raise changed
    validated = present.test if run.config.training.validation == "test" else present.train
    named = [(validated, replay.probe_indices)] if (replay := runs.epoch_replay(run.run_id)) else []
    if run.status.ended and "test_accuracy" in run.metrics:
        named.append((present.test, runs.predictions(run.run_id).indices))
        if validation := runs.validation_predictions(run.run_id):
            named.append((validated, validation.indices))
    if any(indices.max(initial=-1) >= len(split) for split, indices in named):
        raise changed
    return present


def learned(run: Run) -> Dataset | None:
    """Return :func:`matching_dataset`, or None where it raises."""
    try:
        return matching_dataset(run)
    except AquaDashError:
        return None


@st.cache_resource(max_entries=16, show_spinner="Measuring the images ...", hash_funcs=BY_CONTENT)
def statistics(dataset: Dataset, split: str) -> SplitStatistics:
    """Return the statistics of a split, ``"train"`` or ``"test"``."""
    return describe(dataset.train if split == "train" else dataset.test, dataset.class_names)


DEFAULT_SOURCE = "synthetic"

#: The source in the session, and in the address of each page.
SOURCE = "source"
#: The menu's key; Streamlit forgets it when the page changes.
_MENU = "data-set"
#: Parameters of pages that another data set resets, and their values.
_BEGINNINGS: dict[str, tuple[str, Any]] = {"data": ("page", 1), "augment": ("images", [])}
#: Pages of one run, which another data set resets to the best one of that data set.
_OF_A_RUN = ("evaluate", "predict", "walkthrough")


def current() -> str:
    """Return the source chosen for all pages, or the default."""
    source: str = st.session_state.get(SOURCE) or _default()
    return source


def titles_of(sources: Iterable[str]) -> dict[str, str]:
    """Return the titles of sources; equal ones have the name added."""
    return unique_titles({name: title_of(name) for name in sources}, lambda name, title: f"{title} ({name})")


def render_menu(page: str) -> None:
    """Draw the sidebar's menu of data sets on a page; one that is gone gives a note and the default."""
    own = lab().data
    titles = titles_of(own.sources())
    default = _default()
    kept = st.session_state.get(SOURCE, default)
    if kept not in titles:
        st.info(f"The data set “{plain(kept)}” is not on this computer any more.")
        kept = default
    try:
        own.require(st.query_params.get(SOURCE, ""))
    except NotAllowedError as error:
        st.warning(plain(str(error)), icon="🧭")
    source = address.sync(SOURCE, bound.one_of(titles), default=kept, omitted=default)
    st.session_state[_MENU] = source
    with st.sidebar:
        inputs.selectbox(
            "Data set",
            list(titles),
            key=_MENU,
            format_func=titles.__getitem__,
            help="All pages show it, and new runs learn from it.",
            on_change=_chosen,
            args=(page,),
        )


def _chosen(page: str) -> None:
    address.assign(SOURCE, st.session_state[_MENU])
    if page in _BEGINNINGS:
        address.assign(*_BEGINNINGS[page])
    elif page in _OF_A_RUN:
        address.forget("run")


def is_chosen() -> bool:
    """Return whether the sidebar was set to another data set than the default."""
    return current() != _default()


def render_other_source(run: Run) -> None:
    """Say which data set a run has learned from, if it is not the sidebar's."""
    if run.config.data.source != current():
        learned, shown = plain(title_of(run.config.data.source)), plain(title_of(current()))
        st.caption(f"This run learned from {learned}, not {shown}.")


def is_shown() -> bool:
    """Return whether the sidebar shows the current source: a fragment may have changed it."""
    return bool(st.session_state.get(_MENU, current()) == current())


def _default() -> str:
    return "cifar100" if data.is_here("cifar100") else DEFAULT_SOURCE
