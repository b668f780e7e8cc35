"""``train``: from a preset to a finished run, and a guess at its result; ``model``: networks and their cost."""

import warnings
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from aquadash import data
from aquadash.cli.config_options import ConfigOptions, config_options
from aquadash.cli.output import (
    Command,
    Group,
    Shown,
    StatusLine,
    attributes,
    import_tensorflow_quietly,
    lab,
    print_result,
)
from aquadash.cli.waiting import wait_for_run
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError, RunError
from aquadash.evaluation import check_pair, score_guess
from aquadash.store import Guess, Run, RunStatus
from aquadash.store.fields import metrics_of


@click.command(cls=Command)
@config_options(seed=True)
@click.option("--name", help="The name of the run.")
@click.option("--guess-accuracy", type=float, metavar="PERCENT", help="The test accuracy that you expect.")
@click.option("--guess-pair", metavar="TRUE,PREDICTED", help="The mistake that you expect most, such as otter,seal.")
def train(options: ConfigOptions, name: str | None, guess_accuracy: float | None, guess_pair: str | None) -> None:
    """Train a run and wait for its end. Ctrl-C asks it to stop; its complete epochs are kept."""
    from aquadash.work import queue

    config = options.build()
    guess = read_guess(guess_accuracy, guess_pair, config)
    with queue.open_engine():
        run_id = lab.runs.train(config, name=name).run_id
        if guess:
            lab.runs.guess(run_id, guess)
        finish(wait_for_run(run_id))


def finish(run: Run) -> None:
    """Print how a run ended; a run that neither finished nor was stopped is an error."""
    if run.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
        raise RunError(f"{run.name} ({run.run_id[:8]}) {run.status}: {run.message or 'it was cut off; resume it'}")
    values = {
        **attributes(run, "run_id", "name", "status", "message"),
        # Counted here, because run.metrics is older if a resumed run was stopped before its next epoch.
        "epochs": len(lab.runs.history(run.run_id)),
        "seconds": run.metrics.get("seconds", 0.0),
        "metrics": metrics_of(run),
    }
    _, words = score_of_guess(run)
    print_result(values, *map(Shown, ("name", "run_id", "status", "message", "metrics")), *words)


def read_guess(accuracy: float | None, pair: str | None, config: RunConfig) -> Guess | None:
    """Return the guess of the options of ``train``; None without one."""
    if accuracy is None and pair is None:
        return None
    if accuracy is not None and 0 < accuracy < 1:
        raise click.UsageError(f"--guess-accuracy is in per cent: {accuracy:g} is less than one. Write 60 for 60 %.")
    guessed_pair = None
    if pair is not None:
        label, comma, predicted = (part.strip() for part in pair.partition(","))
        if not comma:
            raise click.UsageError(f"--guess-pair is {pair[:80]!r}; expected TRUE,PREDICTED, such as otter,seal.")
        guessed_pair = label, predicted
        check_pair(guessed_pair, data.load(config.data.source).class_names)
    return Guess(None if accuracy is None else accuracy / 100, guessed_pair)


def score_of_guess(run: Run) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a run's guess and its score as plain values, None without a guess; and a sentence for each scored part."""
    if run.guess is None:
        return None, []
    score, words = None, []
    if results := lab.runs.results(run):
        with suppress(AquaDashError):  # The data set has lost a class that the guess names.
            score = score_guess(run.guess, results)
    if score and score.accuracy:
        words.append(f"The guess of the accuracy. {score.accuracy.words}")
    if score and score.pair:
        words.append(f"The guess of the mistake. {score.pair.words}")
    return asdict(run.guess) | {"score": score and score.to_dict()}, words


model = Group("model", help="Networks.")


@model.command("summary")
@config_options(default="notebook", source=False)
def summary(options: ConfigOptions) -> None:
    """List a network's layers with their shapes and parameters, for images of 32 x 32 pixels and five classes."""
    config = options.build()
    import_tensorflow_quietly()
    from aquadash import models

    # The images of all built-in data sets.
    listed = models.describe(config.model, image_shape=(32, 32, 3), num_classes=5).to_dict()
    twice = "An answer takes twice as many (test-time flip)." if config.model.test_time_flip else ""
    figures = ("layers", "params", "trainable_params", "multiply_adds")
    print_result({"preset": options.preset, **listed}, *map(Shown, figures), twice)


@model.command("probe")
@config_options(default="notebook")
def probe(options: ConfigOptions) -> None:
    """Train two epochs of each phase, and keep no run: how long one takes here, and how much memory."""
    config = options.build()
    import_tensorflow_quietly()
    from aquadash.training.probe import probe as measure

    with StatusLine() as line, warnings.catch_warnings():
        # Keras warns of the report's oddities, and stderr is for progress and errors.
        warnings.simplefilter("ignore")
        dataset = data.load(config.data.source, progress=line.progress)
        values = measure(config, dataset, on_progress=lambda done: line.show(done.phase, done.fraction or None))
    print_result({"preset": options.preset, "epochs": config.training.epochs, **values})
