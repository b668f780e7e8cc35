"""The accuracy that a run loses to each corruption, or to each version of the augmentation pipelines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import empty_figure, escape, hover_name, listed, run_style, shorten
from aquadash.robustness.corruptions import CORRUPTIONS
from aquadash.robustness.measurement import Mean, Measurement

Kind = Literal["corruptions", "pipelines"]


@dataclass(frozen=True)
class LossRow:
    """A row of the chart."""

    #: The corruption's or version's title.
    label: str
    #: The corruption's summary, or the version's pipelines.
    detail: str
    #: The loss of each run; None where it is not measured.
    losses: tuple[Mean | None, ...]


def compute(runs: Sequence[Measurement | None], *, kind: Kind) -> list[LossRow]:
    """Return the rows, sorted by the first measured loss; a version that several pipelines share is one row."""
    if kind == "pipelines":
        rows = _version_rows(runs)
    else:
        rows = [
            LossRow(entry.title, entry.summary, tuple(run.corruption_loss(name) if run else None for run in runs))
            for name, entry in CORRUPTIONS.items()
        ]
    measured = [(next((-loss.value for loss in row.losses if loss is not None), 1.0), row) for row in rows]
    return [row for order, row in sorted(measured, key=lambda pair: pair[0]) if any(row.losses)]


def robustness_losses(runs: Sequence[tuple[str, Measurement | None]], *, kind: Kind = "corruptions") -> go.Figure:
    """Draw a row for each corruption or version, and in it a dot with its interval for each run."""
    rows = compute([measured for _, measured in runs], kind=kind)
    if not rows:
        return empty_figure(f"The accuracy lost to {kind} appears here once some are measured.")
    traces = []
    for index, (name, _) in enumerate(runs):
        points = [(position, row, loss) for position, row in enumerate(rows) if (loss := row.losses[index]) is not None]
        if not points:
            continue
        positions, _, losses = zip(*points, strict=True)
        hover = [
            f"<b>{hover_name(name)}</b><br>{100 * loss.value:.1f} points lost<br>{hover_name(row.label)}<br>"
            f"{hover_name(row.detail)}<br>95 &#37; interval {100 * loss.ci95[0]:.1f} to {100 * loss.ci95[1]:.1f}"
            for _, row, loss in points
        ]
        values, intervals = [loss.value for loss in losses], [loss.ci95 for loss in losses]
        traces.append(Dots(positions, values, intervals, hover, run_style(index, name, size=9)))
    return dot_rows(
        [escape(shorten(row.label)) for row in rows],
        traces,
        title="Accuracy lost, in points",
        unit="",
        alt=_alt(rows, [name for name, _ in runs], kind),
        row_height=28,
        reference=0.0,
    )


def _version_rows(runs: Sequence[Measurement | None]) -> list[LossRow]:
    titles: dict[str, str] = {}
    pipelines: dict[str, list[str]] = {}
    losses: dict[tuple[int, str], Mean | None] = {}
    for index, run in enumerate(runs):
        if run is None:
            continue
        for condition, scores in run.of_kind("pipeline").items():
            titles.setdefault(condition.digest, condition.titles[1])
            names = pipelines.setdefault(condition.digest, [])
            if condition.name not in names:
                names.append(condition.name)
            losses[index, condition.digest] = run.loss(scores)
    return [
        LossRow(
            title,
            "in " + ", ".join(pipelines[digest]),
            tuple(losses.get((index, digest)) for index in range(len(runs))),
        )
        for digest, title in titles.items()
    ]


def _alt(rows: Sequence[LossRow], names: Sequence[str], kind: Kind) -> str:
    texts = []
    for row in rows:
        losses = [(name, loss) for name, loss in zip(names, row.losses, strict=True) if loss is not None]
        texts.append(f"{row.label} ({', '.join(f'{shorten(name)} {100 * loss.value:.0f}' for name, loss in losses)})")
    return f"Points of accuracy lost to {kind}, the costliest first: {listed(texts, most=15)}."
