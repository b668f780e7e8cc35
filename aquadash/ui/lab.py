"""Who looks at the page, and the lab in their name."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash import settings
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.ui import warmup


class _VisitorsLab(Lab):
    """Waits for the run store at a cold start, and says so on the page."""

    def __getattr__(self, name: str) -> Any:
        if name in ("runs", "searches", "jobs"):
            _wait_for_store()
        return super().__getattr__(name)


def lab() -> Lab:
    """What the visitor can do.

    Its parts raise :class:`~aquadash.errors.AquaDashError` where the run store could not be opened.
    """
    return _VisitorsLab(visitor())


def visitor() -> Person:
    """Who looks at the page that this thread draws: without a class the owner of the machine, in a class whoever has
    joined it, or a stranger."""
    if not settings.classroom():
        return OWNER
    from aquadash.ui.classroom import admission

    return admission.visitor()


def _wait_for_store() -> None:
    if not warmup.ready():
        with st.spinner("Opening the run store ..."):
            warmup.wait_for_store()
