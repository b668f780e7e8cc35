"""What the label-safety meter is asked: which model, which images, how strict, and which parameter is tried out."""

from __future__ import annotations

import numpy as np
import streamlit as st

from aquadash.augment import Parameter
from aquadash.robustness.label_safety import MOST_COPIES, SafetyRequest, SweepRequest
from aquadash.robustness.label_safety_words import named
from aquadash.robustness.steps import Step, path_text, setting_text, steps
from aquadash.robustness.subjects import Subjects, validation_images
from aquadash.runs.types import Run
from aquadash.ui import bound, components, run_lists
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import plain

#: In the address and the menu: no parameter is tried out.
NO_STEP = "none"

_IMAGES = {"validation": "Validation images", "view": "Preview images"}
_OF = {"clean": "accuracy on unchanged images", "all": "all copies"}


def run_of(studio: Studio) -> Run | None:
    """The menu of runs on the data set that have a network; None where there is none, with what to do about it."""
    runs = [
        run
        for run in run_lists.or_included_model(lab().runs.all())
        if run_lists.has_results(run) and run.dataset_fingerprint == studio.dataset.fingerprint
    ]
    if not runs:
        components.empty_state(
            "🛟",
            f"No finished run has learned from **{plain(studio.dataset.title)}** yet. Train one, and ask it here.",
            page="pages/train.py",
            label="Train",
        )
        return None
    return components.run_picker(
        runs, key="safety-run", label="Trained model", help="Whose eyes the copies are judged with."
    )


def subjects_of(studio: Studio, run: Run) -> Subjects:
    """The images to copy.

    Raises:
        AquaDashError: There are none.
    """
    known = [name in studio.dataset.class_names for name in studio.labels]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = bound.choice(
            "safety-images",
            {name: title for name, title in _IMAGES.items() if name == "validation" or any(known)},
            label="Images",
            help="The model did not learn from its validation images, so it cannot know them by heart. The images in "
            "view may be among those that it learned from.",
        )
        if which != "view":
            per_class = bound.number(
                "safety-per-class", 1, 20, label="Images a class", default=4, width=130, help=term("validation")
            )
    if which == "view":
        chosen = [position for position, there in enumerate(known) if there]
        labels = [studio.dataset.class_names.index(str(studio.labels[position])) for position in chosen]
        positions = tuple(studio.positions[position] for position in chosen) if studio.positions else ()
        return Subjects(studio.images[chosen], np.array(labels, np.int64), positions, "train" if positions else "")
    predictions = lab().runs.validation_predictions(run.run_id)
    return validation_images(run, predictions, studio.dataset, per_class=per_class, seed=studio.seed)


def request_of(studio: Studio) -> SafetyRequest:
    """The rest: copies, threshold and the parameter that is tried out."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        copies = bound.number(
            "safety-copies", 2, MOST_COPIES, label="Copies of each image", default=50, step=10, width=170,
            help="More are slower.",
        )  # fmt: skip
        threshold = bound.number(
            "safety-threshold", 1, 100, label="Threshold in %", default=80, step=5, width=150,
            help="Below it too much is lost: what the network no longer sees, it cannot learn from.",
        )  # fmt: skip
        of = bound.menu("safety-of", _OF, label="Threshold relative to", width=310)
    return SafetyRequest(
        branch=studio.in_view,
        copies=copies,
        seed=studio.seed,
        threshold=threshold / 100,
        absolute=of == "all",
        sweep=_sweep(studio),
    )


def _sweep(studio: Studio) -> SweepRequest | None:
    """Which parameter, and from where to where."""
    known = {path_text(step.path): step for step in steps(studio.in_view)}
    if not known:
        return None
    _forget("safety-step", [NO_STEP, *known])
    # Strengths are what one wants to know of first; how often a step is applied says less.
    graded = [name for name, step in known.items() if step.parameters[0].kind in ("number", "integer")]
    first = next(iter(graded or known))
    left, right = st.columns(2)
    with left:
        chosen = bound.menu(
            "safety-step",
            {NO_STEP: "None, only look at the steps"} | {name: step.title for name, step in known.items()},
            label="Step to try out",
            default=first,
            on_change=_forget_range,
            help="One of its parameters is fixed to a row of values; all else stays as it is.",
        )
    if chosen == NO_STEP:
        return None
    step = known[chosen]
    parameters = {parameter.name: parameter for parameter in step.parameters}
    _forget("safety-parameter", list(parameters))
    with right:
        name = bound.menu(
            "safety-parameter",
            {name: f"{named(parameter)} (now {setting_text(step, name)})" for name, parameter in parameters.items()},
            label="Parameter",
            on_change=_forget_range,
        )
    low, high = _range(step, parameters[name])
    return SweepRequest(step.path, name, low, high) if low < high else None


def _range(step: Step, parameter: Parameter) -> tuple[float, float]:
    """The ends of the values to try."""
    number = int if parameter.kind == "integer" else float
    low, high = number(parameter.low), number(parameter.high)
    ends = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label, default in (("safety-low", "From", low), ("safety-high", "To", high)):
            # Another step at the same place may leave a number that its parameter does not allow.
            if not low <= st.session_state.get(key, default) <= high:
                _forget_key(key)
            value = bound.number(
                key,
                low,
                high,
                label=label,
                default=default,
                step=number(1) if high - low > 2 else 0.05,
                format="%d" if number is int else "%g",
                width=140,
                help=plain(parameter.help),
            )
            ends.append(float(value))
    if not ends[0] < ends[1]:
        st.warning("The values to try have to go from a lower number to a higher one.", icon="↔️")
    return ends[0], ends[1]


def _forget(key: str, options: list[str]) -> None:
    """Drop what an edit of the pipeline has made meaningless, without a note: nobody typed it."""
    if key in st.session_state and st.session_state[key] not in options:
        _forget_key(key)


def _forget_range() -> None:
    """Another parameter has other ends."""
    _forget_key("safety-low")
    _forget_key("safety-high")


def _forget_key(key: str) -> None:
    st.session_state.pop(key, None)
    st.query_params.pop(key, None)
