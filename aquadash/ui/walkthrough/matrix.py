"""Confusion matrix: precision, recall and accuracy are three questions."""

from __future__ import annotations

import streamlit as st

from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.ui import bound, components
from aquadash.ui.gallery import class_text
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import checks_results, report


def show(results: Results) -> None:
    """Draw the section."""
    found = results.found
    parts.idea(
        "A row a true class, a column an answer. **Accuracy** is the diagonal out of everything. **Recall** goes along "
        "a row: of the seals, how many were found? **Precision** goes down a column: of what was *called* a seal, how "
        "much is one?",
        help=f"{term('confusion matrix')} {term('F1')}",
    )
    parts.real("This run's matrix")
    components.plot(confusion_matrix(found.confusion_matrix, class_names=found.classes), key="walk-matrix")
    right = sum(report.right_ones(row) for row in report.SCORES)
    weighted = report.WEIGHTED_AVERAGE
    mine = found.weighted_average
    st.dataframe(
        {
            "": ["The report, 100 images", f"This run, {found.n:,} images"],
            "Accuracy": [float(right), 100 * found.accuracy],
            "Precision": [100 * weighted.precision, 100 * mine.precision],
            "Recall": [100 * weighted.recall, 100 * mine.recall],
            "F1": [100 * weighted.f1, 100 * mine.f1],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.2f %%", help=term(help))
            for name, help in (
                ("Accuracy", "accuracy"), ("Precision", "precision"), ("Recall", "recall"), ("F1", "F1"),
            )
        },
        hide_index=True,
        alt="Accuracy and weighted means of precision, recall and F1, of the report and of this run",
    )  # fmt: skip
    st.caption("Precision, recall and F1 are means over the classes, weighted by their images.")
    parts.attempt("call it so only when sure enough")
    known = [row for row in found.report if row.recall >= checks_results.LEAST_RECALL]
    weakest = min(known or found.report, key=lambda row: row.precision).label
    titles = {name: class_text(name) for name in found.classes}
    chosen = bound.menu("called", titles, label="Class", default=weakest)
    threshold = parts.slide(
        "from", 1, 99, label="Called so from a probability of", default=1, unit=" %", help=term("threshold")
    )
    cuts = checks_results.cuts(
        results.predictions.labels, results.predictions.probabilities, found.classes.index(chosen)
    )
    with st.container(horizontal=True):
        st.metric("Called so", f"{int(cuts.called[threshold - 1]):,}", border=True, width="content")
        for name, values in (("Precision", cuts.precision), ("Recall", cuts.recall)):
            unknown = name == "Precision" and not cuts.called[threshold - 1]
            value = "–" if unknown else f"{100 * values[threshold - 1]:.0f} %"
            st.metric(name, value, border=True, width="content", help=term(name.lower()))
    wanted = checks_results.wanted_precision(cuts)
    parts.question(
        "matrix",
        "The run hardly ever thinks of this class: choose another one."
        if wanted is None
        else f"Set the threshold so that the precision is at least {100 * wanted:.0f} %, with the most recall that "
        "allows.",
        answer=(results.run.run_id, chosen, threshold),
        check=lambda _: checks_results.precise_threshold(threshold, cuts),
        solution="Start from the left, and move the threshold up until the precision is high enough for the first "
        "time. If it falls below again, look whether a lower threshold was enough already.",
    )
