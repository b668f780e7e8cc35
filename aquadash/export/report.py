"""A run's results on one page of HTML that needs no network and reads well on paper."""

import base64
import io
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.offline import get_plotlyjs

import aquadash
from aquadash.config import DEFINITIONS, SETTINGS, RunConfig, describe_definitions, flatten
from aquadash.data import Dataset
from aquadash.evaluation import METRICS, Calibration, Evaluation, best_epoch, evaluate, reliability, scores, select
from aquadash.evaluation.browse import Outcome, Sort
from aquadash.evaluation.metrics import percent
from aquadash.export.templating import templates
from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.figures.learning_curves import learning_curves
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.figures.theme import alt_text, class_colour, class_emoji
from aquadash.store import EpochRecord, Predictions, RunStore
from aquadash.store.types import Run
from aquadash.training.prepare import report_validation_images

#: Images in each row of the report, and probabilities beside each image.
_IMAGES, _BARS = 6, 5

#: Title, explanation, outcome and order of each row of images.
_GALLERIES: tuple[tuple[str, str, Outcome, Sort], ...] = (
    ("Sure and wrong", "The most confident mistakes.", "wrong", "most confident"),
    ("Sure and right", "The most confident right answers.", "right", "most confident"),
    ("Undecided", "The images whose two most probable classes are closest.", "all", "closest call first"),
)


def report_html(store: RunStore, run: Run, dataset: Dataset | None) -> str:
    """Return the report as one HTML file; the same run gives the same text."""
    history = store.history(run.run_id)
    predictions = None
    if "test_accuracy" in run.metrics and run.class_names:
        predictions = store.predictions(run.run_id)
    results = calibration = None
    if predictions is not None:
        results = evaluate(predictions.labels, predictions.probabilities, class_names=run.class_names)
        calibration = reliability(predictions.labels, predictions.probabilities)
    charts = _charts(run, history, results, calibration)
    values = {
        "run": run,
        "results": results,
        "scores": _scores(results, predictions),
        "calibration": calibration,
        "emoji": class_emoji,
        "charts": charts,
        "percent": percent,
        "guess_loss": math.log(max(1, len(run.class_names))),
        "galleries": _galleries(dataset, predictions, run.class_names),
        "history": history,
        "best": best_epoch(history, monitor=run.config.training.monitor),
        "settings": _settings(run.config),
        "environment": _environment_rows(store.environment(run.run_id)),
        "plotly": get_plotlyjs() if charts else "",
        "version": aquadash.__version__,
        "validated_on_test": run.config.training.validation == "test",
        "validated": report_validation_images(results.n) if results else None,
        "decided": run.config.training.decided_by_validation,
        "drawn": dataset.drawn if dataset else False,
    }
    return templates(autoescape=True).get_template("report.html.j2").render(values)


def _scores(results: Evaluation | None, predictions: Predictions | None) -> list[tuple[str, str, str]]:
    """Return value, title and explanation of the metrics that have an explanation for the report."""
    if results is None or predictions is None:
        return []
    return [
        (metric.score_text(score).value, metric.title, metric.report)
        for name, score in scores(results, predictions).items()
        if (metric := METRICS[name]).report
    ]


def _charts(
    run: Run, history: Sequence[EpochRecord], results: Evaluation | None, calibration: Calibration | None
) -> list[tuple[str, str, str, str]]:
    """Return the title, a sentence on how to read it, the text alternative and plotly's markup of each chart."""
    monitor = run.config.training.monitor
    charts: list[tuple[str, str, go.Figure]] = []
    if history:
        loss = (
            "The error of the probabilities. Training loss falls for longer than validation loss: once validation loss "
            "rises, the network learns its training images by heart."
        )
        accuracy = "The fraction of images whose most probable class is the right one."
        draw = partial(learning_curves, history, monitor=monitor, kept_epoch=run.metrics.get("kept_epoch"))
        charts.append(("Accuracy by epoch", accuracy, draw(metric="accuracy")))
        charts.append(("Loss by epoch", loss, draw(metric="loss")))
    if results is not None:
        matrix = "A row for each true class, a column for each predicted one. Right answers are on the diagonal."
        figure = confusion_matrix(results.confusion_matrix, class_names=results.classes)
        charts.append(("Confusion matrix", matrix, figure))
    if calibration is not None:
        dots = (
            "Of the answers given with 80 % confidence, 80 % should be right: dots on the diagonal. The mean "
            f"distance is {100 * calibration.ece:.1f} points (expected calibration error)."
        )
        charts.append(("Calibration", dots, reliability_diagram(calibration)))
    return [
        (title, explanation, alt_text(figure), _markup(figure, number))
        for number, (title, explanation, figure) in enumerate(charts)
    ]


def _markup(figure: go.Figure, number: int) -> str:
    # Dark text on white paper: the page does not follow the browser's colour scheme.
    figure.update_layout(font={"color": "#1b2a33", "size": 12}, paper_bgcolor="white", plot_bgcolor="white")
    # Plotly takes the width of its box once; on paper the box is narrower than on most screens.
    figure.update_layout(autosize=True, height=figure.layout.height or 320)
    config = {"displayModeBar": False, "responsive": True}
    return str(figure.to_html(full_html=False, include_plotlyjs=False, div_id=f"chart-{number}", config=config))


def _galleries(
    dataset: Dataset | None, predictions: Predictions | None, class_names: Sequence[str]
) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Return title, explanation and images of each row of test images that has some."""
    if dataset is None or predictions is None:
        return []
    if predictions.indices.size and int(predictions.indices.max()) >= len(dataset.test):
        return []
    galleries = []
    for title, explanation, outcome, sort in _GALLERIES:
        positions = select(predictions.labels, predictions.probabilities, outcome=outcome, sort=sort)[:_IMAGES]
        images = [_image(dataset, predictions, int(position), class_names) for position in positions]
        if images:
            galleries.append((title, explanation, images))
    return galleries


def _image(dataset: Dataset, predictions: Predictions, position: int, class_names: Sequence[str]) -> dict[str, Any]:
    """Return a test image as a data URL, with its class, the network's answer, and bars of the probable classes."""
    index = int(predictions.indices[position])
    row, truth = predictions.probabilities[position], int(predictions.labels[position])
    named = [(label, class_names[label]) for label in np.argsort(-row, kind="stable")[:_BARS].tolist()]
    bars = [
        (class_emoji(name), name, 100 * float(row[label]), class_colour(name, label), label == truth)
        for label, name in named
    ]
    png = io.BytesIO()
    Image.fromarray(dataset.test.images[index]).save(png, "PNG")
    return {
        "source": "data:image/png;base64," + base64.b64encode(png.getvalue()).decode("ascii"),
        "number": index,
        "true_name": class_names[truth],
        "said_name": class_names[int(row.argmax())],
        "bars": bars,
    }


def _settings(config: RunConfig) -> list[tuple[str, str, str, bool]]:
    """Return name, value, help, and whether it differs from the default, of each setting."""
    default = flatten(RunConfig())
    return [
        (
            name,
            describe_definitions(str(value)) if name == DEFINITIONS else _plain(value),
            SETTINGS[name].help,
            value != default[name],
        )
        for name, value in flatten(config).items()
    ]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(str(part) for part in value) or "none"
    return str(value)


def _environment_rows(environment: dict[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in sorted(environment.items()):
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", str(inner)) for key, inner in sorted(value.items())]
        else:
            rows.append((name.replace("_", " "), _plain(value)))
    return rows
