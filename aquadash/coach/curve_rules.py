"""Rules on what a run did: one function for each finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aquadash.coach import rate_rules, suggestions
from aquadash.coach.before import config_notes
from aquadash.coach.note import Level, Note
from aquadash.coach.rate_rules import CAUSES
from aquadash.coach.result_rules import classes_ignored
from aquadash.coach.situation import Situation, headline, percent
from aquadash.evaluation.curves import MIN_EPOCHS, RECENT_EPOCHS

#: So many epochs without progress, or a third of all if that is more, are a plateau.
PLATEAU_EPOCHS = 8

#: Less than this is no progress: single epochs vary by as much.
PROGRESS = 0.01

#: A network that gets this share of its training images right has nothing left to make progress in.
LEARNT_BY_HEART = 0.98

#: Below this share of its peak, a learning rate has been brought down as far as it helps.
BROUGHT_DOWN = 0.05

#: The report's patience. With it, and a validation loss that jumps by more than 5 % from epoch to epoch, the end is
#: chance; less jumpy runs were seen at 1 to 4 %.
SHORT_PATIENCE, JUMPY = 5, 0.05


@dataclass(frozen=True)
class Rule:
    """A line of the table.

    Attributes:
        find: Looks at a run and returns its note, or None.
        live: Whether it may speak while the run is still at work.
        unless: Keys of notes that say why already; with one of them this one would only repeat it.
    """

    find: Callable[[Situation], Note | None]
    live: bool = False
    unless: tuple[str, ...] = ()


def _test_images_validated(s: Situation) -> Note | None:
    if not s.history:
        return None
    return next((note for note in config_notes(s.config) if note.key == "validation-on-test"), None)


def _overfitting(s: Situation) -> Note | None:
    if s.verdict.kind != "overfitting":
        return None
    if not s.config.training.restore_best_weights:
        return _from_verdict(s, "overfitting", "warning", {"training.restore_best_weights": True})
    more = f" This run keeps the weights of epoch {s.best_epoch}, so nothing is lost."
    return _from_verdict(s, "overfitting", "hint", suggestions.against_overfitting(s.config), more=more)


def _large_gap(s: Situation) -> Note | None:
    if s.verdict.kind != "large gap":
        return None
    return _from_verdict(s, "large-gap", "hint", suggestions.against_overfitting(s.config))


def _underfitting(s: Situation) -> Note | None:
    if s.verdict.kind != "underfitting":
        return None
    return _from_verdict(s, "underfitting", "hint", suggestions.against_underfitting(s.config))


def _too_few_epochs(s: Situation) -> Note | None:
    epochs = len(s.history)
    if not s.used_all_epochs or epochs >= 2000:
        return None
    more = {"training.epochs": min(2000, max(10, 2 * epochs))}
    if epochs < MIN_EPOCHS:
        return Note(
            "too-few-epochs",
            "hint",
            f"{epochs} epoch{' is' if epochs == 1 else 's are'} only a first look",
            f"A tendency shows after {MIN_EPOCHS} epochs at the earliest.",
            more,
        )
    if s.verdict.kind != "still improving" or epochs - s.best_epoch >= RECENT_EPOCHS:
        return None
    return Note(
        "too-few-epochs",
        "hint",
        "It could have gone on: it was still improving at the end",
        f"All {epochs} epochs were used, and the best was epoch {s.best_epoch}. {_monitored(s).capitalize()} was "
        f"{_value(s, epochs - RECENT_EPOCHS)} in epoch {epochs - RECENT_EPOCHS} and {_value(s, epochs)} in the last.",
        more,
    )


def _stopped_too_early(s: Situation) -> Note | None:
    patience = s.config.training.patience
    if not s.stopped_by_patience or len(s.history) < MIN_EPOCHS:
        return None
    jumpy = patience <= SHORT_PATIENCE and s.validation_noise >= JUMPY and s.verdict.kind != "overfitting"
    if s.verdict.kind != "still improving" and not jumpy:
        return None
    reason = (
        f"From one epoch to the next the validation loss typically jumps by {percent(s.validation_noise)}, so that "
        f"{patience} epochs without a better one may be chance"
        if jumpy
        else f"The training loss was still falling, to {s.losses[-1]:.2f} at the end"
    )
    return Note(
        "stopped-too-early",
        "hint",
        f"Early stopping may have come too early, after epoch {len(s.history)}",
        f"{reason}. The best epoch was {s.best_epoch}, and patience was {patience}.",
        {"training.patience": min(2000, 3 * patience)},
    )


def _still_improving(s: Situation) -> Note | None:
    if s.verdict.kind != "still improving":
        return None
    return _from_verdict(s, "still-improving", "hint", {})


def _plateau(s: Situation) -> Note | None:
    window = max(PLATEAU_EPOCHS, len(s.history) // 3)
    blocked = ("diverged", "unstable", "not learning", "overfitting")
    if len(s.history) < window + MIN_EPOCHS or s.verdict.kind in blocked:
        return None
    earlier, recent = s.history[:-window], s.history[-window:]
    if max(record.accuracy for record in recent) >= LEARNT_BY_HEART:
        return None
    for name in ("loss", "val_loss"):
        before, now = (min(getattr(record, name) for record in part) for part in (earlier, recent))
        if now < (1 - PROGRESS) * before:
            return None
    if s.history[-1].learning_rate < BROUGHT_DOWN * s.config.training.learning_rate:
        advice = "The learning rate has come down as far as it helps; more epochs will change nothing."
        changes: dict[str, Any] = {}
    else:
        advice, changes = suggestions.against_plateau(s.config)
    return Note(
        "plateau",
        "hint",
        f"No progress for {window} epochs",
        f"The lowest training loss since epoch {recent[0].epoch} is {min(record.loss for record in recent):.3f}; "
        f"before, it was {min(record.loss for record in earlier):.3f}. The validation loss has not got better either. "
        f"{advice}",
        changes,
    )


def _stopped_in_time(s: Situation) -> Note | None:
    if not s.stopped_by_patience or _stopped_too_early(s) is not None or s.verdict.kind == "too short":
        return None
    kept = "whose weights are kept" if s.config.training.restore_best_weights else "whose weights were not kept"
    return Note(
        "stopped-in-time",
        "good",
        f"Early stopping ended it after epoch {len(s.history)}",
        f"For {s.config.training.patience} epochs {_monitored(s)} was no better than in epoch {s.best_epoch}, {kept}.",
    )


def _all_well(s: Situation) -> Note | None:
    return _from_verdict(s, "all-well", "good", {}) if s.verdict.kind == "healthy" else None


def _from_verdict(s: Situation, key: str, level: Level, changes: dict[str, Any], *, more: str = "") -> Note:
    title, rest = headline(s)
    return Note(key, level, title, f"{rest} {s.verdict.detail}{more}", changes)


def _monitored(s: Situation) -> str:
    return "the validation accuracy" if s.config.training.monitor == "val_accuracy" else "the validation loss"


def _value(s: Situation, epoch: int) -> str:
    """What early stopping looks at, in an epoch."""
    record = next(record for record in s.history if record.epoch == epoch)
    value: float = getattr(record, s.config.training.monitor)
    return percent(value) if s.config.training.monitor == "val_accuracy" else f"{value:.2f}"


_RATES = ("broke-down", "rate-too-high", "rate-too-low")
_ENDS = ("too-few-epochs", "stopped-too-early")

#: In the order in which notes of the same level are shown.
RULES: tuple[Rule, ...] = (
    Rule(rate_rules.broke_down, live=True),
    Rule(rate_rules.cause_in_the_settings, live=True),
    Rule(rate_rules.rate_too_high, live=True),
    Rule(rate_rules.rate_too_low, live=True, unless=CAUSES),
    Rule(_test_images_validated, live=True),
    Rule(_overfitting, live=True),
    Rule(_stopped_too_early, unless=_RATES),
    Rule(_too_few_epochs, unless=_RATES),
    Rule(_plateau, live=True, unless=(*_RATES, *CAUSES)),
    Rule(_underfitting, unless=(*_RATES, *CAUSES, "plateau")),
    Rule(_large_gap),
    Rule(_still_improving, unless=(*_RATES, *_ENDS, "plateau")),
    Rule(classes_ignored),
    Rule(_all_well),
    Rule(_stopped_in_time),
)
