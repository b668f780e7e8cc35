"""How far an augmentation can go before a trained model no longer sees the animal.

Each image gets a number of augmented copies. The model's accuracy on them is measured after each step and for each step
alone, and for one parameter fixed to a row of values. All conditions draw the same random numbers, so that what differs
between them is the step and not luck.
"""

from __future__ import annotations

from aquadash.errors import AquaDashError
from aquadash.explain.label_safety_reader import Pace, Reader, Tell, drawn
from aquadash.explain.label_safety_request import (
    MOST_COPIES,
    MOST_IMAGES,
    ImagePredictor,
    SafetyRequest,
    Subjects,
    SweepRequest,
    validation_images,
)
from aquadash.explain.label_safety_result import Misread, SafetyResult, Seen, StepSafety, Sweep
from aquadash.explain.label_safety_steps import (
    StepPath,
    alone,
    find_step,
    first_steps,
    grid,
    only,
    steps,
    text_of,
    with_parameter,
    without,
)

__all__ = [
    "MOST_COPIES",
    "MOST_IMAGES",
    "ImagePredictor",
    "SafetyRequest",
    "Subjects",
    "SweepRequest",
    "Tell",
    "measure",
    "validation_images",
]


def measure(
    predictor: ImagePredictor, subjects: Subjects, request: SafetyRequest, *, tell: Tell | None = None
) -> SafetyResult:
    """Measure what a request asks for.

    Args:
        predictor: The model.
        subjects: The images to copy.
        request: What to measure.
        tell: Hears after each part how many copies are done, and how long the rest takes; what it raises ends the work.

    Raises:
        AquaDashError: The request is not possible or the model does not fit the images.
    """
    request.check()
    _check_subjects(predictor, subjects)
    branch = request.branch
    top = steps(branch, nested=False) if request.by_step else ()
    sweep = request.sweep
    values: tuple[float, ...] = ()
    if sweep is not None:
        step = find_step(branch, sweep.path)
        parameter = step.parameter(sweep.parameter)
        values = grid(parameter, low=sweep.low, high=sweep.high, count=sweep.values)
    # Every branch is measured once, however often it is asked for: a first step alone is the first step, too.
    cuts = [first_steps(branch, _position(step.path) + 1) for step in top]
    singles = [alone(branch, _position(step.path)) for step in top]
    pace = Pace(tell, len(subjects.images) * request.copies)
    reader = Reader(predictor, subjects, request, pace)
    switched_off = [] if sweep is None else [without(branch, sweep.path)]
    swept = [] if sweep is None else [with_parameter(branch, sweep.path, sweep.parameter, value) for value in values]
    pace.conditions = len({drawn(one) for one in [branch, *cuts, *singles, *switched_off, *swept]})

    pace.doing("the unchanged images")
    clean = reader.clean()
    whole, misread = reader.read(branch, "the whole pipeline")
    found = tuple(
        StepSafety(
            one.path,
            one.title,
            so_far=reader.read(cut, f"up to step {number}")[0],
            alone=reader.read(single, f"step {number} alone")[0],
        )
        for number, (one, cut, single) in enumerate(zip(top, cuts, singles, strict=True), start=1)
    )
    if sweep is None:
        return _result(predictor, subjects, request, clean, whole, found, misread)
    off, _ = reader.read(switched_off[0], "with the step switched off")
    points = [
        reader.read(one, f"{sweep.parameter} {text_of(parameter, value)}")
        for value, one in zip(values, swept, strict=True)
    ]
    curve = Sweep(
        path=sweep.path,
        title=step.title,
        parameter=sweep.parameter,
        values=values,
        points=tuple(seen for seen, _ in points),
        changes=tuple(reader.change(only(one, sweep.path)) for one in swept),
        off=off,
        clean=clean,
        threshold=request.threshold if request.absolute else request.threshold * clean.accuracy,
        relative=None if request.absolute else request.threshold,
    )
    return _result(
        predictor, subjects, request, clean, whole, found, misread, curve, tuple(copies for _, copies in points)
    )


def _result(
    predictor: ImagePredictor,
    subjects: Subjects,
    request: SafetyRequest,
    clean: Seen,
    whole: Seen,
    found: tuple[StepSafety, ...],
    misread: tuple[Misread, ...],
    sweep: Sweep | None = None,
    sweep_misread: tuple[tuple[Misread, ...], ...] = (),
) -> SafetyResult:
    return SafetyResult(
        class_names=tuple(predictor.class_names),
        labels=tuple(subjects.labels.tolist()),
        positions=subjects.positions,
        split=subjects.split,
        copies=request.copies,
        seed=request.seed,
        clean=clean,
        whole=whole,
        steps=found,
        sweep=sweep,
        misread=misread,
        sweep_misread=sweep_misread,
    )


def _position(path: StepPath) -> int:
    position = path[0]
    assert isinstance(position, int)
    return position


def _check_subjects(predictor: ImagePredictor, subjects: Subjects) -> None:
    count = len(subjects.images)
    if not 1 <= count <= MOST_IMAGES or count != len(subjects.labels):
        raise AquaDashError(
            f"{count} images with {len(subjects.labels)} labels are to be measured with; expected 1 to {MOST_IMAGES}, "
            "a label for each."
        )
    if tuple(subjects.images.shape[1:]) != tuple(predictor.image_shape):
        raise AquaDashError(
            f"The network looks at images of {predictor.image_shape}; these are {tuple(subjects.images.shape[1:])}. "
            "They do not belong together."
        )
    if not 0 <= int(subjects.labels.min()) <= int(subjects.labels.max()) < len(predictor.class_names):
        raise AquaDashError("The images have classes that the network does not know. They do not belong together.")
