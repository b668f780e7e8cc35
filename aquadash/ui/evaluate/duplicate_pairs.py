"""The section "Near-duplicates": test images that look the same as a training image."""

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.data.duplicates import DEFAULT_DISTANCE, MAX_DISTANCE, DuplicatePair, Duplicates, find_duplicates
from aquadash.evaluation import wilson_interval
from aquadash.figures.theme import class_colour
from aquadash.ui.kit import address, bound, gallery, image_browser
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.text import count, percent

_PAIRS_PER_PAGE = 8

_LABELS = {"any": "Any", "same": "Same label", "other": "Different labels"}


def render_duplicates(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the distance, the accuracy with and without such images, and the pairs."""
    dataset = image_browser.matching_dataset(one.run)
    if dataset is None:
        return
    duplicates = _duplicates(dataset.fingerprint, dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hundredths = bound.slider(
            "distance",
            0,
            round(100 * MAX_DISTANCE),
            label="Maximum distance (hundredths)",
            default=round(100 * DEFAULT_DISTANCE),
            width=320,
            help=f"0: the same picture. Up to 20: nearly always the same photo. {term('near-duplicate')}",
            on_change=_first_pairs,
        )
        labels = bound.choice("labels", _LABELS, label="Labels", on_change=_first_pairs)
    distance = hundredths / 100
    st.markdown(verdict(duplicates, one, distance=distance))
    # A run on another data set has other pairs.
    if other is not None and other.run.dataset_fingerprint == one.run.dataset_fingerprint:
        st.markdown(f"The second run: {_accuracies(duplicates, other, distance=distance)}")
    pairs = [
        pair
        for pair in duplicates.within(distance)
        if labels == "any" or (pair.test_label == pair.train_label) == (labels == "same")
    ]
    answers = {int(index): row for row, index in enumerate(one.predictions.indices)}
    with gallery.paged(len(pairs), per_page=_PAIRS_PER_PAGE, key="pairs") as shown:
        gallery.render_cards(
            [_card(dataset, one, pair, answers.get(pair.test)) for pair in pairs[shown]],
            size_rem=11,
            label="Pairs of a test image, on the left, and a training image, on the right",
        )
    st.caption(
        "Images are compared at 16 × 16 pixels, also mirrored. Shifted copies may be missed."
        + (" Drawn animals in the same pose look similar without being copies." if dataset.drawn else "")
    )


def verdict(duplicates: Duplicates, one: Evaluated, *, distance: float) -> str:
    """Describe the near-duplicates and the accuracy on them in markdown."""
    number = duplicates.test_images(distance)
    if not number:
        return f"None of {count(duplicates.num_test, 'test image')} has a training image this similar."
    pairs = duplicates.within(distance)
    different = sum(pair.test_label != pair.train_label for pair in pairs)
    text = (
        f"**{number:,} of {count(duplicates.num_test, 'test image')}** {'has' if number == 1 else 'have'} a "
        "training image that looks almost the same. "
    )
    if different:
        text += f"In {count(different, 'pair')} the labels differ: one of the two may be wrong. "
    return text + _accuracies(duplicates, one, distance=distance)


def _accuracies(duplicates: Duplicates, one: Evaluated, *, distance: float) -> str:
    twins = {pair.test for pair in duplicates.within(distance)}
    is_twin = np.isin(one.predictions.indices, sorted(twins))
    right = one.predictions.probabilities.argmax(axis=1) == one.predictions.labels
    parts = []
    for mask, what in ((is_twin, "accuracy on those"), (~is_twin, "on the others")):
        if mask.any():
            fraction, interval = float(right[mask].mean()), wilson_interval(int(right[mask].sum()), int(mask.sum()))
            parts.append(f"{what}: {percent(fraction, interval)}")
    return f"{', '.join(parts)}.".capitalize() if parts else ""


def _card(dataset: Dataset, one: Evaluated, pair: DuplicatePair, row: int | None) -> gallery.Card:
    """Return a card with the test image and, to its right, the training image."""
    names = dataset.class_names
    test, train = names[pair.test_label], names[pair.train_label]
    answer = "" if row is None else f"predicted {names[int(one.predictions.probabilities[row].argmax())]}, "
    mirrored = ", mirrored" if pair.mirrored else ""
    left, right = dataset.test.images[pair.test], dataset.train.images[pair.train]
    between = np.full((len(left), max(1, left.shape[1] // 16), 3), 255, np.uint8)
    return gallery.Card(
        image=np.concatenate([left, between, right], axis=1),
        title=f"{class_text(test)} | {class_text(train)}" + ("" if test == train else " ⚠ labels differ"),
        subtitle=f"{answer}distance {pair.distance:.2f}{mirrored}",
        alt=f"Test image {pair.test}, {test}, {answer}and training image {pair.train}, {train}, at a distance of "
        f"{pair.distance:.2f}{mirrored}",
        accent=class_colour(test, pair.test_label),
        opens=f"test-{pair.test}",
    )


def _first_pairs() -> None:
    address.assign("pairs", 1)


@st.cache_resource(max_entries=4, show_spinner="Comparing training and test images ...")
def _duplicates(fingerprint: str, _dataset: Dataset) -> Duplicates:
    return find_duplicates(_dataset)
