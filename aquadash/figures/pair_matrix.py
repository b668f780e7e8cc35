"""Every pair of compared runs: how much better one is, and whether the difference may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.evaluation.compare import LEVEL, PairTest
from aquadash.figures.cells import cells
from aquadash.figures.theme import escape, hover_name, listed, shorten

#: With more runs the names below the columns are turned by 90 degrees.
_MAX_UPRIGHT = 4
#: Maximum letters in a line of an upright name.
_LINE = 9


def difference_matrix(tests: Sequence[PairTest], *, runs: int) -> NDArray[np.float64]:
    """Return by how many points of per cent the row's run is better than the column's; NaN where they have no test."""
    values = np.full((runs, runs), np.nan)
    for test in tests:
        if test.result is not None:
            values[test.b, test.a] = 100 * test.result.change
            values[test.a, test.b] = -100 * test.result.change
    return values


def pair_matrix(
    tests: Sequence[PairTest], *, names: Sequence[str], selected: tuple[int, int] | None = None
) -> go.Figure:
    """Draw a cell for each pair (``customdata``: ``[row, column]``); a star marks those that pass Holm's correction."""
    k = len(names)
    values = difference_matrix(tests, runs=k)
    by_cell = {cell: test for test in tests for cell in ((test.a, test.b), (test.b, test.a))}

    def text(row: int, column: int) -> str:
        test = by_cell.get((row, column))
        if test is None or test.result is None:
            return ""
        return f"{values[row, column]:+.1f}{'*' if test.p_holm < LEVEL else ''}"

    figure = cells(
        values / max(float(np.nanmax(np.abs(values))), 1.0),
        text=text,
        hover=lambda row, column: _hover(by_cell.get((row, column)), (row, column), names),
        alt=_alt(tests, names),
        height=int(np.clip(46 * k + 110, 230, 620)),
        selected=selected,
    )
    short = [shorten(name, length=16) for name in names]
    upright = k <= _MAX_UPRIGHT
    below = ["<br>".join(map(escape, wrap(name, _LINE) if upright else [name])) for name in short]
    tickvals = list(range(k))
    figure.update_yaxes(title="Run", tickvals=tickvals, ticktext=list(map(escape, short)))
    figure.update_xaxes(title="Compared with", tickvals=tickvals, ticktext=below, tickangle=0 if upright else -90)
    return figure.update_layout(margin={"t": 8})


def _hover(test: PairTest | None, cell: tuple[int, int], names: Sequence[str]) -> str:
    """Return the hover label of a cell; empty where two runs cannot be compared."""
    row, column = cell
    result = None if test is None else (test if row == test.b else test.turned()).result
    if test is None or result is None:
        return ""
    low, high = (100 * end for end in result.interval)
    return (
        f"<b>{hover_name(names[row])}</b> against {hover_name(names[column])}<br>"
        f"{100 * result.change:+.1f} points (95 % interval {low:+z.1f} to {high:+z.1f})<br>"
        f"Only the first is right: {result.fixed} images · only the second: {result.broken}<br>"
        f"McNemar's p {result.p_value:.3g}, corrected by Holm {test.p_holm:.3g}"
    )


def _alt(tests: Sequence[PairTest], names: Sequence[str]) -> str:
    known = [(test, test.result) for test in tests if test.result is not None]
    clear = sorted((each for each in known if each[0].p_holm < LEVEL), key=lambda each: each[0].p_holm)
    winners = [
        f"{shorten(names[better])} over {shorten(names[worse])} by {100 * abs(result.change):.1f} points"
        for test, result in clear
        for better, worse in ([(test.b, test.a)] if result.change > 0 else [(test.a, test.b)])
    ]
    verdict = f"Significant by Holm's correction: {listed(winners)}" if winners else "None passes Holm's correction"
    return f"Differences in accuracy of {len(known)} pair{'s' if len(known) > 1 else ''} of runs. {verdict}."
