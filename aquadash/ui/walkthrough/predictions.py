"""Predictions: probabilities for single images."""

from __future__ import annotations

import numpy as np
import streamlit as st

from aquadash.ui import bound, gallery, image_browser
from aquadash.ui.gallery import class_text
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import checks_results, report

_MOST = 12


def show(results: Results) -> None:
    """Draw the section."""
    parts.idea(
        "The network gives every class a probability, and the largest is its answer. It must share out 100 % among the "
        "classes it knows, whatever it is shown. How often it is right when it says 90 % is another question.",
        help=term("confidence"),
    )
    names, found = results.found.classes, results.predictions
    sure, answers = found.probabilities.max(axis=1), found.probabilities.argmax(axis=1)
    parts.real("The report's five images, and this run's answers to its own with the same numbers")
    rows = report.ANSWERS
    here = [row.image if row.image < len(answers) else None for row in rows]
    st.dataframe(
        {
            "Test image": [row.image for row in rows],
            "Report: is": [class_text(row.true) if row.true else "not said" for row in rows],
            "Report: answer": [class_text(row.predicted) for row in rows],
            "Report: sure": [100 * row.probability for row in rows],
            "Here: is": ["no such image" if at is None else class_text(names[found.labels[at]]) for at in here],
            "Here: answer": ["–" if at is None else class_text(names[answers[at]]) for at in here],
            "Here: sure": [None if at is None else 100 * float(sure[at]) for at in here],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.1f %%") for name in ("Report: sure", "Here: sure")
        },
        hide_index=True,
        alt="Five test images with the answers of the report's network and of this run",
    )
    parts.attempt("how sure is it when it is wrong?")
    start = 50 if sure.max() >= 0.5 else 1
    least = parts.slide("sure", 1, 99, label="At least so sure", default=start, unit=" %", help=term("confidence"))
    only = bound.toggle("wrong", label="Only wrong answers")
    mask = (sure >= least / 100) & ((answers != found.labels) | (not only))
    shown = np.flatnonzero(mask)
    st.caption(f"{len(shown):,} of {len(mask):,} test images" + (f"; the first {_MOST}" if len(shown) > _MOST else ""))
    _pictures(results, shown[:_MOST])
    task = checks_results.sure_mistake_task(found.labels, found.probabilities)
    parts.question(
        "predictions",
        "This run made no mistake. Find the image that it is least sure of."
        if task.threshold is None
        else f"Find a test image that the run is at least {100 * task.threshold:.0f} % sure of, and wrong.",
        answer=results.run.run_id,
        ask=lambda: parts.field("mistake", label="Your answer: the image's number", placeholder="such as 12"),
        check=lambda text: checks_results.sure_mistake(text, found.labels, found.probabilities),
        solution="Switch on “Only wrong answers” and move the slider up to the percentage that is asked for. Any image "
        "that is left will do; its number stands above it.",
    )


def _pictures(results: Results, shown: np.ndarray) -> None:
    names, found = results.found.classes, results.predictions
    dataset = image_browser.matching_dataset(results.run)
    if dataset is None:
        st.dataframe(
            {
                "Number": shown,
                "Is": [class_text(names[label]) for label in found.labels[shown]],
                "Answer": [class_text(names[each]) for each in found.probabilities[shown].argmax(axis=1)],
                "Sure": 100 * found.probabilities[shown].max(axis=1, initial=0.0),
            },
            column_config={"Sure": st.column_config.NumberColumn(format="%.0f %%")},
            hide_index=True,
            height="content",
        )
        return
    cards = []
    for position in shown:
        card = image_browser.card(dataset, found, int(position), class_names=names)
        cards.append(
            gallery.Card(
                card.image, f"No. {position}: {card.title}", card.alt, subtitle=card.subtitle, accent=card.accent
            )
        )
    gallery.show(cards, size_rem=7, label="Test images with the run's answers")
