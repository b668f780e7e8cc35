"""Every pair of compared runs: by how much the one is better, and whether that may be luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.evaluation.compare import PairTest
from aquadash.evaluation.paired import LEVEL
from aquadash.figures.confusion_difference import DIFFERENCE_SCALE
from aquadash.figures.theme import (
    add_clickable_cells,
    escape,
    finish,
    frame_cell,
    hover_name,
    listed,
    shorten,
)


def difference_matrix(tests: Sequence[PairTest], *, runs: int) -> NDArray[np.float64]:
    """Points of per cent by which the row's run is more accurate than the column's: float64 (runs, runs).

    NaN on the diagonal and where two runs cannot be compared.
    """
    values = np.full((runs, runs), np.nan)
    for test in tests:
        if test.result is not None:
            values[test.b, test.a] = 100 * test.result.change
            values[test.a, test.b] = -100 * test.result.change
    return values


def pair_matrix(
    tests: Sequence[PairTest], *, names: Sequence[str], selected: tuple[int, int] | None = None
) -> go.Figure:
    """Draw a cell for each pair; one that passes Holm's correction has a star.

    A selected point's ``customdata`` is ``[row, column]``.

    Args:
        tests: Of all pairs, of which at least one could be compared.
        names: Of the runs, in their order.
        selected: A (row, column) cell to frame.
    """
    k = len(names)
    values = difference_matrix(tests, runs=k)
    by_cell = {cell: test for test in tests for cell in ((test.a, test.b), (test.b, test.a))}
    figure = go.Figure()
    largest = max(float(np.nanmax(np.abs(values))), 1.0)
    figure.add_heatmap(
        z=values, zmin=-largest, zmax=largest, colorscale=DIFFERENCE_SCALE, xgap=2, ygap=2, showscale=False,
        text=[[_cell_text(values[row, column], by_cell.get((row, column))) for column in range(k)] for row in range(k)],
        texttemplate="%{text}", textfont={"size": 14 if k <= 6 else 11}, hoverinfo="skip", hoverongaps=False,
    )  # fmt: skip
    height = int(np.clip(46 * k + 110, 230, 620))
    cells = [cell for cell, test in by_cell.items() if test.result is not None]
    add_clickable_cells(figure, cells, hovertext=[_hover(by_cell[cell], cell, names) for cell in cells], size=30)
    if selected is not None:
        frame_cell(figure, selected, width=3)
    ticks = {"tickvals": list(range(k)), "fixedrange": True, "showgrid": False}
    figure.update_xaxes(
        ticks, title="... than this run", ticktext=[escape(shorten(name, length=14)) for name in names],
        range=[-0.5, k - 0.5], tickangle=-35,
    )  # fmt: skip
    figure.update_yaxes(
        ticks, title="This run is better by ...", ticktext=[escape(shorten(name, length=18)) for name in names],
        range=[k - 0.5, -0.5],
    )  # fmt: skip
    figure.update_layout(dragmode=False, hovermode="closest", hoverdistance=-1, margin={"t": 8})
    return finish(figure, alt=_alt(tests, names), height=height)


def _cell_text(value: float, test: PairTest | None) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:+.1f}{'*' if test is not None and test.p_holm < LEVEL else ''}"


def _hover(test: PairTest, cell: tuple[int, int], names: Sequence[str]) -> str:
    row, column = cell
    found = (test if row == test.b else test.turned()).result
    assert found is not None
    low, high = (100 * end for end in found.interval)
    return (
        f"<b>{hover_name(names[row])}</b> against {hover_name(names[column])}<br>"
        f"{100 * found.change:+.1f} points (95 % interval {low:+z.1f} to {high:+z.1f})<br>"
        f"Right in the former only: {found.fixed} · in the latter only: {found.broken}<br>"
        f"McNemar's p {found.p_value:.3g}, corrected by Holm {test.p_holm:.3g}"
    )


def _alt(tests: Sequence[PairTest], names: Sequence[str]) -> str:
    known = [(test, test.result) for test in tests if test.result is not None]
    clear = sorted((each for each in known if each[0].p_holm < LEVEL), key=lambda each: each[0].p_holm)
    told = [
        f"{shorten(names[better])} over {shorten(names[worse])} by {100 * abs(result.change):.1f} points"
        for test, result in clear
        for better, worse in ([(test.b, test.a)] if result.change > 0 else [(test.a, test.b)])
    ]
    found = f"Significant by Holm's correction: {listed(told)}" if told else "None passes Holm's correction"
    return f"Differences in accuracy of {len(known)} pair{'s' if len(known) > 1 else ''} of runs. {found}."
