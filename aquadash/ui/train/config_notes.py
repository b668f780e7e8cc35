"""What the coach says about settings before anything is trained, each with the change that would mend it."""

from __future__ import annotations

import streamlit as st

from aquadash.coach import Note, config_notes
from aquadash.config import RunConfig, flatten, with_values
from aquadash.ui import hyperparameters as fields
from aquadash.ui.text import plain
from aquadash.ui.train import form_state


def show(config: RunConfig) -> None:
    """Draw the notes on a config, each with a button that makes its changes in the form."""
    for note in config_notes(config):
        box(note)
        if note.changes:
            st.button(
                fix_text(note, config),
                key=f"fix-{note.key}",
                icon="🔧",
                on_click=form_state.apply,
                args=(note.changes,),
            )


def box(note: Note) -> None:
    """Draw a note; only warnings stand out."""
    text = f"**{plain(note.title)}.** {plain(note.evidence)}"
    if note.level == "warning":
        st.warning(text, icon="⚠️")
    else:
        st.caption(f"{'💡' if note.level == 'hint' else '👍'} {text}")


def fix_text(note: Note, config: RunConfig) -> str:
    """What a note's button sets, in markdown: ``"Learning rate: 0.01"``."""
    wanted = flatten(with_values(config, note.changes))
    return plain("; ".join(f"{fields.label(name)}: {fields.value_text(name, wanted[name])}" for name in note.changes))
