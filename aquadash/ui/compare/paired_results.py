"""A pair of runs, with and without a pipeline: how far both are, and then what the pipeline changed."""

from __future__ import annotations

from functools import partial
from typing import cast

import streamlit as st

from aquadash.augment import plan
from aquadash.errors import AquaDashError
from aquadash.evaluation import PairedChange, describe_change
from aquadash.figures.paired_change import paired_change
from aquadash.runs.measured import Images
from aquadash.runs.pairs import WITH, Pair, find_pair
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import bound, components, datasets, gallery, run_lists, run_sizes, shell
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.tables import Column, number_column, table
from aquadash.ui.text import named, plain

#: Seconds between two looks at a pair at work.
TICK_SECONDS = 2.0

_IMAGES = {"validation": "Validation images", "test": "Test images (last measurement)"}


def render_pair(pair: Pair) -> None:
    """Draw a pair: progress while one of the two is at work, the change when both are done."""
    if pair.at_work:
        shell.live(TICK_SECONDS)(_at_work)(pair.pair_id)
        return
    if pair.without is None or pair.with_it is None:
        st.info("One of the two runs has been deleted. Bring it back on Compare to see what changed.", icon="👯")
        return
    _halves(pair)
    unfinished = [run for run in pair.runs if run.status is not RunStatus.FINISHED]
    for run in unfinished:
        st.warning(
            plain(f"{run.name} {run.status}. {run.message}".strip())
            + " A comparison with a run that ended early says little about the pipeline.",
            icon="⚖️",
        )
    with shell.guard():
        _result(pair)


def _at_work(pair_id: str) -> None:
    """How far both are; looks again until the end."""
    pair = find_pair(lab().runs.all(), pair_id)
    if not pair.at_work:
        st.rerun()
    _halves(pair)
    for run in pair.runs:
        if not run.status.ended:
            run_lists.progress_bar(run, lead=run.pair_role)
    asked = all(run.stop_requested or run.status.ended for run in pair.runs)
    help = "Complete epochs are kept, and both can be resumed on Train."
    shell.stop_button(partial(_stop, pair), asked=asked, key="pair-stop", label="Stop both", help=help)


def _halves(pair: Pair) -> None:
    """The two runs with their states and links."""
    for run in pair.runs:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.name)}**", width="content")
            components.status_badge(run.status)
            query = {"run": run.run_id}
            st.page_link("pages/train.py", label=named("Watch", run.name), query_params=query, width="content")
            if "test_accuracy" in run.metrics:
                label = named("Evaluate", run.name)
                st.page_link("pages/evaluate.py", label=label, query_params=query, width="content")


def _stop(pair: Pair) -> None:
    for run in pair.runs:
        if not run.status.ended:
            lab().runs.stop(run.run_id)


def _result(pair: Pair) -> None:
    """The change, on the images that are chosen."""
    chosen = bound.choice(
        "pair-images",
        _IMAGES,
        label="Measured on",
        help="Whoever keeps what is best on the test images chooses by them, and they no longer measure anything. So "
        "choose by the validation images, and look at the test images once, at the end.",
    )
    images = cast(Images, chosen)
    found = lab().runs.change(pair, images)
    without, with_it = "the run without the pipeline", "the run with it"
    st.markdown(plain(describe_change(found.overall, before=without, after=with_it, images=images)))
    components.plot(paired_change(found, images=images), key=f"pair-change-{images}")
    _table(found)
    st.caption(
        "Intervals: Newcombe's for paired proportions. A filled dot marks an interval that leaves no change out; with "
        f"{len(found.classes)} classes one of them may do so by chance. " + plain(_caution(pair))
    )


def _table(found: PairedChange) -> None:
    """The same in numbers."""
    changes = (found.overall, *found.classes)
    names = ["all", *(gallery.class_text(row.label) for row in found.classes)]
    intervals = [f"{100 * low:+.1f} to {100 * high:+.1f}" for low, high in (row.interval for row in changes)]
    with st.expander("In numbers", icon="🔢"):
        table(
            Column("Class", names),
            Column("Images", [row.n for row in changes]),
            number_column("Without", [100 * row.before for row in changes], "%.1f %%"),
            number_column("With", [100 * row.after for row in changes], "%.1f %%"),
            number_column("Change in points", [100 * row.change for row in changes], "%+.1f"),
            Column("95 % interval", intervals),
            Column("Fixed", [row.fixed for row in changes]),
            Column("Broken", [row.broken for row in changes]),
            number_column("p", [row.p_value for row in changes], "%.3g", help=term("McNemar")),
            alt="Change of accuracy by class",
            key="pair-table",
            height="content",
        )


def _caution(pair: Pair) -> str:
    """What the comparison does not say."""
    told = (
        "It judges these two trained networks; another seed gives others, so repeat it with some before you believe it."
    )
    numbers = [_updates(run) for run in pair.runs]
    if len(numbers) == 2 and None not in numbers and numbers[0] != numbers[1]:
        told += (
            f" The run without the pipeline changed its weights {numbers[0]:,} times, the one with it {numbers[1]:,}."
        )
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


def of_two(runs: list[Run]) -> Pair | None:
    """The pair that exactly these two runs are; None if they are none."""
    if len(runs) != 2 or not runs[0].pair_id or runs[0].pair_id != runs[1].pair_id:
        return None
    return find_pair(runs, runs[0].pair_id) if {run.pair_role for run in runs} >= {WITH} else None
