"""Rules on the network before training; settings that it does not use are ignored."""

from __future__ import annotations

import math

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


def _much_dropout(config: RunConfig) -> Note | None:
    dropout = config.model.dropout
    if not uses(config, "dropout") or dropout <= MAX_DROPOUT:
        return None
    return warning(
        "much-dropout",
        f"Dropout of {dropout:g} leaves almost nothing to learn with",
        f"In every step {100 * dropout:.0f} % of the units are switched off. 0.2 to 0.5 is usual.",
        {"model.dropout": 0.5},
    )


def _large_penalty(config: RunConfig) -> Note | None:
    penalties = {name: getattr(config.model, name) for name in ("l1", "l2") if uses(config, name)}
    large = {name: weight for name, weight in penalties.items() if weight > MAX_PENALTY}
    if not large:
        return None
    named = " and ".join(f"{name.upper()} of {weight:g}" for name, weight in large.items())
    return warning(
        "large-penalty",
        f"A penalty of {named} pushes the weights to zero",
        "Keeping weights small then pays more than being right, and the network gives every image the same answer. "
        "0.0001 is a good start.",
        {f"model.{name}": 0.0001 for name in large},
    )


def _tiny_normalized_batch(config: RunConfig) -> Note | None:
    batch = config.training.batch_size
    # A pretrained body keeps its means and deviations.
    normalizes = uses(config, "batch_normalization") and config.model.batch_normalization
    if not normalizes or batch >= MIN_NORMALIZED_BATCH:
        return None
    return warning(
        "tiny-normalized-batch",
        f"Batch normalization over {batch} image{'' if batch == 1 else 's'} says nothing",
        "It takes the mean and the deviation of a batch, which so few images do not have. What it learns then fails "
        "on new images.",
        {"training.batch_size": 32},
    )


def _head_forever(config: RunConfig) -> Note | None:
    training = config.training
    if not thawed(config) or training.head_epochs < training.epochs:
        return None
    return warning(
        "head-forever",
        "The pretrained layers never get to learn",
        f"They are frozen for the first {epoch_count(training.head_epochs)}, and training ends with epoch "
        f"{training.epochs:,}.",
        {"training.head_epochs": training.epochs // 4},
    )


def _body_stands_still(config: RunConfig) -> Note | None:
    if not thawed(config) or config.training.body_learning_rate > 0:
        return None
    return warning(
        "body-stands-still",
        "The pretrained layers learn at a rate of 0",
        "They are thawed, which takes time, and yet stay as they are. A tenth of the head's rate is usual.",
        {"training.body_learning_rate": 0.1},
    )


def _linear_network(config: RunConfig) -> Note | None:
    model = config.model
    # Max pooling is not linear; the report's convolutions have nothing else between them.
    bends = model.pooling == "max" and model.pool_size > 1
    # The number of linear steps in a row. A global maximum after the last one makes one of them useful.
    linear = len(model.filters) * (model.convolutions - bends)
    if not uses(config, "activation") or model.activation != "linear" or linear <= (model.summary == "max"):
        return None
    dense_bend = bool(model.dense_units) and model.dense_activation != "linear"
    alone = not dense_bend and not bends and model.summary != "max"
    return (warning if alone else hint)(
        "linear-network",
        "The whole network is one linear map" if alone else "Layers in a row without activation count as one",
        "Linear steps one after the other can do no more than a single one. An activation such as ReLU between them "
        "lets each add something.",
        {"model.activation": "relu"},
    )


def _features_not_reused(config: RunConfig) -> Note | None:
    # Layers that were to be thawed have the note "head-forever" instead.
    only_head = frozen(config) and not thawed(config)
    if not only_head or config.augmentation.mode != "fresh" or config.augmentation.pipeline == "none":
        return None
    return hint(
        "features-not-reused",
        "Every epoch goes through the frozen layers again",
        "They give the same features for the same image, which could be kept; but with augmentation new every epoch no "
        "image comes twice. Variants drawn once make epochs many times faster.",
        {"augmentation.mode": "copies"},
    )


def _no_residual_part(config: RunConfig) -> Note | None:
    model = config.model
    if not uses(config, "residual") or not model.residual or model.convolutions != 1:
        return None
    # Two linear convolutions in a row are no better than one.
    activation = {"model.activation": "relu"} if model.activation == "linear" else {}
    return hint(
        "no-residual-part",
        "Residual connections change nothing here",
        "They go around the convolutions after the first of a block, and each block has only one.",
        {"model.convolutions": 2, **activation},
    )


def _small_maps(config: RunConfig) -> Note | None:
    source, kernel = SOURCES.get(config.data.source), config.model.kernel_size
    if not uses(config, "kernel_size") or source is None or source.side is None:
        return None
    for block, side in enumerate(_sides(config.model, source.side), start=1):
        if side < kernel:
            return hint(
                "small-maps",
                f"In block {block} the filters are larger than what they look at",
                f"Filters of {kernel} x {kernel} slide over {side} x {side} outputs there, so that much of what they "
                "see is empty border. Let the blocks before shrink the image less, or use fewer blocks.",
            )
    return None


def _sides(model: ModelConfig, side: int) -> list[int]:
    """Return the side in pixels of each block's input, for square images of that side."""
    inputs = []
    for _ in model.filters:
        inputs.append(side)
        side = math.ceil(side / model.strides)
        if model.pooling != "none":
            side = math.ceil(side / model.pool_strides)
    return inputs


#: In the order in which notes of the same level are shown.
NETWORK_RULES = (
    _much_dropout,
    _large_penalty,
    _tiny_normalized_batch,
    _head_forever,
    _body_stands_still,
    _linear_network,
    _features_not_reused,
    _no_residual_part,
    _small_maps,
)
