"""Reads pipelines from untrusted text, and checks them against the catalogue."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from aquadash.augment.catalogue import OperatorInfo, Parameter, operator_info, settings_of
from aquadash.augment.spec import Operator, PipelineForm, PipelineSpec, Range, Value, walk
from aquadash.errors import ConfigError, UnknownNameError

#: The most levels of operators; a hostile file of many levels would exhaust the stack.
MAX_DEPTH = 8
#: The most characters, branches and operators of a pipeline's file.
MAX_CHARACTERS = 100_000
MAX_BRANCHES = 20
MAX_OPERATORS = 200


def from_json(text: str) -> PipelineSpec:
    """Read a pipeline from the JSON of :meth:`PipelineSpec.to_json` and check it against the catalogue.

    Raises:
        ConfigError: The text is not the JSON of a pipeline, or a setting is missing or out of bounds.
        UnknownNameError: An operator, setting or slot is not in the catalogue.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"The pipeline has {len(text):,} characters; expected at most {MAX_CHARACTERS:,}.")
    try:
        spec = PipelineForm.model_validate_json(text).spec()
    except ValidationError as error:
        raise _explained(error) from None
    check_size(spec)
    check(spec)
    return spec


def _explained(error: ValidationError) -> ConfigError:
    """Turn pydantic's first error into one sentence: the place in the JSON, its value, the expected value."""
    first = error.errors(include_url=False)[0]
    kind, place, expected = first["type"], list(first["loc"]), first["msg"][:1].lower() + first["msg"][1:]
    if kind == "json_invalid":
        return ConfigError(f"The pipeline is not valid JSON ({expected}).")
    if kind in ("missing", "extra_forbidden"):
        fault = "lacks" if kind == "missing" else "has the unknown field"
        return ConfigError(f"{_place(place[:-1])} {fault} {str(place[-1])[:80]!r}. Export it from AquaDash again.")
    if "settings" in place[:-1]:
        # Pydantic reports an error for each type that a setting may have.
        place = place[: place.index("settings") + 2]
        expected = "expected a number, true or false, a text, or a range such as {'low': 0, 'high': 1}"
    try:
        came = repr(first["input"])[:80]
    except ValueError:  # Python prints no whole number of more than 4,300 digits.
        came = "a number of thousands of digits"
    return ConfigError(f"{_place(place)} is {came}: {expected}.")


def _place(parts: Sequence[str | int]) -> str:
    """Return a place in a pipeline's JSON for people, counted from 1: ``"The pipeline's branches.1.title"``."""
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in parts)
    return f"The pipeline's {where[:200]}" if where else "The pipeline"


def check_size(spec: PipelineSpec) -> None:
    """Raise an error for a pipeline that is too large for a file."""
    if len(spec.branches) > MAX_BRANCHES:
        raise ConfigError(f"The pipeline would have {len(spec.branches)} versions; at most {MAX_BRANCHES} are allowed.")
    if any(height(branch.operators) > MAX_DEPTH for branch in spec.branches):
        raise ConfigError(f"Steps can be at most {MAX_DEPTH} levels deep. Move the step further out.")
    if (count := sum(1 for branch in spec.branches for _ in walk(branch.operators))) > MAX_OPERATORS:
        raise ConfigError(f"The pipeline would have {count} steps; at most {MAX_OPERATORS} are allowed.")


def check(spec: PipelineSpec) -> None:
    """Raise an error if an operator, setting or slot of a pipeline is not in the catalogue or out of bounds."""
    for branch in spec.branches:
        check_operators(branch.operators)


def height(operators: Iterable[Operator]) -> int:
    """Return the number of levels of steps: 0 for no steps, 1 for steps without others inside them."""
    return max((1 + height(child for _, inner in step.children for child in inner) for step in operators), default=0)


def check_operators(operators: Iterable[Operator], *, one_channel: str = "") -> None:
    """Check operators and those inside them; errors as in :func:`check`."""
    for operator in operators:
        info = operator_info(operator.name)
        if one_channel and info.needs_colour:
            raise ConfigError(
                f"{info.name} needs a colour image, but {one_channel} gives it a single channel. "
                f"Move it out of {one_channel}."
            )
        for name, value in operator.settings:
            _check_value(info, info.parameter(name), value)
        settings_of(operator)
        known = [slot for slot, _ in info.slots]
        for slot, inner in operator.children:
            if slot not in known:
                raise UnknownNameError.of(f"slot of {operator.name}", slot, known)
            check_operators(inner, one_channel=info.name if info.one_channel else one_channel)
        if known and not any(inner for _, inner in operator.children):
            raise ConfigError(f"{operator.name} applies other steps, but has none inside it. Add one to {known[0]!r}.")


def _check_value(info: OperatorInfo, parameter: Parameter, value: Value) -> None:
    """Raise an error for a value of the wrong kind or out of bounds."""
    place = f"{info.name}: {parameter.name}"
    if parameter.kind == "word":
        if value not in parameter.words:
            raise ConfigError(f"{place} is {str(value)[:80]!r}; expected one of {', '.join(parameter.words)}.")
        return
    if isinstance(value, Range) and not parameter.drawn:
        raise ConfigError(f"{place} is a range; expected one fixed value. {parameter.help}")
    ends = (value.low, value.high) if isinstance(value, Range) else (value,)
    for end in ends:
        if isinstance(end, bool) and parameter.kind == "probability":
            continue
        kind = {"integer": "an odd number" if parameter.step == 2 and parameter.low % 2 else "a whole number"}
        wanted = f"{kind.get(parameter.kind, 'a number')} from {parameter.low:g} to {parameter.high:g}"
        fits = not isinstance(end, (bool, str)) and parameter.low <= end <= parameter.high
        if fits and parameter.kind == "integer":
            # Only the ends of a range must be on a step; imgaug rounds the values between them.
            fits = int(end) == end and (end - parameter.low) % parameter.step == 0
        if not fits:
            raise ConfigError(f"{place} is {str(end)[:80]!r}; expected {wanted}. {parameter.help}")
