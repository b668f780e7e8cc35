"""ROC and precision-recall curves of a run and a second one."""

from typing import cast

import streamlit as st

from aquadash.evaluation import macro_mean
from aquadash.figures.ranking_curves import MAX_DRAWN, Kind, area, ranking_curves_figure
from aquadash.ui.kit import bound, components
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns

_KINDS = {"roc": "ROC", "precision-recall": "Precision and recall"}


def render_ranking_curves(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the curves of each class against the rest, and a table of the areas."""
    help = f"{term('ROC curve')} {term('precision-recall curve')}"
    kind = cast(Kind, bound.choice("curve", _KINDS, label="Curve", help=help))
    second = None if other is None else (other.run.name, other.curves())
    components.render_plot(ranking_curves_figure(one.curves(), kind=kind, other=second), key="ranking-curves")
    if len(one.found.classes) > MAX_DRAWN:
        st.caption(f"The chart shows the {MAX_DRAWN} classes with the smallest areas, the table all of them.")
    columns = [Column("Class", [*map(class_text, one.found.classes), "Mean of classes"])]
    areas: tuple[tuple[Kind, str, str], ...] = (
        ("roc", "ROC area", term("ROC area")),
        ("precision-recall", "Average precision", term("average precision")),
    )
    for run, suffix in ((one, ""), (other, ", second run")):
        if run is None:
            continue
        for column_kind, title, column_help in areas:
            values = [area(row, column_kind) for row in run.curves()]
            columns.append(number_column(title + suffix, [*values, macro_mean(values)], "%.3f", help=column_help))
    render_columns(*columns, alt="The area under each class's curves", key="areas")
