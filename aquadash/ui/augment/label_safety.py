"""The label-safety meter of the Augment page: how far can one go before a trained model no longer sees the animal?"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import streamlit as st

from aquadash import settings
from aquadash.augment import Parameter
from aquadash.errors import RunError
from aquadash.figures.label_safety_curve import label_safety_curve
from aquadash.figures.label_safety_steps import label_safety_steps
from aquadash.jobs import Job, JobStatus
from aquadash.robustness import label_safety_job
from aquadash.robustness.label_safety import MAX_COPIES, SafetyRequest, Subjects, SweepRequest, validation_images
from aquadash.robustness.label_safety_result import (
    Misread,
    SafetyResult,
    Sweep,
    crossing_sentence,
    mistaken_for,
    named,
    whole_sentence,
)
from aquadash.robustness.steps import SwitchedStep, find_step, path_text, setting_text, steps, text_of
from aquadash.runs.types import Run
from aquadash.ui import address, bound, components, gallery, inputs, job_panel, run_lists, shell
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, plain

#: The word of the address for a measurement that is shown.
_SHOWN = "safety"

#: Results that are kept in memory; one with its pictures takes up to 1 MB.
_MAX_KEPT = 32

#: In the address and the menu: no parameter is tried out.
_NO_STEP = "none"

_IMAGES = {"validation": "Validation images", "view": "Preview images"}
_OF = {"clean": "accuracy on unchanged images", "all": "all copies"}

_MAX_SUBJECTS = 60


def show(studio: Studio) -> None:
    """Draw the view."""
    st.subheader("How far can you go?", anchor=False, help=term("label safety"))
    st.markdown("A trained model looks at changed copies. Where it no longer sees the animal, the label may be wrong.")
    with shell.guard():
        _view(studio)


def _view(studio: Studio) -> None:
    if studio.in_view.is_original:
        st.info("This version changes nothing. Add a step.", icon="🛟")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = _run(studio)
        if run is None:
            return
        subjects = _subjects(studio, run)
    request = _request(studio)
    request.check()
    key = label_safety_job.key_of(run, subjects, request)
    job_id = lab().jobs.label_safety_id(run, subjects, request)
    job = lab().jobs.get(job_id)
    measured = _result(job) is not None
    if st.query_params.get(_SHOWN) == key and not measured and (job is None or job.status is JobStatus.FINISHED):
        # A link or a reload asks for what this server has not measured, or keeps no longer.
        with shell.guard():
            _start(run, subjects, request)
    job_panel.follow(job_id, functools.partial(_measurement, key, run, subjects, request))


def _measurement(key: str, run: Run, subjects: Subjects, request: SafetyRequest, job: Job | None) -> None:
    if job is not None and not job.status.ended:
        job_panel.show(job, key="safety", unit="copies")
        return
    found = _result(job)
    address.record(_SHOWN, "" if found is None else key, default="")
    if found is not None:
        _show_result(found, request, subjects)
        return
    if job is not None:
        job_panel.show_end(job, did="measured")
    shell.show_failure()
    st.button(
        "Measure",
        key="safety-start",
        type="primary",
        icon="🛟",
        on_click=shell.attempt,
        args=(_start, run, subjects, request),
    )
    total = len(subjects.images) * request.copies
    st.caption(f"{total:,} copies for each step and value.")


def _result(job: Job | None) -> SafetyResult | None:
    return _kept_result(settings.store_key(), job) if job is not None and job.status.ended else None


@st.cache_resource(max_entries=_MAX_KEPT, show_spinner=False, hash_funcs={Job: lambda job: (job.id, job.revision)})
def _kept_result(place: str, job: Job) -> SafetyResult | None:
    return label_safety_job.result(job)


def _start(run: Run, subjects: Subjects, request: SafetyRequest) -> None:
    # Where somebody else was quicker, or no process can be started, the job says so.
    with suppress(RunError):
        lab().jobs.measure_label_safety(run, subjects, request)


def _run(studio: Studio) -> Run | None:
    """The menu of runs on the data set that have a network; None where there is none, with what to do about it."""
    runs = [
        run
        for run in run_lists.or_included_model(lab().runs.all())
        if run_lists.has_results(run) and run.dataset_fingerprint == studio.dataset.fingerprint
    ]
    if not runs:
        components.empty_state(
            "🛟",
            f"No finished run has learned from **{plain(studio.dataset.title)}** yet.",
            label="Train",
        )
        return None
    held = st.session_state.get("safety-run")
    others = {run.run_id for run in lab().runs.all() if run.dataset_fingerprint != studio.dataset.fingerprint}
    if held in others and st.query_params.get("safety-run") == held:
        # What the menu has written itself went with another data set; what a link asks for, or is gone, is told.
        _forget_key("safety-run")
    return components.run_picker(
        runs, key="safety-run", label="Trained model", help="Whose eyes the copies are judged with."
    )


def _subjects(studio: Studio, run: Run) -> Subjects:
    """The images to copy.

    Raises:
        AquaDashError: There are none.
    """
    known = [name in studio.dataset.class_names for name in studio.labels]
    which = bound.choice(
        "safety-images",
        {name: title for name, title in _IMAGES.items() if name == "validation" or any(known)},
        label="Images",
        help="The model did not learn from its validation images; it may know the preview images by heart.",
    )
    if which != "view":
        per_class = bound.number(
            "safety-per-class", 1, 20, label="Images per class", default=4, width=130, help=term("validation")
        )
    if which == "view":
        chosen = [position for position, there in enumerate(known) if there]
        labels = [studio.dataset.class_names.index(str(studio.labels[position])) for position in chosen]
        positions = tuple(studio.positions[position] for position in chosen) if studio.positions else ()
        return Subjects(studio.images[chosen], np.array(labels, np.int64), positions, "train" if positions else "")
    predictions = lab().runs.validation_predictions(run.run_id)
    return validation_images(run, predictions, studio.dataset, per_class=per_class, seed=studio.seed)


def _request(studio: Studio) -> SafetyRequest:
    """The rest: copies, threshold and the parameter that is tried out."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        copies = bound.number(
            "safety-copies", 2, MAX_COPIES, label="Copies of each image", default=50, step=10, width=170,
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
        sweep=_sweep_request(studio),
    )


def _sweep_request(studio: Studio) -> SweepRequest | None:
    """Which parameter, and from where to where."""
    known = {path_text(step.path): step for step in steps(studio.in_view)}
    if not known:
        return None
    # Strengths are what one wants to know of first; how often a step is applied says less, and a channel is none.
    graded = [
        name
        for name, step in known.items()
        if step.parameters[0].kind in ("number", "integer") and step.parameters[0].name != "channels"
    ]
    first = next(iter(graded or known))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = bound.menu(
            "safety-step",
            {_NO_STEP: "None, only look at the steps"} | {name: step.title for name, step in known.items()},
            label="Step to try out",
            default=first,
            on_change=_forget_range,
            help="One of its parameters is fixed to a row of values; all else stays as it is.",
        )
        if chosen == _NO_STEP:
            return None
        step = known[chosen]
        parameters = {parameter.name: parameter for parameter in step.parameters}
        name = bound.menu(
            "safety-parameter",
            {name: f"{named(parameter)} (now {setting_text(step, name)})" for name, parameter in parameters.items()},
            label="Parameter",
            on_change=_forget_range,
        )
        low, high = _range(step, parameters[name])
    return SweepRequest(step.path, name, low, high) if low < high else None


def _range(step: SwitchedStep, parameter: Parameter) -> tuple[float, float]:
    """The ends of the values to try."""
    number = int if parameter.kind == "integer" else float
    low, high = number(parameter.low), number(parameter.high)
    ends = []
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
            step=number(1) if number is int or high - low > 2 else 0.05,
            format="%d" if number is int else "%g",
            width=140,
            help=plain(parameter.help),
        )
        ends.append(float(value))
    if not ends[0] < ends[1]:
        st.warning("The values to try have to go from a lower number to a higher one.", icon="↔️")
    return ends[0], ends[1]


def _forget_range() -> None:
    """Another parameter has other ends."""
    _forget_key("safety-low")
    _forget_key("safety-high")


def _forget_key(key: str) -> None:
    st.session_state.pop(key, None)
    address.put(key, None)


def _show_result(result: SafetyResult, request: SafetyRequest, subjects: Subjects) -> None:
    """Draw the result of a request about these images."""
    st.markdown(plain(f"{whole_sentence(result)} {mistaken_for(result)}".strip()))
    if result.steps:
        st.markdown("**What does each step cost?**", help=term("label safety"))
        components.plot(label_safety_steps(result), key="safety-steps")
    if result.sweep is not None:
        _show_sweep(result, result.sweep, request, subjects)
    elif result.misread:
        st.markdown("**Copies that it took for something else**")
        _show_misread(result, result.misread)
    with st.expander(f"Image by image: {count(len(result.labels), 'image')}", icon="🖼️"):
        _show_images(result, subjects)
    st.caption(
        f"{result.copies} copies of each image, all conditions with the same random numbers. Intervals: effective "
        "sample size (Korn and Graubard), of the crossing bootstrap over the images."
    )


def _show_sweep(result: SafetyResult, sweep: Sweep, request: SafetyRequest, subjects: Subjects) -> None:
    """The curve, how far one may go, and what the copies beyond it look like."""
    parameter = find_step(request.branch, sweep.path).parameter(sweep.parameter)
    st.markdown("**How far can it go?**", help=term("label safety"))
    st.markdown(plain(crossing_sentence(sweep, parameter)))
    figure = label_safety_curve(
        sweep,
        parameter=named(parameter),
        percent_axis=parameter.percent or parameter.kind == "probability",
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
        _show_misread(result, copies)
    else:
        st.caption("None: every copy was classified correctly.")


def _show_misread(result: SafetyResult, copies: Sequence[Misread]) -> None:
    cards = []
    for copy in copies:
        true, said = result.class_names[result.labels[copy.subject]], result.class_names[copy.predicted]
        told = f"taken for {said}, {100 * copy.confidence:.0f} %"
        alt = f"Augmented copy, {true}, {told} confidence"
        cards.append(gallery.class_card(copy.image, true, result.labels[copy.subject], alt, told))
    gallery.show(cards, size_rem=6, label="Copies that the model misclassified")


def _show_images(result: SafetyResult, subjects: Subjects) -> None:
    """The images, those that suffer most first."""
    order = sorted(range(len(result.labels)), key=lambda at: (result.whole.right[at], at))[:_MAX_SUBJECTS]
    cards = []
    for at in order:
        label, right = result.labels[at], result.whole.right[at]
        name = result.class_names[label]
        clean = "classified correctly unchanged" if result.clean.right[at] else "misclassified even unchanged"
        of = f"{right} of {result.copies}"
        alt = f"{name}: {of} augmented copies classified correctly, {clean}"
        cards.append(gallery.class_card(subjects.images[at], name, label, alt, f"{of} copies right; {clean}"))
    gallery.show(cards, size_rem=7, label="The images, those whose copies were misclassified most often first")
