"""How far a run at work is, in one line, for the places that show several of them."""

from __future__ import annotations

import streamlit as st

from aquadash.runs.types import Run, RunStatus
from aquadash.ui.text import joined, plain, sentence, time_left


def bar(run: Run, *, lead: str = "") -> None:
    """Draw a progress bar with its words, and before them what tells the run from others, if anything must."""
    share, text = of(run)
    st.progress(share, text=plain(f"{lead}: {text}" if lead else sentence(text)))


def of(run: Run) -> tuple[float, str]:
    """The share of its epochs that a run has done, 0 to 1, and what it does, plain text."""
    progress = run.progress
    if run.status is RunStatus.QUEUED or progress is None:
        return 0.0, "waits for its turn"
    if not progress.epochs:
        return 0.0, progress.phase
    left = time_left(progress.eta_seconds, at_most=True)
    return progress.share, joined(f"{progress.phase}: epoch {progress.epoch} of {progress.epochs}", left)
