"""The report's figures beside a run's."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aquadash.augment import plan
from aquadash.config import RunConfig
from aquadash.data import Dataset
from aquadash.evaluation import Evaluation, best_epoch
from aquadash.evaluation.intervals import difference_interval, wilson_interval
from aquadash.store.types import EpochRecord, Run
from aquadash.walkthrough import report


@dataclass(frozen=True)
class Row:
    """A figure of the report and of the run, in the same unit; None if unknown."""

    key: str
    figure: str
    #: ``"%"``, ``"images"``, ``"epochs"``, ``"nats"``, ``"s"`` or empty.
    unit: str
    report: float | None
    run: float | None
    note: str = ""


@dataclass(frozen=True)
class Beside:
    """The report's figures beside a run's, in the report's order."""

    rows: tuple[Row, ...]
    #: (correct, all) test images.
    report_right: tuple[int, int]
    run_right: tuple[int, int]
    #: The run's accuracy minus the report's, -1 to 1, and its 95 % interval.
    difference: float
    difference_ci95: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "difference": self.difference,
            "difference_ci95": list(self.difference_ci95),
        }


def beside(
    run: Run,
    evaluation: Evaluation,
    history: Sequence[EpochRecord],
    *,
    parameters: int | None = None,
    training_images: int | None = None,
) -> Beside:
    """Compare a run with the report; ``training_images`` is the number that an epoch shows, variants counted."""
    theirs = (round(report.TEST_ACCURACY * report.MEASURED_IMAGES), report.MEASURED_IMAGES)
    mine = (int(evaluation.confusion_matrix.trace()), evaluation.n)
    low, high = (100 * end for end in wilson_interval(*theirs))
    training = run.config.training
    best = best_epoch(history, monitor=training.monitor)
    best_accuracy = next((100 * row.val_accuracy for row in history if row.epoch == best), None)
    seconds = sum(row.seconds for row in history) or run.metrics.get("seconds")
    measured_on = "both on test images" if training.validation == "test" else "the report's on test images"
    theirs_best = best_epoch(report.LOG) or 1
    theirs_accuracy = 100 * report.LOG[theirs_best - 1].val_accuracy
    patience_note = "3 in the text; 0: never stops early"
    rows = [
        Row(
            "train_images", "Training images, with changed versions", "images", report.AUGMENTED_IMAGES, training_images
        ),
        Row("parameters", "Parameters of the network", "", report.PARAMETERS, parameters),
        Row("epochs", "Epochs trained", "epochs", len(report.LOG), len(history) or None, "7 in the log; more before"),
        Row("best_epoch", "Best epoch", "epochs", theirs_best, best),
        Row("patience", "Patience", "epochs", report.PATIENCE_IN_CODE, training.patience, patience_note),
        Row("seconds", "Time for all epochs", "s", sum(row.seconds for row in report.LOG), seconds),
        Row("loss", "Training loss, last epoch", "nats", report.LOG[-1].loss, history[-1].loss if history else None),
        Row("val_accuracy", "Validation accuracy, best epoch", "%", theirs_accuracy, best_accuracy, measured_on),
        Row("test_images", "Images measured on", "images", report.MEASURED_IMAGES, evaluation.n),
        Row("test_accuracy", "Test accuracy", "%", 100 * report.TEST_ACCURACY, 100 * evaluation.accuracy),
        Row("test_accuracy_low", "… its 95 % interval from", "%", low, 100 * evaluation.accuracy_ci95[0]),
        Row("test_accuracy_high", "… to", "%", high, 100 * evaluation.accuracy_ci95[1]),
        Row("test_loss", "Test loss", "nats", report.TEST_LOSS, evaluation.loss),
    ]
    for key, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")):
        averages = (100 * getattr(scores, key) for scores in (report.WEIGHTED_AVERAGE, evaluation.weighted_average))
        rows.append(Row(key, f"{title}, weighted mean", "%", *averages))
    ours = {scores.label: scores for scores in evaluation.report}
    rows += [
        Row(f"recall_{row.label}", f"Recall of {row.label}", "%", 100 * row.recall, 100 * ours[row.label].recall)
        for row in report.SCORES
        if row.label in ours
    ]
    fraction = mine[0] / mine[1] - theirs[0] / theirs[1]
    return Beside(tuple(rows), theirs, mine, fraction, difference_interval(mine, theirs))


def shown(row: Row, value: float | None) -> str:
    """Return a figure of a row with its unit; a dash if it is unknown."""
    formats = {"%": "{:.1f} %", "nats": "{:.3f}", "s": "{:,.0f} s"}
    return "–" if value is None else formats.get(row.unit, "{:,.0f}").format(value)


def learnt_from(config: RunConfig, dataset: Dataset) -> int:
    """Return the images of an epoch, variants counted; refuse a data set that is too small for the split."""
    from aquadash.training.prepare import split_positions, visited_images

    factor = plan(config.augmentation).factor
    return visited_images(config.training, len(split_positions(config, dataset)[0]) * factor)
