"""The sections of a run's configuration: one record for each setting, from which forms, tables and help are made."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aquadash.config.pipelines import NAME, canonical_definitions, canonical_weights, read_weights
from aquadash.config.setting import SearchRange, Setting

_NAME = f"^{NAME}$"

#: The optimizers with momentum.
WITH_MOMENTUM = ("momentum", "nesterov")

#: The families of networks that were trained on other images.
_PRETRAINED = ("backbone", "applications")
#: The families that are trained from scratch and built from settings.
_FROM_SCRATCH = ("cnn", "perceptron")
#: The families whose dense layers can be chosen.
_WITH_DENSE = (*_FROM_SCRATCH, *_PRETRAINED)

#: The schedules that cut the learning rate.
_WITH_CUTS = ("step", "exponential", "plateau")

_ACTIVATIONS = {
    "linear": "none (linear)",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU (Swish)",
    "tanh": "tanh",
}


def _numbers(value: object) -> object:
    """Split text such as ``"32, 64"`` from a command line or a form."""
    if isinstance(value, str):
        text = value.strip()
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return [part.strip() for part in inner.split(",") if part.strip()]
    return value


#: A few whole numbers, one for each block or layer, or text such as ``"32, 64"``.
Filters = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1024)], ...], BeforeValidator(_numbers), Field(min_length=1, max_length=6)
]
Units = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], BeforeValidator(_numbers), Field(max_length=4)]

Activation = Literal["linear", "relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]


class ConfigSection(BaseModel):
    """A frozen part of a :class:`RunConfig` that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# Laid out by hand: the lines for programs first, then the help for people.
# fmt: off


class DataConfig(ConfigSection):
    """The images."""

    source: Annotated[str, Field(pattern=_NAME), Setting(
        "Data set", incomparable="Figures on different images cannot be compared.",
        help="The data set the images come from.")] = "synthetic"


class AugmentationConfig(ConfigSection):
    """The changes of training images; validation and test images are never changed."""

    pipeline: Annotated[str, AfterValidator(canonical_weights), Setting(
        "Augmentation", group="first", order=2, search=("none", "notebook"), term="augmentation",
        help="The chain of random changes; 'none' trains on the originals alone. Several with weights, such as "
        "'notebook-1:3, mirror-shift:1', are mixed: each version of an image goes through one of them.")] = "notebook"
    mode: Annotated[Literal["copies", "fresh"], Setting(
        "Augmented images", group="augmentation", search=("copies", "fresh"),
        needs=lambda values: values["augmentation.pipeline"] != "none",
        texts={"copies": "once before training", "fresh": "new every epoch"},
        help="'copies' creates the variants once before training, as the report does; 'fresh' creates new ones every "
        "epoch.")] = "copies"
    copies: Annotated[int, Field(ge=1, le=20), Setting(
        "Versions per image", group="augmentation", term="augmentation",
        needs=lambda values: values["augmentation.pipeline"] != "none",
        help="Changed versions of each image from each branch of the pipeline. More take memory and time.")] = 1
    keep_originals: Annotated[bool, Setting(
        "Keep the original images", group="augmentation",
        needs=lambda values: values["augmentation.pipeline"] != "none",
        help="Train on the unchanged images, too. Makes no difference to a pipeline that keeps them anyway.")] = False
    definitions: Annotated[str, AfterValidator(canonical_definitions), Setting(
        "Pipelines saved with the run", incomparable="It holds the pipelines that the other settings name.",
        term="pipeline",
        help="The saved pipelines that the settings name, as JSON. Filled in when a run is queued, so that editing or "
        "deleting them changes nothing about the run.")] = ""
    mixing: Annotated[Literal["none", "mixup", "cutmix"], Setting(
        "Mix images", group="augmentation", affects_pace=False, term="mixing",
        needs=lambda values: values["model.fine_tuning"] != "head",
        texts={"none": "none", "mixup": "mixup (one over the other)",
               "cutmix": "CutMix (a rectangle of one in the other)"},
        help="Blend each training image with another one and learn both labels in the same proportions: 'mixup' "
        "lays one over the other, 'cutmix' pastes a rectangle of one into the other.")] = "none"
    mixing_alpha: Annotated[float, Field(gt=0, le=10), Setting(
        "Mixing strength (alpha)", group="augmentation", step=0.1, affects_pace=False,
        needs=lambda values: values["augmentation.mixing"] != "none",
        help="How strongly images are mixed. Proportions are drawn from the Beta distribution with this number: at 0.2 "
        "most images stay nearly as they are, at 1 all proportions are equally likely, above it halves are.")] = 1.0

    @property
    def weights(self) -> tuple[tuple[str, float], ...]:
        """The names of the pipelines with their fractions of the changed images, which sum to 1."""
        weights = read_weights(self.pipeline)
        total = sum(weight for _, weight in weights)
        return tuple((name, weight / total) for name, weight in weights)


class ModelConfig(ConfigSection):
    """The network; each setting names the families that use it."""

    name: Annotated[str, Field(pattern=_NAME), Setting(
        "Network", group="network", order=-3,
        help="The network's architecture.")] = "notebook"
    dropout: Annotated[float, Field(ge=0, lt=1), Setting(
        "Dropout", group="optimizer", order=1, step=0.05, search=SearchRange(0, 0.7), affects_pace=False,
        help="Fraction of the dense units switched off at random in each training step.")] = 0.5
    normalization: Annotated[Literal["unit", "symmetric", "standardize"], Setting(
        "Pixel normalization", group="network", order=1, families=_FROM_SCRATCH,
        search=("unit", "symmetric", "standardize"),
        texts={"unit": "from 0 to 1", "symmetric": "from -1 to 1", "standardize": "standardized, channel by channel"},
        help="How pixel values reach the network: from 0 to 1, from -1 to 1, or standardized: each "
        "colour channel minus its mean, divided by its deviation on the training images.")] = "unit"
    filters: Annotated[Filters, Setting(
        "Filters per block", group="network", order=-2, families=("cnn",),
        search=("16, 32", "32, 64", "32, 64, 128"), term="convolution",
        help="Filters of the convolutions, one number for each block: how many patterns it looks for.")] = (32, 64)
    kernel_size: Annotated[int, Field(ge=1, le=11), Setting(
        "Kernel size", group="network", families=("cnn",), search=(2, 3, 5), term="kernel",
        help="Side of each filter in pixels.")] = 2
    strides: Annotated[int, Field(ge=1, le=4), Setting(
        "Strides", group="network", families=("cnn",), term="stride",
        help="Pixels a filter moves at a time in the first convolution of a block; 2 halves the image.")] = 2
    convolutions: Annotated[int, Field(ge=1, le=4), Setting(
        "Convolutions per block", group="network", order=-1, families=("cnn",), search=(1, 2), term="block",
        help="Convolutions in each block.")] = 1
    activation: Annotated[Activation, Setting(
        "Activation", group="network", families=("cnn",), search=("linear", "relu", "gelu"),
        term="activation", texts=_ACTIVATIONS,
        help="The function applied to each convolution's sums. The report uses none (linear).")] = "linear"
    batch_normalization: Annotated[bool, Setting(
        "Batch normalization", group="network", families=("cnn",), search=(False, True), term="batch normalization",
        help="Rescale the outputs of each convolution over the batch, which steadies and speeds up learning.")] = False
    residual: Annotated[bool, Setting(
        "Residual connections", group="network", families=("cnn",), search=(False, True), term="residual connection",
        needs=lambda values: values["model.convolutions"] > 1,
        help="Add a block's input to its output where the shapes agree, so that deep networks still learn.")] = False
    pooling: Annotated[Literal["max", "average", "none"], Setting(
        "Pooling", group="network", families=("cnn",), search=("max", "average"), term="pooling",
        texts={"max": "the largest (max)", "average": "the mean (average)", "none": "none"},
        help="The part of neighbouring outputs that a block keeps: the largest, the mean, or all of them.")] = "max"
    pool_size: Annotated[int, Field(ge=1, le=8), Setting(
        "Pooling size", group="network", families=("cnn",),
        needs=lambda values: values["model.pooling"] != "none",
        help="Side in pixels of the area that one number is kept for.")] = 2
    pool_strides: Annotated[int, Field(ge=1, le=8), Setting(
        "Pooling strides", group="network", families=("cnn",),
        needs=lambda values: values["model.pooling"] != "none",
        help="Pixels the pooling moves at a time; 2 halves the image.")] = 1
    summary: Annotated[Literal["flatten", "average", "max"], Setting(
        "Flatten or global pooling", group="network", families=("cnn",), search=("flatten", "average"),
        term="global pooling",
        texts={"flatten": "every output (flatten)", "average": "each filter's mean (global average)",
               "max": "each filter's maximum (global max)"},
        help="The dense layers' input: all outputs of the last block, or one mean or maximum per filter.")] = "flatten"
    dense_units: Annotated[Units, Setting(
        "Units per dense layer", group="network", families=_WITH_DENSE, search=("128", "256", "256, 128"),
        term="dense layer",
        texts={(): "none"},
        help="Units of the dense layers before the last, one number for each; empty for none.")] = (256, 128)
    dense_activation: Annotated[Activation, Setting(
        "Activation of dense layers", group="network", families=_WITH_DENSE, term="activation",
        needs=lambda values: bool(values["model.dense_units"]),
        texts=_ACTIVATIONS,
        help="The function applied to the sums of each dense layer.")] = "relu"
    l1: Annotated[float, Field(ge=0, le=1), Setting(
        "L1 penalty", group="optimizer", order=3, families=_FROM_SCRATCH, search=SearchRange(1e-6, 1e-3, log=True),
        affects_pace=False, term="regularization",
        help="Penalty on the sum of the weights' sizes; pushes weights to zero.")] = 0.0
    l2: Annotated[float, Field(ge=0, le=1), Setting(
        "L2 penalty", group="optimizer", order=3, families=_WITH_DENSE, search=SearchRange(1e-6, 1e-2, log=True),
        affects_pace=False, term="regularization",
        help="Penalty on the sum of the weights' squares; keeps weights small.")] = 0.0
    fine_tuning: Annotated[Literal["head", "top", "all"], Setting(
        "Trainable layers", group="transfer", families=_PRETRAINED, search=("head", "top", "all"), term="fine-tuning",
        texts={"head": "the new head only", "top": "the head and the topmost blocks", "all": "all layers"},
        help="The layers of a pretrained network that learn: only the new head, also the topmost blocks, or "
        "all.")] = "head"
    input_size: Annotated[int, Field(ge=0, le=512), Setting(
        "Input size (pixels)", group="transfer", order=1, families=("applications",),
        texts={0: "0 (the network's own)"},
        help="Side in pixels to which images are enlarged for a pretrained network; 0 takes the size it was trained "
        "with. Smaller is faster and less accurate.")] = 0
    test_time_flip: Annotated[bool, Setting(
        "Test-time flip", group="network", order=1, affects_pace=False,
        help="Predict an image and its mirror image, shifted by a pixel, and take the mean: more accurate, twice as "
        "slow.")] = False


class TrainingConfig(ConfigSection):
    """The training."""

    epochs: Annotated[int, Field(ge=1, le=2000), Setting(
        "Maximum epochs", group="first", unit="epochs", search=(10, 20, 40), affects_pace=False, term="epoch",
        help="The maximum number of passes over the training images.")] = 200
    batch_size: Annotated[int, Field(ge=1, le=2048), Setting(
        "Batch size", group="optimizer", order=-1, search=(16, 32, 64, 128), term="batch",
        help="Images used together for each weight update.")] = 32
    drop_remainder: Annotated[bool, Setting(
        "Drop the last incomplete batch", group="data", order=2, affects_pace=False,
        help="Leave an epoch's last batch out when it is not full. A batch of one or two images makes one large step "
        "in a random direction just before validation. Different images are left out each time.")] = True
    optimizer: Annotated[Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"], Setting(
        "Optimizer", group="optimizer", order=-2, search=("nesterov", "rmsprop", "adam", "adamw"), term="optimizer",
        texts={"sgd": "SGD", "momentum": "SGD with momentum",
               "nesterov": "SGD with Nesterov momentum", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"},
        help="The rule that turns gradients into weight updates.")] = "sgd"
    learning_rate: Annotated[float, Field(gt=0, le=10), Setting(
        "Learning rate", group="first", search=SearchRange(1e-4, 0.1, log=True), affects_pace=False,
        help="The size of each weight update; the peak of a schedule.")] = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1), Setting(
        "Momentum", group="optimizer", step=0.01, search=SearchRange(0.5, 0.99), affects_pace=False, term="momentum",
        needs=lambda values: values["training.optimizer"] in WITH_MOMENTUM,
        help="Fraction of the last step that the next one keeps, for the optimizers with momentum.")] = 0.9
    weight_decay: Annotated[float, Field(ge=0, le=1), Setting(
        "Weight decay", group="optimizer", search=SearchRange(1e-5, 0.1, log=True), affects_pace=False,
        term="regularization",
        help="Fraction by which each step shrinks the weights, times the learning rate; biases and normalisation are "
        "left alone. AdamW is Adam made for it.")] = 0.0
    schedule: Annotated[Literal["constant", "step", "exponential", "cosine", "one_cycle", "plateau"], Setting(
        "Schedule", group="schedule", search=("constant", "cosine", "one_cycle"), affects_pace=False, term="schedule",
        texts={"constant": "constant", "step": "step: a cut every few epochs",
               "exponential": "exponential: a little less each step", "cosine": "cosine: a smooth fall to zero",
               "one_cycle": "one cycle: up, then down to zero", "plateau": "plateau: a cut when progress stops"},
        help="How the learning rate changes while the network learns.")] = "constant"
    schedule_epochs: Annotated[float, Field(gt=0, le=2000), Setting(
        "Epochs between cuts", group="schedule", step=1, unit="epochs", affects_pace=False,
        needs=lambda values: values["training.schedule"] in _WITH_CUTS,
        help="Epochs between two cuts of the learning rate (step), for one whole cut (exponential), or without "
        "progress before a cut (plateau).")] = 10.0
    schedule_factor: Annotated[float, Field(gt=0, lt=1), Setting(
        "Factor per cut", group="schedule", step=0.1, affects_pace=False,
        needs=lambda values: values["training.schedule"] in _WITH_CUTS,
        help="The number by which a cut multiplies the learning rate (step, exponential, plateau).")] = 0.5
    warmup_epochs: Annotated[float, Field(ge=0, le=200), Setting(
        "Warm-up epochs", group="schedule", step=1, unit="epochs", search=SearchRange(0, 5), affects_pace=False,
        term="warm-up",
        help="Epochs over which the learning rate first rises from zero in a straight line.")] = 0.0
    patience: Annotated[int, Field(ge=0, le=2000), Setting(
        "Patience", group="stopping", unit="epochs", search=SearchRange(3, 15), affects_pace=False,
        term="early stopping",
        texts={0: "0 (never stops early)"},
        help="Stop after this many epochs without a better validation metric; 0 never stops early.")] = 5
    monitor: Annotated[Literal["val_loss", "val_accuracy"], Setting(
        "Monitored metric", group="stopping", order=1, affects_pace=False, term="early stopping",
        needs=lambda values: bool(
            values["training.patience"] or values["training.restore_best_weights"]
            or values["training.schedule"] == "plateau"),
        texts={"val_loss": "validation loss", "val_accuracy": "validation accuracy"},
        help="The validation metric for early stopping, the choice of the best epoch and the schedule “plateau”."
        )] = "val_loss"
    validation: Annotated[Literal["training", "test"], Setting(
        "Validation images", group="data", incomparable="Figures on different validation images cannot be compared.",
        term="validation",
        texts={"training": "held out from the training images", "test": "the first 400 test images, as in the report"},
        help="The source of validation images: held out from the training images, or, as in the report, the first 400 "
        "test images (four fifths of them if there are no more).")] = "training"
    validation_fraction: Annotated[float, Field(ge=0.01, le=0.5), Setting(
        "Validation fraction", group="data", step=0.05,
        incomparable="Figures on different validation images cannot be compared.",
        needs=lambda values: values["training.validation"] == "training",
        help="Fraction of the training images held out for validation, the same in each class.")] = 0.15
    label_noise: Annotated[float, Field(ge=0, le=0.9), Setting(
        "Label noise", group="data", step=0.05, affects_pace=False, term="label noise",
        help="Fraction of the training labels that are replaced by another class at random; validation and test labels "
        "stay as they are.")] = 0.0
    restore_best_weights: Annotated[bool, Setting(
        "Restore best weights", group="stopping", affects_pace=False, term="best epoch",
        help="Keep the weights of the epoch with the best validation metric instead of the last ones.")] = True
    from_logits: Annotated[bool, Setting(
        "Loss expects raw scores (logits)", group="optimizer", order=5, term="softmax",
        help="Set the loss for raw scores although the model gives probabilities, as the report does. Keras detects "
        "and corrects it, with a warning.")] = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1), Setting(
        "Label smoothing", group="optimizer", order=2, step=0.05, search=SearchRange(0, 0.2), affects_pace=False,
        help="Fraction of certainty taken from the true class and spread over all, so that the network is less sure of "
        "itself.")] = 0.0
    class_weights: Annotated[Literal["none", "balanced"], Setting(
        "Class weights", group="optimizer", order=4,
        texts={"none": "every image counts alike", "balanced": "every class counts alike"},
        help="Count every image alike, or images of rare classes more, so that all classes weigh the same.")] = "none"
    head_epochs: Annotated[int, Field(ge=0, le=2000), Setting(
        "Head-only epochs", group="transfer", families=_PRETRAINED, unit="epochs", search=SearchRange(0, 5),
        affects_pace=False, term="head",
        needs=lambda values: values["model.fine_tuning"] != "head",
        help="First epochs in which a pretrained network is frozen and only the new head learns.")] = 0
    body_learning_rate: Annotated[float, Field(ge=0, le=1), Setting(
        "Relative rate of pretrained layers", group="transfer", families=_PRETRAINED, step=0.05,
        search=SearchRange(0.01, 1, log=True), affects_pace=False, term="fine-tuning",
        needs=lambda values: values["model.fine_tuning"] != "head",
        help="The learning rate of pretrained layers as a fraction of the head's; they need smaller steps.")] = 0.1
    precision: Annotated[Literal["float32", "mixed_bfloat16", "auto"], Setting(
        "Precision", group="device",
        texts={"float32": "float32", "mixed_bfloat16": "mixed bfloat16", "auto": "bfloat16 where it is faster"},
        help="How exactly the network calculates. bfloat16 keeps 3 digits instead of 7 and is faster on processors "
        "made for it; 'auto' chooses it there, so that the result may differ between computers.")] = "float32"
    device: Annotated[Literal["auto", "cpu", "gpu"], Setting(
        "Device", group="device", incomparable="It changes where the training runs, not its result.",
        texts={"auto": "graphics card if there is one", "cpu": "processor (CPU)", "gpu": "graphics card (GPU)"},
        help="The device for the training: the graphics card if TensorFlow finds one, or the processor.")] = "auto"

    @property
    def decided_by_validation(self) -> str:
        """The decision that validation images make, to follow "decide"; empty for none."""
        if self.patience:
            return "when to stop"
        if self.restore_best_weights:
            return "which weights to keep"
        return "when to lower the learning rate" if self.schedule == "plateau" else ""


class RunConfig(ConfigSection):
    """Everything that decides a run's result besides the data set's content.

    Example:
        >>> RunConfig(seed=7).training.batch_size
        32
    """

    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), Setting(
        "Seed", group="data", order=1,
        incomparable="The best seed is only the luckiest one; it says nothing about the next training.",
        affects_pace=False, term="seed",
        help="Every random choice of the run follows from this number.")] = 0

    def to_json(self) -> str:
        """Return the config as indented JSON with sorted keys; :func:`from_json` reads it back."""
        return json.dumps(self.model_dump(), indent=2, sort_keys=True)
