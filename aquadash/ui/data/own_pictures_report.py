"""What the check of own pictures found, with the pictures it is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.data.folder.types import CheckReport, Finding, Picture
from aquadash.figures.theme import class_colour
from aquadash.ui import components, gallery
from aquadash.ui.text import count, plain

#: Icon and word of each severity: the colour never stands alone.
SIGNS = {"problem": ("⛔", "Problem"), "warning": ("⚠️", "Warning"), "note": ("ℹ️", "Note")}


def show(
    report: CheckReport, images: NDArray[np.uint8] | None = None, pictures: Sequence[Picture] | None = None
) -> None:
    """Draw the findings, the gravest first.

    Args:
        report: What was found.
        images: The pictures that the report's positions mean, uint8 (n, size, size, 3); None to show none.
        pictures: What is known of them.
    """
    if not report.findings:
        st.success("Nothing is wrong with these pictures.", icon="✅")
        return
    parts = [
        count(len(found), word.lower())
        for severity, (_, word) in SIGNS.items()
        if (found := report.of_severity(severity))  # type: ignore[arg-type]
    ]
    st.markdown(f"**The check found {', '.join(parts)}.**")
    for number, finding in enumerate(report.findings):
        icon, word = SIGNS[finding.severity]
        with st.expander(
            f"{word}: {plain(finding.title)}", icon=icon, expanded=finding.severity != "note", key=f"own-found-{number}"
        ):
            _finding(finding, report, images, pictures)


def _finding(
    finding: Finding, report: CheckReport, images: NDArray[np.uint8] | None, pictures: Sequence[Picture] | None
) -> None:
    st.markdown(plain(finding.advice))
    if finding.names:
        st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[:12]))
        if finding.count > 12 and len(finding.names) >= 12:
            with st.popover(f"More of the {finding.count:,}"):
                st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[12:]) or "No more are named.")
    if finding.rows and images is not None and pictures is not None:
        cards = [_card(row, report, images, pictures) for row in finding.rows]
        gallery.show(cards, size_rem=5, label=finding.title)
        if finding.count > len(finding.rows):
            st.caption("The first of them.")


def _card(row: int, report: CheckReport, images: NDArray[np.uint8], pictures: Sequence[Picture]) -> gallery.Card:
    picture = pictures[row]
    name = report.class_names[picture.label]
    part = "" if picture.part is None else f"{'test' if picture.part == 'test' else 'training'}, "
    return gallery.Card(
        image=images[row],
        title=components.class_title(name),
        subtitle=f"{picture.name} ({part}{picture.width} × {picture.height})",
        alt=f"{name}: {picture.name}, {picture.width} by {picture.height} pixels",
        accent=class_colour(name, picture.label),
    )
