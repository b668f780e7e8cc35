"""The form's settings as text: to copy, to keep as a file, and to paste back."""

from __future__ import annotations

import streamlit as st

from aquadash.config import RunConfig, config_diff, from_yaml, to_yaml
from aquadash.config.reading import MAX_CHARACTERS
from aquadash.engine.checks import check_names
from aquadash.errors import AquaDashError
from aquadash.ui import inputs
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain
from aquadash.ui.train import form_state

_OPEN = "train:yaml"
_PASTED = "train:yaml-pasted"
_ANSWER = "train:yaml-answer"


def show(config: RunConfig | None) -> None:
    """Draw the folded box.

    Args:
        config: What the form says; None while it cannot be used as it is.
    """
    with st.expander("Settings as text (YAML)", icon="📝", key=_OPEN, on_change="rerun") as box:
        if not box.open:
            return
        if config is not None:
            text = to_yaml(config)
            st.code(text, language="yaml", height=260)
            st.download_button(
                "Download",
                text,
                file_name="aquadash-settings.yaml",
                mime="application/yaml",
                icon=":material/download:",
                on_click="ignore",
            )
        inputs.text_area(
            "Paste settings",
            key=_PASTED,
            height=140,
            max_chars=MAX_CHARACTERS,
            placeholder="training:\n  epochs: 20\n  learning_rate: 0.001",
            help=f"{term('YAML')} What the text leaves out stays as it is in the form. JSON is understood, too.",
        )
        st.button("Use these settings", key="use-yaml", icon="📥", on_click=_use)
        _show_answer()


def _use() -> None:
    try:
        before = form_state.config()
        config = from_yaml(st.session_state.get(_PASTED) or "", base=before)
        check_names(config)
    except AquaDashError as error:
        st.session_state[_ANSWER] = (False, f"{error} The form is as it was.")
        return
    form_state.replace(config)
    st.session_state[_PASTED] = ""
    changed = len(config_diff([before, config]))
    told = f"Done: {count(changed, 'setting')} changed." if changed else "Done: the form had all of these settings."
    st.session_state[_ANSWER] = (True, told)


def _show_answer() -> None:
    """Once: whatever is done next makes it old."""
    answer = st.session_state.pop(_ANSWER, None)
    if answer is not None:
        worked, text = answer
        (st.success if worked else st.error)(plain(text), icon="✅" if worked else "🚧")
