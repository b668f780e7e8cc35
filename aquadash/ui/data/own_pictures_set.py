"""A kept data set of own pictures: what the check found, the way on, and its deletion with the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.data.folder.about import PREFIX
from aquadash.data.folder.types import CheckReport, Finding, Picture
from aquadash.lab.rights import Action
from aquadash.ui import components, gallery, inputs, shell
from aquadash.ui.lab import lab
from aquadash.ui.text import count, plain

#: Where the data set that was just kept or brought back is remembered, to be pointed at.
KEPT = "own:kept"
#: What was deleted last in this session and can be brought back: its source, title and key.
_DELETED = "own:deleted"


def render_own_set(source: str) -> None:
    """Draw what belongs to a data set of own pictures; nothing for any other.

    Args:
        source: The chosen data set.
    """
    if not source.startswith(PREFIX):
        return
    kept = lab().data.own(source)
    if st.session_state.pop(KEPT, None) == source:
        st.success(f"“{plain(kept.title)}” is ready. Every page can work with it.", icon="✅")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/train.py", label="Train on it", icon=":material/arrow_forward:", query_params={"source": source}
        )
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(
                f"Delete “{plain(kept.title)}”? Runs keep their results, but their pictures can be shown no more. It "
                "can be brought back on this page until five more have been deleted or replaced."
            )
            st.button("Delete it", key="own-delete", type="primary", on_click=_delete, args=(source, kept.title))
    with st.expander("What the check found", icon="🔎", key="own-report", on_change="rerun") as box:
        if box.open:
            with shell.guard():
                report, _ = lab().data.report(source)
                render_report(report)


def offer_undo() -> None:
    """Draw the way to bring back what was deleted: at once what went last, from a list what went before."""
    gone = st.session_state.get(_DELETED)
    # Where another one has its name by now, the list says what becomes of that.
    if gone and gone["source"] not in lab().data.sources():
        components.undo_bar(gone["title"], key="own", on_undo=partial(_restore, gone["key"]), on_dismiss=_forget)


def deleted_menu() -> None:
    """Draw a menu of all that can be brought back, where there is anything."""
    keys = lab().data.deleted()
    if not keys:
        return
    times = Counter(key.rpartition(".")[0] for key in keys)

    def title(key: str) -> str:
        name, _, nanoseconds = key.rpartition(".")
        if times[name] == 1:
            return name
        return f"{name} · deleted {datetime.fromtimestamp(int(nanoseconds) / 1e9):%d %b %H:%M:%S}"

    # The browser, and Streamlit, know the options of a menu by their text alone, which another one may have next.
    titled = {title(key): key for key in keys}
    with st.popover("Deleted ones", icon=":material/restore_from_trash:"):
        key = titled[inputs.selectbox("Deleted data sets", list(titled), key="own-gone")]
        source = PREFIX + key.rpartition(".")[0]
        if there := lab().data.sources().get(source):
            if lab().rights.allow(Action.DELETE_PICTURES, lab().data.own(source).resource):
                becomes = "as it is now goes into this list, and can be brought back, too"
            else:
                becomes = "is for all and has this name now: only the teacher can put it away"
            st.caption(f"“{plain(there.title)}” {becomes}.")
        # The second of two clicks is on a button that is gone, not on that of what the first has put away.
        st.button("Bring it back", key=f"own-restore-{key}", on_click=_restore, args=(key,))


@shell.guard()
def _delete(source: str, title: str) -> None:
    # Changed in place: the second of two clicks ends this where it next touches the session.
    data, gone = lab().data, st.session_state.setdefault(_DELETED, {})
    if source in data.sources() or gone.get("source") != source:  # Else the first of two clicks has deleted it.
        gone.update(key=data.delete(source), source=source, title=title)
    st.query_params.clear()
    st.session_state.pop("source", None)


def _forget() -> None:
    st.session_state.pop(_DELETED, None)


@shell.guard()
def _restore(key: str) -> None:
    data, source = lab().data, PREFIX + key.rpartition(".")[0]
    if key in data.deleted() or source not in data.sources():  # Else the first of two clicks has brought it back.
        data.restore(key)
    if st.session_state.get(_DELETED, {}).get("key") == key:
        _forget()
    st.session_state[KEPT] = source
    st.query_params.from_dict({"source": source})


#: Icon and word of each severity: the colour never stands alone.
FINDING_SIGNS = {"problem": ("⛔", "Problem"), "warning": ("⚠️", "Warning"), "note": ("ℹ️", "Note")}


def render_report(
    report: CheckReport, images: Mapping[int, NDArray[np.uint8]] | None = None, pictures: Sequence[Picture] = ()
) -> None:
    """Draw the findings, the gravest first.

    Args:
        report: What was found.
        images: The images at the report's positions; None to show none.
        pictures: What is known of the pictures at those positions.
    """
    if not report.findings:
        st.success("Nothing is wrong with these pictures.", icon="✅")
        return
    parts = [
        count(len(found), word.lower())
        for severity, (_, word) in FINDING_SIGNS.items()
        if (found := report.of_severity(severity))  # type: ignore[arg-type]
    ]
    st.markdown(f"**The check found {', '.join(parts)}.**")
    for number, finding in enumerate(report.findings):
        icon, word = FINDING_SIGNS[finding.severity]
        with st.expander(
            f"{word}: {plain(finding.title)}", icon=icon, expanded=finding.severity != "note", key=f"own-found-{number}"
        ):
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
        gallery.show(cards, size_rem=5, label=finding.title)
        if finding.count > len(finding.rows):
            st.caption("The first of them.")


def _card(
    row: int, report: CheckReport, images: Mapping[int, NDArray[np.uint8]], pictures: Sequence[Picture]
) -> gallery.Card:
    picture = pictures[row]
    name = report.class_names[picture.label]
    part = "" if picture.part is None else f"{'test' if picture.part == 'test' else 'training'}, "
    alt = f"{name}: {picture.name}, {picture.width} by {picture.height} pixels"
    subtitle = f"{picture.name} ({part}{picture.width} × {picture.height})"
    return gallery.class_card(images[row], name, picture.label, alt, subtitle)
