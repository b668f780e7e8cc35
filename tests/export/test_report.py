"""Tests of the report, one page of HTML in which no text of a person is markup, and of TensorFlow Lite."""

import warnings
from html.parser import HTMLParser
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from aquadash import data, models
from aquadash.config import ModelConfig
from aquadash.evaluation import wilson_interval
from aquadash.evaluation.metrics import percent
from aquadash.export.report import report_html
from aquadash.export.tflite import convert
from aquadash.models.transfer import with_flip
from aquadash.predict import Predictor
from aquadash.store import RunStatus, RunStore
from tests.support.runs import HOSTILE, make_run


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.skipping = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.skipping = tag if tag in ("script", "style") else self.skipping

    def handle_endtag(self, tag: str) -> None:
        self.skipping = "" if tag == self.skipping else self.skipping

    def handle_data(self, data: str) -> None:
        self.words += "" if self.skipping else data


def test_the_report_holds_the_results_and_needs_no_network(store: RunStore) -> None:
    note = f"</p><script>alert(2)</script>{HOSTILE}"
    run = make_run(store, HOSTILE, note=note)
    text = report_html(store, run, data.load("synthetic"))
    page = Page(text)
    assert HOSTILE in page.words and "alert(2)" in page.words
    results = store.predictions(run.run_id)
    right = int((results.probabilities.argmax(axis=1) == results.labels).sum())
    accuracy = percent(run.metrics["test_accuracy"], wilson_interval(right, len(results.labels)))
    assert f"{accuracy.value}test accuracy95 % interval {accuracy.interval}, " in page.words
    for words in ("Loss by epoch", "Confusion matrix", "Calibration", "Settings", "learning_rate", "whale"):
        assert words in page.words
    linked = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert linked and all(value is not None and value.startswith("data:image/png;base64,") for value in linked)
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 18 and all(attributes["alt"] for attributes in pictures)
    assert "@media print" in text and "default-src 'none'" in text
    assert "decided when to stop" not in page.words and "when the run was stopped" not in page.words
    as_in_the_report = report_html(store, make_run(store, settings={"training.validation": "test"}), None)
    assert "The first 400 test images decided when to stop" in Page(as_in_the_report).words
    assert report_html(store, run, data.load("synthetic")) == text


@pytest.mark.parametrize("epochs", [0, 2])
def test_a_run_without_results_gets_a_report_too(store: RunStore, epochs: int) -> None:
    run = make_run(store, "broke", status=RunStatus.FAILED, message="the <b>loss</b> became nan", history=epochs)
    page = Page(report_html(store, run, None))
    assert "ended before its network had predicted" in page.words and "the <b>loss</b> became nan" in page.words
    assert ("Loss by epoch" in page.words) is (epochs > 0)


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)

NETWORK = ModelConfig(
    name="cnn", filters=(8,), batch_normalization=True, normalization="symmetric", dense_units=(), test_time_flip=True
)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_it_answers_twenty_images_as_the_original_does(precision: str, tolerance: float, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    path = tmp_path / "model.keras"
    with_flip(models.build(NETWORK, image_shape=(16, 16, 3), num_classes=4, precision=precision)).save(path)

    with warnings.catch_warnings():
        # TensorFlow warns that the interpreter moves to another package, which reads the same files.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=convert(path, NETWORK, 4))
    takes, gives = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(takes, IMAGES.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(takes, IMAGES.astype(np.float32) / 255)
    interpreter.invoke()
    expected = Predictor.load(path, NETWORK, class_names="abcd").predict_images(IMAGES)
    np.testing.assert_allclose(interpreter.get_tensor(gives), expected, atol=tolerance)
