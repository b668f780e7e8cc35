"""The table of networks: a model's name to its builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aquadash.augment import plan
from aquadash.config import DEFINITIONS, AugmentationConfig, Family, ModelConfig, RunConfig, setting
from aquadash.errors import AquaDashError, look_up
from aquadash.models import applications, backbone, convolutional, efficientnet_lite, transfer
from aquadash.models.inputs import UNKNOWN, ChannelStatistics
from aquadash.models.lazy import keras
from aquadash.models.summary import ModelSummary, summarize
from aquadash.models.weights import PretrainedWeights, load_hdf5, load_npz

#: From settings, the images' shape, the number of classes and the images' statistics to a network that turns images,
#: float32 in [0, 1], into class probabilities, float32.
Builder = Callable[[ModelConfig, tuple[int, int, int], int, ChannelStatistics], "keras.Model"]


@dataclass(frozen=True)
class ModelEntry:
    """A network that a config can name."""

    #: A short name for a menu.
    title: str
    #: A sentence that describes it.
    summary: str
    #: Makes the network with fresh weights, a pretrained body included.
    build: Builder
    #: Settings that list this family are shown for the network, besides those common to all.
    family: Family | None = None
    #: The source of a pretrained body's weights; None for a network that is trained from scratch.
    weights: Callable[[ModelConfig], PretrainedWeights] | None = None
    #: Loads those weights into the body of a network that ``build`` made; None for a network without a body.
    load: Callable[[keras.Model, Path], None] | None = None
    #: The file of weights that comes with AquaDash and goes into an export; None where they are downloaded.
    weights_file: Path | None = None
    #: The body's last layer that stays frozen where only the topmost blocks are fine-tuned.
    last_frozen: str = ""

    @property
    def pretrained(self) -> bool:
        """Whether the network has a body that was trained on other images."""
        return self.weights is not None


_BACKBONE = ModelEntry(
    "Pretrained backbone",
    "A small residual network, pretrained on the other 95 classes of CIFAR-100 with the help of a larger network "
    "trained on ImageNet. It comes with AquaDash.",
    backbone.build,
    "backbone",
    weights=backbone.weights,
    load=load_npz,
    weights_file=backbone.WEIGHTS_FILES["backbone_wide"],
    last_frozen=backbone.LAST_FROZEN,
)

MODELS: dict[str, ModelEntry] = {
    "notebook": ModelEntry(
        "The report's CNN",
        "Two convolutions with stride 2, two poolings, dense layers of 256 and 128 units: 1,091,045 parameters.",
        convolutional.build_notebook,
    ),
    "cnn": ModelEntry(
        "A CNN of your own",
        "Blocks of convolutions, then dense layers. You choose every number. The defaults are the report's network.",
        convolutional.build,
        "cnn",
    ),
    "perceptron": ModelEntry(
        "Multi-layer perceptron",
        "Dense layers alone, without convolution: every pixel has weights of its own, so that a pattern learnt in one "
        "place is unknown in all others. Compare it with a CNN to see what convolution is good for.",
        convolutional.build_perceptron,
        "perceptron",
    ),
    "backbone_wide": _BACKBONE,
    "backbone": replace(
        _BACKBONE,
        title="Pretrained backbone of version 0.6",
        summary="The same with 256 instead of 384 filters at the end, and without a teacher.",
        weights_file=backbone.WEIGHTS_FILES["backbone"],
    ),
    "efficientnet_lite0": ModelEntry(
        "EfficientNet-Lite0 (2020)",
        "An automatic search chose its layers for accuracy and small size; simplified for phones. Pretrained on "
        "ImageNet. Tan and Le 2019.",
        efficientnet_lite.build,
        "applications",
        weights=efficientnet_lite.weights,
        load=load_npz,
        last_frozen=efficientnet_lite.LAST_FROZEN,
    ),
    **{
        name: ModelEntry(
            application.title,
            application.summary,
            applications.build,
            "applications",
            weights=applications.weights,
            load=load_hdf5,
            last_frozen=application.last_frozen,
        )
        for name, application in applications.APPLICATIONS.items()
    },
}


def model_entry(name: str) -> ModelEntry:
    """Look a network up by its name; an UnknownNameError names the nearest."""
    return look_up("model", name, MODELS)


def uses(network: str, name: str) -> bool:
    """Return whether a network uses the setting of that dotted name; an unknown network may use any."""
    entry, families = MODELS.get(network), setting(name).families
    return entry is None or not families or entry.family in families


def effective(values: Mapping[str, Any]) -> set[str]:
    """Return the names of the settings, out of all as ``config.flatten`` gives them, that make a difference."""
    used = {name: value if uses(values["model.name"], name) else None for name, value in values.items()}
    names = {name for name, value in used.items() if value is not None and setting(name).needs(used)}
    return names if _originals_are_a_choice(values) else names - {"augmentation.keep_originals"}


def _originals_are_a_choice(values: Mapping[str, Any]) -> bool:
    """Return False where the pipeline keeps the originals anyway."""
    try:
        augmentation = AugmentationConfig(pipeline=values["augmentation.pipeline"], definitions=values[DEFINITIONS])
        pipelines = plan(augmentation)
    except (AquaDashError, ValueError):
        return True  # The pipeline no longer exists; the setting stays visible.
    return pipelines.mixed or not any(branch.is_original for branch in pipelines.pipelines[0].branches)


def thawed(config: RunConfig) -> bool:
    """Return whether pretrained layers learn, too."""
    entry = MODELS.get(config.model.name)
    return entry is not None and entry.pretrained and config.model.fine_tuning != "head"


def head_epochs(config: RunConfig) -> int:
    """Return the number of first epochs in which only the new head learns; 0 where no more of the network follows."""
    training = config.training
    return training.head_epochs if thawed(config) and training.head_epochs < training.epochs else 0


def build(
    config: ModelConfig,
    *,
    image_shape: tuple[int, int, int],
    num_classes: int,
    statistics: ChannelStatistics = UNKNOWN,
    precision: str = "float32",
) -> keras.Model:
    """Build the network that ``config`` names, its weights fresh.

    Args:
        config: The model section of a run's config.
        image_shape: Height, width and channels.
        statistics: Of the training images, for networks that standardise them.
        precision: The Keras dtype policy of its layers.

    Raises:
        ConfigError: The settings do not make a network.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return model_entry(config.name).build(config, image_shape, num_classes, statistics)
    finally:
        keras.config.set_dtype_policy(before)


def thaw(model: keras.Model, config: ModelConfig) -> None:
    """Let those layers of a pretrained body learn that the config says; other networks stay as they are."""
    pieces = transfer.parts(model)
    if pieces is not None:
        transfer.thaw_body(pieces.body, config.fine_tuning, last_frozen=model_entry(config.name).last_frozen)


def describe(config: ModelConfig, *, image_shape: tuple[int, int, int], num_classes: int) -> ModelSummary:
    """List the layers of the network that ``config`` names; arguments and errors are those of :func:`build`."""
    # Keras numbers layers by process: the names are those of a process that has built no other network.
    keras.utils.clear_session()
    model = build(config, image_shape=image_shape, num_classes=num_classes)
    thaw(model, config)
    return summarize(model)
