"""The Augment page's numbers: speed, clipping and colours of each version."""

from collections.abc import Callable

import streamlit as st

from aquadash.augment.numbers import BLACK_FRACTION, CONSTANT_DEVIATION, BranchNumbers
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import components
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, duration, plain


def render(studio: Studio) -> None:
    """Measure every branch under a progress bar, and draw the numbers."""
    measured = _measured(studio)
    _totals(studio, measured)
    _cautions(measured)
    _versions(measured)
    in_view = measured[studio.branch]
    of = "training images" if studio.positions else "pictures of your own"
    st.caption(f"Measured on {in_view.images} {of}, on one core.")
    st.markdown(f"**{plain(in_view.title)}**: pixel values, mean ± deviation", help=term("standard deviation"))
    before = [f"{change.mean_before:.1f} ± {change.deviation_before:.1f}" for change in in_view.channels]
    after = [f"{change.mean_after:.1f} ± {change.deviation_after:.1f}" for change in in_view.channels]
    names = [change.name for change in in_view.channels]
    alt = "; ".join(f"{name}: before {old}, after {new}" for name, old, new in zip(names, before, after, strict=True))
    render_columns(Column("Channel", names), Column("Before", before), Column("After", after), alt=alt)


def _measured(studio: Studio) -> list[BranchNumbers]:
    """Return the numbers of all branches; unchanged branches come from a cache."""
    place = st.empty()
    measured = []
    for number, branch in enumerate(studio.spec.branches):
        text = f"Measuring version {number + 1} of {studio.spec.factor}: {plain(branch.title)}"
        place.progress(number / studio.spec.factor, text)
        measured.append(studio.numbers(number))
    place.empty()
    return measured


def _cautions(measured: list[BranchNumbers]) -> None:
    cautions = [(numbers.title, caution) for numbers in measured for caution in numbers.cautions]
    for title, caution in cautions:
        st.warning(f"**{plain(title)}**: {plain(caution.words)}", icon="⚠️")
    if not cautions:
        st.caption("👍 Hardly any image comes out flat or black.")


def _totals(studio: Studio, measured: list[BranchNumbers]) -> None:
    seconds = sum(1 / numbers.images_per_second for numbers in measured if numbers.images_per_second)
    total = len(studio.dataset.train)
    with st.container(horizontal=True):
        components.render_metric(
            "Time for all images",
            duration(seconds * total),
            help=f"For {total:,} originals. Training waits for it once, or in every epoch if each has new versions.",
        )
        components.render_metric(
            "Training images", f"{total * studio.spec.factor:,}", help=f"{count(total, 'original')} × versions."
        )


def _versions(measured: list[BranchNumbers]) -> None:

    def fraction_column(title: str, fraction: Callable[[BranchNumbers], float], help: str) -> Column:
        return number_column(title, [100 * fraction(numbers) for numbers in measured], "%.1f %%", help=help)

    flat = f"Images that become one flat colour: their pixels vary by less than {CONSTANT_DEVIATION:g} of 255."
    black = f"Images that become more than {100 * BLACK_FRACTION:.0f} % black."
    render_columns(
        text_column("Version", [numbers.title for numbers in measured], pinned=True, help=term("branch")),
        number_column(
            "Images per second",
            [numbers.images_per_second for numbers in measured],
            "%.0f",
            help="Median of up to five batches.",
        ),
        fraction_column("Clipped", lambda numbers: numbers.clipped, term("clipping")),
        fraction_column("Unchanged", lambda numbers: numbers.unchanged, "Images that come out identical."),
        fraction_column("Nearly constant", lambda numbers: numbers.nearly_constant, flat),
        fraction_column("Mostly black", lambda numbers: numbers.mostly_black, black),
        fraction_column("Clipped to 0", lambda numbers: numbers.clipped_black, "Values that became 0."),
        fraction_column("Clipped to 255", lambda numbers: numbers.clipped_white, "Values that became 255."),
        alt="A row for each version: images a second, clipped values, fractions of unchanged, flat and black images",
    )
