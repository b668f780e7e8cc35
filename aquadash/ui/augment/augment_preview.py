"""The Augment page's preview: what the pipeline makes of the sample images, seen in several ways."""

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from aquadash import augment
from aquadash.augment.preview import GREY
from aquadash.data.statistics import histograms
from aquadash.figures.channels import channel_change
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import bound, components, gallery
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.kit.text import joined

MAX_DRAWS = 8
#: Titles of the differences by their word in the address.
SIGNS = {"absolute": "How much", "signed": "Brighter or darker"}
#: Titles of the factors that amplify a difference by their word in the address.
FACTORS = {str(factor): f"× {factor}" for factor in (1, 2, 4, 8, 16)}
#: Titles of the versions to draw by their word in the address.
VERSIONS = {"all": "All versions", "one": "Selected version"}

#: 160 pixels; an original takes two columns, so that all versions of the report's pipeline are beside it.
_CARD_REM, _COLUMNS = 10.0, 4
_CHART_HEIGHT = 210


def _examples(studio: Studio, options: DeltaGenerator, *, alike: bool = False) -> None:
    """Draw each original, large, beside its draws; ``alike`` gives all images the same random choices."""
    number = _number_of_draws(options)
    branch: int | None = studio.branch
    if alike:
        st.caption("Every image gets the same random changes here. In training each gets its own.")
    elif studio.spec.factor > 1 and bound.choice("versions", VERSIONS, label="Versions", into=options) == "all":
        branch = None
    made = studio.draws(branch=branch, draws=number, alike=alike)
    shown = augment.preview_branches(studio.spec, branch=branch, draws=number)
    branches = [studio.spec.branches[index].title for index in shown]
    several = len(set(branches)) > 1
    cards = []
    for row in range(len(studio.images)):
        cards.append(_original(studio, row))
        for draw, title in enumerate(branches, 1):
            alt = f"{_name(studio, row)}, example {draw}: {title}"
            cards.append(_changed(made[draw - 1, row], title if several else f"Example {draw}", alt))
    label = f"Originals, each followed by {'examples with the same random choices' if alike else 'its random examples'}"
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=_COLUMNS, label=label)


def _steps(studio: Studio, options: DeltaGenerator) -> None:
    if studio.in_view.is_original:
        st.info("No step of this version is on, so the images stay unchanged.", icon="🪞")
    strip = studio.film_strip(studio.branch)
    words = augment.step_words(studio.in_view)
    cards = []
    for row in range(len(studio.images)):
        cards.append(_original(studio, row))
        for number, (effect, inner) in enumerate(words, start=1):
            same = np.array_equal(strip[number, row], strip[number - 1, row])
            # The first row has the full titles.
            title, more = (f"{number}. {effect}", inner) if row == 0 else (f"After step {number}", "")
            whole = ": ".join(filter(None, (effect, inner)))
            alt = f"{_name(studio, row)}, after step {number}: {whole}{', unchanged' if same else ''}"
            cards.append(_changed(strip[number, row], title, alt, joined(more, "unchanged" if same else "")))
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=_COLUMNS, label="Images after each step")


def _differences(studio: Studio, options: DeltaGenerator) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sign = bound.choice("sign", SIGNS, label="Kind of difference", label_visibility="collapsed")
        factor = bound.choice("amplify", FACTORS, label="Amplification", default="2", label_visibility="collapsed")
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
            _changed(after[row], studio.in_view.title, f"{name}, after"),
            _changed(pictures[row], f"Difference × {shown}", f"{name}, difference: {change}", change),
        ]
    gallery.render_cards(cards, size_rem=_CARD_REM, columns=3, label="Images before and after, and the difference")


def _histograms(studio: Studio, options: DeltaGenerator) -> None:
    """Draw a chart for each channel, over all sample images and some draws of them."""
    number = _number_of_draws(options)
    made = studio.draws(branch=studio.branch, draws=number)
    st.caption("Values that pile up at 0 or 255 have lost their detail.")
    before, after = histograms(studio.images), histograms(made)
    for channel in range(3):
        figure = channel_change(before[channel], after[channel], channel=channel, height=_CHART_HEIGHT)
        components.render_plot(figure, key=f"histogram-{channel}")


def _number_of_draws(options: DeltaGenerator) -> int:
    """Draw the field for the number of draws, which is in the address, into a popover."""
    numbers = list(map(str, range(1, MAX_DRAWS + 1)))
    return int(bound.menu("draws", numbers, label="Examples of each image", default="4", into=options))


def _changed(image: NDArray[np.uint8], title: str, alt: str, subtitle: str = "") -> gallery.Card:
    """Return the card of a changed image, whose line is clear so that it aligns with its original."""
    return gallery.Card(image, title, alt, subtitle, accent="transparent")


def _original(studio: Studio, row: int, *, large: bool = True) -> gallery.Card:
    label, image, alt = studio.labels[row], studio.images[row], f"{_name(studio, row)}, original"
    if not studio.positions:
        card = _changed(image, label or "Your picture", alt, "yours")
    else:
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
LOOKS: Sections[[Studio, DeltaGenerator], None] = Sections(
    "look",
    "View",
    {
        "draws": Section("Random examples", _examples),
        "steps": Section("Steps", _steps),
        "same": Section("Same changes", lambda studio, options: _examples(studio, options, alike=True)),
        "difference": Section("Difference", _differences),
        "histograms": Section("Histograms", _histograms),
    },
)
