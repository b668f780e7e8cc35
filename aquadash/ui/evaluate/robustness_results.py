"""A run's robustness as figures, charts and pictures, other runs laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.errors import AquaDashError
from aquadash.figures.robustness_curves import robustness_curves
from aquadash.figures.robustness_losses import robustness_losses
from aquadash.figures.theme import class_colour
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, TestImages, sample
from aquadash.robustness.measure import chosen_positions
from aquadash.robustness.result import Mean, RobustnessResult
from aquadash.runs.types import Run
from aquadash.ui import bound, cache, components, gallery, shell
from aquadash.ui.compared import labels
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, percent, plain

#: Names in the address.
CORRUPTION, OVERLAID, IMAGE = "corruption", "over", "image"

#: Stands for the mean over the corruptions in the menu and the address.
MEAN = "mean"

#: Colours and dashes tell so many runs apart, this one included.
MOST_RUNS = 8

#: At which severity the pictures of all corruptions beside each other are shown.
_SAMPLE_SEVERITY = 3


def show(run: Run, found: RobustnessResult, others: Sequence[str]) -> None:
    """Draw the figures of a run, whole or as far as they are measured.

    Args:
        run: The run.
        found: Its figures.
        others: Ids of runs that may be laid over it.
    """
    _scores(found)
    overlaid = _overlaid(run, others)
    runs, figures = [run, *(other for other, _ in overlaid)], [found, *(entry for _, entry in overlaid)]
    _warn_of_differences(runs, figures)
    named = list(zip(labels(runs), figures, strict=True))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**What costs it most?**", help=term("corruption"))
        components.plot(robustness_losses(named), key="robustness-losses")
    with right:
        chosen = _corruption_picker()
        components.plot(
            robustness_curves(named, corruption=chosen, chance=1 / max(1, len(run.class_names))),
            key="robustness-curves",
        )
        with shell.guard():
            _pictures(run, found, chosen)
    with st.expander("All of these figures as a table", icon="🔢"):
        _table(corruption_rows(found), ("Clean", *map(str, SEVERITIES)), key="robustness-table", of="corruption")
    st.markdown("**And under the augmentation pipelines?**", help=term("pipeline"))
    components.plot(robustness_losses(named, kind="pipelines"), key="robustness-pipelines")
    if found.branches:
        with st.expander("These figures as a table", icon="🔢"):
            _table(branch_rows(found), ("Accuracy",), key="robustness-pipelines-table", of="branch of a pipeline")
    images = f"{count(found.clean.n, 'test image')}, seed {found.identity.get('seed', 0)}"
    st.caption(
        f"{images}. Strengths are those of ImageNet-C, made for large pictures; small ones suffer more. Compare these "
        "figures among your runs, not with those of papers. "
        "([Hendrycks and Dietterich 2019](https://arxiv.org/abs/1903.12261))"
    )


def corruption_rows(found: RobustnessResult) -> list[dict[str, Any]]:
    """A row a measured corruption; accuracies and losses in per cent, None where unknown."""
    rows: list[dict[str, Any]] = []
    for name, entry in CORRUPTIONS.items():
        curve, loss = found.curve(name), found.loss(name)
        if loss is not None:
            rows.append(
                {"Corruption": entry.title, "Kind": entry.group, "Clean": 100 * found.clean.accuracy}
                | {str(s): 100 * curve[s].accuracy if s in curve else None for s in SEVERITIES}
                | {"Lost": 100 * loss.value}
            )
    return rows


def branch_rows(found: RobustnessResult) -> list[dict[str, Any]]:
    """A row a branch of a pipeline; accuracies and losses in per cent."""
    return [
        {
            "Pipeline": key.pipeline,
            "Branch": entry.branch_title,
            "Accuracy": 100 * entry.condition.accuracy,
            "Lost": 100 * found.branch_loss(key).value,
        }
        for key, entry in found.branches.items()
    ]


def _table(rows: list[dict[str, Any]], accuracies: Sequence[str], *, key: str, of: str) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        key=key,
        height="content",
        alt=f"The share of test images that are right and what is lost, a row a {of}",
        column_config={name: st.column_config.NumberColumn(format="%.1f %%") for name in accuracies}
        | {"Lost": st.column_config.NumberColumn("Lost, in points", format="%.1f")},
    )


def _scores(found: RobustnessResult) -> None:
    so_far = "" if found.complete else f" · so far {len(found.cells)} of {len(CORRUPTIONS) * len(SEVERITIES)}"
    with st.container(horizontal=True):
        accuracy = Mean(found.clean.accuracy, found.clean.accuracy_ci95)
        _metric("Accuracy on clean images", accuracy, "accuracy")
        _metric(f"Mean corruption error{so_far}", found.mean_corruption_error, "mean corruption error")
        _metric("Of that, due to corruptions", found.relative_mean_corruption_error, "relative mean corruption error")


def _metric(label: str, mean: Mean | None, help_term: str) -> None:
    value, interval = "–", ""
    if mean is not None:
        value, _, interval = percent(mean.value, mean.ci95).partition(" (")
    st.metric(
        label,
        value,
        delta=f"95 % interval: {interval.rstrip(')')}" if interval else None,
        delta_color="off",
        delta_arrow="off",
        help=term(help_term),
        width="content",
        border=True,
    )


def _overlaid(run: Run, others: Sequence[str]) -> list[tuple[Run, RobustnessResult]]:
    """The runs picked to be laid over this one, with their figures."""
    measured = lab().jobs.with_robustness()
    options = [run_id for run_id in others if run_id in measured]
    if not options:
        st.caption("Measure another run, too, and it can be laid over this one.")
        return []
    picked = bound.choices(
        OVERLAID,
        {run_id: components.run_label(lab().runs.get(run_id)) for run_id in options},
        label="Lay other runs over it",
        max_selections=MOST_RUNS - 1,
        placeholder="Choose measured runs",
    )
    found = []
    for run_id in picked:
        other = lab().runs.get(run_id)
        try:
            entry = lab().jobs.robustness(other.run_id)
        except AquaDashError as error:
            st.warning(f"**{plain(other.name)}**: {plain(str(error))}", icon="🚧")
            continue
        if entry is None:
            st.caption(f"**{plain(other.name)}** has no figures yet.")
        else:
            found.append((other, entry))
    return found


def _warn_of_differences(runs: Sequence[Run], figures: Sequence[RobustnessResult]) -> None:
    """Say what keeps overlaid runs from being compared."""
    of_data = {entry.identity.get("dataset_fingerprint") for entry in figures}
    of_images = {(entry.identity.get("images"), entry.identity.get("seed")) for entry in figures}
    of_cells = {frozenset(entry.cells) for entry in figures}
    if len(of_data) > 1:
        st.warning("These runs were measured on different data, so their figures cannot be compared.", icon="🍏")
    elif len(of_images) > 1:
        st.info("These runs were measured with different images or seeds; small differences mean nothing.", icon="🤔")
    if len(of_cells) > 1:
        st.info("Not all of these runs are measured completely; compare single corruptions only.", icon="🤔")


def _corruption_picker() -> str | None:
    """Which corruption is shown; None for the mean over all."""
    titles = {MEAN: "Mean over all"} | {name: corruption.title for name, corruption in CORRUPTIONS.items()}
    chosen = bound.menu(CORRUPTION, titles, label="Corruption", help=term("severity"))
    if chosen == MEAN:
        return None
    st.caption(CORRUPTIONS[chosen].summary)
    return chosen


def _pictures(run: Run, found: RobustnessResult, corruption: str | None) -> None:
    """One test image under a corruption at all severities, or under all corruptions; with the network's answers."""
    dataset = cache.dataset(run.config.data.source)
    if dataset.fingerprint != found.identity.get("dataset_fingerprint"):
        st.caption("The data set has changed since this was measured, so its images are not shown.")
        return
    positions = chosen_positions(dataset.test.labels, int(found.identity["images"]))
    images, labels = dataset.test.images[positions], dataset.test.labels[positions].tolist()
    source = TestImages(images, positions, dataset.fingerprint, int(found.identity["seed"]))
    last = len(labels) - 1
    row = bound.number(IMAGE, 0, last, label=f"Test image (0 to {last:,})", default=0, clamp=True, width=200)
    label = labels[row]
    name = run.class_names[label]
    cells = (
        [(corruption, severity) for severity in SEVERITIES]
        if corruption
        else [(entry, _SAMPLE_SEVERITY) for entry in CORRUPTIONS]
    )
    accent = class_colour(name, label)
    cards = [
        _card(source.images[row], components.class_title(name), "clean", bool(found.clean.right[row]), name, accent)
    ]
    with st.spinner("Spoiling the image ..."):
        for cell in cells:
            if cell not in found.cells:
                continue
            title = f"Severity {cell[1]}" if corruption else CORRUPTIONS[cell[0]].title
            what = f"{CORRUPTIONS[cell[0]].title}, severity {cell[1]}"
            right = bool(found.cells[cell].right[row])
            cards.append(_card(sample(source, cell, row), title, what, right, name, "transparent"))
    gallery.show(cards, size_rem=5, label="One test image, clean and corrupted")
    if corruption is None:
        st.caption(f"All at severity {_SAMPLE_SEVERITY}. Choose one corruption to see its severities.")


def _card(image: NDArray[np.uint8], title: str, what: str, right: bool, name: str, accent: str) -> gallery.Card:
    answer = "recognised" if right else "not recognised"
    sign = "✓" if right else "✗"
    return gallery.Card(image, title, f"{name}, {what}: {answer}", f"{sign} {answer}", accent=accent)
