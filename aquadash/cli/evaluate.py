"""``evaluate``, ``coach`` and ``walkthrough``: what came out of a run, what to make of it, and the report beside it."""

from __future__ import annotations

import click

from aquadash import evaluation
from aquadash.cli.output import Command, Group, Shown, Table, lab, print_result
from aquadash.coach import Note, run_notes, training_counts
from aquadash.config import RunConfig, flatten
from aquadash.data import SOURCES, load
from aquadash.evaluation import METRICS


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

    matrix = [(name, *row) for name, row in zip(measured.classes, measured.confusion_matrix.tolist(), strict=True)]
    fitted = "" if deep.rescaling else "No temperature: this run kept no predictions of its validation images."
    print_result(
        values,
        f"{found.name}, on {measured.n} test images; in brackets: 95 % intervals",
        *map(Shown, (*METRICS, "unseen_test_accuracy", "unseen_test_loss")),
        Table(matrix, header=("true \\ predicted", *measured.classes)),
        Shown("report", "precision", "recall", "f1-score", "support"),
        *map(Shown, ("class_ci95", "auc", "average_precision", "ece", "temperature_scaling")),
        fitted,
        f"Doubtful labels: {len(deep.doubtful_labels)} (a weak network doubts good labels, too)",
    )


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
    from aquadash.walkthrough.beside import beside, learnt_from

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

    values = {"run_id": found.run_id, **result.to_dict()}
    print_result(values, Shown("rows", "figure", "unit", "report", "run", "note"), Shown("difference"))
