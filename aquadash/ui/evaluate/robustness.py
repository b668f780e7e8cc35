"""A run's robustness: start, progress and stop of the measurement, its figures, charts and pictures."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.figures.robustness import robustness_curves, robustness_losses
from aquadash.figures.theme import class_colour
from aquadash.lab.rights import Action
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Subjects, sample
from aquadash.robustness.job import job_of
from aquadash.robustness.measurement import Condition, Mean, Measurement, Scores
from aquadash.robustness.requests import RobustnessRequest, chosen_positions
from aquadash.store import Job, RunStatus
from aquadash.store.types import Run
from aquadash.ui.kit import bound, components, datasets, gallery, inputs, job_panel, shell
from aquadash.ui.kit.compared import labels
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, moment, percent, plain

#: Seconds between two drawings of a measurement at work.
_TICK_SECONDS = 2.0

#: Number of images of a quick measurement.
QUICK_IMAGES = 100


def render_robustness(run: Run, other_runs: Sequence[Run]) -> None:
    """Draw the section."""
    others = [other.run_id for other in other_runs if other.run_id != run.run_id]
    st.markdown(
        "How accurate is the network when 15 corruptions spoil the test images, from mild (1) to strong (5)? Don't "
        "use this to choose settings.",
        help=term("robustness"),
    )
    job_panel.follow(job_of(run), lambda job: _measurement(run, job, others), every=_TICK_SECONDS)


def _measurement(run: Run, job: Job | None, others: Sequence[str]) -> None:
    measured: Measurement | None = None
    damaged = True
    with shell.guard():
        measured, damaged = lab().jobs.robustness(run.run_id), False
    if job is not None and not job.status.ended:
        stop_help = "Results so far are kept, and you can continue later."
        job_panel.render_job(job, key=f"robustness-{run.run_id}", unit="images", stop_help=stop_help)
        st.caption("The measurement continues if you leave this page.")
    else:
        _at_rest(run, job, measured, damaged=damaged)
    if measured is not None:
        render_measured(run, measured, others)


def _at_rest(run: Run, job: Job | None, measured: Measurement | None, *, damaged: bool) -> None:
    """Draw the end of the last measurement, and the buttons to begin, go on, or begin again."""
    # A measurement without a job comes from an older version or another computer.
    complete = (measured is None or measured.complete) if job is None else job.status is RunStatus.FINISHED
    if complete and measured is None:
        _form(run, again=damaged)
        return
    if complete and measured is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Measured {moment(job.ended_at if job else measured.measured_at)}.", width="content")
            with st.popover("Measure again", icon="🔁"):
                _form(run, again=True)
        return
    if job is not None:
        job_panel.render_end(job, kept="Results so far are kept.")
    with st.container(horizontal=True, vertical_alignment="center"):
        # None repeats the last request.
        go_on = partial(lab().jobs.measure_robustness, run.run_id, None)
        shell.render_action_button("Continue", go_on, key=f"robustness-go-on-{run.run_id}", type="primary", icon="▶️")
        with st.popover("Start over", icon="🔁"):
            _form(run, again=damaged or measured is not None)


def _form(run: Run, *, again: bool) -> None:
    quick = inputs.segmented_control(
        "Images",
        ["all", "quick"],
        default="all",
        required=True,
        key=f"robustness-images-{run.run_id}",
        format_func=lambda name: "All test images" if name == "all" else f"{QUICK_IMAGES} of them",
        help="Fewer images take less time, but give wider intervals.",
    )
    seed = inputs.number_input(
        "Seed", 0, 2**32 - 1, value=0, step=1, key=f"robustness-seed-{run.run_id}", help=term("seed"), width=180
    )
    rights = lab().rights
    reason = lab().data.job_refusal(run.config.data.source, Action.MEASURE, run.resource)
    if again and not rights.allow(Action.LABEL, run.resource):
        reason = reason or "Only the owner of the run and the teacher can measure it again."
    if reason:
        st.caption(plain(reason))
    request = RobustnessRequest(seed=int(seed), limit=QUICK_IMAGES if quick == "quick" else None)
    shell.render_action_button(
        "Measure the robustness",
        partial(lab().jobs.measure_robustness, run.run_id, request),
        disabled=bool(reason),
        key=f"robustness-start-{run.run_id}",
        type="primary",
        icon="🌫️",
        help=term("robustness"),
    )
    st.caption("Runs can be compared if images and seed are the same.")


#: The menu's word for the mean over the corruptions.
MEAN = "mean"

#: Number of runs that differ in colour and dash.
MAX_RUNS = 8

#: Severity of the pictures of all corruptions.
_SAMPLE_SEVERITY = 3


def render_measured(run: Run, measured: Measurement, others: Sequence[str]) -> None:
    """Draw the figures of a run, as far as they are measured."""
    _robustness_scores(measured)
    overlaid = _overlaid(others)
    runs, figures = [run, *(other for other, _ in overlaid)], [measured, *(entry for _, entry in overlaid)]
    _warn_of_differences(figures)
    named = list(zip(labels(runs), figures, strict=True))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Most harmful corruptions**", help=term("corruption"))
        components.render_plot(robustness_losses(named), key="robustness-losses")
    with right:
        chosen = _corruption_picker()
        components.render_plot(
            robustness_curves(named, corruption=chosen, chance=1 / max(1, len(run.class_names))),
            key="robustness-curves",
        )
        with shell.guard():
            _pictures(run, measured, chosen)
    with st.expander("Table", icon="🔢"):
        _corruption_table(measured)
    st.markdown("**Augmentation pipelines**", help=term("pipeline"))
    components.render_plot(robustness_losses(named, kind="pipelines"), key="robustness-pipelines")
    if measured.of_kind("pipeline"):
        with st.expander("Table of the pipelines", icon="🔢"):
            _branch_table(measured)
    images = f"{count(measured.clean.n, 'test image')}, seed {measured.identity.get('seed', 0)}"
    st.caption(
        f"{images}. Don't compare these figures with papers: the severities are from "
        "[ImageNet-C](https://arxiv.org/abs/1903.12261), which has larger pictures."
    )


def _corruption_table(measured: Measurement) -> None:
    losses = {name: loss.value for name in CORRUPTIONS if (loss := measured.corruption_loss(name)) is not None}
    curves = [measured.curve("corruption", name) for name in losses]
    render_columns(
        Column("Corruption", [CORRUPTIONS[name].title for name in losses]),
        Column("Kind", [CORRUPTIONS[name].group for name in losses]),
        number_column("Clean", [100 * measured.clean.accuracy for _ in losses], "%.1f %%"),
        *(
            number_column(str(s), [100 * curve[s].accuracy if s in curve else None for curve in curves], "%.1f %%")
            for s in SEVERITIES
        ),
        number_column("Lost, in points", [100 * loss for loss in losses.values()], "%.1f"),
        alt="Accuracy and lost points of each corruption",
        key="robustness-table",
        height="content",
    )


def _branch_table(measured: Measurement) -> None:
    versions, clean = measured.of_kind("pipeline"), measured.clean.accuracy
    render_columns(
        Column("Pipeline", [condition.name for condition in versions]),
        Column("Version", [condition.titles[1] for condition in versions]),
        number_column("Accuracy", [100 * scores.accuracy for scores in versions.values()], "%.1f %%"),
        number_column("Lost, in points", [100 * (clean - scores.accuracy) for scores in versions.values()], "%.1f"),
        alt="Accuracy and lost points of each version of a pipeline",
        key="robustness-pipelines-table",
        height="content",
    )


def _robustness_scores(measured: Measurement) -> None:
    cells = len(measured.of_kind("corruption"))
    so_far = "" if measured.complete else f" · so far {cells} of {len(CORRUPTIONS) * len(SEVERITIES)}"
    with st.container(horizontal=True):
        for label, mean, word in (
            ("Accuracy on clean images", Mean(measured.clean.accuracy, measured.clean.accuracy_ci95), "accuracy"),
            (f"Mean corruption error{so_far}", measured.mean_corruption_error, "mean corruption error"),
            (
                "Error due to corruptions alone",
                measured.relative_mean_corruption_error,
                "relative mean corruption error",
            ),
        ):
            text, ends = percent(None) if mean is None else percent(mean.value, mean.ci95)
            components.render_metric(label, text, note=ends, help=f"Below: the 95 % interval. {term(word)}")


def _overlaid(others: Sequence[str]) -> list[tuple[Run, Measurement]]:
    # Read again, since a run may have been deleted or hidden meanwhile.
    options = {run.run_id: run for run in lab().runs.all() if run.run_id in others and run.has_robustness}
    if not options:
        st.caption("To overlay another run, measure it first.")
        return []
    picked = bound.choices(
        "over",
        components.run_labels(options.values()),
        label="Overlay other runs",
        max_selections=MAX_RUNS - 1,
        placeholder="Choose measured runs",
    )
    overlaid = []
    for run_id in picked:
        with shell.guard():
            if (measured := lab().jobs.robustness(run_id)) is not None:
                overlaid.append((options[run_id], measured))
    return overlaid


def _warn_of_differences(figures: Sequence[Measurement]) -> None:
    of_data = {entry.identity.get("dataset_fingerprint") for entry in figures}
    of_images = {(entry.identity.get("images"), entry.identity.get("seed")) for entry in figures}
    of_cells = {frozenset(entry.of_kind("corruption")) for entry in figures}
    if len(of_data) > 1:
        st.warning("These runs were measured on different data, so their figures cannot be compared.", icon="🍏")
    elif len(of_images) > 1:
        st.info("These runs were measured with different images or seeds; small differences mean nothing.", icon="🤔")
    if len(of_cells) > 1:
        st.info("Not all of these runs are measured completely; compare single corruptions only.", icon="🤔")


def _corruption_picker() -> str | None:
    """Return the chosen corruption; None for the mean over all."""
    titles = {MEAN: "Mean over all"} | {name: corruption.title for name, corruption in CORRUPTIONS.items()}
    chosen = bound.menu("corruption", titles, label="Corruption", help=term("severity"))
    if chosen == MEAN:
        return None
    st.caption(CORRUPTIONS[chosen].summary)
    return chosen


def _pictures(run: Run, measured: Measurement, corruption: str | None) -> None:
    """Draw one test image under a corruption at all severities, or under all corruptions, with the answers."""
    dataset = datasets.dataset(run.config.data.source)
    if dataset.fingerprint != measured.identity.get("dataset_fingerprint"):
        st.caption("The data set has changed since, so its images are not shown.")
        return
    positions = chosen_positions(dataset.test.labels, int(measured.identity["images"]))
    last = len(positions) - 1
    row = bound.number("image", 0, last, label=f"Test image (0 to {last:,})", default=0, clamp=True, width=200)
    image, label = dataset.test.images[positions[row]], int(dataset.test.labels[positions[row]])
    # A broadcast view instead of a copy of all test images, which may be gigabytes: only one row is read.
    images = np.broadcast_to(image, (len(positions), *image.shape))
    source = Subjects(
        images,
        dataset.test.labels[positions],
        positions,
        len(dataset.test),
        dataset.fingerprint,
        int(measured.identity["seed"]),
    )
    name = run.class_names[label]
    cells = (
        [(corruption, level) for level in SEVERITIES] if corruption else [(c, _SAMPLE_SEVERITY) for c in CORRUPTIONS]
    )
    clean = _card(image, gallery.class_text(name), f"{name}, clean", measured.clean, row)
    cards = [replace(clean, accent=class_colour(name, label), opens=f"test-{positions[row]}")]
    with st.spinner("Corrupting the image ..."):
        for cell in cells:
            condition = Condition("corruption", *cell)
            if condition in measured.scores:
                title = f"Severity {cell[1]}" if corruption else CORRUPTIONS[cell[0]].title
                alt = f"{name}, {condition.title}"
                cards.append(_card(sample(source, cell, row), title, alt, measured.scores[condition], row))
    gallery.render_cards(cards, size_rem=5, label="One test image, clean and corrupted")
    if corruption is None:
        st.caption(f"All at severity {_SAMPLE_SEVERITY}. Choose a corruption to see all five severities.")


def _card(image: NDArray[np.uint8], title: str, what: str, scores: Scores, row: int) -> gallery.Card:
    """Return the card of an image with the answer that the scores have in a row."""
    sign, answer = ("✓", "recognised") if scores.right[row] else ("✗", "not recognised")
    return gallery.Card(image, title, f"{what}: {answer}", f"{sign} {answer}", accent="transparent")
