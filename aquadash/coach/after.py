"""Notes on a run while it trains and after its end: one function for each finding.

The thresholds were set by runs of the report's network; see "The coach's thresholds" in ``docs/decisions.md``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aquadash.coach import rates
from aquadash.coach.before import TEST_IMAGES_DECIDE, config_notes
from aquadash.coach.network_rules import frozen, mixes, uses
from aquadash.coach.note import Note, by_importance, good, hint, warning
from aquadash.coach.situation import Situation
from aquadash.config import RunConfig
from aquadash.evaluation import Evaluation
from aquadash.evaluation.curves import MIN_EPOCHS, RECENT_EPOCHS, Kind
from aquadash.evaluation.metrics import percent
from aquadash.store import EpochRecord, Run, RunStatus

#: The most notes that are shown.
MAX_NOTES = 4

#: Accuracy from which a network has nothing left to learn; jumps of its loss are noise.
LEARNT_BY_HEART = 0.98

#: The first words of the message of a run whose loss became NaN.
LOSS_BROKE_DOWN = "The loss became "

#: The most epochs of a run, and the most patience.
MAX_EPOCHS = 2000

#: Keys of notes before training that explain why a network learns badly; the curves themselves show a bad rate.
CAUSES = (
    *("batch-too-large", "much-smoothing", "warmup-too-long", "much-dropout", "large-penalty"),
    *("tiny-normalized-batch", "linear-network", "head-forever", "body-stands-still"),
)

#: The least dropout that is suggested, and the most, as in the report.
LITTLE_DROPOUT, ENOUGH_DROPOUT = 0.2, 0.5


def against_overfitting(config: RunConfig) -> dict[str, Any]:
    """Return the first that is not in use: augmentation, which helps most, dropout, mixing, a penalty on weights."""
    if config.augmentation.pipeline == "none":
        return {"augmentation.pipeline": "notebook"}
    if config.augmentation.mode == "copies" and not frozen(config):
        return {"augmentation.mode": "fresh"}
    if uses(config, "dropout") and config.model.dropout < ENOUGH_DROPOUT:
        return {"model.dropout": ENOUGH_DROPOUT}
    if config.augmentation.mixing == "none" and not frozen(config):
        return {"augmentation.mixing": "mixup"}
    if uses(config, "l2") and config.model.l2 == 0:
        return {"model.l2": 0.0001}
    return {}


def against_underfitting(config: RunConfig) -> dict[str, Any]:
    """Return a change that weakens the first in use: mixing, dropout, penalties, label smoothing."""
    if mixes(config):
        return {"augmentation.mixing": "none"}
    if uses(config, "dropout") and config.model.dropout > LITTLE_DROPOUT:
        return {"model.dropout": LITTLE_DROPOUT}
    penalties = {f"model.{name}": 0.0 for name in ("l1", "l2") if uses(config, name) and getattr(config.model, name)}
    if penalties:
        return penalties
    return {"training.label_smoothing": 0.0} if config.training.label_smoothing else {}


def against_plateau(config: RunConfig) -> tuple[str, dict[str, Any]]:
    """Return advice and changes: a schedule that lowers the learning rate, or a lower rate."""
    training = config.training
    if training.schedule != "constant":
        return "A lower learning rate takes finer steps.", {"training.learning_rate": rates.lower(config, 3)}
    changes: dict[str, Any] = {"training.schedule": "plateau", "training.schedule_epochs": rates.USUAL_WAIT}
    if 0 < training.patience <= rates.CUTS_BEFORE_STOP * rates.USUAL_WAIT:
        changes["training.patience"] = rates.USUAL_PATIENCE
    return "A schedule that cuts the learning rate when progress ends takes finer steps from then on.", changes


def run_notes(
    run: Run,
    history: Sequence[EpochRecord],
    evaluation: Evaluation | None,
    *,
    count_training: Callable[[], Mapping[str, int]] = dict,
) -> list[Note]:
    """Return at most :data:`MAX_NOTES` on a run's complete epochs and test results, the most important first.

    ``count_training`` returns the training images by class name; it is called only for a class that is ignored.
    """
    ended = run.status.ended
    notes = _notes_of_rules(Situation(run, history, evaluation, count_training), live=not ended)
    if not ended:
        # A note of a running run must have held an epoch earlier, too, or it would come and go.
        held = {note.key for note in _notes_of_rules(Situation(run, history[:-1]), live=True)}
        notes = [note for note in notes if note.key in held]
    return by_importance(notes)[:MAX_NOTES]


def _notes_of_rules(situation: Situation, *, live: bool) -> list[Note]:
    """Return the notes of all rules in order; with ``live`` those of rules for running runs."""
    notes: list[Note] = []
    for rule in _RULES:
        if (live and not rule.live) or {note.key for note in notes} & set(rule.unless):
            continue
        note = rule.find(situation)
        if note is not None:
            notes.append(note)
    return notes


@dataclass(frozen=True)
class CoachRule:
    """A line of the table."""

    #: Returns a run's note, or None.
    find: Callable[[Situation], Note | None]
    #: Whether the rule applies to a running run, too.
    live: bool = False
    #: Keys of earlier rules that give the same advice; the rule is skipped after any of them.
    unless: tuple[str, ...] = ()


def _broke_down(s: Situation) -> Note | None:
    """The loss became NaN, by the run's message or by its curves."""
    failed = s.run.status is RunStatus.FAILED and s.run.message.startswith(LOSS_BROKE_DOWN)
    if not failed and s.verdict.kind != "diverged":
        return None
    epoch = len(s.history) + 1 if failed else int(s.verdict.evidence["epoch"])
    last = next((record for record in reversed(s.history) if record.epoch < epoch), None)
    before = f"; an epoch earlier it was {last.loss:.3g}" if last and math.isfinite(last.loss) else ""
    return warning(
        "broke-down",
        "The learning rate was too high: training broke down",
        f"In epoch {epoch} the loss was no longer a number{before}. The weight updates were too large: the learning "
        f"rate was {rates.text(s.config.training.learning_rate)}.",
        {"training.learning_rate": rates.lower(s.config, 10)},
    )


def _cause_in_the_settings(s: Situation) -> Note | None:
    """The network learns badly, and a note before training names the setting."""
    badly = s.verdict.kind in ("diverged", "not learning", "unstable", "underfitting") or (
        s.verdict.kind == "still improving" and s.learned_little
    )
    if not badly:
        return None
    notes = config_notes(s.config, fingerprint=s.run.dataset_fingerprint)
    return next((note for note in notes if note.level == "warning" and note.key in CAUSES), None)


def _rate_too_high(s: Situation) -> Note | None:
    """The training loss jumps about, gets worse, or stays where it began."""
    kind, rate = s.verdict.kind, s.config.training.learning_rate
    if kind == "diverged":
        return None
    oscillates = len(s.losses) >= MIN_EPOCHS and s.roughness >= 0.03 and s.backward >= 0.25
    # Mixing makes the training loss jump, because each batch draws its shares anew.
    if oscillates and not mixes(s.config) and s.history[-1].accuracy < LEARNT_BY_HEART:
        evidence = (
            f"The training loss changes by {percent(s.roughness)} from one epoch to the next, and "
            f"{percent(s.backward)} of this movement goes upwards: the steps are too large. The rate was "
            f"{rates.text(rate)}."
        )
    # A flat loss: at a rate that is too low, less of its movement goes upwards.
    elif kind == "unstable" or (kind == "not learning" and s.backward >= 0.35):
        evidence = f"{s.verdict.reason} The rate was {rates.text(rate)}."
    elif rates.too_large(s.config) and kind in ("not learning", "underfitting"):
        evidence = (
            f"{s.verdict.reason} The rate was {rates.text(rate)}; training usually breaks down above "
            f"{rates.text(rates.largest(s.config))} ({rates.optimizer_title(s.config)})."
        )
    else:
        return None
    return warning(
        "rate-too-high",
        "The learning rate is probably too high",
        evidence,
        {"training.learning_rate": rates.lower(s.config, 10)},
    )


def _rate_too_low(s: Situation) -> Note | None:
    kind = s.verdict.kind
    if len(s.losses) < 8 or kind not in ("not learning", "underfitting", "still improving"):
        return None
    pace = (s.losses[0] - s.losses[-1]) / (len(s.losses) - 1) / max(s.losses[0], 1e-12)
    creeps = s.falling >= 0.75 and pace < 0.01 and s.straightness >= 0.5
    crawls = kind == "not learning" or rates.too_small(s.config)
    if not (creeps or crawls) or pace <= 0 or not s.learned_little or s.is_warming_up:
        return None
    rate, faster = s.config.training.learning_rate, rates.higher(s.config, 10 if crawls else 3)
    if faster <= rate:
        return None
    return warning(
        "rate-too-low",
        "The learning rate is probably too low",
        f"In {len(s.losses)} epochs the training loss fell from {s.losses[0]:.2f} to {s.losses[-1]:.2f}, by "
        f"{100 * pace:.1f} % an epoch: it falls, but slowly. The rate was {rates.text(rate)}.",
        {"training.learning_rate": faster},
    )


def _not_learning(s: Situation) -> Note | None:
    """The training loss stands still; the learning rate may be too high or too low."""
    if s.verdict.kind != "not learning" or (s.is_warming_up and not s.run.status.ended):
        return None
    return warning("not-learning", s.verdict.title, s.verdict.explanation)


def _test_images_validated(s: Situation) -> Note | None:
    return TEST_IMAGES_DECIDE(s.config) if s.history else None


def _overfitting(s: Situation) -> Note | None:
    if s.verdict.kind != "overfitting":
        return None
    if not s.config.training.restore_best_weights:
        changes: dict[str, Any] = {"training.restore_best_weights": True}
        return warning("overfitting", s.verdict.title, s.verdict.explanation, changes)
    return hint("overfitting", s.verdict.title, s.verdict.explanation, against_overfitting(s.config))


def _too_few_epochs(s: Situation) -> Note | None:
    epochs = len(s.history)
    if not s.used_all_epochs or epochs >= MAX_EPOCHS:
        return None
    more = {"training.epochs": min(MAX_EPOCHS, max(10, 2 * epochs))}
    training = s.config.training.model_copy(update={"epochs": more["training.epochs"]})
    if training.schedule in rates.PLANNED and 0 < training.patience < rates.sensible_patience(training):
        more["training.patience"] = rates.sensible_patience(training)
    if epochs < MIN_EPOCHS:
        return hint(
            "too-few-epochs",
            f"{epochs} epoch{' is' if epochs == 1 else 's are'} too few to judge",
            f"The curves show a trend after {MIN_EPOCHS} epochs at the earliest.",
            more,
        )
    if s.verdict.kind != "still improving" or epochs - s.best_epoch >= RECENT_EPOCHS:
        return None
    begun = "Try a longer schedule" if s.config.training.schedule in rates.PLANNED else "More epochs may help"
    return hint(
        "too-few-epochs",
        f"{begun}: it was still improving at the end",
        f"The run used all {epochs} epochs, and the best was epoch {s.best_epoch}. {_monitored(s).capitalize()} was "
        f"{_value(s, epochs - RECENT_EPOCHS)} in epoch {epochs - RECENT_EPOCHS} and {_value(s, epochs)} in the last.",
        more,
    )


def _stopped_too_early(s: Situation) -> Note | None:
    patience = s.config.training.patience
    if not s.stopped_by_patience or len(s.history) < MIN_EPOCHS:
        return None
    matters = s.verdict.kind != "overfitting" and s.history[-1].val_accuracy < LEARNT_BY_HEART
    # A short patience may end a run by chance if the validation loss jumps.
    jumpy = patience <= 5 and s.validation_noise >= 0.05 and matters
    if s.verdict.kind != "still improving" and not jumpy:
        return None
    reason = (
        f"The validation loss typically jumps by {percent(s.validation_noise)} from one epoch to the next, so it may "
        f"be chance that {_epochs(patience)} brought no progress."
        if jumpy
        else s.verdict.reason
    )
    return hint(
        "stopped-too-early",
        f"Early stopping may have come too early, after epoch {len(s.history)}",
        f"{reason} The best epoch by {_monitored(s)} was {s.best_epoch}, and patience was {patience}.",
        {"training.patience": min(MAX_EPOCHS, 3 * patience)},
    )


def _plateau(s: Situation) -> Note | None:
    window = max(8, len(s.history) // 3)
    blocked = ("diverged", "unstable", "not learning", "overfitting")
    if len(s.history) < window + MIN_EPOCHS or s.verdict.kind in blocked:
        return None
    earlier, recent = s.history[:-window], s.history[-window:]
    if max(record.accuracy for record in recent) >= LEARNT_BY_HEART:
        return None
    for name in ("loss", "val_loss"):
        before, now = (min(getattr(record, name) for record in part) for part in (earlier, recent))
        # Single epochs vary by as much as 1 %.
        if now < 0.99 * before:
            return None
    if s.history[-1].learning_rate < 0.05 * s.config.training.learning_rate:
        advice = "The learning rate is already very low; more epochs will change nothing."
        changes: dict[str, Any] = {}
    else:
        advice, changes = against_plateau(s.config)
    return hint(
        "plateau",
        f"No progress for {window} epochs",
        f"The lowest training loss since epoch {recent[0].epoch} is {min(record.loss for record in recent):.3f}; "
        f"before, it was {min(record.loss for record in earlier):.3f}. The validation loss has not improved either. "
        f"{advice}",
        changes,
    )


def _stopped_in_time(s: Situation) -> Note | None:
    praised = s.stopped_by_patience and s.verdict.kind not in ("too short", "not learning")
    if not praised or _stopped_too_early(s) is not None:
        return None
    kept = "are" if s.config.training.restore_best_weights else "were not"
    return good(
        "stopped-in-time",
        f"Early stopping ended the run after epoch {len(s.history)}",
        f"For {_epochs(s.config.training.patience)} {_monitored(s)} was no better than in epoch {s.best_epoch}. The "
        f"weights of that epoch {kept} kept.",
    )


def _verdict_is(
    kind: Kind, level: Callable[..., Note], key: str, changes: Callable[[RunConfig], dict[str, Any]] = lambda config: {}
) -> Callable[[Situation], Note | None]:
    """Return a rule that turns a verdict on the curves into a note."""
    return lambda s: (
        level(key, s.verdict.title, s.verdict.explanation, changes(s.config)) if s.verdict.kind == kind else None
    )


def _epochs(number: int) -> str:
    return f"{number} epoch{'' if number == 1 else 's'}"


def _monitored(s: Situation) -> str:
    return "the validation accuracy" if s.config.training.monitor == "val_accuracy" else "the validation loss"


def _value(s: Situation, epoch: int) -> str:
    """Format the value in an epoch that early stopping monitors."""
    record = next(record for record in s.history if record.epoch == epoch)
    value: float = getattr(record, s.config.training.monitor)
    return percent(value).value if s.config.training.monitor == "val_accuracy" else f"{value:.2f}"


def classes_ignored(s: Situation) -> Note | None:
    """The network hardly ever predicts a class of the test images."""
    scored = s.evaluation
    if scored is None or s.verdict.kind == "too short":
        return None
    guessing = 1 / len(scored.classes)
    ignored = [
        index for index, scores in enumerate(scored.report) if scores.support >= 10 and scores.recall < 0.5 * guessing
    ]
    if not ignored:
        return None
    names = [scored.classes[index] for index in ignored]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    rare = s.config.training.class_weights == "none" and _are_rare(s, names)
    advice = (
        f"There are few training images of {'it' if len(names) == 1 else 'these classes'}. Class weights make up for "
        "that."
        if rare
        else "Look at these images on the Evaluate page: what do they have in common? They are test images, so don't "
        "choose settings by them."
    )
    return hint(
        "class-ignored",
        f"Hardly ever recognised: {listed}",
        f"{_describe_misses(scored, ignored[0])} Guessing gets {100 * guessing:.0f} % right. {advice}",
        {"training.class_weights": "balanced"} if rare else {},
    )


def _describe_misses(scored: Evaluation, index: int) -> str:
    row = scored.confusion_matrix[index].tolist()
    others = [(count, other) for other, count in enumerate(row) if other != index]
    count, other = max(others, key=lambda pair: pair[0])
    is_named = scored.confusion_matrix[:, index].any()
    result = f"right for {row[index]} of {sum(row)} images" if is_named else "never predicted"
    times = "once" if count == 1 else f"{count} times"
    return f"{scored.classes[index]} is {result}; most often, {times}, it was taken for {scored.classes[other]}."


def _are_rare(s: Situation, names: list[str]) -> bool:
    counts = s.count_training()
    if not counts:
        return False
    mean = sum(counts.values()) / len(counts)
    return all(counts.get(name, mean) < 0.5 * mean for name in names)


_RATES = ("broke-down", "rate-too-high", "rate-too-low")
_ENDS = ("too-few-epochs", "stopped-too-early")

#: In the order in which notes of the same level are shown.
_RULES: tuple[CoachRule, ...] = (
    CoachRule(_broke_down, live=True),
    CoachRule(_cause_in_the_settings, live=True),
    CoachRule(_rate_too_high, live=True),
    CoachRule(_rate_too_low, live=True, unless=CAUSES),
    CoachRule(_not_learning, live=True, unless=(*_RATES, *CAUSES)),
    CoachRule(_test_images_validated, live=True),
    CoachRule(_overfitting, live=True),
    CoachRule(_stopped_too_early, unless=_RATES),
    CoachRule(_too_few_epochs, unless=_RATES),
    CoachRule(_plateau, live=True, unless=(*_RATES, *CAUSES)),
    CoachRule(
        _verdict_is("underfitting", hint, "underfitting", against_underfitting), unless=(*_RATES, *CAUSES, "plateau")
    ),
    CoachRule(_verdict_is("large gap", hint, "large-gap", against_overfitting)),
    CoachRule(_verdict_is("still improving", hint, "still-improving"), unless=(*_RATES, *_ENDS, "plateau")),
    CoachRule(classes_ignored, unless=(*_RATES, *CAUSES, "not-learning")),
    CoachRule(_verdict_is("healthy", good, "all-well")),
    CoachRule(_stopped_in_time),
)
