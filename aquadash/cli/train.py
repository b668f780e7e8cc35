"""``train`` and the worker: from a preset to a finished run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aquadash import config as run_config
from aquadash.cli.guess import guess_words, read_guess
from aquadash.cli.output import StatusLine, json_option, percent, show
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError, ConfigError, RunError
from aquadash.presets import preset
from aquadash.runs import Run, RunStatus, open_store

if TYPE_CHECKING:
    from aquadash.engine import Engine

#: A config is a page of text; more is a mistaken file.
_MOST_CONFIG_BYTES = 1_000_000

#: How often the command looks into the store for news.
_LOOK_SECONDS = 0.5


@click.command()
@click.option(
    "--preset", "preset_name", default="notebook-fixed", show_default=True, help="The settings to start from."
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="JSON file with settings that replace the preset's.",
)
@click.option("--source", help="The data set: synthetic, cifar100 or folder-NAME. Short for --set data.source=...")
@click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Change a setting, such as training.epochs=20."
)
@click.option("--seed", type=int, help="The number all randomness follows from.")
@click.option("--name", help="What to call the run.")
@click.option(
    "--guess-accuracy", type=float, metavar="PERCENT", help="The test accuracy that you expect; scored at the end."
)
@click.option(
    "--guess-pair",
    metavar="TRUE,PREDICTED",
    help="The most frequent mistake that you expect, such as otter,seal; scored at the end.",
)
@json_option
def train(
    preset_name: str,
    config_file: Path | None,
    source: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    name: str | None,
    guess_accuracy: float | None,
    guess_pair: str | None,
    as_json: bool,
) -> None:
    """Train a run and wait for its end. Ctrl-C asks it to stop; its complete epochs are kept."""
    config = build_config(preset_name, config_file, source, assignments, seed)
    guess = read_guess(guess_accuracy, guess_pair, config)
    from aquadash.engine import open_engine

    with open_engine() as engine:
        run_id = engine.submit(config, name=name).run_id
        if guess:
            open_store().set_guess(run_id, guess)
        run = wait(engine, run_id)
    finish(run, as_json=as_json)


@click.command(hidden=True)
@click.argument("run_id")
def worker(run_id: str) -> int:
    """Train a queued run in this process. The engine calls this."""
    from aquadash.training.worker import main

    return main(run_id)


def build_config(
    preset_name: str, config_file: Path | None, source: str | None, assignments: tuple[str, ...], seed: int | None
) -> RunConfig:
    """The preset, then the file's settings, then those of the command line."""
    config = preset(preset_name).config
    if config_file:
        values = config.model_dump()
        for section, content in _read(config_file).items():
            if isinstance(values.get(section), dict) and isinstance(content, dict):
                values[section].update(content)
            else:
                values[section] = content
        config = run_config.from_mapping(values)
    changes: dict[str, Any] = dict(run_config.parse_assignments(assignments))
    if source is not None:
        changes["data.source"] = source
    if seed is not None:
        changes["seed"] = seed
    return run_config.with_values(config, changes)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_CONFIG_BYTES:
            raise ConfigError(
                f"{path} has {path.stat().st_size:,} bytes; a configuration has a few hundred. Is it the right file?"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"Could not read the configuration {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file; a configuration is JSON in UTF-8.") from None
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds a {type(values).__name__}; expected an object with the sections of a run.")
    return values


def wait(engine: Engine, run_id: str) -> Run:
    """Watch a run to its end with a progress bar on stderr. A first Ctrl-C asks it to stop, a second leaves."""

    store = open_store()
    asked = False
    with StatusLine() as line:
        while True:
            try:
                run = store.get(run_id)
                if run.status.ended:
                    return run
                _draw(line, run, asked)
                time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                if asked:
                    raise RunError(f"Left {run_id} alone; it stops by itself. See runs show {run_id[:8]}.") from None
                asked = True
                try:
                    engine.stop(run_id)
                except AquaDashError as error:
                    line.show(str(error))


def _draw(line: StatusLine, run: Run, asked: bool) -> None:
    progress = run.progress
    if run.status is RunStatus.QUEUED or progress is None:
        line.show(f"{run.name}: queued")
        return
    if asked:
        line.show(f"{run.name}: stopping")
        return
    if not progress.batches:
        line.show(f"{run.name}: {progress.phase}")
        return
    eta = "" if progress.eta_seconds is None else f", at most {progress.eta_seconds:,.0f} s left"
    latest = f", val_accuracy {percent(run.curve[-1])}" if run.curve else ""
    line.show(
        f"{run.name}: epoch {progress.epoch} of {progress.epochs}",
        progress.batch / progress.batches,
        f"{progress.images_per_second:,.0f} images/s{eta}{latest}",
    )


def finish(run: Run, *, as_json: bool) -> None:
    """Print how a run ended; a run that neither finished nor was stopped is an error."""
    values = {
        "run_id": run.run_id,
        "name": run.name,
        "status": str(run.status),
        "epochs": int(run.metrics.get("epochs", len(run.curve))),
        "seconds": run.metrics.get("seconds", 0.0),
        "metrics": run.metrics,
        "message": run.message,
    }
    if run.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
        raise RunError(
            f"{run.name} ({run.run_id[:8]}) {run.status}: {run.message or 'its worker gave no sign of life'}"
        )

    def text() -> str:
        lines = [f"{run.name} ({run.run_id[:8]}) {run.status}. {run.message}".rstrip()]
        if "test_accuracy" in run.metrics:
            lines.append(
                f"{values['epochs']} epochs, {values['seconds']:.0f} s of training, weights of epoch "
                f"{run.metrics['kept_epoch']:.0f}\nvalidation accuracy {percent(run.metrics['val_accuracy'])}, "
                f"test accuracy {percent(run.metrics['test_accuracy'])}"
            )
        return "\n".join([*lines, *guess_words(open_store(), run)])

    show(values, as_json=as_json, text=text)
