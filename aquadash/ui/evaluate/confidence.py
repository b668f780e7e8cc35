"""Calibration and temperature of a run's probabilities."""

import streamlit as st

from aquadash.evaluation import Calibration, Rescaling, bin_of
from aquadash.figures.confidence_histogram import confidence_histogram
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.ui.kit import address, bound, components, gallery
from aquadash.ui.kit.evaluated import Evaluated, Narrowed
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, plain

RELIABILITY_KEY = "reliability"
_ANY = "any"


def render_calibration(one: Evaluated, other: Evaluated | None) -> Narrowed | None:
    """Draw the diagram, the figures before and after, and the histogram of confidence."""
    calibration, rescaling = one.calibration(), one.rescaling()
    if click := components.new_click(RELIABILITY_KEY, len(calibration.counts)):
        address.assign("bin", str(click[0] + 1))
        gallery.first_page()
    lines = [] if rescaling is None else [(f"with temperature {rescaling.temperature.value:.2f}", rescaling.after)]
    if other is not None:
        lines.append((other.run.name, other.calibration()))
    chosen = _bin_menu(calibration)
    components.render_plot(reliability_diagram(calibration, lines=lines, selected=chosen), key=RELIABILITY_KEY)
    st.caption(
        "White dot below the dotted line: the network is too sure. Above: not sure enough. Pale bar: fewer than 10 "
        "images. Click a bar to see its images."
    )
    _calibration_figures(one, other, calibration, rescaling)
    st.markdown("**How sure is it?**", help=term("confidence"))
    runs = [one] if other is None else [one, other]
    for column, each in zip(st.columns(len(runs)), runs, strict=True):
        with column:
            if len(runs) > 1:
                st.caption(plain(each.run.name))
            figure = confidence_histogram(each.predictions.labels, each.predictions.probabilities)
            components.render_plot(figure, key=f"confidences-{each.run.run_id}")
    if chosen is None:
        return None
    mask = bin_of(one.predictions.probabilities.max(axis=1)) == chosen
    return Narrowed(mask, f"answered with {_bin_text(calibration, chosen)} confidence")


def _bin_menu(calibration: Calibration) -> int | None:
    words = {_ANY: "any"} | {
        str(index + 1): f"{_bin_text(calibration, index)}: {count(int(images), 'image')}"
        for index, images in enumerate(calibration.counts)
    }
    label = "Confidence"
    word = bound.menu("bin", words, label=label, width=260, help=term("calibration"), on_change=gallery.first_page)
    return None if word == _ANY else int(word) - 1


def _bin_text(calibration: Calibration, index: int) -> str:
    return f"{100 * calibration.edges[index]:.0f} to {100 * calibration.edges[index + 1]:.0f} %"


def _calibration_figures(
    one: Evaluated, other: Evaluated | None, calibration: Calibration, rescaling: Rescaling | None
) -> None:
    """Draw the errors as a table, and describe the temperature."""
    rows = [("Model", calibration)]
    if rescaling is not None:
        if rescaling.before.n != calibration.n:
            rows.append((f"Model, the {rescaling.before.n:,} unseen images", rescaling.before))
        rows.append(("With temperature", rescaling.after))
    if other is not None:
        rows.append(("Second run", other.calibration()))
    render_columns(
        Column("", [name for name, _ in rows]),
        number_column("Calibration error", [100 * row.ece for _, row in rows], "%.1f", help=term("calibration error")),
        number_column("Confidence", [100 * row.mean_confidence for _, row in rows], "%.0f %%", help="Mean confidence."),
        number_column("Accuracy", [100 * row.mean_accuracy for _, row in rows], "%.0f %%", help=term("accuracy")),
        number_column("Loss", [row.loss for _, row in rows], "%.3f", help=term("loss")),
        number_column("Brier", [row.brier for _, row in rows], "%.3f", help=term("Brier score")),
        alt="Calibration error, loss and Brier score before and after temperature scaling",
        key="calibration-figures",
    )
    st.markdown(_temperature_words(one, rescaling), help=term("temperature"))


def _temperature_words(one: Evaluated, rescaling: Rescaling | None) -> str:
    """Describe the temperature in markdown."""
    if rescaling is None:
        return (
            "**No temperature:** the fit needs predictions of validation images, and this run kept none. Train a clone "
            "to get one."
        )
    fit = rescaling.temperature
    verdict = (
        "the network is about as sure as it should be"
        if 0.95 <= fit.value <= 1.05
        else "the network is too sure"
        if fit.value > 1
        else "the network is not sure enough"
    )
    text = (
        f"**Temperature {fit.value:.2f}:** {verdict}. It was fitted on {count(fit.n, 'validation image')} and changes "
        f"no answer. On {count(rescaling.before.n, 'test image')} the calibration error went from "
        f"{100 * rescaling.before.ece:.1f} to {100 * rescaling.after.ece:.1f} points"
        f"{': no help here' if rescaling.after.ece > rescaling.before.ece else ''}. "
        + ("Predict does not use it." if fit.at_limit else "Predict uses it.")
    )
    if fit.at_limit:
        text += " The fit ended at its limit, so the value is only a rough guide."
    if one.validated_on_test:
        text += (
            " The result leaves out the test images that this run used for validation."
            if rescaling.before.n < one.found.n
            else " This run used all its test images for validation, so the result is probably too good."
        )
    return text
