"""The section of explanation maps of a confusion cell's images."""

from collections.abc import Sequence

import streamlit as st

from aquadash.evaluation import select
from aquadash.store.types import Predictions, Run
from aquadash.ui.kit import address, bound, datasets, explanations, image_browser
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.text import count, plain

#: Key of the toggle that shows the maps.
STRIP = "explain-all"


def render(run: Run, predictions: Predictions, *, class_names: Sequence[str]) -> None:
    """Draw a toggle, and the maps of the images of the chosen true and predicted class."""
    dataset = datasets.learned(run)
    if dataset is None:
        # The test images beside this section draw the reason.
        return
    st.markdown("Click an image to see why the network gave its answer, and what its layers see.")
    true, predicted = image_browser.chosen_classes(class_names)
    positions = select(predictions.labels, predictions.probabilities, true_class=true, predicted_class=predicted)
    most = explanations.MAX_IN_STRIP
    part = f"the first {most} of" if len(positions) > most else "all"
    label = f"Maps of {part} {count(len(positions), 'image')}"
    if bound.toggle(STRIP, label=label, help="Parts that many maps show may be the reason for a mistake."):
        indices = predictions.indices[positions[:most]]
        explanations.render_strip(
            run,
            dataset.test.images[indices],
            predictions.labels[positions[:most]],
            class_names=class_names,
            opens=[f"test-{index}" for index in indices],
        )


def render_link(class_names: Sequence[str]) -> None:
    """Draw a button that leads from a chosen confusion cell to the maps of its images."""
    true, predicted = image_browser.chosen_classes(class_names)
    if true is None or predicted is None:
        return
    what = plain(f"{class_text(class_names[true])} → {class_text(class_names[predicted])}")
    st.button(f"Why? Maps of {what}", key="explain-cell", icon="🔦", on_click=_show_strip)


def _show_strip() -> None:
    address.assign("section", "explain")
    address.assign(STRIP, True)
