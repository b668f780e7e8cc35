"""The range of a step's parameter within which a network keeps enough of its accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

from aquadash.augment import Parameter
from aquadash.robustness.measurement import Measurement
from aquadash.robustness.requests import SweepRequest
from aquadash.robustness.steps import text_of


@dataclass(frozen=True)
class SafeRange:
    """The values of a parameter that keep enough of the accuracy on unchanged images."""

    #: The least accuracy that is enough, 0 to 1.
    limit: float
    #: The lower end, interpolated between measured values; None if the accuracy is enough down to the lowest value.
    low: float | None
    #: The upper end; None if the accuracy is enough up to the highest value.
    high: float | None
    #: Whether the accuracy is too low even at the value that changes images least.
    is_empty: bool


def safe_range(measured: Measurement, parameter: str, *, threshold: float) -> SafeRange:
    """Walk from the value that changes images least to either side, until the accuracy is too low.

    ``threshold`` is the fraction of the accuracy on unchanged images that must be kept, 0 to 1.
    """
    curve = {value: scores.accuracy for value, scores in measured.curve("strength", parameter).items()}
    values = list(curve)
    limit = threshold * measured.clean.accuracy
    # The nearest measured value: a stopped measurement may lack the harmless one.
    harmless = min(range(len(values)), key=lambda position: abs(values[position] - (measured.harmless or 0.0)))
    return SafeRange(
        limit,
        low=crossing([(value, curve[value]) for value in values[harmless::-1]], limit),
        high=crossing([(value, curve[value]) for value in values[harmless:]], limit),
        is_empty=curve[values[harmless]] < limit,
    )


def crossing(points: Sequence[tuple[float, float]], limit: float) -> float | None:
    """Return where accuracies first fall below a limit, in the order given, on straight lines between the points."""
    for position, (value, accuracy) in enumerate(points):
        if accuracy < limit:
            if position == 0:
                return value
            before, accuracy_before = points[position - 1]
            return before + (accuracy_before - limit) / (accuracy_before - accuracy) * (value - before)
    return None


def parameter_title(parameter: Parameter) -> str:
    """Return a parameter's title, or imgaug's name for it."""
    if parameter.title:
        return parameter.title
    return "share of the images" if parameter.kind == "probability" else parameter.name


def advice(measured: Measurement, request: SweepRequest, *, threshold: float, classes: int) -> str:
    """Describe the safe range, such as ``"2. Blur: safe up to sigma 1.4. ..."``; arguments as of :func:`safe_range`."""
    parameter, clean = request.tried, measured.clean
    if clean.accuracy_ci95[0] <= 1 / classes:
        return (
            f"The network classifies only {100 * clean.accuracy:.0f} % of these images correctly when they are "
            "unchanged, which may be no better than guessing. Take more images, or a better network."
        )
    safe, name = safe_range(measured, parameter.name, threshold=threshold), parameter_title(parameter)
    if safe.is_empty:
        return (
            f"{request.step.title}: the network has lost too much at every value, even at {name} "
            f"{text_of(parameter, measured.harmless or 0.0)}, where this step changes least. Other steps do the harm, "
            "or the threshold is too high."
        )
    if safe.low is not None and safe.high is not None:
        where = f"between {name} {_rough(parameter, safe.low)} and {_rough(parameter, safe.high)}"
    elif safe.high is not None:
        where = f"up to {name} {_rough(parameter, safe.high)}"
    elif safe.low is not None:
        where = f"down to {name} {_rough(parameter, safe.low)}"
    else:
        values = list(measured.curve("strength", parameter.name))
        where = f"at every {name} from {text_of(parameter, values[0])} to {text_of(parameter, values[-1])}"
    return (
        f"{request.step.title}: safe {where}. The network keeps at least {100 * threshold:.0f} % of its accuracy on "
        "unchanged images."
    )


def _rough(parameter: Parameter, value: float) -> str:
    shown = 100 * value if parameter.percent else value
    digits = f"{shown:.0f}" if abs(shown) >= 10 else f"{shown:.2g}"
    return f"{digits} %" if parameter.percent else digits
