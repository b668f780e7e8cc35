"""The learning rate's way over the epochs, drawn before anything is trained."""

from __future__ import annotations

import streamlit as st

from aquadash.config import TrainingConfig
from aquadash.figures.schedule import compute, learning_rate_curve
from aquadash.training.schedules import preview
from aquadash.ui import components
from aquadash.ui.hyperparameters import value_text
from aquadash.ui.text import plain


def show(training: TrainingConfig) -> None:
    """Draw the curve and say it in words."""
    epochs, rates = preview(training)
    components.plot(learning_rate_curve(epochs, rates), key="schedule")
    st.caption(plain(f"{compute(epochs, rates).sentence} {unknown_before(training)}"))


def unknown_before(training: TrainingConfig) -> str:
    """What the curve cannot know before the training, as plain text; empty when there is nothing."""
    told = []
    if training.schedule == "plateau":
        told.append(
            f"How often it will be cut is not known before: after every {_epochs(training.schedule_epochs)} without a "
            f"better {value_text('training.monitor', training.monitor)} it is multiplied by "
            f"{training.schedule_factor:g}."
        )
    if training.patience and training.schedule not in ("constant", "plateau"):
        told.append("Early stopping may end the training on the way.")
    return " ".join(told)


def _epochs(number: float) -> str:
    return "epoch" if number == 1 else f"{number:g} epochs"
