"""The text of ``evaluate``: the scores of each class and how far probabilities can be trusted."""

from __future__ import annotations

from aquadash.cli.output import table
from aquadash.evaluation import METRICS, Evaluation, Summary


def classes(measured: Evaluation, deep: Summary) -> list[str]:
    """A table with a row a class, its intervals and areas, and the two averages."""

    def score(value: float, interval: tuple[float, float] | None) -> str:
        return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval[0]:.2f} to {interval[1]:.2f})"

    def area(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    rows: list[tuple[object, ...]] = [
        (
            row.label,
            score(row.precision, interval.precision),
            score(row.recall, interval.recall),
            score(row.f1, interval.f1),
            row.support,
            area(curves.auc),
            area(curves.average_precision),
        )
        for row, interval, curves in zip(measured.report, deep.intervals, deep.curves, strict=True)
    ]
    rows += [
        (row.label, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", row.support, "", "")
        for row in (measured.macro_average, measured.weighted_average)
    ]
    header = ("class", "precision", "recall", "F1", "images", "ROC area", "average precision")
    return [table(rows, header=header), "In brackets: 95 % intervals."]


def further_scores(deep: Summary) -> list[str]:
    """A line for each metric but accuracy and loss, which stand at the top."""
    lines = []
    for name, score in deep.scores.items():
        if name in ("accuracy", "loss"):
            continue
        metric = METRICS[name]
        ends = "" if score.interval is None else " to ".join(map(metric.text, score.interval))
        lines.append(f"{metric.title}: {metric.text(score.value)}" + (f" (95 % interval {ends})" if ends else ""))
    return lines


def calibration(deep: Summary) -> list[str]:
    """Calibration error and temperature, a line each."""
    lines = [f"Expected calibration error: {deep.calibration.ece:.3f}"]
    if deep.rescaling is None:
        lines.append("Temperature: unknown, for this run kept no predictions of its validation images.")
    else:
        done = deep.rescaling
        limit = " (the end of its range)" if done.temperature.at_limit else ""
        lines.append(
            f"Temperature: {done.temperature.value:.3f}{limit}, fitted on {done.temperature.n} validation images; over "
            f"{done.before.n} test images it takes the calibration error from {done.before.ece:.3f} to "
            f"{done.after.ece:.3f} and the loss from {done.before.loss:.3f} to {done.after.loss:.3f}"
        )
    lines.append(
        f"Doubtful labels: {len(deep.doubtful_labels)} of {deep.calibration.n} test images (a weak "
        "network doubts good labels, too)"
    )
    return lines
