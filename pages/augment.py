"""Augment: random changes that make more out of the training images."""

from __future__ import annotations

import secrets

import streamlit as st

from aquadash import augment, data
from aquadash.augment import PipelineSpec
from aquadash.data import Dataset
from aquadash.figures.theme import class_colour
from aquadash.ui import address, cache, components, gallery, sample_picker, shell
from aquadash.ui.glossary import term
from aquadash.ui.text import plain

MOST_DRAWS = 8
SEEDS = 2**32


def settings_bar() -> tuple[Dataset, PipelineSpec, int, int]:
    """Data set, pipeline, seed and number of draws."""
    sources, pipelines = list(data.SOURCES), list(augment.PIPELINES)
    address.choice("source", sources, default="synthetic")
    address.choice("pipeline", pipelines, default="notebook")
    address.integer("seed", default=0, low=0, high=SEEDS - 1)
    address.integer("draws", default=4, low=1, high=MOST_DRAWS)
    first, second = st.columns(2)
    source = first.selectbox("Data set", sources, key="source", format_func=lambda name: data.SOURCES[name].title)
    name = second.selectbox(
        "Pipeline",
        pipelines,
        key="pipeline",
        help=term("pipeline"),
        format_func=lambda name: augment.PIPELINES[name].title,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, SEEDS - 1, step=1, key="seed", help=term("seed"), width=180)
        st.button(
            "New draws",
            icon="🎲",
            key="new-draws",
            type="primary",
            help="Takes another seed, and with it other random changes.",
            on_click=lambda: address.assign("seed", secrets.randbelow(10_000)),
        )
        draws = st.number_input("Draws an image", 1, MOST_DRAWS, step=1, key="draws", width=150)
    for key, value, default in (
        ("source", source, "synthetic"),
        ("pipeline", name, "notebook"),
        ("seed", str(seed), "0"),
        ("draws", str(draws), "4"),
    ):
        address.record(key, value, default=default)
    return cache.dataset(source), augment.pipeline(name), seed, draws


def comparison(dataset: Dataset, spec: PipelineSpec, positions: list[int], *, seed: int, draws: int) -> None:
    """A row a sample: the original, then its draws, each labelled with the branch that made it."""
    made = cache.previews(dataset.name, tuple(positions), pipeline=spec.name, seed=seed, draws=draws)
    titles = [spec.branches[branch].title for branch in augment.preview_branches(spec, branch=None, draws=draws)]
    cards = []
    for row, position in enumerate(positions):
        name = dataset.class_names[dataset.train.labels[position]]
        colour = class_colour(name, int(dataset.train.labels[position]))
        title = components.class_title(name)
        alt = f"{name}, training image {position}"
        cards.append(
            gallery.Card(dataset.train.images[position], title, f"{alt}, original", f"no. {position}", accent=colour)
        )
        cards += [
            gallery.Card(made[draw, row], text, f"{alt}, draw {draw + 1}: {text}", accent="transparent")
            for draw, text in enumerate(titles)
        ]
    gallery.show(cards, size_rem=9, columns=1 + draws, label="Originals, each followed by its draws")


def explanation(dataset: Dataset, spec: PipelineSpec) -> None:
    """What the pipeline is made of, and how many images come out."""
    total = len(dataset.train)
    st.markdown(
        f"**{total:,} training images × {spec.factor} = {total * spec.factor:,}.** A run that holds some of them back "
        "for validation makes variants of the rest only. Validation and test images are never changed."
    )
    st.subheader("What each branch does", anchor=False, help=term("branch"))
    for number, branch in enumerate(spec.branches, start=1):
        lines = augment.describe(branch)
        steps = "\n".join(f"{' ' * (len(line) - len(line.lstrip()))}- {plain(line)}" for line in lines)
        st.markdown(f"**{number}. {plain(branch.title)}**\n\n{steps}")
    with st.expander("The same as Python code", icon=":material/code:"):
        st.code(augment.to_code(spec), language="python")


with shell.page("🎲 Augment", question="What does the network see when its training images are changed at random?"):
    dataset, spec, seed, draws = settings_bar()
    st.caption(plain(spec.summary))
    comparison(dataset, spec, sample_picker.pick(dataset), seed=seed, draws=draws)
    explanation(dataset, spec)
