"""Rules on the learning rate, its schedule and the end of training: one function for each choice that usually fails."""

from __future__ import annotations

import math
from collections.abc import Callable

from aquadash.coach.note import Note
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

#: So many epochs without early stopping are an hour and more, most of it after the best one.
MANY_EPOCHS = 300

#: Epochs without progress after which to give up, where no schedule asks for more: four times the report's.
USUAL_PATIENCE = 20

#: A planned schedule holds the learning rate high for about the first third of the training, during which validation
#: may make no progress. Patience below this share of the epochs ends the run there, before the rate has come down.
PATIENCE_SHARE = 0.25

#: Epochs without progress after which ``plateau`` usually cuts the rate.
USUAL_WAIT = 5

#: How often ``plateau`` should get to cut the rate before early stopping gives up.
CUTS_BEFORE_STOP = 3

#: A rate this small a share of its peak changes nothing that can be seen.
FADED = 1e-4

_PLANNED = ("cosine", "one_cycle")

Rule = Callable[[RunConfig], Note | None]


def sensible_patience(training: TrainingConfig) -> int:
    """Patience that early stopping needs in order not to cut the schedule short."""
    if training.schedule in _PLANNED:
        return math.ceil(PATIENCE_SHARE * training.epochs)
    if training.schedule == "plateau":
        return max(USUAL_PATIENCE, CUTS_BEFORE_STOP * math.ceil(training.schedule_epochs))
    return USUAL_PATIENCE


def _rate_too_high(config: RunConfig) -> Note | None:
    training = config.training
    if not too_large(config):
        return None
    evidence = f"With {OPTIMIZER_NAMES[training.optimizer]}, training usually breaks down above {text(largest(config))}"
    if effective_rate(training) > training.learning_rate:
        added_up = f"steps in one direction add up to {effective_rate(training):.2g}"
        evidence += f": with a momentum of {training.momentum:g}, {added_up}"
    return Note(
        "rate-too-high",
        "warning",
        f"A learning rate of {text(training.learning_rate)} is very high",
        f"{evidence}. Then the loss jumps about or is no longer a number.",
        {"training.learning_rate": lower(config, 10)},
    )


def _rate_too_low(config: RunConfig) -> Note | None:
    training = config.training
    if not too_small(config):
        return None
    usual = USUAL_RATE[training.optimizer]
    return Note(
        "rate-too-low",
        "hint",
        f"A learning rate of {text(training.learning_rate)} is very low",
        f"With {OPTIMIZER_NAMES[training.optimizer]}, the network will hardly move in the first epochs; {text(usual)} "
        "is a good start.",
        {"training.learning_rate": rounded(min(usual, largest(config)))},
    )


def _no_end(config: RunConfig) -> Note | None:
    training = config.training
    if training.patience or training.epochs <= MANY_EPOCHS:
        return None
    return Note(
        "no-early-stopping",
        "warning",
        f"Nothing ends this before epoch {training.epochs:,}",
        "Patience is 0, so early stopping is off. The best epoch usually comes long before, and the rest is waiting.",
        {"training.patience": min(training.epochs, sensible_patience(training))},
    )


def _patience_cuts_the_schedule(config: RunConfig) -> Note | None:
    training = config.training
    needed = sensible_patience(training)
    if training.schedule not in _PLANNED or not 0 < training.patience < needed:
        return None
    return Note(
        "patience-cuts-schedule",
        "warning",
        "Early stopping will cut the schedule short",
        f"The learning rate comes down towards epoch {training.epochs:,}, and most of the gain comes then. While it is "
        f"still high, {training.patience} epochs without progress are nothing unusual, and the run would end there.",
        {"training.patience": needed},
    )


def _patience_before_plateau(config: RunConfig) -> Note | None:
    training = config.training
    if training.schedule != "plateau" or not 0 < training.patience <= training.schedule_epochs:
        return None
    changes = {"training.patience": sensible_patience(training)}
    if changes["training.patience"] > training.epochs:
        # So much patience would never run out; cuts have to come sooner.
        changes = {"training.schedule_epochs": USUAL_WAIT, "training.patience": USUAL_PATIENCE}
    return Note(
        "patience-before-plateau",
        "warning",
        "Early stopping comes before the learning rate is cut",
        f"The rate is cut after {training.schedule_epochs:g} epochs without progress, but after {training.patience} of "
        "them the run ends.",
        changes,
    )


def _warmup_too_long(config: RunConfig) -> Note | None:
    training = config.training
    if training.warmup_epochs <= training.epochs / 2:
        return None
    whole = training.warmup_epochs >= training.epochs
    return Note(
        "warmup-too-long",
        "warning" if whole else "hint",
        "The warm-up is as long as the training" if whole else "The warm-up takes more than half of the training",
        f"The learning rate rises over {training.warmup_epochs:g} of {training.epochs:,} epochs. A tenth of them is "
        "usual; then there is time to learn at the full rate.",
        {"training.warmup_epochs": round(training.epochs / 10, 1)},
    )


def _never_cut(config: RunConfig) -> Note | None:
    training = config.training
    if training.schedule != "step" or training.schedule_epochs < training.epochs:
        return None
    return Note(
        "never-cut",
        "hint",
        "The learning rate is never cut",
        f"The first cut would come after epoch {training.schedule_epochs:g}, and training ends with epoch "
        f"{training.epochs:,}.",
        {"training.schedule_epochs": max(0.1, round(training.epochs / 3, 1))},
    )


def _rate_fades(config: RunConfig) -> Note | None:
    training = config.training
    if training.schedule not in ("step", "exponential"):
        return None
    faded = training.schedule_epochs * math.log(FADED) / math.log(training.schedule_factor)
    if faded >= training.epochs / 2:
        return None
    return Note(
        "rate-fades",
        "hint",
        f"From epoch {math.ceil(faded):,} on the network stands still",
        f"By then the learning rate is a ten-thousandth of its start, and {training.epochs:,} epochs are planned. Cut "
        "it less often.",
        {"training.schedule_epochs": max(0.1, round(training.epochs / 10, 1)), "training.schedule_factor": 0.5},
    )


#: In the order in which notes of the same level are shown.
RULES: tuple[Rule, ...] = (
    _rate_too_high,
    _patience_cuts_the_schedule,
    _patience_before_plateau,
    _warmup_too_long,
    _no_end,
    _rate_too_low,
    _never_cut,
    _rate_fades,
)
