"""How well networks do on the pictures whose true class somebody has told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from aquadash.evaluation import Evaluation, evaluate
from aquadash.figures.confusion_matrix import MOST_NUMBERED, confusion_matrix, largest_confusions
from aquadash.predict import FilePrediction
from aquadash.ui import components
from aquadash.ui.glossary import term
from aquadash.ui.predict.picture_choices import NONE_OF_THESE
from aquadash.ui.probabilities import class_text
from aquadash.ui.text import count, percent, plain


@dataclass(frozen=True, eq=False)
class DropScore:
    """What a network makes of labelled pictures.

    Attributes:
        evaluation: Over the pictures of its classes; None if there are none.
        strangers: How many pictures were said to show none of the classes.
        strangers_confidence: The mean confidence with which the network gave them one of its classes all the same, 0
            to 1; None if there are none.
    """

    evaluation: Evaluation | None
    strangers: int
    strangers_confidence: float | None


def score(answers: Sequence[FilePrediction], labels: Sequence[str | None], *, class_names: Sequence[str]) -> DropScore:
    """Hold a network's answers against what the pictures show.

    Pictures without a label, without an answer, or of a class that the network does not know are left out.

    Args:
        answers: One a picture.
        labels: A class's name, :data:`~aquadash.ui.predict.picture_choices.NONE_OF_THESE` or None, one a picture.
        class_names: The network's classes.
    """
    truth, shares, sure = [], [], []
    for answer, label in zip(answers, labels, strict=True):
        if answer.probabilities is None or label is None:
            continue
        if label == NONE_OF_THESE:
            sure.append(float(answer.probabilities.max()))
        elif label in class_names:
            truth.append(class_names.index(label))
            shares.append(answer.probabilities)
    found = evaluate(truth, np.stack(shares), class_names=class_names) if truth else None
    return DropScore(found, len(sure), float(np.mean(sure)) if sure else None)


def show(name: str | None, found: DropScore, *, key: str) -> None:
    """Draw accuracy, confusion matrix and what became of the strangers.

    Args:
        name: The run's, as typed; None where there is only one.
        found: The score.
        key: Tells this chart from another run's.
    """
    if name is not None:
        st.markdown(f"**{plain(name)}**")
    measured = found.evaluation
    if measured is not None:
        right = int(measured.confusion_matrix.trace())
        share = percent(measured.accuracy, measured.accuracy_ci95)
        st.metric(
            "Accuracy on these pictures",
            share.partition(" (")[0],
            delta=f"{right:,} of {measured.n:,} right; 95 % interval: {share.partition(' (')[2].rstrip(')')}",
            delta_color="off",
            delta_arrow="off",
            help=f"{term('accuracy')} {term('confidence interval')}",
            border=True,
        )
        figure = confusion_matrix(measured.confusion_matrix, class_names=measured.classes)
        figure.update_xaxes(tickangle=-35)
        if len(measured.classes) <= MOST_NUMBERED:
            # Every cell says its number, so that the colour bar's room is better spent on the cells.
            figure.update_traces(showscale=False, selector={"type": "heatmap"})
        components.plot(figure, key=f"drop-matrix-{key}")
        names = measured.classes
        mistakes = [
            f"{plain(class_text(names[row]))} taken for {plain(class_text(names[column]))}: {number}"
            for row, column, number in largest_confusions(measured.confusion_matrix)
        ]
        if mistakes:
            st.caption(f"Most frequent mistakes: {' · '.join(mistakes)}")
    if found.strangers:
        st.caption(
            f"{count(found.strangers, 'picture')} of none of these classes: not counted above. The network named them "
            f"all the same, with a mean confidence of {100 * (found.strangers_confidence or 0.0):.0f} %."
        )
