"""What the label-safety meter found: sentences, charts, and the copies that were misread."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.figures.label_safety_curve import label_safety_curve
from aquadash.figures.label_safety_steps import label_safety_steps
from aquadash.figures.theme import class_colour
from aquadash.robustness.label_safety import SafetyRequest
from aquadash.robustness.label_safety_result import Misread, SafetyResult, Sweep
from aquadash.robustness.label_safety_words import crossing_sentence, mistaken_for, named, whole_sentence
from aquadash.robustness.steps import find_step, text_of
from aquadash.robustness.subjects import Subjects
from aquadash.ui import components, gallery, inputs
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

_MOST_SUBJECTS = 60


def show(result: SafetyResult, request: SafetyRequest, subjects: Subjects) -> None:
    """Draw the result of a request about these images."""
    st.markdown(plain(f"{whole_sentence(result)} {mistaken_for(result)}".strip()))
    if result.steps:
        st.markdown("**What does each step cost?**", help=term("label safety"))
        components.plot(label_safety_steps(result), key="safety-steps")
    if result.sweep is not None:
        _sweep(result, result.sweep, request, subjects)
    elif result.misread:
        st.markdown("**Copies that it took for something else**")
        _misread(result, result.misread)
    with st.expander(f"Image by image: {count(len(result.labels), 'image')}", icon="🖼️"):
        _each(result, subjects)
    st.caption(
        f"Each image was copied {result.copies} times. The copies of one image are alike, so they do not count as so "
        "many images: the intervals take the deviation between the images into account (effective sample size, Korn "
        "and Graubard), and that of the crossing comes from drawing the images anew 500 times (bootstrap). All "
        "conditions drew the same random numbers."
    )


def _sweep(result: SafetyResult, sweep: Sweep, request: SafetyRequest, subjects: Subjects) -> None:
    """The curve, how far one may go, and what the copies beyond it look like."""
    parameter = find_step(request.branch, sweep.path).parameter(sweep.parameter)
    st.markdown("**How far can it go?**", help=term("label safety"))
    st.markdown(plain(crossing_sentence(sweep, parameter)))
    figure = label_safety_curve(
        sweep,
        parameter=named(parameter),
        percent_axis=parameter.percent or parameter.kind == "share",
        chance=1 / len(result.class_names),
    )
    components.plot(figure, key="safety-curve")
    first = sweep.first_below()
    # The key changes with the values, as a slider does not forgive others.
    position = inputs.select_slider(
        f"Misread copies at {named(parameter)}",
        range(len(sweep.values)),
        value=len(sweep.values) - 1 if first is None else first,
        format_func=lambda position: text_of(parameter, sweep.values[position]),
        key=f"safety-look-{sweep.parameter}-{sweep.values[0]}-{sweep.values[-1]}-{first}",
    )
    copies = result.sweep_misread[position]
    if copies:
        _misread(result, copies)
    else:
        st.caption("None: every copy was classified correctly.")


def _misread(result: SafetyResult, copies: Sequence[Misread]) -> None:
    cards = []
    for copy in copies:
        label = result.labels[copy.subject]
        true, said = result.class_names[label], result.class_names[copy.predicted]
        cards.append(
            gallery.Card(
                image=copy.image,
                title=components.class_title(true),
                subtitle=f"taken for {said}, {100 * copy.confidence:.0f} %",
                alt=f"Augmented copy of a {true}, taken for {said} with {100 * copy.confidence:.0f} % confidence",
                accent=class_colour(true, label),
            )
        )
    gallery.show(cards, size_rem=6, label="Copies that the model misclassified")


def _each(result: SafetyResult, subjects: Subjects) -> None:
    """The images, those that suffer most first."""
    order = sorted(range(len(result.labels)), key=lambda at: (result.whole.right[at], at))[:_MOST_SUBJECTS]
    cards = []
    for at in order:
        label = result.labels[at]
        name, right = result.class_names[label], result.whole.right[at]
        clean = "classified correctly unchanged" if result.clean.right[at] else "misclassified even unchanged"
        cards.append(
            gallery.Card(
                image=subjects.images[at],
                title=components.class_title(name),
                subtitle=f"{right} of {result.copies} copies right; {clean}",
                alt=f"{name}: {right} of {result.copies} augmented copies classified correctly, {clean}",
                accent=class_colour(name, label),
            )
        )
    gallery.show(cards, size_rem=7, label="The images, those whose copies were misclassified most often first")
