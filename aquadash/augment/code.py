"""A pipeline as Python code to take home."""

from __future__ import annotations

from aquadash.augment.check import check
from aquadash.augment.operators import operator_info
from aquadash.augment.spec import Operator, PipelineSpec, Range, Value

_INDENT = "    "

_FREQUENCY_NOISE = '''

def frequency_noise(**settings):
    """BlendAlphaFrequencyNoise with its mask cut to 0 to 1.

    Rounding at times lifts a value of the mask just above 1, and imgaug then stops with an error.
    """
    augmenter = iaa.BlendAlphaFrequencyNoise(**settings)
    masks = augmenter.mask_generator
    masks.parameter = iap.Clip(masks.parameter, 0.0, 1.0)
    return augmenter

'''


def to_code(spec: PipelineSpec) -> str:
    """Python code that builds a pipeline's branches with imgaug alone, as the list ``branches``.

    The code draws from the same distributions as :func:`aquadash.augment.apply.apply` but not the same numbers.

    Raises:
        ConfigError, UnknownNameError: The pipeline does not fit the catalogue; nothing unchecked gets into code.
    """
    check(spec)
    noisy = any(_uses_noise(operator) for branch in spec.branches for operator in branch.operators)
    lines = [
        "# Needs the packages imaug (it provides the module imgaug) and numpy.",
        "import imgaug.augmenters as iaa",
    ]
    if noisy:
        lines += ["import imgaug.parameters as iap", *_FREQUENCY_NOISE.rstrip("\n").split("\n"), ""]
    lines += ["", "branches = ["]
    for branch in spec.branches:
        lines.append(f"{_INDENT}# {' '.join(branch.title.split())}")
        lines += _indented(_call("iaa.Sequential", [_list(branch.operators)]), 1)
    lines += [
        "]",
        "",
        "# images: a uint8 array of shape (number, height, width, 3), RGB",
        "# augmented = [branch(images=images) for branch in branches]",
    ]
    return "\n".join(lines) + "\n"


def _uses_noise(operator: Operator) -> bool:
    return operator.name == "BlendAlphaFrequencyNoise" or any(
        _uses_noise(child) for _, inner in operator.children for child in inner
    )


def _operator(operator: Operator) -> list[str]:
    """The lines of the call that builds an operator."""
    arguments = [[f"{name}={_literal(value)}"] for name, value in operator.settings]
    for slot, _ in operator_info(operator.name).slots:
        inner = operator.slot(slot)
        if inner:
            value = _operator(inner[0]) if len(inner) == 1 else _list(inner)
            arguments.append([f"{slot}={value[0]}", *value[1:]])
    name = "frequency_noise" if operator.name == "BlendAlphaFrequencyNoise" else f"iaa.{operator.name}"
    if all(len(argument) == 1 for argument in arguments) and not operator.children:
        return [f"{name}({', '.join(argument[0] for argument in arguments)})"]
    return _trimmed(_call(name, arguments))


def _list(operators: tuple[Operator, ...]) -> list[str]:
    """The lines of a list of operators."""
    if not operators:
        return ["[]"]
    lines = ["["]
    for operator in operators:
        built = _operator(operator)
        lines += _indented([*built[:-1], f"{built[-1]},"], 1)
    return [*lines, "]"]


def _call(name: str, arguments: list[list[str]]) -> list[str]:
    """The lines of a call, an argument a line, with a comma at its end."""
    if len(arguments) == 1 and len(arguments[0]) == 1:
        return [f"{name}({arguments[0][0]}),"]
    lines = [f"{name}("]
    for argument in arguments:
        lines += _indented([*argument[:-1], f"{argument[-1]},"], 1)
    return [*lines, "),"]


def _trimmed(lines: list[str]) -> list[str]:
    """The lines without the comma at their end."""
    return [*lines[:-1], lines[-1].removesuffix(",")]


def _indented(lines: list[str], depth: int) -> list[str]:
    return [_INDENT * depth + line for line in lines]


def _literal(value: Value) -> str:
    if isinstance(value, Range):
        return f"({value.low!r}, {value.high!r})" if value.low < value.high else repr(value.low)
    return f'"{value}"' if isinstance(value, str) else repr(value)
