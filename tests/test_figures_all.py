"""Every chart draws, says in words what it shows and keeps names as text; before there is data, some give a hint."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module

import plotly.graph_objects as go
import pytest

from aquadash.figures import theme

#: The modules of tests that have a table of charts with data, ``FIGURES``, or of some before there is any, ``EMPTY``.
MODULES = ("architecture", "charts", "comparison", "evaluation", "robustness", "schedule", "search")


def tables(name: str) -> dict[str, Callable[[], go.Figure]]:
    modules = {module: getattr(import_module(f"tests.test_figures_{module}"), name, {}) for module in MODULES}
    return {f"{module}: {key}": draw for module, table in modules.items() for key, draw in table.items()}


FIGURES, EMPTY = tables("FIGURES"), tables("EMPTY") | {"markup": lambda: theme.empty_figure("<b>Nothing</b> here yet.")}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_and_keeps_names_as_text(name: str) -> None:
    figure = FIGURES[name]()
    drawn = json.loads(figure.to_json(validate=True))
    assert figure.data and figure.layout.height
    assert len(theme.alt_text(figure)) > 20 and theme.alt_text(figure).endswith(".")
    template = drawn["layout"]["template"]["layout"]
    assert template["paper_bgcolor"] == "rgba(0, 0, 0, 0)" and "font" not in template | drawn["layout"]
    # The text alternative is no markup; all the rest is what plotly draws.
    del drawn["layout"]["meta"], drawn["layout"]["template"]
    assert "<a href" not in json.dumps(drawn) and "%{x}</a>" not in json.dumps(drawn)
    for trace in drawn["data"]:
        parts = (trace, trace.get("marker", {}), trace.get("line", {}))
        assert any(part.keys() & {"color", "colorscale", "fillcolor"} for part in parts) or trace["mode"] == "text"


@pytest.mark.parametrize("name", EMPTY)
def test_before_there_is_data_a_figure_gives_a_hint(name: str) -> None:
    figure = EMPTY[name]()
    figure.to_json(validate=True)
    assert not figure.data and len(theme.alt_text(figure)) > 20
    assert figure.layout.annotations[0].text == theme.escape(theme.alt_text(figure))
