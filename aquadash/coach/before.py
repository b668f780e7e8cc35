"""Notes before training on a run's settings: one function for each finding."""

from __future__ import annotations

import math

from aquadash import augment
from aquadash.coach.network_rules import NETWORK_RULES
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
    source, now = SOURCES.get(config.data.source), about.fingerprint_of(config.data.source)
    if now and fingerprint not in ("", now):
        # The pictures were replaced, so that the run's number of images is unknown.
        source = None
    notes = [rule(config, source) for rule in _DATA_RULES] + [rule(config) for rule in (*_RULES, *NETWORK_RULES)]
    return by_importance(filter(None, notes))


def sensible_patience(training: TrainingConfig) -> int:
    """Return the least patience that does not cut the schedule short."""
    if training.schedule in PLANNED:
        return math.ceil(PATIENCE_FRACTION * training.epochs)
    if training.schedule == "plateau":
        return max(USUAL_PATIENCE, CUTS_BEFORE_STOP * math.ceil(training.schedule_epochs))
    return USUAL_PATIENCE


def _batch_too_large(config: RunConfig, source: Source | None) -> Note | None:
    batch = config.training.batch_size
    if batch <= MAX_BATCH_SIZE:
        return None
    updates = _updates_per_epoch(config, source)
    count = "only a few" if updates is None else f"{updates:,}"
    return warning(
        "batch-too-large",
        f"Batches of {batch:,} images leave few steps to learn",
        f"The weights change once a batch. With these images that is {count} weight update"
        f"{'' if updates == 1 else 's'} an epoch, so that learning takes many epochs.",
        {"training.batch_size": 64},
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


def _few_validation_images(config: RunConfig, source: Source | None) -> Note | None:
    training, images = config.training, source.train or 0 if source else 0
    held_out = round(images * training.validation_fraction)
    if training.validation == "test" or not 0 < held_out < MIN_VALIDATION_IMAGES:
        return None
    enough = max(0.15, math.ceil(20 * MIN_VALIDATION_IMAGES / images) / 20)
    decided = f", and they decide {training.decided_by_validation}" if training.decided_by_validation else ""
    return hint(
        "few-validation-images",
        f"Only about {held_out} images validate",
        f"From so few, validation accuracy jumps by several points by chance alone{decided}.",
        # A larger fraction would leave too few images for training.
        {"training.validation_fraction": enough} if enough <= 0.3 else {},
    )


def _nothing_to_balance(config: RunConfig, source: Source | None) -> Note | None:
    if config.training.class_weights != "balanced" or source is None or not source.balanced:
        return None
    return hint(
        "nothing-to-balance",
        "There is nothing to balance",
        "Class weights make up for rare classes. In this data set every class has as many images as any other.",
        {"training.class_weights": "none"},
    )


def test_images_decide(config: RunConfig) -> Note | None:
    """Test images decide when training ends or which weights are kept."""
    training = config.training
    if training.validation != "test" or not training.decided_by_validation:
        return None
    return warning(
        "validation-on-test",
        f"Test images decide {training.decided_by_validation}",
        "Validation looks at the first 400 test images (of fewer, at four fifths), and what they decide suits them: "
        "their accuracy is too good. Only the others are unseen.",
        {"training.validation": "training"},
    )


def _much_smoothing(config: RunConfig) -> Note | None:
    smoothing = config.training.label_smoothing
    if smoothing <= MAX_SMOOTHING:
        return None
    return warning(
        "much-smoothing",
        f"Label smoothing of {smoothing:g} takes much of the truth away",
        f"The network is asked to give only {100 * (1 - smoothing):.0f} % and a little to the right class, so that "
        "right and wrong look alike. 0.1 is usual.",
        {"training.label_smoothing": 0.1},
    )


def _last_weights_kept(config: RunConfig) -> Note | None:
    if not config.training.patience or config.training.restore_best_weights:
        return None
    return hint(
        "last-weights-kept",
        "The weights of the last epoch are kept, not the best",
        f"Early stopping ends the run {epoch_count(config.training.patience)} after the best one; without “restore "
        "best weights” it is the network of the end that is measured.",
        {"training.restore_best_weights": True},
    )


def _from_logits(config: RunConfig) -> Note | None:
    if not config.training.from_logits:
        return None
    return hint(
        "from-logits",
        "The loss is told to expect raw scores",
        "The network's last step already makes probabilities. Keras notices, warns in the log and corrects it; without "
        "that the loss could hardly fall.",
        {"training.from_logits": False},
    )


def _slow_precision(config: RunConfig) -> Note | None:
    training = config.training
    if training.precision != "mixed_bfloat16" or training.device == "gpu" or multiplies_bfloat16():
        return None
    return hint(
        "slow-precision",
        "bfloat16 is no faster on this processor",
        "It has no instructions for such numbers and has to convert them back and forth. ‘auto’ uses them only where "
        "they are faster.",
        {"training.precision": "auto"},
    )


def _rate_too_high(config: RunConfig) -> Note | None:
    if not too_large(config):
        return None
    training, added_up = config.training, effective_rate(config.training)
    grows = f": with a momentum of {training.momentum:g}, steps in one direction add up to {added_up:.2g}"
    return warning(
        "rate-too-high",
        f"A learning rate of {text(training.learning_rate)} is very high",
        f"With {OPTIMIZER_NAMES[training.optimizer]}, training usually breaks down above {text(largest(config))}"
        f"{grows if added_up > training.learning_rate else ''}. Then the loss jumps about or is no longer a number.",
        {"training.learning_rate": lower(config, 10)},
    )


def _patience_cuts_schedule(config: RunConfig) -> Note | None:
    training, needed = config.training, sensible_patience(config.training)
    if training.schedule not in PLANNED or not 0 < training.patience < needed:
        return None
    return warning(
        "patience-cuts-schedule",
        "Early stopping will cut the schedule short",
        f"The learning rate comes down towards epoch {training.epochs:,}, and most of the gain comes then. While it is "
        f"still high, to go {epoch_count(training.patience)} without progress is usual, and the run would end there.",
        {"training.patience": needed},
    )


def _patience_before_plateau(config: RunConfig) -> Note | None:
    training, needed = config.training, sensible_patience(config.training)
    if training.schedule != "plateau" or not 0 < training.patience <= training.schedule_epochs:
        return None
    # With patience beyond the epochs, the cuts have to come sooner.
    sooner = {"training.schedule_epochs": USUAL_WAIT, "training.patience": USUAL_PATIENCE}
    return warning(
        "patience-before-plateau",
        "Early stopping comes before the learning rate is cut",
        f"The rate is cut after {epoch_count(training.schedule_epochs)} without progress, but after "
        f"{training.patience} of them the run ends.",
        sooner if needed > training.epochs else {"training.patience": needed},
    )


def _warmup_too_long(config: RunConfig) -> Note | None:
    training = config.training
    if training.warmup_epochs <= training.epochs / 2:
        return None
    whole = training.warmup_epochs >= training.epochs
    return (warning if whole else hint)(
        "warmup-too-long",
        "The warm-up is as long as the training" if whole else "The warm-up takes more than half of the training",
        f"The learning rate rises over {training.warmup_epochs:g} of {training.epochs:,} epochs. A tenth of them is "
        "usual; then there is time to learn at the full rate.",
        {"training.warmup_epochs": round(training.epochs / 10, 1)},
    )


def _no_early_stopping(config: RunConfig) -> Note | None:
    training = config.training
    if training.patience or training.epochs <= MANY_EPOCHS or training.schedule in PLANNED:
        return None
    return warning(
        "no-early-stopping",
        f"Nothing ends this before epoch {training.epochs:,}",
        "Patience is 0, so early stopping is off. The best epoch usually comes long before, and the rest is waiting.",
        {"training.patience": min(training.epochs, sensible_patience(training))},
    )


def _rate_too_low(config: RunConfig) -> Note | None:
    if not too_small(config):
        return None
    training, usual = config.training, USUAL_RATE[config.training.optimizer]
    return hint(
        "rate-too-low",
        f"A learning rate of {text(training.learning_rate)} is very low",
        f"With {OPTIMIZER_NAMES[training.optimizer]}, the network will hardly move in the first epochs; {text(usual)} "
        "is a good start.",
        {"training.learning_rate": rounded(min(usual, largest(config)))},
    )


def _never_cut(config: RunConfig) -> Note | None:
    training = config.training
    if training.schedule != "step" or training.schedule_epochs < training.epochs:
        return None
    return hint(
        "never-cut",
        "The learning rate is never cut",
        f"The first cut would come after epoch {training.schedule_epochs:g}, and training ends with epoch "
        f"{training.epochs:,}.",
        {"training.schedule_epochs": max(0.1, round(training.epochs / 3, 1))},
    )


def _rate_fades(config: RunConfig) -> Note | None:
    training = config.training
    faded = training.schedule_epochs * math.log(FADED) / math.log(training.schedule_factor)
    if training.schedule not in ("step", "exponential") or faded >= training.epochs / 2:
        return None
    return hint(
        "rate-fades",
        f"From epoch {math.ceil(faded):,} on the network stands still",
        f"By then the learning rate is a ten-thousandth of its start, and {training.epochs:,} epochs are planned. Cut "
        "it less often.",
        {"training.schedule_epochs": max(0.1, round(training.epochs / 10, 1)), "training.schedule_factor": 0.5},
    )


#: In the order in which notes of the same level are shown; these need the number of images.
_DATA_RULES = (_batch_too_large, _few_validation_images, _nothing_to_balance)
_RULES = (
    test_images_decide,
    _much_smoothing,
    _last_weights_kept,
    _from_logits,
    _slow_precision,
    _rate_too_high,
    _patience_cuts_schedule,
    _patience_before_plateau,
    _warmup_too_long,
    _no_early_stopping,
    _rate_too_low,
    _never_cut,
    _rate_fades,
)
