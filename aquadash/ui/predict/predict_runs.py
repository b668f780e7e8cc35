"""Which runs' networks look at the pictures, and test images to show them where there are no pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aquadash.errors import AquaDashError, DataError
from aquadash.figures.theme import class_colour
from aquadash.runs.types import Run
from aquadash.ui import address, components, datasets, gallery, inputs, run_lists
from aquadash.ui.gallery import bars, class_text
from aquadash.ui.predictions import Network, model_key, predictor
from aquadash.ui.text import plain

#: So many answers fit side by side and can still be compared.
MOST_RUNS = 4

_KEY = "beside"


def choose_more_runs(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Draw the menu of runs that look at the same pictures, too; they stand in the address under ``beside``.

    Args:
        run: The run that was chosen already.
        runs: All of them.
    """
    by_id = {each.run_id: each for each in runs if run_lists.has_results(each) and each.run_id != run.run_id}
    most = MOST_RUNS - 1

    def decode(text: str) -> list[str]:
        ids = list(dict.fromkeys(part for part in text.split(",") if part and part != run.run_id))
        if len(ids) > most or not set(ids) <= set(by_id):
            raise ValueError(text)
        return ids

    before = list(st.session_state.get(_KEY) or ())
    if any(run_id not in by_id for run_id in before):
        st.session_state[_KEY] = [run_id for run_id in before if run_id in by_id]
    if not by_id:
        return []
    nobody: list[str] = []
    address.restore(_KEY, decode, default=nobody, expected=f"the ids of at most {most} other runs with a network")
    picked = inputs.multiselect(
        "Compare with",
        list(by_id),
        key=_KEY,
        max_selections=most,
        format_func=lambda run_id: components.run_label(by_id[run_id]),
        placeholder="Other runs that look at the same pictures",
        help=f"At most {MOST_RUNS} runs side by side. The true labels are chosen from the classes of the first.",
    )
    address.record(_KEY, ",".join(picked), default="")
    return [by_id[run_id] for run_id in picked]


def networks(runs: Sequence[Run]) -> tuple[list[Run], list[Network]]:
    """The runs whose model can be loaded, with their networks; of the others, beside a first one, a message.

    Raises:
        AquaDashError: The first run's model cannot be loaded.
    """
    usable: list[Run] = []
    loaded: list[Network] = []
    for run in runs:
        try:
            network = Network(run.name, model_key(run), predictor(run))
        except AquaDashError as error:
            if not loaded:
                raise
            st.warning(f"**{plain(run.name)}**: {plain(str(error))}", icon="🚧")
            continue
        usable.append(run)
        loaded.append(network)
    return usable, loaded


#: At most so many test images are tried at once: one a class, of the first classes.
MOST_SAMPLES = 10

#: Draws of test images are numbered; the number stands in the address.
LAST_SAMPLE = 9999


def sample_wanted() -> bool:
    """Draw the buttons that draw test images and put them away; whether there are some to show."""
    number = address.number("sample", default=0, low=0, high=LAST_SAMPLE)
    with st.container(horizontal=True):
        st.button(
            "Other test images" if number else "Try some test images",
            icon="🎲",
            key="draw-sample",
            on_click=address.assign,
            args=("sample", number % LAST_SAMPLE + 1),
            help="One image of each class from the run's own data set; the network has not learnt from them.",
        )
        if number:
            st.button("Hide", key="no-sample", on_click=address.assign, args=("sample", 0), type="tertiary")
    address.record("sample", str(number), default="0")
    return number > 0


def render_samples(runs: Sequence[Run], networks: Sequence[Network]) -> None:
    """Draw the test images with each network's answers; they are of the first run's data set."""
    dataset = datasets.dataset(runs[0].config.data.source)
    generator = np.random.default_rng(st.session_state["sample"])
    of_class = (np.flatnonzero(dataset.test.labels == label) for label in range(len(dataset.class_names)))
    drawn = [int(generator.choice(positions)) for positions in of_class if len(positions)][:MOST_SAMPLES]
    for network in networks:
        predictor = network.predictor
        if len(networks) > 1:
            st.markdown(f"**{plain(network.name)}**")
        if dataset.image_shape != predictor.image_shape or dataset.class_names != predictor.class_names:
            text = (
                f"The data set {dataset.title} has changed since this run was trained: its images no longer fit the "
                "network. Choose a newer run, or drop a picture of your own."
            )
            if len(networks) == 1:
                raise DataError(text)
            st.warning("This run was trained on images of another size or of other classes.", icon="🧩")
            continue
        answers = predictor.predict_images(dataset.test.images[drawn])
        cards = []
        for position, shares in zip(drawn, answers, strict=True):
            label, answer = int(dataset.test.labels[position]), int(shares.argmax())
            true, given = dataset.class_names[label], dataset.class_names[answer]
            verdict = "✔ right" if label == answer else f"✘ it is: {class_text(true)}"
            cards.append(
                gallery.Card(
                    image=dataset.test.images[position],
                    title=f"{class_text(given)}, {100 * float(shares[answer]):.0f} %",
                    subtitle=verdict,
                    alt=f"Test image {position} of class {true}; the network says {given}",
                    bars=bars(shares, class_names=dataset.class_names, true_class=label),
                    accent=class_colour(given, answer),
                )
            )
        gallery.show(cards, size_rem=8, label=f"Test images with the answers of {network.name}")
