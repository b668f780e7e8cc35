"""The section "Threshold": the network answers only when it is sure enough."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from aquadash.evaluation import CoveragePoint, answered, coverage_at, lowest_threshold
from aquadash.figures.coverage_curve import coverage_curve
from aquadash.ui import address, bound, clicks, components, image_browser
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.glossary import term
from aquadash.ui.text import count, percent

#: The chart's key.
KEY = "coverage"

_SHOWN = {"answered": "Answered", "refused": "Refused", "all": "All"}

#: Shares of right answers for which a threshold can be looked up on the validation images, in per cent.
_TARGETS = (80, 90, 95)


def show(one: Evaluated, other: Evaluated | None) -> Narrowed:
    """Draw the slider, what it gives, and the curve.

    Returns:
        The images that are answered, refused, or all.
    """
    point = clicks.new_click(KEY)
    cut = None if not point else clicks.share(point[0])
    if cut is not None:
        address.assign("sure", math.floor(100 * cut + 1e-6))
        image_browser.first_page()
    st.subheader("Rejection threshold", anchor=False, help=term("coverage"))
    sure = bound.slider(
        "sure",
        0,
        100,
        label="Minimum confidence",
        default=50,
        format="%d %%",
        help=term("confidence"),
        on_change=image_browser.first_page,
    )
    _targets(one)
    threshold = sure / 100
    given = coverage_at(one.predictions.labels, one.predictions.probabilities, threshold=threshold)
    _figures(one, given)
    runs = [(one.run.name, one.coverage(), given)]
    if other is not None:
        there = coverage_at(other.predictions.labels, other.predictions.probabilities, threshold=threshold)
        runs.append((other.run.name, other.coverage(), there))
    components.plot(coverage_curve(runs), key=KEY, on_select="rerun", selection_mode="points")
    st.caption("Click the curve to move the threshold. From the keyboard: the slider above.")
    counts = {"answered": given.answered, "refused": given.n - given.answered, "all": given.n}
    titles = {word: f"{title}: {counts[word]:,}" for word, title in _SHOWN.items()}
    shown = bound.choice("answers", titles, label="Images shown", on_change=image_browser.first_page)
    mask = answered(one.predictions.probabilities, threshold=threshold)
    if shown == "all":
        return Narrowed(np.ones_like(mask), "all test images")
    return Narrowed(mask if shown == "answered" else ~mask, f"images {shown} at a threshold of {sure} %")


def set_threshold(threshold: float) -> None:
    """A button's callback: the threshold, 0 to 1, that the validation images suggest."""
    address.assign("sure", math.ceil(100 * threshold - 1e-6))
    image_browser.first_page()


def _targets(one: Evaluated) -> None:
    """Buttons that set the slider to what gives a share of right answers on the validation images."""
    validation = one.validation
    if validation is None:
        st.caption(
            "This run kept no predictions of its validation images, so that no threshold can be looked up on them. One "
            "that is chosen by its result on the test images flatters."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Set by the validation images:", width="content")
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


def _figures(one: Evaluated, given: CoveragePoint) -> None:
    with st.container(horizontal=True):
        st.metric(
            "Answered",
            percent(given.coverage).replace(".0 %", " %"),
            delta=f"{given.answered:,} of {count(given.n, 'test image')}",
            delta_color="off",
            delta_arrow="off",
            help=term("coverage"),
            border=True,
            width="content",
        )
        value, _, rest = percent(given.accuracy, given.interval).partition(" (")
        st.metric(
            "Accuracy on those",
            value,
            delta=f"95 % interval: {rest.rstrip(')')}" if rest else "nothing is answered",
            delta_color="off",
            delta_arrow="off",
            help=f"{term('accuracy')} {term('confidence interval')}",
            border=True,
            width="content",
        )
    validation = one.validation
    if validation is not None:
        there = coverage_at(validation.labels, validation.probabilities, threshold=given.threshold)
        right = "no answer" if there.accuracy is None else f"{percent(there.accuracy, there.interval)} of them right"
        st.caption(
            f"On the {count(there.n, 'validation image')} the same threshold answers {percent(there.coverage)}, "
            f"{right}."
        )
