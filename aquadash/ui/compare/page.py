"""Compare: the table of runs, and below it the picked runs side by side."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from aquadash.store.fields import run_fields
from aquadash.store.types import Images, Run
from aquadash.ui.compare import (
    comparison_images,
    comparison_results,
    comparison_settings,
    run_actions,
    run_filters,
    run_table,
)
from aquadash.ui.kit import bound, components, run_lists, shell, undo
from aquadash.ui.kit.compared import MAX_RUNS, Compared, labels
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.kit.text import plain

SECTIONS = Sections(
    "section",
    "Compare",
    {
        "curves": Section("📈 Curves", comparison_results.render_results),
        "confusion": Section("🔀 Confusion", comparison_results.render_confusion),
        "images": Section("🖼️ Images", comparison_images.render_images),
        "cost": Section("⏱️ Cost", comparison_settings.render_cost),
        "settings": Section("🎛️ Settings", comparison_settings.render_settings),
    },
)

_IMAGES_TITLES = {"validation": "Validation images", "test": "Test images"}


def render() -> None:
    """Draw the page."""
    with shell.page("compare"):
        undo.render_bar()
        runs = lab().runs.all()
        if runs:
            _table_and_comparison(runs)
            return
        components.render_empty_state(
            "⚖️", "There is nothing to compare yet. Train two runs that differ in one setting.", label="Train"
        )
        run_actions.import_and_bin()


def _table_and_comparison(runs: Sequence[Run]) -> None:
    fields = run_fields(runs)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    filtered = run_filters.filter_runs(runs, fields, row)
    shown = sorted(run_lists.own_first(run_filters.choose_group(filtered)), key=lambda run: not run.pinned)
    picked = run_table.choose_picks(runs, shown, row)
    with row:
        run_actions.render_actions(picked, shown)
        run_actions.import_and_bin()
    st.caption(filtered.note)
    run_table.render_table(shown, picked, fields=fields, searches=filtered.searches)
    if len(picked) > 1:
        _comparison(picked)
    run_table.watch_table(runs)


def _comparison(picked: Sequence[Run]) -> None:
    if len(picked) > MAX_RUNS:
        st.info(f"{len(picked)} runs are picked; the first {MAX_RUNS} are shown.", icon="🎨")
    runs = tuple(picked[:MAX_RUNS])
    names = tuple(labels(runs))
    default = _default_images(runs)
    chosen = bound.choice(
        "on", _IMAGES_TITLES, label="Measured on", default=default, follows=True, label_visibility="collapsed"
    )
    images = cast(Images, chosen)
    compared = Compared(runs, names, images)
    ranked = comparison_results.ranked(compared)
    sentence, caution = comparison_results.answer(compared, ranked)
    with st.container(key="verdict", gap="xsmall"):
        st.markdown(sentence)
        for text in (comparison_settings.differences(compared, ranked), caution):
            if text:
                st.caption(text)
    for name, reason in compared.damaged().items():
        st.warning(f"**{plain(name)}**: {plain(reason)}", icon="🚧")
    with st.container(key="in-order"):
        SECTIONS.choose().render(compared)


def _default_images(runs: Sequence[Run]) -> Images:
    """Return ``"validation"`` if all runs with results kept predictions of the same images, else ``"test"``."""
    with_results = tuple(run for run in runs if run.status.ended and "test_accuracy" in run.metrics)
    if not with_results:
        return "test"
    compared = Compared(with_results, tuple(labels(with_results)), "validation")
    if any(predictions is None for predictions in compared.results.predictions):
        return "test"
    return "validation" if all(test.result is not None for test in compared.results.pairs) else "test"
