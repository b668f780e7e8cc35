"""``train``: from a preset to a finished run."""

from __future__ import annotations

import time

import click

from aquadash.cli.config_options import GivenConfig, config_options
from aquadash.cli.guess import guess_words, read_guess
from aquadash.cli.output import StatusLine, json_option, percent, show
from aquadash.errors import AquaDashError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Run, RunStatus
from aquadash.runs.fields import metrics_of

#: How often the command looks into the store for news.
_LOOK_SECONDS = 0.5


@click.command()
@config_options(seed=True)
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
    given: GivenConfig,
    name: str | None,
    guess_accuracy: float | None,
    guess_pair: str | None,
    as_json: bool,
) -> None:
    """Train a run and wait for its end. Ctrl-C asks it to stop; its complete epochs are kept."""
    config = given.build()
    guess = read_guess(guess_accuracy, guess_pair, config)
    from aquadash.engine import open_engine

    lab = Lab(OWNER)
    with open_engine():
        run_id = lab.runs.train(config, name=name).run_id
        if guess:
            lab.runs.guess(run_id, guess)
        run = wait(lab, run_id)
    finish(run, as_json=as_json)


def wait(lab: Lab, run_id: str) -> Run:
    """Watch a run to its end with a progress bar on stderr. A first Ctrl-C asks it to stop, a second leaves."""

    asked = False
    with StatusLine() as line:
        while True:
            try:
                run = lab.runs.get(run_id)
                if run.status.ended:
                    return run
                _draw(line, run, asked)
                time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                if asked:
                    raise RunError(f"Left {run_id} alone; it stops by itself. See runs show {run_id[:8]}.") from None
                asked = True
                try:
                    lab.runs.stop(run_id)
                except AquaDashError as error:
                    line.show(str(error))


def _draw(line: StatusLine, run: Run, asked: bool) -> None:
    progress = run.progress
    if run.status is RunStatus.QUEUED or progress is None:
        line.show(f"{run.name}: queued. {run.message}".removesuffix(". "))
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
        "metrics": metrics_of(run),
        "message": run.message,
    }
    if run.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
        raise RunError(f"{run.name} ({run.run_id[:8]}) {run.status}: {run.message or 'it was cut off; resume it'}")

    def text() -> str:
        lines = [f"{run.name} ({run.run_id[:8]}) {run.status}. {run.message}".rstrip()]
        if "test_accuracy" in run.metrics:
            lines.append(
                f"{values['epochs']} epochs, {values['seconds']:.0f} s of training, weights of epoch "
                f"{run.metrics['kept_epoch']:.0f}\nvalidation accuracy {percent(run.metrics['val_accuracy'])}, "
                f"test accuracy {percent(run.metrics['test_accuracy'])}"
            )
        return "\n".join([*lines, *guess_words(run)])

    show(values, as_json=as_json, text=text)
