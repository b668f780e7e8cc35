"""The sections of a page: one record each, of which only the chosen one is drawn."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

import streamlit as st

from aquadash.ui.kit import address, bound, inputs, shell

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Section(Generic[P, R]):
    """A part of a page, drawn while it is chosen."""

    title: str
    #: Draws it; the arguments are the page's.
    draw: Callable[P, R]
    #: Evaluate offers a second run to lay over its charts.
    second_run: bool = False
    #: Its tab; empty on a page whose sections are the tabs.
    group: str = ""
    #: Whether the visitor has it now.
    offered: Callable[[], bool] = lambda: True

    def render(self, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Draw it, or its error."""
        with shell.guard():
            return self.draw(*args, **kwargs)
        return None


@dataclass(frozen=True)
class Sections(Generic[P, R]):
    """The sections of a page and the choice among them."""

    #: Name of the choice in the address.
    name: str
    #: The choice's label, on tabs for screen readers only.
    label: str
    #: The sections by their word in the address; the first is the default. A new one is a record here.
    table: Mapping[str, Section[P, R]]

    def mine(self) -> dict[str, Section[P, R]]:
        """Return the visitor's sections."""
        return {word: section for word, section in self.table.items() if section.offered()}

    def chosen_word(self) -> str:
        """Return the word of the chosen section before the choice is drawn."""
        mine = self.mine()
        return address.sync(self.name, bound.one_of(mine), default=next(iter(mine)))

    def choose_word(self, menu: Callable[..., str] = bound.choice, **arguments: Any) -> str:
        """Draw the choice by a function such as :func:`bound.menu`, and return the chosen word."""
        mine = self.mine()
        if len(mine) == 1:
            return self.chosen_word()
        titles = {word: section.title for word, section in mine.items()}
        if not any(section.group for section in mine.values()):
            return menu(self.name, titles, label=self.label, **arguments)
        default = next(iter(mine))
        word = self.chosen_word()
        group, key = mine[word].group, f"{self.name}-group"
        if st.session_state.get(key) != group:
            st.session_state[key] = group
        groups = list(dict.fromkeys(section.group for section in mine.values()))
        titles = {word: title for word, title in titles.items() if mine[word].group == group}
        with st.container(horizontal=True):
            inputs.segmented_control(
                self.label, groups, key=key, required=True, label_visibility="collapsed", on_change=self._open_group
            )
            if len(titles) > 1:
                return menu(self.name, titles, label=group, default=default, **arguments)
        return word

    def _open_group(self) -> None:
        group = st.session_state[f"{self.name}-group"]
        address.assign(self.name, next(word for word, section in self.mine().items() if section.group == group))

    def choose(self, **arguments: Any) -> Section[P, R]:
        """Draw the choice as tabs without a label, and return the section."""
        return self.table[self.choose_word(label_visibility="collapsed", **arguments)]


def of_page(name: str) -> Sections[..., Any] | None:
    """Return a page's sections; None for a page without."""
    return getattr(importlib.import_module(f"aquadash.ui.{name}.page"), "SECTIONS", None)


def queries(name: str) -> list[str]:
    """Return the query of each section; one empty query for a page without."""
    sections = of_page(name)
    return [f"{sections.name}={word}" for word in sections.table] if sections else [""]
