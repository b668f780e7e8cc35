"""A run's results on one page of HTML that needs no network and reads well on paper."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

import aquadash
from aquadash.config import DEFINITIONS, SETTINGS, RunConfig, describe_definitions, flatten
from aquadash.data import Dataset
from aquadash.errors import AquaDashError
from aquadash.evaluation import (
    METRICS,
    Calibration,
    ClassIntervals,
    Evaluation,
    best_epoch,
    class_intervals,
    evaluate,
    reliability,
    scores,
    select,
)
from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.figures.learning_curves import learning_curves
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.figures.theme import alt_text, class_colour, class_emoji
from aquadash.runs import EpochRecord, Predictions, RunStore
from aquadash.runs.types import Run
from aquadash.training.prepare import report_validation_images

if TYPE_CHECKING:
    import jinja2

#: How many images a group of the report shows.
_IMAGES = 6
#: How many probabilities are drawn beside an image.
_BARS = 5


@dataclass(frozen=True)
class Chart:
    """A chart with its heading and a sentence on how to read it; ``html`` is markup made by plotly."""

    title: str
    explained: str
    html: str
    alt: str


@dataclass(frozen=True)
class ProbabilityBar:
    """A probability beside an image: of a class, in per cent, in the class's colour."""

    name: str
    emoji: str
    percent: float
    colour: str
    is_true: bool


@dataclass(frozen=True)
class ReportImage:
    """A test image as a data URL, with what it is and what the network says of it."""

    source: str
    number: int
    true_name: str
    said_name: str
    right: bool
    bars: tuple[ProbabilityBar, ...]


@dataclass(frozen=True)
class Gallery:
    """A row of pictures."""

    title: str
    explained: str
    pictures: tuple[ReportImage, ...]


def report_html(store: RunStore, run: Run, dataset: Dataset | None) -> str:
    """The report as one HTML file; the same run gives the same text."""
    history = store.history(run.run_id)
    predictions = None
    if "test_accuracy" in run.metrics and run.class_names:
        predictions = store.predictions(run.run_id)
    found = calibration = None
    if predictions is not None:
        found = evaluate(predictions.labels, predictions.probabilities, class_names=run.class_names)
        calibration = reliability(predictions.labels, predictions.probabilities)
    charts = _charts(run, history, found, calibration)
    values = {
        "run": run,
        "found": found,
        "scores": _scores(found, predictions),
        "calibration": calibration,
        "classes": _classes(found),
        "charts": charts,
        "guess_loss": math.log(max(1, len(run.class_names))),
        "galleries": _galleries(dataset, predictions, run.class_names),
        "history": history,
        "best": best_epoch(history, monitor=run.config.training.monitor),
        "settings": _settings(run.config),
        "environment": _environment_rows(store.environment(run.run_id)),
        "plotly": _plotly() if charts else "",
        "version": aquadash.__version__,
        "validated_on_test": run.config.training.validation == "test",
        "validated": report_validation_images(found.n) if found else None,
        "decided": run.config.training.decided_by_validation,
        "drawn": dataset.drawn if dataset else False,
    }
    return _environment().get_template("report.html.j2").render(values)


def _scores(found: Evaluation | None, predictions: Predictions | None) -> list[tuple[str, str, str]]:
    """Value, title and explanation of the metrics that have one for the report."""
    if found is None or predictions is None:
        return []
    return [
        (metric.text(score.value), metric.title, metric.report)
        for name, score in scores(found, predictions).items()
        if (metric := METRICS[name]).report
    ]


def _charts(
    run: Run, history: Sequence[EpochRecord], found: Evaluation | None, calibration: Calibration | None
) -> list[Chart]:
    monitor = run.config.training.monitor
    charts: list[Chart] = []

    def add(name: str, title: str, explained: str, figure: go.Figure) -> None:
        # Ink on white paper, whatever the browser's own colours.
        figure.update_layout(font={"color": "#1b2a33", "size": 12}, paper_bgcolor="white", plot_bgcolor="white")
        # Plotly takes the width of its box once; on paper the box is narrower than on most screens.
        figure.update_layout(autosize=True, height=figure.layout.height or 320)
        markup = figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"chart-{name}",
            config={"displayModeBar": False, "responsive": True},
        )
        charts.append(Chart(title, explained, markup, alt_text(figure)))

    if history:
        add(
            "loss",
            "Loss by epoch",
            "How wrong the probabilities were. Training falls for longer than validation: what is learnt after "
            "validation turns is learnt by heart.",
            learning_curves(history, metric="loss", monitor=monitor),
        )
        add(
            "accuracy",
            "Accuracy by epoch",
            "The fraction of images whose most probable class is the right one.",
            learning_curves(history, metric="accuracy", monitor=monitor),
        )
    if found is not None:
        add(
            "confusion",
            "Confusion matrix",
            "A row for each true class, a column for each predicted one. Right answers are on the diagonal.",
            confusion_matrix(found.confusion_matrix, class_names=found.classes),
        )
    if calibration is not None:
        add(
            "calibration",
            "Calibration",
            "Of the answers given with 80 % confidence, 80 % should be right: dots on the diagonal. The mean "
            f"distance is {100 * calibration.ece:.1f} points (expected calibration error).",
            reliability_diagram(calibration),
        )
    return charts


def _classes(found: Evaluation | None) -> list[tuple[str, dict[str, Any], ClassIntervals]]:
    """Emoji and scores with intervals of each class."""
    if found is None:
        return []
    intervals = class_intervals(found.confusion_matrix, class_names=found.classes)
    return [
        (class_emoji(row.label), {"name": row.label, **row.to_dict()}, interval)
        for row, interval in zip(found.report, intervals, strict=True)
    ]


def _galleries(dataset: Dataset | None, predictions: Predictions | None, class_names: Sequence[str]) -> list[Gallery]:
    if dataset is None or predictions is None:
        return []
    labels, probabilities = predictions.labels, predictions.probabilities
    if predictions.indices.size and int(predictions.indices.max()) >= len(dataset.test):
        return []
    wrong = select(labels, probabilities, outcome="wrong", sort="most confident")
    right = select(labels, probabilities, outcome="right", sort="most confident")
    torn = select(labels, probabilities, sort="closest call first")
    chosen = (
        ("Sure and wrong", "The mistakes that it was surest of.", wrong),
        ("Sure and right", "What it recognises most clearly.", right),
        ("Torn", "Where the two most probable classes are closest.", torn),
    )
    return [
        Gallery(
            title,
            explained,
            tuple(_picture(dataset, predictions, int(position), class_names) for position in positions[:_IMAGES]),
        )
        for title, explained, positions in chosen
        if len(positions)
    ]


def _picture(dataset: Dataset, predictions: Predictions, position: int, class_names: Sequence[str]) -> ReportImage:
    index = int(predictions.indices[position])
    row, truth = predictions.probabilities[position], int(predictions.labels[position])
    said = int(row.argmax())
    order = np.argsort(-row, kind="stable")[:_BARS]
    bars = tuple(
        ProbabilityBar(
            class_names[label],
            class_emoji(class_names[label]),
            100 * float(row[label]),
            class_colour(class_names[label], int(label)),
            int(label) == truth,
        )
        for label in order
    )
    png = io.BytesIO()
    Image.fromarray(dataset.test.images[index]).save(png, "PNG")
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode("ascii")
    return ReportImage(source, index, class_names[truth], class_names[said], said == truth, bars)


def _settings(config: RunConfig) -> list[tuple[str, str, str, bool]]:
    """Name, value, explanation, and whether it differs from the default, for each setting."""
    usual = flatten(RunConfig())
    told: list[tuple[str, str, str, bool]] = []
    for name, value in flatten(config).items():
        words = describe_definitions(str(value)) if name == DEFINITIONS else _plain(value)
        told.append((name, words, SETTINGS[name].help, value != usual[name]))
    return told


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


@cache
def _plotly() -> str:
    """The library that draws the charts, to stand inside a script element."""
    from plotly.offline import get_plotlyjs

    text = str(get_plotlyjs())
    if "</script" in text.lower():
        raise AquaDashError("The chart library cannot be put into a page: it holds the end of a script.")
    return text


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("aquadash.export"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
