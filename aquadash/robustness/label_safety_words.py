"""What a label-safety measurement found, in plain sentences."""

from __future__ import annotations

from aquadash.augment import Parameter
from aquadash.robustness.label_safety_result import Crossing, SafetyResult, Sweep
from aquadash.robustness.steps import text_of


def named(parameter: Parameter) -> str:
    """A parameter's name for people; imgaug's where the catalogue has none."""
    if parameter.title:
        return parameter.title
    return "share of the images" if parameter.kind == "share" else parameter.name


def crossing_sentence(sweep: Sweep, parameter: Parameter) -> str:
    """How far the swept parameter may go, in plain text.

    Example: ``"Blur: up to sigma 1.4 (95 % interval 1.1 to 1.9) the model keeps at least 80 % of what it saw on the
    unchanged images; beyond it, less."``
    """
    name = named(parameter)
    kept = _kept(sweep)
    harmless = text_of(parameter, sweep.values[sweep.harmless])
    if sweep.below_at_once:
        return (
            f"{sweep.title}: the model has lost too much at every value, even at {name} {harmless}, where this step "
            "changes least. Other steps do the harm, or the threshold is too high."
        )
    upper = _end(sweep.upwards, parameter)
    lower = _end(sweep.downwards, parameter)
    if upper and lower:
        return f"{sweep.title}: between {name} {lower} and {upper} the model {kept}; beyond either, less."
    if upper:
        return f"{sweep.title}: up to {name} {upper} the model {kept}; beyond it, less."
    if lower:
        return f"{sweep.title}: down to {name} {lower} the model {kept}; below it, less."
    first, last = (text_of(parameter, end) for end in (sweep.values[0], sweep.values[-1]))
    return f"{sweep.title}: with every {name} from {first} to {last} the model {kept}."


def whole_sentence(result: SafetyResult) -> str:
    """What the whole pipeline costs, in plain text."""
    clean, whole = result.clean, result.whole
    if not result.steps and result.sweep is None:
        return "This version leaves the images as they are, so there is nothing to lose."
    if clean.interval[0] <= 1 / len(result.class_names):
        return (
            f"The model classifies only {100 * clean.accuracy:.0f} % of these images correctly when they are "
            "unchanged, which may be no better than guessing: it is a poor judge of what augmentation does. "
            "Take more images, or a better model."
        )
    lost = clean.accuracy - whole.accuracy
    low, high = whole.interval
    text = (
        f"The model classifies {100 * clean.accuracy:.0f} % of these images correctly, and "
        f"{100 * whole.accuracy:.0f} % of their augmented copies "
        f"(95 % interval {100 * low:.0f} % to {100 * high:.0f} %)."
    )
    if lost <= 0.02:
        return f"{text} Hardly anything is lost."
    worst = max(result.steps, key=lambda step: clean.accuracy - step.alone.accuracy, default=None)
    if worst is None or len(result.steps) < 2 or worst.alone.accuracy >= clean.accuracy:
        return text
    return (
        f"{text} The step that costs most by itself is {worst.title}: it alone leaves "
        f"{100 * worst.alone.accuracy:.0f} %."
    )


def mistaken_for(result: SafetyResult) -> str:
    """Which class the whole pipeline's copies are called more often than they are; empty for none."""
    truth = [0] * len(result.class_names)
    for label in result.labels:
        truth[label] += result.copies
    surplus = [said - true for said, true in zip(result.whole.read_as, truth, strict=True)]
    most = max(range(len(surplus)), key=surplus.__getitem__)
    # A tenth of the copies is no accident.
    if surplus[most] <= 0.1 * sum(truth):
        return ""
    return f"What it no longer recognises, it mostly calls {result.class_names[most]}."


def _end(crossing: Crossing | None, parameter: Parameter) -> str:
    """A crossing's value with its interval; empty for none."""
    if crossing is None or crossing.value is None:
        return ""
    value = _rough(parameter, crossing.value)
    if crossing.interval is None:
        return value
    low, high = ("beyond the range" if end is None else _rough(parameter, end) for end in crossing.interval)
    return f"{value} (95 % interval {low} to {high})" if low != high else value


def _rough(parameter: Parameter, value: float) -> str:
    """Two digits: between two values that were measured nobody knows more."""
    percent = text_of(parameter, 1.0).endswith("%")
    shown = 100 * value if percent else value
    digits = f"{shown:.0f}" if abs(shown) >= 10 else f"{shown:.2g}"
    return f"{digits} %" if percent else digits


def _kept(sweep: Sweep) -> str:
    if sweep.relative is None:
        return f"classifies at least {100 * sweep.threshold:.0f} % of the copies correctly"
    return f"keeps at least {100 * sweep.relative:.0f} % of what it saw on the unchanged images"
