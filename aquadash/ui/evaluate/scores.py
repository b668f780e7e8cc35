"""A run's figures: its scores and those by class, ranking curves, calibration, the matrix and the learning curves."""

import math
from collections.abc import Sequence
from typing import cast

import streamlit as st

from aquadash import settings
from aquadash.evaluation import (
    METRICS,
    Calibration,
    Evaluation,
    Metric,
    Rescaling,
    Score,
    bin_of,
    macro_mean,
    wilson_interval,
)
from aquadash.evaluation.curves import EpochMetric
from aquadash.figures.class_scores import MAX_DRAWN, SCORES, class_scores
from aquadash.figures.compare_curves import compare_curves
from aquadash.figures.confidence_histogram import confidence_histogram
from aquadash.figures.confusion_matrix import (
    MOST,
    confusion_difference,
    confusion_matrix,
    frequent_confusions,
    largest_confusions,
)
from aquadash.figures.learning_curves import PlainMetric, learning_curves
from aquadash.figures.ranking_curves import MAX_DRAWN as MAX_CURVES
from aquadash.figures.ranking_curves import Kind, area, ranking_curves_figure
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.store.types import EpochRecord, Run
from aquadash.training.prepare import report_validation_images
from aquadash.ui.kit import address, bound, coach_notes, components, gallery, image_browser, run_lists
from aquadash.ui.kit.evaluated import Evaluated, Narrowed
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, joined, percent, plain


def render_scores(one: Evaluated) -> None:
    """Draw each metric with its interval and the value of guessing."""
    classes = len(one.evaluation.classes)
    chance = {"accuracy": f"chance {100 / classes:.0f} %", "loss": f"chance {math.log(classes):.2f}"}
    with st.container(horizontal=True, width="content", key="evaluate-scores"):
        for name, score in one.scores().items():
            if not METRICS[name].with_classes:
                _metric(METRICS[name], score, chance.get(name, ""))


def render_caveats(one: Evaluated) -> None:
    """Draw warnings about the use of the accuracy."""
    if settings.classroom():
        from aquadash.classroom import limits

        if limits.in_force().test_results_hidden:
            st.caption("🏁 These are test images: learn from the mistakes, but choose runs by validation accuracy.")
    if one.run.config.training.validation == "test":
        st.warning(_the_reports_way(one.run, one.evaluation), icon="🔬")


def render_curves(run: Run, history: Sequence[EpochRecord]) -> None:
    """Draw loss and accuracy by epoch, with the coach's notes."""
    metrics: tuple[PlainMetric, ...] = ("accuracy", "loss")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            components.render_plot(
                learning_curves(
                    history,
                    metric=metric,
                    monitor=run.config.training.monitor,
                    kept_epoch=run.metrics.get("kept_epoch"),
                    revision=run.run_id,
                ),
                key=f"curves-{metric}",
            )
    if run.config.training.validation == "test":
        st.caption("“Validation” means test images in this run.")
    # The note about validating on test images stands beside the score.
    coach_notes.render_run_notes(run, history, leave_out=("validation-on-test",) if run_lists.has_results(run) else ())


def render_both_curves(run: Run, other: Run) -> None:
    """Draw validation loss and accuracy of two runs by epoch, the second dashed."""
    names = (run.name, other.name)
    histories = [lab().runs.history(each.run_id) for each in (run, other)]
    metrics: tuple[EpochMetric, ...] = ("val_loss", "val_accuracy")
    curves = compare_curves(list(zip(names, histories, strict=True)), metrics=metrics, height=300)
    components.render_plot(curves, key="both-curves")


def _metric(metric: Metric, score: Score, chance: str) -> None:
    explained = [metric.help, term(metric.term) if metric.term else ""]
    value, interval = metric.score_text(score)
    if interval:
        explained.append(f"Below: the 95 % interval. {term('confidence interval')}")
    help, note = " ".join(filter(None, explained)), joined(interval, chance)
    components.render_metric(metric.title, value, note=note, help=help, border=False, width="content")


def _the_reports_way(run: Run, evaluation: Evaluation) -> str:
    """Describe in markdown how validating on test images flatters the accuracy."""
    spent = report_validation_images(evaluation.n)
    decided = run.config.training.decided_by_validation
    said = f"decided {decided}**, so the accuracy is probably too high." if decided else "were its validation images.**"
    text = f"**{spent} of the {evaluation.n:,} test images {said}"
    fraction, unseen = run.metrics.get("unseen_test_accuracy"), evaluation.n - spent
    if fraction is None or unseen <= 0:
        return text
    interval = wilson_interval(round(fraction * unseen), unseen)
    return f"{text} On the other {unseen:,} test images it is {percent(fraction, interval)}."


CLASS_SCORES_KEY = "class-scores"


def render_class_scores(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the chart and the table; a click on a score shows the images that it counts."""
    names = one.evaluation.classes
    if click := components.new_click(CLASS_SCORES_KEY, len(SCORES), len(names)):
        score, index = click
        chosen = (names[index], image_browser.ANY)
        image_browser.show_cell(*(chosen[::-1] if SCORES[score][0] == "precision" else chosen))
    figure = class_scores([(each.run.name, each.evaluation) for each in (one, other) if each is not None])
    components.render_plot(figure, key=CLASS_SCORES_KEY)
    if len(names) > MAX_DRAWN:
        st.caption(f"The chart shows the {MAX_DRAWN} classes with the lowest F1, the table all of them.")
    st.caption("Click a point to see its images, or use Filters.")
    render_class_table(one)
    if other is not None:
        st.markdown("**Second run**")
        render_class_table(other)


def render_class_table(one: Evaluated) -> None:
    """Draw the scores with their intervals, the two averages, and the metrics that allow for the classes' sizes."""
    with st.container(horizontal=True):
        for name, score in one.scores().items():
            if METRICS[name].with_classes:
                _metric(METRICS[name], score, "")
    evaluation = one.evaluation
    every = (*evaluation.report, evaluation.macro_average, evaluation.weighted_average)
    averages = (
        "The mean of classes gives every class the same weight. The mean of images weights each class by its support."
    )
    names = [*(class_text(row.label) for row in evaluation.report), "Mean of classes", "Mean of images"]
    columns = [text_column("Class", names, width=130, help=averages)]
    for field, title, _, _ in SCORES:
        values, help = [100 * getattr(row, field) for row in every], term(title if title == "F1" else title.lower())
        columns.append(number_column(title, values, "%.0f %%", width=64, help=help))
    columns.append(number_column("Support", [row.support for row in every], "%d", width=64, help=term("support")))
    # The intervals come last: half a page is wide enough for the scores only, and the chart shows the intervals.
    for field, title, _, _ in SCORES:
        pairs = [row.intervals[field] for row in evaluation.report]
        ends = [*("" if pair is None else f"{100 * pair[0]:.0f} to {100 * pair[1]:.0f}" for pair in pairs), "", ""]
        columns.append(text_column(f"{title}, 95 %", ends, width=84, help=term("confidence interval")))
    render_columns(
        *columns, alt="Precision, recall and F1 of each class with their intervals", key=f"report-{one.run.run_id}"
    )


MATRIX_KEY, CONFUSIONS_KEY = "matrix", "confusions"

#: Values of the cells by their word in the address; the last needs a second run.
_CELLS = {"counts": "Images", "rows": "% of the true class", "difference": "Difference of the runs"}


def take_cell_click(class_names: Sequence[str]) -> None:
    """Show the images of a newly clicked cell or bar; call before the menus are drawn."""
    for chart in (MATRIX_KEY, CONFUSIONS_KEY):
        if cell := components.new_click(chart, len(class_names), len(class_names)):
            image_browser.show_cell(*(class_names[index] for index in cell))


def render_confusions(evaluation: Evaluation) -> None:
    """Draw the most frequent confusions as bars; a click on one shows its images."""
    drawn = len(largest_confusions(evaluation.confusion_matrix, most=MOST))
    if not drawn:
        return
    title = "The ten most frequent mistakes" if drawn == MOST else "All mistakes"
    st.markdown(f"**{title}**, true → predicted. Click a bar to see its images.")
    components.render_plot(
        frequent_confusions(evaluation.confusion_matrix, class_names=evaluation.classes), key=CONFUSIONS_KEY
    )


def render_confusion_matrix(evaluation: Evaluation, *, other: Evaluation | None = None) -> None:
    """Draw the matrix, and the choice of its values."""
    names = evaluation.classes
    cells = {word: title for word, title in _CELLS.items() if other is not None or word != "difference"}
    shown = bound.choice("cells", cells, label="Cells show", label_visibility="collapsed")
    true, predicted = image_browser.chosen_classes(names)
    selected = None if true is None or predicted is None else (true, predicted)
    if shown == "difference" and other is not None:
        figure = confusion_difference(
            evaluation.confusion_matrix, other.confusion_matrix, class_names=names, selected=selected
        )
    else:
        figure = confusion_matrix(
            evaluation.confusion_matrix, class_names=names, by_row=shown == "rows", selected=selected
        )
    components.render_plot(figure, key=MATRIX_KEY)
    colours = (
        "This run minus the second. Blue: this run is better. Orange: the second is."
        if shown == "difference"
        else "Blue: right. Orange: wrong. Darker: more."
    )
    st.caption(f"{colours} Click a cell to see its images, or use Filters.", help=term("confusion matrix"))


def render_frequent_mistakes(evaluation: Evaluation) -> None:
    """Draw the most frequent mistakes, each a button that shows its images."""
    mistakes = largest_confusions(evaluation.confusion_matrix)
    with st.container(horizontal=True, vertical_alignment="center", key="mistakes"):
        st.markdown("**Most frequent mistakes**" if mistakes else "**No mistakes**", width="content")
        for row, column, number in mistakes:
            true, predicted = evaluation.classes[row], evaluation.classes[column]
            st.button(
                f"{plain(class_text(true))} → {plain(class_text(predicted))}: {number}",
                key=f"mistake-{row}-{column}",
                help=plain(f"{count(number, 'image')} of {true} taken for {predicted}"),
                on_click=image_browser.show_cell,
                args=(true, predicted),
            )


_CURVES = {"roc": "ROC", "precision-recall": "Precision and recall"}


def render_ranking_curves(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the curves of each class against the rest, and a table of the areas."""
    help = f"{term('ROC curve')} {term('precision-recall curve')}"
    kind = cast(Kind, bound.choice("curve", _CURVES, label="Curve", help=help))
    second = None if other is None else (other.run.name, other.curves())
    components.render_plot(ranking_curves_figure(one.curves(), kind=kind, other=second), key="ranking-curves")
    if len(one.evaluation.classes) > MAX_CURVES:
        st.caption(f"The chart shows the {MAX_CURVES} classes with the smallest areas, the table all of them.")
    columns = [Column("Class", [*map(class_text, one.evaluation.classes), "Mean of classes"])]
    areas: tuple[tuple[Kind, str, str], ...] = (
        ("roc", "ROC area", term("ROC area")),
        ("precision-recall", "Average precision", term("average precision")),
    )
    for run, suffix in ((one, ""), (other, ", second run")):
        if run is None:
            continue
        for column_kind, title, column_help in areas:
            values = [area(row, column_kind) for row in run.curves()]
            columns.append(number_column(title + suffix, [*values, macro_mean(values)], "%.3f", help=column_help))
    render_columns(*columns, alt="The area under each class's curves", key="areas")


RELIABILITY_KEY = "reliability"
_ANY = "any"


def render_calibration(one: Evaluated, other: Evaluated | None) -> Narrowed | None:
    """Draw the diagram, the figures before and after, and the histogram of confidence."""
    calibration, rescaling = one.calibration(), one.rescaling()
    if click := components.new_click(RELIABILITY_KEY, len(calibration.counts)):
        address.assign("bin", str(click[0] + 1))
        gallery.first_page()
    lines = [] if rescaling is None else [(f"with temperature {rescaling.temperature.value:.2f}", rescaling.after)]
    if other is not None:
        lines.append((other.run.name, other.calibration()))
    chosen = _bin_menu(calibration)
    components.render_plot(reliability_diagram(calibration, lines=lines, selected=chosen), key=RELIABILITY_KEY)
    st.caption(
        "White dot below the dotted line: the network is too sure. Above: not sure enough. Pale bar: fewer than 10 "
        "images. Click a bar to see its images."
    )
    _calibration_figures(one, other, calibration, rescaling)
    st.markdown("**How sure is it?**", help=term("confidence"))
    runs = [one] if other is None else [one, other]
    for column, each in zip(st.columns(len(runs)), runs, strict=True):
        with column:
            if len(runs) > 1:
                st.caption(plain(each.run.name))
            figure = confidence_histogram(each.predictions.labels, each.predictions.probabilities)
            components.render_plot(figure, key=f"confidences-{each.run.run_id}")
    if chosen is None:
        return None
    mask = bin_of(one.predictions.probabilities.max(axis=1)) == chosen
    return Narrowed(mask, f"answered with {_bin_text(calibration, chosen)} confidence")


def _bin_menu(calibration: Calibration) -> int | None:
    words = {_ANY: "any"} | {
        str(index + 1): f"{_bin_text(calibration, index)}: {count(int(images), 'image')}"
        for index, images in enumerate(calibration.counts)
    }
    label = "Confidence"
    word = bound.menu("bin", words, label=label, width=260, help=term("calibration"), on_change=gallery.first_page)
    return None if word == _ANY else int(word) - 1


def _bin_text(calibration: Calibration, index: int) -> str:
    return f"{100 * calibration.edges[index]:.0f} to {100 * calibration.edges[index + 1]:.0f} %"


def _calibration_figures(
    one: Evaluated, other: Evaluated | None, calibration: Calibration, rescaling: Rescaling | None
) -> None:
    rows = [("Model", calibration)]
    if rescaling is not None:
        if rescaling.before.n != calibration.n:
            rows.append((f"Model, the {rescaling.before.n:,} unseen images", rescaling.before))
        rows.append(("With temperature", rescaling.after))
    if other is not None:
        rows.append(("Second run", other.calibration()))
    render_columns(
        Column("", [name for name, _ in rows]),
        number_column("Calibration error", [100 * row.ece for _, row in rows], "%.1f", help=term("calibration error")),
        number_column("Confidence", [100 * row.mean_confidence for _, row in rows], "%.0f %%", help="Mean confidence."),
        number_column("Accuracy", [100 * row.mean_accuracy for _, row in rows], "%.0f %%", help=term("accuracy")),
        number_column("Loss", [row.loss for _, row in rows], "%.3f", help=term("loss")),
        number_column("Brier", [row.brier for _, row in rows], "%.3f", help=term("Brier score")),
        alt="Calibration error, loss and Brier score before and after temperature scaling",
        key="calibration-figures",
    )
    st.markdown(_temperature_words(one, rescaling), help=term("temperature"))


def _temperature_words(one: Evaluated, rescaling: Rescaling | None) -> str:
    if rescaling is None:
        return (
            "**No temperature:** the fit needs predictions of validation images, and this run kept none. Train a clone "
            "to get one."
        )
    fit = rescaling.temperature
    verdict = (
        "the network is about as sure as it should be"
        if 0.95 <= fit.value <= 1.05
        else "the network is too sure"
        if fit.value > 1
        else "the network is not sure enough"
    )
    text = (
        f"**Temperature {fit.value:.2f}:** {verdict}. It was fitted on {count(fit.n, 'validation image')} and changes "
        f"no answer. On {count(rescaling.before.n, 'test image')} the calibration error went from "
        f"{100 * rescaling.before.ece:.1f} to {100 * rescaling.after.ece:.1f} points"
        f"{': no help here' if rescaling.after.ece > rescaling.before.ece else ''}. "
        + ("Predict does not use it." if fit.at_limit else "Predict uses it.")
    )
    if fit.at_limit:
        text += " The fit ended at its limit, so the value is only a rough guide."
    if one.validated_on_test:
        text += (
            " The result leaves out the test images that this run used for validation."
            if rescaling.before.n < one.evaluation.n
            else " This run used all its test images for validation, so the result is probably too good."
        )
    return text
