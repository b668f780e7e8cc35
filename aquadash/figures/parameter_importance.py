"""How much each setting of a search decided."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from aquadash.figures.theme import (
    TRAINING_COLOUR,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    percent,
    rows_axis,
    shorten,
)


def parameter_importance(fractions: Mapping[str, float]) -> go.Figure:
    """Draw a bar for each setting, the most important on top.

    Args:
        fractions: Setting as people call it -> its share in the differences between trials, 0 to 1.
    """
    if not fractions:
        return empty_figure("Which setting decides is estimated once some trials have ended with different results.")
    ranked = sorted(fractions.items(), key=lambda item: -item[1])
    figure = go.Figure()
    figure.add_bar(
        x=[100 * fraction for _, fraction in ranked],
        y=list(range(len(ranked))),
        orientation="h",
        marker={"color": TRAINING_COLOUR},
        text=[percent(fraction) for _, fraction in ranked],
        textposition="outside",
        cliponaxis=False,
        customdata=[hover_name(name) for name, _ in ranked],
        hovertemplate="%{customdata}: %{x:.0f} %<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="Share in the differences between trials", ticksuffix=" %", range=[0, 112], showgrid=True)
    figure.update_yaxes(rows_axis([escape(shorten(name)) for name, _ in ranked]))
    figure.update_layout(hovermode="closest", margin={"t": 8}, dragmode=False)
    each = [f"{shorten(name)} {percent(fraction)}" for name, fraction in ranked]
    return finish(figure, alt=f"What decided the trials: {listed(each)}.", height=90 + 36 * len(ranked))
