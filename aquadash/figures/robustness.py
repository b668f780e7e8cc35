"""Accuracy on changed images: by the severity of corruptions, by a parameter's value, and the losses to each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from aquadash.augment import Parameter
from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import (
    WRONG_COLOUR,
    add_guessing_line,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    percent,
    run_style,
    shorten,
    whiskers,
)
from aquadash.robustness.advice import parameter_title, safe_range
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.measurement import Mean, Measurement, Scores
from aquadash.robustness.steps import text_of

Kind = Literal["corruptions", "pipelines"]

#: In pixels.
_HEIGHT = 380


def severity_curve(measured: Measurement, *, corruption: str | None) -> dict[float, Mean]:
    """Return the accuracy by severity, where 0 stands for the clean images; empty if none is measured."""
    if corruption is None:
        curve = measured.mean_curve()
    else:
        curve = {severity: _mean(scores) for severity, scores in measured.curve("corruption", corruption).items()}
    return {0: _mean(measured.clean), **curve} if curve else {}


def robustness_curves(
    runs: Sequence[tuple[str, Measurement | None]], *, corruption: str | None, chance: float
) -> go.Figure:
    """Draw the runs' curves over one another."""
    title = CORRUPTIONS[corruption].title if corruption else "mean over the corruptions"
    drawn = [
        (index, name, curve)
        for index, (name, measured) in enumerate(runs)
        if measured is not None and (curve := severity_curve(measured, corruption=corruption))
    ]
    if not drawn:
        return empty_figure("The curve appears here once this corruption is measured.", height=_HEIGHT)
    figure = _curves(drawn, chance=chance)
    ticks = ["clean", *map(str, SEVERITIES)]
    figure.update_xaxes(title="Severity", tickvals=[0, *SEVERITIES], ticktext=ticks, range=[-0.2, 5.2])
    highest = max(mean.ci95[1] for _, _, curve in drawn for mean in curve.values())
    figure.update_yaxes(title="Test accuracy", range=[0, min(100.0, 100 * highest + 5)])
    figure.update_layout(showlegend=len(runs) > 1)
    each = [
        f"{shorten(name)} from {percent(curve[0].value)} on clean images to {percent(curve[max(curve)].value)} at "
        f"severity {max(curve)}"
        for _, name, curve in drawn
    ]
    return finish(figure, alt=f"Accuracy by severity, {title}: {listed(each)}.", height=_HEIGHT, zoom=False)


def strength_curve(
    measured: Measurement, parameter: Parameter, *, step: str, threshold: float, chance: float
) -> go.Figure:
    """Draw the accuracy on copies by the value of a parameter, and where too much is lost."""
    curve = {value: _mean(scores) for value, scores in measured.curve("strength", parameter.name).items()}
    safe = safe_range(measured, parameter.name, threshold=threshold)
    name = parameter_title(parameter)
    # The values are in per cent where the parameter is a fraction.
    scale, unit = (100, " %") if parameter.percent else (1, "")
    figure = _curves([(0, step, {scale * value: mean for value, mean in curve.items()})], chance=chance)
    figure.add_hline(
        y=100 * safe.limit,
        line={"color": WRONG_COLOUR, "width": 1.5, "dash": "dash"},
        annotation={"text": f"threshold {100 * safe.limit:.0f} %", "font": {"size": 11}},
        annotation_position="top right",
    )
    ends = [] if safe.is_empty else [value for value in (safe.low, safe.high) if value is not None]
    if ends:
        figure.add_scatter(
            x=[scale * value for value in ends],
            y=[100 * safe.limit] * len(ends),
            mode="markers+text",
            marker={"color": WRONG_COLOUR, "size": 13, "symbol": "x"},
            text=[text_of(parameter, value) for value in ends],
            textposition="bottom center",
            hoverinfo="skip",
        )
    figure.update_xaxes(title=escape(f"{shorten(step, length=48)}: {name}"), ticksuffix=unit)
    figure.update_yaxes(title="Accuracy on copies", range=[0, 104])
    figure.update_layout(showlegend=False)
    first, *_, last = [f"{percent(mean.value)} at {text_of(parameter, value)}" for value, mean in curve.items()] * 2
    fall = " and ".join(text_of(parameter, value) for value in ends)
    alt = (
        f"Accuracy on copies by {name} of {shorten(step, length=48)}: {first}, {last}. The threshold is "
        f"{percent(safe.limit)}; the curve {f'falls below it at {fall}' if fall else 'does not cross it'}."
    )
    return finish(figure, alt=alt, height=_HEIGHT, zoom=False)


def _mean(scores: Scores) -> Mean:
    return Mean(scores.accuracy, scores.accuracy_ci95)


def _curves(lines: Sequence[tuple[int, str, Mapping[float, Mean]]], *, chance: float) -> go.Figure:
    """Draw curves with their intervals, each with the number of its colour and its name."""
    figure = go.Figure()
    for index, name, curve in lines:
        fractions = [mean.value for mean in curve.values()]
        intervals = [mean.ci95 for mean in curve.values()]
        figure.add_scatter(
            x=list(curve),
            y=[100 * fraction for fraction in fractions],
            **run_style(index, name),
            mode="lines+markers",
            error_y=whiskers(fractions, intervals),
            customdata=[percent(mean.value, mean.ci95).interval.replace("%", "&#37;") for mean in curve.values()],
            hovertemplate=f"<b>{hover_name(name)}</b><br>%{{x:.3~g}}: %{{y:.1f}} % right<br>95 % interval "
            "%{customdata}<extra></extra>",
        )
    add_guessing_line(figure, chance)
    return figure.update_yaxes(ticksuffix=" %").update_layout(hovermode="closest")


@dataclass(frozen=True)
class LossRow:
    """A row of the chart."""

    #: The corruption's or version's title.
    label: str
    #: The corruption's summary, or the version's pipelines.
    detail: str
    #: The loss of each run; None where it is not measured.
    losses: tuple[Mean | None, ...]


def loss_rows(runs: Sequence[Measurement | None], *, kind: Kind) -> list[LossRow]:
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
    rows = loss_rows([measured for _, measured in runs], kind=kind)
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
        alt=_losses_alt(rows, [name for name, _ in runs], kind),
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


def _losses_alt(rows: Sequence[LossRow], names: Sequence[str], kind: Kind) -> str:
    texts = []
    for row in rows:
        losses = [(name, loss) for name, loss in zip(names, row.losses, strict=True) if loss is not None]
        texts.append(f"{row.label} ({', '.join(f'{shorten(name)} {100 * loss.value:.0f}' for name, loss in losses)})")
    return f"Points of accuracy lost to {kind}, the costliest first: {listed(texts, most=15)}."
