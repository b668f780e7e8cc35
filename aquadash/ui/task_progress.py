"""A task at work, as pages show it: what it does, how long still, and the button that stops it for whoever may; and why
it failed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash.tasks import Task
from aquadash.ui.text import joined, plain, sentence, time_left


def show(task: Task[Any], *, key: str) -> None:
    """Draw one at work.

    Args:
        task: One that has not ended.
        key: The buttons' keys begin with it.
    """
    text = plain(joined(sentence(task.text), time_left(task.seconds_left)))
    if task.share is None:
        st.markdown(f"⚙️ {text} ...")
    else:
        st.progress(min(max(task.share, 0.0), 1.0), text=text)
    if task.stopping:
        st.button("Stopping ...", key=f"{key}-stopping", icon="✋", disabled=True)
    elif task.stoppable:
        st.button("Stop", key=f"{key}-stop", icon="✋", on_click=task.stop)


def why_no_result(task: Task[Any]) -> None:
    """Say why one that has ended has no result."""
    if task.stopped:
        st.info(plain(task.text), icon="✋")
    elif task.error:
        st.error(plain(task.error), icon="❌")
