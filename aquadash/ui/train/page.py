"""Train: launch a run and watch it, or search for good settings."""

from collections.abc import Callable

import streamlit as st

from aquadash.ui.kit import launch, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.train import live, search_form, search_live, train_form


def _beside(form: Callable[[], None], watch: Callable[[], None]) -> None:
    left, right = st.columns([1, 2], gap="medium")
    with left, st.container(key="train-panel"):
        form()
    with right:
        watch()


def one_training() -> None:
    """Draw the form beside the run to watch."""
    launch.render_message()
    _beside(train_form.train_form, lambda: live.watch_runs(lab().runs.all()))


def search() -> None:
    """Draw the form beside the search to watch."""
    _beside(search_form.search_form, lambda: search_live.watch_searches(lab().searches.all()))


SECTIONS = Sections(
    "view",
    "One training or a search",
    {
        "one": Section("One training", one_training),
        "search": Section("Search", search, offered=lambda: lab().limits.may_search),
    },
)


def render() -> None:
    """Draw the page."""
    with shell.page("train"):
        SECTIONS.choose().render()
