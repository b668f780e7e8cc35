"""The test images with a run's answers: filters, order and pages, all in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from aquadash.data import Dataset
from aquadash.errors import AquaDashError
from aquadash.evaluation import SORTS, select
from aquadash.evaluation.browse import Outcome, Sort
from aquadash.store.types import Predictions, Run
from aquadash.ui.kit import address, bound, datasets, gallery
from aquadash.ui.kit.evaluated import Narrowed
from aquadash.ui.kit.gallery import class_text, class_titles
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, plain

PER_PAGE = ("12", "24", "48", "96")

#: Word of a class filter that passes every class.
ANY = ""

_OUTCOME_LABELS: dict[str, str] = {"all": "All", "right": "✔ Right", "wrong": "✘ Wrong", "doubtful": "🏷 Doubtful label"}
#: Orders by their word in the address.
_SORT_BY_WORD: dict[str, Sort] = {sort.replace(" ", "-"): sort for sort in SORTS}
_SORT_LABELS = {"index": "as in the data set", "least-confident": "least certain", "most-confident": "most certain"}

_EVERY_CONFIDENCE = (0, 100)


@dataclass(frozen=True)
class Filters:
    """Filters and order of :func:`aquadash.evaluation.select`."""

    true_class: int | None
    predicted_class: int | None
    outcome: Outcome
    confidence: tuple[float, float]
    sort: Sort


def show_cell(true: str, predicted: str) -> None:
    """Show all images of a class that were taken for another; call before the menus are drawn, or in a callback."""
    address.assign("true", true)
    address.assign("predicted", predicted)
    address.assign("outcome", "all")
    address.assign("confidence", _EVERY_CONFIDENCE)
    gallery.first_page()


def chosen_classes(class_names: Sequence[str]) -> tuple[int | None, int | None]:
    """Return the chosen true and predicted class, also before the menus are drawn."""
    options = [ANY, *class_names]
    true, predicted = (address.sync(key, bound.one_of(options), default=ANY) for key in ("true", "predicted"))
    return _position(true, class_names), _position(predicted, class_names)


def render_test_images(
    run: Run, predictions: Predictions, *, class_names: Sequence[str], narrowed: Narrowed | None = None
) -> None:
    """Draw the filters and the images that pass them and the section's choice, ``narrowed``."""
    with st.container(horizontal=True, vertical_alignment="center"):
        title = st.container()
        popover = st.popover("Filters", icon=":material/filter_alt:", key="image-filters", on_change="rerun")
        icon = ":material/filter_alt_off:"
        st.button("Show all", icon=icon, on_click=show_cell, args=(ANY, ANY), key="no-filters", type="tertiary")
    filters, per_page = _filters(popover, class_names)
    among = None if narrowed is None else narrowed.mask
    positions = select(predictions.labels, predictions.probabilities, among=among, **vars(filters))
    what = _found(filters, class_names, among="" if narrowed is None else narrowed.words)
    title.markdown(f"**{what}: {len(positions):,} of {count(len(predictions.labels), 'test image')}**")
    dataset = matching_dataset(run)
    with gallery.paged(len(positions), per_page=per_page) as shown:
        if dataset is None:
            labels, y_prob = predictions.labels[positions[shown]], predictions.probabilities[positions[shown]]
            render_answers_table(predictions.indices[positions[shown]], labels, y_prob, class_names=class_names)
        else:
            gallery.render_cards(
                [card(dataset, predictions, int(position), class_names=class_names) for position in positions[shown]],
                size_rem=5.5,
                label="Test images with the network's answers",
            )


def _filters(popover: DeltaGenerator, class_names: Sequence[str]) -> tuple[Filters, int]:
    """Draw the controls; return the filters and the number of images a page."""
    titles = {ANY: "any"} | class_titles(class_names)
    orders = {word: _SORT_LABELS.get(word, sort) for word, sort in _SORT_BY_WORD.items()}
    common: dict[str, Any] = {"into": popover, "on_change": gallery.first_page}
    true, predicted = (
        _position(bound.menu(key, titles, label=label, **common), class_names)
        for key, label in (("true", "True class"), ("predicted", "Predicted class"))
    )
    outcome = bound.choice("outcome", _OUTCOME_LABELS, label="Answer", help=term("doubtful label"), **common)
    word = bound.menu("sort", orders, label="Order", **common)
    low, high = bound.interval(
        "confidence", *_EVERY_CONFIDENCE, label="Confidence", format="%d %%", help=term("confidence"), **common
    )
    per_page = bound.menu("show", PER_PAGE, label="Images per page", **common)
    sort = _SORT_BY_WORD[word]
    return Filters(true, predicted, cast(Outcome, outcome), (low / 100, high / 100), sort), int(per_page)


def _found(filters: Filters, class_names: Sequence[str], *, among: str) -> str:
    """Describe the filters in markdown, after the section's choice ``among``."""
    true, predicted = (
        None if index is None else plain(class_text(class_names[index]))
        for index in (filters.true_class, filters.predicted_class)
    )
    if true and predicted:
        what = f"{true} recognised" if true == predicted else f"{true} taken for {predicted}"
    elif true:
        what = true
    elif predicted:
        what = f"called {predicted}"
    else:
        what = "" if among else "All classes"
    kind = {"all": "", "doubtful": "doubtful labels only"}.get(filters.outcome, f"{filters.outcome} only")
    low, high = (round(100 * end) for end in filters.confidence)
    sure = "" if (low, high) == _EVERY_CONFIDENCE else f"confidence {low} to {high} %"
    text = ", ".join(filter(None, (plain(among), what, kind, sure)))
    return text[0].upper() + text[1:]


def matching_dataset(run: Run) -> Dataset | None:
    """Return the data set of a run; None, with the reason on the page, where its images cannot be shown."""
    try:
        return datasets.matching_dataset(run)
    except AquaDashError as error:
        st.info(f"The images cannot be shown; everything else can. {plain(str(error))}", icon="🖼️")
        return None


def card(dataset: Dataset, predictions: Predictions, position: int, *, class_names: Sequence[str]) -> gallery.Card:
    """Return the card of a test image with the model's answer."""
    index, label = int(predictions.indices[position]), int(predictions.labels[position])
    what = f"Test image {index} ({dataset.test.file_names[index]})"
    y_prob = predictions.probabilities[position]
    return gallery.answer_card(
        dataset.test.images[index], y_prob, label, class_names=class_names, what=what, opens=f"test-{index}"
    )


def render_answers_table(
    indices: NDArray[np.int64], labels: NDArray[np.int64], y_prob: NDArray[np.floating], *, class_names: Sequence[str]
) -> None:
    """Draw the answers as a table, where the images are missing."""
    answers = y_prob.argmax(axis=1)
    render_columns(
        Column("Image", indices),
        Column("True class", [class_text(class_names[label]) for label in labels]),
        Column("Predicted class", [class_text(class_names[answer]) for answer in answers]),
        Column("Answer", [_OUTCOME_LABELS["right" if right else "wrong"] for right in labels == answers]),
        number_column("Confidence", 100 * y_prob.max(axis=1, initial=0.0), "%.0f %%", help=term("confidence")),
        alt="The answers, a row an image",
    )


def _position(name: str, class_names: Sequence[str]) -> int | None:
    return None if name == ANY else list(class_names).index(name)
