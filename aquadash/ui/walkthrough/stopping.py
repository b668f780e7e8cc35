"""Early stopping: the report's own log, with other patience."""

from __future__ import annotations

import streamlit as st

from aquadash.figures.learning_curves import learning_curves
from aquadash.ui import components
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import checks_network, report


def show(results: Results) -> None:
    """Draw the section."""
    parts.idea(
        "A network that trains on for too long learns its training images by heart. So it is asked about other images "
        "after each epoch, and training ends when their loss has not been lower for a while. How long that while is "
        "allowed to be is called patience.",
        help=f"{term('early stopping')} {term('patience')}",
    )
    parts.attempt("the rule on the report's own log")
    patience = parts.slide("patience", 1, 10, label="Patience", default=report.PATIENCE_IN_TEXT, help=term("patience"))
    stops, best = checks_network.stopping_epoch(report.LOG, patience=patience)
    shown = report.LOG[: stops or len(report.LOG)]
    components.plot(learning_curves(shown, metric="loss", height=280), key="walk-stopping")
    end = f"it would have **stopped after epoch {stops}**" if stops else "it would have **gone on after epoch 7**"
    st.markdown(f"With a patience of {patience}, {end}. The lowest validation loss until then is in epoch {best}.")
    parts.question(
        "stopping",
        f"The report's log ends with epoch {report.LOG[-1].epoch}. Find the patience that it was made with.",
        answer=patience,
        check=lambda _: checks_network.log_patience(patience),
        solution="Find the epoch with the lowest validation loss, and count the epochs after it until the log ends.",
    )
    parts.real("The same rule on this run")
    own, lowest = checks_network.stopping_epoch(results.history, patience=patience)
    if not results.history:
        st.caption("This run kept no epochs.")
        return
    said = f"have stopped after epoch {own}" if own else "not have stopped before its end"
    own_patience = results.run.config.training.patience
    st.markdown(
        f"**{plain(results.run.name)}** trained for {count(len(results.history), 'epoch')} "
        + (f"with a patience of {own_patience}" if own_patience else "without early stopping")
        + f". With {patience} it would {said}; its best epoch until then is {lowest}."
    )
