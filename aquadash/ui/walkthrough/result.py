"""Result: a score is worth as much as the number of images behind it."""

from __future__ import annotations

import streamlit as st

from aquadash.evaluation import wilson_interval
from aquadash.ui.glossary import term
from aquadash.ui.text import percent
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import chance, checks_results, report


def show(results: Results) -> None:
    """Draw the section."""
    found = results.found
    parts.idea(
        "An accuracy is counted on a handful of images that happened to be in the test set; another handful would give "
        "another number. The 95 % interval says how far the true accuracy may reasonably be from what was counted. It "
        "gets narrower with more images, but slowly.",
        help=term("confidence interval"),
    )
    parts.real("Two scores with their intervals")
    theirs = wilson_interval(round(report.TEST_ACCURACY * report.MEASURED_IMAGES), report.MEASURED_IMAGES)
    with st.container(horizontal=True):
        st.metric(
            f"The report, {report.MEASURED_IMAGES} images", percent(report.TEST_ACCURACY, theirs), border=True,
            width="content",
        )  # fmt: skip
        st.metric(
            f"This run, {found.n:,} images", percent(found.accuracy, found.accuracy_ci95), border=True, width="content"
        )
    parts.attempt("measure on more images, or fewer")
    images = parts.slide(
        "measured", 10, checks_results.MOST_IMAGES, label="Test images", default=report.MEASURED_IMAGES, step=10
    )
    share = found.accuracy
    low, high = wilson_interval(round(share * images), images)
    wide = 100 * chance.width(share, images)
    st.markdown(
        f"If {100 * share:.0f} % of {images:,} images are right, the interval goes from **{100 * low:.1f} %** to "
        f"**{100 * high:.1f} %**: {wide:.1f} points wide."
    )
    parts.question(
        "result",
        f"About how many test images make the interval {100 * checks_results.WANTED_WIDTH:.0f} points wide, 3 up and 3 "
        "down?",
        answer=(results.run.run_id, images),
        check=lambda _: checks_results.enough_images(images, share=share),
        solution="Move the slider to the right until the width falls to 6.0 points; the arrow keys move it by single "
        "steps.",
    )
