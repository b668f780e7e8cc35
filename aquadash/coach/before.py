"""Notes before training on a run's settings, one rule for each finding."""

import math

from aquadash import augment
from aquadash.coach import rates
from aquadash.coach.network_rules import NETWORK_RULES
from aquadash.coach.note import Note, by_importance, hint, hint_rule, warning, warning_rule
from aquadash.config import RunConfig, TrainingConfig
from aquadash.data import SOURCES, Source
from aquadash.data.folder import about
from aquadash.errors import AquaDashError
from aquadash.training.hardware import multiplies_bfloat16
from aquadash.training.prepare import visited_images

#: The largest batch; with 2,500 images it leaves five weight updates an epoch.
MAX_BATCH_SIZE = 512

#: The fewest validation images; with so many the 95 % interval of an accuracy reaches 10 points to either side.
MIN_VALIDATION_IMAGES = 100

#: The fraction of its peak below which a rate has no visible effect.
FADED = 1e-4


def config_notes(config: RunConfig, *, fingerprint: str = "") -> list[Note]:
    """Return the notes on a run's settings, warnings first; settings that its network does not use are ignored."""
    source, now = SOURCES.get(config.data.source), about.fingerprint_of(config.data.source)
    if now and fingerprint not in ("", now):
        # The pictures were replaced, so that the run's number of images is unknown.
        source = None
    notes = [rule(config, source) for rule in _DATA_RULES] + [rule(config) for rule in (*_RULES, *NETWORK_RULES)]
    return by_importance(filter(None, notes))


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
    decided = f" These images decide {training.decided_by_validation}." if training.decided_by_validation else ""
    return hint(
        "few-validation-images",
        f"There are only about {held_out} validation images",
        f"With so few, validation accuracy jumps by several points by chance.{decided}",
        # A larger fraction would leave too few images for training.
        {"training.validation_fraction": enough} if enough <= 0.3 else {},
    )


def _nothing_to_balance(config: RunConfig, source: Source | None) -> Note | None:
    if config.training.class_weights != "balanced" or source is None or not source.balanced:
        return None
    return hint(
        "nothing-to-balance",
        "The classes are balanced already",
        "Class weights make up for rare classes. In this data set, all classes have the same number of images.",
        {"training.class_weights": "none"},
    )


def _momentum(training: TrainingConfig) -> str:
    """Say how far momentum raises the learning rate; empty without momentum."""
    added_up = rates.effective_rate(training)
    if added_up <= training.learning_rate:
        return ""
    return f" With a momentum of {training.momentum:g}, steps in one direction add up to {added_up:.2g}."


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


def _fading_epoch(config: RunConfig) -> float:
    """Return the epoch from which the rate of a stepwise or exponential schedule has no effect."""
    training = config.training
    return training.schedule_epochs * math.log(FADED) / math.log(training.schedule_factor)


#: Test images decide when training ends or which weights are kept.
TEST_IMAGES_DECIDE = warning_rule(
    "validation-on-test",
    lambda c: c.training.validation == "test" and bool(c.training.decided_by_validation),
    "Test images decide {training.decided_by_validation}",
    "Validation uses the first 400 test images (or four fifths of a smaller set). The run is fitted to them, so its "
    "accuracy on them is too good. Only the other test images are unseen.",
    {"training.validation": "training"},
)

#: In the order in which notes of the same level are shown; these need the number of images.
_DATA_RULES = (_batch_too_large, _few_validation_images, _nothing_to_balance)
_RULES = (
    TEST_IMAGES_DECIDE,
    warning_rule(
        "much-smoothing",
        lambda c: c.training.label_smoothing > 0.3,
        "Label smoothing of {training.label_smoothing:g} is very high",
        "The network is trained to give much of the probability to wrong classes. 0.1 is usual.",
        {"training.label_smoothing": 0.1},
    ),
    hint_rule(
        "label-noise",
        lambda c: c.training.label_noise > 0,
        lambda c: f"{100 * c.training.label_noise:g} % of the training labels are wrong on purpose",
        "Watch the gap between training and validation accuracy. At first the network learns from the right labels; "
        "later it learns the wrong ones by heart: training accuracy rises and validation accuracy falls. Training "
        "accuracy counts the wrong labels as right, so at first it is the lower one. Compare a run with early stopping "
        "with one without (patience 0).",
        {},
    ),
    hint_rule(
        "last-weights-kept",
        lambda c: bool(c.training.patience) and not c.training.restore_best_weights,
        "The weights of the last epoch are kept, not the best",
        "Early stopping waits some epochs after the best one. Without “restore best weights”, the weights of the "
        "last epoch are measured.",
        {"training.restore_best_weights": True},
    ),
    hint_rule(
        "from-logits",
        lambda c: c.training.from_logits,
        "The loss expects raw scores, but gets probabilities",
        "The network's last layer is a softmax. Keras detects this, warns in the log and corrects it. Otherwise "
        "the loss could hardly fall.",
        {"training.from_logits": False},
    ),
    hint_rule(
        "slow-precision",
        lambda c: c.training.precision == "mixed_bfloat16" and c.training.device != "gpu" and not multiplies_bfloat16(),
        "bfloat16 is no faster on this processor",
        "The processor has to convert these numbers back and forth. ‘auto’ uses them only where they are faster.",
        {"training.precision": "auto"},
    ),
    warning_rule(
        "rate-too-high",
        rates.too_large,
        lambda c: f"A learning rate of {rates.text(c.training.learning_rate)} is very high",
        lambda c: (
            f"Training usually breaks down above {rates.text(rates.largest(c))} ({rates.optimizer_title(c)}): the loss "
            f"jumps up and down or is no longer a number.{_momentum(c.training)}"
        ),
        lambda c: {"training.learning_rate": rates.lower(c, 10)},
    ),
    warning_rule(
        "patience-cuts-schedule",
        lambda c: (
            c.training.schedule in rates.PLANNED and 0 < c.training.patience < rates.sensible_patience(c.training)
        ),
        "Early stopping will cut the schedule short",
        "Most of the progress comes when the learning rate is low, near epoch {training.epochs:,}. Before that, "
        "progress often pauses for longer than the patience ({training.patience}), and the run would end.",
        lambda c: {"training.patience": rates.sensible_patience(c.training)},
    ),
    warning_rule(
        "patience-before-plateau",
        lambda c: c.training.schedule == "plateau" and 0 < c.training.patience <= c.training.schedule_epochs,
        "Early stopping comes before the learning rate is cut",
        "Epochs without progress until the rate is cut: {training.schedule_epochs:g}; until the run ends: "
        "{training.patience}.",
        lambda c: (
            {"training.patience": rates.sensible_patience(c.training)}
            if rates.sensible_patience(c.training) <= c.training.epochs
            # With patience beyond the epochs, the cuts have to come sooner.
            else {"training.schedule_epochs": rates.USUAL_WAIT, "training.patience": rates.USUAL_PATIENCE}
        ),
    ),
    _warmup_too_long,
    # 300 epochs take an hour or more, most of it after the best epoch.
    warning_rule(
        "no-early-stopping",
        lambda c: not c.training.patience and c.training.epochs > 300 and c.training.schedule not in rates.PLANNED,
        "The run will train for all {training.epochs:,} epochs",
        "Patience is 0, so early stopping is off. The best epoch usually comes long before the last.",
        lambda c: {"training.patience": min(c.training.epochs, rates.sensible_patience(c.training))},
    ),
    hint_rule(
        "rate-too-low",
        rates.too_small,
        lambda c: f"A learning rate of {rates.text(c.training.learning_rate)} is very low",
        lambda c: (
            f"The network will hardly learn anything in the first epochs. {rates.text(rates.usual(c))} is a good start "
            f"({rates.optimizer_title(c)})."
        ),
        lambda c: {"training.learning_rate": rates.usual(c)},
    ),
    hint_rule(
        "never-cut",
        lambda c: c.training.schedule == "step" and c.training.schedule_epochs >= c.training.epochs,
        "The learning rate is never cut",
        "The first cut would come after epoch {training.schedule_epochs:g}, and training ends with epoch "
        "{training.epochs:,}.",
        lambda c: {"training.schedule_epochs": max(0.1, round(c.training.epochs / 3, 1))},
    ),
    hint_rule(
        "rate-fades",
        lambda c: c.training.schedule in ("step", "exponential") and _fading_epoch(c) < c.training.epochs / 2,
        lambda c: f"The network learns nothing more from epoch {math.ceil(_fading_epoch(c)):,} on",
        "By then the learning rate is a ten-thousandth of its start, and {training.epochs:,} epochs are planned. "
        "Cut it less often.",
        lambda c: {
            "training.schedule_epochs": max(0.1, round(c.training.epochs / 10, 1)),
            "training.schedule_factor": 0.5,
        },
    ),
)
