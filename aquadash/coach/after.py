"""Notes on what a run did, while it trains and when it has ended: one function for each finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aquadash.coach import suggestions
from aquadash.coach.before import PLANNED, config_notes, sensible_patience
from aquadash.coach.network_rules import mixes
from aquadash.coach.note import Level, Note, by_importance, epoch_count
from aquadash.coach.rates import OPTIMIZER_NAMES, higher, largest, lower, text, too_large, too_small
from aquadash.coach.situation import Situation
from aquadash.config import RunConfig
from aquadash.evaluation import Evaluation
from aquadash.evaluation.curves import MIN_EPOCHS, RECENT_EPOCHS, Kind
from aquadash.evaluation.metrics import percent
from aquadash.store import EpochRecord, Run, RunStatus

#: More would be read by nobody.
MAX_NOTES = 4

#: So many epochs without progress, or a third of all if that is more, are a plateau.
PLATEAU_EPOCHS = 8

#: Less than this is no progress: single epochs vary by as much.
PROGRESS = 0.01

#: A network that gets this fraction of its images right has nothing left to make progress in, and how its loss jumps
#: says nothing.
LEARNT_BY_HEART = 0.98

#: Below this fraction of its peak, a learning rate has been brought down as far as it helps.
BROUGHT_DOWN = 0.05

#: The report's patience. With it, and a validation loss that jumps by more than 5 % from epoch to epoch, the end is
#: chance; less jumpy runs were seen at 1 to 4 %.
SHORT_PATIENCE, JUMPY = 5, 0.05

#: How the message of a run begins that ended because its loss was no longer a number.
LOSS_BROKE_DOWN = "The loss became "

#: A training loss that changes by 3 % an epoch and goes back up for a quarter of its way oscillates. Runs that learnt
#: well were seen at up to 10 % with 0 to 2 % of the way upwards, or at 3 % with 14 %; those with a learning rate that
#: was too high at 11 % with 44 % and at 60 % with 80 %.
OSCILLATING, OSCILLATING_BACKWARD = 0.03, 0.25

#: A training loss that has hardly moved: if more than this fraction of its way led upwards it went nowhere, and the
#: updates are too large to learn from; if less, it crept downwards. Seen: 26 % at a rate that was far too low, and 44
#: to 50 % in networks that a high rate had ruined.
GOING_NOWHERE = 0.35

#: A training loss that is still high, falls by less than 1 % an epoch, in three of four epochs, and in the second half
#: of the epochs by half of what it fell in the first: it creeps. The report's network at its own rate falls by 1.6 % an
#: epoch, at a tenth of it by 0.6 %.
CREEPING, CREEPING_FALLS, CREEPING_STRAIGHTNESS, CREEPING_EPOCHS = 0.01, 0.75, 0.5, 8

#: While a schedule has not brought the rate up to this fraction of its peak, slow progress says nothing about the peak.
RISEN = 0.5

#: Settings that explain why a network learns badly, by the keys of the notes before training; what a learning rate does
#: is seen in the curves themselves.
CAUSES = (
    "batch-too-large", "much-smoothing", "warmup-too-long", "much-dropout", "large-penalty", "tiny-normalized-batch",
    "linear-network", "head-forever", "body-stands-still",
)  # fmt: skip

#: A class that is recognised less than half as often as by guessing is ignored rather than difficult.
FRACTION_OF_GUESSING = 0.5

#: From fewer images of a class nothing follows.
MIN_IMAGES = 10

#: A class with less than half of the training images that the classes have on average is rare.
RARE = 0.5

#: More names would not be read.
_MAX_NAMED = 3


def run_notes(
    run: Run,
    history: Sequence[EpochRecord],
    evaluation: Evaluation | None,
    *,
    count_training: Callable[[], Mapping[str, int]] = dict,
) -> list[Note]:
    """What a run's curves and results say, the most important first.

    While the run is at work, a note is given only if it also held an epoch earlier: one that is just on the edge would
    come and go.

    Args:
        history: Its complete epochs, in order.
        evaluation: The results on the test images; None where there are none.
        count_training: Gives the training images by class name, nothing where they cannot be counted; called only for
            a class that is hardly ever recognised, which may be a rare one.

    Returns:
        At most :data:`MAX_NOTES`; none where there is nothing to say yet.
    """
    ended = run.status.ended
    found = _found(Situation(run, history, evaluation, count_training), live=not ended)
    if not ended:
        held = {note.key for note in _found(Situation(run, history[:-1]), live=True)}
        found = [note for note in found if note.key in held]
    return by_importance(found)[:MAX_NOTES]


def _found(situation: Situation, *, live: bool) -> list[Note]:
    """The notes of all rules in their order; with ``live`` of those that may speak while the run is at work."""
    notes: list[Note] = []
    for rule in _RULES:
        told = {note.key for note in notes}
        if (live and not rule.live) or told & set(rule.unless):
            continue
        note = rule.find(situation)
        if note is not None:
            notes.append(note)
    return notes


@dataclass(frozen=True)
class CoachRule:
    """A line of the table."""

    #: Looks at a run and returns its note, or None.
    find: Callable[[Situation], Note | None]
    #: Whether it may speak while the run is still at work.
    live: bool = False
    #: Keys of notes that say why already; with one of them this one would only repeat it.
    unless: tuple[str, ...] = ()


def _broke_down(s: Situation) -> Note | None:
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


def _cause_in_the_settings(s: Situation) -> Note | None:
    """A setting that was warned of before training, where the network learns badly."""
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
    oscillates = len(s.losses) >= MIN_EPOCHS and s.roughness >= OSCILLATING and s.backward >= OSCILLATING_BACKWARD
    # How much of each other image is mixed in is drawn anew, and with it how high the training loss is.
    if oscillates and not mixes(s.config) and s.history[-1].accuracy < LEARNT_BY_HEART:
        evidence = (
            f"The training loss changes by {percent(s.roughness)} from one epoch to the next, and "
            f"{percent(s.backward)} of its way led upwards: steps that are too large jump over the goal. The rate was "
            f"{text(rate)}."
        )
    elif kind == "unstable" or (kind == "not learning" and s.backward >= GOING_NOWHERE):
        evidence = f"{s.verdict.reason} The rate was {text(rate)}."
    elif too_large(s.config) and kind in ("not learning", "underfitting"):
        evidence = (
            f"{s.verdict.reason} The rate was {text(rate)}; with {OPTIMIZER_NAMES[s.config.training.optimizer]}, "
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


def _rate_too_low(s: Situation) -> Note | None:
    """The training loss falls, but so slowly that nobody would wait for it."""
    kind = s.verdict.kind
    if len(s.losses) < CREEPING_EPOCHS or kind not in ("not learning", "underfitting", "still improving"):
        return None
    pace = (s.losses[0] - s.losses[-1]) / (len(s.losses) - 1) / max(s.losses[0], 1e-12)
    creeps = s.falling >= CREEPING_FALLS and pace < CREEPING and s.straightness >= CREEPING_STRAIGHTNESS
    crawls = kind == "not learning" or too_small(s.config)
    if not (creeps or crawls) or pace <= 0 or not s.learned_little:
        return None
    rate = s.config.training.learning_rate
    if _warming_up(s):
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


def _warming_up(s: Situation) -> bool:
    return max(record.learning_rate for record in s.history) < RISEN * s.config.training.learning_rate


def _not_learning(s: Situation) -> Note | None:
    """The training loss stands still, and nothing says on which side the learning rate is wrong."""
    if s.verdict.kind != "not learning" or (_warming_up(s) and not s.run.status.ended):
        return None
    return _from_verdict(s, "not-learning", "warning", {})


def _test_images_validated(s: Situation) -> Note | None:
    if not s.history:
        return None
    return next((note for note in config_notes(s.config) if note.key == "validation-on-test"), None)


def _overfitting(s: Situation) -> Note | None:
    if s.verdict.kind != "overfitting":
        return None
    if not s.config.training.restore_best_weights:
        return _from_verdict(s, "overfitting", "warning", {"training.restore_best_weights": True})
    return _from_verdict(s, "overfitting", "hint", suggestions.against_overfitting(s.config))


def _too_few_epochs(s: Situation) -> Note | None:
    epochs = len(s.history)
    if not s.used_all_epochs or epochs >= 2000:
        return None
    more = {"training.epochs": min(2000, max(10, 2 * epochs))}
    training = s.config.training.model_copy(update={"epochs": more["training.epochs"]})
    if training.schedule in PLANNED and 0 < training.patience < sensible_patience(training):
        more["training.patience"] = sensible_patience(training)
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
    begun = "A longer schedule may bring more" if s.config.training.schedule in PLANNED else "It could have gone on"
    return Note(
        "too-few-epochs",
        "hint",
        f"{begun}: it was still improving at the end",
        f"All {epochs} epochs were used, and the best was epoch {s.best_epoch}. {_monitored(s).capitalize()} was "
        f"{_value(s, epochs - RECENT_EPOCHS)} in epoch {epochs - RECENT_EPOCHS} and {_value(s, epochs)} in the last.",
        more,
    )


def _stopped_too_early(s: Situation) -> Note | None:
    patience = s.config.training.patience
    if not s.stopped_by_patience or len(s.history) < MIN_EPOCHS:
        return None
    matters = s.verdict.kind != "overfitting" and s.history[-1].val_accuracy < LEARNT_BY_HEART
    jumpy = patience <= SHORT_PATIENCE and s.validation_noise >= JUMPY and matters
    if s.verdict.kind != "still improving" and not jumpy:
        return None
    reason = (
        f"From one epoch to the next the validation loss typically jumps by {percent(s.validation_noise)}, so that "
        f"{epoch_count(patience)} without a better one may be chance."
        if jumpy
        else s.verdict.reason
    )
    return Note(
        "stopped-too-early",
        "hint",
        f"Early stopping may have come too early, after epoch {len(s.history)}",
        f"{reason} By {_monitored(s)} the best epoch was {s.best_epoch}, and patience was {patience}.",
        {"training.patience": min(2000, 3 * patience)},
    )


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
    praised = s.stopped_by_patience and s.verdict.kind not in ("too short", "not learning")
    if not praised or _stopped_too_early(s) is not None:
        return None
    kept = "whose weights are kept" if s.config.training.restore_best_weights else "whose weights were not kept"
    return Note(
        "stopped-in-time",
        "good",
        f"Early stopping ended it after epoch {len(s.history)}",
        f"For {epoch_count(s.config.training.patience)} {_monitored(s)} was no better than in epoch {s.best_epoch}, "
        f"{kept}.",
    )


def _from_verdict(s: Situation, key: str, level: Level, changes: dict[str, Any]) -> Note:
    return Note(key, level, s.verdict.title, s.verdict.explanation, changes)


def _verdict_is(
    kind: Kind, key: str, level: Level, changes: Callable[[RunConfig], dict[str, Any]] = lambda config: {}
) -> Callable[[Situation], Note | None]:
    """A rule that passes on what the verdict on the curves says, with what to try."""
    return lambda s: _from_verdict(s, key, level, changes(s.config)) if s.verdict.kind == kind else None


def _monitored(s: Situation) -> str:
    return "the validation accuracy" if s.config.training.monitor == "val_accuracy" else "the validation loss"


def _value(s: Situation, epoch: int) -> str:
    """What early stopping looks at, in an epoch."""
    record = next(record for record in s.history if record.epoch == epoch)
    value: float = getattr(record, s.config.training.monitor)
    return percent(value) if s.config.training.monitor == "val_accuracy" else f"{value:.2f}"


def classes_ignored(s: Situation) -> Note | None:
    """Classes that the network hardly ever names although they are there: an observation on test images only."""
    found = s.evaluation
    if found is None or s.verdict.kind == "too short":
        return None
    guessing = 1 / len(found.classes)
    ignored = [
        index
        for index, scores in enumerate(found.report)
        if scores.support >= MIN_IMAGES and scores.recall < FRACTION_OF_GUESSING * guessing
    ]
    if not ignored:
        return None
    names = [found.classes[index] for index in ignored]
    listed = ", ".join(names[:_MAX_NAMED]) + (f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else "")
    rare = s.config.training.class_weights == "none" and _rare(s, names)
    advice = (
        f"There are few training images of {'it' if len(names) == 1 else 'these classes'}: counting them more makes up "
        "for that."
        if rare
        else "Look at these images on the Evaluate page: what do they have in common? It is an observation on test "
        "images; settings chosen by it would spoil the test."
    )
    return Note(
        "class-ignored",
        "hint",
        f"Hardly ever recognised: {listed}",
        f"{_missed(found, ignored[0])} By guessing it would be {100 * guessing:.0f} %. {advice}",
        {"training.class_weights": "balanced"} if rare else {},
    )


def _missed(found: Evaluation, index: int) -> str:
    """What became of the images of a class, in a sentence or two."""
    row = found.confusion_matrix[index].tolist()
    name, right, total = found.classes[index], row[index], sum(row)
    others = [(count, other) for other, count in enumerate(row) if other != index]
    count, other = max(others, key=lambda pair: pair[0])
    said = (
        "never named at all" if not found.confusion_matrix[:, index].any() else f"right for {right} of {total} images"
    )
    times = "once" if count == 1 else f"{count} times"
    return f"{name} is {said}; most often, {times}, it was taken for {found.classes[other]}."


def _rare(s: Situation, names: list[str]) -> bool:
    """Whether all of these classes have few training images, which has nothing to do with the test."""
    counts = s.count_training()
    if not counts:
        return False
    mean = sum(counts.values()) / len(counts)
    return all(counts.get(name, mean) < RARE * mean for name in names)


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
        _verdict_is("underfitting", "underfitting", "hint", suggestions.against_underfitting),
        unless=(*_RATES, *CAUSES, "plateau"),
    ),
    CoachRule(_verdict_is("large gap", "large-gap", "hint", suggestions.against_overfitting)),
    CoachRule(_verdict_is("still improving", "still-improving", "hint"), unless=(*_RATES, *_ENDS, "plateau")),
    CoachRule(classes_ignored, unless=(*_RATES, *CAUSES, "not-learning")),
    CoachRule(_verdict_is("healthy", "all-well", "good")),
    CoachRule(_stopped_in_time),
)
