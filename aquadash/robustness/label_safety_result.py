"""What a label-safety measurement finds, in figures and in sentences: how far one may go."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from aquadash.augment import Parameter
from aquadash.evaluation import clustered_interval, wilson_interval
from aquadash.robustness.steps import StepPath, path_text, text_of


def _array_text(array: NDArray[Any]) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _array(text: str) -> NDArray[Any]:
    found: NDArray[Any] = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return found


_AS_TEXT = (PlainValidator(_array), PlainSerializer(_array_text))
Pixels = Annotated[NDArray[np.uint8], *_AS_TEXT]
Labels = Annotated[NDArray[np.int64], *_AS_TEXT]


#: Drawings of the bootstrap, and its seed: the same figures give the same interval.
_RESAMPLES = 500
_SEED = 0


@dataclass(frozen=True)
class Seen:
    """How a model read the copies of some images under one condition.

    Attributes:
        right: For each image, how many of its copies were classified correctly.
        copies: How many copies each image has.
        change: How far pixels moved on average, 0 to 255, from the unchanged images.
        read_as: How many copies were taken for each class.
    """

    right: tuple[int, ...]
    copies: int
    change: float
    read_as: tuple[int, ...]

    @property
    def accuracy(self) -> float:
        """Share of the copies that were classified correctly, 0 to 1."""
        return sum(self.right) / (len(self.right) * self.copies)

    @property
    def per_image(self) -> tuple[float, ...]:
        """The same for each image."""
        return tuple(count / self.copies for count in self.right)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy over images such as these, which copies of one image do not narrow.

        With a single image it is over further copies of that image.
        """
        found = clustered_interval(self.right, trials=self.copies)
        return found or wilson_interval(sum(self.right), len(self.right) * self.copies)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "accuracy": self.accuracy,
            "accuracy_ci95": list(self.interval),
            "per_image": list(self.per_image),
            "pixel_change": self.change,
            "read_as": list(self.read_as),
        }


@dataclass(frozen=True, eq=False)
class Misread:
    """A copy that the model took for something else.

    Attributes:
        image: The copy, uint8, shape (height, width, 3).
        subject: Which image it was made from, a position among those that were measured with.
        predicted: The class it was taken for.
        confidence: The probability of that class, 0 to 1.
    """

    image: Pixels
    subject: int
    predicted: int
    confidence: float


@dataclass(frozen=True)
class StepSafety:
    """What one step costs.

    Attributes:
        path: Its place.
        title: A name for people.
        so_far: After this step and those before it.
        alone: After this step and no other.
    """

    path: StepPath
    title: str
    so_far: Seen
    alone: Seen

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "step": path_text(self.path),
            "title": self.title,
            "so_far": self.so_far.to_dict(),
            "alone": self.alone.to_dict(),
        }


@dataclass(frozen=True)
class Crossing:
    """Where the accuracy falls below the threshold, on one side of the harmless value.

    Attributes:
        value: The parameter's value, interpolated between two that were measured; None for never within the range.
        interval: Its 95 % interval over images such as these; an end of None lies beyond the range. None for a single
            image.
    """

    value: float | None
    interval: tuple[float | None, float | None] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"value": self.value, "value_ci95": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True)
class Sweep:
    """One parameter fixed to each of several values, all else as it is.

    Attributes:
        path: The step's place.
        title: Its name for people.
        parameter: The parameter's name.
        values: Ascending.
        points: How the copies were read at each.
        changes: How far the step by itself moves pixels on average at each value, 0 to 255.
        off: How the copies were read with the step switched off.
        clean: The same for the unchanged images, a copy each.
        threshold: Below which accuracy too much is lost, 0 to 1.
        relative: The same as a share of the accuracy on the unchanged images; None where it is set absolutely.
    """

    path: StepPath
    title: str
    parameter: str
    values: tuple[float, ...]
    points: tuple[Seen, ...]
    changes: tuple[float, ...]
    off: Seen
    clean: Seen
    threshold: float
    relative: float | None

    @property
    def harmless(self) -> int:
        """Position of the value at which the step changes images least."""
        return int(np.argmin(self.changes))

    @property
    def below_at_once(self) -> bool:
        """Whether even the harmless value is below the threshold."""
        return self.points[self.harmless].accuracy < self.threshold

    @cached_property
    def upwards(self) -> Crossing | None:
        """Where too much is lost above the harmless value; None if that is the last one."""
        return self._crossing(list(range(self.harmless, len(self.values))))

    @cached_property
    def downwards(self) -> Crossing | None:
        """The same below the harmless value; None if that is the first one."""
        return self._crossing(list(range(self.harmless, -1, -1)))

    def first_below(self) -> int | None:
        """Position of a value just beyond a crossing, the upper one first; None if there is no crossing."""
        for walk in (range(self.harmless, len(self.values)), range(self.harmless, -1, -1)):
            for position in walk:
                if self.points[position].accuracy < self.threshold:
                    return position
        return None

    def _crossing(self, walk: list[int]) -> Crossing | None:
        if len(walk) < 2:
            return None
        values = [self.values[position] for position in walk]
        fractions = np.array([self.points[position].per_image for position in walk])
        clean = np.array(self.clean.per_image)
        value = crossing(values, fractions.mean(axis=1).tolist(), self.threshold)
        images = fractions.shape[1]
        if images < 2:
            return Crossing(value, None)
        random = np.random.default_rng(_SEED)
        found = []
        for _ in range(_RESAMPLES):
            drawn = random.integers(0, images, images)
            limit = self.threshold if self.relative is None else self.relative * float(clean[drawn].mean())
            at = crossing(values, fractions[:, drawn].mean(axis=1).tolist(), limit)
            # How far from the harmless value; never is the farthest of all.
            found.append(np.inf if at is None else abs(at - values[0]))
        near, far = np.sort(found)[[int(0.025 * _RESAMPLES), int(0.975 * _RESAMPLES) - 1]]
        sign = 1.0 if values[-1] > values[0] else -1.0
        ends = [None if np.isinf(end) else values[0] + sign * float(end) for end in (near, far)]
        return Crossing(value, (ends[0], ends[1]) if sign > 0 else (ends[1], ends[0]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "step": path_text(self.path),
            "title": self.title,
            "parameter": self.parameter,
            "values": list(self.values),
            "points": [point.to_dict() for point in self.points],
            "step_pixel_changes": list(self.changes),
            "step_off": self.off.to_dict(),
            "threshold": self.threshold,
            "relative_threshold": self.relative,
            "harmless_value": self.values[self.harmless],
            "below_at_once": self.below_at_once,
            "upwards": None if self.upwards is None else self.upwards.to_dict(),
            "downwards": None if self.downwards is None else self.downwards.to_dict(),
        }


@dataclass(frozen=True)
class SafetyResult:
    """How safe a branch's labels are in the eyes of one model.

    Attributes:
        class_names: The model's classes.
        labels: The classes of the images.
        positions: Where the images are in their split; empty for others.
        split: ``"validation"``, ``"train"`` or empty, where the images come from.
        copies: Augmented copies of each.
        seed: Decides the random choices.
        clean: How the unchanged images were read, a copy each.
        whole: How the copies of the whole branch were read.
        steps: What each step that is switched on costs, in order.
        sweep: How far one parameter can go; None where none was asked for.
        misread: Copies of the whole branch that were taken for something else, some of them.
        sweep_misread: The same for each value of the sweep.
    """

    class_names: tuple[str, ...]
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    split: str
    copies: int
    seed: int
    clean: Seen
    whole: Seen
    steps: tuple[StepSafety, ...]
    sweep: Sweep | None = None
    misread: tuple[Misread, ...] = ()
    sweep_misread: tuple[tuple[Misread, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without pictures."""
        return {
            "classes": list(self.class_names),
            "images": len(self.labels),
            "labels": list(self.labels),
            "positions": list(self.positions),
            "split": self.split,
            "copies": self.copies,
            "seed": self.seed,
            "clean": self.clean.to_dict(),
            "whole": self.whole.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
            "sweep": None if self.sweep is None else self.sweep.to_dict(),
        }


def crossing(values: Sequence[float], accuracies: Sequence[float], threshold: float) -> float | None:
    """Where accuracies first fall below a threshold, in the order given, on straight lines between the points.

    Returns:
        The value, the first one if it is below already; None if it never happens.
    """
    for position, accuracy in enumerate(accuracies):
        if accuracy < threshold:
            if position == 0:
                return float(values[0])
            before = accuracies[position - 1]
            fraction = (before - threshold) / (before - accuracy)
            return float(values[position - 1] + fraction * (values[position] - values[position - 1]))
    return None


def named(parameter: Parameter) -> str:
    """A parameter's name for people; imgaug's where the catalogue has none."""
    if parameter.title:
        return parameter.title
    return "share of the images" if parameter.kind == "probability" else parameter.name


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
