"""What a run is made from: one frozen :class:`RunConfig` with a JSON round trip.

A config plus its seed and a data set decides a run's result. The sections are small records of plain values; names of
sources, pipelines and models are checked against their tables by the rooms that own those tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aquadash.errors import ConfigError, UnknownNameError

_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class Section(BaseModel):
    """A frozen part of a :class:`RunConfig` that refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(Section):
    """Which images."""

    source: str = Field("synthetic", pattern=_NAME, description="The data set the images come from.")


class AugmentationConfig(Section):
    """How training images are varied. Validation and test images never are."""

    pipeline: str = Field(
        "notebook", pattern=_NAME, description="The chain of random changes; 'none' trains on the originals alone."
    )
    mode: Literal["copies", "fresh"] = Field(
        "copies",
        description="'copies' draws the variants once before training, as the report does; 'fresh' draws new ones "
        "for every epoch.",
    )


class ModelConfig(Section):
    """Which network."""

    name: str = Field("notebook", pattern=_NAME, description="The network's architecture.")
    dropout: float = Field(
        0.5, ge=0.0, lt=1.0, description="Share of the dense units switched off at random in each training step."
    )


class TrainingConfig(Section):
    """How the network learns."""

    epochs: int = Field(200, ge=1, le=2000, description="At most so many passes over the training images.")
    batch_size: int = Field(32, ge=1, le=2048, description="Images looked at together before each weight update.")
    drop_remainder: bool = Field(
        True,
        description="Leave an epoch's last batch out when it is not full. A batch of one or two images makes one large "
        "step in a random direction just before validation. Another image is left out each time.",
    )
    optimizer: Literal["sgd", "momentum", "rmsprop", "adam"] = Field(
        "sgd", description="The rule that turns gradients into weight updates."
    )
    learning_rate: float = Field(0.01, gt=0.0, le=10.0, description="The size of each weight update.")
    patience: int = Field(
        5, ge=0, le=2000, description="Stop after so many epochs without a better validation loss; 0 never stops early."
    )
    validation: Literal["training", "test"] = Field(
        "training",
        description="Where validation images come from: held out of the training images, or, as in the report, the "
        "first 400 test images.",
    )
    validation_fraction: float = Field(
        0.15,
        ge=0.01,
        le=0.5,
        description="Share of the training images held out for validation, the same in each class.",
    )
    restore_best_weights: bool = Field(
        True, description="Keep the weights of the epoch with the lowest validation loss instead of the last ones."
    )
    from_logits: bool = Field(
        False,
        description="Tell the loss that the model gives raw scores although it gives probabilities, as the report "
        "does. Keras notices and corrects it, with a warning.",
    )


class RunConfig(Section):
    """Everything that decides a run's result besides the data set's content.

    Example:
        >>> RunConfig(seed=7).training.batch_size
        32
    """

    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Every random choice of the run follows from this number.")

    def to_json(self) -> str:
        """The config as indented JSON with sorted keys; :func:`from_json` reads it back."""
        return json.dumps(self.model_dump(), indent=2, sort_keys=True)


def from_json(text: str) -> RunConfig:
    """Read a config from JSON text; sections and fields that are left out take their defaults.

    Raises:
        ConfigError: The text is not JSON, or not of a config's form.
        UnknownNameError: A field's name is not known.
    """
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(
            f'The configuration is not valid JSON ({error}). Write it as {{"training": {{...}}}}.'
        ) from None
    return from_mapping(values)


def from_mapping(values: object) -> RunConfig:
    """Check plain values and build the config from them; errors as in :func:`from_json`."""
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"The configuration is a {type(values).__name__}; expected an object with the sections "
            "data, augmentation, model, training and the number seed."
        )
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise _explained(error) from None


def with_values(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """A copy with dotted names set: ``with_values(config, {"training.epochs": 3})``.

    Values may be text, as they come from a command line; they are converted to the field's type.
    """
    values = config.model_dump()
    known = fields()
    for name, value in changes.items():
        if name not in known:
            raise UnknownNameError.of("setting", name, known)
        section, _, field = name.rpartition(".")
        (values[section] if section else values)[field] = value
    return from_mapping(values)


def fields() -> dict[str, str]:
    """Every dotted setting name with its one-line help, in the order of the form."""
    names: dict[str, str] = {}
    for section, info in RunConfig.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            names.update(
                {f"{section}.{name}": field.description or "" for name, field in annotation.model_fields.items()}
            )
        else:
            names[section] = info.description or ""
    return names


@dataclass(frozen=True)
class Setting:
    """What a setting may be, as its checks have it.

    Attributes:
        kind: The type of its values: ``int``, ``float``, ``bool`` or ``str``.
        help: Its one-line help.
        choices: The values it may take, where it takes one of a few; empty otherwise.
        low: The least number, None where there is none.
        low_allowed: Whether that number itself is allowed.
        high: The greatest number, None where there is none.
        high_allowed: Whether that number itself is allowed.
    """

    kind: type
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    low_allowed: bool = True
    high: float | None = None
    high_allowed: bool = True


def setting(name: str) -> Setting:
    """What the setting with this dotted name may be.

    Raises:
        UnknownNameError: There is none of that name.
    """
    if name not in fields():
        raise UnknownNameError.of("setting", name, fields())
    section, _, field_name = name.rpartition(".")
    model: Any = RunConfig.model_fields[section].annotation if section else RunConfig
    info = model.model_fields[field_name]
    limits: dict[str, Any] = {}
    for limit in info.metadata:
        for bound, key, allowed in (
            ("ge", "low", True),
            ("gt", "low", False),
            ("le", "high", True),
            ("lt", "high", False),
        ):
            if (value := getattr(limit, bound, None)) is not None:
                limits |= {key: value, f"{key}_allowed": allowed}
    choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    return Setting(str if choices else info.annotation, info.description or "", choices, **limits)


def flatten(config: RunConfig) -> dict[str, Any]:
    """The config as ``{"training.epochs": 200, ...}``, in the order of :func:`fields`."""
    values = config.model_dump()
    flat: dict[str, Any] = {}
    for name in fields():
        section, _, field = name.rpartition(".")
        flat[name] = (values[section] if section else values)[field]
    return flat


def config_diff(configs: Sequence[RunConfig]) -> dict[str, list[Any]]:
    """Only the settings that differ: dotted name -> one value a config, in the order given."""
    flat = [flatten(config) for config in configs]
    return {name: [values[name] for values in flat] for name in fields() if len({repr(v[name]) for v in flat}) > 1}


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Split ``a.b=value`` texts, as ``--set`` takes them.

    Raises:
        ConfigError: A text has no ``=``.
    """
    changes: dict[str, str] = {}
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign:
            raise ConfigError(f"{text[:80]!r} is not of the form name=value, such as training.epochs=20.")
        changes[name.strip()] = value.strip()
    return changes


def _explained(error: ValidationError) -> ConfigError | UnknownNameError:
    """Turn pydantic's first finding into one sentence; the others are usually its echo."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("setting", name, fields())
    came = repr(first.get("input"))[:80]
    return ConfigError(
        f"{name} is {came}: {first['msg'][:1].lower()}{first['msg'][1:]}. {fields().get(name, '')}".strip()
    )
