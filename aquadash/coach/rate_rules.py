"""Rules on a run whose learning rate was wrong, or which another setting kept from learning."""

from __future__ import annotations

import math

from aquadash.coach.before import config_notes
from aquadash.coach.note import Note
from aquadash.coach.rates import OPTIMIZER_NAMES, higher, largest, lower, text, too_large, too_small
from aquadash.coach.situation import Situation, headline, percent
from aquadash.evaluation.curves import LOW_TRAINING_ACCURACY, MIN_EPOCHS
from aquadash.runs import RunStatus

#: How the message of a run begins that ended because its loss was no longer a number.
LOSS_BROKE_DOWN = "The loss became "

#: A training loss that changes by 3 % an epoch and goes back up for a quarter of its way oscillates. Runs that learnt
#: well were seen at up to 10 % with 0 to 2 % of the way upwards, or at 3 % with 14 %; those with a learning rate that
#: was too high at 11 % with 44 % and at 60 % with 80 %.
OSCILLATING, OSCILLATING_BACKWARD = 0.03, 0.25

#: A training loss that has hardly moved: if more than this share of its way led upwards it went nowhere, and the
#: updates are too large to learn from; if less, it crept downwards. Seen: 26 % at a rate that was far too low, and 44
#: to 50 % in networks that a high rate had ruined.
GOING_NOWHERE = 0.35

#: A training loss that is still high, falls by less than 1 % an epoch, in three of four epochs, and in the second half
#: of the epochs by half of what it fell in the first: it creeps. The report's network at its own rate falls by 1.6 % an
#: epoch, at a tenth of it by 0.6 %.
CREEPING, CREEPING_FALLS, CREEPING_STRAIGHTNESS, CREEPING_EPOCHS = 0.01, 0.75, 0.5, 8

#: While a schedule has not brought the rate up to this share of its peak, slow progress says nothing about the peak.
RISEN = 0.5

#: Settings that explain why a network learns badly, by the keys of the notes before training; what a learning rate does
#: is seen in the curves themselves.
CAUSES = (
    "batch-too-large", "much-smoothing", "warmup-too-long", "much-dropout", "large-penalty", "tiny-normalized-batch",
    "linear-network", "head-forever", "body-stands-still",
)  # fmt: skip


def broke_down(s: Situation) -> Note | None:
    """The loss was no longer a number, whether the run says so or its curves do."""
    failed = s.run.status is RunStatus.FAILED and s.run.message.startswith(LOSS_BROKE_DOWN)
    if not failed and s.verdict.kind != "diverged":
        return None
    epoch = len(s.history) + 1 if failed else int(s.verdict.evidence["epoch"])
    last = next((record for record in reversed(s.history) if record.epoch < epoch), None)
    before = f"; an epoch earlier it was {last.loss:.3g}" if last and math.isfinite(last.loss) else ""
    return Note(
        "broke-down",
        "warning",
        "The learning rate was too high: training broke down",
        f"In epoch {epoch} the loss was no longer a number{before}. The weight updates, at a learning rate of "
        f"{text(s.config.training.learning_rate)}, were so large that the weights ran away.",
        {"training.learning_rate": lower(s.config, 10)},
    )


def cause_in_the_settings(s: Situation) -> Note | None:
    """A setting that was warned of before training, where the network learns badly."""
    badly = s.verdict.kind in ("diverged", "not learning", "unstable", "underfitting") or (
        s.verdict.kind == "still improving" and s.history[-1].accuracy < LOW_TRAINING_ACCURACY
    )
    if not badly:
        return None
    notes = (note for note in config_notes(s.config) if note.level == "warning" and note.key in CAUSES)
    return next(notes, None)


def rate_too_high(s: Situation) -> Note | None:
    """The training loss jumps about, gets worse, or stays where it began."""
    kind, rate = s.verdict.kind, s.config.training.learning_rate
    if kind == "diverged":
        return None
    if len(s.losses) >= MIN_EPOCHS and s.roughness >= OSCILLATING and s.backward >= OSCILLATING_BACKWARD:
        evidence = (
            f"The training loss changes by {percent(s.roughness)} from one epoch to the next, and "
            f"{percent(s.backward)} of its way led upwards: steps that are too large jump over the goal. The rate was "
            f"{text(rate)}."
        )
    elif kind == "unstable" or (kind == "not learning" and s.backward >= GOING_NOWHERE):
        evidence = f"{headline(s)[1]} The rate was {text(rate)}."
    elif too_large(s.config) and kind in ("not learning", "underfitting"):
        evidence = (
            f"{headline(s)[1]} The rate was {text(rate)}; with {OPTIMIZER_NAMES[s.config.training.optimizer]}, "
            f"training usually breaks down above {text(largest(s.config))}."
        )
    else:
        return None
    return Note(
        "rate-too-high",
        "warning",
        "The learning rate is probably too high",
        evidence,
        {"training.learning_rate": lower(s.config, 10)},
    )


def rate_too_low(s: Situation) -> Note | None:
    """The training loss falls, but so slowly that nobody would wait for it."""
    kind = s.verdict.kind
    if len(s.losses) < CREEPING_EPOCHS or kind not in ("not learning", "underfitting", "still improving"):
        return None
    pace = (s.losses[0] - s.losses[-1]) / (len(s.losses) - 1) / max(s.losses[0], 1e-12)
    creeps = s.falling >= CREEPING_FALLS and pace < CREEPING and s.straightness >= CREEPING_STRAIGHTNESS
    crawls = kind == "not learning" or too_small(s.config)
    if not (creeps or crawls) or pace <= 0 or s.history[-1].accuracy >= LOW_TRAINING_ACCURACY:
        return None
    rate = s.config.training.learning_rate
    if max(record.learning_rate for record in s.history) < RISEN * rate:
        return None
    faster = higher(s.config, 10 if crawls else 3)
    if faster <= rate:
        return None
    return Note(
        "rate-too-low",
        "warning",
        "The learning rate is probably too low",
        f"In {len(s.losses)} epochs the training loss went from {s.losses[0]:.2f} to {s.losses[-1]:.2f}, which is "
        f"{100 * pace:.1f} % an epoch: it goes the right way, only slowly. The rate was {text(rate)}.",
        {"training.learning_rate": faster},
    )
