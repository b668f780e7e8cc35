"""What a search is made from: settings to start from, a space, a way to look through it, and a number of trials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aquadash import config as run_config
from aquadash.config import RunConfig, Value, flatten, with_values
from aquadash.errors import ConfigError, look_up
from aquadash.models import effective
from aquadash.search.space import SearchParameter, base_value, checked, ends, parse_all
from aquadash.work.queue import check_names

#: More settings than a search can say anything about.
MAX_PARAMETERS = 20
MAX_TRIALS = 1000
#: Trials are short, and poor ones end early: that finds settings as good in a fraction of the time.
DEFAULT_TRIALS, DEFAULT_EPOCHS, DEFAULT_PRUNER = 12, 15, "median"


@dataclass(frozen=True)
class Strategy:
    """A sampler or a pruner, for menus."""

    title: str
    #: What it does, in a sentence.
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


@dataclass(frozen=True)
class SearchPlan:
    """All that decides a search besides the data."""

    #: The settings to start from; the first trial has them as they are.
    config: RunConfig
    #: What varies. The other settings stay.
    space: tuple[SearchParameter, ...]
    #: A name of :data:`SAMPLERS`; a stored search may have one of an earlier version, which draws at random.
    sampler: str = "tpe"
    #: A name of :data:`PRUNERS`; a stored search may have one of an earlier version, which stops no trial.
    pruner: str = "none"
    #: How many trials the search makes, the first among them.
    trials: int = DEFAULT_TRIALS
    #: Decides the values that the sampler draws. (The trainings' own seed is the config's.)
    seed: int = 0
    #: What people call the search.
    name: str = ""

    def checked(self) -> SearchPlan:
        """The plan itself, if it can be carried out.

        Raises:
            ConfigError: It cannot; the message says why and what to change.
            UnknownNameError: A sampler, pruner, model, source or pipeline is not known.
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
        """The values of a setting at the ends of its range, or all of its choices; none if it does not vary."""
        return [value for part in self.space if part.name == name for value in ends(part)]

    def _check_effects(self) -> None:
        """Refuse a parameter that never has an effect, whatever network and one other value a trial may have."""
        tried = {parameter.name: ends(parameter) for parameter in self.space}
        first = flatten(self.config) | {name: values[0] for name, values in tried.items()}
        networks = tried.get("model.name", [self.config.model.name])
        changes = [(name, value) for name, values in tried.items() for value in values]
        found = [
            effective(first | {"model.name": network, name: value}) for network in networks for name, value in changes
        ]
        for name in tried:
            if not any(name in each for each in found):
                raise ConfigError(
                    f"{name} has no effect beside the other settings, so there is nothing to search. Leave it out, or "
                    "vary what it depends on, too."
                )

    @property
    def base(self) -> dict[str, Value]:
        """What the settings to start from have for each setting that varies."""
        return {parameter.name: base_value(self.config, parameter.name) for parameter in self.space}

    @property
    def epochs(self) -> int:
        """The most epochs that a trial may take."""
        return max([self.config.training.epochs, *(int(value) for value in self.ends("training.epochs"))])

    def to_json(self) -> str:
        """The plan as JSON; :func:`from_json` reads it back."""
        values = asdict(self) | {"config": self.config.model_dump(), "space": [str(part) for part in self.space]}
        return json.dumps(values)


def check_trials(trials: int) -> None:
    """Refuse a number of trials outside the limits."""
    if not 2 <= trials <= MAX_TRIALS:
        raise ConfigError(f"A search makes from 2 to {MAX_TRIALS:,} trials, and this one was given {trials}.")


def from_json(text: str) -> SearchPlan:
    """Read what :meth:`SearchPlan.to_json` wrote.

    Earlier versions wrote a budget of trials and minutes; a search that only minutes limited makes the usual number.

    Raises:
        AquaDashError: The text is of another version or no plan at all.
    """
    try:
        values: Mapping[str, Any] = json.loads(text)
        trials = values["budget"]["trials"] or DEFAULT_TRIALS if "budget" in values else values["trials"]
        return SearchPlan(
            config=run_config.from_mapping(values["config"]),
            space=parse_all(values["space"]),
            trials=int(trials),
            **{name: values[name] for name in ("sampler", "pruner", "seed", "name")},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"This is not a search's plan ({type(error).__name__}: {error}).") from None
