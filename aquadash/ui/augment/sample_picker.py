"""Which training images a page looks at: so many, the classes taking turns, others at a click, or a certain one."""

from __future__ import annotations

import secrets

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.ui import address, components, inputs

#: How many are shown to begin with, and at most.
DEFAULT, MOST = 4, 16

_COUNT = "image-count"


def pick(dataset: Dataset) -> list[int]:
    """Draw the controls; the choice is in the address under ``images``.

    Returns:
        Positions in the training split, 1 to :data:`MOST`.
    """
    total = len(dataset.train)
    default = spread(dataset, DEFAULT, seed=0)

    def decode(text: str) -> list[int]:
        positions = [int(part) for part in text.split(",")[:MOST]]
        if any(not 0 <= position < total for position in positions):
            raise ValueError(text)
        return positions

    expected = f"up to {MOST} numbers from 0 to {total - 1:,} with commas between"
    chosen = address.restore("images", decode, default=default, expected=expected)
    chosen = [position for position in chosen if position < total] or default
    st.session_state[_COUNT] = len(chosen)

    def other() -> None:
        address.assign("images", spread(dataset, len(chosen), seed=secrets.randbits(32)))

    def count() -> None:
        address.assign("images", resized(dataset, chosen, st.session_state[_COUNT]))

    def certain(label: int) -> None:
        of_class = np.flatnonzero(dataset.train.labels == label)
        position = int(of_class[min(st.session_state["number"], len(of_class)) - 1])
        address.assign("images", [position, *(kept for kept in chosen if kept != position)][:MOST])

    with st.container(horizontal=True, vertical_alignment="bottom"):
        inputs.number_input("How many", 1, MOST, step=1, key=_COUNT, on_change=count, width=130)
        st.button("Other images", icon="🔀", key="other-images", on_click=other)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = dataset.class_names
        label = inputs.selectbox(
            "A certain image: class",
            range(len(names)),
            format_func=lambda i: components.class_title(names[i]),
            key="class",
            width=170,
        )
        last = int((dataset.train.labels == label).sum())
        inputs.number_input("Number within the class", 1, last, step=1, key="number", width=180)
        st.button("Show it first", icon="🎯", key="certain", on_click=certain, args=(label,))
    address.record("images", ",".join(map(str, chosen)), default=",".join(map(str, default)))
    return chosen


def spread(dataset: Dataset, number: int, *, seed: int) -> list[int]:
    """Positions of training images, the classes taking turns."""
    generator = np.random.default_rng(seed)
    classes = len(dataset.class_names)
    return [int(generator.choice(np.flatnonzero(dataset.train.labels == i % classes))) for i in range(number)]


def resized(dataset: Dataset, positions: list[int], number: int) -> list[int]:
    """The first ``number`` of some positions, with others of the training split after them where there are too few."""
    others = (position for position in spread(dataset, 4 * MOST, seed=1) if position not in positions)
    added = list(dict.fromkeys(others))[: max(0, number - len(positions))]
    return [*positions, *added][:number]
