"""Whose a run or search is, in a class: said beside it, and one's own first."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from aquadash import settings
from aquadash.lab.rights import Action
from aquadash.people import Thing
from aquadash.runs.types import Run
from aquadash.ui.lab import lab, visitor
from aquadash.ui.text import plain


def own_first(runs: Iterable[Run]) -> list[Run]:
    """The runs in their order, but the visitor's own before the others. Nothing changes where there is no class."""
    found = list(runs)
    person = visitor()
    if not settings.classroom() or not person.person_id:
        return found
    return sorted(found, key=lambda run: run.owner != person.person_id)


def with_networks(runs: Iterable[Run]) -> list[Run]:
    """The runs whose networks the visitor may open, in their order."""
    rights = lab().rights
    return [run for run in runs if rights.allow(Action.OPEN_MODEL, run.thing)]


def owner_text(thing: Thing) -> str:
    """Whose a thing is, plain text: ``"you"``, a name, ``"everybody"``; empty where there is no class."""
    if not settings.classroom():
        return ""
    return "you" if _own(thing) else thing.owner_name or "everybody"


def badge(thing: Thing) -> None:
    """Say beside a thing whose it is, and that it is hidden; nothing where there is no class."""
    text = owner_text(thing)
    if not text:
        return
    # Somebody may call themselves "you".
    own = _own(thing)
    st.badge(plain(text), icon="⭐" if own else "👤", color="blue" if own else "gray")
    if thing.hidden:
        st.badge("hidden", icon="🙈", color="gray")


def _own(thing: Thing) -> bool:
    return bool(thing.owner) and thing.owner == visitor().person_id
