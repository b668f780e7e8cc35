"""Pipelines and their steps in plain words."""

from aquadash.augment.catalogue import Parameter, operator_info
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, Value

_INDENT = "    "

_ALWAYS = " (always)"

#: The channels of a colour space.
_CHANNELS = {
    "RGB": ("red", "green", "blue"),
    "BGR": ("blue", "green", "red"),
    "HSV": ("hue", "saturation", "value"),
    "HLS": ("hue", "lightness", "saturation"),
    "Lab": ("lightness", "green to red", "blue to yellow"),
    "YCrCb": ("lightness", "redness", "blueness"),
}


def describe(spec: PipelineSpec | Branch, *, space: str = "RGB") -> tuple[str, ...]:
    """Return a line for each operator of a pipeline or branch, such as ``"Blur, sigma 0 to 1"``.

    Operators inside another one, or below the title of one of several branches, are indented by four spaces.

    Args:
        space: The colour space that a branch works in.
    """
    if isinstance(spec, Branch):
        return tuple(_operators(spec.operators, 0, space)) or ("The images as they are",)
    if len(spec.branches) == 1:
        return describe(spec.branches[0])
    lines: list[str] = []
    for branch in spec.branches:
        lines.append(f"{branch.title}:")
        lines += [_INDENT + line for line in describe(branch)]
    return tuple(lines)


def _operators(operators: tuple[Operator, ...], depth: int, space: str) -> list[str]:
    """Return the lines of operators, and of those inside them, that work in a colour space."""
    lines = []
    for operator in operators:
        info = operator_info(operator.name)
        settings = [(info.parameter(name), value) for name, value in operator.settings]
        parts = [_setting(parameter, value, space) for parameter, value in settings]
        text = info.title + "".join(part if part.startswith(" (") else f", {part}" for part in parts if part)
        if operator.probability < 1.0:
            # "Always, in 30 % of the images" would be a contradiction.
            text = f"{text.replace(_ALWAYS, '')}, {_often(operator.probability)}"
        if not operator.enabled:
            text = f"Switched off: {text}"
        inner_space = str(operator.setting("to_colorspace", space))
        slots = [(title, inner) for slot, title in info.slots if (inner := operator.slot(slot))]
        lines.append(f"{_INDENT * depth}{text}{':' if slots else ''}")
        for title, inner in slots:
            if len(info.slots) > 1:
                lines.append(f"{_INDENT * (depth + 1)}{title.capitalize()}:")
            lines += _operators(inner, depth + len(info.slots[:2]), inner_space)
    return lines


def _setting(parameter: Parameter, value: Value, space: str) -> str:
    """Return a setting in words; empty for a default or "never"."""
    if parameter.name == "channels" and not isinstance(value, (Range, str)):
        return _CHANNELS[space][int(value)]
    if parameter.kind == "probability":
        often = _often(float(value)) if isinstance(value, (bool, int, float)) else ""
        if not parameter.title:
            return f" ({often})"
        return "" if often == "never" else f"{parameter.title} ({often})"
    if value == parameter.default and parameter.kind == "word":
        return ""
    return f"{parameter.title} {value_text(parameter, value)}".strip()


def _often(fraction: float) -> str:
    if fraction >= 1.0:
        return "always"
    return f"in {fraction * 100:g} % of the images" if fraction > 0.0 else "never"


def value_text(parameter: Parameter, value: Value) -> str:
    """Return a setting's value for people: ``"0 to 1"``, ``"35 %"``."""
    scale, unit = (100, " %") if parameter.percent else (1, "")
    if isinstance(value, Range):
        return f"{value.low * scale:g} to {value.high * scale:g}{unit}"
    return value if isinstance(value, str) else f"{value * scale:g}{unit}"


def step_words(branch: Branch) -> list[tuple[str, str]]:
    """Return the effect of each enabled step, ``"Blur, sigma 0 to 1"``, and on one line those of the steps inside."""
    words = []
    for step in branch.operators:
        if step.enabled:
            title, *inner = (line.strip() for line in describe(Branch("", (step,))))
            words.append((title.removesuffix(":"), "; ".join(inner).replace(":;", ":")))
    return words
