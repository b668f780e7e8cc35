"""The data sets that pages show, what there is to see in them, and the menu of them."""

from __future__ import annotations

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
from aquadash.ui import address, bound, inputs
from aquadash.ui.lab import lab
from aquadash.ui.text import plain, unique_titles

#: For Streamlit's caches of functions that take data sets.
BY_CONTENT: dict[str | type, Callable[[Any], object]] = {Dataset: lambda found: (found.name, found.fingerprint)}


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
    with ExitStack() as waiting:
        # Only where there is something to wait for: each spinner is a thread, and every page asks for its data set.
        begin = cache(lambda: waiting.enter_context(st.spinner("Loading the images ...")))
        return lab().data.load(source, progress=lambda text, fraction: begin())


def here(source: str) -> bool:
    """Whether a data set is on this computer; where it is not, that and the way to it are drawn."""
    if data.is_here(source):
        return True
    st.info(f"{plain(data.title_of(source))} is not on this computer yet. The Data page can fetch it.", icon="📦")
    st.page_link("pages/data.py", label="Go to Data", query_params={"source": source}, icon=":material/arrow_forward:")
    return False


def matching_dataset(run: Run) -> Dataset | None:
    """The data set that the run learned from; None where it has changed since, or where what is stored of the run names
    images that it does not have.
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


def learned(run: Run) -> Dataset | None:
    """:func:`matching_dataset`; None, too, where it cannot be read."""
    try:
        return matching_dataset(run)
    except AquaDashError:
        return None


@st.cache_resource(max_entries=16, show_spinner="Measuring the images ...", hash_funcs=BY_CONTENT)
def statistics(dataset: Dataset, split: str) -> SplitStatistics:
    """What there is to see in one split, ``"train"`` or ``"test"``."""
    return describe(dataset.train if split == "train" else dataset.test, dataset.class_names)


DEFAULT_SOURCE = "synthetic"

#: The source in the session, and in the address of each page.
SOURCE = "source"
#: The menu, which Streamlit forgets with each change of the page.
_MENU = "data-set"
#: What a page asks of the data set in view, and with which value the next one begins.
_BEGINNINGS: dict[str, tuple[str, Any]] = {"data": ("page", 1), "augment": ("images", [])}


def current() -> str:
    """The source of the data set that the visitor has chosen for all pages; the default before that."""
    source: str = st.session_state.get(SOURCE) or _default()
    return source


def titles_of(sources: Iterable[str]) -> dict[str, str]:
    """The titles of sources by name; with the name where two are called the same, which no menu tells apart."""
    return unique_titles({name: title_of(name) for name in sources}, lambda name, title: f"{title} ({name})")


def choose() -> None:
    """Draw the menu of the app's one data set in the sidebar: at first photographs where there are some, else drawings.

    A data set that is not there any more gets a word on the page, and the default takes its place.
    """
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
    source = bound.restore(SOURCE, bound.one_of(titles), default=kept)
    st.session_state[_MENU] = source
    with st.sidebar:
        inputs.selectbox(
            "Data set",
            list(titles),
            key=_MENU,
            format_func=titles.__getitem__,
            help="What all pages show and new runs learn from.",
            on_change=_chosen,
        )
    address.record(SOURCE, source, default=default)


def _chosen() -> None:
    """The menu's callback. A link, or Back, says itself which page or images it means."""
    address.assign(SOURCE, st.session_state[_MENU])
    if address.page() in _BEGINNINGS:
        address.assign(*_BEGINNINGS[address.page()])


def is_shown() -> bool:
    """Whether the sidebar, which is drawn with the whole page, shows the data set that is chosen now."""
    return bool(st.session_state.get(_MENU, current()) == current())


def _default() -> str:
    return "cifar100" if data.is_here("cifar100") else DEFAULT_SOURCE
