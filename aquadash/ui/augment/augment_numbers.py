"""The Augment page's figures: what each version of the images costs, and what became of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash.augment.numbers import BLACK_SHARE, CONSTANT_DEVIATION, BranchNumbers, ChannelChange
from aquadash.ui import components
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.text import count, duration, percent, plain


def show(studio: Studio) -> None:
    """Measure every branch, with the progress shown, and draw the figures."""
    measured = _measured(studio)
    _totals(studio, measured)
    _cautions(measured)
    st.dataframe(
        [_row(numbers) for numbers in measured],
        hide_index=True,
        alt="A row for each version of the images: time, clipped values, and shares of unchanged, flat and black ones",
        column_config=_COLUMNS,
    )
    in_view = measured[studio.branch]
    of = "training images" if studio.positions else "pictures of your own"
    st.caption(f"Measured on {in_view.images} {of}, on one core.")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{plain(in_view.title)}**: pixel values, mean ± deviation", help=term("standard deviation"))
        st.dataframe([_colours(change) for change in in_view.channels], hide_index=True, alt=_colours_alt(in_view))
    with right:
        st.markdown("**Time of each step**, milliseconds an image")
        _step_times(in_view)


def _measured(studio: Studio) -> list[BranchNumbers]:
    """The figures of all branches; only those that have changed take time."""
    place = st.empty()
    measured = []
    for number, branch in enumerate(studio.spec.branches):
        text = f"Measuring version {number + 1} of {studio.spec.factor}: {plain(branch.title)}"
        place.progress(number / studio.spec.factor, text)
        measured.append(studio.numbers(number))
    place.empty()
    return measured


def _cautions(measured: list[BranchNumbers]) -> None:
    """What may be wrong, in words; a line that says so where nothing is."""
    found = [(numbers.title, caution) for numbers in measured for caution in numbers.cautions]
    for title, caution in found:
        st.warning(f"**{plain(title)}**: {plain(caution.words)}", icon="⚠️")
    if not found:
        st.caption("👍 Hardly any image comes out flat or black.")


def _totals(studio: Studio, measured: list[BranchNumbers]) -> None:
    """What the whole pipeline costs."""
    milliseconds = sum(numbers.time.milliseconds for numbers in measured if numbers.time)
    total = len(studio.dataset.train)
    with st.container(horizontal=True):
        components.metric("An original", f"{milliseconds:.2f} ms", help="To make all versions of one image.")
        components.metric(
            "Time for all",
            duration(milliseconds * total / 1000),
            help=f"For {total:,} originals: once before training, or new every epoch.",
        )
        components.metric(
            "Images out", f"{total * studio.spec.factor:,}", help=f"{count(total, 'original')} × versions."
        )


def _share_column(title: str, help: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.1f %%", help=help)


_COLUMNS: dict[str, Any] = {
    "version": st.column_config.TextColumn("Version", pinned=True, help=term("branch")),
    "time": st.column_config.NumberColumn("ms an image", format="%.3f", help="Median of up to five batches."),
    "clipped": _share_column("Clipped", term("clipping")),
    "unchanged": _share_column("Unchanged", "Images that come out identical."),
    "constant": _share_column(
        "Nearly constant",
        f"Images that become one flat colour: their pixels deviate by less than {CONSTANT_DEVIATION:g} of 255.",
    ),
    "mostly_black": _share_column(
        "Mostly black", f"Images of which more than {100 * BLACK_SHARE:.0f} % becomes black."
    ),
    "black": _share_column("Clipped to 0", "Values that became 0."),
    "white": _share_column("Clipped to 255", "Values that became 255."),
}


def _row(numbers: BranchNumbers) -> dict[str, Any]:
    return {
        "version": numbers.title,
        "time": numbers.time.milliseconds if numbers.time else None,
        "clipped": 100 * numbers.clipped,
        "unchanged": 100 * numbers.unchanged,
        "constant": 100 * numbers.nearly_constant,
        "mostly_black": 100 * numbers.mostly_black,
        "black": 100 * numbers.clipped_black,
        "white": 100 * numbers.clipped_white,
    }


def _colours(change: ChannelChange) -> dict[str, str]:
    return {
        "Channel": change.name,
        "Before": f"{change.mean_before:.1f} ± {change.deviation_before:.1f}",
        "After": f"{change.mean_after:.1f} ± {change.deviation_after:.1f}",
    }


def _colours_alt(numbers: BranchNumbers) -> str:
    return "; ".join(
        f"{row['Channel']}: before {row['Before']}, after {row['After']}" for row in map(_colours, numbers.channels)
    )


def _step_times(numbers: BranchNumbers) -> None:
    time = numbers.time
    if time is None or not time.steps:
        st.caption("No step is switched on: the images pass as they are.")
        return
    whole = sum(step.milliseconds for step in time.steps)
    fractions = [step.milliseconds / whole if whole else 0.0 for step in time.steps]
    table = {
        "Step": [f"{number}. {step.title}" for number, step in enumerate(time.steps, start=1)],
        "ms": [step.milliseconds for step in time.steps],
        "Share": [100 * fraction for fraction in fractions],
    }
    spoken = "; ".join(
        f"{step.title}: {step.milliseconds:.3f} ms, {percent(fraction)}"
        for step, fraction in zip(time.steps, fractions, strict=True)
    )
    st.dataframe(
        table,
        hide_index=True,
        alt=spoken,
        column_config={
            "ms": st.column_config.NumberColumn(format="%.3f"),
            "Share": st.column_config.ProgressColumn(min_value=0.0, max_value=100.0, format="%.0f %%"),
        },
    )
