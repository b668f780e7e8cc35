"""The sections of a run's configuration: plain values, each with its limits and a line of help."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aquadash.config.definitions import canonical_definitions
from aquadash.config.weights import NAME, canonical_weights, read_weights

_NAME = f"^{NAME}$"


def _numbers(value: object) -> object:
    """``"32, 64"`` as a list, which is how a command line and a form write a list of numbers."""
    if isinstance(value, str):
        return [part.strip() for part in value.replace("[", " ").replace("]", " ").split(",") if part.strip()]
    return value


#: A few whole numbers in an order, one a layer or block; text such as ``"32, 64"`` is understood, too.
Filters = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1024)], ...], BeforeValidator(_numbers), Field(min_length=1, max_length=6)
]
Units = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], BeforeValidator(_numbers), Field(max_length=4)]

Activation = Literal["linear", "relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]


class Section(BaseModel):
    """A frozen part of a :class:`RunConfig` that refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(Section):
    """Which images."""

    source: str = Field("synthetic", pattern=_NAME, description="The data set the images come from.")


class AugmentationConfig(Section):
    """How training images are varied. Validation and test images never are."""

    pipeline: Annotated[str, AfterValidator(canonical_weights)] = Field(
        "notebook",
        description="The chain of random changes; 'none' trains on the originals alone. Several with weights, such as "
        "'notebook-1:3, mirror-shift:1', are mixed: each version of an image goes through one of them.",
    )
    mode: Literal["copies", "fresh"] = Field(
        "copies",
        description="'copies' draws the variants once before training, as the report does; 'fresh' draws new ones "
        "for every epoch.",
    )
    copies: int = Field(
        1,
        ge=1,
        le=20,
        description="Changed versions of each image from each branch of the pipeline. More take memory and time.",
    )
    keep_originals: bool = Field(
        False,
        description="Learn from the unchanged images, too. Makes no difference to a pipeline that keeps them anyway.",
    )
    definitions: Annotated[str, AfterValidator(canonical_definitions)] = Field(
        "",
        description="The saved pipelines that the settings name, as JSON. Filled in when a run is queued, so that "
        "editing or deleting them changes nothing about the run.",
    )
    mixing: Literal["none", "mixup", "cutmix"] = Field(
        "none",
        description="Blend each training image with another one and learn both labels in the same shares: 'mixup' lays "
        "one over the other, 'cutmix' pastes a rectangle of one into the other.",
    )
    mixing_alpha: float = Field(
        1.0,
        gt=0.0,
        le=10.0,
        description="How strongly images are mixed. Shares are drawn from the Beta distribution with this number: at "
        "0.2 most images stay nearly as they are, at 1 all shares are equally likely, above it halves are.",
    )

    @property
    def weights(self) -> tuple[tuple[str, float], ...]:
        """The pipelines' names with their shares of the changed images, which add up to 1."""
        weights = read_weights(self.pipeline)
        total = sum(weight for _, weight in weights)
        return tuple((name, weight / total) for name, weight in weights)


class ModelConfig(Section):
    """Which network. A network uses some of these settings: ``models.MODELS`` says which."""

    name: str = Field("notebook", pattern=_NAME, description="The network's architecture.")
    dropout: float = Field(
        0.5, ge=0.0, lt=1.0, description="Share of the dense units switched off at random in each training step."
    )
    normalization: Literal["unit", "symmetric", "standardize"] = Field(
        "unit",
        description="How pixel values reach the network: from 0 to 1, from -1 to 1, or with each colour channel's "
        "mean taken off and its deviation divided out, as measured on the training images.",
    )
    filters: Filters = Field(
        (32, 64), description="Filters of the convolutions, one number for each block: how many patterns it looks for."
    )
    kernel_size: int = Field(2, ge=1, le=11, description="Side of each filter in pixels.")
    strides: int = Field(
        2,
        ge=1,
        le=4,
        description="Pixels a filter moves at a time in the first convolution of a block; 2 halves the image.",
    )
    convolutions: int = Field(1, ge=1, le=4, description="Convolutions in each block.")
    activation: Activation = Field(
        "linear",
        description="What each convolution does to its sums. The report's convolutions leave them as they are.",
    )
    batch_normalization: bool = Field(
        False,
        description="Rescale the outputs of each convolution over the batch, which steadies and speeds up learning.",
    )
    residual: bool = Field(
        False,
        description="Add a block's input to its output where the shapes agree, so that deep networks still learn.",
    )
    pooling: Literal["max", "average", "none"] = Field(
        "max", description="How a block sums up neighbouring outputs: the largest, the mean, or not at all."
    )
    pool_size: int = Field(2, ge=1, le=8, description="Side in pixels of the area that pooling sums up.")
    pool_strides: int = Field(1, ge=1, le=8, description="Pixels the pooling moves at a time; 2 halves the image.")
    summary: Literal["flatten", "average", "max"] = Field(
        "flatten",
        description="What the dense layers see: every output of the last block, or one mean or maximum a filter.",
    )
    dense_units: Units = Field(
        (256, 128), description="Units of the dense layers before the last, one number for each; empty for none."
    )
    dense_activation: Activation = Field("relu", description="What each dense layer does to its sums.")
    l1: float = Field(
        0.0, ge=0.0, le=1.0, description="Penalty on the sum of the weights' sizes; pushes weights to zero."
    )
    l2: float = Field(
        0.0, ge=0.0, le=1.0, description="Penalty on the sum of the weights' squares; keeps weights small."
    )
    fine_tuning: Literal["head", "top", "all"] = Field(
        "head",
        description="Which layers of a pretrained network learn: only the new head, the topmost blocks, too, or all.",
    )
    input_size: int = Field(
        0,
        ge=0,
        le=512,
        description="Side in pixels to which images are enlarged for a pretrained network; 0 takes the size it was "
        "trained with. Smaller is faster and less accurate.",
    )
    test_time_flip: bool = Field(
        False, description="Predict an image and its mirror image and take the mean: a little better, twice as slow."
    )


class TrainingConfig(Section):
    """How the network learns."""

    epochs: int = Field(200, ge=1, le=2000, description="At most so many passes over the training images.")
    batch_size: int = Field(32, ge=1, le=2048, description="Images looked at together before each weight update.")
    drop_remainder: bool = Field(
        True,
        description="Leave an epoch's last batch out when it is not full. A batch of one or two images makes one large "
        "step in a random direction just before validation. Another image is left out each time.",
    )
    optimizer: Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] = Field(
        "sgd", description="The rule that turns gradients into weight updates."
    )
    learning_rate: float = Field(
        0.01, gt=0.0, le=10.0, description="The size of each weight update; the peak of a schedule."
    )
    momentum: float = Field(
        0.9,
        ge=0.0,
        lt=1.0,
        description="Share of the last step that the next one keeps, for the optimizers with momentum.",
    )
    weight_decay: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Share by which each step shrinks the weights, times the learning rate; biases and normalisation "
        "are left alone. AdamW is Adam made for it.",
    )
    schedule: Literal["constant", "step", "exponential", "cosine", "one_cycle", "plateau"] = Field(
        "constant", description="How the learning rate changes while the network learns."
    )
    schedule_epochs: float = Field(
        10.0,
        gt=0.0,
        le=2000.0,
        description="Epochs between two cuts of the learning rate (step), for one whole cut (exponential), or without "
        "progress before a cut (plateau).",
    )
    schedule_factor: float = Field(
        0.5, gt=0.0, lt=1.0, description="What a cut multiplies the learning rate by (step, exponential, plateau)."
    )
    warmup_epochs: float = Field(
        0.0,
        ge=0.0,
        le=200.0,
        description="Epochs over which the learning rate first rises from zero in a straight line.",
    )
    patience: int = Field(
        5,
        ge=0,
        le=2000,
        description="Stop after so many epochs without a better validation figure; 0 never stops early.",
    )
    monitor: Literal["val_loss", "val_accuracy"] = Field(
        "val_loss", description="The validation figure that early stopping and the choice of the best epoch look at."
    )
    validation: Literal["training", "test"] = Field(
        "training",
        description="Where validation images come from: held out of the training images, or, as in the report, the "
        "first 400 test images (where there are no more, four fifths of them).",
    )
    validation_fraction: float = Field(
        0.15,
        ge=0.01,
        le=0.5,
        description="Share of the training images held out for validation, the same in each class.",
    )
    restore_best_weights: bool = Field(
        True, description="Keep the weights of the epoch with the best validation figure instead of the last ones."
    )
    from_logits: bool = Field(
        False,
        description="Tell the loss that the model gives raw scores although it gives probabilities, as the report "
        "does. Keras notices and corrects it, with a warning.",
    )
    label_smoothing: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Share of certainty taken from the true class and spread over all, so that the network is less "
        "sure of itself.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="Count every image alike, or images of rare classes more, so that all classes weigh the same.",
    )
    head_epochs: int = Field(
        0,
        ge=0,
        le=2000,
        description="First epochs in which a pretrained network is frozen and only the new head learns.",
    )
    body_learning_rate: float = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description="The learning rate of pretrained layers as a share of the head's: they know something already.",
    )
    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        "float32",
        description="How exactly the network calculates. bfloat16 keeps 3 digits instead of 7 and is faster on "
        "processors made for it; 'auto' chooses it there, so that the result may differ between computers.",
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="What the network trains on: the graphics card where TensorFlow finds one, or the processor.",
    )


class RunConfig(Section):
    """Everything that decides a run's result besides the data set's content.

    Example:
        >>> RunConfig(seed=7).training.batch_size
        32
    """

    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Every random choice of the run follows from this number.")

    def to_json(self) -> str:
        """The config as indented JSON with sorted keys; :func:`from_json` reads it back."""
        return json.dumps(self.model_dump(), indent=2, sort_keys=True)
