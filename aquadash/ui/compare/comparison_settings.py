"""The settings of compared runs with their accuracy, and their cost in time and size."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from aquadash.config import DEFINITIONS, flatten, pipeline_versions
from aquadash.figures.cost_accuracy import cost_accuracy
from aquadash.store.types import Run
from aquadash.ui.kit import bound, components
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.compared import Compared
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, duration, percent, plain

_DASH = "–"
#: Maximum number of settings in a line.
_MAX_LISTED = 3

_ALL = "every"


def differences(compared: Compared, ranking: Sequence[int]) -> str:
    """Describe the differing settings in markdown, of two runs with their values; the best run of the ranking first."""
    rows = settings_table(compared.runs, everything=False)
    # Leave out settings that depend on another differing one.
    rows = [(label, values) for label, values in rows if _DASH not in values] or rows
    if not rows:
        return "All settings that matter are the same, including the seed."
    texts = [plain(label) for label, _ in rows]
    if len(compared.runs) == 2:
        best = ranking[0] if ranking else 0
        texts = [f"{plain(label)}: {plain(values[best])} vs {plain(values[1 - best])}" for label, values in rows]
    if [label for label, _ in rows] == [fields.label("seed")]:
        return f"Only the seed differs ({texts[0]}), so the gap comes from chance in training."
    if len(rows) == 1:
        return f"**Different:** {texts[0]}"
    such_as, first = ", such as" if len(rows) > _MAX_LISTED else ":", " · ".join(texts[:_MAX_LISTED])
    return f"**{len(rows)} settings differ{such_as}** {first}. None of them can be named the cause."


def render_settings(compared: Compared) -> None:
    """Draw the settings, a column a run, with the accuracy on top."""
    evaluations = compared.results.evaluations
    options = {"no": "Only what differs", "yes": "Everything"}
    shown = bound.choice(_ALL, options, label="Settings shown", label_visibility="collapsed")
    measured = [_DASH if one is None else str(percent(one.accuracy, one.accuracy_ci95)) for one in evaluations]
    accuracy = (f"{compared.images.capitalize()} accuracy", measured)
    titles, values = zip(accuracy, *settings_table(compared.runs, everything=shown == "yes"), strict=True)
    table = pd.DataFrame(values, pd.Index(titles, name="Setting"), columns=list(compared.names))
    alt = "Accuracy and settings, a row a setting, a column a run"
    st.dataframe(table, alt=alt, key="settings", height="content")


def settings_table(runs: Sequence[Run], *, everything: bool) -> list[tuple[str, list[str]]]:
    """Return the labels and values of differing settings, or of ``everything``; a dash for one without effect."""
    flat = []
    for run in runs:
        values = flatten(run.config)
        effective = fields.effective(values)
        flat.append({name: value if name in effective else None for name, value in values.items()})
    rows = []
    for name in flat[0] if flat else ():
        column = [each[name] for each in flat]
        if name == DEFINITIONS and not everything:
            # Show definitions only if the runs have different pipelines of the same name.
            column = list(pipeline_versions([run.config for run in runs]) or [""])
        if everything or any(value != column[0] for value in column):
            texts = [_DASH if value is None else fields.value_text(name, value) for value in column]
            rows.append((fields.label(name), texts))
    return rows


class Price(NamedTuple):
    """A kind of cost."""

    #: Title in the menu.
    title: str
    #: Title of the axis, with the unit.
    axis: str
    #: Attribute of :class:`aquadash.training.forecast.Cost`.
    field: str
    #: Text of a value.
    text: Callable[[float], str]


#: Kinds of cost by their word in the address.
PRICES = {
    "seconds": Price("Training time", "Training time, s", "seconds", lambda v: f"{duration(v)} in total"),
    "epoch": Price("Time per epoch", "Seconds per epoch", "seconds_per_epoch", "{:.2g} s per epoch".format),
    "parameters": Price("Parameters", "Parameters of the network", "parameters", "{:,.0f} parameters".format),
    "megabytes": Price("File size", "Size of the network's file, MB", "megabytes", "{:.2g} MB".format),
    "epochs": Price("Epochs", "Epochs trained", "epochs", lambda v: count(round(v), "epoch")),
}


def render_cost(compared: Compared) -> None:
    """Draw accuracy against one cost, and all costs as a table."""
    titles = {word: price.title for word, price in PRICES.items()}
    word = bound.choice("cost", titles, label="Cost", default="seconds", help=term("Pareto front"))
    price = PRICES[word]
    costs, evaluations = [lab().runs.cost(run.run_id) for run in compared.runs], compared.results.evaluations
    title = f"{compared.images.capitalize()} accuracy"
    runs = list(zip(compared.names, evaluations, (getattr(cost, price.field) for cost in costs), strict=True))
    measured = [index for index, (_, evaluation, _) in enumerate(runs) if evaluation is not None]
    # A single run with results is not "measured on other images".
    together = measured if len(measured) == 1 else compared.measured_together()
    chart = cost_accuracy(runs, cost=price.axis, title=title, text=price.text, together=together)
    components.render_plot(chart, key="cost-chart")
    others = [plain(compared.names[index]) for index in measured if index not in together]
    if others:
        st.caption(f"Measured on other images, so not on the Pareto front: {', '.join(others)}.")
    if word in ("seconds", "epoch"):
        st.caption("Times depend on the computer.")
    render_columns(
        Column("Run", compared.names),
        Column(
            title, [None if evaluation is None else f"{100 * evaluation.accuracy:.1f} %" for evaluation in evaluations]
        ),
        Column("Training time", [None if cost.seconds is None else duration(cost.seconds) for cost in costs]),
        number_column("Seconds per epoch", [cost.seconds_per_epoch for cost in costs], "%.2f"),
        Column("Epochs", [cost.epochs for cost in costs]),
        number_column("Parameters", [cost.parameters for cost in costs], "localized", help=term("parameters")),
        number_column("File, MB", [cost.megabytes for cost in costs], "%.1f"),
        alt="What each run cost, a row a run",
        key="costs",
        placeholder="–",
    )
