"""Loss: how wrong an answer is, and what a softmax too many does to it."""

from __future__ import annotations

import streamlit as st

from aquadash.figures.flattened_loss import flattened_loss, losses
from aquadash.ui import components
from aquadash.ui.glossary import term
from aquadash.ui.walkthrough import parts
from aquadash.ui.walkthrough.context import Results
from aquadash.walkthrough import checks_network, logits


def show(results: Results) -> None:
    """Draw the section."""
    classes = len(results.found.classes)
    parts.idea(
        "Training needs one number for how wrong an answer is. The cross entropy looks at the probability that the "
        "right class got: near 0 when it was sure and right, large when it was sure and wrong. A softmax makes "
        "probabilities out of raw scores. If the loss is told that it gets raw scores, it does that by itself, and "
        "should not be given probabilities.",
        help=f"{term('loss')} {term('softmax')} {term('logits')}",
    )
    parts.real("This run's answers, measured both ways")
    shares, labels = results.predictions.probabilities, results.predictions.labels
    with st.container(horizontal=True):
        mean = float(logits.cross_entropy(shares, labels).mean())
        st.metric("Test loss", f"{mean:.3f}", border=True, width="content", help=term("loss"))
        flat = float(logits.cross_entropy(logits.flattened(shares), labels).mean())
        st.metric("The same answers, taken for raw scores", f"{flat:.3f}", border=True, width="content")
    parts.attempt("how sure of the right class?")
    sure = parts.slide("own", 1, 100, label="Probability of the right class", default=20, unit=" %")
    right, taken = losses(sure / 100, classes)
    st.markdown(f"Right loss **{right:.3f}**; taken for raw scores **{taken:.3f}**.")
    components.plot(flattened_loss(sure / 100, classes=classes), key="walk-loss")
    parts.question(
        "loss",
        "How small can the loss get at best when probabilities are taken for raw scores?",
        answer=classes,
        ask=lambda: parts.field("lowest", label="Your answer", placeholder="a number, to three digits"),
        check=lambda text: checks_network.floor_of_loss(text, classes=classes),
        solution="A perfect answer gives the right class 100 %. Move the slider there and read the second number.",
    )
