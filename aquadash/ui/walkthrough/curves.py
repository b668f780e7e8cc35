"""Curves: what training and validation say, and what they do not."""

from __future__ import annotations

import streamlit as st

from aquadash.evaluation import best_epoch, overfit_verdict
from aquadash.figures.learning_curves import Metric, learning_curves
from aquadash.ui import bound, components
from aquadash.ui.glossary import term
from aquadash.ui.text import plain
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import checks_results, report

_WHOSE = {"run": "This run", "report": "The report"}


def show(results: Results) -> None:
    """Draw the section."""
    parts.idea(
        "The training curve shows how well the network does on what it learns from; given time, that always gets "
        "better. The validation curve shows how well it does on other images. It overfits from where the second one "
        "gets worse while the first still gets better.",
        help=f"{term('overfitting')} {term('epoch')}",
    )
    parts.real("The curves")
    whose = bound.menu("whose", _WHOSE, label="Whose curves", default="run")
    history = list(report.LOG) if whose == "report" else results.history
    if len(results.history) < 2:
        st.info("This run has no curve: it takes two epochs at least. Choose another one.", icon="📈")
        return
    monitor = results.run.config.training.monitor if whose == "run" else "val_loss"
    metrics: tuple[Metric, ...] = ("loss", "accuracy")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            components.plot(
                learning_curves(history, metric=metric, monitor=monitor, height=280), key=f"walk-{metric}-{whose}"
            )
    verdict = overfit_verdict(history)
    with st.expander("What the program makes of these curves", icon="🎓"):
        st.markdown(f"**{plain(verdict.headline)}** {plain(verdict.detail)}")
    parts.attempt("go along the curves")
    # Not at the answer: the question is answered by moving.
    first = 1 if best_epoch(results.history) != 1 else len(results.history)
    epoch = parts.slide("at", 1, len(results.history), label="Epoch", default=first, help=term("epoch"))
    row = next((each for each in results.history if each.epoch == epoch), None)
    if row is not None:
        with st.container(horizontal=True):
            for title, value in (
                ("Training loss", row.loss), ("Validation loss", row.val_loss), ("Gap", row.val_loss - row.loss),
            ):  # fmt: skip
                st.metric(title, f"{value:.3f}", border=True, width="content")
        st.caption(plain(f"Of the run {results.run.name}."))
    parts.question(
        "curves",
        "Move to the epoch of this run with the lowest **validation** loss.",
        answer=(results.run.run_id, epoch),
        check=lambda _: checks_results.lowest_epoch(epoch, results.history),
        solution="Choose “This run” above and point at the lowest place of the solid line: the hover label names the "
        "epoch.",
    )
