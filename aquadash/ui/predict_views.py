"""The two things that Predict shows: answers for dropped pictures, and for test images to try."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aquadash.errors import DataError
from aquadash.figures.theme import class_colour
from aquadash.runs.types import Run
from aquadash.ui import address, cache, gallery, predictions
from aquadash.ui.predictions import Upload
from aquadash.ui.predictor import model_key, predictor
from aquadash.ui.probabilities import bars, class_text
from aquadash.ui.text import count, plain

PER_PAGE = 20

#: At most so many test images are tried at once: one a class, of the first classes.
MOST_SAMPLES = 10

#: Draws of test images are numbered; the number stands in the address.
LAST_SAMPLE = 9999


def choices_note(run: Run) -> None:
    """What the network cannot do."""
    listed = ", ".join(plain(class_text(name)) for name in run.class_names[:12])
    more = ", ..." if len(run.class_names) > 12 else ""
    st.caption(
        f"The network can only choose among its {len(run.class_names)} classes: {listed}{more}. Show it anything else, "
        "a bicycle or yourself, and it still answers with one of these, sometimes with high confidence."
    )


def dropped(run: Run, uploads: Sequence[Upload]) -> None:
    """The results of dropped files: those of the present page first, one after the other as they come."""
    memory = predictions.remembered(model_key(run))
    memory.forget(uploads)
    network = predictor(run)
    shown = uploads[gallery.pager(len(uploads), per_page=PER_PAGE, noun="picture")]
    done = len(uploads) - len(memory.missing(uploads))
    progress = st.empty()

    def tell() -> None:
        progress.progress(done / len(uploads), text=f"{done:,} of {count(len(uploads), 'picture')} looked at")

    with st.container(horizontal=True, gap="medium"):
        fresh = memory.predict(shown, network)
        for upload in shown:
            while (result := memory.get(upload)) is None:
                next(fresh)
                done += 1
                tell()
            with st.container(border=True, width=predictions.CARD_WIDTH + 34):
                predictions.show(result, upload)
    for _ in memory.predict(uploads, network):
        done += 1
        tell()
    progress.empty()
    answers = [result.prediction for upload in uploads if (result := memory.get(upload)) is not None]
    st.markdown(predictions.summary(answers))
    st.download_button(
        "Download the results (CSV)",
        predictions.to_csv(answers, class_names=run.class_names),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def samples(run: Run) -> None:
    """Test images to try when there is no picture at hand."""
    number = address.integer("sample", default=0, low=0, high=LAST_SAMPLE)
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
            st.button("Put them away", key="no-sample", on_click=address.assign, args=("sample", 0), type="tertiary")
    address.record("sample", str(number), default="0")
    if not number:
        return
    dataset = cache.dataset(run.config.data.source)
    network = predictor(run)
    if dataset.image_shape != network.image_shape or dataset.class_names != network.class_names:
        raise DataError(
            f"The data set {dataset.title} has changed since this run was trained: its images no longer fit the "
            "network. Choose a newer run, or drop a picture of your own."
        )
    generator = np.random.default_rng(number)
    of_class = (np.flatnonzero(dataset.test.labels == label) for label in range(len(dataset.class_names)))
    drawn = [int(generator.choice(positions)) for positions in of_class if len(positions)][:MOST_SAMPLES]
    answers = network.predict_images(dataset.test.images[drawn])
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
    gallery.show(cards, size_rem=8, label="Test images with the network's answers")
