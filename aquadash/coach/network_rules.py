"""Notes on the network before training; settings that it does not use are ignored."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aquadash.coach.note import Note, epoch_count, hint, warning
from aquadash.config import ModelConfig, RunConfig
from aquadash.data import SOURCES
from aquadash.models import MODELS, thawed
from aquadash.models import uses as network_uses

#: The most dropout; more switches a unit off in over four of five steps.
MAX_DROPOUT = 0.8

#: The largest penalty; a larger one outweighs the cross entropy. 0.0001 to 0.001 is usual.
MAX_PENALTY = 0.01

#: The smallest batch with a useful mean and deviation.
MIN_NORMALIZED_BATCH = 3


def uses(config: RunConfig, name: str) -> bool:
    """Return whether the chosen network uses a field of the model section."""
    return network_uses(config.model.name, f"model.{name}")


def frozen(config: RunConfig) -> bool:
    """Return whether all pretrained layers stay frozen to the end."""
    entry, training = MODELS.get(config.model.name), config.training
    alone = config.model.fine_tuning == "head" or training.head_epochs >= training.epochs
    return entry is not None and entry.pretrained and alone


def mixes(config: RunConfig) -> bool:
    """Return whether images are mixed; a new head alone learns from features, which are not."""
    return config.augmentation.mixing != "none" and not frozen(config)


def notes(config: RunConfig) -> Iterator[Note]:
    """Yield the notes on the network."""
    model, training = config.model, config.training
    if uses(config, "dropout") and model.dropout > MAX_DROPOUT:
        yield warning(
            "much-dropout",
            f"Dropout of {model.dropout:g} leaves almost nothing to learn with",
            f"In every step {100 * model.dropout:.0f} % of the units are switched off. 0.2 to 0.5 is usual.",
            {"model.dropout": 0.5},
        )
    penalties = {name: getattr(model, name) for name in ("l1", "l2") if uses(config, name)}
    if large := {name: weight for name, weight in penalties.items() if weight > MAX_PENALTY}:
        named = " and ".join(f"{name.upper()} of {weight:g}" for name, weight in large.items())
        yield warning(
            "large-penalty",
            f"A penalty of {named} pushes the weights to zero",
            "Keeping weights small then pays more than being right, and the network gives every image the same "
            "answer. 0.0001 is a good start.",
            {f"model.{name}": 0.0001 for name in large},
        )
    # A pretrained body keeps its means and deviations.
    normalizes = uses(config, "batch_normalization") and model.batch_normalization
    if normalizes and training.batch_size < MIN_NORMALIZED_BATCH:
        yield warning(
            "tiny-normalized-batch",
            f"Batch normalization over {training.batch_size} image{'' if training.batch_size == 1 else 's'} says "
            "nothing",
            "It takes the mean and the deviation of a batch, which so few images do not have. What it learns then "
            "fails on new images.",
            {"training.batch_size": 32},
        )
    if thawed(config) and training.head_epochs >= training.epochs:
        yield warning(
            "head-forever",
            "The pretrained layers never get to learn",
            f"They are frozen for the first {epoch_count(training.head_epochs)}, and training ends with epoch "
            f"{training.epochs:,}.",
            {"training.head_epochs": training.epochs // 4},
        )
    if thawed(config) and training.body_learning_rate <= 0:
        yield warning(
            "body-stands-still",
            "The pretrained layers learn at a rate of 0",
            "They are thawed, which takes time, and yet stay as they are. A tenth of the head's rate is usual.",
            {"training.body_learning_rate": 0.1},
        )
    # Max pooling is not linear; the report's convolutions have nothing else between them.
    bends = model.pooling == "max" and model.pool_size > 1
    # The number of linear steps in a row. A global maximum after the last one makes one of them useful.
    linear = len(model.filters) * (model.convolutions - bends)
    if uses(config, "activation") and model.activation == "linear" and linear > (model.summary == "max"):
        dense_bend = bool(model.dense_units) and model.dense_activation != "linear"
        alone = not dense_bend and not bends and model.summary != "max"
        yield (warning if alone else hint)(
            "linear-network",
            "The whole network is one linear map" if alone else "Layers in a row without activation count as one",
            "Linear steps one after the other can do no more than a single one. An activation such as ReLU between "
            "them lets each add something.",
            {"model.activation": "relu"},
        )
    # Layers that were to be thawed have the note "head-forever" instead.
    only_head = frozen(config) and not thawed(config)
    if only_head and config.augmentation.mode == "fresh" and config.augmentation.pipeline != "none":
        yield hint(
            "features-not-reused",
            "Every epoch goes through the frozen layers again",
            "They give the same features for the same image, which could be kept; but with augmentation new every "
            "epoch no image comes twice. Variants drawn once make epochs many times faster.",
            {"augmentation.mode": "copies"},
        )
    if uses(config, "residual") and model.residual and model.convolutions == 1:
        # Two linear convolutions in a row are no better than one.
        activation = {"model.activation": "relu"} if model.activation == "linear" else {}
        yield hint(
            "no-residual-part",
            "Residual connections change nothing here",
            "They go around the convolutions after the first of a block, and each block has only one.",
            {"model.convolutions": 2, **activation},
        )
    source = SOURCES.get(config.data.source)
    seen = [] if source is None or source.side is None else sides(model, source.side)
    small = next((block for block, side in enumerate(seen, start=1) if side < model.kernel_size), None)
    if uses(config, "kernel_size") and small is not None:
        side = seen[small - 1]
        yield hint(
            "small-maps",
            f"In block {small} the filters are larger than what they look at",
            f"Filters of {model.kernel_size} x {model.kernel_size} slide over {side} x {side} outputs there, so that "
            "much of what they see is empty border. Let the blocks before shrink the image less, or use fewer blocks.",
        )


def sides(model: ModelConfig, side: int) -> list[int]:
    """Return the side in pixels of each block's input, for square images of that side."""
    inputs = []
    for _ in model.filters:
        inputs.append(side)
        side = math.ceil(side / model.strides)
        if model.pooling != "none":
            side = math.ceil(side / model.pool_strides)
    return inputs
