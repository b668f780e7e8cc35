"""The visitor of a page, and the lab with that person's rights."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash import settings
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.ui import warmup


class _VisitorsLab(Lab):
    """A lab that waits for the run store at a cold start, with a spinner on the page."""

    def __getattr__(self, name: str) -> Any:
        if name in ("runs", "searches", "jobs") and not warmup.ready():
            with st.spinner("Opening the run store ..."):
                warmup.wait_for_store()
        return super().__getattr__(name)


def lab() -> Lab:
    """Return the visitor's lab; its parts raise ``AquaDashError`` where the run store could not be opened."""
    return _VisitorsLab(visitor())


def visitor() -> Person:
    """Return the visitor of the page that this thread draws; without a class the owner of the machine."""
    if not settings.classroom():
        return OWNER
    from aquadash.ui.classroom import admission

    return admission.visitor()
