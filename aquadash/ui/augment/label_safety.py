"""Label safety on the Augment page: how far can a step go before a trained network no longer sees the animal?"""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from aquadash.augment.words import value_text
from aquadash.errors import AquaDashError
from aquadash.figures.robustness import strength_curve
from aquadash.predict import remote
from aquadash.robustness.advice import advice, parameter_title, safe_range
from aquadash.robustness.measure import changed_once, is_measured
from aquadash.robustness.measurement import Condition, Measurement
from aquadash.robustness.requests import MAX_IMAGES, SweepRequest, choose_subjects
from aquadash.robustness.steps import SwitchedStep, first_strength, steps, text_of, with_parameter
from aquadash.store import Job
from aquadash.store.types import Run
from aquadash.ui.augment.setting_widgets import Scale
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import address, bound, components, gallery, inputs, job_panel, run_lists, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain

#: Help of the threshold.
_THRESHOLD = (
    "Relative to accuracy on unchanged images. Below it, a network can no longer recognise enough of the images to "
    "learn from them."
)


def render(studio: Studio) -> None:
    """Draw the view."""
    st.subheader("How far can you go?", anchor=False, help=term("label safety"))
    st.markdown(
        "A trained network classifies changed copies. Where it no longer recognises the animal, the label may be wrong."
    )
    switched_steps = {step.place: step for step in steps(studio.in_view)}
    if not switched_steps:
        st.info("This version changes nothing. Add a step.", icon="🛟")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = _run(studio)
        if run is None:
            return
        fives = partial(bound.number, step=5, width=170)
        images = fives("safety-count", 5, MAX_IMAGES, label="Validation images", default=20, help=term("validation"))
        threshold = fives("safety-threshold", 1, 100, label="Threshold in %", default=80, help=_THRESHOLD)
    request = _request(studio, switched_steps, images).checked()
    job_panel.follow(
        lab().jobs.robustness_job(run.run_id, request), partial(_measurement, studio, run, request, threshold / 100)
    )


def _measurement(studio: Studio, run: Run, request: SweepRequest, threshold: float, job: Job | None) -> None:
    measured = lab().jobs.robustness(run.run_id, request)
    if job is not None and not job.status.ended:
        job_panel.render_job(job, key="safety", unit="copies")
    elif not is_measured(measured, request):
        if job is not None:
            job_panel.render_end(job, kept="The measurements so far are kept.")
        shell.render_action_button(
            "Measure",
            partial(lab().jobs.measure_robustness, run.run_id, request),
            key="safety-start",
            type="primary",
            icon="🛟",
        )
        st.caption(f"Tests {request.copies} copies of each image at each value.")
    if measured is not None and measured.scores:
        _show_measured(studio, run, measured, request, threshold)


def _run(studio: Studio) -> Run | None:
    """Draw the menu of runs with a network on this data set; draw the way to Train if there is none."""
    runs = [
        run
        for run in run_lists.or_included_model(lab().runs.all())
        if run_lists.has_results(run) and run.dataset_fingerprint == studio.dataset.fingerprint
    ]
    if not runs:
        components.render_empty_state(
            "🛟", f"No finished run was trained on **{plain(studio.dataset.title)}** yet.", label="Train"
        )
        return None
    held = st.session_state.get("safety-run")
    others = {run.run_id for run in lab().runs.all() if run.dataset_fingerprint != studio.dataset.fingerprint}
    if held in others and st.query_params.get("safety-run") == held:
        # The menu wrote this value itself, and it became invalid when the data set changed: no note.
        address.forget("safety-run")
    return components.run_picker(
        runs, key="safety-run", label="Trained model", help="The network that classifies the copies."
    )


def _request(studio: Studio, switched_steps: Mapping[str, SwitchedStep], images: int) -> SweepRequest:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = bound.menu(
            "safety-step",
            {name: step.title for name, step in switched_steps.items()},
            label="Step to test",
            default=first_strength(studio.in_view).place,
            help="One of its parameters takes several values in turn. Everything else stays the same.",
        )
        step = switched_steps[chosen]
        name = bound.menu(
            "safety-parameter",
            {
                each.name: f"{parameter_title(each)} (now {value_text(each, step.value(each.name))})"
                for each in step.parameters
            },
            label="Parameter",
        )
        parameter = step.parameter(name)
        scale = Scale.of(parameter)
        low, high = inputs.slider(
            "Range",
            scale.low,
            scale.high,
            (scale.low, scale.high),
            step=scale.step,
            format=scale.format,
            # Each parameter of each step has a range of its own.
            key=f"safety-range-{chosen}-{step.operator.name}-{name}",
            help=plain(parameter.help),
        )
    return SweepRequest(
        studio.in_view, step.place, name, scale.meant(low), scale.meant(high), limit=images, seed=studio.seed
    )


def _show_measured(studio: Studio, run: Run, measured: Measurement, request: SweepRequest, threshold: float) -> None:
    parameter, classes = request.tried, len(run.class_names)
    if is_measured(measured, request):
        st.markdown(plain(advice(measured, request, threshold=threshold, classes=classes)))
    curve = strength_curve(
        measured, parameter, step=request.step.title, threshold=threshold, chance=1 / max(1, classes)
    )
    components.render_plot(curve, key="safety-curve")
    safe = safe_range(measured, parameter.name, threshold=threshold)
    values = [condition.level for condition in measured.of_kind("strength")]
    # The first value outside the safe range, or the last.
    beyond = [value for value in values if safe.high is not None and value >= safe.high] or values[-1:]
    value = inputs.select_slider(
        f"Copies at {parameter_title(parameter)}",
        values,
        value=beyond[0],
        format_func=partial(text_of, parameter),
        # The key contains the options: Streamlit raises if the kept value is none of them.
        key=f"safety-look-{parameter.name}-{values[0]}-{values[-1]}-{len(values)}-{beyond[0]}",
    )
    _show_copies(studio, run, measured, request, value)
    st.caption(
        f"Below each image: how many of its {request.copies} copies are classified correctly. 95 % intervals by the "
        "effective sample size (Korn and Graubard)."
    )


def _show_copies(studio: Studio, run: Run, measured: Measurement, request: SweepRequest, value: float) -> None:
    """Draw a copy of each image at a value, those misclassified most often first."""
    try:
        subjects = choose_subjects(request, run, studio.dataset, lab().runs.validation_predictions(run.run_id))
    except AquaDashError as error:
        st.caption(plain(str(error)))
        return
    branch = with_parameter(request.branch, request.place, request.parameter, value)
    copies = remote.call(changed_once, subjects.images, branch, seed=request.seed)
    right = measured.scores[Condition("strength", request.parameter, value)].right
    cards = []
    for at in sorted(range(len(copies)), key=lambda at: (right[at], at)):
        label, of = int(subjects.labels[at]), f"{right[at]} of {request.copies}"
        name = run.class_names[label]
        alt = f"{name}, changed: {of} copies classified correctly"
        cards.append(gallery.class_card(copies[at], name, label, alt, f"{of} right"))
    gallery.render_cards(cards, size_rem=6, label="A changed copy of each image, those misclassified most often first")
