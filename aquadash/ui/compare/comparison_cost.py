"""What the accuracy of compared runs costs: time, and size of the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aquadash.figures.cost_accuracy import Priced, cost_accuracy
from aquadash.runs.cost import Cost
from aquadash.ui import bound, components
from aquadash.ui.compared import Compared
from aquadash.ui.glossary import term
from aquadash.ui.text import duration

_COST = "cost"


@dataclass(frozen=True)
class Price:
    """A kind of cost.

    Attributes:
        title: In the menu.
        axis: With its unit.
        value: Of a run; None where it is not known.
        text: For people.
    """

    title: str
    axis: str
    value: Callable[[Cost], float | None]
    text: Callable[[float], str]


#: By their word in the address.
PRICES = {
    "seconds": Price("Training time", "Training time, s", lambda cost: cost.seconds, lambda v: f"{duration(v)} in all"),
    "epoch": Price(
        "Time an epoch", "Seconds an epoch", lambda cost: cost.seconds_per_epoch, lambda v: f"{v:.2g} s an epoch"
    ),
    "parameters": Price(
        "Parameters", "Parameters of the network", lambda cost: cost.parameters, lambda v: f"{v:,.0f} parameters"
    ),
    "megabytes": Price(
        "File size", "Size of the network's file, MB", lambda cost: cost.megabytes, lambda v: f"{v:.2g} MB"
    ),
    "epochs": Price("Epochs", "Epochs trained", lambda cost: cost.epochs, lambda v: f"{v:.0f} epochs"),
}


def show(compared: Compared) -> None:
    """Draw accuracy against one cost, and all costs as a table."""
    st.subheader("What does the accuracy cost?", anchor=False, help=term("Pareto front"))
    titles = {word: price.title for word, price in PRICES.items()}
    word = bound.choice(_COST, titles, label="Cost", default="seconds", help=term("parameters"))
    price = PRICES[word]
    costs = compared.costs()
    title = f"{compared.images.capitalize()} accuracy"
    components.plot(cost_accuracy(priced(compared, costs, price), cost=price.axis, title=title), key="cost-chart")
    st.caption(
        "The dotted line is the Pareto front: no other of these runs is both cheaper and more accurate than those on "
        "it. Where intervals overlap, a run beside the front may be as good."
    )
    if word in ("seconds", "epoch"):
        st.caption("Times hold for the computer that trained, and for what else it had to do.")
    st.dataframe(
        cost_rows(compared, costs), hide_index=True, key="costs", placeholder="–",
        alt="What each run cost, a row a run",
        column_config={
            "Parameters": st.column_config.NumberColumn(format="localized", help=term("parameters")),
            "Seconds an epoch": st.column_config.NumberColumn(format="%.2f"),
            "File, MB": st.column_config.NumberColumn(format="%.1f"),
        },
    )  # fmt: skip


def priced(compared: Compared, costs: list[Cost], price: Price) -> list[Priced]:
    """The runs whose accuracy and cost are known."""
    found = []
    for index, (cost, evaluation) in enumerate(zip(costs, compared.evaluations(), strict=True)):
        value = price.value(cost)
        if value is None or evaluation is None:
            continue
        found.append(
            Priced(
                index, compared.names[index], float(value), evaluation.accuracy, evaluation.accuracy_ci95,
                price.text(value),
            )
        )  # fmt: skip
    return found


def cost_rows(compared: Compared, costs: list[Cost]) -> list[dict[str, Any]]:
    """A row a run."""
    title = f"{compared.images.capitalize()} accuracy"
    return [
        {
            "Run": name,
            title: None if found is None else f"{100 * found.accuracy:.1f} %",
            "Training time": None if cost.seconds is None else duration(cost.seconds),
            "Seconds an epoch": cost.seconds_per_epoch,
            "Epochs": cost.epochs,
            "Parameters": cost.parameters,
            "File, MB": cost.megabytes,
        }
        for name, cost, found in zip(compared.names, costs, compared.evaluations(), strict=True)
    ]
