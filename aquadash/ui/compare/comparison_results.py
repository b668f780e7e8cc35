"""The best of the compared runs, the size and significance of the differences, and the confusion matrices."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from aquadash.evaluation import LEVEL, AccuracyChange, PairTest, describe_change, p_text, paired_change
from aquadash.figures.accuracy_rows import metric_bars
from aquadash.figures.accuracy_rows import paired_change as paired_change_chart
from aquadash.figures.confusion_matrix import confusion_difference, small_confusion
from aquadash.figures.pair_matrix import pair_matrix
from aquadash.figures.theme import run_colour, shorten
from aquadash.ui.compare import comparison_curves
from aquadash.ui.kit import address, bound, components, gallery
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.compared import Compared, bold
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, percent, plain

_MATRIX = "pair-matrix"


def ranked(compared: Compared) -> list[int]:
    """Return the positions of runs measured on the same images, the most accurate first; none for fewer than two."""
    together = compared.measured_together()
    evaluations = compared.results.evaluations
    accuracies = {index: results.accuracy for index in together if (results := evaluations[index]) is not None}
    return sorted(accuracies, key=lambda index: -accuracies[index]) if len(accuracies) > 1 else []


def answer(compared: Compared, ranking: Sequence[int]) -> tuple[str, str]:
    """Return in markdown the best run against the next best, or why there is none; and a caution, if any."""
    runs = compared.runs
    fingerprints = {run.dataset_fingerprint for run in runs}
    sources = sorted({fields.value_text("data.source", run.config.data.source) for run in runs})
    # Two sources may have equal images; the source decides only while a fingerprint is unknown.
    if len(fingerprints - {""}) > 1 or ("" in fingerprints and len(sources) > 1):
        differing = f"data ({plain(' and '.join(sources))})" if len(sources) > 1 else "versions of the data"
        return f"These runs learned from different {differing}, so their accuracies cannot be compared.", ""
    if not ranking:
        return _why_not(compared), ""
    best, next_best = ranking[:2]
    sentence = difference(compared, next_best, best)
    if len(ranking) > 2:
        sentence = f"Best of {len(ranking)}: {sentence}"
    return sentence, _caution(compared, ranking)


def _caution(compared: Compared, ranking: Sequence[int]) -> str:
    """Return what limits the comparison of the ranked runs; empty for nothing."""
    images = compared.images
    evaluated = [index for index, evaluation in enumerate(compared.results.evaluations) if evaluation is not None]
    if others := [f"**{plain(compared.names[index])}**" for index in evaluated if index not in ranking]:
        verb = "was" if len(others) == 1 else "were"
        return f"{' and '.join(others)} {verb} measured on other {images} images: no comparison."
    if images == "test" and len({run.config.training.validation for run in compared.runs}) > 1:
        return "Some of these runs used test images to choose their weights, so they look better here than they are."
    if images == "test" and len(ranked(compared.on("validation"))) == len(ranking):
        return "Choose a run by its validation images; keep the test images for the final measurement."
    return ""


def difference(compared: Compared, first: int, second: int) -> str:
    """Describe in markdown how much better the second run is than the first."""
    test = of_pair(compared, first, second)
    result, pairs = test.result, _num_tested(compared)
    assert result is not None
    a, b = bold(compared.names[first]), bold(compared.names[second])
    if not result.fixed + result.broken:
        return describe_change(result, before=a, after=b, images=compared.images)
    seen = count(result.n, f"{compared.images} image")
    low, high = (100 * end for end in result.interval)
    numbers = f"95 % interval {low:z.1f} to {high:z.1f}".replace("-", "−")
    holm = f" after Holm's correction for {pairs} pairs" if pairs > 1 else ""
    evidence = f"(p {p_text(test.p_holm)}{holm}, {numbers})"
    points = f"{100 * result.change:.1f} points"
    if test.p_holm < LEVEL:
        return f"{b} is {points} better than {a} on {seen} {evidence}."
    if not result.change:
        return f"{b} and {a} are equally accurate on {seen} {evidence}."
    return f"{b} is {points} ahead of {a} on {seen}, which may be luck {evidence}."


def _num_tested(compared: Compared) -> int:
    """Return the number of pairs with a test, for which the p-values are corrected."""
    return sum(test.result is not None for test in compared.results.pairs)


def render_results(compared: Compared) -> None:
    """Draw the curves, the accuracies with their intervals, a cell for each pair, and one pair by class."""
    curves, scores = st.columns([3, 2], gap="medium")
    with curves:
        comparison_curves.render_curves(compared)
    with scores:
        named = list(zip(compared.names, compared.results.evaluations, strict=True))
        components.render_plot(metric_bars(named, images=compared.images), key="accuracies")
        if compared.images == "validation" and any(run.config.training.validation == "test" for run in compared.runs):
            st.caption("The report's runs use test images for validation.")
    _pairs(compared)


def _pairs(compared: Compared) -> None:
    tests = compared.results.pairs
    pairs = sorted(pair for test in tests if test.result for pair in ((test.a, test.b), (test.b, test.a)))
    if not pairs:
        return
    st.subheader("Is the difference significant?", anchor=False, help=term("McNemar"))
    click = components.new_click(_MATRIX, len(compared.runs), len(compared.runs))
    if click and click[0] != click[1]:
        for key, position in zip((SECOND, FIRST), click, strict=True):
            address.assign(key, compared.runs[position].run_id)
    first, second = pick_pair(compared, {first: [b for a, b in pairs if a == first] for first, _ in pairs})
    test = of_pair(compared, first, second)
    assert test.result is not None
    text = describe_change(
        test.result,
        before=bold(compared.names[first]),
        after=bold(compared.names[second]),
        images=compared.images,
        p_holm=test.p_holm,
        pairs=_num_tested(compared),
    )
    st.markdown(text)
    if len(compared.runs) > 2:
        components.render_plot(pair_matrix(tests, names=compared.names, selected=(second, first)), key=_MATRIX)
        st.caption(
            "Row minus column, in points. Blue: better. Orange: worse. Star: significant. Click a cell for its pair."
        )
        with st.expander("All pairs as a table", icon="🔢"):
            _pair_table(compared, tests)
    _change_by_class(compared, first, second)


def of_pair(compared: Compared, first: int, second: int) -> PairTest:
    """Return the test of ``second`` against ``first``, reversed where needed."""
    tests = {(test.a, test.b): test for one in compared.results.pairs for test in (one, one.turned())}
    return tests[first, second]


def _pair_table(compared: Compared, tests: tuple[PairTest, ...]) -> None:
    ordered = sorted(tests, key=lambda test: (test.result is None, test.p_holm))
    judged = [None if each.result is None else each.p_holm for each in ordered]
    remarks = [test.error or f"{'' if test.p_holm < LEVEL else 'not '}significant" for test in ordered]
    render_columns(
        Column("From", [compared.names[test.a] for test in ordered]),
        Column("To", [compared.names[test.b] for test in ordered]),
        *_change_columns([test.result for test in ordered]),
        number_column("p, corrected", judged, "%.3g", help=term("Holm's correction")),
        Column("Remark", remarks),
        alt="Every pair of runs with the difference in accuracy and its p-values",
        key="pairs",
        placeholder="–",
    )


def _change_by_class(compared: Compared, first: int, second: int) -> None:
    predictions = compared.results.predictions
    before, after = predictions[first], predictions[second]
    assert before is not None and after is not None
    names = compared.runs[second].class_names
    changes = paired_change(before, after, class_names=names)
    a, b = bold(compared.names[first]), bold(compared.names[second])
    st.markdown(f"**Change in each class** from {a} to {b}")
    components.render_plot(
        paired_change_chart(changes, class_names=names, images=compared.images), key="change-by-class"
    )
    with st.expander("Table", icon="🔢"):
        render_columns(
            Column("Class", ["all", *(gallery.class_text(row.label) for row in changes[1:])]),
            Column("Images", [row.n for row in changes]),
            number_column("From", [100 * row.before for row in changes], "%.1f %%"),
            number_column("To", [100 * row.after for row in changes], "%.1f %%"),
            *_change_columns(changes),
            alt="Change of accuracy by class",
            key="changes",
            height="content",
        )
    st.caption(
        f"Filled dot: the 95 % interval does not contain 0, which can happen by chance in one of {len(changes) - 1} "
        "classes. The intervals are Newcombe's, for paired proportions."
    )


def _change_columns(changes: Sequence[AccuracyChange | None]) -> list[Column]:
    """Return the columns of changes of accuracy, empty for None."""

    def of(value: Callable[[AccuracyChange], object]) -> list[object]:
        return [None if change is None else value(change) for change in changes]

    def interval(change: AccuracyChange) -> str:
        return " to ".join(f"{100 * end:+z.1f}" for end in change.interval)

    points = "Accuracy of the second minus that of the first, in points."
    return [
        number_column("Points", of(lambda change: 100 * change.change), "%+.1f", help=points),
        text_column("95 % interval", of(interval), help="Newcombe's, for pairs measured on the same images."),
        number_column("Fixed", of(lambda change: change.fixed), "%d"),
        number_column("Newly broken", of(lambda change: change.broken), "%d"),
        number_column("p", of(lambda change: change.p_value), "%.3g", help=term("McNemar")),
    ]


def _why_not(compared: Compared) -> str:
    if sum(each is not None for each in compared.results.predictions) > 1:
        return "These runs were measured on different images, so they cannot be compared image by image."
    if sum("test_accuracy" in run.metrics for run in compared.runs) > 1:
        return f"Fewer than two of these runs kept their answers to the {compared.images} images."
    gone = [
        f"{bold(name)} ended without results ({run.status}). {plain(run.message)}".rstrip()
        for run, name in zip(compared.runs, compared.names, strict=True)
        if run.status.ended and "test_accuracy" not in run.metrics
    ]
    if len(compared.runs) - len(gone) < 2:
        return " ".join(gone)
    return "The answer appears here once two of these runs have results."


#: Names of the pair in the address: the run to compare with, and the other.
FIRST, SECOND = "first", "second"


def pick_pair(compared: Compared, others: Mapping[int, Sequence[int]]) -> tuple[int, int]:
    """Draw two menus, where there is a choice, and return the positions of (the run to compare with, the other).

    By default the better run is the other one, as in the answer.
    """
    best_first = [*dict.fromkeys([*(each for each in ranked(compared) if each in others), *others])]
    best, next_best, *worse = best_first
    if not worse:
        return next_best, best
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = _pair_menu("From", FIRST, compared, [next_best, best, *worse])
        second = _pair_menu(
            "To", SECOND, compared, [each for each in best_first if each in others[first] and each != first]
        )
    return first, second


def _pair_menu(label: str, key: str, compared: Compared, positions: Sequence[int]) -> int:
    by_id = {compared.runs[position].run_id: position for position in positions}
    titles = {run_id: compared.names[position] for run_id, position in by_id.items()}
    codec = bound.id_of(titles, expected="the id of one of the runs")
    return by_id[bound.menu(key, titles, label=label, codec=codec, width=300)]


def render_confusion(compared: Compared) -> None:
    """Draw a small matrix a run, and below them the difference of two."""
    evaluations = compared.results.evaluations
    drawn = [index for index, each in enumerate(evaluations) if each is not None]
    if not drawn:
        st.caption(f"A matrix appears here once a run has predicted the {compared.images} images.")
        return
    st.caption(
        "Rows: true class. Columns: predicted class. In per cent of the row. Blue: right. Orange: wrong.",
        help=term("confusion matrix"),
    )
    with st.container(horizontal=True, gap="small"):
        for index in drawn:
            evaluation = evaluations[index]
            assert evaluation is not None
            with st.container(width=256, gap=None):
                st.markdown(f"**{plain(shorten(compared.names[index], length=26))}**")
                st.caption(str(percent(evaluation.accuracy, evaluation.accuracy_ci95)))
                st.html(f'<div aria-hidden="true" style="height: 4px; background: {run_colour(index)}"></div>')
                figure = small_confusion(
                    evaluation.confusion_matrix, class_names=evaluation.classes, name=compared.names[index]
                )
                components.render_plot(figure, key=f"small-confusion-{index}", config={"displayModeBar": False})
    same = [index for index in drawn if compared.runs[index].class_names == compared.runs[drawn[0]].class_names]
    if len(same) < 2:
        return
    st.subheader("Difference of two confusion matrices", anchor=False)
    first, second = pick_pair(compared, dict.fromkeys(same, same))
    before, after = evaluations[first], evaluations[second]
    assert before is not None and after is not None
    figure = confusion_difference(after.confusion_matrix, before.confusion_matrix, class_names=after.classes)
    figure.update_layout(height=430 if len(after.classes) <= 6 else figure.layout.height)
    components.render_plot(figure, key="compared-difference")
    st.caption(
        f"{bold(compared.names[second])} minus {bold(compared.names[first])}. Blue: the former is better. Orange: the "
        "latter is."
    )
