"""Named configurations to start from."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.config import RunConfig, TrainingConfig
from aquadash.errors import UnknownNameError


@dataclass(frozen=True)
class Preset:
    """A configuration with what a student should know about it.

    Attributes:
        config: The configuration, on the embedded data set.
        title: A short name for a menu.
        summary: What it is, in a sentence.
        oddities: What is unusual about it and why, a sentence or two each; empty when nothing is.
    """

    config: RunConfig
    title: str
    summary: str
    oddities: tuple[str, ...] = ()


PRESETS: dict[str, Preset] = {
    "notebook": Preset(
        config=RunConfig(
            training=TrainingConfig(
                validation="test", restore_best_weights=False, from_logits=True, drop_remainder=False
            ),
        ),
        title="The report's CNN, exactly as it was trained",
        summary="Two convolutions and three dense layers, SGD, every choice of the report kept, odd ones included.",
        oddities=(
            "It validates on the first 400 test images and so stops when the *test* images say so. The score it then "
            "reports comes from the last 100 only, and a number from so few images is uncertain: 67 of 100 right means "
            "anything from 57 % to 75 %. The other presets hold images out of the training set instead.",
            "It tells the loss that the model gives raw scores (`from_logits=True`) although a softmax has already "
            "made them probabilities. Taken literally that would flatten the loss, which then could not fall below "
            "0.905 for five classes. Keras notices the softmax, warns, and computes the right loss all the same; the "
            "report's own log, with a loss of 0.857, shows that it did so there too.",
        ),
    ),
    "notebook-fixed": Preset(
        config=RunConfig(),
        title="The same CNN, measured the right way",
        summary="The report's network with validation images held out of the training set, the best epoch's weights "
        "kept, no batch too small to learn from, and all 500 test images saved for the end.",
    ),
}


def preset(name: str) -> Preset:
    """Look a preset up by its name.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownNameError.of("preset", name, PRESETS) from None
