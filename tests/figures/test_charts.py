"""Every chart has the right values, draws, says in words what it shows, keeps names as text, and is visible."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest

from aquadash.config import TrainingConfig
from aquadash.evaluation import Evaluation, evaluate, pairwise, ranking_curves, reliability
from aquadash.evaluation import paired_change as change_of
from aquadash.evaluation.records import Predictions
from aquadash.figures import search_charts, theme
from aquadash.figures.accuracy_rows import metric_bars, paired_change
from aquadash.figures.architecture import architecture, blocks
from aquadash.figures.cells import SHADES
from aquadash.figures.channels import channel_change, channel_histogram
from aquadash.figures.class_counts import class_counts
from aquadash.figures.class_scores import MAX_DRAWN, class_scores, drawn_classes
from aquadash.figures.compare_curves import compare_curves, exponential_average
from aquadash.figures.confidence_histogram import confidence_histogram
from aquadash.figures.confusion_matrix import (
    confusion_difference,
    confusion_matrix,
    difference,
    frequent_confusions,
    largest_confusions,
    shares_by_row,
    small_confusion,
)
from aquadash.figures.cost_accuracy import cost_accuracy
from aquadash.figures.learning_curves import learning_curves, live_curves
from aquadash.figures.pair_matrix import pair_matrix
from aquadash.figures.ranking_curves import ranking_curves_figure
from aquadash.figures.reliability_diagram import reliability_diagram
from aquadash.figures.right_counts import right_counts
from aquadash.figures.robustness import loss_rows, robustness_curves, robustness_losses, severity_curve
from aquadash.figures.schedule import learning_rate_curve
from aquadash.models import LayerRow
from aquadash.robustness.corruptions import CORRUPTIONS
from aquadash.robustness.measurement import Mean, Measurement
from aquadash.search import Trial, TrialState
from aquadash.search.strategies import study_of
from aquadash.store import EpochRecord
from aquadash.training.schedules import SCHEDULES, preview
from tests.evaluation.test_compare import stored
from tests.evaluation.test_metrics import drawn
from tests.search.test_plan import PLAN, trials
from tests.support.robust_runs import made_up_result
from tests.support.search_fakes import plan

FIVE = ("beaver", "dolphin", "otter", "seal", "whale")
EVIL = '<a href="https://example.org">%{x}</a> $1$ and a name that goes on and on'
LABELS = np.array([0, 1, 2, 3, 4, 0])
PROBABILITIES = np.full((6, 5), 0.1) + 0.5 * np.eye(5)[[0, 1, 2, 3, 0, 1]]
EVALUATION = evaluate(LABELS, PROBABILITIES, class_names=FIVE)
MATRIX = EVALUATION.confusion_matrix


def history(n: int, *, seconds: float = 2.0) -> list[EpochRecord]:
    return [EpochRecord(e, 1 / e, 1 - 0.5 / e, 0.5 + abs(e - 3) / 10, 0.6, 0.01, seconds) for e in range(1, n + 1)]


def test_learning_curves_mark_the_best_epoch_by_validation_loss_in_both() -> None:
    # All epochs tie in accuracy, so that the first is the best.
    for monitor, best in (("val_loss", 3), ("val_accuracy", 1)):
        for metric, value in (("loss", 0.5 + abs(best - 3) / 10), ("accuracy", 60.0)):
            figure = learning_curves(history(8), metric=metric, monitor=monitor)  # type: ignore[arg-type]
            star = figure.data[2]
            assert (star.x, star.y, star.name) == ((best,), (value,), f"Best epoch ({best})")
            assert f"best epoch is {best}" in theme.alt_text(figure)
    assert figure.data[0].y[1] == pytest.approx(75.0)
    # The star marks the kept epoch where that is not the best.
    figure = learning_curves(history(8), metric="accuracy", kept_epoch=8)
    assert (figure.data[2].x, figure.data[2].name, figure.layout.shapes[0].x0) == ((8,), "Kept epoch (8)", 8)
    assert "The kept epoch is 8, with a validation accuracy of 60.0 %" in theme.alt_text(figure)


def test_the_live_axis_of_accuracy_follows_the_values_until_all_of_it_is_wanted() -> None:
    run = {"monitor": "val_loss", "kept_epoch": None, "max_epochs": 8, "classes": 5, "revision": "a"}
    for full_scale, ends in ((False, (40, 100)), (True, (0, 100))):
        figure = live_curves(history(8), [], metric="accuracy", full_scale=full_scale, **run)  # type: ignore[arg-type]
        assert figure.layout.yaxis.range == ends


def test_every_cell_of_the_matrix_reports_its_classes() -> None:
    figure = confusion_matrix(MATRIX, class_names=FIVE)
    heat, cells = figure.data
    assert [tuple(pair) for pair in cells.customdata] == [(row, column) for row in range(5) for column in range(5)]
    for x, y, (row, column) in zip(cells.x, cells.y, cells.customdata, strict=True):
        assert (x, y) == (column, row)
        count = MATRIX[row, column]
        assert heat.text[row][column] == (str(count) if count else "")
        assert np.isnan(heat.z[row][column]) if not count else (heat.z[row][column] > 0) == (row == column)
    by_row = confusion_matrix([[1, 3], [0, 2]], class_names=["a", "b"], by_row=True)
    assert by_row.data[0].text[0][1] == "75 %"
    assert "75.0 % of the true class" in by_row.data[1].hovertext[1]
    many = FIGURES["charts: matrix of 100"]()
    assert many.data[0].texttemplate == "" and len(many.layout.xaxis.ticktext) <= 34, "no room for numbers"


def test_confidence_counts_split_right_from_wrong() -> None:
    figure = confidence_histogram([0, 1, 0], [[1.0000001, 0.0], [0.75, 0.25], [0.65, 0.35]])
    right, wrong = (trace.y.tolist() for trace in figure.data)
    assert right == [0] * 6 + [1] + [0] * 2 + [1] and wrong == [0] * 7 + [1, 0, 0]


TESTS = pairwise([stored("1" * 20 + "0" * 40), stored("1" * 50 + "0" * 10), None], sets=["a"] * 3)
MANY = [f"{EVIL} {number}" for number in range(100)]


def costs(*runs: tuple[float | None, float]) -> go.Figure:
    """Of runs with so many seconds and such an accuracy."""
    measured = [
        (f"{EVIL} {index}", replace(EVALUATION, accuracy=accuracy), cost) for index, (cost, accuracy) in enumerate(runs)
    ]
    return cost_accuracy(measured, cost="Seconds", title="Accuracy", text="{} s".format)


def test_a_wide_range_of_costs_has_its_ticks_in_full() -> None:
    axis = costs((3.6, 0.5), (36, 0.7), (120, 0.6)).layout.xaxis
    assert axis.type == "log" and dict(zip(axis.tickvals, axis.ticktext, strict=True))[50] == "50"


def test_curves_by_time_add_the_epochs_up() -> None:
    raw, smooth = compare_curves([("a", history(4))], metrics=["accuracy"], axis="time", weight=0.5).data
    assert raw.x.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert raw.y[:2] == pytest.approx([50, 75]) and smooth.customdata == pytest.approx(raw.y)
    assert smooth.y[0] == 50 and 50 < smooth.y[1] < 75 and raw.hoverinfo == "skip"


def test_the_pair_matrix_is_skew_and_stars_what_is_more_than_luck() -> None:
    figure = pair_matrix(TESTS, names=["a", "b", "c"])
    cells = figure.data[0]
    assert cells.text[1][0] == "+50.0*" and cells.text[0][1] == "-50.0*" and cells.text[2][0] == ""
    assert cells.z[1][0] == 1 and cells.z[0][1] == -1
    assert np.isnan(cells.z[0][0]) and np.isnan(cells.z[2]).all()
    assert [tuple(cell) for cell in figure.data[1].customdata] == [(0, 1), (1, 0)]
    assert "b over a by 50.0 points" in theme.alt_text(figure)


def test_smoothing_has_no_pull_towards_zero_and_leaves_gaps() -> None:
    assert exponential_average([1.0, 5.0], weight=0.0).tolist() == [1.0, 5.0]
    # By hand: (0.5 * 0.5 * 1 + 0.5 * 5) / (1 - 0.25).
    gap = exponential_average([1.0, float("nan"), 5.0], weight=0.5)
    assert gap == pytest.approx([1.0, np.nan, 2.75 / 0.75], nan_ok=True)


def scored(name: str, classes: int = 5, seed: int = 0) -> tuple[str, Evaluation]:
    names = [*FIVE, *(f"{EVIL} {index}" for index in range(classes - 5))]
    return name, evaluate(*drawn(300, classes, seed, sharp=2.0), class_names=names)


ONE, TWO = drawn(300, sharp=2.0), drawn(300, seed=1, sharp=2.0)
FOUND, OTHER_FOUND = reliability(*ONE), reliability(*TWO)


def test_the_most_frequent_confusions_come_first_and_lead_to_their_cells() -> None:
    counts = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])
    assert shares_by_row(counts) == pytest.approx(np.array([[0.75, 0.25, 0], [0, 0, 0], [0.25, 0.25, 0.5]]))
    assert largest_confusions(counts) == [(2, 0, 2), (2, 1, 2), (0, 1, 1)]
    assert largest_confusions(np.eye(3, dtype=int)) == []
    figure = frequent_confusions([[5, 3, 0], [4, 9, 1], [0, 0, 2]], class_names=["a", "b", "c"])
    (bars,) = figure.data
    assert list(bars.x) == [4, 3, 1] and [list(cell) for cell in bars.customdata] == [[1, 0], [0, 1], [1, 2]]
    assert "4 of 14" in bars.hovertext[0] and "b taken for a 4, a taken for b 3" in figure.layout.meta["alt"]


MATRIX_OF_ONE, MATRIX_OF_TWO = (evaluate(*data, class_names=FIVE).confusion_matrix for data in (ONE, TWO))
CHANGE = change_of(
    *(Predictions(np.arange(300), ONE[0], answers) for answers in (ONE[1], TWO[1])), class_names=[*FIVE[:4], EVIL]
)
CURVES, OTHER_CURVES = (ranking_curves(*data, class_names=FIVE) for data in (ONE, TWO))


def test_class_scores_are_drawn_with_their_whiskers_and_of_many_classes_the_worst() -> None:
    _, results = scored("a")
    figure = class_scores([("a", results)])
    precision = figure.data[0]
    assert precision.name == "Precision" and list(precision.x) == pytest.approx(
        [100 * row.precision for row in results.report]
    )
    low, high = results.report[3].intervals["precision"]
    assert precision.x[3] - precision.error_x.arrayminus[3] == pytest.approx(100 * low)
    assert precision.x[3] + precision.error_x.array[3] == pytest.approx(100 * high)
    assert list(figure.data[1].customdata[4]) == [1, 4]
    # Of many classes the worst are drawn.
    _, results = scored("a", classes=60)
    shown = drawn_classes(results.report)
    assert len(shown) == MAX_DRAWN and shown == sorted(shown)
    others = [row.f1 for index, row in enumerate(results.report) if index not in shown]
    assert max(results.report[index].f1 for index in shown) <= min(others)


def test_the_bars_of_the_diagram_say_which_bin_they_are() -> None:
    bars, dots, *_ = reliability_diagram(FOUND).data
    filled = np.flatnonzero(FOUND.counts)
    assert [row[0] for row in bars.customdata] == filled.tolist()
    assert list(bars.y) == list(dots.y) == pytest.approx((100 * FOUND.accuracy[filled]).tolist())
    assert list(dots.x) == pytest.approx((100 * FOUND.confidence[filled]).tolist())


def test_the_difference_is_in_images_or_in_points() -> None:
    values, images = difference([[8, 2], [1, 9]], [[6, 4], [1, 9]])
    assert images and values.tolist() == [[2, -2], [0, 0]]
    values, images = difference([[8, 2], [1, 9]], [[3, 2], [0, 5]])
    assert not images and values == pytest.approx(np.array([[20, -20], [10, -10]]))
    heat, cells = confusion_difference([[8, 2], [1, 9]], [[3, 2], [0, 5]], class_names=["a", "b"]).data
    assert list(cells.customdata[1]) == [0, 1]
    assert np.sign(heat.z).tolist() == [[1, 1], [-1, -1]], "more right answers and fewer mistakes are better"


GOOD, BAD = made_up_result(fingerprint="f", skill=0.8), made_up_result(fingerprint="f", skill=0.6)
PART = made_up_result(fingerprint="f", cells=20)
NOTHING = replace(GOOD, scores={})


def curves(*runs: tuple[str, Measurement | None]) -> go.Figure:
    return robustness_curves(runs, corruption="snow", chance=0.2)


def test_a_curve_holds_the_accuracies_and_their_intervals() -> None:
    curve = severity_curve(GOOD, corruption="fog")
    assert list(curve) == [0, 1, 2, 3, 4, 5] and curve[0].value == GOOD.clean.accuracy
    fog = GOOD.curve("corruption", "fog")[3]
    assert curve[3] == Mean(fog.accuracy, fog.accuracy_ci95)
    mean = severity_curve(GOOD, corruption=None)
    assert mean[5].value == pytest.approx(np.mean([GOOD.curve("corruption", name)[5].accuracy for name in CORRUPTIONS]))
    assert not severity_curve(NOTHING, corruption=None)


def test_losses_are_sorted_by_the_first_run() -> None:
    rows = loss_rows([None, GOOD], kind="corruptions")
    values = [row.losses[1].value for row in rows if row.losses[1]]
    assert len(values) == 15 and values == sorted(values, reverse=True)
    assert rows[0].label == "JPEG" and rows[0].losses[0] is None


TRIALS = (
    *(Trial(number, TrialState.COMPLETE, trial.value, trial.params) for number, trial in enumerate(trials(12))),
    Trial(12, TrialState.PRUNED, params=trials(1)[0].params),
    Trial(13, TrialState.RUNNING, params=trials(1)[0].params),
)
STUDY = study_of(PLAN, TRIALS, label=lambda name: f"{theme.escape(EVIL)} {name}", text=lambda name, value: f"<{value}>")
NAMES = [f"{theme.escape(EVIL)} {parameter.name}" for parameter in PLAN.space]


def test_history_holds_the_complete_trials_and_the_best_so_far() -> None:
    figure = search_charts.optimization_history(STUDY)
    dots, best, *_ = figure.data
    values = [100 * trial.value for trial in TRIALS[:12]]
    assert list(dots.x) == list(range(12)) and list(dots.y) == pytest.approx(values)
    assert list(best.y)[:12] == pytest.approx([max(values[: number + 1]) for number in range(12)])
    words = f"of 12 trials. The best is trial {values.index(max(values))} with {max(values):.1f} %"
    assert words in theme.alt_text(figure)


def test_a_trial_outside_of_a_logarithmic_range_counts_as_failed_and_keeps_its_number() -> None:
    # The search starts from a weight decay of 0.
    decays = [
        Trial(at, TrialState.COMPLETE, 0.5, {"training.weight_decay": decay}) for at, decay in enumerate((0.0, 0.01))
    ]
    study = study_of(plan("training.weight_decay=1e-4..1e-1:log"), decays)
    assert [trial.number for trial in study.trials if trial.value is not None] == [1]


LAYERS = [
    LayerRow("conv2d", "Conv2D", (16, 16, 32), 416),
    LayerRow("max_pooling2d", "MaxPooling2D", (16, 16, 32), 0),
    LayerRow("dense", "Dense", (256,), 1048832),
    LayerRow("dropout", "Dropout", (256,), 0),
    LayerRow("unknown", EVIL, (4, 4, 2), 1),
]


def test_a_layer_that_neither_learns_nor_changes_the_shape_joins_the_block_before_it() -> None:
    drawn = [block.layers for block in blocks(LAYERS[2:4], image_shape=(32, 32, 3))]
    assert drawn == [(), ("Dense", "Dropout")]


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "charts: loss": lambda: learning_curves(history(8)),
    "charts: accuracy": lambda: learning_curves(history(8), metric="accuracy"),
    "charts: diverged": lambda: learning_curves([EpochRecord(1, np.nan, 0.2, np.nan, 0.2, 0.1, 1.0)]),
    "charts: compare": lambda: compare_curves([("a", history(3)), ("b", []), (EVIL, history(9))]),
    "charts: matrix": lambda: confusion_matrix(MATRIX, class_names=FIVE, selected=(4, 0)),
    "charts: confusions": lambda: frequent_confusions(MATRIX, class_names=[EVIL] * 5),
    "charts: matrix of 100": lambda: confusion_matrix(np.eye(100, dtype=int), class_names=[EVIL] * 100),
    "charts: counts": lambda: class_counts({"Training": [5, 4, 3, 2, 1], "Test": [1] * 5}, class_names=FIVE),
    "charts: channels": lambda: channel_histogram(np.ones((3, 256)), bins=32),
    "charts: channel change": lambda: channel_change(np.ones(256), np.arange(256), channel=1),
    "charts: confidence": lambda: confidence_histogram(LABELS, PROBABILITIES),
    "charts: metric": lambda: metric_bars([("a", EVALUATION), ("b", None), (EVIL, EVALUATION)]),
    "comparison: curves by time, smoothed": lambda: compare_curves(
        [(EVIL, history(9)), ("b", history(90, seconds=9.0))], metrics=["val_loss", "accuracy"], axis="time", weight=0.6
    ),
    "comparison: ten runs": lambda: compare_curves(
        [(name, history(100) if index != 1 else []) for index, name in enumerate(MANY[:10])], metrics=["val_loss"]
    ),
    "comparison: pairs": lambda: pair_matrix(TESTS, names=["a", EVIL, "c"], selected=(1, 0)),
    "comparison: matrix of 100": lambda: small_confusion(np.eye(100, dtype=int), class_names=MANY, name=EVIL),
    "comparison: right counts": lambda: right_counts([3, 1, 0, 4], selected=1),
    "comparison: costs": lambda: costs((10, 0.5), (100, 0.7), (120, 0.6)),
    "comparison: change by class": lambda: paired_change(CHANGE, class_names=[*FIVE[:4], EVIL], images="test"),
    "evaluation: class scores of two": lambda: class_scores([scored("a"), scored(EVIL, seed=1)]),
    "evaluation: class scores of 60": lambda: class_scores([scored("a", classes=60)]),
    "evaluation: roc": lambda: ranking_curves_figure(CURVES, kind="roc"),
    "evaluation: precision-recall of two": lambda: ranking_curves_figure(
        CURVES, kind="precision-recall", other=(EVIL, OTHER_CURVES)
    ),
    "evaluation: reliability of three": lambda: reliability_diagram(
        FOUND, lines=[("t", FOUND), (EVIL, OTHER_FOUND)], selected=14
    ),
    "evaluation: difference": lambda: confusion_difference(
        MATRIX_OF_ONE, MATRIX_OF_TWO, class_names=FIVE, selected=(1, 2)
    ),
    "robustness: curves of four": lambda: curves(("a", GOOD), (EVIL, BAD), ("c", None), ("d", PART)),
    "robustness: losses of three": lambda: robustness_losses([("a", PART), (EVIL, BAD), ("c", None)]),
    "robustness: losses to pipelines": lambda: robustness_losses([(EVIL, GOOD), ("b", BAD)], kind="pipelines"),
    "search: history": lambda: search_charts.optimization_history(STUDY),
    "search: parallel coordinates": lambda: search_charts.parallel_coordinates(STUDY),
    "search: slices": lambda: search_charts.slices(STUDY, NAMES),
    "search: importances": lambda: search_charts.importances(STUDY),
    **{
        f"schedule: {name}": partial(learning_rate_curve, *preview(TrainingConfig(schedule=name, warmup_epochs=5)))
        for name in SCHEDULES
    },
    "architecture": lambda: architecture(LAYERS, image_shape=(32, 32, 3)),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "charts: loss": lambda: learning_curves([]),
    "charts: compare": lambda: compare_curves([]),
    "charts: metric": lambda: metric_bars([("a", None)]),
    "comparison: costs": lambda: costs((None, 0.5)),
    "robustness: curves": lambda: curves(("a", NOTHING)),
    "robustness: losses": lambda: robustness_losses([]),
    "robustness: losses to pipelines": lambda: robustness_losses([("a", PART)], kind="pipelines"),
    "search": lambda: search_charts.optimization_history(study_of(PLAN, [Trial(0, TrialState.FAILED)])),
    "markup": lambda: theme.empty_figure("<b>Nothing</b> here yet."),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_and_keeps_names_as_text(name: str) -> None:
    figure = FIGURES[name]()
    drawn = json.loads(figure.to_json(validate=True))
    assert figure.data and figure.layout.height
    assert len(theme.alt_text(figure)) > 20 and theme.alt_text(figure).endswith(".")
    template = drawn["layout"]["template"]["layout"]
    assert template["paper_bgcolor"] == "rgba(0, 0, 0, 0)" and "font" not in template | drawn["layout"]
    # The text alternative is no markup; all the rest is what plotly draws.
    del drawn["layout"]["meta"], drawn["layout"]["template"]
    assert "<a href" not in json.dumps(drawn) and "%{x}</a>" not in json.dumps(drawn)
    for trace in drawn["data"]:
        parts = (trace, trace.get("marker", {}), trace.get("line", {}))
        assert any(part.keys() & {"color", "colorscale", "fillcolor"} for part in parts) or trace["mode"] == "text"


@pytest.mark.parametrize("name", EMPTY)
def test_before_there_is_data_a_figure_gives_a_hint(name: str) -> None:
    figure = EMPTY[name]()
    figure.to_json(validate=True)
    assert not figure.data and len(theme.alt_text(figure)) > 20
    assert figure.layout.annotations[0].text == theme.escape(theme.alt_text(figure))


def test_a_channels_bars_that_leave_the_chart_are_labelled_before_and_after() -> None:
    before, after = np.ones(256), np.ones(256)
    before[0], after[0], after[255] = 100, 50, 200
    low, high = (note.text for note in channel_change(before, after, channel=0).layout.annotations)
    assert "before ↑ 29 %" in low and "after ↑ 11 %" in low
    assert "before" not in high and "after ↑ 40 %" in high


LIGHT, DARK = "#ffffff", "#0b1d2a"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [value / 255 for value in bytes.fromhex(colour.removeprefix("#"))]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_lines_are_visible_on_both_pages() -> None:
    own = [theme.class_colour("own", index) for index in range(3)]
    pairs = (theme.TRAINING_COLOUR, theme.VALIDATION_COLOUR, theme.RIGHT_COLOUR, theme.WRONG_COLOUR)
    for colour in (*pairs, *theme.CHANNEL_COLOURS, *theme.RUN_COLOURS, *own):
        assert contrast(colour, LIGHT) >= 3 and contrast(colour, DARK) >= 3, colour


@pytest.mark.parametrize("colour", sorted({colour for _, colour in SHADES}))
def test_the_numbers_of_a_matrix_have_contrast(colour: str) -> None:
    # Plotly's rule: white on colours with a brightness below 128, "#444" on the others.
    brightness = np.dot(list(bytes.fromhex(colour.removeprefix("#"))), (0.299, 0.587, 0.114))
    assert contrast(colour, LIGHT if brightness < 128 else "#444444") >= 4.5


def test_other_classes_take_the_other_colours_and_then_made_ones() -> None:
    colours = [theme.class_colour(f"class {i}", i) for i in range(100)]
    assert len(set(colours)) == 100
    assert not set(colours[:3]) & set(theme.CLASS_COLOURS.values())
    assert set(colours[3:8]) == set(theme.CLASS_COLOURS.values())
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours)


def test_markup_templates_and_formulas_stay_text_and_long_lists_are_counted() -> None:
    assert theme.escape("<b>a</b> & %{x} $y$") == "&lt;b&gt;a&lt;/b&gt; &amp; &#37;{x} &#36;y&#36;"
    assert theme.listed(["a", "b", "c"], most=2) == "a, b and 1 more" and theme.listed(["a"]) == "a"


def test_names_that_differ_at_their_end_are_still_told_apart_when_cut() -> None:
    ends = ("without", "with", "with again", "with (f57c450b)", "with (9a59d326)")
    cut = [theme.shorten(f"Gentle colours of the sea, {end}", length=14) for end in ends]
    assert len(set(cut)) == len(ends) and all(each.startswith("Gentle") and len(each) <= 14 for each in cut)
