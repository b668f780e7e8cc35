"""From image files to probabilities, with a tiny network made here, and to a table for a spreadsheet."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import ConfigError, StorageError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.predict import AnswerRow, FilePrediction, Predictor, RemotePredictor, answers_csv, predict_files
from aquadash.predict import remote as remote_module
from tests.support.encoded_pictures import saved as encoded
from tests.support.tiny_networks import MEAN_COLOUR, colour_network

CLASSES = ("red", "green", "blue")
SIZE = 8
BATCH = np.random.default_rng(0).integers(0, 256, (70, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose likeliest class is the strongest colour: softmax of ten times the mean colour."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    colour_network(MEAN_COLOUR, 10 * np.eye(3), side=SIZE).save(path)
    return path


@pytest.fixture(scope="module")
def predictor(saved: Path) -> Predictor:
    return Predictor.load(saved, MEAN_COLOUR, class_names=CLASSES)


def _png(colour: tuple[int, int, int]) -> bytes:
    return encoded(Image.new("RGB", (9, 9), colour), "PNG")


def test_probabilities_are_the_networks_own(predictor: Predictor) -> None:
    batch = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    batch[0, ..., 1] = 255
    batch[1, ..., 2] = 51
    probabilities = predictor.predict_images(batch)
    # Softmax of these scores: pixels are divided by 255 and dropout is off.
    powers = np.exp([[0, 10, 0], [0, 0, 2]])
    np.testing.assert_allclose(probabilities, powers / powers.sum(axis=1, keepdims=True), rtol=1e-4)
    assert probabilities.dtype == np.float32
    assert predictor.predict_images(batch[:0]).shape == (0, 3)
    for bad in (batch.astype(np.float32), batch[0]):
        with pytest.raises(ValueError, match="expected uint8"):
            predictor.predict_images(bad)


def test_images_unlike_the_training_images_are_noticed(saved: Path) -> None:
    # Two classes, red and blue; the features are the mean colour, so green is far from both.
    rng = np.random.default_rng(0)
    colours = np.repeat([[1.0, 0.0, 0.1], [0.1, 0.0, 1.0]], 50, axis=0) + rng.normal(scale=0.02, size=(100, 3))
    detector = OutOfDistributionDetector.fit(colours, np.repeat([0, 1], 50), validation_features=colours)
    predictor = Predictor.load(saved, MEAN_COLOUR, class_names=CLASSES, detector=detector)
    files = [("red.png", _png((250, 0, 25))), ("green.png", _png((0, 250, 0))), ("no.png", b"no picture")]

    red, green, bad = predict_files(files, predictor)

    assert red.none_of_these is False and green.none_of_these is True and bad.none_of_these is None
    np.testing.assert_allclose(predictor.predict_images(red.seen[None])[0], red.probabilities, rtol=1e-5)
    assert 0 <= red.ood_score < 1 < green.ood_score == green.to_dict()["strangeness"]
    plain = Predictor.load(saved, MEAN_COLOUR, class_names=CLASSES)
    assert next(predict_files(files, plain)).ood_score is None
    np.testing.assert_allclose(green.probabilities, list(predict_files(files, plain))[1].probabilities, rtol=1e-5)


def test_another_process_gives_the_same_answers(saved: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    detector = OutOfDistributionDetector.fit(
        random.random((40, 3)), np.arange(40) % 2, validation_features=random.random((9, 3))
    )
    np.savez(tmp_path / "strangers.npz", **detector.to_arrays())
    here = Predictor.load(saved, MEAN_COLOUR, class_names=CLASSES, detector=detector).answer_images(BATCH)

    remote = RemotePredictor(saved, MEAN_COLOUR, class_names=CLASSES, detector=tmp_path / "strangers.npz")
    remotely = remote.answer_images(BATCH)

    assert remote.image_shape == (SIZE, SIZE, 3)
    for ours, theirs in zip(here, remotely, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5)
    assert [part.shape for part in remote.answer_images(BATCH[:0]) if part is not None] == [(0, 3), (0,)]


def test_a_network_that_was_trained_on_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    answers = []
    for strength in (10, -10):
        colour_network(MEAN_COLOUR, strength * np.eye(3), side=SIZE).save(path)
        answers.append(RemotePredictor(path, MEAN_COLOUR, class_names=CLASSES).predict_images(BATCH[:1]))
    assert answers[0].argmax() == answers[1].argmin()


def test_features_are_what_the_last_layer_is_given_here_and_in_another_process(
    predictor: Predictor, saved: Path
) -> None:
    means = BATCH.mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(predictor.features(BATCH), means, rtol=1e-5)
    many = np.tile(BATCH, (80, 1, 1, 1))
    told: list[float] = []
    remote = RemotePredictor(saved, MEAN_COLOUR, class_names=CLASSES)
    np.testing.assert_allclose(remote.features(many, progress=told.append), np.tile(means, (80, 1)), rtol=1e-5)
    assert told == [0.0, 5208 / 5600], "a part has a million values"


def test_the_process_also_describes_networks_and_the_others_answer_on(saved: Path) -> None:
    remote, process = RemotePredictor(saved, MEAN_COLOUR, class_names=CLASSES), remote_module.shared_process()
    before = remote.predict_images(BATCH)
    describe = partial(models.describe, ModelConfig(), image_shape=(32, 32, 3), num_classes=5)
    for _ in range(2):
        # Names do not depend on what was built before.
        assert process.ask(describe).layers[0].name == "conv2d"
    np.testing.assert_array_equal(remote.predict_images(BATCH), before)
    with pytest.raises(ConfigError, match="parameters"):
        huge = ModelConfig(name="cnn", dense_units=(4096,) * 4)
        process.ask(partial(models.describe, huge, image_shape=(32, 32, 3), num_classes=5))


def test_many_threads_get_their_own_answers(predictor: Predictor) -> None:
    def ask(number: int) -> set[int]:
        image = np.zeros((1, SIZE, SIZE, 3), np.uint8)
        image[..., number % 3] = 255
        return {int(predictor.predict_images(image).argmax()) for _ in range(50)}

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [{0}, {1}, {2}, {0}, {1}, {2}]


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_one_bad_file_does_not_stop_the_others(predictor: Predictor, batch_size: int) -> None:
    red, blue = _png((200, 0, 0)), _png((0, 0, 200))
    files = [("red.png", red), ("empty.png", b""), ("notes.png", b"no image"), ("cut.png", blue[:40]), ("b.png", blue)]
    results = list(predict_files(files, predictor, batch_size=batch_size))
    assert [result.file for result in results] == [name for name, _ in files]
    assert [result.label for result in results] == ["red", None, None, None, "blue"]
    good, bad = results[0], results[1:4]
    assert good.error is None and good.seen is not None and good.seen.shape == (SIZE, SIZE, 3)
    assert good.confidence == pytest.approx(float(good.probabilities.max()))
    for result in bad:
        assert result.file in (result.error or "")
        assert result.confidence is None and result.probabilities is None and result.seen is None


def test_files_are_fetched_only_when_their_turn_comes_and_those_that_cannot_be_are_reported(
    predictor: Predictor,
) -> None:
    fetched: list[int] = []

    def fetch(number: int) -> bytes:
        fetched.append(number)
        if number == 2:
            raise PermissionError(13, "Permission denied")
        return _png((0, 200, 0))

    coming = predict_files([(str(number), partial(fetch, number)) for number in range(4)], predictor, batch_size=2)
    results = [next(coming)]
    assert fetched == [0, 1]
    results += coming
    assert fetched == list(range(4))
    assert [result.label for result in results] == ["green", "green", None, "green"]
    assert "Permission denied" in (results[2].error or "")


def test_of_a_long_picture_the_part_at_the_position_is_seen_by_default_the_middle(predictor: Predictor) -> None:
    pixels = np.zeros((30, 90, 3), np.uint8)
    pixels[:, :30, 0] = pixels[:, 30:60, 1] = pixels[:, 60:, 2] = 250
    files = [("long.png", encoded(Image.fromarray(pixels), "PNG")), ("square.png", _png((0, 250, 0)))]
    middle, square = predict_files(files, predictor)
    assert (middle.label, square.label) == ("green", "green")
    assert middle.notes == ("long picture: the network sees only the middle 33.3% of it",) and not square.notes
    left, same = predict_files(files, predictor, position=0.0)
    assert left.label == "red" and np.array_equal(same.probabilities, square.probabilities)


def test_a_temperature_changes_how_sure_the_answer_is_and_not_the_answer(predictor: Predictor) -> None:
    files = [("a.png", _png((60, 90, 30)))]
    (plain,), (cooled,) = predict_files(files, predictor), predict_files(files, predictor, temperature=2.0)
    roots = np.sqrt(plain.probabilities)
    np.testing.assert_allclose(cooled.probabilities, roots / roots.sum(), rtol=1e-5)
    assert cooled.label == plain.label == "green" and cooled.confidence < plain.confidence


def test_an_answer_that_is_no_number_is_an_error() -> None:
    model = colour_network(MEAN_COLOUR, np.full((3, 3), np.nan), side=SIZE)
    (result,) = predict_files([("r.png", _png((200, 0, 0)))], Predictor(model, class_names=CLASSES))
    assert result.label is None and "diverged" in (result.error or "") and result.seen is not None
    json.dumps(result.to_dict(), allow_nan=False)


def test_missing_damaged_and_hostile_model_files(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(StorageError, match="no saved model yet"):
        Predictor.load(path, MEAN_COLOUR, class_names=CLASSES)
    whole = saved.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    for content in (b"", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        with pytest.raises(StorageError, match="cannot be (loaded|read)"):
            Predictor.load(path, MEAN_COLOUR, class_names=CLASSES)
    code = keras.layers.Lambda(lambda x: x[:, 0, 0, :], output_shape=(3,))
    keras.Sequential([keras.Input((SIZE, SIZE, 3)), code]).save(path)
    with pytest.raises(StorageError, match="layers/conv2d/vars/0 is missing"):
        Predictor.load(path, MEAN_COLOUR, class_names=CLASSES)


def test_models_of_another_shape_are_refused() -> None:
    with pytest.raises(StorageError, match="expected 2 probabilities"):
        Predictor(colour_network(MEAN_COLOUR, np.eye(3), side=SIZE), class_names=CLASSES[:2])
    with pytest.raises(StorageError, match="RGB"):
        Predictor(models.build(ModelConfig(), image_shape=(SIZE, SIZE, 1), num_classes=3), class_names=CLASSES)


TABLE_CLASSES = ("beaver", "otter")


def prediction(name: str, shares: tuple[float, ...] = (0.25, 0.75), **more: object) -> FilePrediction:
    label = TABLE_CLASSES[int(np.argmax(shares))]
    return FilePrediction(name, TABLE_CLASSES, label, np.array(shares, np.float32), **more)


def test_a_row_for_each_picture_and_run() -> None:
    bad = FilePrediction("bad.png", TABLE_CLASSES, error="bad.png is empty.")
    other = FilePrediction("a.png", ("cat",), "cat", np.array([1.0], np.float32))
    answers = [
        AnswerRow("first", prediction("a.png", notes=("16-bit reduced to 8-bit",), ood_score=1.1), "beaver"),
        AnswerRow("second", other, "beaver"),
        AnswerRow("first", prediction("b.png", ood_score=0.9)),
        AnswerRow("first", bad),
    ]
    table = answers_csv(answers, class_names=[*TABLE_CLASSES, "cat"])

    assert table.startswith(b"\xef\xbb\xbf")
    first, second, known, third = csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline=""))
    assert " ".join(first) == "file run label confidence none_of_these beaver otter cat true_label notes error"
    values = "a.png|first|otter|0.750000|yes|0.250000|0.750000||beaver|16-bit reduced to 8-bit|"
    assert list(first.values()) == values.split("|")
    assert (known["none_of_these"], second["none_of_these"]) == ("no", "")
    assert (second["beaver"], second["cat"], second["run"]) == ("", "1.000000", "second")
    assert (third["label"], third["confidence"], third["otter"]) == ("", "", "")
    assert third["error"] == "bad.png is empty."


@pytest.mark.parametrize(
    ("name", "written"),
    [
        *((f"{start}1.png", f"'{start}1.png") for start in ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\uff1d")),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("nul\0.png", "nul\N{REPLACEMENT CHARACTER}.png"),
        ("\u200d=1.png می\u200cخواهم", "\N{REPLACEMENT CHARACTER}=1.png می\u200cخواهم"),
        ("\udcff.png", "\N{REPLACEMENT CHARACTER}.png"),
    ],
)
def test_no_cell_is_a_formula_or_hides_a_character(name: str, written: str) -> None:
    hostile = AnswerRow(name, prediction(name, notes=(name,), error=name), name)
    head, row = csv.reader(io.StringIO(answers_csv([hostile], class_names=[name]).decode("utf-8-sig"), newline=""))
    assert head[5] == written
    assert [row[column] for column in (0, 1, 6, 7, 8)] == [written] * 5, "file, run, true label, notes and error"
