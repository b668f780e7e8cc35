"""``evaluate``, ``coach`` and ``walkthrough``: the results of a run, advice on it, and the report beside them."""

from typing import Any

import click

from aquadash.cli.output import Command, Group, Shown, Table, lab, print_result, run_argument
from aquadash.config import flatten
from aquadash.data import SOURCES, load
from aquadash.evaluation import METRICS, Evaluation, macro_mean, ranking_curves, reliability, rescale
from aquadash.evaluation.browse import doubtful_labels
from aquadash.evaluation.guess import quiz_answer
from aquadash.evaluation.metric_table import scores, scores_to_dict
from aquadash.store import Predictions, Run


@click.command(cls=Command)
@run_argument
def evaluate(run: Run) -> None:
    """Measure a run on the test images: accuracy, loss, confusion matrix, classification report."""
    predictions = lab.runs.predictions(run.run_id)
    measured = lab.runs.evaluation(run.run_id)
    unseen = ("unseen_test_accuracy", "unseen_test_loss")
    values = {"run_id": run.run_id, "name": run.name, **measured.to_dict(), **_figures(run, measured, predictions)}
    values |= {name: run.metrics[name] for name in unseen if name in run.metrics}
    matrix = [(name, *row) for name, row in zip(measured.classes, measured.confusion_matrix.tolist(), strict=True)]
    print_result(
        values,
        f"{run.name}, on {measured.n} test images; in brackets: 95 % intervals",
        *map(Shown, (*METRICS, *unseen)),
        Table(matrix, header=("true \\ predicted", *measured.classes)),
        Shown("report", "precision", "recall", "f1-score", "support"),
        *map(Shown, ("class_ci95", "auc", "average_precision", "ece", "temperature_scaling")),
        ""
        if values["temperature_scaling"]
        else "No temperature: this run kept no predictions of its validation images.",
        f"Doubtful labels: {len(values['doubtful_labels'])} (a weak network doubts good labels, too)",
    )


def _figures(run: Run, measured: Evaluation, predictions: Predictions) -> dict[str, Any]:
    labels, probabilities = predictions.labels, predictions.probabilities
    curves = ranking_curves(labels, probabilities, class_names=measured.classes)
    validation = lab.runs.validation_predictions(run.run_id)
    on_test = run.config.training.validation == "test"
    scaling = validation and rescale(predictions, validation, validated_on_test=on_test).to_dict()
    return {
        "class_ci95": {
            row.label: {
                name if name != "f1" else "f1-score": ends and list(ends) for name, ends in row.intervals.items()
            }
            for row in measured.report
        },
        **scores_to_dict(scores(measured, predictions)),
        "auc": {row.label: row.auc for row in curves},
        "macro_auc": macro_mean([row.auc for row in curves]),
        "average_precision": {row.label: row.average_precision for row in curves},
        "macro_average_precision": macro_mean([row.average_precision for row in curves]),
        **reliability(labels, probabilities).to_dict(),
        "temperature": scaling and scaling["temperature"],
        "temperature_scaling": scaling,
        "doubtful_labels": predictions.indices[doubtful_labels(labels, probabilities)].tolist(),
    }


@click.command(cls=Command)
@run_argument
@click.argument("image", type=int)
@click.argument("guess")
def quiz(run: Run, image: int, guess: str) -> None:
    """Guess the class of a test image, named by its number, and compare the guess with the network's answer."""
    predictions = lab.runs.predictions(run.run_id)
    answer = quiz_answer(predictions, image, guess, class_names=run.class_names)
    print_result(answer.to_dict(), f"{run.name}, test image {image}")


@click.command(cls=Command)
@run_argument
def coach(run: Run) -> None:
    """Say what could be better about a run, with the evidence and, where there is one, a change to try."""
    # Imported here, so that evaluate starts without networks and augmenters.
    from aquadash.coach import run_notes, training_counts

    notes = run_notes(
        run, lab.runs.history(run.run_id), lab.runs.results(run), count_training=lambda: training_counts(run, load)
    )
    values = {"run_id": run.run_id, "name": run.name, "notes": [note.to_dict() for note in notes]}
    now = flatten(run.config)
    texts = []
    for note in notes:
        lines = [
            f"  Try --set {name}={_value(value)} (was {_value(now[name])})" for name, value in note.changes.items()
        ]
        texts.append("\n".join([f"{note.level}: {note.title}", f"  {note.evidence}", *lines]))
    print_result(values, "\n\n".join(texts) or f"{run.name} ({run.run_id[:8]}): nothing to say yet.")


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


walkthrough = Group("walkthrough", help="The report as a lesson.")


@walkthrough.command()
@click.option("--run", required=True, type=lab.runs.find, metavar="RUN", help="The run to compare with the report.")
def report(run: Run) -> None:
    """Put the report's figures beside those of a finished run."""
    from aquadash.walkthrough.beside import beside, learnt_from

    images, source = None, SOURCES.get(run.config.data.source)
    if source is not None and source.key() is not None:
        dataset = lab.data.load(source.name)
        if dataset.fingerprint == run.dataset_fingerprint:
            images = learnt_from(run.config, dataset)
    measured, history = lab.runs.evaluation(run.run_id), lab.runs.history(run.run_id)
    # None if the file of the network is missing.
    parameters = lab.runs.cost(run.run_id).parameters
    result = beside(run, measured, history, parameters=parameters, training_images=images)
    values = {"run_id": run.run_id, **result.to_dict()}
    print_result(values, Shown("rows", "figure", "unit", "report", "run", "note"), Shown("difference"))
