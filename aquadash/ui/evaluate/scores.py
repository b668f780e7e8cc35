"""How good a run is: its figures with their intervals, the scores of each class, its learning curves in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from aquadash import settings
from aquadash.evaluation import METRICS, Evaluation, Metric, Score, wilson_interval
from aquadash.evaluation.curves import Metric as EpochMetric
from aquadash.figures.compare_curves import compare_curves
from aquadash.figures.confidence_histogram import confidence_histogram
from aquadash.figures.learning_curves import Metric as PlainMetric
from aquadash.figures.learning_curves import learning_curves
from aquadash.runs.types import EpochRecord, Predictions, Run
from aquadash.training.prepare import REPORT_VALIDATION_IMAGES, report_validation_images
from aquadash.ui import components, run_order
from aquadash.ui.evaluated import Evaluated
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import percent
from aquadash.ui.train import coach_notes


def show_scores(one: Evaluated) -> None:
    """Each metric with its interval, number of images; what to make of them for the report's way."""
    run, found = one.run, one.found
    unseen = _unseen(run, found)
    with st.container(horizontal=True):
        for name, score in one.scores().items():
            metric = METRICS[name]
            if len(found.classes) >= metric.min_classes:
                _metric(metric, score)
            if name == "accuracy" and unseen is not None:
                share, count = unseen
                score = Score(share, wilson_interval(round(share * count), count))
                _metric(replace(metric, title=f"On the {count:,} unseen images"), score)
        st.metric("Test images", f"{found.n:,}", help=term("test set"), border=True, width="content", height="stretch")
    classes = len(found.classes)
    st.caption(
        f"For comparison: guessing among {classes} classes gives an accuracy of about {100 / classes:.0f} % and a loss "
        f"of {math.log(classes):.2f}."
    )
    if settings.classroom() and _test_results_hidden():
        st.caption(
            "🏁 These are test images. Look at them to understand what the network gets wrong; choose between runs by "
            "validation accuracy, as the board of the class does until the teacher shows the test results."
        )
    if run.config.training.validation == "test":
        _explain_the_reports_way(found.n, unseen)


def _test_results_hidden() -> bool:
    from aquadash.classroom import limits

    return limits.in_force().test_results_hidden


def show_confidence(predictions: Predictions, *, key: str) -> None:
    """How sure the network is when it is right and when it is wrong."""
    components.plot(confidence_histogram(predictions.labels, predictions.probabilities, height=280), key=key)


def show_curves(run: Run, history: Sequence[EpochRecord]) -> None:
    """Loss and accuracy by epoch, and what the coach says about them."""
    # What validating on test images does to the score stands beside the score.
    coach_notes.show(run, history, leave_out=("validation-on-test",) if run_order.has_results(run) else ())
    metrics: tuple[PlainMetric, ...] = ("loss", "accuracy")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            st.markdown(f"**{metric.capitalize()} by epoch**", help=term(metric))
            components.plot(
                learning_curves(history, metric=metric, monitor=run.config.training.monitor, revision=run.run_id),
                key=f"curves-{metric}",
            )
    if run.config.training.validation == "test":
        spent = (
            report_validation_images(lab().runs.evaluation(run.run_id).n)
            if run_order.has_results(run)
            else REPORT_VALIDATION_IMAGES
        )
        st.caption(f"“Validation” means the first {spent} test images in this run.")


def show_both_curves(run: Run, other: Run) -> None:
    """Validation loss and accuracy of two runs by epoch, the second dashed."""
    names = (run.name, other.name)
    histories = [lab().runs.history(each.run_id) for each in (run, other)]
    metrics: tuple[EpochMetric, ...] = ("val_loss", "val_accuracy")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            components.plot(
                compare_curves(list(zip(names, histories, strict=True)), metric=metric), key=f"both-{metric}"
            )


def _metric(metric: Metric, score: Score) -> None:
    """One metric; its interval decides how many digits a fraction is worth."""
    explained = [metric.help, term(metric.term) if metric.term else ""]
    value, interval = metric.text(score.value), ""
    if score.interval is not None:
        explained.append(term("confidence interval"))
        if metric.fraction:
            value, _, interval = percent(score.value, score.interval).rstrip(")").partition(" (")
        else:
            interval = " to ".join(map(metric.text, score.interval))
    st.metric(
        metric.title,
        value,
        delta=f"95 % interval: {interval}" if interval else None,
        delta_color="off",
        delta_arrow="off",
        help=" ".join(filter(None, explained)),
        border=True,
        width="content",
        height="stretch",
    )


def _unseen(run: Run, found: Evaluation) -> tuple[float, int] | None:
    """Accuracy on the test images that did not decide when to stop and how many they are, where some did."""
    share, count = run.metrics.get("unseen_test_accuracy"), found.n - report_validation_images(found.n)
    return (share, count) if share is not None and count > 0 else None


def _explain_the_reports_way(n: int, unseen: tuple[float, int] | None) -> None:
    """Say plainly what validating on test images does to the score."""
    text = (
        f"**{report_validation_images(n)} of the {n:,} test images decided when to stop.** This run validated on test "
        "images, as the report does, so the accuracy over all of them is a little flattering: training ended at a "
        "moment that suited these very images."
    )
    if unseen is not None:
        share, count = unseen
        low, high = wilson_interval(round(share * count), count)
        text += (
            f" The {count:,} images that nothing was decided on give {100 * share:.0f} %, and with so few of them the "
            f"true figure may be anything from {100 * low:.0f} % to {100 * high:.0f} %."
        )
    st.warning(text, icon="🔬")
