"""Named configurations to start from; their values and words are in ``presets.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aquadash.config import RunConfig, config_diff, with_values
from aquadash.errors import look_up


@dataclass(frozen=True)
class Preset:
    """A configuration with what a student should know about it."""

    config: RunConfig
    title: str
    #: Title of its card; presets with the same one share a card.
    card: str
    summary: str
    #: The summary in a few words, for its card.
    line: str
    #: Epochs until early stopping usually ends it; None without early stopping or a measurement.
    epochs: int | None = None
    #: Seconds that it takes on two processor cores with CIFAR-100 (docs/presets.md); None where not measured.
    seconds: float | None = None
    #: Its unusual settings and their reasons, a sentence or two each.
    oddities: tuple[str, ...] = ()


def _presets() -> dict[str, Preset]:
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

    def config(table: dict[str, Any]) -> RunConfig:
        start = config(tables[table["like"]]) if "like" in table else RunConfig()
        return with_values(start, table.get("settings", {}))

    return {
        name: Preset(
            config=config(table),
            oddities=tuple(table.get("oddities", ())),
            **{key: value for key, value in table.items() if key not in ("like", "settings", "oddities")},
        )
        for name, table in tables.items()
    }


PRESETS = _presets()


def usual_epochs(config: RunConfig) -> int:
    """Return the epochs after which a run usually ends: without early stopping, all of them.

    Early stopping ends a run "patience" epochs after its best one. The best epoch is that of the preset, among those of
    the same network, that differs in the fewest settings; :attr:`Preset.epochs` was measured.
    """
    training = config.training
    alike = [one for one in PRESETS.values() if one.epochs and one.config.model.name == config.model.name]
    if not training.patience or not alike:
        return training.epochs
    nearest = min(alike, key=lambda one: len(config_diff([one.config, config])))
    assert nearest.epochs is not None
    return min(training.epochs, nearest.epochs - nearest.config.training.patience + training.patience)


def preset(name: str) -> Preset:
    """Look a preset up by its name; an unknown one raises an ``UnknownNameError`` that names the nearest."""
    return look_up("preset", name, PRESETS)
