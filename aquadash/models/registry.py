"""The table of networks: a model's name to its builder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash.augment import plan
from aquadash.config import DEFINITIONS, AugmentationConfig, Family, ModelConfig, RunConfig, setting
from aquadash.errors import AquaDashError, look_up
from aquadash.models import applications, backbone, convolutional, efficientnet_lite, transfer
from aquadash.models.inputs import UNKNOWN, ChannelStatistics
from aquadash.models.summary import ModelSummary, summarize
from aquadash.models.weights import PretrainedWeights, load_hdf5, load_npz

if TYPE_CHECKING:
    import keras


#: From settings, the images' shape, the number of classes and the images' statistics to a network: images as float32 in
#: [0, 1] in, class probabilities as float32 out.
Builder = Callable[[ModelConfig, tuple[int, int, int], int, ChannelStatistics], "keras.Model"]


@dataclass(frozen=True)
class ModelEntry:
    """A network that a config can name."""

    #: A short name for a menu.
    title: str
    #: What it is, in a sentence.
    summary: str
    #: Makes the network with fresh weights, a pretrained body included.
    build: Builder
    #: Which settings it uses besides those of all networks: those whose record names the family.
    family: Family | None = None
    #: Where the weights of a pretrained body come from; None for a network that starts from nothing.
    weights: Callable[[ModelConfig], PretrainedWeights] | None = None
    #: Puts those weights into the body of a network that ``build`` made; None likewise.
    load: Callable[[keras.Model, Path], None] | None = None
    #: The file with them that comes with AquaDash and goes into an export; None where they are downloaded.
    weights_file: Path | None = None
    #: How the names of the layers in a body's topmost blocks begin.
    top: tuple[str, ...] = ()

    @property
    def pretrained(self) -> bool:
        """Whether the network has a body that has learnt from other images."""
        return self.weights is not None


MODELS: dict[str, ModelEntry] = {
    "notebook": ModelEntry(
        "The report's CNN",
        "Two convolutions with stride 2, two poolings, dense layers of 256 and 128 units: 1,091,045 parameters.",
        convolutional.build_notebook,
    ),
    "cnn": ModelEntry(
        "A CNN of your own",
        "Blocks of convolutions, then dense layers, every number yours to choose. It starts as the report's network.",
        convolutional.build,
        "cnn",
    ),
    **{
        name: ModelEntry(
            title,
            summary,
            backbone.build,
            "backbone",
            weights=backbone.weights,
            load=load_npz,
            weights_file=backbone.WEIGHTS_FILES[name],
            top=backbone.TOP,
        )
        for name, title, summary in (
            (
                "backbone_wide",
                "Pretrained backbone",
                "A small residual network that has learnt to see from CIFAR-100's other 95 classes, taught by one that "
                "knows ImageNet's photographs; it comes with AquaDash.",
            ),
            (
                "backbone",
                "Pretrained backbone of version 0.6",
                "The same with 256 instead of 384 filters at the end, and without a teacher.",
            ),
        )
    },
    "efficientnet_lite0": ModelEntry(
        "EfficientNet-Lite0 (2020)",
        "Found by a search for what is accurate and small, simplified for telephones, pretrained on ImageNet. Tan and "
        "Le 2019.",
        efficientnet_lite.build,
        "applications",
        weights=efficientnet_lite.weights,
        load=load_npz,
        top=efficientnet_lite.TOP,
    ),
    **{
        name: ModelEntry(
            application.title,
            application.summary,
            applications.build,
            "applications",
            weights=applications.weights,
            load=load_hdf5,
            top=application.top,
        )
        for name, application in applications.APPLICATIONS.items()
    },
}


def model_entry(name: str) -> ModelEntry:
    """Look a network up by its name.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest.
    """
    return look_up("model", name, MODELS)


def uses(network: str, name: str) -> bool:
    """Whether a network takes notice of the setting of that dotted name; one that is not known may do so of any."""
    entry, networks = MODELS.get(network), setting(name).networks
    return entry is None or not networks or entry.family in networks


def effective(values: Mapping[str, Any]) -> set[str]:
    """The names of the settings that make a difference beside the others.

    Args:
        values: All settings, as :func:`aquadash.config.flatten` gives them.
    """
    used = {name: value if uses(values["model.name"], name) else None for name, value in values.items()}
    found = {name for name, value in used.items() if value is not None and setting(name).needs(used)}
    return found if _originals_are_a_choice(values) else found - {"augmentation.keep_originals"}


def _originals_are_a_choice(values: Mapping[str, Any]) -> bool:
    """False where the pipeline keeps the originals anyway."""
    try:
        found = plan(AugmentationConfig(pipeline=values["augmentation.pipeline"], definitions=values[DEFINITIONS]))
    except (AquaDashError, ValueError):
        # A pipeline that is gone: nothing of its own is hidden.
        return True
    return found.mixed or not any(branch.is_original for branch in found.pipelines[0].branches)


def thawed(config: RunConfig) -> bool:
    """Whether pretrained layers are to learn, too."""
    entry = MODELS.get(config.model.name)
    return entry is not None and entry.pretrained and config.model.fine_tuning != "head"


def head_epochs(config: RunConfig) -> int:
    """In how many first epochs a new head learns alone before more of the network does; 0 where nothing follows."""
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
        num_classes: How many probabilities it gives an image.
        statistics: Of the training images, for networks that standardise them.
        precision: The Keras dtype policy of its layers.

    Raises:
        ConfigError: The settings do not make a network.
    """
    with _dtype_policy(precision):
        return model_entry(config.name).build(config, image_shape, num_classes, statistics)


def thaw(model: keras.Model, config: ModelConfig) -> None:
    """Say which layers of a pretrained body learn, as the config has it; other networks stay as they are."""
    pieces = transfer.parts(model)
    if pieces is not None:
        transfer.thaw_body(pieces.body, config.fine_tuning, top=model_entry(config.name).top)


def describe(config: ModelConfig, *, image_shape: tuple[int, int, int], num_classes: int) -> ModelSummary:
    """The layers of the network that ``config`` names; arguments and errors are those of :func:`build`.

    Names of layers are those in a process that has built no other network, whose names begin anew after this.
    """
    import keras

    keras.utils.clear_session()
    model = build(config, image_shape=image_shape, num_classes=num_classes)
    thaw(model, config)
    return summarize(model)


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
