"""The accuracy of compared runs, and its change from one to another by class, each with its 95 % interval."""

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation import AccuracyChange
from aquadash.evaluation.metrics import Evaluation
from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import (
    class_colour,
    class_label,
    empty_figure,
    escape,
    hover_name,
    listed,
    percent,
    run_colour,
    run_style,
    shorten,
)

#: Minimum length of the axis on each side, in points, so that small changes look small.
_MIN_REACH = 10.0


def metric_bars(runs: Sequence[tuple[str, Evaluation | None]], *, images: str = "test") -> go.Figure:
    """Draw a dot and its interval for each run, the most accurate on top."""
    shown = [(index, name, evaluation) for index, (name, evaluation) in enumerate(runs) if evaluation is not None]
    if not shown:
        return empty_figure(f"Pick runs that have predicted their {images} images to compare their accuracy here.")
    shown.sort(key=lambda entry: -entry[2].accuracy)
    dots = []
    for row, (index, name, evaluation) in enumerate(shown):
        accuracy, (low, high) = evaluation.accuracy, evaluation.accuracy_ci95
        hover = (
            f"<b>{hover_name(name)}</b><br>{100 * accuracy:.1f} % of {evaluation.n} {images} images right"
            f"<br>95 % interval {100 * low:.1f} % to {100 * high:.1f} %"
        )
        dots.append(Dots([row], [accuracy], [(low, high)], [hover], run_style(index, name, size=12)))
    each = [f"{shorten(name)} {percent(run.accuracy, run.accuracy_ci95)}" for _, name, run in shown]
    labels = [escape(shorten(name)) for _, name, _ in shown]
    subject = f"{images.capitalize()} accuracy"
    # Beside long names a phone has no room for the title in one line.
    title, alt = f"{subject}<br>with its 95 % interval", f"{subject} with its 95 % interval: {listed(each, most=10)}."
    return dot_rows(labels, dots, title=title, alt=alt, row_height=40)


def paired_change(rows: Sequence[AccuracyChange], *, class_names: Sequence[str], images: str) -> go.Figure:
    """Draw a dot and its interval for each row, left of zero where accuracy was lost; the first row is overall."""
    dots, each = [], []
    for position, row in enumerate(rows):
        low, high = (100 * end for end in row.interval)
        colour = run_colour(0) if position == 0 else class_colour(row.label, class_names.index(row.label))
        # A filled dot: the interval does not contain 0.
        symbol = "circle" if low > 0 or high < 0 else "circle-open"
        marker = {"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2, "color": colour}}
        hover = (
            f"<b>{hover_name(row.label)}</b><br>{100 * row.before:.1f} → {100 * row.after:.1f} % of {row.n} images<br>"
            f"change {100 * row.change:+.1f} points, 95 % interval {low:+z.1f} to {high:+z.1f}<br>"
            f"{row.fixed} fixed, {row.broken} newly broken"
        )
        dots.append(Dots([position], [row.change], [row.interval], [hover], {"marker": marker}))
        each.append(f"{shorten(row.label)} {100 * row.change:+.0f} points ({low:+.0f} to {high:+.0f})")
    figure = dot_rows(
        ["<b>all</b>", *(class_label(row.label) for row in rows[1:])],
        dots,
        title=f"Change of accuracy on {images} images, in points",
        alt=f"Change of accuracy on {images} images with its 95 % interval: {listed(each, most=12)}.",
        unit="",
        row_height=38,
        reference=0.0,
    )
    reach = max(_MIN_REACH, *(100 * abs(end) for row in rows for end in row.interval)) * 1.06
    return figure.update_xaxes(range=[-reach, reach], tickformat="+d")
