"""Learning curves: the best epoch, and whether the network overfits, in words for a student."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from aquadash.config import RunConfig
from aquadash.evaluation.metrics import percent
from aquadash.evaluation.records import EpochRecord

EpochMetric = Literal["loss", "accuracy", "val_loss", "val_accuracy"]
_EPOCH_METRICS: tuple[EpochMetric, ...] = get_args(EpochMetric)
Kind = Literal[
    "no data",
    "too short",
    "diverged",
    "not learning",
    "overfitting",
    "unstable",
    "still improving",
    "large gap",
    "underfitting",
    "healthy",
]

#: Minimum number of epochs for a verdict.
MIN_EPOCHS = 4

#: Number of last epochs whose mean is the present value of a curve, because single epochs jump by chance.
RECENT_EPOCHS = 3

#: Least rise of the validation loss, as a fraction of its best; with few images the loss wanders by a few per cent.
MIN_RISE = 0.05

#: Least fall of the training loss since the first epoch; the order of the images alone moves it by about 1 %.
MIN_FALL = 0.03

#: Least fall of the validation loss in the last epochs, as a fraction of its best before.
STILL_FALLING = 0.01

#: Minimum loss that the two fractions above refer to: below it, changes of a few thousandths are chance.
LOW_LOSS = 0.4

#: Least gap between training and validation accuracy: the 95 % interval of 375 images reaches 5 points either way.
LARGE_GAP = 0.10

#: Below this training accuracy, a network gets more than a third of the images wrong that it has seen many times.
LOW_TRAINING_ACCURACY = 0.65


@dataclass(frozen=True)
class CurveVerdict:
    """The judgement of a run's learning curves."""

    #: The finding as one of a few fixed words.
    kind: Kind
    #: The finding in a few words, without a full stop.
    title: str
    #: The reason, one sentence; empty where the title needs none.
    reason: str
    #: The accuracies and losses, and advice.
    detail: str
    #: The numbers by name. ``gap`` is training less validation accuracy (0 to 1); ``loss_fall`` and ``val_loss_rise``
    #: are from the best epoch to the mean of the last ones.
    evidence: Mapping[str, float] = field(default_factory=dict)

    @property
    def explanation(self) -> str:
        """Reason and detail."""
        return f"{self.reason} {self.detail}".lstrip()


def best_epoch(history: Sequence[EpochRecord], *, monitor: EpochMetric = "val_loss") -> int | None:
    """Return the number of the best epoch; None if the value is a number in no epoch."""
    best = best_record(history, monitor=monitor)
    return None if best is None else best.epoch


def best_record(history: Sequence[EpochRecord], *, monitor: EpochMetric) -> EpochRecord | None:
    """Return the first epoch with the lowest loss or the highest accuracy; NaN and infinity do not count."""
    sign = -1.0 if monitor.endswith("accuracy") else 1.0
    finite = [row for row in history if math.isfinite(getattr(row, monitor))]
    return min(finite, key=lambda row: (sign * getattr(row, monitor), row.epoch), default=None)


def overfit_verdict(history: Sequence[EpochRecord], config: RunConfig) -> CurveVerdict:
    """Judge a run's learning curves: the epoch with the lowest validation loss against the mean of the last ones."""
    if not history:
        return CurveVerdict("no data", "No epoch is finished yet", "", "The verdict appears as training goes on.")
    for row in history:
        if not all(math.isfinite(getattr(row, name)) for name in _EPOCH_METRICS):
            return CurveVerdict(
                "diverged",
                f"Training broke down in epoch {row.epoch}",
                "The loss is no longer a number.",
                "The weight updates were so large that the weights ran away. Try a learning rate ten times smaller.",
                {"epoch": float(row.epoch)},
            )
    if len(history) < MIN_EPOCHS:
        return CurveVerdict(
            "too short",
            "Too early to tell",
            f"There {'are' if len(history) > 1 else 'is'} only {len(history)} epoch{'s' if len(history) > 1 else ''} "
            "so far.",
            f"A tendency needs at least {MIN_EPOCHS} epochs.",
            {"epochs": float(len(history))},
        )
    evidence = _evidence(history)
    kind, title, reason, advice = _finding(history, evidence, config)
    detail = (
        f"Over the last {RECENT_EPOCHS} epochs training accuracy is {percent(evidence['training_accuracy'])} and "
        f"validation accuracy {percent(evidence['validation_accuracy'])} on average. The lowest validation loss is "
        f"{evidence['best_val_loss']:.2f}, in epoch {int(evidence['best_epoch'])}. {advice}"
    )
    if evidence["gap"] < 0:
        detail += f" {_why_validation_leads(config)}"
    return CurveVerdict(kind, title, reason, detail, evidence)


def _evidence(history: Sequence[EpochRecord]) -> dict[str, float]:
    earlier, recent = history[:-RECENT_EPOCHS], history[-RECENT_EPOCHS:]
    best = best_record(history, monitor="val_loss")
    assert best is not None
    now = {name: sum(getattr(row, name) for row in recent) / len(recent) for name in _EPOCH_METRICS}
    before = min(row.val_loss for row in earlier)
    return {
        "epochs": float(len(history)),
        "best_epoch": float(best.epoch),
        "epochs_since_best": float(history[-1].epoch - best.epoch),
        "first_loss": history[0].loss,
        "best_val_loss": best.val_loss,
        "loss_fall": best.loss - now["loss"],
        "val_loss_rise": now["val_loss"] - best.val_loss,
        "total_loss_fall": history[0].loss - min(row.loss for row in history),
        "recent_val_loss_fall": before - best.val_loss,
        "recent_loss_fall": min(row.loss for row in earlier) - min(row.loss for row in recent),
        "training_accuracy": now["accuracy"],
        "validation_accuracy": now["val_accuracy"],
        "gap": now["accuracy"] - now["val_accuracy"],
    }


def _finding(
    history: Sequence[EpochRecord], evidence: Mapping[str, float], config: RunConfig
) -> tuple[Kind, str, str, str]:
    """Return the first kind that fits, with its title, reason and advice."""
    best, gap = int(evidence["best_epoch"]), round(100 * evidence["gap"])
    points = f"{gap} point{'' if abs(gap) == 1 else 's'}"
    # Mixing and dropout lower the training accuracy, so the higher of the two accuracies counts.
    low = max(evidence["training_accuracy"], evidence["validation_accuracy"]) < LOW_TRAINING_ACCURACY
    if low and evidence["total_loss_fall"] < MIN_FALL * evidence["first_loss"]:
        return (
            "not learning",
            "The network is not learning",
            f"In {len(history)} epochs the training loss has hardly moved.",
            "Try a different learning rate, ten times larger or smaller, or another optimizer.",
        )
    scale = max(evidence["best_val_loss"], LOW_LOSS)
    risen = evidence["val_loss_rise"] >= MIN_RISE * scale
    lasting = evidence["epochs_since_best"] >= RECENT_EPOCHS
    if risen and lasting and evidence["loss_fall"] <= 0:
        return (
            "unstable",
            f"Getting worse since epoch {best}",
            f"Validation loss rose by {evidence['val_loss_rise']:.2f}, and training loss by "
            f"{-evidence['loss_fall']:.2f} too.",
            "This is not overfitting, because the training loss rises, too: the weight updates are too large. Try a "
            "smaller learning rate.",
        )
    if risen and lasting:
        kept = best_epoch(history, monitor=config.training.monitor)
        advice = (
            f"This run keeps the weights of epoch {kept}, so nothing is lost. Try more augmentation or dropout."
            if config.training.restore_best_weights
            else f"Stop early and keep the weights of epoch {best}, or try more augmentation or more dropout."
        )
        return (
            "overfitting",
            f"Overfitting since epoch {best}",
            f"Training loss fell by {evidence['loss_fall']:.2f}, validation loss rose by "
            f"{evidence['val_loss_rise']:.2f}; gap {points}.",
            "From there on the network learns its training images by heart instead of what the animals have in common. "
            + advice,
        )
    if evidence["recent_val_loss_fall"] > STILL_FALLING * scale:
        return (
            "still improving",
            "Still improving when it ended",
            f"The best validation loss came in epoch {best} of {len(history)}.",
            "Let it train for more epochs before you judge it.",
        )
    if evidence["gap"] >= LARGE_GAP:
        return (
            "large gap",
            "It does better on images it has already seen",
            f"Training accuracy is {points} above validation accuracy.",
            "The validation loss has not risen much, so nothing is lost yet, but more epochs will not help. "
            "Try more augmentation or more dropout.",
        )
    if low and evidence["recent_loss_fall"] > STILL_FALLING * history[-1].loss:
        return (
            "still improving",
            "Still learning its training images at the end",
            f"It gets {percent(evidence['training_accuracy'])} of them right, and rising, though the validation loss "
            f"has not followed since epoch {best}.",
            "Let it train for a few more epochs, with more patience, before you judge it.",
        )
    if low:
        return (
            "underfitting",
            "Underfitting",
            f"Even of its training images it gets only {percent(evidence['training_accuracy'])} right, and that no "
            "longer changes.",
            "The network is held back. Try less dropout, gentler augmentation, another learning rate or a larger one "
            "of the networks.",
        )
    return (
        "healthy",
        "Healthy",
        f"Validation keeps up with training; best epoch {best}.",
        "The network is right about images it has not learned from, too.",
    )


def _why_validation_leads(config: RunConfig) -> str:
    harder = ["before the epoch has finished"]
    if config.augmentation.pipeline != "none" or config.augmentation.mixing != "none":
        harder.append("on augmented images, which are harder")
    if config.model.dropout:
        harder.append("while dropout switches units off")
    return (
        f"Validation is better than training here because training accuracy is measured {', '.join(harder)}. Measured "
        "as validation is, it would mostly be higher, so the true gap is mostly larger than the one shown."
    )
