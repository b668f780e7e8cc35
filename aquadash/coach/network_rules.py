"""Rules on the network before training; settings that it does not use are ignored."""

import math

from aquadash.coach.note import Note, hint, hint_rule, warning, warning_rule
from aquadash.config import ModelConfig, RunConfig
from aquadash.data import SOURCES
from aquadash.models import MODELS, thawed
from aquadash.models import uses as network_uses


def uses(config: RunConfig, name: str) -> bool:
    """Return whether the chosen network uses a field of the model section."""
    return network_uses(config.model.name, f"model.{name}")


def frozen(config: RunConfig) -> bool:
    """Return whether all pretrained layers stay frozen to the end."""
    entry, training = MODELS.get(config.model.name), config.training
    alone = config.model.fine_tuning == "head" or training.head_epochs >= training.epochs
    return entry is not None and entry.pretrained and alone


def mixes(config: RunConfig) -> bool:
    """Return whether images are mixed; a head that learns alone gets the features of unmixed images."""
    return config.augmentation.mixing != "none" and not frozen(config)


def _large_penalty(config: RunConfig) -> Note | None:
    penalties = {name: getattr(config.model, name) for name in ("l1", "l2") if uses(config, name)}
    # A larger penalty outweighs the cross entropy; 0.0001 to 0.001 is usual.
    large = {name: weight for name, weight in penalties.items() if weight > 0.01}
    if not large:
        return None
    named = " and ".join(f"{name.upper()} of {weight:g}" for name, weight in large.items())
    return warning(
        "large-penalty",
        f"A penalty of {named} pushes the weights to zero",
        "Small weights then matter more than right answers, and the network gives every image the same answer. "
        "0.0001 is a good start.",
        {f"model.{name}": 0.0001 for name in large},
    )


def _linear_network(config: RunConfig) -> Note | None:
    model = config.model
    # Max pooling is not linear; the report's convolutions have nothing else between them.
    bends = model.pooling == "max" and model.pool_size > 1
    # The number of linear layers in a row. A single one is useful before a global maximum, which is not linear.
    linear = len(model.filters) * (model.convolutions - bends)
    if not uses(config, "activation") or model.activation != "linear" or linear <= (model.summary == "max"):
        return None
    dense_bend = bool(model.dense_units) and model.dense_activation != "linear"
    alone = not dense_bend and not bends and model.summary != "max"
    return (warning if alone else hint)(
        "linear-network",
        "The whole network is one linear map" if alone else "Layers in a row without activation count as one",
        "Linear layers in a row can do no more than a single one. With an activation such as ReLU between them, each "
        "layer adds something.",
        {"model.activation": "relu"},
    )


def _small_maps(config: RunConfig) -> Note | None:
    source, kernel = SOURCES.get(config.data.source), config.model.kernel_size
    if not uses(config, "kernel_size") or source is None or source.side is None:
        return None
    for block, side in enumerate(_sides(config.model, source.side), start=1):
        if side < kernel:
            return hint(
                "small-maps",
                f"In block {block} the filters are larger than their input",
                f"Filters of {kernel} x {kernel} slide over only {side} x {side} values, so that much of their input "
                "is empty border. Let earlier blocks shrink the image less, or use fewer blocks.",
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
    warning_rule(
        "much-dropout",
        lambda c: uses(c, "dropout") and c.model.dropout > 0.8,
        "Dropout of {model.dropout:g} is very high",
        "It switches off more than four of five units in every step. 0.2 to 0.5 is usual.",
        {"model.dropout": 0.5},
    ),
    _large_penalty,
    # A pretrained body keeps its stored means and deviations, so that its batches may be small.
    warning_rule(
        "tiny-normalized-batch",
        lambda c: uses(c, "batch_normalization") and c.model.batch_normalization and c.training.batch_size < 3,
        "A batch size of {training.batch_size} is too small for batch normalization",
        "It computes the mean and the deviation of each batch, which need more images. The network then fails on "
        "new images.",
        {"training.batch_size": 32},
    ),
    warning_rule(
        "head-forever",
        lambda c: thawed(c) and c.training.head_epochs >= c.training.epochs,
        "The pretrained layers are never trained",
        "They stay frozen until epoch {training.head_epochs:,}, and training ends with epoch {training.epochs:,}.",
        lambda c: {"training.head_epochs": c.training.epochs // 4},
    ),
    warning_rule(
        "body-stands-still",
        lambda c: thawed(c) and c.training.body_learning_rate <= 0,
        "The pretrained layers learn at a rate of 0",
        "They are trained, which takes time, but do not change. A tenth of the head's rate is usual.",
        {"training.body_learning_rate": 0.1},
    ),
    _linear_network,
    # Layers that were to be thawed have the note "head-forever" instead.
    hint_rule(
        "features-not-reused",
        lambda c: frozen(c) and not thawed(c) and c.augmentation.mode == "fresh" and c.augmentation.pipeline != "none",
        "Every epoch computes the frozen layers again",
        "They give the same features for the same image, but with augmentation new every epoch no image comes "
        "twice. If images are augmented once before training, epochs are many times faster.",
        {"augmentation.mode": "copies"},
    ),
    _small_maps,
)
