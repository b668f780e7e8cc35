"""How far the parameter of a step may go before a network no longer sees what the label says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aquadash.augment import Parameter
from aquadash.robustness.measurement import Measurement
from aquadash.robustness.requests import SweepRequest
from aquadash.robustness.steps import text_of


@dataclass(frozen=True)
class SafeRange:
    """The values of a parameter that keep enough of the accuracy on unchanged images."""

    #: The accuracy below which too much is lost, 0 to 1.
    limit: float
    #: The value below which too much is lost, interpolated between two that were measured; None where that never
    #: happens within the range.
    low: float | None
    #: The same above.
    high: float | None
    #: Whether too much is lost even at the value that changes images least.
    is_empty: bool


def safe_range(measured: Measurement, parameter: str, *, threshold: float) -> SafeRange:
    """Walk from the value that changes images least to either side, until too much is lost.

    Args:
        measured: At least one value of the parameter.
        threshold: Too much is lost below this fraction of the accuracy on unchanged images, 0 to 1.
    """
    curve = {value: scores.accuracy for value, scores in measured.curve("strength", parameter).items()}
    values = list(curve)
    limit = threshold * measured.clean.accuracy
    # A measurement that was stopped may not have got as far as the harmless value.
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
    """A parameter's name for people; imgaug's where the catalogue has none."""
    if parameter.title:
        return parameter.title
    return "share of the images" if parameter.kind == "probability" else parameter.name


def advice(measured: Measurement, request: SweepRequest, *, threshold: float, classes: int) -> str:
    """Return how far the parameter may go, in plain text.

    Example: ``"2. Blur: safe up to sigma 1.4. The network keeps at least 80 % of its accuracy on unchanged images."``

    Args:
        measured: At least one value of the request's parameter.
        threshold: As of :func:`safe_range`.
        classes: How many classes the network knows.
    """
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
    """Two digits: what lies between two measured values is a guess."""
    shown = 100 * value if parameter.percent else value
    digits = f"{shown:.0f}" if abs(shown) >= 10 else f"{shown:.2g}"
    return f"{digits} %" if parameter.percent else digits
