"""The section "Classes": precision, recall and F1 of each class with their intervals, as chart and table."""

from __future__ import annotations

import functools

import streamlit as st

from aquadash.evaluation.intervals import Interval
from aquadash.figures.class_scores import MOST_DRAWN, SCORES, ScoredRun, class_scores
from aquadash.ui import clicks, components, image_browser
from aquadash.ui.evaluated import Evaluated
from aquadash.ui.glossary import term
from aquadash.ui.probabilities import class_text

#: The chart's key.
KEY = "class-scores"


def show(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the chart and the table; a click shows the images that the score counts."""
    _take_click(one)
    st.subheader("How good is it at each class?", anchor=False, help=term("confidence interval"))
    components.plot(
        class_scores(_scored(one), None if other is None else _scored(other)),
        key=KEY,
        on_select="rerun",
        selection_mode="points",
    )
    if len(one.found.classes) > MOST_DRAWN:
        st.caption(f"The {MOST_DRAWN} classes with the lowest F1; the table has all of them.")
    st.caption(
        "Click a precision to see what was called this class, a recall or F1 to see its images. From the keyboard: "
        f"choose the predicted or the true class in the menus above the [images](#{image_browser.ANCHOR})."
    )
    st.markdown("**Scores of each class**")
    table(one)
    if other is not None:
        st.markdown("**Scores of the second run**")
        table(other)
    st.caption(
        "Note: the lower and upper figures are 95 % intervals, Wilson's for precision and recall, and for F1 "
        "one that follows from it. With few images they are wide; scores whose intervals overlap widely may well be "
        "equal."
    )


def table(one: Evaluated) -> None:
    """The scores with their intervals in whole per cent, and the two averages."""
    found = one.found
    rows = [(class_text(row.label), row, interval) for row, interval in zip(found.report, one.intervals(), strict=True)]
    columns: dict[str, list[object]] = {"Class": [*(name for name, _, _ in rows), "∅ by class", "∅ by image"]}
    every = (*found.report, found.macro_average, found.weighted_average)
    for field, title, _, _ in SCORES:
        columns[title] = [100 * getattr(row, field) for row in every]
    columns["Support"] = [row.support for row in every]
    # Behind the scores, which have room in half a page; the chart shows the intervals, too.
    for field, title, _, _ in SCORES:
        columns[f"{title}, 95 %"] = [*(_ends(getattr(interval, field)) for _, _, interval in rows), "", ""]
    number = functools.partial(st.column_config.NumberColumn, width=64)
    st.dataframe(
        columns,
        column_config={
            "Class": st.column_config.TextColumn(
                width=110, help="∅ by class is the plain mean of the rows above; ∅ by image counts each by its support."
            ),
            **{title: number(format="%.0f %%", help=term(title if title == "F1" else title.lower()))
               for _, title, _, _ in SCORES},
            **{f"{title}, 95 %": st.column_config.TextColumn(width=84, help=term("confidence interval"))
               for _, title, _, _ in SCORES},
            "Support": number(format="%d", help=term("support")),
        },
        hide_index=True,
        alt="Precision, recall and F1 of each class with their intervals",
        key=f"report-{one.run.run_id}",
    )  # fmt: skip


def _take_click(one: Evaluated) -> None:
    point = clicks.new_click(KEY)
    if point is None or len(point) != 2:
        return
    score, index = clicks.whole(point[0], below=len(SCORES)), clicks.whole(point[1], below=len(one.found.classes))
    if score is None or index is None:
        return
    name = one.found.classes[index]
    if SCORES[score][0] == "precision":
        image_browser.show_cell(image_browser.ANY, name)
    else:
        image_browser.show_cell(name, image_browser.ANY)


def _scored(one: Evaluated) -> ScoredRun:
    return ScoredRun(one.run.name, one.found.report, one.intervals())


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"{100 * interval[0]:.0f} to {100 * interval[1]:.0f}"
