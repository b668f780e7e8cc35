"""The section "Calibration": are probabilities honest, and what does a temperature mend?"""

from __future__ import annotations

import streamlit as st

from aquadash.evaluation import Calibration, Rescaling, bin_of
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.ui import address, bound, clicks, components, image_browser
from aquadash.ui.evaluate import scores
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

#: The chart's key.
KEY = "reliability"

_ANY = "any"


def show(one: Evaluated, other: Evaluated | None) -> Narrowed | None:
    """Draw the diagram, the figures before and after, and the histogram of confidence.

    Returns:
        The images of the chosen bin; None where none is chosen.
    """
    found, done = one.calibration(), one.rescaling()
    _take_click(len(found.counts))
    st.subheader("When it is 80 % sure, is it right in 80 % of cases?", anchor=False, help=term("calibration"))
    lines = [] if done is None else [(f"with temperature {done.temperature.value:.2f}", done.after)]
    if other is not None:
        lines.append((other.run.name, other.calibration()))
    chosen = _bin_menu(found)
    components.plot(
        reliability_diagram(found, lines=lines, selected=chosen), key=KEY, on_select="rerun", selection_mode="points"
    )
    st.caption(
        "Bars below the dotted line: too sure. Above it: not sure enough. Pale bars hold fewer than 10 images and say "
        "little. Click a bar to see its images. From the keyboard: the menu above."
    )
    _figures(one, other, found, done)
    st.markdown("**How sure is it?**", help=term("confidence"))
    if other is None:
        scores.show_confidence(one.predictions, key="confidences")
    else:
        for column, each in zip(st.columns(2), (one, other), strict=True):
            with column:
                st.caption(plain(each.run.name))
                scores.show_confidence(each.predictions, key=f"confidences-{each.run.run_id}")
    if chosen is None:
        return None
    mask = bin_of(one.predictions.probabilities.max(axis=1)) == chosen
    return Narrowed(mask, f"images answered with {_bin_text(found, chosen)} confidence")


def _bin_menu(found: Calibration) -> int | None:
    words = {_ANY: "any"} | {
        str(index + 1): f"{_bin_text(found, index)}: {count(int(images), 'image')}"
        for index, images in enumerate(found.counts)
    }
    word = bound.menu("bin", words, label="Images with a confidence of", width=260, on_change=image_browser.first_page)
    return None if word == _ANY else int(word) - 1


def _bin_text(found: Calibration, index: int) -> str:
    return f"{100 * found.edges[index]:.0f} to {100 * found.edges[index + 1]:.0f} %"


def _figures(one: Evaluated, other: Evaluated | None, found: Calibration, done: Rescaling | None) -> None:
    """The errors as a table, and what the temperature is in plain words."""
    rows = [("as it says", found)]
    if done is not None:
        if done.before.n != found.n:
            rows.append((f"as it says, the {done.before.n:,} unseen ones", done.before))
        rows.append(("with temperature", done.after))
    if other is not None:
        rows.append(("second run, as it says", other.calibration()))
    st.dataframe(
        {
            "": [name for name, _ in rows],
            "Calibration error": [100 * row.ece for _, row in rows],
            "Sure": [100 * row.mean_confidence for _, row in rows],
            "Right": [100 * row.mean_accuracy for _, row in rows],
            "Loss": [row.loss for _, row in rows],
            "Brier": [row.brier for _, row in rows],
        },
        column_config={
            "Calibration error": st.column_config.NumberColumn(format="%.1f", help=term("calibration error")),
            "Sure": st.column_config.NumberColumn(format="%.0f %%", help="Mean confidence."),
            "Right": st.column_config.NumberColumn(format="%.0f %%", help=term("accuracy")),
            "Loss": st.column_config.NumberColumn(format="%.3f", help=term("loss")),
            "Brier": st.column_config.NumberColumn(format="%.3f", help=term("Brier score")),
        },
        hide_index=True,
        alt="Calibration error, loss and Brier score before and after temperature scaling",
        key="calibration-figures",
    )
    st.markdown(_temperature_words(one, done), help=term("temperature"))


def _temperature_words(one: Evaluated, done: Rescaling | None) -> str:
    """What the temperature says, in markdown."""
    if done is None:
        return (
            "**No temperature:** this run kept no predictions of its validation images, as runs of older versions did, "
            "and a temperature must not be fitted on the test images. Clone the run and train it again to have one."
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
        f"**Temperature {fit.value:.2f}:** {verdict}. It was fitted on {count(fit.n, 'validation image')}; dividing "
        f"the network's scores by it takes the calibration error over {count(done.before.n, 'test image')} from "
        f"{100 * done.before.ece:.1f} to {100 * done.after.ece:.1f} points and the loss from {done.before.loss:.3f} to "
        f"{done.after.loss:.3f}. No answer changes, only how sure it is."
    )
    if done.after.ece > done.before.ece:
        text += " Here it did not help: what the validation images asked for does not suit the test images."
    if fit.at_limit:
        text += plain(" The fit ended at the edge of what is allowed, so take it as a direction and not as a figure.")
    if one.validated_on_test:
        text += (
            " This run validated on test images; they are left out of the figures after the fit."
            if done.before.n < one.found.n
            else " This run validated on all its test images, so that the figures after the fit flatter."
        )
    return text


def _take_click(bins: int) -> None:
    point = clicks.new_click(KEY)
    index = None if not point else clicks.whole(point[0], below=bins)
    if index is not None:
        address.assign("bin", str(index + 1))
        image_browser.first_page()
