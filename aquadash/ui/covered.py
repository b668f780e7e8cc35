"""What is said of test results before the teacher shows them."""

from __future__ import annotations

import streamlit as st

from aquadash import settings
from aquadash.classroom import revealed


def note(source: str) -> None:
    """Say beside test results on a data source what they are for, as long as the class has not been shown them."""
    if settings.classroom() and revealed.revealed_at(source) is None:
        st.caption(
            "🏁 These are test images. Look at them to understand what the network gets wrong; choose between runs by "
            "validation accuracy, as the board of the class does until the teacher shows the test results."
        )
