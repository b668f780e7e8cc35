"""The images with different answers of the compared runs: fixed, newly broken, or by the number of correct runs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.evaluation import Agreement, agreement_of
from aquadash.figures.right_counts import count_label, right_counts
from aquadash.figures.theme import run_colour, shorten
from aquadash.ui.compare import comparison_results
from aquadash.ui.compare.comparison_results import of_pair
from aquadash.ui.kit import address, bound, components, gallery, image_browser, image_dialog
from aquadash.ui.kit.compared import Compared, bold
from aquadash.ui.kit.text import count

_PER_PAGE = 12

#: Names in the address: the kind of images, the number of right runs, and the page.
SHOWN, RIGHT, PAGE = "changed", "right", "image-page"
_COUNTS = "right-counts"

_KINDS = {"fixed": "Fixed", "broken": "Newly broken", "agreement": "By number of correct runs"}


def render_images(compared: Compared) -> None:
    """Draw the choice of images, and a card for each with the runs' answers."""
    together = compared.measured_together()
    if len(together) < 2:
        st.caption(
            f"Two of these runs must predict the same {compared.images} images first. Then the images with different "
            "answers appear here."
        )
        return
    kind = bound.choice(SHOWN, _KINDS, label="Images shown", label_visibility="collapsed")
    if kind == "agreement":
        judged = _judged(compared, together)
        _cards(compared, together, judged, _by_agreement(judged))
    else:
        pair = comparison_results.pick_pair(compared, dict.fromkeys(together, together))
        positions = _changed(compared, *pair, kind)
        _cards(compared, pair, _judged(compared, pair), positions)
    image_dialog.clickable(*(compared.runs[each] for each in together))


def _judged(compared: Compared, runs: Sequence[int]) -> Agreement:
    """Return the answers of the runs at these positions, all measured on the same images."""
    predictions = (compared.results.predictions[index] for index in runs)
    return agreement_of([each for each in predictions if each is not None])


def _changed(compared: Compared, first: int, second: int, kind: str) -> NDArray[np.int64]:
    """Return the images that the second run fixed or broke, compared with the first; say how many they are."""
    change = of_pair(compared, first, second).result
    assert change is not None
    positions, was, now = change.fixed_indices, "wrong", "right"
    if kind == "broken":
        positions, was, now = change.broken_indices, "right", "wrong"
    before, after = bold(compared.names[first]), bold(compared.names[second])
    st.caption(f"{after} gets {count(len(positions), 'image')} {now} that {before} got {was}.")
    return positions


def _by_agreement(judged: Agreement) -> NDArray[np.int64]:
    """Return the images with a number of right runs, chosen by a click on a bar or in the control below."""
    runs = len(judged.right)
    if click := components.new_click(_COUNTS, runs + 1):
        address.assign(RIGHT, str(click[0]))
    options = {str(number): count_label(number, runs) for number in range(runs + 1)}
    chart = st.container()
    chosen = int(bound.choice(RIGHT, options, label="Images classified correctly by"))
    with chart:
        components.render_plot(right_counts(judged.counts.tolist(), selected=chosen), key=_COUNTS)
    if chosen == 0:
        st.caption("These images are hard or wrongly labelled. The most confident mistakes come first.")
    return judged.right_by(chosen)


def _cards(compared: Compared, shown: Sequence[int], judged: Agreement, positions: NDArray[np.int64]) -> None:
    """Draw a card for each image with its class, and the runs' answers in their colours."""
    if not len(positions):
        st.caption("There are no such images.")
        return
    run, predictions = compared.runs[shown[0]], compared.results.predictions[shown[0]]
    assert predictions is not None
    dataset = image_browser.matching_dataset(run)
    if dataset is None:
        return
    split = "train" if compared.images == "validation" and run.config.training.validation == "training" else "test"
    images = getattr(dataset, split).images
    classes = run.class_names
    with gallery.paged(len(positions), per_page=_PER_PAGE, key=PAGE) as page:
        cards = []
        for position in positions[page].tolist():
            index, label = int(predictions.indices[position]), int(predictions.labels[position])
            answers = list(enumerate(judged.answers[:, position].tolist()))
            described = "; ".join(f"{compared.names[shown[row]]} predicts {classes[answer]}" for row, answer in answers)
            bars = tuple(
                gallery.Bar(
                    label=f"{shorten(compared.names[shown[row]], length=18)}: {classes[answer]}",
                    probability=float(judged.confidence[row, position]),
                    colour=run_colour(shown[row]),
                    is_true=answer == label,
                )
                for row, answer in answers
            )
            alt = f"{compared.images.capitalize()} image {index}, {classes[label]}: {described}"
            card = gallery.class_card(images[index], classes[label], label, alt, opens=f"{split}-{index}")
            cards.append(replace(card, bars=bars))
        gallery.render_cards(cards, size_rem=10, label="Images with the answers of each run")
