"""A kept data set of own pictures: its report, the next step, and its deletion."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.data.folder.about import PREFIX
from aquadash.data.folder.types import CheckReport, Finding, Picture
from aquadash.ui.kit import components, gallery, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain

#: Key of the data set that was just kept.
KEPT = "own:kept"


def render_own_set(source: str) -> None:
    """Draw the parts for a data set of own pictures; nothing for any other."""
    if not source.startswith(PREFIX):
        return
    kept = lab().data.own(source)
    if st.session_state.pop(KEPT, None) == source:
        st.success(f"“{plain(kept.title)}” is ready. Every page can work with it.", icon="✅")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/train.py", label="Train on it", icon=":material/arrow_forward:", query_params={"source": source}
        )
        if st.button("Delete", icon=":material/delete:", key="own-delete"):
            components.ask_to_delete(
                kept.title,
                "Runs that were trained on these pictures keep their results. Their pictures can no longer be shown.",
                key="own-delete",
                delete=partial(_delete, source),
            )
    with st.expander("What the check found", icon="🔎", key="own-report", on_change="rerun") as box:
        if box.open:
            with shell.guard():
                report, _ = lab().data.report(source)
                render_report(report)


@shell.guard()
def _delete(source: str) -> None:
    if source in lab().data.sources():  # Otherwise the first click of a double click has deleted it.
        lab().data.delete(source)
    st.query_params.clear()
    st.session_state.pop("source", None)


#: Icon and word of each severity: colour alone would not be accessible.
FINDING_SIGNS = {"problem": ("⛔", "Problem"), "warning": ("⚠️", "Warning"), "note": ("ℹ️", "Note")}


def render_report(
    report: CheckReport, images: Mapping[int, NDArray[np.uint8]] | None = None, pictures: Sequence[Picture] = ()
) -> None:
    """Draw the findings, the most severe first."""
    if not report.findings:
        st.success("Nothing is wrong with these pictures.", icon="✅")
        return
    parts = [
        count(len(findings), word.lower())
        for severity, (_, word) in FINDING_SIGNS.items()
        if (findings := report.of_severity(severity))  # type: ignore[arg-type]
    ]
    st.markdown(f"**The check found {', '.join(parts)}.**")
    for number, finding in enumerate(report.findings):
        icon, word = FINDING_SIGNS[finding.severity]
        title, is_open = f"{word}: {plain(finding.title)}", finding.severity != "note"
        with st.expander(title, icon=icon, expanded=is_open, key=f"own-found-{number}"):
            _finding(finding, report, images, pictures)


def _finding(
    finding: Finding,
    report: CheckReport,
    images: Mapping[int, NDArray[np.uint8]] | None,
    pictures: Sequence[Picture],
) -> None:
    st.markdown(plain(finding.advice))
    if finding.names:
        st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[:12]))
        if finding.count > 12 and len(finding.names) >= 12:
            with st.popover(f"More of the {finding.count:,}"):
                st.markdown("\n".join(f"- {plain(name)}" for name in finding.names[12:]) or "No more are named.")
    if finding.rows and images is not None:
        cards = [_card(row, report, images, pictures) for row in finding.rows]
        gallery.render_cards(cards, size_rem=5, label=finding.title)
        if finding.count > len(finding.rows):
            st.caption("Only the first are shown.")


def _card(
    row: int, report: CheckReport, images: Mapping[int, NDArray[np.uint8]], pictures: Sequence[Picture]
) -> gallery.Card:
    picture = pictures[row]
    name = report.class_names[picture.label]
    part = "" if picture.part is None else f"{'test' if picture.part == 'test' else 'training'}, "
    alt = f"{name}: {picture.name}, {picture.width} by {picture.height} pixels"
    subtitle = f"{picture.name} ({part}{picture.width} × {picture.height})"
    return gallery.class_card(images[row], name, picture.label, alt, subtitle)
