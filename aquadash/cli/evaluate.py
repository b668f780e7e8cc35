"""``evaluate``, ``coach`` and ``walkthrough``: what came out of a run, what to make of it, and the report beside it."""

from __future__ import annotations

import click

from aquadash import evaluation
from aquadash.cli.output import Command, Group, Table, lab, percent, print_result
from aquadash.coach import Note, run_notes, training_counts
from aquadash.config import RunConfig, flatten
from aquadash.data import SOURCES, load
from aquadash.evaluation import METRICS, Evaluation, Summary


@click.command(cls=Command)
@click.argument("run")
def evaluate(run: str) -> None:
    """Measure a run on the test images: accuracy, loss, confusion matrix, classification report."""
    found = lab.runs.find(run)
    predictions = lab.runs.predictions(found.run_id)
    measured = lab.runs.evaluation(found.run_id)
    deep = evaluation.summarize(
        measured,
        predictions,
        lab.runs.validation_predictions(found.run_id),
        validated_on_test=found.config.training.validation == "test",
    )
    values = {"run_id": found.run_id, "name": found.name, **measured.to_dict(), **deep.to_dict()}
    if "unseen_test_accuracy" in found.metrics:
        values["unseen_test_accuracy"] = found.metrics["unseen_test_accuracy"]
        values["unseen_test_loss"] = found.metrics["unseen_test_loss"]

    low, high = measured.accuracy_ci95
    lines = [
        f"{found.name}: {percent(measured.accuracy)} of {measured.n} test images right "
        f"(95 % interval {percent(low)} to {percent(high)}), loss {measured.loss:.3f}"
    ]
    if "unseen_test_accuracy" in values:
        lines.append(
            f"The first test images were its validation images; on the others alone: "
            f"{percent(found.metrics['unseen_test_accuracy'])}."
        )
    matrix = [(name, *row) for name, row in zip(measured.classes, measured.confusion_matrix.tolist(), strict=True)]
    print_result(
        values,
        *lines,
        "",
        Table(matrix, header=("true \\ predicted", *measured.classes)),
        "",
        _class_table(measured, deep),
        "In brackets: 95 % intervals.\n",
        *_further_scores(deep),
        *_calibration(deep),
    )


def _class_table(measured: Evaluation, deep: Summary) -> Table:
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
    return Table(rows, header=header)


def _further_scores(deep: Summary) -> list[str]:
    """A line for each metric but accuracy and loss, which stand above."""
    lines = []
    for name, score in deep.scores.items():
        metric = METRICS[name]
        if name in ("accuracy", "loss"):
            continue
        ends = "" if score.interval is None else " to ".join(map(metric.text, score.interval))
        lines.append(f"{metric.title}: {metric.text(score.value)}" + (f" (95 % interval {ends})" if ends else ""))
    return lines


def _calibration(deep: Summary) -> list[str]:
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


@click.command(cls=Command)
@click.argument("run")
def coach(run: str) -> None:
    """Say what could be better about a run, with the evidence and, where there is one, a change to try."""
    found = lab.runs.find(run)
    notes = run_notes(
        found,
        lab.runs.history(found.run_id),
        lab.runs.results(found),
        count_training=lambda: training_counts(found, load),
    )
    values = {"run_id": found.run_id, "name": found.name, "notes": [note.to_dict() for note in notes]}

    if notes:
        print_result(values, "\n\n".join(_note_text(note, found.config) for note in notes))
    else:
        print_result(values, f"{found.name} ({found.run_id[:8]}): nothing to say yet.")


def _note_text(note: Note, config: RunConfig) -> str:
    lines = [f"{note.level}: {note.title}", f"  {note.evidence}"]
    if note.changes:
        now = flatten(config)
        lines += [
            f"  Try --set {name}={_value(value)} (was {_value(now[name])})" for name, value in note.changes.items()
        ]
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@click.group(cls=Group)
def walkthrough() -> None:
    """The report as a lesson."""


@walkthrough.command()
@click.option("--run", required=True, metavar="RUN", help="The run that stands beside the report.")
def report(run: str) -> None:
    """Put the report's figures beside those of a finished run."""
    from aquadash.walkthrough.beside import beside, learnt_from, shown

    found, images = lab.runs.find(run), None
    source = SOURCES.get(found.config.data.source)
    if source is not None and source.key() is not None:
        dataset = lab.data.load(source.name)
        if dataset.fingerprint == found.dataset_fingerprint:
            images = learnt_from(found.config, dataset)
    result = beside(
        found,
        lab.runs.evaluation(found.run_id),
        lab.runs.history(found.run_id),
        # None where the network is gone while its results are there.
        parameters=lab.runs.cost(found.run_id).parameters,
        training_images=images,
    )

    rows = [(row.figure, shown(row, row.report), shown(row, row.run), row.note) for row in result.rows]
    low, high = (100 * end for end in result.difference_ci95)
    print_result(
        {"run_id": found.run_id, **result.to_dict()},
        Table(rows, header=("figure", "report", found.name, "mind")),
        f"\nAccuracy of the run less that of the report: {100 * result.difference:+.1f} points "
        f"(95 % interval {low:+.1f} to {high:+.1f})",
    )
