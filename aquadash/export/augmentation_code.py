"""A pipeline as code that draws the very images of a run: every step with the seed that a run gives it."""

from __future__ import annotations

from collections.abc import Iterable

from aquadash.augment import OPERATORS, Operator, PipelineSpec, Range, check, operator_info
from aquadash.augment.operators import settings_of
from aquadash.augment.spec import Value, walk
from aquadash.errors import RunError
from aquadash.export.source import definitions

#: The part of an operator's seed that decides which images it is applied to, as in ``augment/build.py``.
_SOMETIMES = 1_000_000

_MASKED = "BlendAlphaFrequencyNoise"


def draws_clouds(spec: PipelineSpec) -> bool:
    """Whether the code needs AquaDash's own cloudy masks, and with them OpenCV."""
    return any(operator.name == _MASKED for branch in spec.branches for operator in walk(branch.operators))


def augmentation_code(spec: PipelineSpec) -> str:
    """Code that defines ``BRANCHES``: for each branch a function from a seed sequence to an augmenter, or None.

    It expects ``iaa`` and ``np``, and ``cv2`` and ``NDArray`` where :func:`draws_clouds`.

    Raises:
        ConfigError, UnknownNameError: The pipeline does not fit the catalogue; nothing unchecked gets into code.
        RunError: A step is not one of imgaug's own.
    """
    import imgaug.augmenters as iaa

    check(spec)
    for branch in spec.branches:
        for operator in walk(branch.operators):
            if operator.name not in OPERATORS or not hasattr(iaa, operator.name):
                raise RunError(f"The step {operator.name!r} of the pipeline cannot be written as code of its own.")
    parts = []
    if draws_clouds(spec):
        parts.append(definitions("aquadash.augment.noise"))
    parts.append(
        "def derived(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:\n"
        '    """The seed of the part with that number."""\n'
        "    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))"
    )
    names = []
    for number, branch in enumerate(spec.branches, start=1):
        if branch.is_original:
            names.append("None")
            continue
        names.append(f"branch_{number}")
        parts.append(
            f"def branch_{number}(seed: np.random.SeedSequence) -> iaa.Augmenter:\n"
            f"    return {_sequence(branch.operators, 'seed', 1)}"
        )
    listed = "BRANCHES = [" + ", ".join(names) + "]"
    return "\n\n\n".join(parts) + "\n\n\n# None hands the originals on.\n" + listed


def _sequence(operators: Iterable[Operator], seed: str, depth: int) -> str:
    steps = [
        _step(operator, f"derived({seed}, {1 + number})", depth + 2)
        for number, operator in enumerate(operators)
        if operator.enabled
    ]
    inner = "".join(f"\n{'    ' * (depth + 2)}{step}," for step in steps)
    inner = f"[{inner}\n{'    ' * (depth + 1)}]" if steps else "[]"
    edge = "    " * (depth + 1)
    return f"iaa.Sequential(\n{edge}{inner},\n{edge}seed=derived({seed}, 0),\n{'    ' * depth})"


def _step(operator: Operator, seed: str, depth: int) -> str:
    code = _augmenter(operator, seed, depth if operator.probability == 1.0 else depth + 1)
    if operator.probability == 1.0:
        return code
    edge = "    " * (depth + 1)
    return (
        f"iaa.Sometimes(\n{edge}{operator.probability!r},\n{edge}then_list={code},\n"
        f"{edge}seed=derived({seed}, {_SOMETIMES}),\n{'    ' * depth})"
    )


def _augmenter(operator: Operator, seed: str, depth: int) -> str:
    if operator.name == "Sequential":
        return _sequence(operator.slot("children"), seed, depth)
    settings = settings_of(operator)
    edge = "    " * (depth + 1)
    arguments = []
    if operator.name == _MASKED:
        name = "BlendAlphaMask"
        arguments.append(f"FrequencyNoiseMasks({_mask_arguments(settings)})")
    else:
        name = operator.name
        arguments += [f"{setting}={_literal(value)}" for setting, value in settings.items()]
    for number, (slot, _) in enumerate(operator_info(operator.name).slots):
        arguments.append(f"{slot}={_sequence(operator.slot(slot), f'derived({seed}, {1 + number})', depth + 1)}")
    arguments.append(f"seed=derived({seed}, 0)")
    if not operator.children:
        return f"iaa.{name}({', '.join(arguments)})"
    return f"iaa.{name}(" + "".join(f"\n{edge}{argument}," for argument in arguments) + f"\n{'    ' * depth})"


def _mask_arguments(settings: dict[str, Value]) -> str:
    def ends(name: str) -> tuple[float, float]:
        value = settings[name]
        return (float(value.low), float(value.high)) if isinstance(value, Range) else (float(value), float(value))

    def whole(name: str) -> tuple[int, int]:
        low, high = ends(name)
        return int(low), int(high)

    return (
        f"exponent={ends('exponent')!r}, size_px_max={whole('size_px_max')!r}, iterations={whole('iterations')!r}, "
        f"sigmoid={ends('sigmoid')[0]!r}, per_channel={ends('per_channel')[0]!r}"
    )


def _literal(value: Value) -> str:
    """A setting as code: a tuple is a range for imgaug, which must not be empty."""
    if isinstance(value, Range):
        return repr((value.low, value.high)) if value.low < value.high else repr(value.low)
    return repr(value)
