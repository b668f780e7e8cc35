"""The checks of the walkthrough's sections on data, the network and results."""

import errno
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import data
from aquadash.data import Split
from aquadash.data.statistics import describe
from aquadash.errors import StorageError
from aquadash.evaluation import evaluate
from aquadash.figures.flattened_loss import flattened_loss, losses
from aquadash.figures.theme import alt_text
from aquadash.store import open_store
from aquadash.walkthrough import checks_data, checks_network, checks_results, network, progress, report
from aquadash.walkthrough.beside import beside, learnt_from
from aquadash.walkthrough.checks_data import FOUR
from aquadash.walkthrough.corrections import all_findings, findings
from aquadash.walkthrough.lessons import LESSONS, Outcome, Verdict, read_number
from tests.cli.test_cli import answer, call
from tests.evaluation.test_metrics import drawn
from tests.support.faults import let_fail
from tests.support.runs import make_run
from tests.support.waiting import start_two

RIGHT, NEARLY, WRONG = Outcome.RIGHT, Outcome.NEARLY, Outcome.WRONG


def units(first: int) -> int:
    """The parameters of the report's network with so many units in its first dense layer."""
    return sum(network.parameters((32, 32, 3), classes=5, units=(first, 128)).values())


#: Sixty images of three classes that differ in their brightness.
LABELS = np.arange(60) % 3
IMAGES = np.random.default_rng(0).integers(0, 60, (60, 8, 8, 3)) + 70 * LABELS[:, None, None, None]
SPLIT = Split(IMAGES.astype(np.uint8), LABELS.astype(np.int64), tuple(f"{index}.png" for index in range(60)))
CLASSES = describe(SPLIT, ("dark", "middle", "bright")).classes
IMAGE = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype(np.uint8)
PAIR = ("upright edges", "level edges")


def one_convolution(activation: str, pooling: str) -> Verdict:
    """The verdict on two convolutions with these between them."""
    layers = network.two_layers(IMAGE, filters=PAIR, activation=activation, pooling=pooling)
    return checks_network.one_convolution(activation, pooling, layers.difference)


#: The checks of one answer, and what is made of some.
CHECKS: dict[str, tuple[Callable[[Any], Verdict], dict[Any, Outcome]]] = {
    "brightest class": (
        lambda name: checks_data.brightest_class(name, CLASSES),
        {"bright": RIGHT, "middle": NEARLY, "dark": WRONG, "": WRONG},
    ),
    "composition of the report": (
        lambda said: checks_data.report_composition(2500, pipelines=said[0], copies=said[1], keep_originals=said[2]),
        {
            (FOUR[::-1], 1, True): RIGHT,
            (FOUR[:1], 5, False): NEARLY,
            (FOUR[:2], 2, True): NEARLY,
            (FOUR, 1, False): WRONG,
            ((), 10, False): WRONG,
        },
    ),
    "centring": (
        lambda kind: checks_data.centring(kind, (124.0, 129.0, 127.0)),
        {"standardize": RIGHT, "symmetric": NEARLY, "unit": WRONG},
    ),
    "one convolution": (
        lambda between: one_convolution(*between),
        {("none", "none"): RIGHT, ("none", "max"): NEARLY, ("relu", "none"): NEARLY, ("relu", "max"): WRONG},
    ),
    "half the network": (
        lambda parameters: checks_network.half_the_network(parameters, report.PARAMETERS),
        {units(128): RIGHT, units(112): NEARLY, units(144): NEARLY, units(256): WRONG, units(16): WRONG},
    ),
    "floor of the loss": (
        lambda text: checks_network.floor_of_loss(text, classes=5),
        {"0.905": RIGHT, "0,9": RIGHT, "0.92": NEARLY, "1.609": WRONG, "": WRONG, "-0.905": WRONG},
    ),
    "patience of the log": (checks_network.log_patience, {5: RIGHT, 4: NEARLY, 3: WRONG, 6: WRONG}),
    "candidates": (
        lambda tried: checks_results.candidates(tried, accuracy=0.67, images=100),
        {4: RIGHT, 5: NEARLY, 3: NEARLY, 1: WRONG, 60: WRONG},
    ),
    # In epoch 5 of the report's log the loss is within a hundredth of the best.
    "lowest epoch": (
        lambda epoch: checks_results.lowest_epoch(epoch, report.LOG),
        {2: RIGHT, 1: NEARLY, 5: NEARLY, 6: WRONG},
    ),
    "enough images": (
        lambda images: checks_results.enough_images(images, fraction=0.67),
        {950: RIGHT, 920: RIGHT, 800: NEARLY, 1100: NEARLY, 100: WRONG, 5000: WRONG},
    ),
    # What is said of a run with so many right answers of 500.
    "conclusion": (
        lambda said: checks_results.conclusion(said[0], (said[1], 500), (67, 100), same_task=True),
        {
            **{("better", 388): RIGHT, ("worse", 388): WRONG, ("unknown", 388): WRONG, ("", 388): WRONG},
            **{("better", 335): WRONG, ("worse", 335): WRONG, ("unknown", 335): RIGHT},
            **{("better", 200): WRONG, ("worse", 200): RIGHT, ("unknown", 200): WRONG},
        },
    ),
}


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in CHECKS for answer in CHECKS[name][1]], ids=str)
def test_what_is_made_of_an_answer(name: str, answer: Any) -> None:
    check, outcomes = CHECKS[name]
    assert check(answer).outcome is outcomes[answer]


def test_a_right_conclusion_says_where_0_lies() -> None:
    for key, correct, where in (("better", 388, "outside"), ("unknown", 335, "within"), ("worse", 200, "outside")):
        text = checks_results.conclusion(key, (correct, 500), (67, 100), same_task=True).text
        assert f": 0 lies {where}." in text


def test_only_the_third_pipeline_leaves_images_alone() -> None:
    fractions = [checks_data.untouched_fraction(SPLIT.images, name, seed=0) for name in FOUR]
    outcomes = [checks_data.untouched_pipeline(fraction).outcome for fraction in (*fractions, 0.01)]
    assert outcomes == [WRONG, WRONG, RIGHT, WRONG, NEARLY]


def test_the_number_of_training_images() -> None:
    assert checks_data.training_images(2500, pipelines=FOUR, copies=1, keep_originals=True) == 12_500
    assert checks_data.training_images(2500, pipelines=FOUR, copies=10, keep_originals=False) == 100_000


def test_typed_numbers() -> None:
    numbers = {"0.905": 0.905, "0,905": 0.905, " 67 % ": 67.0, "-1": -1.0, ".5": 0.5, "5.": 5.0}
    assert {text: read_number(text) for text in numbers} == numbers
    for text in ("", "abc", "1e5", "nan", "inf", "1.2.3", "9" * 40, "1 000"):
        assert read_number(text) is None


@pytest.mark.parametrize("side", [5, 31, 32])
def test_two_linear_convolutions_are_one_at_any_size(side: int) -> None:
    image = np.random.default_rng(side).integers(0, 256, (side, side + 1, 3)).astype(np.uint8)
    layers = network.two_layers(image, filters=PAIR, activation="none", pooling="none")
    assert layers.first.shape == tuple(math.ceil(length / 2) for length in image.shape[:2])
    assert layers.second.shape == layers.single.shape and layers.difference < 1e-12


@pytest.mark.slow
def test_parameters_are_those_of_the_report_and_those_that_keras_counts() -> None:
    from aquadash.config import RunConfig
    from aquadash.models import build

    assert units(256) == report.PARAMETERS
    for shape, classes in (((32, 32, 3), 5), ((21, 30, 3), 7)):
        built = build(RunConfig().model, image_shape=shape, num_classes=classes)
        counted = network.parameters(shape, classes=classes, units=(256, 128))
        assert sum(counted.values()) == built.count_params()


def test_the_flattened_loss_never_falls_below_its_floor() -> None:
    shares = np.random.default_rng(0).dirichlet(np.full(5, 0.2), size=500)
    values = network.flattened_loss(shares.argmax(axis=1), shares)
    assert values.min() >= network.lowest_flattened_loss(5) == pytest.approx(0.9048, abs=1e-4)
    right, flat = losses([0.2, 1.0], 5)
    assert right == pytest.approx([math.log(5), 0.0], abs=1e-6)
    assert flat == pytest.approx([math.log(5), network.lowest_flattened_loss(5)])
    assert "0.905" in alt_text(flattened_loss(0.5, classes=5))


def test_when_the_report_s_training_would_have_stopped() -> None:
    stops = {patience: checks_network.stopping_epoch(report.LOG, patience=patience) for patience in (1, 3, 5, 6)}
    assert stops == {1: (3, 2), 3: (5, 2), 5: (7, 2), 6: (None, 2)}
    assert checks_network.stopping_epoch(report.LOG, patience=3, monitor="val_accuracy") == (None, 7)
    assert checks_network.stopping_epoch(report.LOG, patience=3, head_epochs=3) == (6, 2), "it waits from epoch 4 on"


#: Labels and probabilities of 200 images, right in about two of three cases.
ANSWERS = drawn(200, sharp=3.0)


def test_flattery_is_the_mean_of_the_best_score() -> None:
    scores = np.random.default_rng(0).binomial(100, 0.67, size=(40_000, 5)).max(axis=1) / 100
    assert checks_results.flattery(5, accuracy=0.67, images=100) == pytest.approx(scores.mean() - 0.67, abs=0.001)
    assert checks_results.flattery(1, accuracy=0.67, images=100) == pytest.approx(0.0, abs=1e-9)


def test_a_sure_mistake_is_found_by_its_number() -> None:
    labels, shares = ANSWERS
    predicted, sure = shares.argmax(axis=1), shares.max(axis=1)

    def outcome(text: str | int) -> Outcome:
        return checks_results.sure_mistake(str(text), labels, shares).outcome

    assert checks_results.sure_mistake_threshold(labels, shares) == 0.9
    wrong = predicted != labels
    assert outcome(np.flatnonzero(wrong & (sure >= 0.9))[0]) is RIGHT
    assert outcome(np.flatnonzero(wrong & (sure < 0.9))[0]) is NEARLY
    assert outcome(np.flatnonzero(~wrong)[0]) is WRONG
    assert {outcome(text) for text in ("200", "-1", "1.5", "", "otter", "9" * 20)} == {WRONG}
    labels = predicted
    assert checks_results.sure_mistake_threshold(labels, shares) is None
    assert outcome(sure.argmin()) is WRONG


@pytest.mark.parametrize("chosen", range(5))
def test_some_threshold_reaches_the_wanted_precision(chosen: int) -> None:
    labels, shares = ANSWERS
    curve = checks_results.cuts(labels, shares, chosen)
    wanted = checks_results.wanted_precision(curve)
    assert wanted is not None
    best = max(curve.recall[np.rint(100 * curve.precision) >= round(100 * wanted)])
    good = [t for t in range(1, 100) if checks_results.precise_threshold(t, curve).outcome is RIGHT]
    assert good
    for threshold in good:
        reached = shares[:, chosen] >= threshold / 100
        assert round(100 * (labels[reached] == chosen).mean()) >= round(100 * wanted)
        assert (reached & (labels == chosen)).sum() / (labels == chosen).sum() >= best - 0.02 - 1e-9


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_the_fewest_images_are_the_fewest(share: float) -> None:
    fewest = checks_results.fewest_images(share)
    assert checks_results.interval_width(share, fewest) <= checks_results.WANTED_WIDTH
    assert checks_results.interval_width(share, fewest - 30) > checks_results.WANTED_WIDTH
    assert checks_results.enough_images(fewest, fraction=share).outcome is RIGHT


def test_every_known_mistake_of_the_report_has_its_place_in_a_section() -> None:
    keys = [finding.key for finding in all_findings()]
    known = "logits test-as-validation ten-times patience one-hot linear-convolutions ninety-six sixty-seven precision"
    assert set(known.split()) <= set(keys) and len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(finding.key for lesson in LESSONS for finding in findings(lesson))


def test_the_report_s_figures_agree_with_one_another() -> None:
    rows = report.SCORES
    called_so = [round(report.right_ones(row) / row.precision) for row in rows]
    assert sum(row.support for row in rows) == report.MEASURED_IMAGES == sum(called_so)
    assert sum(map(report.right_ones, rows)) == 67
    mean = sum(row.precision * row.support for row in rows) / report.MEASURED_IMAGES
    assert mean == pytest.approx(report.WEIGHTED_AVERAGE.precision, abs=1e-4)
    assert [row.epoch for row in report.LOG] == list(range(1, 8))


def test_progress_is_kept_and_what_is_solved_stays_solved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = progress.new_id()
    assert progress.read(me) == progress.LessonProgress() and not (home / "progress").exists()
    progress.note(me, "loss", solved=False)
    progress.note(me, "loss", solved=True)
    first = progress.read(me)
    progress.note(me, "loss", solved=False)
    assert first.tries == {"loss": 2} and set(first.solved) == {"loss"}
    assert progress.read(me).tries == {"loss": 3} and progress.read(me).solved == first.solved
    with monkeypatch.context() as patch, pytest.raises(StorageError, match="Too many open files"):
        let_fail(patch, Path, "open", OSError(errno.EMFILE, "Too many open files"))
        progress.note(me, "loss", solved=True)
    assert progress.read(me).tries == {"loss": 3}, "a file that cannot be read now is no damaged one"


def test_answers_of_two_processes_are_all_counted(home: Path) -> None:
    answering = "for _ in range(40): progress.note('0123456789abcdef', 'loss', solved=False)"
    start_two("from aquadash.walkthrough import progress", answering)()
    assert progress.read("0123456789abcdef").tries == {"loss": 80}


@pytest.mark.parametrize("bad", ["", "../../runs", "A" * 16, "0" * 15, "0" * 17, "0" * 15 + "\n", "<b>"])
def test_what_is_no_id_is_nobody_and_touches_no_file(home: Path, bad: str) -> None:
    assert progress.read(bad) == progress.LessonProgress()
    with pytest.raises(ValueError):
        progress.note(bad, "loss", solved=True)
    assert not list(home.rglob("*.json"))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 9000,
        '{"format": 2, "tries": {"loss": 1}, "solved": {}}',
        '{"format": 1, "tries": {"loss": "x", "evil": 2}, "solved": {"loss": true}}',
    ],
)
def test_a_damaged_file_is_no_progress(home: Path, text: str) -> None:
    me = progress.new_id()
    (home / "progress").mkdir()
    (home / "progress" / f"{me}.json").write_text(text)
    assert progress.read(me) == progress.LessonProgress()
    assert set(progress.note(me, "loss", solved=True).solved) == {"loss"}
    # It is kept aside, once.
    progress.note(me, "loss", solved=True)
    assert [path.read_text() for path in (home / "progress").glob("*.unread")] == [text]


def test_the_report_beside_a_run(home: Path) -> None:
    store = open_store()
    run = make_run(store)
    predictions = store.predictions(run.run_id)
    scores = evaluate(predictions.labels, predictions.probabilities, class_names=run.class_names)
    images = learnt_from(run.config, data.load("synthetic"))
    result = beside(run, scores, store.history(run.run_id), parameters=7, training_images=images)
    rows = {row.key: row for row in result.rows}
    assert (rows["train_images"].report, rows["train_images"].run) == (12_500, images)
    assert rows["test_accuracy"].run == pytest.approx(100 * scores.accuracy)
    assert rows["best_epoch"].report == 2 and rows["best_epoch"].run == 5
    assert rows["recall_otter"].run == pytest.approx(100 * scores.report[2].recall)
    low, high = result.difference_ci95
    assert low < result.difference < high
    assert result.run_right == (int(scores.confusion_matrix.trace()), 500)


def test_the_command_prints_the_table(home: Path) -> None:
    # Its validation loss is lowest in epoch 5, its accuracy highest in epoch 6.
    run = make_run(open_store(), "watches", {"training.monitor": "val_accuracy"})
    command = ("walkthrough", "report", "--run", "watches")
    told = answer(*command)
    assert told["run_id"] == run.run_id
    assert {row["key"]: row["run"] for row in told["rows"]}["best_epoch"] == 6
    lines = [line.split() for line in call(*command).stdout.splitlines()]
    assert ["Test", "accuracy", "%", "67", f"{100 * run.metrics['test_accuracy']:.4g}"] in lines
