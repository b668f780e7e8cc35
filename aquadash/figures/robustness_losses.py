"""What costs a run most: the accuracy lost to each corruption, or to each branch of the augmentation pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    rows_axis,
    run_style,
    shorten,
    whiskers,
)
from aquadash.robustness.corruptions import CORRUPTIONS
from aquadash.robustness.result import Mean, RobustnessResult

Kind = Literal["corruptions", "pipelines"]


@dataclass(frozen=True)
class LossRow:
    """A row of the chart.

    Attributes:
        label: The corruption's or branch's title.
        detail: More about it: its summary, or the pipelines that it belongs to.
        losses: Of each run, in their order; None where it is not measured.
    """

    label: str
    detail: str
    losses: tuple[Mean | None, ...]


def compute(runs: Sequence[RobustnessResult | None], *, kind: Kind) -> list[LossRow]:
    """The rows, the greatest loss of the first run that has any on top.

    A branch that several pipelines share is one row.
    """
    rows = _corruption_rows(runs) if kind == "corruptions" else _branch_rows(runs)

    def order(row: LossRow) -> float:
        return next((-loss.value for loss in row.losses if loss is not None), 0.0)

    return sorted((row for row in rows if any(row.losses)), key=order)


def robustness_losses(runs: Sequence[tuple[str, RobustnessResult | None]], *, kind: Kind = "corruptions") -> go.Figure:
    """Draw a row a corruption or branch, and in it a dot with its interval for each run.

    Args:
        runs: Name and figures of each run. The position decides colour and symbol.
        kind: What the rows are.
    """
    rows = compute([result for _, result in runs], kind=kind)
    if not rows:
        return empty_figure(f"What the {kind} cost appears here once some are measured.")
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": OUTLINE_COLOUR, "width": 1})
    for index, (name, _) in enumerate(runs):
        points = [(row, loss, place) for place, row in enumerate(rows) if (loss := row.losses[index]) is not None]
        if not points:
            continue
        # Runs of one row lie a little apart, so that their intervals can be told from each other.
        shift = 0.0 if len(runs) == 1 else 0.5 * (index / (len(runs) - 1) - 0.5)
        figure.add_scatter(
            x=[100 * loss.value for _, loss, _ in points],
            y=[place + shift for _, _, place in points],
            **run_style(index, name, size=9),
            mode="markers",
            error_x=whiskers([loss.value for _, loss, _ in points], [loss.ci95 for _, loss, _ in points]),
            customdata=[
                f"{hover_name(row.label)}<br>{hover_name(row.detail)}<br>95 &#37; interval {100 * loss.ci95[0]:.1f} to "
                f"{100 * loss.ci95[1]:.1f}"
                for row, loss, _ in points
            ],
            hovertemplate=f"<b>{hover_name(name)}</b><br>%{{x:.1f}} points lost<br>%{{customdata}}<extra></extra>",
        )
    figure.update_xaxes(title="Accuracy lost, in points", showgrid=True, fixedrange=True)
    figure.update_yaxes(rows_axis([escape(shorten(row.label)) for row in rows]))
    figure.update_layout(hovermode="closest", showlegend=len(runs) > 1, dragmode=False)
    return finish(figure, alt=_alt(rows, [name for name, _ in runs], kind), height=100 + 28 * len(rows))


def _corruption_rows(runs: Sequence[RobustnessResult | None]) -> list[LossRow]:
    return [
        LossRow(entry.title, entry.summary, tuple(None if run is None else run.loss(name) for run in runs))
        for name, entry in CORRUPTIONS.items()
    ]


def _branch_rows(runs: Sequence[RobustnessResult | None]) -> list[LossRow]:
    titles: dict[str, str] = {}
    pipelines: dict[str, list[str]] = {}
    for run in runs:
        for key, entry in run.branches.items() if run is not None else ():
            titles.setdefault(key.digest, entry.branch_title)
            names = pipelines.setdefault(key.digest, [])
            if key.pipeline not in names:
                names.append(key.pipeline)

    def loss(run: RobustnessResult | None, digest: str) -> Mean | None:
        if run is None:
            return None
        return next((run.branch_loss(key) for key in run.branches if key.digest == digest), None)

    return [
        LossRow(title, "in " + ", ".join(pipelines[digest]), tuple(loss(run, digest) for run in runs))
        for digest, title in titles.items()
    ]


def _alt(rows: Sequence[LossRow], names: Sequence[str], kind: Kind) -> str:
    def told(row: LossRow) -> str:
        each = [
            f"{shorten(name)} {100 * loss.value:.0f}"
            for name, loss in zip(names, row.losses, strict=True)
            if loss is not None
        ]
        return f"{row.label} ({', '.join(each)})"

    return f"Points of accuracy lost to {kind}, the costliest first: {listed([told(row) for row in rows], most=15)}."
