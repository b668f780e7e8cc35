"""Whose a run is, in a class: said beside it, and one's own first."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from aquadash import people, settings
from aquadash.classroom.rights import Action, allowed
from aquadash.runs.types import Run
from aquadash.ui.text import plain


def own_first(runs: Iterable[Run]) -> list[Run]:
    """The runs in their order, but the visitor's own before the others. Nothing changes where there is no class."""
    found = list(runs)
    person = people.current()
    if not settings.classroom() or not person.person_id:
        return found
    return sorted(found, key=lambda run: run.owner != person.person_id)


def with_networks(runs: Iterable[Run]) -> list[Run]:
    """The runs whose networks the visitor may open, in their order."""
    return [run for run in runs if allowed(Action.OPEN_MODEL, run.thing)]


def owner_text(run: Run) -> str:
    """Whose a run is, plain text: ``"you"``, a name, ``"everybody's"``; empty where there is no class."""
    if not settings.classroom():
        return ""
    person = people.current()
    if run.owner and run.owner == person.person_id:
        return "you"
    return run.owner_name or "everybody"


def badge(run: Run) -> None:
    """Say beside a run whose it is; nothing where there is no class."""
    text = owner_text(run)
    if text:
        own = text == "you"
        st.badge(plain(text), icon="⭐" if own else "👤", color="blue" if own else "gray")
