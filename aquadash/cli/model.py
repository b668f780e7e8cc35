"""``model``: networks, and what training them will cost."""

from __future__ import annotations

import warnings

import click

from aquadash.cli.config_options import GivenConfig, config_options
from aquadash.cli.output import StatusLine, import_tensorflow_quietly, json_option, show, table
from aquadash.models import LayerRow

#: The images that a network without a data set is built for: every source of the presets has them so.
_IMAGE_SHAPE = (32, 32, 3)
_CLASSES = 5


@click.group()
def model() -> None:
    """Networks."""


@model.command("summary")
@config_options(default="notebook", source=False)
@json_option
def summary(given: GivenConfig, as_json: bool) -> None:
    """List a network's layers with their output shapes and parameters."""
    config = given.build()
    import_tensorflow_quietly()
    from aquadash import models

    listed = models.describe(config.model, image_shape=_IMAGE_SHAPE, num_classes=_CLASSES)
    show(
        {"preset": given.preset, **listed.to_dict()},
        as_json=as_json,
        text=lambda: (
            f"{_layer_table(listed.layers)}\n\n{listed.params:,} parameters, of which training changes "
            f"{listed.trainable_params:,}; {listed.multiply_adds:,} multiplications for an image"
        ),
    )


@model.command("probe")
@config_options(default="notebook")
@json_option
def probe(given: GivenConfig, as_json: bool) -> None:
    """Train two epochs and keep nothing: how long one takes here, and how much memory."""
    config = given.build()
    import_tensorflow_quietly()
    from aquadash.data import load
    from aquadash.training.probe import probe as measure

    with StatusLine() as line, warnings.catch_warnings():
        # Keras warns of the report's oddities, and stderr is for progress and errors.
        warnings.simplefilter("ignore")
        dataset = load(config.data.source, progress=line.progress)
        values = measure(
            config, dataset, on_progress=lambda progress: line.show(progress.phase, progress.share or None)
        )

    def text() -> str:
        layers = tuple(LayerRow.from_dict(layer) for layer in values["layers"])
        return (
            f"{_layer_table(layers)}\n\n{values['parameters']:,} parameters\n"
            f"{values['seconds_per_epoch']:.3g} s an epoch, {values['images_per_second']:,.3g} images/s\n"
            f"at most {values['seconds_total_at_most']:,.0f} s for {config.training.epochs} epochs\n"
            f"about {values['memory_bytes'] / 1e6:,.0f} MB of memory\n"
            f"measured: {values['measured_steps']} steps of {values['step_images']} images"
        )

    show({"preset": given.preset, "epochs": config.training.epochs, **values}, as_json=as_json, text=text)


def _layer_table(layers: tuple[LayerRow, ...]) -> str:
    header = ("layer", "kind", "output", "parameters", "trained", "multiplications", "part")
    rows = [
        (
            row.name,
            row.kind,
            " x ".join(map(str, row.output_shape)),
            f"{row.params:,}",
            f"{row.trainable_params:,}",
            f"{row.multiply_adds:,}",
            row.part,
        )
        for row in layers
    ]
    return table(rows, header=header)
