"""Why did the network answer so? A chosen test image's explanation, and the maps of a confusion cell's images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aquadash.evaluation import select
from aquadash.runs.types import Predictions, Run
from aquadash.ui import address, bound, datasets, image_browser, inputs
from aquadash.ui.explain import explanations
from aquadash.ui.gallery import class_text
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

#: The chosen image, by its number in the test split, in the address and of the menu.
KEY = "explain"
#: Whether the maps of all images of the chosen classes are shown.
STRIP = "explain-all"


def show(run: Run, predictions: Predictions, *, class_names: Sequence[str]) -> None:
    """Draw the choice of an image among those of the page's true and predicted class, and what is chosen.

    TensorFlow is loaded only once something is chosen.

    Args:
        run: Has ended.
        predictions: What its network said of the test images.
        class_names: One name a class.
    """
    dataset = datasets.learned(run)
    if dataset is None:
        # The page says so elsewhere.
        return
    true, predicted = image_browser.chosen_classes(class_names)
    positions = select(predictions.labels, predictions.probabilities, true_class=true, predicted_class=predicted)
    chosen = _chooser(predictions, [int(position) for position in positions], class_names=class_names)
    if chosen is not None:
        position = int(np.flatnonzero(predictions.indices == chosen)[0])
        explanations.show(
            run,
            dataset.test.images[chosen],
            class_names=class_names,
            true_label=int(predictions.labels[position]),
        )
    most = explanations.MAX_IN_STRIP
    which = f"the first {most} of " if len(positions) > most else "all "
    what = f"Maps of {which}{count(len(positions), 'image')}"
    if bound.toggle(STRIP, label=what, help="What they have in common may be the reason for a mistake."):
        indices = predictions.indices[positions]
        explanations.strip(
            run,
            dataset.test.images[indices],
            predictions.labels[positions],
            class_names=class_names,
            opens=[f"test-{index}" for index in indices],
        )


def link(class_names: Sequence[str]) -> None:
    """A button that leads from the images of a confusion cell to their maps, once a cell has been chosen."""
    true, predicted = image_browser.chosen_classes(class_names)
    if true is None or predicted is None:
        return
    what = plain(f"{class_text(class_names[true])} → {class_text(class_names[predicted])}")
    st.button(f"Why? Maps of {what}", key="explain-cell", icon="🔦", on_click=_show_strip)


def _show_strip() -> None:
    address.assign("section", "explain")
    address.assign(STRIP, True)


def _chooser(predictions: Predictions, positions: list[int], *, class_names: Sequence[str]) -> int | None:
    """Draw the menu and the button for the next image.

    Returns:
        The chosen image's number in the test split; None until one is chosen.
    """
    known = {int(index): position for position, index in enumerate(predictions.indices)}
    chosen = address.restore(
        KEY, lambda text: _known(text, known), default=None, expected="the number of a test image, such as 12"
    )
    options = [int(predictions.indices[position]) for position in positions]
    if chosen is not None and chosen not in known:
        # Chosen for another run, of another data set.
        chosen = st.session_state[KEY] = None
    if chosen is not None and chosen not in options:
        # Other classes have been chosen since; the image stays until another one is chosen.
        options.insert(0, chosen)

    def label(index: int) -> str:
        y_prob = predictions.probabilities[known[index]]
        answer, true = int(y_prob.argmax()), int(predictions.labels[known[index]])
        given = "✔" if answer == true else f"✘ {class_text(class_names[answer])}"
        return f"{index}: {class_text(class_names[true])} {given} {100 * float(y_prob[answer]):.0f} %"

    place = options.index(chosen) if chosen is not None else None
    following = 0 if place is None else place + 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        inputs.selectbox(
            "Explain a test image",
            options,
            # A link may have brought the image; a button closes it, so that the menu need not be emptied.
            index=place,
            key=KEY,
            format_func=label,
            placeholder="Choose an image" if options else "No image is of these classes",
            help=f"Of the classes chosen under Filters. {term('explanation')}",
        )
        st.button(
            "Next image" if chosen is not None else "First image",
            icon="▶️",
            key="explain-next",
            disabled=following >= len(options),
            on_click=address.assign,
            args=(KEY, options[min(following, len(options) - 1)] if options else None),
        )
        st.button(
            "Close", key="explain-close", disabled=chosen is None, on_click=address.assign, args=(KEY, None),
            type="tertiary",
        )  # fmt: skip
    value = st.session_state[KEY]
    address.record(KEY, "" if value is None else str(value), default="")
    return None if value is None else int(value)


def _known(text: str, known: dict[int, int]) -> int:
    """The number in a text, of an image that there is."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) in known):
        raise ValueError(text)
    return int(text)
