"""Measuring: the figures are those of a direct computation, what is known is not measured again."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash import augment
from aquadash.augment import saved_pipelines
from aquadash.data import Dataset
from aquadash.errors import AquaDashError, ConfigError, StorageError, UnknownNameError
from aquadash.evaluation import wilson_interval
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from aquadash.robustness.measure import RobustnessRequest, chosen_positions, missing
from aquadash.robustness.measure import measure as measuring
from aquadash.robustness.result import Condition, RobustnessResult
from tests.augmented import augmented

SOME = RobustnessRequest(("fog", "contrast"), (1, 4), pipelines=("notebook",), seed=5)


class Eye:
    """Names the brightest channel of one pixel, which is right for most of these images; counts what it is shown."""

    image_shape = (16, 16, 3)
    class_names = ("one", "two", "three")

    def __init__(self) -> None:
        self.shown = 0

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shown += 1
        return np.eye(3, dtype=np.float32)[images[:, 4, 4].argmax(axis=1)]


def measure(*arguments: Any, **options: Any) -> RobustnessResult:
    """The figures when everything is measured."""
    *_, result = measuring(*arguments, **options)
    return result


def test_the_figures_are_those_of_a_direct_computation(tiny_dataset: Dataset) -> None:
    eye, test = Eye(), tiny_dataset.test
    found = measure(eye, tiny_dataset, SOME, model_sha256="m", versions={"numpy": "2"})
    assert set(found.cells) == {("fog", 1), ("fog", 4), ("contrast", 1), ("contrast", 4)}
    wrongs = []
    for (name, severity), condition in found.cells.items():
        images = corrupt(test.images, name, severity, seed=5)
        right = eye.predict_images(images).argmax(axis=1) == test.labels
        np.testing.assert_array_equal(condition.right, right)
        assert condition.accuracy == right.mean()
        assert condition.accuracy_ci95 == wilson_interval(int(right.sum()), len(test))
        wrongs.append(1 - right.mean())
    clean = (eye.predict_images(test.images).argmax(axis=1) == test.labels).mean()
    assert found.clean.accuracy == clean
    mce, relative = found.mean_corruption_error, found.relative_mean_corruption_error
    assert mce.value == pytest.approx(np.mean(wrongs))
    assert relative.value == pytest.approx(np.mean(wrongs) - (1 - clean))
    assert 0 < mce.ci95[0] < mce.value < mce.ci95[1] < 1
    assert [key.branch for key in found.branches] == [1, 2, 3, 4], "the original is no change"
    for key, entry in found.branches.items():
        images = augmented(test.images, augment.PIPELINES["notebook"].branches[key.branch], seed=5)
        np.testing.assert_array_equal(entry.condition.right, eye.predict_images(images).argmax(axis=1) == test.labels)
        assert found.branch_loss(key).value == pytest.approx(clean - entry.condition.accuracy)


def test_the_interval_of_the_mean_holds_what_more_images_would_give() -> None:
    """95 of 100 samples' intervals should hold the truth; of 300 samples not less than nine in ten may fail to."""
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        hardness = random.random(200)
        cells = {
            (name, severity): Condition(random.random(200) > hardness * severity / 5)
            for name in ("fog", "snow")
            for severity in SEVERITIES
        }
        result = RobustnessResult({"images": 200}, 0.0, Condition(random.random(200) > 0.1 * hardness), cells)
        mce = result.mean_corruption_error
        hits += mce.ci95[0] <= 0.5 * 0.6 <= mce.ci95[1]
    assert 0.91 < hits / 300 < 0.99


def test_what_is_measured_is_not_measured_again(tiny_dataset: Dataset) -> None:
    first = measure(Eye(), tiny_dataset, SOME, model_sha256="m")
    eye = Eye()
    more = dataclasses.replace(SOME, severities=(1, 2, 4), pipelines=("notebook-1", "notebook"))
    *before, second = measuring(eye, tiny_dataset, more, model_sha256="m", so_far=first)
    assert eye.shown == 2, "fog and contrast at severity 2; the first pipeline is a branch of the other"
    assert before[0] is first and len(before) == 3 and len(second.cells) == 6 and second.clean is first.clean
    whole = measure(Eye(), tiny_dataset, more, model_sha256="m")
    assert _values(second) == _values(whole)
    assert missing(second, more) == ([], [])


@pytest.mark.parametrize("change", [{"seed": 6}, {"limit": 30}])
def test_other_images_or_draws_begin_anew(tiny_dataset: Dataset, change: dict[str, int]) -> None:
    first = measure(Eye(), tiny_dataset, SOME, model_sha256="m")
    request = dataclasses.replace(SOME, **change)
    assert _values(measure(Eye(), tiny_dataset, request, model_sha256="m", so_far=first)) == _values(
        measure(Eye(), tiny_dataset, request, model_sha256="m")
    )
    other_model = measure(Eye(), tiny_dataset, SOME, model_sha256="n", so_far=first)
    assert other_model.clean is not first.clean


def test_a_pipeline_that_was_edited_is_measured_again(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = augment.PipelineSpec("mine", "Mine", "", (augment.Branch("Turned", (augment.op("Fliplr", p=1.0),)),))
    request = RobustnessRequest((), (), pipelines=("mine",))
    monkeypatch.setattr(augment, "library", lambda: SimpleNamespace(pipelines={"mine": mine}))
    first = measure(Eye(), tiny_dataset, request, model_sha256="m")
    edited = dataclasses.replace(mine, branches=(augment.Branch("Turned", (augment.op("ChannelShuffle", p=1.0),)),))
    monkeypatch.setattr(augment, "library", lambda: SimpleNamespace(pipelines={"mine": edited}))
    second = measure(Eye(), tiny_dataset, request, model_sha256="m", so_far=first)
    (key,) = second.branches
    assert key not in first.branches
    assert second.branches[key].condition.accuracy < first.clean.accuracy


def test_progress_counts_images_and_knows_the_end(tiny_dataset: Dataset) -> None:
    told: list[tuple[int, int]] = []
    results = list(
        measuring(
            Eye(), tiny_dataset, SOME, model_sha256="m", report=lambda phase, done, total: told.append((done, total))
        )
    )
    done = [done for done, _ in told]
    assert done == sorted(done) and {total for _, total in told} == {9 * 120}
    assert (done[0], done[-1]) == (0, 8 * 120) and len(results) == 9


def test_whoever_hears_of_it_can_end_it_and_it_goes_on_from_there(tiny_dataset: Dataset) -> None:
    def stop(phase: str, done: int, total: int) -> None:
        if done > 3 * 120:
            raise InterruptedError

    results = []
    with pytest.raises(InterruptedError):
        for result in measuring(Eye(), tiny_dataset, SOME, model_sha256="m", report=stop):
            results.append(result)
    assert len(results[-1].cells) == 2
    rest = measure(Eye(), tiny_dataset, SOME, model_sha256="m", so_far=results[-1])
    assert _values(rest) == _values(measure(Eye(), tiny_dataset, SOME, model_sha256="m"))


def test_the_figures_survive_the_file(tiny_dataset: Dataset) -> None:
    found = measure(Eye(), tiny_dataset, SOME, model_sha256="m", versions={"numpy": "2"}, measured_at=12.5)
    again = RobustnessResult.from_json(found.to_json())
    assert again.to_json() == found.to_json() and again.measured_at == 12.5
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["corruptions"]["fog"]["4"]["accuracy"] == found.cells["fog", 4].accuracy
    assert (plain["cells"], plain["complete"], plain["normalised_by_alexnet"]) == (4, False, False)
    assert "right" not in plain["clean"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-5],
        lambda text: "[]",
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace('"images": 120', '"images": 42'),
        lambda text: text.replace('"clean"', '"dirty"'),
    ],
)
def test_a_damaged_file_is_named_as_such(tiny_dataset: Dataset, damage) -> None:
    text = measure(Eye(), tiny_dataset, SOME, model_sha256="m").to_json()
    with pytest.raises(StorageError, match="damaged"):
        RobustnessResult.from_json(damage(text))


def test_a_part_of_the_images_holds_every_class_alike() -> None:
    labels = np.array([0] * 50 + [1] * 50 + [2] * 3)
    positions = chosen_positions(labels, 20)
    assert np.bincount(labels[positions]).tolist() == [9, 8, 3]
    assert (np.diff(positions) > 0).all()
    assert chosen_positions(labels, 1000).tolist() == list(range(103)) == chosen_positions(labels, None).tolist()


def test_curves_and_losses(tiny_dataset: Dataset) -> None:
    found = measure(Eye(), tiny_dataset, SOME, model_sha256="m")
    assert list(found.curve("fog")) == [0, 1, 4] and found.curve("snow") == {} and found.loss("snow") is None
    assert list(found.mean_curve()) == [0, 1, 4]
    assert found.mean_curve()[4].value == pytest.approx(
        (found.cells["fog", 4].accuracy + found.cells["contrast", 4].accuracy) / 2
    )
    loss = found.loss("fog")
    assert loss.value == pytest.approx(
        found.clean.accuracy - (found.cells["fog", 1].accuracy + found.cells["fog", 4].accuracy) / 2
    )
    uneven = dataclasses.replace(found, cells={key: value for key, value in found.cells.items() if key != ("fog", 4)})
    assert list(uneven.mean_curve()) == [0, 1], "a severity that not all corruptions have would bend the curve"


@pytest.mark.parametrize(
    ("request_", "error", "said"),
    [
        (RobustnessRequest(("fogg",)), UnknownNameError, "'fog'"),
        (RobustnessRequest(severities=(6,)), ConfigError, "1 .mild. to 5"),
        (RobustnessRequest(pipelines=("notbook",)), UnknownNameError, "notebook"),
        (RobustnessRequest(seed=-1), ConfigError, "seed"),
        (RobustnessRequest(limit=0), ConfigError, "limit"),
        (RobustnessRequest((), pipelines=()), ConfigError, "Nothing"),
    ],
)
def test_a_request_that_cannot_be_met(request_: RobustnessRequest, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        request_.checked()


def test_a_request_survives_json() -> None:
    for request in (SOME, RobustnessRequest(), RobustnessRequest(limit=7)):
        assert RobustnessRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request
    with pytest.raises(ConfigError):
        RobustnessRequest.from_dict({"seed": "many"})
    assert len(RobustnessRequest().cells()) == 75
    assert RobustnessRequest(("fog", "snow", "fog")).checked().corruptions == ("snow", "fog")
    assert [name for name, _ in RobustnessRequest().cells()[:15]] == list(CORRUPTIONS)


def test_a_network_of_another_size_is_refused(tiny_dataset: Dataset) -> None:
    eye = Eye()
    eye.image_shape = (32, 32, 3)
    with pytest.raises(AquaDashError, match="do not belong together"):
        measure(eye, tiny_dataset, SOME, model_sha256="m")


def _values(result: RobustnessResult) -> dict[str, object]:
    values = result.to_dict()
    values.pop("measured_at")
    values["pipelines"] = sorted(values["pipelines"], key=lambda entry: (entry["pipeline"], entry["branch"]))
    return values


def test_saved_pipelines_are_measured_too_and_one_deleted_meanwhile_is_no_riddle(tiny_dataset: Dataset) -> None:
    mine = augment.PipelineSpec("", "", "", (augment.Branch("Turned", (augment.op("Fliplr", p=1.0),)),))
    augment.save(mine, title="Mine")
    assert ("mine", 0) in [(key.pipeline, key.branch) for key in RobustnessRequest((), ()).branches()]

    results = []
    for result in measuring(Eye(), tiny_dataset, RobustnessRequest((), (), pipelines=("mine",)), model_sha256="m"):
        results.append(result)
        if "mine" in augment.library().saved:
            saved_pipelines.delete("mine")
    assert [key.pipeline for key in results[-1].branches] == ["mine"]
