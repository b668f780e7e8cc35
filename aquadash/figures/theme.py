"""The template, colours, emoji, escapes and text alternatives of all figures.

Conventions of every chart in this room:

* It takes data first, options by keyword, and returns a ``go.Figure`` finished by :func:`finish`.
* ``figure.layout.meta["alt"]`` is its text alternative, a sentence or two of plain text. :func:`alt_text` reads it:
  ``st.plotly_chart(figure, alt=alt_text(figure))``.
* Before there is data it returns an :func:`empty_figure`.
* Names that people typed go through :func:`escape` (or :func:`shorten` and then :func:`escape`) before they reach the
  figure, for plotly reads its texts as a subset of HTML.
* Every trace names its colour, because Streamlit's theme colours do not reach ``plotly.graph_objects`` traces.
"""

import colorsys
import html
import unicodedata
from collections.abc import Sequence

# Race: Plotly fails if another thread is importing pandas at that moment. Importing it here waits for that thread.
import pandas  # noqa: F401
import plotly.graph_objects as go
import plotly.io as pio

from aquadash.evaluation.metrics import percent as percent

TEMPLATE = "aquadash"

#: The palette of M. Okabe and K. Ito, "Color Universal Design" (2008), one hue a class.
CLASS_COLOURS: dict[str, str] = {
    "beaver": "#D55E00",
    "dolphin": "#0072B2",
    "otter": "#E69F00",
    "seal": "#009E73",
    "whale": "#CC79A7",
}

#: Three of our own replace the palette's others, which have too little contrast on light pages. All eight differ under
#: protanopia and deuteranopia, too (CIE76 difference of 16 or more).
_OTHER_COLOURS: tuple[str, ...] = ("#4866D8", "#D21A2D", "#317B3A", *CLASS_COLOURS.values())

EMOJI: dict[str, str] = {"beaver": "🦫", "dolphin": "🐬", "otter": "🦦", "seal": "🦭", "whale": "🐋"}

# All of the following have a contrast of at least 3:1 (WCAG 2.2, 1.4.11) on white and on the dark page's #0b1d2a.
TRAINING_COLOUR = "#2E8BC0"
VALIDATION_COLOUR = "#E0661B"
RIGHT_COLOUR = "#2E8BC0"
WRONG_COLOUR = "#E0661B"
CHANNELS = ("Red", "Green", "Blue")
CHANNEL_COLOURS = ("#D64550", "#2A9461", "#3B82D6")
#: For compared runs. They differ under protanopia and deuteranopia, too (CIE76 difference of 20 or more; of 16 with the
#: last two).
RUN_COLOURS = tuple("#018BC5 #F06324 #7A38F7 #1B7467 #919371 #D21A2D #179BA9 #4866D8 #317B3A #DE4A94".split())
#: Line styles: a second sign beside the colours, and the only one between runs of the same colour.
RUN_DASHES: tuple[str, ...] = ("solid", "dash", "dot", "dashdot")

#: Symbols of runs that are drawn as points.
RUN_MARKERS = tuple("circle square diamond triangle-up x star triangle-down cross pentagon hexagram".split())

#: Grid lines, outlines and marks: a grey half-way between the two pages' backgrounds.
GRID_COLOUR = "rgba(125, 145, 160, 0.28)"
OUTLINE_COLOUR = "rgba(125, 145, 160, 0.9)"

#: Frames what is selected, and marks the threshold in force.
SELECTED_COLOUR = "#FFB000"
_TRANSPARENT = "rgba(0, 0, 0, 0)"

#: Longer names are cut in legends and on axes; the hover label has up to :data:`_MAX_HOVER_NAME` letters.
MAX_NAME = 28
_MAX_HOVER_NAME = 200

#: Pixels. Plotly leaves out a number at the end of an axis, such as "100 %", that has no room at the right.
_RIGHT_MARGIN = 24

_AXIS = {
    "gridcolor": GRID_COLOUR,
    "linecolor": GRID_COLOUR,
    "zerolinecolor": GRID_COLOUR,
    "zeroline": False,
    "automargin": True,
    "title": {"standoff": 12},
}

pio.templates[TEMPLATE] = go.layout.Template(
    layout={
        "paper_bgcolor": _TRANSPARENT,
        "plot_bgcolor": _TRANSPARENT,
        "margin": {"l": 8, "r": _RIGHT_MARGIN, "t": 36, "b": 8},
        "xaxis": _AXIS | {"showgrid": False},
        "yaxis": _AXIS | {"showgrid": True},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "hoverlabel": {"namelength": -1, "align": "left"},
        "colorway": list(RUN_COLOURS),
        "barcornerradius": 3,
    }
)


def class_colour(name: str, index: int) -> str:
    """Return the colour of a class in every chart: fixed for the five aquatic mammals, else by the label ``index``."""
    if name in CLASS_COLOURS or index < len(_OTHER_COLOURS):
        return CLASS_COLOURS.get(name) or _OTHER_COLOURS[index]
    # Beyond the palette hues are a golden angle apart, so that neighbours differ clearly.
    hue, lightness = index * 0.381966 % 1.0, (0.40, 0.52, 0.62)[index % 3]
    return "#" + "".join(f"{round(255 * value):02X}" for value in colorsys.hls_to_rgb(hue, lightness, 0.6))


def class_emoji(name: str) -> str:
    """Return the class's emoji, or an empty text if it has none."""
    return EMOJI.get(name, "")


def class_label(name: str) -> str:
    """Return emoji and name, shortened and escaped."""
    return f"{class_emoji(name)} {escape(shorten(name))}".strip()


def run_colour(index: int) -> str:
    """Return the colour of the run at this position among those compared."""
    return RUN_COLOURS[index % len(RUN_COLOURS)]


def run_dash(index: int) -> str:
    """Return a run's line style: neighbours differ, and so do runs of the same colour."""
    return RUN_DASHES[(index + index // len(RUN_COLOURS)) % len(RUN_DASHES)]


def run_style(index: int, name: str, *, size: float = 8, width: float = 2) -> dict[str, object]:
    """Return the name, colour, line style and marker of a run's trace, by the run's position."""
    colour = run_colour(index)
    return {
        "name": escape(shorten(name)),
        "line": {"color": colour, "width": width, "dash": run_dash(index)},
        "marker": {"color": colour, "size": size, "symbol": RUN_MARKERS[index % len(RUN_MARKERS)]},
    }


def isolated(text: str) -> str:
    """Put the marks FSI and PDI (Unicode's UAX 9) around right-to-left text: otherwise the text after it moves."""
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    return f"\u2068{text}\u2069" if from_right else text


def shorten(name: str, *, length: int = MAX_NAME) -> str:
    """Return the name on one line, at most ``length`` characters; a longer one loses its middle to an ellipsis.

    Names that begin alike mostly differ at their end: "... with" and "... without", a seed, the start of an id.
    Right-to-left text is :func:`isolated`.
    """
    # Joiners are part of the spelling in Persian, Hindi and emoji.
    kept = (letter if letter.isprintable() or letter in "\u200c\u200d" else " " for letter in name)
    line = " ".join("".join(kept).split())
    if len(line) <= length:
        return isolated(line)
    end = (length - 1) * 2 // 5
    return isolated(f"{line[: length - 1 - end].rstrip()}…{line[len(line) - end :].lstrip()}")


def escape(text: str) -> str:
    """Escape a text for Plotly, which reads tags, ``%{...}`` of hover templates and formulas between ``$``."""
    return html.escape(text, quote=False).replace("%", "&#37;").replace("$", "&#36;")


def hover_name(name: str) -> str:
    """Return a whole name for a hover label, escaped and broken into lines."""
    line = shorten(name, length=_MAX_HOVER_NAME).strip("\u2068\u2069")
    return "<br>".join(escape(isolated(line[start : start + 50])) for start in range(0, len(line), 50))


def listed(texts: Sequence[str], *, most: int = 6) -> str:
    """Join texts with commas for a text alternative; those after the first ``most`` are only counted."""
    left = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {left} more" if left > 0 else "")


def finish(figure: go.Figure, *, alt: str, height: int, zoom: bool = True) -> go.Figure:
    """Put the template, the height (in pixels) and the text alternative on a figure and return it."""
    if not zoom:
        figure.update_xaxes(fixedrange=True).update_yaxes(fixedrange=True).update_layout(dragmode=False)
    # Streamlit's theme has margins of its own, which the template does not change.
    if figure.layout.margin.r is None:
        figure.layout.margin.r = _RIGHT_MARGIN
    figure.update_layout(template=TEMPLATE, height=height, meta={"alt": alt})
    return figure


def alt_text(figure: go.Figure) -> str:
    """Return the text alternative that :func:`finish` put on a figure."""
    return str(figure.layout.meta["alt"])


def empty_figure(hint: str, *, height: int = 280) -> go.Figure:
    """Return a figure without data: no axes, but a hint that says how to get the chart."""
    figure = go.Figure()
    figure.add_annotation(text=escape(hint), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return finish(figure, alt=hint, height=height, zoom=False)


def epoch_axis(last_epoch: int) -> dict[str, object]:
    """Return an x axis with at most about ten whole epochs as ticks."""
    step = next(size * 10**power for power in range(7) for size in (1, 2, 5) if last_epoch <= 10 * size * 10**power)
    axis: dict[str, object] = {"title": "Epoch", "tick0": 0 if step > 1 else 1, "dtick": step, "tickformat": "d"}
    # With a single epoch Plotly would put ticks at fractions of it.
    return axis | ({"range": [0.5, 1.5]} if last_epoch == 1 else {})


def rows_axis(texts: Sequence[str]) -> dict[str, object]:
    """Return a vertical axis with a row for each text, the first on top."""
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
        "range": [len(texts) - 0.5, -0.5],
        "showgrid": False,
    }


def whiskers(fractions: Sequence[float], intervals: Sequence[tuple[float, float] | None]) -> dict[str, object]:
    """Return Plotly's ``error_x`` or ``error_y`` of fractions that are drawn in per cent."""
    pairs = [(mark, ends or (mark, mark)) for mark, ends in zip(fractions, intervals, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - mark) for mark, (_, high) in pairs],
        "arrayminus": [100 * (mark - low) for mark, (low, _) in pairs],
        "thickness": 2,
        "width": 5,
    }


def add_guessing_line(figure: go.Figure, accuracy: float) -> None:
    """Draw a line at the accuracy of guessing, 0 to 1, on a chart of accuracies in per cent."""
    figure.add_hline(
        y=100 * accuracy,
        line={"color": OUTLINE_COLOUR, "width": 1, "dash": "dot"},
        annotation={"text": "guessing", "font": {"size": 11}},
        annotation_position="bottom left",
    )
