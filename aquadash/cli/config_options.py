"""The options that make a run's configuration, the same for every command that takes one."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aquadash import config as run_config
from aquadash.cli.output import PATH
from aquadash.config import RunConfig
from aquadash.data.sources import BUILT_IN
from aquadash.errors import ConfigError
from aquadash.presets import preset

SOURCE_HELP = f"The data set: {', '.join(BUILT_IN)} or folder-NAME."
source_option = click.option("--source", default="synthetic", help=SOURCE_HELP)


@dataclass(frozen=True)
class ConfigOptions:
    """The options of a configuration; None leaves what the preset says."""

    preset: str
    #: A JSON file with settings that replace the preset's.
    file: Path | None = None
    #: ``NAME=VALUE`` each; they come last.
    assignments: tuple[str, ...] = ()
    source: str | None = None
    seed: int | None = None

    def build(self) -> RunConfig:
        """Return the preset with the file's settings and those of the command line; refuse impossible ones."""
        config = preset(self.preset).config
        if self.file:
            text = read_text(self.file, what="a configuration", max_bytes=1_000_000)
            config = run_config.from_json(text, base=config)
        options = {"data.source": self.source, "seed": self.seed}
        changes: dict[str, Any] = dict(run_config.parse_assignments(self.assignments))
        changes |= {name: value for name, value in options.items() if value is not None}
        return run_config.with_values(config, changes)


def config_options(
    *, default: str = "notebook-fixed", source: bool = True, seed: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of a configuration; it gets them as ``options``, a :class:`ConfigOptions`."""
    example, option = "Change a setting, such as training.epochs=20.", click.option
    options = {
        "preset": option("--preset", default=default, help="The preset that the settings start from."),
        "file": option("--config", "file", type=PATH, help="JSON file with settings that replace the preset's."),
        "source": option("--source", help=f"{SOURCE_HELP} Short for --set data.source=..."),
        "assignments": option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help=example),
        "seed": option("--seed", type=int, help="The number all randomness follows from."),
    }
    names = [name for name in options if {"source": source, "seed": seed}.get(name, True)]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def gathered(**values: Any) -> Any:
            return command(options=ConfigOptions(**{name: values.pop(name) for name in names}), **values)

        for name in reversed(names):
            options[name](gathered)
        return gathered

    return decorate


def read_text(file: Path, *, what: str, max_bytes: int) -> str:
    """Read a small text file; ``what`` names the expected content in the error about one that cannot be read."""
    try:
        with file.open("rb") as opened:
            content = opened.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise ConfigError(f"{file} has more than {max_bytes:,} bytes, too many for {what}. Is it the right file?")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"Could not read {what} from {file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is no text file; {what} is JSON in UTF-8.") from None
