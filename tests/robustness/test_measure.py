"""Tests of measuring robustness, of its file and requests, of the corruptions and their cached sets."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash import augment, settings
from aquadash.augment import Branch, Range, op, saved_pipelines
from aquadash.augment.spec import as_pipeline
from aquadash.data import Dataset
from aquadash.errors import AquaDashError, ConfigError, StorageError
from aquadash.evaluation import wilson_interval
from aquadash.robustness import corruptions
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Subjects, corrupt, kept, sample
from aquadash.robustness.corruptions import corrupted_sets as sets
from aquadash.robustness.measure import measure as measure_subjects
from aquadash.robustness.measure import missing
from aquadash.robustness.measurement import Condition, Measurement, Scores
from aquadash.robustness.requests import (
    Request,
    RobustnessRequest,
    SweepRequest,
    choose_subjects,
    chosen_positions,
    read_request,
    request_values,
)
from tests.support.drawn_images import augmented
from tests.support.waiting import gone, wait_for

SOME = RobustnessRequest(("fog", "contrast"), (1, 4), pipelines=("notebook",), seed=5)
STEPS = (op("Fliplr", p=0.5), op("LinearContrast", alpha=Range(0.2, 1.0)), op("GaussianBlur", enabled=False))
SWEEP = SweepRequest(Branch("Deep", STEPS), "2", "alpha", 0.0, 1.0, copies=4, seed=7)


class Eye:
    """Predicts the brightest channel of one pixel, which is right for most images, and counts its calls."""

    image_shape = (16, 16, 3)
    class_names = ("one", "two", "three")

    def __init__(self) -> None:
        self.shown = 0

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shown += 1
        return np.eye(3, dtype=np.float32)[images[:, 4, 4].argmax(axis=1)]


def measuring(eye: Eye, dataset: Dataset, request: RobustnessRequest, **options: Any) -> Iterator[Measurement]:
    """Measure on the data set's test images."""
    return measure_subjects(eye, choose_subjects(request, None, dataset, None), request.checked(), **options)


def measure(*arguments: Any, **options: Any) -> Measurement:
    """Return the complete measurement."""
    *_, result = measuring(*arguments, **options)
    return result


def fog(result: Measurement) -> dict[float, Scores]:
    return result.curve("corruption", "fog")


def _values(result: Measurement) -> dict[str, object]:
    """Return the figures without time and versions, with sorted pipelines."""
    values = result.to_dict()
    del values["measured_at"], values["versions"]
    values["pipelines"] = sorted(values["pipelines"], key=lambda entry: (entry["pipeline"], entry["branch"]))
    return values


@pytest.fixture(scope="module")
def measured(tiny_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """Measure some corruptions and a pipeline in a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path_factory.mktemp("measured")))
        return measure(Eye(), tiny_dataset, SOME, model_sha256="m", versions={"numpy": "2"}, measured_at=12.5)


def test_the_figures_are_those_of_a_direct_computation(tiny_dataset: Dataset, measured: Measurement) -> None:
    eye, test = Eye(), tiny_dataset.test
    corrupted = measured.of_kind("corruption")
    assert {(each.name, each.level) for each in corrupted} == {("fog", 1), ("fog", 4), ("contrast", 1), ("contrast", 4)}
    wrongs = []
    for condition, scores in corrupted.items():
        images = corrupt(test.images, condition.name, int(condition.level), seed=5)
        right = eye.predict_images(images).argmax(axis=1) == test.labels
        np.testing.assert_array_equal(scores.right, right)
        assert scores.accuracy == right.mean()
        assert scores.accuracy_ci95 == wilson_interval(int(right.sum()), len(test))
        wrongs.append(1 - right.mean())
    clean = (eye.predict_images(test.images).argmax(axis=1) == test.labels).mean()
    assert measured.clean.accuracy == clean
    mce, relative = measured.mean_corruption_error, measured.relative_mean_corruption_error
    assert mce.value == pytest.approx(np.mean(wrongs))
    assert relative.value == pytest.approx(np.mean(wrongs) - (1 - clean))
    assert 0 < mce.ci95[0] < mce.value < mce.ci95[1] < 1
    versions = measured.of_kind("pipeline")
    assert [condition.level for condition in versions] == [1, 2, 3, 4], "the original is no change"
    for condition, scores in versions.items():
        images = augmented(test.images, augment.PIPELINES["notebook"].branches[int(condition.level)], seed=5)
        np.testing.assert_array_equal(scores.right, eye.predict_images(images).argmax(axis=1) == test.labels)
        assert measured.loss(scores).value == pytest.approx(clean - scores.accuracy)


def test_the_interval_of_the_mean_holds_what_more_images_would_give() -> None:
    """About 95 % of the samples' intervals contain the true value."""
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        hardness = random.random(200)
        scores = {
            Condition("corruption", name, severity): Scores(random.random(200) > hardness * severity / 5)
            for name in ("fog", "snow")
            for severity in SEVERITIES
        }
        result = Measurement({"images": 200}, 0.0, Scores(random.random(200) > 0.1 * hardness), scores)
        mce = result.mean_corruption_error
        hits += mce.ci95[0] <= 0.5 * 0.6 <= mce.ci95[1]
    assert 0.91 < hits / 300 < 0.99


def test_what_is_measured_is_not_measured_again(tiny_dataset: Dataset, measured: Measurement) -> None:
    eye = Eye()
    more = replace(SOME, severities=(1, 2, 4), pipelines=("notebook-1", "notebook"))
    *before, second = measuring(eye, tiny_dataset, more, model_sha256="m", so_far=measured)
    assert eye.shown == 2, "fog and contrast at severity 2; the first pipeline is a branch of the other"
    assert before[0] is measured and len(before) == 3 and second.clean is measured.clean
    assert len(second.of_kind("corruption")) == 6 and not missing(second, more)
    assert _values(second) == _values(measure(Eye(), tiny_dataset, more, model_sha256="m"))
    for model, other in (("m", replace(SOME, seed=6)), ("m", replace(SOME, limit=30)), ("n", SOME)):
        first = next(measuring(Eye(), tiny_dataset, other, model_sha256=model, so_far=measured))
        assert first.clean is not measured.clean and not first.scores, "another seed, other images or weights"


def test_progress_counts_images_and_its_callback_can_stop_and_resume(
    tiny_dataset: Dataset, measured: Measurement
) -> None:
    reports: list[tuple[int, int]] = []

    def stop(phase: str, done: int, total: int) -> None:
        reports.append((done, total))
        if total == 9 * 120 and done > 3 * 120:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        for part in measuring(Eye(), tiny_dataset, SOME, model_sha256="m", report=stop):
            stopped = part
    assert reports == sorted(reports) and reports[0] == (0, 9 * 120) and {total for _, total in reports} == {9 * 120}
    assert (120 + 25, 9 * 120) in reports, "a part of a set"
    assert len(stopped.scores) == 2
    reports.clear()
    *_, resumed = measuring(Eye(), tiny_dataset, SOME, model_sha256="m", so_far=stopped, report=stop)
    assert reports == sorted(reports) and reports[-1] == (5 * 120, 6 * 120)
    assert _values(resumed) == _values(measured)


def test_changed_pipelines_are_measured_again_and_a_deleted_one_is_named(tiny_dataset: Dataset) -> None:
    augment.save(as_pipeline(Branch("Flipped", (op("Fliplr", p=1.0),))), title="Mine")
    assert ("mine", 0) in [(each.name, each.level) for each in RobustnessRequest((), ()).conditions()]
    request = RobustnessRequest((), (), pipelines=("mine",))
    first = measure(Eye(), tiny_dataset, request, model_sha256="m")
    shuffled = as_pipeline(Branch("Shuffled", (op("ChannelShuffle", p=1.0),)))
    augment.save(shuffled, title="Mine", replace_name="mine")
    measured = measuring(Eye(), tiny_dataset, request, model_sha256="m", so_far=first)
    next(measured)
    saved_pipelines.delete("mine")
    *_, last = measured
    ((condition, scores),) = last.scores.items()
    assert condition.name == "mine" and condition not in first.scores
    assert scores.accuracy < first.clean.accuracy


#: A file of versions 0.6.0 and 0.7 for four test images, without the parts for people.
_OF_0_7 = """{"version": 1, "identity": {"model_sha256": "m", "dataset_fingerprint": "f", "seed": 3, "images": 4,
"test_images": 9}, "measured_at": 12.5, "clean": {"accuracy": 0.75, "n": 4, "right": "e0"}, "corruptions": {"fog": {
"1": {"accuracy": 0.5, "n": 4, "right": "c0"}, "4": {"accuracy": 0.25, "n": 4, "right": "40"}}}, "pipelines": [
{"pipeline": "mine", "branch": 1, "digest": "d", "pipeline_title": "Mine", "branch_title": "Flipped", "n": 4,
"right": "a0"}], "versions": {"numpy": "2"}}"""


def test_figures_survive_the_file_and_those_of_older_versions_are_read(measured: Measurement) -> None:
    again = Measurement.from_json(measured.to_json())
    assert again.to_json() == measured.to_json() and again.measured_at == 12.5
    plain = json.loads(json.dumps(measured.to_dict()))
    assert plain["corruptions"]["fog"]["4"]["accuracy"] == fog(measured)[4].accuracy
    assert (plain["cells"], plain["complete"], "right" in plain["clean"]) == (4, False, False)
    older = Measurement.from_json(_OF_0_7)
    of_fog = {severity: scores.right.tolist() for severity, scores in fog(older).items()}
    assert older.clean.right.tolist() == [1, 1, 1, 0] and of_fog == {1: [1, 1, 0, 0], 4: [0, 1, 0, 0]}
    ((condition, scores),) = older.of_kind("pipeline").items()
    assert condition == Condition("pipeline", "mine", 1, "d") and condition.titles == ("Mine", "Flipped")
    assert scores.right.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("part", "damaged"),
    [("{", ""), ('"version": 1', '"version": 2'), ('"images": 120', '"images": 42'), ('"clean"', '"dirty"')],
)
def test_a_damaged_file_is_named_as_such(measured: Measurement, part: str, damaged: str) -> None:
    with pytest.raises(StorageError, match="damaged"):
        Measurement.from_json(measured.to_json().replace(part, damaged))


def test_a_part_of_the_images_holds_every_class_alike() -> None:
    labels = np.array([0] * 50 + [1] * 50 + [2] * 3)
    positions = chosen_positions(labels, 20)
    assert np.bincount(labels[positions]).tolist() == [9, 8, 3] and (np.diff(positions) > 0).all()
    assert chosen_positions(labels, 1000).tolist() == list(range(103)) == chosen_positions(labels, None).tolist()


def test_curves_and_losses(measured: Measurement) -> None:
    assert measured.curve("corruption", "snow") == {} and measured.corruption_loss("snow") is None
    assert list(fog(measured)) == list(measured.mean_curve()) == [1, 4]
    contrast = measured.curve("corruption", "contrast")
    assert measured.mean_curve()[4].value == pytest.approx((fog(measured)[4].accuracy + contrast[4].accuracy) / 2)
    lost = measured.clean.accuracy - (fog(measured)[1].accuracy + fog(measured)[4].accuracy) / 2
    assert measured.corruption_loss("fog").value == pytest.approx(lost)
    uneven = {key: scores for key, scores in measured.scores.items() if (key.name, key.level) != ("fog", 4)}
    assert list(replace(measured, scores=uneven).mean_curve()) == [1], "severity 4 would bend the curve"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (RobustnessRequest(("fogg",)), "'fog'"),
        (RobustnessRequest(severities=(6,)), "1 .mild. to 5"),
        (RobustnessRequest(severities=(True,)), "1 .mild. to 5"),
        (RobustnessRequest(pipelines=("notbook",)), "notebook"),
        (RobustnessRequest(seed=-1), "seed"),
        (RobustnessRequest(limit=0), "limit"),
        (RobustnessRequest((), pipelines=()), "request is empty"),
        (replace(SWEEP, copies=0), "0 copies"),
        (replace(SWEEP, limit=0), "0 images"),
        (replace(SWEEP, low=2.0), "the lower one first"),
        (replace(SWEEP, high=99.0), "from 0 to 10"),
        (replace(SWEEP, values=1), "1 values"),
        (replace(SWEEP, place="7"), r"no step '7' that is switched on. It has: 1 \(Fl"),
        (replace(SWEEP, parameter="alhpa"), "alpha"),
    ],
)
def test_a_request_that_cannot_be_met(request_: Request, message: str) -> None:
    with pytest.raises(AquaDashError, match=message):
        request_.checked()


def test_a_request_survives_json() -> None:
    for request in (SOME, RobustnessRequest(), RobustnessRequest(limit=7), SWEEP):
        assert read_request(json.loads(json.dumps({"run_id": "r", **request_values(request)}))) == request
    with pytest.raises(ConfigError):
        read_request({"seed": "many"})
    conditions = [each.name for each in RobustnessRequest(pipelines=()).conditions()]
    assert len(conditions) == 75 and conditions[:15] == list(CORRUPTIONS)
    assert RobustnessRequest(("fog", "snow", "fog")).checked().corruptions == ("snow", "fog")


#: Corruptions whose distance from the original does not grow with every severity.
UNEVEN = {"glass_blur", "snow", "frost", "fog"}


def pictures(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return smooth pictures with edges, since a blur would hardly change noise."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[0:height, 0:width]
    images = np.empty((count, height, width, 3), np.uint8)
    for number, channel in np.ndindex(count, 3):
        wave = np.sin(rows / random.uniform(2, 6)) + np.cos(columns / random.uniform(2, 6))
        images[number, ..., channel] = np.clip(128 + 45 * wave + 40 * (rows > random.integers(5, height)), 0, 255)
    return images


@pytest.mark.parametrize("shape", [(32, 32), (9, 20)])
@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_every_pair_gives_valid_images_and_the_same_ones_wherever_they_stand(name: str, shape: tuple[int, int]) -> None:
    images = pictures(4, *shape)
    before = images.copy()
    distances, likenesses = [], []
    for severity in SEVERITIES:
        changed = corrupt(images, name, severity, seed=3)
        assert changed.dtype == np.uint8 and changed.shape == images.shape
        assert (changed != images).any(), severity
        part = corrupt(images[2:], name, severity, seed=3, positions=np.array([2, 3]))
        np.testing.assert_array_equal(part, changed[2:])
        distances.append(float(np.abs(changed.astype(float) - images).mean()))
        likenesses.append(float(np.corrcoef(changed.ravel(), images.ravel())[0, 1]))
    np.testing.assert_array_equal(images, before)
    if name in UNEVEN:
        # The package's strengths do not rise evenly: ice first makes lighter, then darker.
        assert distances[-1] > distances[0] or likenesses[-1] < likenesses[0]
    else:
        assert distances == sorted(distances)


@pytest.mark.parametrize("name", ["gaussian_noise", "frost", "zoom_blur"])
def test_images_of_some_size_are_changed_as_the_package_does(name: str) -> None:
    import imagecorruptions

    images = np.repeat(pictures(1, 40, 60), 2, axis=0)
    np.random.seed(int(np.random.SeedSequence([9, list(CORRUPTIONS).index(name), 0]).generate_state(1)[0]))
    changed = corrupt(images, name, 2, seed=9)
    np.testing.assert_array_equal(changed[0], imagecorruptions.corrupt(images[0], 2, name))
    if name != "zoom_blur":
        other = corrupt(images, name, 2, seed=8)
        assert (changed[0] != changed[1]).any() and (changed[0] != other[0]).any(), "position and seed draw anew"


def source(seed: int = 0) -> Subjects:
    return Subjects(pictures(60, 32, 32), np.zeros(60, np.int64), np.arange(60), 60, "f" * 64, seed)


def test_a_set_is_made_once_and_again_if_its_file_is_damaged_or_cannot_be_written(home: Path) -> None:
    cells = [("contrast", 1), ("pixelate", 2)]
    made = dict(sets(source(), cells))
    assert len(list((home / "cache" / "corrupted").glob("*.npy"))) == 2
    for cell in cells:
        np.save(source().path(cell), 255 - made[cell])
    for cell, images in sets(source(), cells):
        np.testing.assert_array_equal(images, 255 - made[cell], err_msg="it comes from its file")
    np.testing.assert_array_equal(sample(source(), cells[0], 7), 255 - made[cells[0]][7])
    assert kept(source(seed=1), cells[0]) is None, "another seed is another set"
    path = source().path(cells[0])
    for damage in (b"", path.read_bytes()[:-100], b"not an array"):
        path.write_bytes(damage)
        assert kept(source(), cells[0]) is None
        np.testing.assert_array_equal(sample(source(), cells[0], 3), made[cells[0]][3])
        ((_, again),) = sets(source(), cells[:1])
        np.testing.assert_array_equal(again, made[cells[0]])
    shutil.rmtree(home / "cache")
    (home / "cache").write_text("a file in the way")
    ((_, again),) = sets(source(), cells[:1])
    np.testing.assert_array_equal(again, corrupt(source().images, *cells[0], seed=0))


def test_sets_that_were_used_longest_ago_make_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [("contrast", severity) for severity in (1, 2, 3)]
    size = source().images.nbytes + 128
    monkeypatch.setattr(corruptions, "MAX_BYTES", 2 * size)
    for time, cell in enumerate(cells[:2], start=1):
        list(sets(source(), [cell]))
        os.utime(source().path(cell), (time, time))
    kept(source(), cells[0])
    list(sets(source(), cells[2:]))
    assert [source().path(cell).exists() for cell in cells] == [True, False, True]


_PARENT = """
import hashlib, os, time
from aquadash.robustness.corruptions import corrupted_sets, open_pool
from tests.robustness.test_measure import source
pool = open_pool()
((_, images),) = corrupted_sets(source(), [("impulse_noise", 1)], executor=pool)
print(pool.submit(os.getpid).result(), hashlib.sha256(images.tobytes()).hexdigest(), flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_other_processes_make_the_same_sets_and_end_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", _PARENT]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=settings.PROJECT_ROOT)
    child, digest = parent.stdout.readline().split()
    assert digest == hashlib.sha256(corrupt(source().images, "impulse_noise", 1, seed=0).tobytes()).hexdigest()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: gone(int(child)), timeout=30)
