"""The options that make a run's configuration, the same for every command that takes one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aquadash import config as run_config
from aquadash.config import RunConfig
from aquadash.data.sources import BUILT_IN
from aquadash.errors import ConfigError
from aquadash.presets import preset

#: For every option that names a data set.
SOURCE_HELP = f"The data set: {', '.join(BUILT_IN)} or folder-NAME."


@dataclass(frozen=True)
class GivenConfig:
    """Turn the options of the command line into a configuration."""

    #: The name of the preset to start from.
    preset: str
    #: A JSON file with settings that replace the preset's.
    file: Path | None = None
    #: ``NAME=VALUE`` each; they come last.
    assignments: tuple[str, ...] = ()
    #: The data set; None to leave it.
    source: str | None = None
    #: None to leave it.
    seed: int | None = None

    def build(self) -> RunConfig:
        """The preset, then the file's settings, then those of the command line.

        Raises:
            ConfigError: The file cannot be read, or a setting is not possible.
            UnknownNameError: There is no such preset or setting.
        """
        config = preset(self.preset).config
        if self.file:
            text = read_text(self.file, what="a configuration", max_bytes=1_000_000)
            config = run_config.from_json(text, base=config)
        changes: dict[str, Any] = dict(run_config.parse_assignments(self.assignments))
        if self.source is not None:
            changes["data.source"] = self.source
        if self.seed is not None:
            changes["seed"] = self.seed
        return run_config.with_values(config, changes)


def config_options(
    *, default: str = "notebook-fixed", source: bool = True, seed: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of a configuration; it gets them as ``given``, a :class:`GivenConfig`."""
    offered = {
        "preset": click.option(
            "--preset", default=default, show_default=True, help="The preset that the settings start from."
        ),
        "file": click.option(
            "--config",
            "file",
            type=click.Path(path_type=Path),
            help="JSON file with settings that replace the preset's.",
        ),
        "source": click.option("--source", help=f"{SOURCE_HELP} Short for --set data.source=..."),
        "assignments": click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Change a setting, such as training.epochs=20.",
        ),
        "seed": click.option("--seed", type=int, help="The number all randomness follows from."),
    }
    left_out = {name for name, wanted in (("source", source), ("seed", seed)) if not wanted}
    names = [name for name in offered if name not in left_out]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def gathered(*arguments: Any, **values: Any) -> Any:
            given = GivenConfig(**{name: values.pop(name) for name in names})
            return command(*arguments, given=given, **values)

        result: Callable[..., Any] = gathered
        for name in reversed(names):
            result = offered[name](result)
        return result

    return decorate


def read_text(file: Path, *, what: str, max_bytes: int) -> str:
    """Read a small text file named on the command line.

    Args:
        what: The expected content, for messages: ``"a configuration"``.

    Raises:
        ConfigError: It cannot be read, is too large for that, or is no text.
    """
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
