"""What a search is made from: settings to start from, a space, a way to look through it, and a budget."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aquadash import config as run_config
from aquadash.config import RunConfig, Value, flatten, with_values
from aquadash.engine import check_names
from aquadash.errors import ConfigError, look_up
from aquadash.models import effective
from aquadash.search.space import SearchParameter, base_value, checked, grid, parse_all

#: More settings than a search can say anything about.
MAX_PARAMETERS = 20
MAX_TRIALS = 1000
#: A week.
MAX_MINUTES = 7 * 24 * 60.0
#: Values that a grid takes from a range.
GRID_POINTS = 4
#: A grid with more points is no plan but a mistake.
MAX_GRID_POINTS = 10_000

DEFAULT_TRIALS = 20


@dataclass(frozen=True)
class Strategy:
    """A sampler or a pruner, for menus.

    Attributes:
        title: A short name.
        help: What it does, in a sentence.
    """

    title: str
    help: str


SAMPLERS: dict[str, Strategy] = {
    "tpe": Strategy(
        "TPE, learns from its trials",
        "Tries at random first, then prefers values like those of the better trials. (Its long name is tree-structured "
        "Parzen estimator.)",
    ),
    "random": Strategy("Random", "Draws every trial's values at random. Simple, and hard to beat with few trials."),
    "grid": Strategy(
        "Grid",
        f"Tries every combination of the values; of a range it takes {GRID_POINTS} evenly spaced numbers. Their "
        "number grows quickly.",
    ),
}

PRUNERS: dict[str, Strategy] = {
    "none": Strategy("Never", "Every trial trains to its end."),
    "median": Strategy(
        "Below the median",
        "Stops a trial whose best validation accuracy so far is below the median of the earlier trials at that epoch.",
    ),
    "hyperband": Strategy(
        "Hyperband",
        "Gives many trials few epochs and lets only the best third of them go on, again and again. It needs more "
        "trials than the median.",
    ),
}


@dataclass(frozen=True)
class Budget:
    """When a search has done enough: at whichever comes first.

    Attributes:
        trials: So many trials, the first with the settings to start from among them; None for no such limit.
        minutes: No trial starts after so many minutes of work; those under way are finished. None for no such limit.
    """

    trials: int | None = DEFAULT_TRIALS
    minutes: float | None = None

    def checked(self) -> Budget:
        """The budget itself, if it ends.

        Raises:
            ConfigError: It does not, or is outside the limits.
        """
        if self.trials is None and self.minutes is None:
            raise ConfigError("A search needs a budget: a number of trials, of minutes, or both.")
        if self.trials is not None and not 2 <= self.trials <= MAX_TRIALS:
            raise ConfigError(f"The budget is {self.trials} trials; it must be from 2 to {MAX_TRIALS:,}.")
        if self.minutes is not None and not 0 < self.minutes <= MAX_MINUTES:
            raise ConfigError(
                f"The budget is {self.minutes:g} minutes; it must be more than 0, at most {MAX_MINUTES:,.0f}."
            )
        return self


@dataclass(frozen=True)
class SearchPlan:
    """All that decides a search besides the data.

    Attributes:
        config: The settings to start from; the first trial has them as they are.
        space: What varies. The other settings stay.
        sampler: A name of :data:`SAMPLERS`.
        pruner: A name of :data:`PRUNERS`.
        budget: When it has done enough.
        seed: Decides the values that the sampler draws. (The trainings' own seed is the config's.)
        name: What people call the search.
    """

    config: RunConfig
    space: tuple[SearchParameter, ...]
    sampler: str = "tpe"
    pruner: str = "none"
    budget: Budget = Budget()
    seed: int = 0
    name: str = ""

    def checked(self) -> SearchPlan:
        """The plan itself, if it can be carried out.

        Raises:
            ConfigError: It cannot; the message says why and what to change.
            UnknownNameError: A sampler, pruner, model, source or pipeline is not known.
        """
        for kind, name, table in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            look_up(kind, name, table)
        self.budget.checked()
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
            for value in grid(checked(parameter), points=2):
                check_names(with_values(self.config, {parameter.name: value}))
        self._check_effects()
        if self.sampler == "grid" and (points := grid_size(self.space)) > MAX_GRID_POINTS:
            raise ConfigError(
                f"This grid has {points:,} points; at most {MAX_GRID_POINTS:,} can be listed. Vary fewer settings, "
                "or use another sampler."
            )
        return self

    def ends(self, name: str) -> list[Value]:
        """The values of a setting at the ends of its range, or all of its choices; none if it does not vary."""
        return [value for part in self.space if part.name == name for value in grid(part, points=2)]

    def _check_effects(self) -> None:
        """Refuse a parameter that never has an effect, whatever network and one other value a trial may have."""
        tried = {parameter.name: grid(parameter, points=2) for parameter in self.space}
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
        values = [grid(p, points=2) for p in self.space if p.name == "training.epochs"]
        return max([self.config.training.epochs, *(int(value) for value in (values[0] if values else ()))])

    @property
    def max_trials(self) -> int | None:
        """How many trials there will be at most; None where only minutes limit them."""
        if self.sampler != "grid":
            return self.budget.trials
        on_grid = all(self.base[p.name] in grid(p, points=GRID_POINTS) for p in self.space)
        everything = grid_size(self.space) + (not on_grid)
        return everything if self.budget.trials is None else min(everything, self.budget.trials)

    def to_json(self) -> str:
        """The plan as JSON; :func:`from_json` reads it back."""
        values = asdict(self) | {"config": self.config.model_dump(), "space": [str(part) for part in self.space]}
        return json.dumps(values)


def from_json(text: str) -> SearchPlan:
    """Read what :meth:`SearchPlan.to_json` wrote.

    Raises:
        AquaDashError: The text is of another version or no plan at all.
    """
    try:
        values: Mapping[str, Any] = json.loads(text)
        return SearchPlan(
            config=run_config.from_mapping(values["config"]),
            space=parse_all(values["space"]),
            budget=Budget(**values["budget"]),
            **{name: values[name] for name in ("sampler", "pruner", "seed", "name")},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"This is not a search's plan ({type(error).__name__}: {error}).") from None


def grid_size(space: tuple[SearchParameter, ...]) -> int:
    """How many points the grid over the space has."""
    return math.prod(len(grid(parameter, points=GRID_POINTS)) for parameter in space)
