"""How accurate the compared runs are, and whether the differences between them may be luck."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aquadash.evaluation import McNemar, PairTest
from aquadash.figures.metric_bars import metric_bars
from aquadash.figures.pair_matrix import LEVEL, pair_matrix
from aquadash.figures.theme import shorten
from aquadash.ui import clicks, components
from aquadash.ui.compare import pair_picker, paired_results
from aquadash.ui.compared import Compared
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

_MATRIX = "pair-matrix"


def show(compared: Compared) -> None:
    """Draw the accuracies with their intervals, a cell for each pair, and one pair in words."""
    images = compared.images
    st.subheader(f"How many {images} images are right?", anchor=False, help=term("confidence interval"))
    evaluations = compared.evaluations()
    components.plot(
        metric_bars(list(zip(compared.names, evaluations, strict=True)), images=images, best_first=True),
        key="accuracies",
    )
    if compared.images == "validation" and any(run.config.training.validation == "test" for run in compared.runs):
        st.caption("Runs that validated on test images, as the report does, have those as their validation images.")
    _pairs(compared)
    pair = paired_results.of_two(list(compared.runs))
    if pair is not None:
        st.subheader("What the pipeline changed", anchor=False, help=term("paired runs"))
        paired_results.show(pair)


def _pairs(compared: Compared) -> None:
    """Hold the runs against one another, two at a time."""
    images = compared.images
    together = compared.measured_together()
    if len(together) < 2:
        _why_not(compared)
        return
    st.subheader("Is the difference significant?", anchor=False, help=term("McNemar"))
    tests = compared.pairs()
    if len(compared.runs) > 2:
        _take_click(compared)
    first, second = pair_picker.pick(compared, together)
    test = of_pair(tests, first, second)
    if test.result is not None:
        known = sum(each.result is not None for each in tests)
        st.markdown(
            verdict(
                test.result, before=compared.names[first], after=compared.names[second], images=images,
                interval=test.interval, p_holm=test.p_holm, pairs=known,
            )
        )  # fmt: skip
    if len(compared.runs) > 2:
        components.plot(
            pair_matrix(tests, names=compared.names, selected=(second, first)),
            key=_MATRIX,
            on_select="rerun",
            selection_mode="points",
        )
        st.caption(
            "Points of per cent. A star marks what passes Holm's correction. Click a cell, or choose the two runs in "
            "the menus above, to have it in words."
        )
        with st.expander("All pairs as a table", icon="🔢"):
            _table(compared, tests)


def of_pair(tests: tuple[PairTest, ...], first: int, second: int) -> PairTest:
    """The test of ``second`` against ``first``, turned round where it was made the other way."""
    for test in tests:
        if (test.a, test.b) == (first, second):
            return test
        if (test.a, test.b) == (second, first):
            return test.turned()
    raise LookupError(f"The runs {first} and {second} were not compared.")


def verdict(
    result: McNemar,
    *,
    before: str,
    after: str,
    images: str = "test",
    interval: tuple[float, float] | None = None,
    p_holm: float | None = None,
    pairs: int = 1,
) -> str:
    """McNemar's test in plain words, in markdown.

    Args:
        result: Of ``after`` against ``before``.
        before: The name of the run to compare with, as typed.
        after: The name of the run in question, as typed.
        images: ``"test"`` or ``"validation"``.
        interval: The 95 % interval of the difference in accuracy, -1 to 1.
        p_holm: The p-value corrected for the number of pairs, which then decides.
        pairs: How many pairs that was corrected for.
    """
    a, b = plain(shorten(before)), plain(shorten(after))
    if not result.fixed + result.broken:
        return f"**{b}** and **{a}** have exactly the same {result.n:,} {images} images right."
    changed = (
        f"Of {count(result.n, f'{images} image')}, **{b}** has {result.fixed} right that **{a}** had wrong (fixed), "
        f"and {result.broken} wrong that **{a}** had right (newly broken)."
    )
    if interval is not None:
        difference = 100 * (result.fixed - result.broken) / result.n
        low, high = (100 * end for end in interval)
        changed += f" That is {difference:+.1f} points of accuracy (95 % interval {low:+.1f} to {high:+.1f})."
    chance = (
        "less than 0.1 %"
        if result.p_value < 0.001
        else f"{100 * result.p_value:.{1 if result.p_value < 0.1 else 0}f} %"
    )
    corrected = result.p_value if p_holm is None else p_holm
    better = b if result.fixed > result.broken else a
    if corrected < LEVEL:
        judged = f"so **{better}** is probably the better one of the two"
    elif result.p_value < LEVEL:
        judged = f"but among {count(pairs, 'pair')} some look like this by luck, so it does not count"
    else:
        judged = "so this difference may well be luck"
    holm = f"; for {pairs} pairs, by Holm's correction, p {p_text(corrected)}" if pairs > 1 else ""
    return (
        f"{changed} If both were equally good, chance alone would give a split at least this uneven in {chance} of "
        f"such comparisons, {judged}. (McNemar's exact test, p {p_text(result.p_value)}{holm}.) It judges these two "
        "trained networks: another seed would give others."
    )


def p_text(p_value: float) -> str:
    """``"= 0.012"`` or ``"< 0.001"``."""
    return f"= {p_value:.3f}" if p_value >= 0.001 else "< 0.001"


def pair_rows(compared: Compared, tests: tuple[PairTest, ...]) -> list[dict[str, Any]]:
    """A row a pair; differences in points of per cent, empty where two runs cannot be compared."""
    rows: list[dict[str, Any]] = []
    for test in sorted(tests, key=lambda test: (test.result is None, test.p_holm)):
        row: dict[str, Any] = {"From": compared.names[test.a], "To": compared.names[test.b]}
        if test.result is None:
            rows.append(row | {"Remark": test.error})
            continue
        low, high = test.interval
        rows.append(
            row
            | {
                "Points": 100 * test.difference,
                "95 % interval": f"{100 * low:+.1f} to {100 * high:+.1f}",
                "Fixed": test.result.fixed,
                "Newly broken": test.result.broken,
                "p": test.result.p_value,
                "p, corrected": test.p_holm,
                "Remark": "significant" if test.p_holm < LEVEL else "not significant",
            }
        )
    return rows


def _table(compared: Compared, tests: tuple[PairTest, ...]) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        pair_rows(compared, tests),
        hide_index=True,
        key="pairs",
        placeholder="–",
        alt="Every pair of runs with the difference in accuracy and its p-values",
        column_config={
            "Points": number(format="%+.1f", help="Accuracy of the second less that of the first, in points."),
            "95 % interval": st.column_config.TextColumn(help="Newcombe's, for pairs measured on the same images."),
            "p": number(format="%.3g", help=term("McNemar")),
            "p, corrected": number(format="%.3g", help=term("Holm's correction")),
        },
    )


def _take_click(compared: Compared) -> None:
    point = clicks.new_click(_MATRIX)
    if point is None or len(point) != 2:
        return
    row, column = (clicks.whole(value, below=len(compared.runs)) for value in point)
    if row is not None and column is not None and row != column:
        pair_picker.choose(compared, column, row)


def _why_not(compared: Compared) -> None:
    """Say why no two runs can be held against one another."""
    found = [each for each in compared.predictions() if each is not None]
    if len(found) < 2:
        if len([run for run in compared.runs if "test_accuracy" in run.metrics]) > 1:
            st.caption(f"Fewer than two of these runs kept their answers to the {compared.images} images.")
        else:
            st.caption("Once two of the runs have results, they are compared image by image here.")
        return
    st.caption("The runs were measured on different images, so they cannot be compared image by image.")
