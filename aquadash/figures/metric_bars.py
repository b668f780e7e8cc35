"""The accuracy of compared runs, each with its 95 % interval."""

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation.metrics import Evaluation
from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import empty_figure, escape, hover_name, listed, percent, run_style, shorten


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
    what = f"{images.capitalize()} accuracy"
    # Beside long names a phone has no room for the title in one line.
    title, alt = f"{what}<br>with its 95 % interval", f"{what} with its 95 % interval: {listed(each, most=10)}."
    return dot_rows(labels, dots, title=title, alt=alt, row_height=40)
