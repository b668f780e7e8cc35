"""The plan of a search: the settings to start from, the space, the sampler, the pruner and the number of trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from aquadash.config import RunConfig, Value, flatten, with_values
from aquadash.errors import ConfigError, look_up
from aquadash.models import effective
from aquadash.search.space import SearchParameter, base_value, checked, ends, parse
from aquadash.work.queue import check_names

#: The most settings that vary: too few trials would try each value of more.
MAX_PARAMETERS = 20
MAX_TRIALS = 1000
#: Short trials, and an early end of poor ones, find settings as good in a fraction of the time.
DEFAULT_TRIALS, DEFAULT_EPOCHS, DEFAULT_PRUNER = 12, 15, "median"


@dataclass(frozen=True)
class Strategy:
    """A sampler or a pruner, for menus."""

    title: str
    #: The description in a sentence or two.
    help: str


SAMPLERS: dict[str, Strategy] = {
    "tpe": Strategy(
        "TPE, learns from its trials",
        "Tries at random first, then prefers values like those of the better trials. (Its long name is tree-structured "
        "Parzen estimator.)",
    ),
    "random": Strategy("Random", "Draws every trial's values at random. Simple, and hard to beat with few trials."),
}

PRUNERS: dict[str, Strategy] = {
    "none": Strategy("Never", "Every trial trains to its end."),
    "median": Strategy(
        "Below the median",
        "Stops a trial whose best validation accuracy so far is below the median of the earlier trials at that epoch.",
    ),
}


def _read_parameter(value: Any) -> Any:
    return parse(value) if isinstance(value, str) else value


#: A parameter, which a search's row holds as text.
_StoredParameter = Annotated[SearchParameter, BeforeValidator(_read_parameter), PlainSerializer(str)]


@dataclass(frozen=True)
class SearchPlan:
    """The plan of a search; with the data, it decides the result."""

    #: The settings to start from, which the first trial has unchanged.
    config: RunConfig
    #: The settings that vary.
    space: tuple[_StoredParameter, ...]
    #: A name of :data:`SAMPLERS`; a name of an earlier version draws at random.
    sampler: str = "tpe"
    #: A name of :data:`PRUNERS`; a name of an earlier version stops no trial.
    pruner: str = "none"
    #: The number of trials, the first included.
    trials: int = DEFAULT_TRIALS
    #: The seed of the sampler; the trainings have that of the config.
    seed: int = 0
    #: The name of the search.
    name: str = ""

    def checked(self) -> SearchPlan:
        """Return the plan itself if it is possible.

        Raises:
            ConfigError: The plan is impossible; the message says why and what to change.
            UnknownNameError: A sampler, pruner, model, source or pipeline is unknown.
        """
        for kind, name, table in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            look_up(kind, name, table)
        check_trials(self.trials)
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"The search's seed is {self.seed}; it must be from 0 to {2**32 - 1}.")
        check_names(self.config)
        if self.config.training.validation == "test":
            raise ConfigError(
                "These settings validate on test images (training.validation=test). A search would choose what suits "
                "the test images best, and nothing would be left to measure the result with. Set "
                "training.validation=training."
            )
        if not 1 <= len(self.space) <= MAX_PARAMETERS:
            raise ConfigError(f"A search varies from 1 to {MAX_PARAMETERS} settings, and {len(self.space)} came.")
        for parameter in self.space:
            for value in ends(checked(parameter)):
                check_names(with_values(self.config, {parameter.name: value}))
        self._check_effects()
        return self

    def ends(self, name: str) -> list[Value]:
        """Return the ends of a setting's range, or all of its choices; empty if it does not vary."""
        return [value for part in self.space if part.name == name for value in ends(part)]

    def _check_effects(self) -> None:
        """Refuse a parameter without effect for each network and each single change of another parameter."""
        tried = {parameter.name: ends(parameter) for parameter in self.space}
        first = flatten(self.config) | {name: values[0] for name, values in tried.items()}
        networks = tried.get("model.name", [self.config.model.name])
        changes = [(name, value) for name, values in tried.items() for value in values]
        effects = [
            effective(first | {"model.name": network, name: value}) for network in networks for name, value in changes
        ]
        for name in tried:
            if not any(name in each for each in effects):
                raise ConfigError(
                    f"{name} has no effect beside the other settings, so there is nothing to search. Leave it out, or "
                    "vary what it depends on, too."
                )

    @property
    def base(self) -> dict[str, Value]:
        """The values of the settings to start from, for each setting that varies."""
        return {parameter.name: base_value(self.config, parameter.name) for parameter in self.space}

    @property
    def epochs(self) -> int:
        """The most epochs that a trial may take."""
        return max([self.config.training.epochs, *(int(value) for value in self.ends("training.epochs"))])


def check_trials(trials: int) -> None:
    """Refuse a number of trials outside the limits."""
    if not 2 <= trials <= MAX_TRIALS:
        raise ConfigError(f"A search makes from 2 to {MAX_TRIALS:,} trials, and this one was given {trials}.")
