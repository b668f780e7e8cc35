"""Trials of a search, or compared runs, as lines through one axis for each setting: where do the good ones run?"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    TRAINING_COLOUR,
    VALIDATION_COLOUR,
    escape,
    finish,
    hover_name,
    run_style,
    shorten,
)

#: The share of the trials that stands out.
_GOOD_SHARE = 0.25
_TICKS = 4

#: In pixels.
_HEIGHT = 380


@dataclass(frozen=True)
class Dimension:
    """One axis.

    Attributes:
        label: What is above it.
        values: A number a trial, or a text where the setting takes one of a few.
        log: Whether the numbers stand on a logarithmic axis.
    """

    label: str
    values: Sequence[float | str]
    log: bool = False


@dataclass(frozen=True)
class Axis:
    """Where a dimension's values stand, from 0 at the bottom to 1 on top.

    Attributes:
        positions: One a trial.
        ticks: Position and text of some values.
    """

    positions: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


def axis(dimension: Dimension) -> Axis:
    """Lay a dimension out."""
    values = dimension.values
    if any(isinstance(value, str) for value in values):
        names = sorted({str(value) for value in values})
        place = {name: index / (len(names) - 1) if len(names) > 1 else 0.5 for index, name in enumerate(names)}
        return Axis(tuple(place[str(value)] for value in values), tuple((place[name], name) for name in names))
    numbers = [float(value) for value in values]
    log = dimension.log and min(numbers) > 0
    scaled = [math.log10(number) if log else number for number in numbers]
    low, high = min(scaled), max(scaled)
    if low == high:
        return Axis((0.5,) * len(scaled), ((0.5, _number_text(numbers[0], 3)),))
    different = sorted(set(scaled))
    marked = different if len(different) <= _TICKS else [low + (high - low) * i / (_TICKS - 1) for i in range(_TICKS)]
    ticks = tuple(((at - low) / (high - low), _number_text(10**at if log else at, 3)) for at in marked)
    return Axis(tuple((at - low) / (high - low) for at in scaled), ticks)


def ranks(accuracies: Sequence[float]) -> list[str]:
    """``"best"`` for the first of the highest values, ``"good"`` for the rest of the best quarter, else ``"other"``."""
    order = sorted(range(len(accuracies)), key=lambda index: (-accuracies[index], index))
    good = max(2, math.ceil(_GOOD_SHARE * len(accuracies)))
    found = ["other"] * len(accuracies)
    for place, index in enumerate(order):
        found[index] = "best" if place == 0 else "good" if place < good else "other"
    return found


def parallel_coordinates(
    dimensions: Sequence[Dimension],
    *,
    accuracies: Sequence[float],
    names: Sequence[str],
    runs: Sequence[int] | None = None,
    accuracy_label: str = "Accuracy, %",
) -> go.Figure:
    """Draw a line for each complete trial, or for each run.

    Args:
        dimensions: One for each setting that varied, at least one; all have a value a trial.
        accuracies: Of each trial, 0 to 1, at least one; the last axis.
        names: What to call each trial.
        runs: The lines' positions among compared runs, which decide their colours; None for the trials of a search.
        accuracy_label: What is above the last axis.
    """
    every = [*dimensions, Dimension(accuracy_label, [100 * value for value in accuracies])]
    axes = [axis(dimension) for dimension in every]
    rank = ranks(accuracies)
    figure = go.Figure()
    for position, laid_out in enumerate(axes):
        _draw_axis(figure, position, laid_out)

    def draw(lines: Sequence[int], **options: Any) -> None:
        """Some lines as one trace, a gap after each."""
        figure.add_scatter(
            x=[*range(len(every)), None] * len(lines),
            y=[y for line in lines for y in (*(laid_out.positions[line] for laid_out in axes), None)],
            hovertext=[text for line in lines for text in (*(_hover(names[line], each, line) for each in every), "")],
            hoverinfo="text",
            mode="lines+markers",
            **options,
        )

    if runs is not None:
        for line, index in enumerate(runs):
            draw([line], showlegend=False, **run_style(index, names[line], size=9, width=2.5))
    else:
        for kind, title, colour, width, opacity in (
            ("other", "The others", OUTLINE_COLOUR, 1.2, 0.55),
            ("good", "The best quarter", TRAINING_COLOUR, 2.0, 0.9),
            ("best", "The best", VALIDATION_COLOUR, 3.5, 1.0),
        ):
            of_kind = [index for index, found in enumerate(rank) if found == kind]
            if of_kind:
                draw(
                    of_kind, name=title, opacity=opacity, line={"color": colour, "width": width},
                    marker={"color": colour, "size": 3 + 2 * width},
                )  # fmt: skip

    figure.update_xaxes(
        tickvals=list(range(len(every))),
        ticktext=["<br>".join(escape(part) for part in _lines(dimension.label)) for dimension in every],
        side="top", range=[-0.35, len(every) - 0.65], fixedrange=True, showgrid=False, showline=False,
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[-0.06, 1.1], fixedrange=True)
    figure.update_layout(
        hovermode="closest", dragmode=False, legend={"y": -0.04, "yanchor": "top"}, margin={"t": 8, "l": 8, "r": 8}
    )
    noun = "trials" if runs is None else "runs"
    return finish(figure, alt=_alt(every, rank, names, noun), height=_HEIGHT)


def _draw_axis(figure: go.Figure, position: int, laid_out: Axis) -> None:
    """A vertical line with its ticks' texts beside it."""
    figure.add_shape(
        type="line", x0=position, x1=position, y0=0, y1=1, line={"color": OUTLINE_COLOUR, "width": 1}, layer="below"
    )
    for at, text in laid_out.ticks:
        figure.add_annotation(
            x=position, y=at, text="<br>".join(map(escape, _tick_lines(text))),
            showarrow=False, align="left", xanchor="left", xshift=6, yshift=8, font={"size": 11},
        )  # fmt: skip


def _tick_lines(text: str) -> list[str]:
    """A value in at most two short lines."""
    lines = [shorten(line, length=15) for line in _lines(text)]
    return lines if len(lines) <= 2 else [lines[0], f"{lines[1].rstrip('…')}…"]


def _lines(label: str) -> list[str]:
    """A label in lines of about a dozen letters, so that neighbours do not touch."""
    return textwrap.wrap(shorten(label, length=36), width=12, break_long_words=False, break_on_hyphens=False)


def _hover(name: str, dimension: Dimension, line: int) -> str:
    return f"{hover_name(name)}<br>{hover_name(dimension.label)}: {escape(_value_text(dimension.values[line]))}"


def _value_text(value: float | str) -> str:
    return value if isinstance(value, str) else _number_text(value, 4)


def _number_text(value: float, digits: int) -> str:
    """A number of so many digits; of a larger one all before the point, since it may be a batch size or a seed."""
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text else text


def _alt(every: Sequence[Dimension], rank: Sequence[str], names: Sequence[str], noun: str) -> str:
    best = rank.index("best")
    values = ", ".join(f"{dimension.label} {_value_text(dimension.values[best])}" for dimension in every)
    return f"{len(names)} {noun} as lines through {len(every) - 1} settings. The best, {names[best]}, has {values}."
