"""A draft of own pictures: its reading, what the check found, the split, and the button that keeps it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from aquadash.data.folder import drafts
from aquadash.data.folder.drafts import Draft
from aquadash.data.folder.reading import SIZES
from aquadash.data.folder.splitting import TEST_FRACTIONS, Division, SplitChoice
from aquadash.errors import AquaDashError
from aquadash.figures.class_counts import class_counts
from aquadash.jobs import Job
from aquadash.jobs.types import job_id
from aquadash.ui import components, inputs, job_panel, shell
from aquadash.ui.data import own_pictures_report
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count

#: Where the data set that was just kept is remembered, to be pointed at.
KEPT = "own:kept"


def show(draft_id: str, *, start: Callable[[str], None]) -> None:
    """Draw the draft.

    Args:
        draft_id: From the address.
        start: Has a draft read and goes to it.
    """
    st.subheader("Own pictures", anchor=False)
    if lab().data.is_read(draft_id):
        _ready(draft_id, start)
    else:
        job_panel.follow(job_id(drafts.KIND, draft_id), lambda job: _reading(draft_id, job, start))


def _reading(draft_id: str, job: Job | None, start: Callable[[str], None]) -> None:
    if job is not None and not job.status.ended:
        job_panel.show(job, key="own", stop_help="Nothing is kept.")
        st.caption("It goes on if you leave this page; the address leads back to it.")
    else:
        if job is not None:
            job_panel.show_end(job, did="read the pictures", kept="Nothing was kept.")
        with st.container(horizontal=True):
            if st.button("Try again", icon="🔁", key="own-again"):
                start(lab().data.begin_again(draft_id))
            if st.button("Discard", icon=":material/delete:", key="own-discard"):
                _discard(draft_id)
                st.rerun(scope="app")


def _ready(draft_id: str, start: Callable[[str], None]) -> None:
    draft = _opened(draft_id)
    report = draft.report
    size = report.size
    with st.container(horizontal=True):
        st.metric("Pictures read", f"{len(draft.pictures):,}", width="content", border=True)
        st.metric("Not readable", f"{len(draft.refused):,}", width="content", border=True)
        st.metric("Classes", len(report.class_names), width="content", border=True)
        st.metric("Size in pixels", f"{size} × {size}", width="content", border=True)
    own_pictures_report.show(report, draft.images, draft.pictures)
    with st.popover("Read again at another size", icon="📐"):
        other = inputs.select_slider("Size in pixels", SIZES, value=size, key=f"own-other-{draft_id}")
        if st.button("Read again", key="own-resize", disabled=other == size):
            start(lab().data.begin_again(draft_id, size=other))
    st.subheader("What is kept for the test?", anchor=False, help=term("test set"))
    with st.container(border=True):
        division, choice = _split(draft)
    title = inputs.text_input(
        "Name of the data set", value=draft.request.origin.rpartition(".")[0][:60] or draft.request.origin[:60],
        max_chars=60, key=f"own-title-{draft_id}",
    )  # fmt: skip
    with st.container(horizontal=True):
        use = st.button(
            "Use it",
            type="primary",
            icon="✅",
            key="own-use",
            disabled=not report.usable or division is None,
            help=None if report.usable else "A problem has to be mended first; see above.",
        )
        if st.button("Discard", icon=":material/delete:", key="own-discard", help="Nothing is kept."):
            _discard(draft_id)
            st.rerun()
    if use:
        with shell.guard(), st.spinner("Keeping the pictures ..."):
            kept = lab().data.keep(draft, choice, title=title)
            _discard(draft_id)
            st.session_state[KEPT] = kept.source
            st.query_params.from_dict({"source": kept.source})
            st.rerun()


def _split(draft: Draft) -> tuple[Division | None, SplitChoice]:
    """The controls of the split and what it comes to; None where it cannot be made."""
    choice = _choice(draft)
    try:
        division = draft.divide(choice)
    except AquaDashError as error:
        shell.show_error(error)
        return None, choice
    labels = np.array([picture.label for picture in draft.pictures], dtype=np.int64)
    names = draft.report.class_names
    counts = {
        title: np.bincount(labels[rows], minlength=len(names)).tolist()
        for title, rows in (("Training", division.train), ("Test", division.test))
    }
    out = [
        count(number, one, many)
        for number, one, many in (
            (division.copies, "exact copy", "exact copies"),
            (division.leaks, "training picture that the test holds", "training pictures that the test holds"),
        )
        if number
    ]
    aside = f" Left out: {', '.join(out)}." if out else ""
    st.markdown(
        f"**{count(len(division.train), 'training image')}, {count(len(division.test), 'test image')}.**{aside}"
    )
    components.plot(class_counts(counts, class_names=names), key="own-counts")
    return division, choice


def _choice(draft: Draft) -> SplitChoice:
    if draft.report.given is not None:
        words = {"given": "As sorted into train and test", "drawn": "Drawn at random"}
        chosen = inputs.segmented_control(
            "Split",
            list(words),
            default="given",
            required=True,
            key="own-split",
            format_func=words.__getitem__,
            help=term("split"),
        )
        if chosen == "given":
            drop = inputs.toggle(
                "Leave out training pictures that look like a test picture",
                value=True,
                key="own-leaks",
                help="Otherwise the test asks for what was learnt by heart.",
            )
            return SplitChoice(drop_leaks=drop)
    low, high = TEST_FRACTIONS
    percent = inputs.slider("Kept for the test, %", round(100 * low), round(100 * high), 20, 5, key="own-fraction")
    seed = inputs.number_input("Seed", min_value=0, max_value=2**32 - 1, step=1, key="own-seed", help=term("seed"))
    return SplitChoice(percent / 100, int(seed), use_given=False)


def _discard(draft_id: str) -> None:
    _opened.clear(draft_id)
    lab().data.discard(draft_id)
    st.query_params.clear()


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(draft_id: str) -> Draft:
    """Ask for the draft's reading first: that refuses whoever did not begin it."""
    return lab().data.draft(draft_id)
