"""How far probabilities can be trusted: calibration, rejection, and each class against the rest by threshold."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import streamlit as st

from aquadash.evaluation import (
    Calibration,
    CoveragePoint,
    Rescaling,
    answered,
    bin_of,
    coverage_at,
    lowest_threshold,
    macro_mean,
    parts_at,
)
from aquadash.figures.coverage_curve import coverage_curve
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.figures.threshold_curves import MAX_DRAWN, Kind, area, threshold_curves
from aquadash.ui import address, bound, components, gallery
from aquadash.ui.evaluate import scores
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.gallery import class_text, class_titles
from aquadash.ui.glossary import term
from aquadash.ui.tables import Column, number_column, table
from aquadash.ui.text import count, percent, plain

#: The chart's key.
RELIABILITY_KEY = "reliability"

_ANY = "any"


def render_calibration(one: Evaluated, other: Evaluated | None) -> Narrowed | None:
    """Draw the diagram, the figures before and after, and the histogram of confidence.

    Returns:
        The images of the chosen bin; None where none is chosen.
    """
    found, done = one.calibration(), one.rescaling()
    if click := components.new_click(RELIABILITY_KEY, len(found.counts)):
        address.assign("bin", str(click[0] + 1))
        gallery.first_page()
    lines = [] if done is None else [(f"with temperature {done.temperature.value:.2f}", done.after)]
    if other is not None:
        lines.append((other.run.name, other.calibration()))
    chosen = _bin_menu(found)
    components.plot(reliability_diagram(found, lines=lines, selected=chosen), key=RELIABILITY_KEY)
    st.caption(
        "White dots below the dotted line: too sure; above: not sure enough; pale bars: fewer than 10 images. Click a "
        "bar to see its images."
    )
    _calibration_figures(one, other, found, done)
    st.markdown("**How sure is it?**", help=term("confidence"))
    if other is None:
        scores.render_confidence(one.predictions, key="confidences")
    else:
        for column, each in zip(st.columns(2), (one, other), strict=True):
            with column:
                st.caption(plain(each.run.name))
                scores.render_confidence(each.predictions, key=f"confidences-{each.run.run_id}")
    if chosen is None:
        return None
    mask = bin_of(one.predictions.probabilities.max(axis=1)) == chosen
    return Narrowed(mask, f"answered with {_bin_text(found, chosen)} confidence")


def _bin_menu(found: Calibration) -> int | None:
    words = {_ANY: "any"} | {
        str(index + 1): f"{_bin_text(found, index)}: {count(int(images), 'image')}"
        for index, images in enumerate(found.counts)
    }
    word = bound.menu(
        "bin",
        words,
        label="Images with a confidence of",
        width=260,
        help=term("calibration"),
        on_change=gallery.first_page,
    )
    return None if word == _ANY else int(word) - 1


def _bin_text(found: Calibration, index: int) -> str:
    return f"{100 * found.edges[index]:.0f} to {100 * found.edges[index + 1]:.0f} %"


def _calibration_figures(one: Evaluated, other: Evaluated | None, found: Calibration, done: Rescaling | None) -> None:
    """The errors as a table, and what the temperature is in plain words."""
    rows = [("Model", found)]
    if done is not None:
        if done.before.n != found.n:
            rows.append((f"Model, the {done.before.n:,} unseen images", done.before))
        rows.append(("With temperature", done.after))
    if other is not None:
        rows.append(("Second run", other.calibration()))
    table(
        Column("", [name for name, _ in rows]),
        number_column("Calibration error", [100 * row.ece for _, row in rows], "%.1f", help=term("calibration error")),
        number_column("Sure", [100 * row.mean_confidence for _, row in rows], "%.0f %%", help="Mean confidence."),
        number_column("Right", [100 * row.mean_accuracy for _, row in rows], "%.0f %%", help=term("accuracy")),
        number_column("Loss", [row.loss for _, row in rows], "%.3f", help=term("loss")),
        number_column("Brier", [row.brier for _, row in rows], "%.3f", help=term("Brier score")),
        alt="Calibration error, loss and Brier score before and after temperature scaling",
        key="calibration-figures",
    )
    st.markdown(_temperature_words(one, done), help=term("temperature"))


def _temperature_words(one: Evaluated, done: Rescaling | None) -> str:
    """What the temperature says, in markdown."""
    if done is None:
        return (
            "**No temperature:** this run kept no predictions of validation images to fit one on. Train a clone to "
            "have one."
        )
    fit = done.temperature
    verdict = (
        "the network is about as sure as it should be"
        if 0.95 <= fit.value <= 1.05
        else "the network is too sure of itself"
        if fit.value > 1
        else "the network is less sure than it could be"
    )
    text = (
        f"**Temperature {fit.value:.2f}:** {verdict}. Fitted on {count(fit.n, 'validation image')}, it takes the "
        f"calibration error over {count(done.before.n, 'test image')} from {100 * done.before.ece:.1f} to "
        f"{100 * done.after.ece:.1f} points and changes no answer. "
        + ("Predict leaves probabilities as they are." if fit.at_limit else "Predict uses it.")
    )
    if done.after.ece > done.before.ece:
        text += " Here it did not help."
    if fit.at_limit:
        text += plain(" The fit ended at its limit: a direction, not a figure.")
    if one.validated_on_test:
        text += (
            " The test images that this run validated on are left out after the fit."
            if done.before.n < one.found.n
            else " This run validated on all its test images, so the figures after the fit flatter."
        )
    return text


#: The chart's key.
COVERAGE_KEY = "coverage"

_SHOWN = {"answered": "Answered", "refused": "Refused", "all": "All"}

#: Shares of right answers for which a threshold can be looked up on the validation images, in per cent.
_TARGETS = (80, 90, 95)


def render_rejection(one: Evaluated, other: Evaluated | None) -> Narrowed:
    """Draw the slider, what it gives, and the curve.

    Returns:
        The images that are answered, refused, or all.
    """
    if click := components.new_click(COVERAGE_KEY, None):
        address.assign("sure", math.floor(100 * click[0] + 1e-6))
        gallery.first_page()
    sure = bound.slider(
        "sure",
        0,
        100,
        label="Minimum confidence",
        default=50,
        format="%d %%",
        help=f"Below it the network refuses to answer. {term('coverage')}",
        on_change=gallery.first_page,
    )
    threshold = sure / 100
    given = coverage_at(one.predictions.labels, one.predictions.probabilities, threshold=threshold)
    _coverage_figures(one, given)
    runs = [(one.run.name, one.coverage(), given)]
    if other is not None:
        there = coverage_at(other.predictions.labels, other.predictions.probabilities, threshold=threshold)
        runs.append((other.run.name, other.coverage(), there))
    components.plot(coverage_curve(runs), key=COVERAGE_KEY)
    st.caption("Click the curve to move the threshold.")
    _targets(one)
    counts = {"answered": given.answered, "refused": given.n - given.answered, "all": given.n}
    titles = {word: f"{title}: {counts[word]:,}" for word, title in _SHOWN.items()}
    shown = bound.choice("answers", titles, label="Images shown", on_change=gallery.first_page)
    mask = answered(one.predictions.probabilities, threshold=threshold)
    if shown == "all":
        return Narrowed(np.ones_like(mask), "all")
    return Narrowed(mask if shown == "answered" else ~mask, f"{shown} at {sure} %")


def set_threshold(threshold: float) -> None:
    """A button's callback: the threshold, 0 to 1, that the validation images suggest."""
    address.assign("sure", math.ceil(100 * threshold - 1e-6))
    gallery.first_page()


def _targets(one: Evaluated) -> None:
    """Buttons that set the slider to what gives a fraction of right answers on the validation images."""
    validation = one.validation
    if validation is None:
        st.caption(
            "This run kept no predictions of validation images to choose a threshold by; one chosen by test images "
            "flatters."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("On validation images:", width="content")
        for target in _TARGETS:
            found = lowest_threshold(validation.labels, validation.probabilities, accuracy=target / 100)
            st.button(
                f"{target} % right",
                key=f"target-{target}",
                disabled=found is None,
                help="No threshold gives that on the validation images."
                if found is None
                else f"{100 * found:.0f} % is the lowest threshold at which {target} % of the answers on the "
                "validation images are right.",
                on_click=set_threshold,
                args=(found or 0.0,),
            )
    if one.validated_on_test:
        st.caption(
            f"These {len(validation.labels):,} are test images, too: at a threshold chosen by them, the accuracy above "
            "flatters."
        )


def _coverage_figures(one: Evaluated, given: CoveragePoint) -> None:
    with st.container(horizontal=True):
        components.metric(
            "Answered",
            percent(given.coverage).replace(".0 %", " %"),
            note=f"{given.answered:,} of {count(given.n, 'test image')}",
            help=term("coverage"),
        )
        components.fraction_metric(
            "Accuracy on those",
            given.accuracy,
            given.interval,
            help=f"{term('accuracy')} {term('confidence interval')}",
            note="nothing is answered",
        )
    validation = one.validation
    if validation is not None:
        there = coverage_at(validation.labels, validation.probabilities, threshold=given.threshold)
        right = f", {percent(there.accuracy, there.interval)} of them right" if there.accuracy is not None else ""
        st.caption(f"{count(there.n, 'validation image')}: {percent(there.coverage)} answered{right}.")


#: The chart's key.
THRESHOLD_CURVES_KEY = "threshold-curves"

_KINDS = {"roc": "ROC", "precision-recall": "Precision and recall"}
#: What the images beside the chart are, by the word in the address: the choice, which parts of a threshold that is, and
#: what they are called, with the class and the threshold in per cent.
_PARTS = {
    "called": ("Called so", ("hits", "false alarms"), "called {} from {} %"),
    "hits": ("Hits", ("hits",), "{} found from {} %"),
    "false-alarms": ("False alarms", ("false alarms",), "wrongly called {} from {} %"),
    "missed": ("Missed", ("missed",), "{} missed from {} %"),
    "all": ("All images", ("hits", "false alarms", "missed", "rest"), "all"),
}


def render_threshold_curves(one: Evaluated, other: Evaluated | None) -> Narrowed:
    """Draw the controls, the curves and the areas.

    Returns:
        The images that the threshold calls the class, or the part of them that was asked for.
    """
    names = one.found.classes
    if click := components.new_click(THRESHOLD_CURVES_KEY, len(names), None):
        address.assign("class", names[click[0]])
        # Rounded down, so that the image that was clicked is called the class.
        address.assign("cut", math.floor(100 * click[1] + 1e-6))
        gallery.first_page()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = bound.choice(
            "curve", _KINDS, label="Curve", help=f"{term('ROC curve')} {term('precision-recall curve')}"
        )
        titles = class_titles(names)
        name = bound.menu("class", titles, label="Class", width=160, on_change=gallery.first_page)
    index = names.index(name)
    percent = bound.slider(
        "cut",
        0,
        100,
        label="Threshold: call an image this class from",
        default=50,
        format="%d %%",
        help=term("threshold"),
        on_change=gallery.first_page,
    )
    cut = percent / 100
    components.plot(
        threshold_curves(
            one.curves(),
            kind=cast(Kind, kind),
            chosen=index,
            cut=cut,
            other=None if other is None else (other.run.name, other.curves()),
        ),
        key=THRESHOLD_CURVES_KEY,
    )
    if len(names) > MAX_DRAWN:
        st.caption(f"The chosen class and the {MAX_DRAWN} with the smallest areas; the table has all of them.")
    st.caption("Click a curve to choose its class and threshold.")
    masks = parts_at(one.predictions.labels, one.predictions.probabilities, class_index=index, threshold=cut)
    part = bound.choice(
        "part",
        {
            word: f"{title}: {sum(int(masks[part].sum()) for part in parts):,}"
            for word, (title, parts, _) in _PARTS.items()
        },
        label="Images shown",
        help="Hits: of the class and called so. False alarms: called so, but of another. Missed: not called so.",
        on_change=gallery.first_page,
    )
    _areas(one, other)
    _, parts, words = _PARTS[part]
    return Narrowed(np.logical_or.reduce([masks[each] for each in parts]), words.format(class_text(name), percent))


def _areas(one: Evaluated, other: Evaluated | None) -> None:
    """The areas of each class and their means."""
    columns = [Column("Class", [*map(class_text, one.found.classes), "Mean of classes"])]
    kinds: tuple[tuple[Kind, str, str], ...] = (
        ("roc", "ROC area", term("ROC area")),
        ("precision-recall", "Average precision", term("average precision")),
    )
    for run, suffix in ((one, ""), (other, ", second run")):
        if run is None:
            continue
        for kind, title, help in kinds:
            values = [area(row, kind) for row in run.curves()]
            columns.append(number_column(title + suffix, [*values, macro_mean(values)], "%.3f", help=help))
    table(*columns, alt="The area under each class's curves", key="areas")
