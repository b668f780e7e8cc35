"""Training: what choosing by test images does to a score."""

from __future__ import annotations

import streamlit as st

from aquadash.evaluation import wilson_interval
from aquadash.training.prepare import report_validation_images
from aquadash.ui.glossary import term
from aquadash.ui.text import count, percent, plain
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import chance, checks_results, report


def show(results: Results) -> None:
    """Draw the section."""
    parts.idea(
        "Images have three uses: to learn from, to decide with (when to stop, which settings to keep), and to measure "
        "with. An image that was used to decide gives a flattering measurement, for what suited it was kept. So the "
        "three must be three different sets.",
        help=f"{term('validation')} {term('test set')}",
    )
    parts.real("This run's test images, split as the report splits them")
    right = results.predictions.probabilities.argmax(axis=1) == results.predictions.labels
    decided = report_validation_images(len(right))
    with st.container(horizontal=True):
        for title, part in (
            (f"First {decided:,}, with which the report decides", right[:decided]),
            (f"Last {len(right) - decided:,}, with which it measures", right[decided:]),
        ):
            share = float(part.mean())
            interval = wilson_interval(int(part.sum()), len(part))
            st.metric(title, percent(share, interval), border=True, width="content", help=term("confidence interval"))
    validation = results.run.config.training.validation
    st.markdown(
        f"**{plain(results.run.name)}** "
        + (
            "decided with the first of them when to stop, as the report did."
            if validation == "test"
            else "decided with images held out of the training set, so that all test images are clean."
        )
    )
    parts.attempt("choose the best of several networks by their test score")
    images = min(report.MEASURED_IMAGES, len(right) - decided)
    accuracy, own = checks_results.equal_chance(float(right.mean()))
    wanted = 100 * checks_results.wanted_flattery(accuracy, images)
    tried = parts.slide("tried", 1, checks_results.MOST_CANDIDATES, label="Networks tried", default=1)
    gained = 100 * chance.flattery(tried, accuracy=accuracy, images=images)
    st.markdown(
        f"Say that all of them are equally good, right in {100 * accuracy:.0f} % of cases"
        + (" like this run" if own else "")
        + f", and that each is measured on {count(images, 'image')}. The best score among {tried} is then "
        f"**{100 * accuracy + gained:.1f} %** on average: {gained:.1f} points too much."
    )
    st.progress(min(1.0, gained / max(wanted, 0.5)), text=f"{gained:.1f} of {wanted:.1f} points")
    parts.question(
        "training",
        f"How many networks must be tried at least until the best one looks {wanted:.1f} points better than it is?",
        answer=(tried, accuracy, images),
        check=lambda _: checks_results.candidates(tried, accuracy=accuracy, images=images),
        solution=f"Start from 1 and move the slider up until the gain reaches {wanted:.1f} points for the first time.",
    )
