"""``model``: networks, and what training them will cost."""

from __future__ import annotations

import warnings

import click

from aquadash.cli.config_options import GivenConfig, config_options
from aquadash.cli.output import Group, Shown, StatusLine, import_tensorflow_quietly, print_result


@click.group(cls=Group)
def model() -> None:
    """Networks."""


@model.command("summary")
@config_options(default="notebook", source=False)
def summary(given: GivenConfig) -> None:
    """List a network's layers with their shapes and parameters, for images of 32 x 32 pixels and five classes."""
    config = given.build()
    import_tensorflow_quietly()
    from aquadash import models

    # As every source of the presets has them.
    listed = models.describe(config.model, image_shape=(32, 32, 3), num_classes=5).to_dict()
    twice = "An answer takes twice as many (test-time flip)." if config.model.test_time_flip else ""
    figures = ("layers", "params", "trainable_params", "multiply_adds")
    print_result({"preset": given.preset, **listed}, *map(Shown, figures), twice)


@model.command("probe")
@config_options(default="notebook")
def probe(given: GivenConfig) -> None:
    """Train two epochs of each phase, and keep no run: how long one takes here, and how much memory."""
    config = given.build()
    import_tensorflow_quietly()
    from aquadash.data import load
    from aquadash.training.probe import probe as measure

    with StatusLine() as line, warnings.catch_warnings():
        # Keras warns of the report's oddities, and stderr is for progress and errors.
        warnings.simplefilter("ignore")
        dataset = load(config.data.source, progress=line.progress)
        values = measure(config, dataset, on_progress=lambda done: line.show(done.phase, done.fraction or None))
    print_result({"preset": given.preset, "epochs": config.training.epochs, **values})
