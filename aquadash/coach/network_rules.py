"""Rules on the network: one function for each choice that usually fails. Settings it does not use are passed over."""

from __future__ import annotations

import math

from aquadash.coach.note import ConfigRule, Note
from aquadash.config import ModelConfig, RunConfig
from aquadash.data import SOURCES
from aquadash.models import MODELS
from aquadash.models import uses as network_uses

#: With more, a unit is off in four of five steps, and what is left of a layer changes too much from step to step.
MAX_DROPOUT = 0.8

#: A penalty of this weight outweighs the cross entropy: the weights go to zero instead of learning. 0.0001 to 0.001 is
#: usual.
MAX_PENALTY = 0.01

#: Batch normalization takes mean and deviation of the batch, and those of one or two images say nothing.
MIN_NORMALIZED_BATCH = 3


def uses(config: RunConfig, name: str) -> bool:
    """Whether the chosen network uses a field of the model section."""
    return network_uses(config.model.name, f"model.{name}")


def thawed(config: RunConfig) -> bool:
    """Whether pretrained layers are to learn, too."""
    entry = MODELS.get(config.model.name)
    return entry is not None and entry.pretrained and config.model.fine_tuning != "head"


def frozen(config: RunConfig) -> bool:
    """Whether the network has pretrained layers and none of them learns."""
    entry = MODELS.get(config.model.name)
    return entry is not None and entry.pretrained and config.model.fine_tuning == "head"


def _much_dropout(config: RunConfig) -> Note | None:
    dropout = config.model.dropout
    if dropout <= MAX_DROPOUT or not uses(config, "dropout"):
        return None
    return Note(
        "much-dropout",
        "warning",
        f"Dropout of {dropout:g} leaves almost nothing to learn with",
        f"In every step {100 * dropout:.0f} % of the units are switched off. 0.2 to 0.5 is usual.",
        {"model.dropout": 0.5},
    )


def _large_penalty(config: RunConfig) -> Note | None:
    large = {
        f"model.{name}": getattr(config.model, name)
        for name in ("l1", "l2")
        if uses(config, name) and getattr(config.model, name) > MAX_PENALTY
    }
    if not large:
        return None
    named = " and ".join(f"{name.removeprefix('model.').upper()} of {value:g}" for name, value in large.items())
    return Note(
        "large-penalty",
        "warning",
        f"A penalty of {named} pushes the weights to zero",
        "Keeping weights small then pays more than being right, and the network gives every image the same answer. "
        "0.0001 is a good start.",
        dict.fromkeys(large, 0.0001),
    )


def _tiny_normalized_batch(config: RunConfig) -> Note | None:
    size = config.training.batch_size
    # That of a pretrained body goes on with the means that it has.
    normalizes = uses(config, "batch_normalization") and config.model.batch_normalization
    if size >= MIN_NORMALIZED_BATCH or not normalizes:
        return None
    return Note(
        "tiny-normalized-batch",
        "warning",
        f"Batch normalization over {size} image{'' if size == 1 else 's'} says nothing",
        "It takes the mean and the deviation of a batch, which so few images do not have. What it learns then fails on "
        "new images.",
        {"training.batch_size": 32},
    )


def _head_forever(config: RunConfig) -> Note | None:
    training = config.training
    if not thawed(config) or training.head_epochs < training.epochs:
        return None
    return Note(
        "head-forever",
        "warning",
        "The pretrained layers never get to learn",
        f"They are frozen for the first {training.head_epochs:,} epochs, and training ends with epoch "
        f"{training.epochs:,}.",
        {"training.head_epochs": training.epochs // 4},
    )


def _body_stands_still(config: RunConfig) -> Note | None:
    if not thawed(config) or config.training.body_learning_rate > 0:
        return None
    return Note(
        "body-stands-still",
        "warning",
        "The pretrained layers learn at a rate of 0",
        "They are thawed, which takes time, and yet stay as they are. A tenth of the head's rate is usual.",
        {"training.body_learning_rate": 0.1},
    )


def _linear_network(config: RunConfig) -> Note | None:
    model = config.model
    if not uses(config, "activation") or model.activation != "linear":
        return None
    if model.pooling == "max" and model.convolutions == 1:
        return None  # As in the report: max pooling is what makes its convolutions more than one linear map.
    dense_bend = bool(model.dense_units) and model.dense_activation != "linear"
    alone = not dense_bend and model.pooling != "max" and model.summary != "max"
    return Note(
        "linear-network",
        "warning" if alone else "hint",
        "The whole network is one linear map" if alone else "Convolutions in a row without activation count as one",
        "Linear steps one after the other can do no more than a single one. An activation such as ReLU between them "
        "lets each add something.",
        {"model.activation": "relu"},
    )


def _small_maps(config: RunConfig) -> Note | None:
    source = SOURCES.get(config.data.source)
    if source is None or source.side is None or not uses(config, "kernel_size"):
        return None
    kernel = config.model.kernel_size
    for block, seen in enumerate(sides(config.model, source.side), start=1):
        if kernel > seen:
            return Note(
                "small-maps",
                "hint",
                f"In block {block} the filters are larger than what they look at",
                f"Filters of {kernel} x {kernel} slide over {seen} x {seen} outputs there, so that much of what they "
                "see is empty border. Let the blocks before shrink the image less, or use fewer blocks.",
            )
    return None


def _no_residual_part(config: RunConfig) -> Note | None:
    if not uses(config, "residual") or not config.model.residual or config.model.convolutions > 1:
        return None
    # Two linear convolutions in a row would be no better than one.
    activation = {"model.activation": "relu"} if config.model.activation == "linear" else {}
    return Note(
        "no-residual-part",
        "hint",
        "Residual connections change nothing here",
        "They go around the convolutions after the first of a block, and each block has only one.",
        {"model.convolutions": 2, **activation},
    )


def _features_not_reused(config: RunConfig) -> Note | None:
    fresh = config.augmentation.mode == "fresh" and config.augmentation.pipeline != "none"
    if not fresh or not frozen(config):
        return None
    return Note(
        "features-not-reused",
        "hint",
        "Every epoch goes through the frozen layers again",
        "They give the same features for the same image, which could be kept; but with augmentation new every "
        "epoch no image comes twice. Variants drawn once make epochs many times faster.",
        {"augmentation.mode": "copies"},
    )


def sides(model: ModelConfig, side: int) -> list[int]:
    """The side in pixels of what each block's first convolution looks at, for square images of that side."""
    seen = []
    for _ in model.filters:
        seen.append(side)
        side = math.ceil(side / model.strides)
        if model.pooling != "none":
            side = math.ceil(side / model.pool_strides)
    return seen


#: In the order in which notes of the same level are shown.
RULES: tuple[ConfigRule, ...] = (
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
