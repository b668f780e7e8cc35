"""The section "ROC and precision-recall": each class against the rest, with a threshold to move and its images."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import streamlit as st

from aquadash.evaluation import macro_mean, parts_at
from aquadash.figures.threshold_curves import MOST_DRAWN, Kind, area, threshold_curves
from aquadash.ui import address, bound, clicks, components, image_browser
from aquadash.ui.evaluated import Evaluated, Narrowed
from aquadash.ui.glossary import term
from aquadash.ui.probabilities import class_text

#: The chart's key.
KEY = "threshold-curves"

_KINDS = {"roc": "ROC", "precision-recall": "Precision and recall"}
#: What the images beside the chart are, by the word in the address, and which parts of a threshold that is.
_PARTS = {
    "called": ("Called so", ("hits", "false alarms")),
    "hits": ("Hits", ("hits",)),
    "false-alarms": ("False alarms", ("false alarms",)),
    "missed": ("Missed", ("missed",)),
    "all": ("All images", ("hits", "false alarms", "missed", "rest")),
}


def show(one: Evaluated, other: Evaluated | None) -> Narrowed:
    """Draw the controls, the curves and the areas.

    Returns:
        The images that the threshold calls the class, or the part of them that was asked for.
    """
    names = one.found.classes
    _take_click(names)
    st.subheader("How well does it tell one class from the rest?", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = bound.choice(
            "curve", _KINDS, label="Curve", help=f"{term('ROC curve')} {term('precision-recall curve')}"
        )
        titles = {name: class_text(name) for name in names}
        name = bound.menu("class", titles, label="Class", width=160, on_change=image_browser.first_page)
    index = names.index(name)
    percent = bound.slider(
        "cut",
        0,
        100,
        label="Call an image this class if its probability is at least",
        default=50,
        format="%d %%",
        help=term("threshold"),
        on_change=image_browser.first_page,
    )
    cut = percent / 100
    components.plot(
        threshold_curves(
            one.curves(),
            kind=cast(Kind, kind),
            chosen=index,
            cut=cut,
            other=None if other is None else other.curves(),
            other_name="" if other is None else other.run.name,
        ),
        key=KEY,
        on_select="rerun",
        selection_mode="points",
    )
    if len(names) > MOST_DRAWN:
        st.caption(f"The chosen class and the {MOST_DRAWN} with the smallest areas; the table has all of them.")
    st.caption("Click a curve to choose its class and threshold. From the keyboard: the menu and the slider above.")
    masks = parts_at(one.predictions.labels, one.predictions.probabilities, class_index=index, threshold=cut)
    part = bound.choice(
        "part",
        {
            word: f"{title}: {sum(int(masks[part].sum()) for part in parts):,}"
            for word, (title, parts) in _PARTS.items()
        },
        label="Images shown",
        help="Hits are images of the class that are called so, false alarms others that are called so, missed ones are "
        "of the class and not called so. The most probable class does not matter here.",
        on_change=image_browser.first_page,
    )
    _areas(one, other)
    mask = np.logical_or.reduce([masks[name] for name in _PARTS[part][1]])
    what = {
        "called": f"images called {class_text(name)} at a threshold of {percent} %",
        "hits": f"{class_text(name)}, found at a threshold of {percent} %",
        "false-alarms": f"images wrongly called {class_text(name)} at a threshold of {percent} %",
        "missed": f"{class_text(name)}, missed at a threshold of {percent} %",
        "all": "all test images",
    }[part]
    return Narrowed(mask, what)


def _areas(one: Evaluated, other: Evaluated | None) -> None:
    """The areas of each class and their means."""
    table: dict[str, list[object]] = {"Class": [*map(class_text, one.found.classes), "∅ by class"]}
    titles = {"roc": "ROC area", "precision-recall": "Average precision"}
    for run, suffix in ((one, ""), (other, ", second run")):
        if run is None:
            continue
        for kind, title in titles.items():
            values = [area(row, cast(Kind, kind)) for row in run.curves()]
            table[title + suffix] = [*values, macro_mean(values)]
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        column_config={
            title + suffix: number(format="%.3f", help=term("ROC area" if title == "ROC area" else "average precision"))
            for title in titles.values()
            for suffix in ("", ", second run")
        },
        hide_index=True,
        alt="The area under each class's curves",
        key="areas",
    )


def _take_click(names: tuple[str, ...]) -> None:
    point = clicks.new_click(KEY)
    if point is None or len(point) != 2:
        return
    index, cut = clicks.whole(point[0], below=len(names)), clicks.share(point[1])
    if index is None or cut is None:
        return
    address.assign("class", names[index])
    # Rounded down, so that the image that was clicked is called the class.
    address.assign("cut", math.floor(100 * cut + 1e-6))
    image_browser.first_page()
