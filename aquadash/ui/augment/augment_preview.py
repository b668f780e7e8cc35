"""The Augment page's preview: what the pipeline makes of the sample images, seen in several ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from aquadash import augment
from aquadash.augment.preview import GREY
from aquadash.figures.channels import channel_change
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import bound, components, gallery
from aquadash.ui.kit.sections import Section, Sections

MAX_DRAWS = 8
#: Titles of the differences by their word in the address.
SIGNS = {"absolute": "How much", "signed": "Brighter or darker"}
#: Factors that amplify a difference.
FACTORS = ("1", "2", "4", "8", "16")
#: Titles of the versions to draw by their word in the address.
VERSIONS = {"all": "All versions", "one": "Selected version"}

#: 160 pixels; an original takes two columns, so that all versions of the report's pipeline are beside it.
_CARD_REM, _COLUMNS = 10.0, 4
_CHART_HEIGHT = 210


def _draws(studio: Studio, options: DeltaGenerator) -> None:
    """Draw each original, large, beside its draws."""
    number = _number_of_draws(options)
    branch: int | None = studio.branch
    if studio.spec.factor > 1:
        versions = bound.choice("versions", VERSIONS, label="Versions", into=options)
        branch = None if versions == "all" else studio.branch
    made = studio.draws(branch=branch, draws=number)
    shown = augment.preview_branches(studio.spec, branch=branch, draws=number)
    _grid(
        studio,
        made,
        [studio.spec.branches[one].title for one in shown],
        label="Originals, each followed by its random examples",
    )


def _same_draw(studio: Studio, options: DeltaGenerator) -> None:
    """Draw each original beside draws for which all images get the same random choices."""
    made = studio.draws(branch=studio.branch, draws=_number_of_draws(options), alike=True)
    st.caption("Every image gets the same random changes here. In training each gets its own.")
    _grid(
        studio,
        made,
        [studio.in_view.title] * len(made),
        label="Originals, each followed by examples with the same random choices",
    )


def _steps(studio: Studio, options: DeltaGenerator) -> None:
    """Draw each original, large, beside its image after each step."""
    if studio.in_view.is_original:
        st.info("No step of this version is on, so the images stay unchanged.", icon="🪞")
    strip = studio.film_strip(studio.branch)
    words = augment.step_words(studio.in_view)
    cards = []
    for row in range(len(studio.images)):
        cards.append(_original(studio, row))
        for number, step in enumerate(words, start=1):
            same = np.array_equal(strip[number, row], strip[number - 1, row])
            # The first row has the full titles.
            text, more = (f"{number}. {step.title}", step.inner) if row == 0 else (f"After step {number}", "")
            note = "unchanged" if same else ""
            cards.append(
                gallery.Card(
                    strip[number, row],
                    text,
                    f"{_name(studio, row)}, after step {number}: {step.whole}{', unchanged' if same else ''}",
                    " · ".join(part for part in (more, note) if part),
                    accent="transparent",
                )
            )
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=_COLUMNS, label="Images after each step")


def _differences(studio: Studio, options: DeltaGenerator) -> None:
    """Draw each image before and after, and the difference."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sign = bound.choice("sign", SIGNS, label="Kind of difference", label_visibility="collapsed")
        factor = bound.choice(
            "amplify", {text: f"× {text}" for text in FACTORS}, label="Amplification", default="2",
            label_visibility="collapsed",
        )  # fmt: skip
    signed = sign == "signed"
    halved = f"Grey ({GREY} of 255) means no change. Differences are halved to fit both directions."
    st.caption(halved if signed else "Black means no change.")
    after = studio.draws(branch=studio.branch, draws=1)[0]
    pictures = augment.difference(studio.images, after, factor=int(factor), signed=signed)
    mean = np.abs(after.astype(np.int16) - studio.images).mean(axis=(1, 2, 3))
    shown = f"{int(factor) / (2 if signed else 1):g}"
    cards = []
    for row in range(len(studio.images)):
        name = _name(studio, row)
        change = f"{mean[row]:.1f} of 255 on average"
        cards += [
            _original(studio, row, large=False),
            gallery.Card(after[row], studio.in_view.title, f"{name}, after", accent="transparent"),
            gallery.Card(
                pictures[row], f"Difference × {shown}", f"{name}, difference: {change}", change, accent="transparent"
            ),
        ]
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=3, label="Images before and after, and the difference")


def _histograms(studio: Studio, options: DeltaGenerator) -> None:
    """Draw a chart for each channel, over all sample images and some draws of them."""
    number = _number_of_draws(options)
    made = studio.draws(branch=studio.branch, draws=number)
    st.caption("Values that pile up at 0 or 255 have lost their detail.")
    before, after = augment.histograms(studio.images), augment.histograms(made)
    for channel in range(3):
        figure = channel_change(before[channel], after[channel], channel=channel, height=_CHART_HEIGHT)
        components.render_plot(figure, key=f"histogram-{channel}")


def _number_of_draws(options: DeltaGenerator) -> int:
    """Draw the field for the number of draws, which is in the address, into a popover."""
    numbers = list(map(str, range(1, MAX_DRAWS + 1)))
    return int(bound.menu("draws", numbers, label="Examples of each image", default="4", into=options))


def _grid(studio: Studio, made: NDArray[np.uint8], branches: list[str], *, label: str) -> None:
    """Draw each original and its draws; several branches give the titles."""
    cards = []
    numbered = [f"Example {draw}" for draw in range(1, len(branches) + 1)]
    titles = branches if len(set(branches)) > 1 else numbered
    for row in range(len(studio.images)):
        cards.append(_original(studio, row))
        cards += [
            gallery.Card(
                made[draw, row],
                title,
                f"{_name(studio, row)}, example {draw + 1}: {branches[draw]}",
                accent="transparent",
            )
            for draw, title in enumerate(titles)
        ]
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=_COLUMNS, label=label)


def _original(studio: Studio, row: int, *, large: bool = True) -> gallery.Card:
    """Return the card of a sample image."""
    label, image, alt = studio.labels[row], studio.images[row], f"{_name(studio, row)}, original"
    if not studio.positions:
        return gallery.Card(image, label or "Your picture", alt, "yours", accent="transparent", large=large)
    position = studio.positions[row]
    number = int(studio.dataset.train.labels[position])
    name = studio.dataset.class_names[number]
    card = gallery.class_card(image, name, number, alt, f"no. {position}", opens=f"train-{position}")
    return replace(card, large=large)


def _name(studio: Studio, row: int) -> str:
    """Return a sample image's name for text alternatives."""
    if not studio.positions:
        return f"Your picture {studio.labels[row] or row + 1}"
    return f"{studio.labels[row]}, training image {studio.positions[row]}"


#: Each section's arguments: the studio and the popover for options.
LOOKS = Sections(
    "look",
    "View",
    {
        "draws": Section("Random examples", _draws),
        "steps": Section("Steps", _steps),
        "same": Section("Same changes", _same_draw),
        "difference": Section("Difference", _differences),
        "histograms": Section("Histograms", _histograms),
    },
)
