"""The number of images of each class in each split."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from aquadash.figures.theme import OUTLINE_COLOUR, class_colour, class_label, finish, hover_name, listed, shorten

#: Splits differ by pattern, because the colours stand for the classes.
_PATTERNS = ("", "/", ".", "x")
#: With more bars the numbers above them would touch.
_MAX_NUMBERED = 24


def class_counts(counts: Mapping[str, Sequence[int]], *, class_names: Sequence[str]) -> go.Figure:
    """Draw the counts as bars side by side."""
    positions = list(range(len(class_names)))
    colours = [class_colour(name, index) for index, name in enumerate(class_names)]
    figure = go.Figure()
    for number, (split, values) in enumerate(counts.items()):
        shape = _PATTERNS[number % len(_PATTERNS)]
        pattern = {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.85)", "size": 6}
        figure.add_bar(
            x=positions,
            y=list(values),
            name=split,
            marker={"color": colours, "line": {"color": OUTLINE_COLOUR, "width": 1}, "pattern": pattern},
            text=list(values) if len(class_names) * len(counts) <= _MAX_NUMBERED else None,
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertext=[
                f"{hover_name(name)}, {split}: {value}" for name, value in zip(class_names, values, strict=True)
            ],
            hoverinfo="text",
        )
        # The legend shows the pattern on grey, because each class has its own colour.
        figure.add_bar(
            x=[None],
            y=[None],
            name=split,
            marker={"color": OUTLINE_COLOUR, "pattern": pattern},
            # A group of its own: otherwise the bars of the classes would leave room for it.
            offsetgroup="legend",
            xaxis="x2",
        )
    figure.update_xaxes(tickvals=positions, ticktext=[class_label(name) for name in class_names])
    figure.update_yaxes(title="Images")
    figure.update_layout(barmode="group", xaxis2={"overlaying": "x", "visible": False})
    return finish(figure, alt=_alt(counts, class_names), height=320, zoom=False)


def _alt(counts: Mapping[str, Sequence[int]], class_names: Sequence[str]) -> str:
    parts = []
    for split, values in counts.items():
        if len(set(values)) == 1:
            parts.append(f"{split}: {values[0]} in each of {len(values)} classes")
        else:
            each = [f"{shorten(name)} {value}" for name, value in zip(class_names, values, strict=True)]
            parts.append(f"{split}: {listed(each)}")
    return f"Images by class and split. {'; '.join(parts)}."
