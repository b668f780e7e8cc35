"""What the label-safety meter is asked: which model, which images, how strict, and which parameter is tried out."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from aquadash.augment import Parameter
from aquadash.explain.label_safety import MOST_COPIES, SafetyRequest, Subjects, SweepRequest, validation_images
from aquadash.explain.label_safety_steps import Step, path_text, setting_text, steps
from aquadash.explain.label_safety_words import named
from aquadash.runs.types import Run
from aquadash.ui import address, cache, components, inputs, run_order
from aquadash.ui.augment.studio import Studio
from aquadash.ui.evaluate import first_model
from aquadash.ui.glossary import term
from aquadash.ui.text import plain

#: In the address and the menu: no parameter is tried out.
NO_STEP = "none"

_PER_CLASS = 4
_COPIES = 50
_THRESHOLD = 80

_IMAGES = {"validation": "Validation images", "view": "The images in view"}
_OF = {"clean": "of what it sees on the unchanged images", "all": "of all copies"}


def run_of(studio: Studio) -> Run | None:
    """The menu of runs on the data set that have a network; None where there is none, with what to do about it."""
    runs = [
        run
        for run in first_model.or_first_model(cache.runs())
        if run_order.has_results(run) and run.dataset_fingerprint == studio.dataset.fingerprint
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
    options = list(_IMAGES) if any(known) else ["validation"]
    address.choice("safety-images", options, default="validation")
    address.number("safety-per-class", default=_PER_CLASS, low=1, high=20)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = inputs.segmented_control(
            "Images",
            options,
            key="safety-images",
            required=True,
            format_func=lambda name: _IMAGES[name],
            help="The model did not learn from its validation images, so it cannot know them by heart. The images in "
            "view may be among those that it learned from.",
        )
        address.record("safety-images", which or "validation", default="validation")
        if which != "view":
            per_class = inputs.number_input(
                "Images a class", 1, 20, step=1, key="safety-per-class", width=130, help=term("validation")
            )
            address.record("safety-per-class", str(per_class), default=str(_PER_CLASS))
    if which == "view":
        chosen = [position for position, there in enumerate(known) if there]
        labels = [studio.dataset.class_names.index(str(studio.labels[position])) for position in chosen]
        positions = tuple(studio.positions[position] for position in chosen) if studio.positions else ()
        return Subjects(studio.images[chosen], np.array(labels, np.int64), positions, "train" if positions else "")
    predictions = cache.validation_predictions(run.run_id)
    return validation_images(run, predictions, studio.dataset, per_class=int(per_class), seed=studio.seed)


def request_of(studio: Studio) -> SafetyRequest:
    """The rest: copies, threshold and the parameter that is tried out."""
    address.number("safety-copies", default=_COPIES, low=2, high=MOST_COPIES)
    address.number("safety-threshold", default=_THRESHOLD, low=1, high=100)
    address.choice("safety-of", list(_OF), default="clean")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        copies = inputs.number_input(
            "Copies of each image", 2, MOST_COPIES, step=10, key="safety-copies", width=170, help="More are slower."
        )
        threshold = inputs.number_input(
            "Threshold in %",
            1,
            100,
            step=5,
            key="safety-threshold",
            width=150,
            help="Below it too much is lost: what the network no longer sees, it cannot learn from.",
        )
        of = inputs.selectbox(
            "The threshold is a share", list(_OF), key="safety-of", format_func=_OF.__getitem__, width=310
        )
    address.record("safety-copies", str(copies), default=str(_COPIES))
    address.record("safety-threshold", str(threshold), default=str(_THRESHOLD))
    address.record("safety-of", of, default="clean")
    return SafetyRequest(
        branch=studio.in_view,
        copies=int(copies),
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
    address.choice("safety-step", [NO_STEP, *known], default=first)
    left, right = st.columns(2)
    with left:
        chosen = inputs.selectbox(
            "Step to try out",
            [NO_STEP, *known],
            key="safety-step",
            format_func=lambda name: "None, only look at the steps" if name == NO_STEP else known[name].title,
            on_change=_forget_range,
            help="One of its parameters is fixed to a row of values; all else stays as it is.",
        )
    address.record("safety-step", chosen, default=first)
    if chosen == NO_STEP:
        return None
    step = known[chosen]
    parameters = {parameter.name: parameter for parameter in step.parameters}
    _forget("safety-parameter", list(parameters))
    start = next(iter(parameters))
    address.choice("safety-parameter", list(parameters), default=start)
    with right:
        name = inputs.selectbox(
            "Parameter",
            list(parameters),
            key="safety-parameter",
            format_func=lambda name: f"{named(parameters[name])} (now {setting_text(step, name)})",
            on_change=_forget_range,
        )
    address.record("safety-parameter", name, default=start)
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
            if not _allowed(st.session_state.get(key, default), low, high):
                _forget_key(key)
            address.restore(
                key,
                lambda text: _decoded(text, number, low, high),
                default=default,
                expected=f"a number from {low:g} to {high:g}",
            )
            st.session_state[key] = number(st.session_state[key])
            value = inputs.number_input(
                label,
                low,
                high,
                step=number(1) if high - low > 2 else 0.05,
                format="%d" if number is int else "%g",
                key=key,
                width=140,
                help=plain(parameter.help),
            )
            address.record(key, f"{value:g}", default=f"{default:g}")
            ends.append(float(value))
    if not ends[0] < ends[1]:
        st.warning("The values to try have to go from a lower number to a higher one.", icon="↔️")
    return ends[0], ends[1]


def _decoded(text: str, number: type[int] | type[float], low: float, high: float) -> float:
    value = float(text) if len(text) <= 20 else math.nan
    if not _allowed(value, low, high):
        raise ValueError(text)
    return number(value)


def _allowed(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and low <= value <= high


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
