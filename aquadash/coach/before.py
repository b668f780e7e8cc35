"""Notes before training on a run's settings, each a condition and its words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aquadash import augment
from aquadash.coach import network_rules
from aquadash.coach.note import Note, by_importance, epoch_count, hint, warning
from aquadash.coach.rates import (
    OPTIMIZER_NAMES,
    USUAL_RATE,
    effective_rate,
    largest,
    lower,
    rounded,
    text,
    too_large,
    too_small,
)
from aquadash.config import RunConfig, TrainingConfig
from aquadash.data import SOURCES, Source
from aquadash.data.folder import about
from aquadash.errors import AquaDashError
from aquadash.training.hardware import multiplies_bfloat16
from aquadash.training.prepare import visited_images

#: The largest batch; with 2,500 images it leaves five weight updates an epoch.
MAX_BATCH_SIZE = 512

#: The most label smoothing; most papers use 0.1.
MAX_SMOOTHING = 0.3

#: The fewest validation images; with so many the 95 % interval of an accuracy reaches 10 points to either side.
MIN_VALIDATION_IMAGES = 100

#: The most epochs without early stopping: an hour or more, most of it after the best epoch.
MANY_EPOCHS = 300

#: Patience without a schedule in epochs, four times the report's.
USUAL_PATIENCE = 20

#: Least patience of a planned schedule, as a fraction of its epochs; its rate is high during the first third.
PATIENCE_FRACTION = 0.25

#: Epochs without progress after which ``plateau`` usually cuts the rate.
USUAL_WAIT = 5

#: Cuts of the rate by ``plateau`` for which early stopping should wait.
CUTS_BEFORE_STOP = 3

#: The fraction of its peak below which a rate has no visible effect.
FADED = 1e-4

#: Schedules that lower the learning rate over all epochs, so that most of the gain comes at their end.
PLANNED = ("cosine", "one_cycle")


def config_notes(config: RunConfig, *, fingerprint: str = "") -> list[Note]:
    """Return the notes on a run's settings, warnings first; settings that its network does not use are ignored."""
    return by_importance([*_of_images_and_loss(config, fingerprint), *_of_rate(config), *network_rules.notes(config)])


def sensible_patience(training: TrainingConfig) -> int:
    """Return the least patience that does not cut the schedule short."""
    if training.schedule in PLANNED:
        return math.ceil(PATIENCE_FRACTION * training.epochs)
    if training.schedule == "plateau":
        return max(USUAL_PATIENCE, CUTS_BEFORE_STOP * math.ceil(training.schedule_epochs))
    return USUAL_PATIENCE


def _of_images_and_loss(config: RunConfig, fingerprint: str) -> Iterator[Note]:
    """Yield notes on the images, the loss, the validation and the weights kept."""
    training, source, now = config.training, SOURCES.get(config.data.source), about.fingerprint_of(config.data.source)
    if now and fingerprint not in ("", now):
        # The pictures were replaced, so that the run's number of images is unknown.
        source = None
    if training.validation == "test" and training.decided_by_validation:
        yield warning(
            "validation-on-test",
            f"Test images decide {training.decided_by_validation}",
            "Validation looks at the first 400 test images (of fewer, at four fifths), and what they decide suits "
            "them: their accuracy is too good. Only the others are unseen.",
            {"training.validation": "training"},
        )
    if training.batch_size > MAX_BATCH_SIZE:
        updates = _updates_per_epoch(config, source)
        count = "only a few" if updates is None else f"{updates:,}"
        yield warning(
            "batch-too-large",
            f"Batches of {training.batch_size:,} images leave few steps to learn",
            f"The weights change once a batch. With these images that is {count} weight update"
            f"{'' if updates == 1 else 's'} an epoch, so that learning takes many epochs.",
            {"training.batch_size": 64},
        )
    if training.label_smoothing > MAX_SMOOTHING:
        yield warning(
            "much-smoothing",
            f"Label smoothing of {training.label_smoothing:g} takes much of the truth away",
            f"The network is asked to give only {100 * (1 - training.label_smoothing):.0f} % and a little to the right "
            "class, so that right and wrong look alike. 0.1 is usual.",
            {"training.label_smoothing": 0.1},
        )
    if training.patience and not training.restore_best_weights:
        yield hint(
            "last-weights-kept",
            "The weights of the last epoch are kept, not the best",
            f"Early stopping ends the run {epoch_count(training.patience)} after the best one; without “restore best "
            "weights” it is the network of the end that is measured.",
            {"training.restore_best_weights": True},
        )
    images = source.train or 0 if source else 0
    held_out = round(images * training.validation_fraction)
    if training.validation != "test" and 0 < held_out < MIN_VALIDATION_IMAGES:
        enough = max(0.15, math.ceil(20 * MIN_VALIDATION_IMAGES / images) / 20)
        yield hint(
            "few-validation-images",
            f"Only about {held_out} images validate",
            "From so few, validation accuracy jumps by several points by chance alone"
            + (f", and they decide {training.decided_by_validation}." if training.decided_by_validation else "."),
            # A larger fraction would leave too few images for training.
            {"training.validation_fraction": enough} if enough <= 0.3 else {},
        )
    if training.from_logits:
        yield hint(
            "from-logits",
            "The loss is told to expect raw scores",
            "The network's last step already makes probabilities. Keras notices, warns in the log and corrects it; "
            "without that the loss could hardly fall.",
            {"training.from_logits": False},
        )
    if training.class_weights == "balanced" and source is not None and source.balanced:
        yield hint(
            "nothing-to-balance",
            "There is nothing to balance",
            "Class weights make up for rare classes. In this data set every class has as many images as any other.",
            {"training.class_weights": "none"},
        )
    if training.precision == "mixed_bfloat16" and training.device != "gpu" and not multiplies_bfloat16():
        yield hint(
            "slow-precision",
            "bfloat16 is no faster on this processor",
            "It has no instructions for such numbers and has to convert them back and forth. ‘auto’ uses them only "
            "where they are faster.",
            {"training.precision": "auto"},
        )


def _updates_per_epoch(config: RunConfig, source: Source | None) -> int | None:
    """Return the weight updates an epoch; None if the number of images is unknown."""
    if source is None or source.train is None:
        return None
    try:
        factor = augment.plan(config.augmentation).factor
    except AquaDashError:
        # The pipeline was deleted, which the form reports.
        return None
    learnt = 1.0 if config.training.validation == "test" else 1 - config.training.validation_fraction
    visited = visited_images(config.training, int(source.train * learnt * factor))
    return math.ceil(visited / config.training.batch_size)


def _of_rate(config: RunConfig) -> Iterator[Note]:
    """Yield notes on the learning rate, its schedule and the end of training."""
    training, usual = config.training, USUAL_RATE[config.training.optimizer]
    if too_large(config):
        added_up = effective_rate(training)
        grows = f": with a momentum of {training.momentum:g}, steps in one direction add up to {added_up:.2g}"
        yield warning(
            "rate-too-high",
            f"A learning rate of {text(training.learning_rate)} is very high",
            f"With {OPTIMIZER_NAMES[training.optimizer]}, training usually breaks down above {text(largest(config))}"
            f"{grows if added_up > training.learning_rate else ''}. Then the loss jumps about or is no longer a "
            "number.",
            {"training.learning_rate": lower(config, 10)},
        )
    needed = sensible_patience(training)
    if training.schedule in PLANNED and 0 < training.patience < needed:
        yield warning(
            "patience-cuts-schedule",
            "Early stopping will cut the schedule short",
            f"The learning rate comes down towards epoch {training.epochs:,}, and most of the gain comes then. While "
            f"it is still high, to go {epoch_count(training.patience)} without progress is usual, and the run would "
            "end there.",
            {"training.patience": needed},
        )
    if training.schedule == "plateau" and 0 < training.patience <= training.schedule_epochs:
        # With patience beyond the epochs, the cuts have to come sooner.
        sooner = {"training.schedule_epochs": USUAL_WAIT, "training.patience": USUAL_PATIENCE}
        yield warning(
            "patience-before-plateau",
            "Early stopping comes before the learning rate is cut",
            f"The rate is cut after {epoch_count(training.schedule_epochs)} without progress, but after "
            f"{training.patience} of them the run ends.",
            sooner if needed > training.epochs else {"training.patience": needed},
        )
    if training.warmup_epochs > training.epochs / 2:
        whole = training.warmup_epochs >= training.epochs
        yield (warning if whole else hint)(
            "warmup-too-long",
            "The warm-up is as long as the training" if whole else "The warm-up takes more than half of the training",
            f"The learning rate rises over {training.warmup_epochs:g} of {training.epochs:,} epochs. A tenth of them "
            "is usual; then there is time to learn at the full rate.",
            {"training.warmup_epochs": round(training.epochs / 10, 1)},
        )
    if not training.patience and training.epochs > MANY_EPOCHS and training.schedule not in PLANNED:
        yield warning(
            "no-early-stopping",
            f"Nothing ends this before epoch {training.epochs:,}",
            "Patience is 0, so early stopping is off. The best epoch usually comes long before, and the rest is "
            "waiting.",
            {"training.patience": min(training.epochs, needed)},
        )
    if too_small(config):
        yield hint(
            "rate-too-low",
            f"A learning rate of {text(training.learning_rate)} is very low",
            f"With {OPTIMIZER_NAMES[training.optimizer]}, the network will hardly move in the first epochs; "
            f"{text(usual)} is a good start.",
            {"training.learning_rate": rounded(min(usual, largest(config)))},
        )
    if training.schedule == "step" and training.schedule_epochs >= training.epochs:
        yield hint(
            "never-cut",
            "The learning rate is never cut",
            f"The first cut would come after epoch {training.schedule_epochs:g}, and training ends with epoch "
            f"{training.epochs:,}.",
            {"training.schedule_epochs": max(0.1, round(training.epochs / 3, 1))},
        )
    faded = training.schedule_epochs * math.log(FADED) / math.log(training.schedule_factor)
    if training.schedule in ("step", "exponential") and faded < training.epochs / 2:
        yield hint(
            "rate-fades",
            f"From epoch {math.ceil(faded):,} on the network stands still",
            f"By then the learning rate is a ten-thousandth of its start, and {training.epochs:,} epochs are planned. "
            "Cut it less often.",
            {"training.schedule_epochs": max(0.1, round(training.epochs / 10, 1)), "training.schedule_factor": 0.5},
        )
