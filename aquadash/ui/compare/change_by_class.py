"""What changed from one run to another, class by class; and of a pair, what that does not say of its pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.augment import plan
from aquadash.errors import AquaDashError
from aquadash.evaluation import PairedChange, paired_change
from aquadash.figures.paired_change import paired_change as paired_change_chart
from aquadash.runs.pairs import WITH, WITHOUT, Pair
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import components, datasets, gallery, run_sizes
from aquadash.ui.compared import Compared, bold
from aquadash.ui.glossary import term
from aquadash.ui.tables import Column, number_column, table
from aquadash.ui.text import plain


def render_change(compared: Compared, first: int, second: int) -> None:
    """Draw the change of accuracy in each class.

    Args:
        compared: The runs.
        first: The position of the run to compare with.
        second: That of the run in question, measured on the same images.
    """
    runs = compared.runs[first], compared.runs[second]
    predictions = compared.predictions()
    before, after = predictions[first], predictions[second]
    if before is None or after is None:
        # Somebody has resumed it since the two were compared.
        return
    names = runs[1].class_names
    found = paired_change(before, after, class_names=names)
    a, b = bold(compared.names[first]), bold(compared.names[second])
    st.markdown(f"**Change in each class** from {a} to {b}", help=term("paired runs") if _pair(runs) else None)
    components.plot(paired_change_chart(found, class_names=names, images=compared.images), key="change-by-class")
    _table(found)
    st.caption(
        "Intervals: Newcombe's for paired proportions. A filled dot marks an interval that leaves no change out; with "
        f"{len(found.classes)} classes one of them may do so by chance. {plain(_caution(runs))}"
    )


def _table(found: PairedChange) -> None:
    """The same in numbers."""
    changes = (found.overall, *found.classes)
    names = ["all", *(gallery.class_text(row.label) for row in found.classes)]
    intervals = [f"{100 * low:+z.1f} to {100 * high:+z.1f}" for low, high in (row.interval for row in changes)]
    with st.expander("In numbers", icon="🔢"):
        table(
            Column("Class", names),
            Column("Images", [row.n for row in changes]),
            number_column("From", [100 * row.before for row in changes], "%.1f %%"),
            number_column("To", [100 * row.after for row in changes], "%.1f %%"),
            number_column("Points", [100 * row.change for row in changes], "%+.1f"),
            Column("95 % interval", intervals),
            Column("Fixed", [row.fixed for row in changes]),
            Column("Newly broken", [row.broken for row in changes]),
            number_column("p", [row.p_value for row in changes], "%.3g", help=term("McNemar")),
            alt="Change of accuracy by class",
            key="changes",
            height="content",
        )


def _pair(runs: Sequence[Run]) -> Pair | None:
    """The pair that two runs are; None if they are none."""
    halves = {run.pair_role: run for run in runs}
    if not runs[0].pair_id or runs[0].pair_id != runs[1].pair_id or halves.keys() != {WITH, WITHOUT}:
        return None
    return Pair(runs[0].pair_id, halves[WITHOUT], halves[WITH])


def _caution(runs: Sequence[Run]) -> str:
    """What the comparison of a pair does not say of its pipeline; empty for other runs."""
    pair = _pair(runs)
    if pair is None:
        return ""
    told = "".join(
        f" {run.name} {run.status}. A comparison with a run that ended early says little about the pipeline."
        for run in pair.runs
        if run.status is not RunStatus.FINISHED
    )
    without, with_it = (_updates(run) for run in pair.runs)
    if without is None or with_it is None or without == with_it:
        return told
    told += f" The run without the pipeline changed its weights {without:,} times, the one with it {with_it:,}."
    # Augment offers it for pipelines that make several images of each.
    if not pair.same_updates and plan(pair.runs[1].config.augmentation).factor > 1:
        told += (
            " Part of the difference may come from that alone: on Augment “Same number of weight updates”, at "
            "“Length”, takes it out."
        )
    return told


def _updates(run: Run) -> int | None:
    """How often a run changed its weights; None where the data that it learned from is not there to count."""
    try:
        if datasets.matching_dataset(run) is None:
            return None
        batches = run_sizes.batches(run.config, run_sizes.sizes(run.config))
    except AquaDashError:
        return None
    return batches * int(run.metrics.get("epochs", len(run.curve)))
