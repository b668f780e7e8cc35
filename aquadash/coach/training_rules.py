"""Rules on batches, loss and validation: one function for each choice that usually fails."""

from __future__ import annotations

from collections.abc import Callable

from aquadash import augment
from aquadash.coach.note import Note
from aquadash.config import RunConfig
from aquadash.data import SOURCES
from aquadash.errors import AquaDashError
from aquadash.training.hardware import multiplies_bfloat16

#: With 2,500 images a larger batch leaves four weight updates an epoch or fewer.
LARGEST_BATCH = 512

#: More smoothing asks the network to be less sure than it should be of anything; 0.1 is what most papers use.
LARGEST_SMOOTHING = 0.3

#: From so few images the 95 % interval of an accuracy reaches 10 points to either side.
FEWEST_VALIDATION_IMAGES = 100


def training_images(source: str) -> int | None:
    """How many training images a source has, as far as that is known without loading it."""
    known = SOURCES.get(source)
    return None if known is None else known.train


Rule = Callable[[RunConfig], Note | None]


def _test_images_validate(config: RunConfig) -> Note | None:
    if config.training.validation != "test":
        return None
    return Note(
        "validation-on-test",
        "warning",
        "Test images decide when training stops",
        "Validation looks at the first 400 test images (where there are no more, four fifths) after each epoch. What "
        "they say about the network afterwards is too good, for the end was chosen to suit them; only the others have "
        "not been looked at.",
        {"training.validation": "training"},
    )


def _batch_too_large(config: RunConfig) -> Note | None:
    size = config.training.batch_size
    if size <= LARGEST_BATCH:
        return None
    updates = _updates_per_epoch(config)
    count = "only a few" if updates is None else f"{updates:,}"
    return Note(
        "batch-too-large",
        "warning",
        f"Batches of {size:,} images leave few steps to learn",
        f"The weights change once a batch. With these images that is {count} weight update"
        f"{'' if updates == 1 else 's'} an epoch, so that learning takes many epochs.",
        {"training.batch_size": 64},
    )


def _much_smoothing(config: RunConfig) -> Note | None:
    smoothing = config.training.label_smoothing
    if smoothing <= LARGEST_SMOOTHING:
        return None
    return Note(
        "much-smoothing",
        "warning",
        f"Label smoothing of {smoothing:g} takes much of the truth away",
        f"The network is asked to give only {100 * (1 - smoothing):.0f} % and a little to the right class, so that "
        "right and wrong look alike. 0.1 is usual.",
        {"training.label_smoothing": 0.1},
    )


def _last_weights(config: RunConfig) -> Note | None:
    training = config.training
    if training.restore_best_weights or not training.patience:
        return None
    return Note(
        "last-weights-kept",
        "hint",
        "The weights of the last epoch are kept, not the best",
        f"Early stopping ends the run {training.patience} epochs after the best one; without “restore best weights” it "
        "is the network of the end that is measured.",
        {"training.restore_best_weights": True},
    )


def _raw_scores(config: RunConfig) -> Note | None:
    if not config.training.from_logits:
        return None
    return Note(
        "from-logits",
        "hint",
        "The loss is told to expect raw scores",
        "The network's last step already makes probabilities. Keras notices, warns in the log and corrects it; without "
        "that the loss could hardly fall.",
        {"training.from_logits": False},
    )


def _few_validation_images(config: RunConfig) -> Note | None:
    training = config.training
    images = round((training_images(config.data.source) or 0) * training.validation_fraction)
    if training.validation == "test" or not 0 < images < FEWEST_VALIDATION_IMAGES:
        return None
    return Note(
        "few-validation-images",
        "hint",
        f"Only about {images} images validate",
        "From so few, validation accuracy jumps by several points by chance alone, and with it the choice of the best "
        "epoch.",
        {"training.validation_fraction": 0.15},
    )


def _nothing_to_balance(config: RunConfig) -> Note | None:
    source = SOURCES.get(config.data.source)
    if config.training.class_weights != "balanced" or source is None or not source.balanced:
        return None
    return Note(
        "nothing-to-balance",
        "hint",
        "There is nothing to balance",
        "Class weights make up for rare classes. In this data set every class has as many images as any other.",
        {"training.class_weights": "none"},
    )


def _slow_precision(config: RunConfig) -> Note | None:
    training = config.training
    if training.precision != "mixed_bfloat16" or training.device == "gpu" or multiplies_bfloat16():
        return None
    return Note(
        "slow-precision",
        "hint",
        "bfloat16 is no faster on this processor",
        "It has no instructions for such numbers and has to convert them back and forth. ‘auto’ uses them only where "
        "they are faster.",
        {"training.precision": "auto"},
    )


def _updates_per_epoch(config: RunConfig) -> int | None:
    """Weight updates an epoch; None where the number of images is not known beforehand."""
    images = training_images(config.data.source)
    if images is None:
        return None
    try:
        factor = augment.plan(config.augmentation).factor
    except AquaDashError:
        # A pipeline that is gone; that is told elsewhere.
        return None
    kept = images if config.training.validation == "test" else images * (1 - config.training.validation_fraction)
    return max(1, int(kept * factor) // config.training.batch_size)


#: In the order in which notes of the same level are shown.
RULES: tuple[Rule, ...] = (
    _test_images_validate,
    _batch_too_large,
    _much_smoothing,
    _last_weights,
    _few_validation_images,
    _raw_scores,
    _nothing_to_balance,
    _slow_precision,
)
