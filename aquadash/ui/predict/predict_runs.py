"""Which runs' networks look at the pictures, and test images to show them where there are no pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aquadash.errors import AquaDashError, DataError
from aquadash.figures.theme import class_colour
from aquadash.runs.types import Run
from aquadash.ui import address, bound, components, datasets, gallery, image_dialog, run_lists
from aquadash.ui.gallery import bars, class_text
from aquadash.ui.predictions import Network, model_key, predictor
from aquadash.ui.text import plain

#: So many answers fit side by side and can still be compared.
MAX_RUNS = 4

_KEY = "beside"


def choose_more_runs(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Draw the menu of runs that look at the same pictures, too; they stand in the address under ``beside``.

    Args:
        run: The run that was chosen already.
        runs: All of them.
    """
    by_id = {each.run_id: each for each in runs if run_lists.has_results(each) and each.run_id != run.run_id}
    if not by_id:
        st.session_state.pop(_KEY, None)
        return []
    picked = bound.choices(
        _KEY,
        {run_id: components.run_label(each) for run_id, each in by_id.items()},
        label="Compare with",
        ignored=(run.run_id,),
        expected=f"the ids of at most {MAX_RUNS - 1} other runs with a network",
        max_selections=MAX_RUNS - 1,
        placeholder="Other runs that look at the same pictures",
        help=f"At most {MAX_RUNS} runs side by side. The true labels are chosen from the classes of the first.",
    )
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
MAX_SAMPLES = 10

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
    drawn = [int(generator.choice(positions)) for positions in of_class if len(positions)][:MAX_SAMPLES]
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
        for position, y_prob in zip(drawn, answers, strict=True):
            label, answer = int(dataset.test.labels[position]), int(y_prob.argmax())
            true, given = dataset.class_names[label], dataset.class_names[answer]
            verdict = "✔ right" if label == answer else f"✘ it is: {class_text(true)}"
            cards.append(
                gallery.Card(
                    image=dataset.test.images[position],
                    title=f"{class_text(given)}, {100 * float(y_prob[answer]):.0f} %",
                    subtitle=verdict,
                    alt=f"Test image {position} of class {true}; the network says {given}",
                    bars=bars(y_prob, class_names=dataset.class_names, true_class=label),
                    accent=class_colour(given, answer),
                    opens=f"test-{position}",
                )
            )
        gallery.show(cards, size_rem=8, label=f"Test images with the answers of {network.name}")
    image_dialog.clickable(*(run for run in runs if run.config.data.source == dataset.name))
