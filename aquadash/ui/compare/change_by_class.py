"""What changed from one run to another, class by class."""

from __future__ import annotations

import streamlit as st

from aquadash.evaluation import PairedChange, paired_change
from aquadash.figures.paired_change import paired_change as paired_change_chart
from aquadash.ui import components, gallery
from aquadash.ui.compared import Compared, bold
from aquadash.ui.glossary import term
from aquadash.ui.tables import Column, number_column, table


def render_change(compared: Compared, first: int, second: int) -> None:
    """Draw the change of accuracy in each class.

    Args:
        first: The position of the run to compare with.
        second: That of the run in question, measured on the same images.
    """
    predictions = compared.predictions()
    before, after = predictions[first], predictions[second]
    if before is None or after is None:
        # Somebody has resumed it since the two were compared.
        return
    names = compared.runs[second].class_names
    found = paired_change(before, after, class_names=names)
    a, b = bold(compared.names[first]), bold(compared.names[second])
    st.markdown(f"**Change in each class** from {a} to {b}")
    components.plot(paired_change_chart(found, class_names=names, images=compared.images), key="change-by-class")
    _table(found)
    st.caption(
        "Intervals: Newcombe's for paired proportions. A filled dot marks an interval that leaves no change out; with "
        f"{len(found.classes)} classes one of them may do so by chance."
    )


def _table(found: PairedChange) -> None:
    """The same in numbers."""
    changes = (found.overall, *found.classes)
    names = ["all", *(gallery.class_text(row.label) for row in found.classes)]
    intervals = [f"{100 * low:+z.1f} to {100 * high:+z.1f}" for low, high in (row.interval for row in changes)]
    with st.expander("In numbers", icon="🔢"):
        table(
            Column("Class", names),
            Column("Images", [row.n for row in changes]),
            number_column("From", [100 * row.before for row in changes], "%.1f %%"),
            number_column("To", [100 * row.after for row in changes], "%.1f %%"),
            number_column("Points", [100 * row.change for row in changes], "%+.1f"),
            Column("95 % interval", intervals),
            Column("Fixed", [row.fixed for row in changes]),
            Column("Newly broken", [row.broken for row in changes]),
            number_column("p", [row.p_value for row in changes], "%.3g", help=term("McNemar")),
            alt="Change of accuracy by class",
            key="changes",
            height="content",
        )
