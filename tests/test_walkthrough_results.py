"""The checks of the walkthrough's sections on results."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.runs import EpochRecord
from aquadash.walkthrough import Outcome, checks_results, report

RIGHT, NEARLY, WRONG = Outcome.RIGHT, Outcome.NEARLY, Outcome.WRONG


def answers(count: int = 200, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities, right in about two of three cases."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 5
    shares = random.dirichlet(np.full(5, 0.5), size=count)
    for row, label in zip(shares, labels, strict=True):
        if random.random() < 0.6:
            best = int(row.argmax())
            row[[label, best]] = row[[best, label]]
    return labels, shares


def test_flattery_is_the_mean_of_the_best_score() -> None:
    scores = np.random.default_rng(0).binomial(100, 0.67, size=(40_000, 5)).max(axis=1) / 100
    assert checks_results.flattery(5, accuracy=0.67, images=100) == pytest.approx(scores.mean() - 0.67, abs=0.001)
    assert checks_results.flattery(1, accuracy=0.67, images=100) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("tried", "outcome"), [(4, RIGHT), (5, NEARLY), (3, NEARLY), (1, WRONG), (60, WRONG), (0, WRONG), (61, WRONG)]
)
def test_candidates(tried: int, outcome: Outcome) -> None:
    assert checks_results.candidates(tried, accuracy=0.67, images=100).outcome is outcome


@pytest.mark.parametrize("accuracy", [0.0, 0.2, 0.5, 0.78, 0.97, 0.99, 1.0])
def test_there_is_an_answer_for_every_accuracy(accuracy: float) -> None:
    fewest = checks_results.fewest_candidates(accuracy, 100)
    assert 1 <= fewest < checks_results.MAX_CANDIDATES
    assert checks_results.candidates(fewest, accuracy=accuracy, images=100).outcome is RIGHT


def test_a_sure_mistake_is_found_by_its_number() -> None:
    labels, shares = answers()
    task = checks_results.sure_mistake_task(labels, shares)
    assert task.threshold == 0.9
    sure, wrong = shares.max(axis=1), shares.argmax(axis=1) != labels

    def outcome(text: str) -> Outcome:
        return checks_results.sure_mistake(text, labels, shares).outcome

    assert outcome(str(np.flatnonzero(wrong & (sure >= 0.9))[0])) is RIGHT
    assert outcome(str(np.flatnonzero(wrong & (sure < 0.9))[0])) is NEARLY
    assert outcome(str(np.flatnonzero(~wrong)[0])) is WRONG
    assert {outcome(text) for text in ("200", "-1", "1.5", "", "otter", "9" * 20)} == {WRONG}


def test_without_a_mistake_the_least_sure_image_is_asked_for() -> None:
    labels, shares = answers()
    labels = shares.argmax(axis=1)
    assert checks_results.sure_mistake_task(labels, shares).threshold is None
    least = int(shares.max(axis=1).argmin())
    assert checks_results.sure_mistake(str(least), labels, shares).outcome is RIGHT
    most = int(shares.max(axis=1).argmax())
    assert checks_results.sure_mistake(str(most), labels, shares).outcome is WRONG


@pytest.mark.parametrize("chosen", range(5))
@pytest.mark.parametrize("seed", range(4))
def test_some_threshold_reaches_the_wanted_precision(chosen: int, seed: int) -> None:
    labels, shares = answers(seed=seed)
    found = checks_results.cuts(labels, shares, chosen)
    wanted = checks_results.wanted_precision(found)
    assert wanted is not None
    best = max(found.recall[found.precision >= wanted])
    good = [t for t in range(1, 100) if checks_results.precise_threshold(t, found).outcome is RIGHT]
    assert good
    for threshold in good:
        reached = shares[:, chosen] >= threshold / 100
        assert (labels[reached] == chosen).mean() >= wanted
        assert (reached & (labels == chosen)).sum() / (labels == chosen).sum() >= best - 0.02 - 1e-9


def test_thresholds_that_are_too_low_too_high_or_none() -> None:
    labels, shares = answers()
    found = checks_results.cuts(labels, shares, 2)
    outcomes = {t: checks_results.precise_threshold(t, found).outcome for t in (0, 1, 100)}
    assert outcomes == {0: WRONG, 1: WRONG, 100: WRONG}
    assert checks_results.precise_threshold(1, found).text.startswith("Precision 2")
    kinds = {checks_results.precise_threshold(t, found).outcome for t in range(1, 100)}
    assert kinds == {RIGHT, NEARLY, WRONG}


@pytest.mark.parametrize(
    ("epoch", "outcome"), [(2, RIGHT), (1, NEARLY), (5, NEARLY), (6, WRONG), (0, WRONG), (8, WRONG)]
)
def test_the_lowest_epoch(epoch: int, outcome: Outcome) -> None:
    # In epoch 5 of the report's log the loss is within a hundredth of the best.
    assert checks_results.lowest_epoch(epoch, report.LOG).outcome is outcome


def test_curves_that_are_no_numbers_have_no_lowest_epoch() -> None:
    nan = float("nan")
    assert checks_results.lowest_epoch(1, [EpochRecord(1, nan, 0.2, nan, 0.2, 0.1, 1.0)]).outcome is WRONG
    assert checks_results.lowest_epoch(1, []).outcome is WRONG


@pytest.mark.parametrize(
    ("images", "outcome"),
    [(950, RIGHT), (920, RIGHT), (800, NEARLY), (1100, NEARLY), (100, WRONG), (5000, WRONG), (0, WRONG), (-5, WRONG)],
)
def test_enough_images(images: int, outcome: Outcome) -> None:
    assert checks_results.enough_images(images, fraction=0.67).outcome is outcome


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_fewest_images_are_the_fewest(share: float) -> None:
    fewest = checks_results.fewest_images(share)
    assert checks_results.interval_width(share, fewest) <= checks_results.WANTED_WIDTH
    assert checks_results.interval_width(share, fewest - 30) > checks_results.WANTED_WIDTH
    assert checks_results.enough_images(fewest, fraction=share).outcome is RIGHT


@pytest.mark.parametrize(
    ("run", "true"), [((388, 500), "better"), ((335, 500), "unknown"), ((200, 500), "worse"), ((500, 500), "better")]
)
def test_conclusions(run: tuple[int, int], true: str) -> None:
    for answer in ("better", "worse", "unknown", "", "both"):
        outcome = checks_results.conclusion(answer, run, (67, 100), same_task=True).outcome
        assert outcome is (RIGHT if answer == true else WRONG)


def test_scores_of_different_tasks_do_not_say_which_network_is_better() -> None:
    same, other = (checks_results.conclusion("better", (388, 500), (67, 100), same_task=same) for same in (True, False))
    assert "different tasks" in other.text and "different tasks" not in same.text


@pytest.mark.parametrize(
    ("right", "true", "shown"),
    [
        (281, "worse", "-20.3 to -0.2: 0 lies outside"),
        # Unrounded, this one ends 0.002 points below 0.
        (282, "unknown", "-20.1 to +0.0: 0 lies within"),
    ],
)
def test_what_is_said_of_an_interval_can_be_seen(right: int, true: str, shown: str) -> None:
    verdict = checks_results.conclusion(true, (right, 500), (67, 100), same_task=True)
    assert verdict.outcome is RIGHT and shown in verdict.text


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [(0.784, (0.78, True)), (1.0, (0.9, False)), (0.0, (0.1, False)), (0.9, (0.9, True))],
)
def test_something_can_be_won_by_choosing_among_equals(accuracy: float, expected: tuple[float, bool]) -> None:
    assert checks_results.equal_chance(accuracy) == expected
    for images in (1, 2, 7, 100):
        assert checks_results.wanted_flattery(expected[0], images) > 0
        assert checks_results.fewest_candidates(expected[0], images) > 1


def test_of_an_unsure_network_a_mistake_is_asked_for_that_it_makes() -> None:
    labels, shares = np.arange(60) % 30, np.full((60, 30), (1 - 0.047) / 29)
    shares[:, 0] = 0.047
    assert checks_results.sure_mistake_task(labels, shares).threshold == 0.04
    assert checks_results.sure_mistake("1", labels, shares).outcome is RIGHT


def test_of_a_class_that_is_never_thought_of_nothing_is_asked() -> None:
    found = checks_results.cuts([0, 0, 1, 1], [[1.0, 0.0]] * 4, 1)
    assert checks_results.wanted_precision(found) is None
    verdict = checks_results.precise_threshold(99, found)
    assert verdict.outcome is WRONG and "Choose another one" in verdict.text
