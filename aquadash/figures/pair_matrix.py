"""The difference in accuracy of each pair of compared runs, and its significance."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from aquadash.evaluation.compare import LEVEL, PairTest
from aquadash.figures.cells import cells
from aquadash.figures.theme import escape, hover_name, listed, shorten

#: With more runs the names below the columns are turned by 90 degrees.
_MAX_UPRIGHT = 4
#: Maximum letters in a line of an upright name.
_LINE = 9


def pair_matrix(
    tests: Sequence[PairTest], *, names: Sequence[str], selected: tuple[int, int] | None = None
) -> go.Figure:
    """Draw by how many points the row's run is better than the column's; ``customdata`` is ``[row, column]``.

    A star marks the differences that pass Holm's correction. Pairs without a test have no colour.
    """
    k = len(names)
    by_cell: dict[tuple[int, ...], PairTest]
    by_cell = {(test.b, test.a): test for one in tests for test in (one, one.turned()) if test.result is not None}
    points = {cell: 100 * test.result.change for cell, test in by_cell.items() if test.result is not None}
    values = np.full((k, k), np.nan)
    for cell, change in points.items():
        values[cell] = change

    def text(*cell: int) -> str:
        return f"{points[cell]:+.1f}{'*' if by_cell[cell].p_holm < LEVEL else ''}" if cell in points else ""

    def hover(*cell: int) -> str:
        test = by_cell.get(cell)
        if test is None or test.result is None:
            return ""
        low, high = (100 * end for end in test.result.interval)
        return (
            f"<b>{hover_name(names[test.b])}</b> against {hover_name(names[test.a])}<br>"
            f"{100 * test.result.change:+.1f} points (95 % interval {low:+z.1f} to {high:+z.1f})<br>"
            f"Only the first is right: {test.result.fixed} images · only the second: {test.result.broken}<br>"
            f"McNemar's p {test.result.p_value:.3g}, corrected by Holm {test.p_holm:.3g}"
        )

    figure = cells(
        values / max(float(np.nanmax(np.abs(values))), 1.0),
        text=text,
        hover=hover,
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
