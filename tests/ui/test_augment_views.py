"""The views of the Augment page: images, preview, figures, label safety, and the start of two runs to compare."""

import base64
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash import augment, data
from aquadash.augment import PIPELINES, Branch, PipelineSpec, op
from aquadash.config import config_diff
from aquadash.data import Dataset, Split
from aquadash.lab import memory
from aquadash.lab.jobs import measured as kept_measurement
from aquadash.robustness import measure
from aquadash.robustness.job import KIND
from aquadash.store import Predictions, Run, RunStore
from aquadash.store.artifacts import MODEL
from aquadash.ui.augment import augment_numbers, augment_preview, label_safety, paired_runs, studio_images
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import datasets, shell
from tests.support import job_rows
from tests.support.app_pages import address_of, alternatives, charts, html, ids, run_script, words
from tests.support.encoded_pictures import saved
from tests.support.runs import make_run
from tests.support.search_fakes import FakeEngine


def small_dataset(count: int = 30) -> Dataset:
    """Images of random pixels between 60 and 196 in three classes; test images are the same."""
    random = np.random.default_rng(0)
    images = random.integers(60, 197, (count, 32, 32, 3), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.int64)
    split = Split(images, labels, tuple(f"{number}.png" for number in range(count)))
    return Dataset("small", "Small", "Made by a test.", True, ("otter", "seal", "whale"), split, split)


def studio(pipeline: str | PipelineSpec = "notebook", *, branch: int = 0, own: bool = False) -> Studio:
    """A studio with the first three training images, or with the same as a person's own pictures."""
    dataset = small_dataset()
    spec = PIPELINES[pipeline] if isinstance(pipeline, str) else pipeline
    names = tuple(f"<b>{number}</b>.jpg" for number in range(3)) if own else dataset.class_names
    return Studio(dataset, spec, branch, 0, [] if own else [0, 1, 2], dataset.train.images[:3], names)


def open_view(
    draw: Callable[[Studio], None], *, pipeline: str | PipelineSpec = "notebook-1", branch: int = 0, **address: str
) -> AppTest:
    """Draw a view for a pipeline and the first training images of each class."""

    def view() -> None:
        dataset = datasets.dataset("synthetic")
        positions = [int((dataset.train.labels == label).argmax()) for label in range(5)]
        spec = PIPELINES[pipeline] if isinstance(pipeline, str) else pipeline
        with shell.guard():  # As :class:`aquadash.ui.kit.sections.Section` does.
            draw(Studio(dataset, spec, branch, 0, positions, dataset.train.images[positions], dataset.class_names))

    memory.refresh()
    return run_script(view, **{name.replace("_", "-"): text for name, text in address.items()})


def preview(shown: Studio) -> None:
    augment_preview.LOOKS.choose().render(shown, st.popover("Options"))


def visit(shown: Studio, **address: str) -> AppTest:
    return run_script(preview, shown, **address)


def pictures(app: AppTest) -> list[np.ndarray]:
    """The pixels of every picture on the page."""
    encoded = re.findall(r'src="data:image/png;base64,([^"]*)"', html(app))
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in encoded]


def test_draws_go_round_the_versions_and_their_number_is_in_the_address() -> None:
    shown = studio()
    app = visit(shown)
    made = augment.preview(shown.images, pipeline=shown.spec, seed=0, draws=4)
    drawn = pictures(app)
    assert len(drawn) == 3 * 5
    for row in range(3):
        np.testing.assert_array_equal(drawn[5 * row], shown.images[row])
        for draw in range(4):
            np.testing.assert_array_equal(drawn[5 * row + 1 + draw], made[draw, row])
    assert alternatives(app)[6] == "seal, training image 1, example 1: Flipped and blurred"
    app.selectbox(key="draws").set_value("6").run()
    assert address_of(app, "draws") == "6" and len(pictures(app)) == 3 * 7


def test_step_by_step_shows_an_image_a_step() -> None:
    shown = studio(branch=3)
    app = visit(shown, look="steps")
    strip = augment.film_strip(shown.images, pipeline=shown.spec, branch=3, seed=0)
    np.testing.assert_array_equal(pictures(app)[6], strip[2, 1])
    assert augment.step_words(shown.in_view)[1][0] in alternatives(app)[6]
    app = visit(studio(), look="steps")
    assert "No step of this version is on" in app.info[0].value and len(pictures(app)) == 3


def test_the_difference_can_be_amplified_and_signed() -> None:
    shown = studio("notebook-2")
    after = augment.preview(shown.images, pipeline=shown.spec, branch=0, seed=0, draws=1)[0]
    app = visit(shown, look="difference")
    np.testing.assert_array_equal(pictures(app)[5], augment.difference(shown.images[1], after[1], factor=2))
    app = visit(shown, look="difference", sign="signed", amplify="8")
    signed = augment.difference(shown.images[1], after[1], factor=8, signed=True)
    np.testing.assert_array_equal(pictures(app)[5], signed)
    change = np.abs(after[1].astype(float) - shown.images[1]).mean()
    assert f"{change:.1f} of 255 on average" in alternatives(app)[5]


@pytest.mark.parametrize("look", ["draws", "steps", "same", "difference", "histograms"])
def test_a_persons_own_pictures_are_shown_by_name_and_names_are_no_markup(look: str) -> None:
    app = visit(studio("notebook-1", own=True), look=look)
    assert "<b>" not in html(app)
    if look != "histograms":
        assert alternatives(app)[0] == "Your picture &lt;b&gt;0&lt;/b&gt;.jpg, original"


def test_every_version_has_a_row_with_its_numbers_and_a_warning_if_it_ruins_images() -> None:
    app = run_script(augment_numbers.render, studio(branch=4))
    table = app.dataframe[0].value
    expected = augment.measure(small_dataset().train.images, studio().spec, seed=0, timed=False)
    assert list(table["Version"]) == [branch.title for branch in expected]
    assert list(table["Clipped"]) == pytest.approx([100 * branch.clipped for branch in expected])
    red = expected[4].channels[0]
    assert app.dataframe[1].value["After"][0] == f"{red.mean_after:.1f} ± {red.deviation_after:.1f}"
    assert not app.warning
    spec = PipelineSpec("p", "P", "", (Branch("*Snow*", (op("Add", value=255),)),))
    app = run_script(augment_numbers.render, studio(spec))
    assert "nearly constant" in app.warning[0].value and r"\*Snow\*" in app.warning[0].value


def test_one_click_queues_and_compares(store: RunStore, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, *, query_params: gone.append((page, query_params)))
    app = open_view(paired_runs.launch, pair_base="quick", pair_seed="3")
    app.button(key="pair-launch").click().run()
    assert not app.exception
    with_it, without = store.list_runs()
    assert gone == [("pages/compare.py", {"runs": ids(without, with_it)})]
    assert config_diff([without.config, with_it.config]) == {"augmentation.pipeline": ["none", "notebook-1"]}
    assert (with_it.config.seed, with_it.config.data.source) == (3, "synthetic")
    assert [run.name.partition(":")[0] for run in (without, with_it)] == ["Without", "With"]


def test_a_pipeline_has_to_be_saved_and_to_change_something(engine: FakeEngine) -> None:
    draft = PipelineSpec("notebook-1", "Mine", "", PIPELINES["notebook-2"].branches)
    assert "Save the pipeline first" in words(open_view(paired_runs.launch, pipeline=draft))
    assert "both runs would be the same" in words(open_view(paired_runs.launch, pipeline="none"))


PIXELS = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
PNG = saved(Image.fromarray(PIXELS), "PNG")


def images_page() -> None:
    st.session_state["chosen"] = studio_images.choose(small_dataset(), st.popover("Options"))


def chosen(app: AppTest) -> studio_images.SampleImages:
    return app.session_state["chosen"]


def test_training_images_come_with_their_class_and_place_and_more_keep_the_first() -> None:
    images, labels, positions = chosen(run_script(images_page, images="5,7,5"))
    assert positions == [5, 7] and labels == ("whale", "seal")
    np.testing.assert_array_equal(images, small_dataset().train.images[[5, 7]])
    app = run_script(images_page)
    before = chosen(app).positions
    assert len(before) == 2
    app.number_input(key="image-count").set_value(16).run()
    after = chosen(app).positions
    assert len(set(after)) == 16 and after[:2] == before
    assert address_of(app, "images") == ",".join(map(str, after))
    app.button(key="other-images").click().run()
    others = chosen(app).positions
    assert len(set(others)) == 16 and others != after, "none twice"
    app.number_input(key="image-count").set_value(1).run()
    assert chosen(app).positions == others[:1]


def test_a_persons_own_pictures_are_seen_as_training_would() -> None:
    app = run_script(images_page)
    app.segmented_control(key="from").set_value("own").run()
    assert address_of(app, "from") == "own"
    assert len(chosen(app).positions) == 2, "training images until there is a picture"
    wide = np.zeros((40, 400, 3), dtype=np.uint8)
    wide[:, 180:220] = 200
    field = app.file_uploader(key="own-pictures").upload("exact.png", PNG, "image/png")
    field.upload("wide.png", saved(Image.fromarray(wide), "PNG"), "image/png").run()
    images, labels, positions = chosen(app)
    np.testing.assert_array_equal(images[0], PIXELS)
    assert (images[1] == 200).all(), "the middle of it"
    assert labels == ("exact.png", "wide.png") and positions == []
    assert any("wide.png" in caption.value and "10.0%" in caption.value for caption in app.caption)


def test_bad_files_are_refused_by_name_and_too_many_are_left_out() -> None:
    app = run_script(images_page, **{"from": "own"})
    field = app.file_uploader(key="own-pictures").upload("*no*.png", b"\x89PNG of a kind", "image/png")
    for number in range(17):
        field = field.upload(f"picture-{number}.png", PNG, "image/png")
    field.run()
    assert len(app.error) == 1 and r"\*no\*.png" in app.error[0].value
    assert len(chosen(app).images) == 15 and "2 left out" in app.info[0].value


class Sharpness:
    """A network that names every sharp image rightly and calls a blurred one a whale."""

    image_shape = (32, 32, 3)
    class_names = ("beaver", "dolphin", "otter", "seal", "whale")

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self._known = {image[5].tobytes(): label for image, label in zip(images, labels, strict=True)}
        self._known |= {image[5, ::-1].tobytes(): label for image, label in zip(images, labels, strict=True)}

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(5, dtype=np.float32)[[self._known.get(image[5].tobytes(), 4) for image in images]]


@pytest.fixture
def alone(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # A view that stands alone knows no other page to link to.
    monkeypatch.setattr(st, "page_link", lambda page, *, label, **options: st.caption(f"{label} ({page})"))
    job_rows.start_no_process(monkeypatch)


@pytest.fixture
def sharp(alone: None, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose network is one whose answers are known."""
    run, train = make_run(store), data.load("synthetic").train
    store.add_text_artifact(run.run_id, MODEL, "a model")
    chosen = np.arange(100, 2500, 24)
    answers = np.full((len(chosen), 5), 0.2, np.float32)
    store.add_validation_predictions(run.run_id, Predictions(chosen, train.labels[chosen], answers))
    network = Sharpness(train.images, train.labels)
    monkeypatch.setattr(measure, "load_network", lambda store, run: network)
    return run


def measured(app: AppTest) -> AppTest:
    """After its measurement has ended."""
    app.button(key="safety-start").click().run()
    job_rows.do_next(KIND)
    return again(app)


def again(app: AppTest) -> AppTest:
    """The page as it is now."""
    memory.refresh()
    app.run()
    assert not app.exception
    return app


def test_label_safety_without_steps_a_run_or_its_validation_images_says_so(alone: None, store: RunStore) -> None:
    assert "changes nothing" in words(open_view(label_safety.render, pipeline="notebook", branch=0))
    # The included model knows another data set.
    assert "No finished run was trained on" in words(open_view(label_safety.render))
    run = make_run(store)
    store.add_text_artifact(run.run_id, MODEL, "a model")
    assert "kept no validation images" in words(measured(open_view(label_safety.render)))


def test_label_safety_of_a_draft_is_measured_in_the_background_and_says_how_far_one_can_go(
    sharp: Run, home: Path
) -> None:
    draft = PipelineSpec("draft", "Draft", "", PIPELINES["notebook-1"].branches)
    app = open_view(label_safety.render, pipeline=draft)
    # The flip comes first, but has no strength to vary.
    assert (app.selectbox(key="safety-step").value, app.selectbox(key="safety-parameter").value) == ("2", "sigma")
    measured(app)
    assert "2. Blur: safe up to sigma" in words(app)
    (curve,) = charts(app)
    assert "100 % at 0, 20 % at 10" in curve and "The threshold is 80 %" in curve
    assert html(app).count(">0 of 50 right") == 16 and html(app).count(">50 of 50 right") == 4
    app.number_input(key="safety-threshold").set_value(10).run()
    assert "safe at every sigma" in words(app) and not app.button, "another threshold needs no measurement"
    # The result is read again after a restart; without its file the page offers to measure.
    kept_measurement.cache_clear()
    assert charts(open_view(label_safety.render, pipeline=draft)) == [curve]
    shutil.rmtree(home / "label-safety")
    kept_measurement.cache_clear()
    assert again(open_view(label_safety.render, pipeline=draft)).button(key="safety-start").label == "Measure"


def test_a_step_and_a_run_that_are_gone_are_replaced_without_a_note(
    sharp: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_run(store, "other")
    app = open_view(label_safety.render, pipeline="notebook-2", safety_run=other.run_id)
    app.selectbox(key="safety-step").select("2.children.1").run()
    assert not app.error and app.slider[0].value == (0, 2)
    # Another pipeline and another data set are chosen.
    monkeypatch.setitem(PIPELINES, "notebook-2", PIPELINES["notebook-4"])
    store.update(other.run_id, class_names=other.class_names, dataset_fingerprint="f" * 64)
    again(app)
    assert app.selectbox(key="safety-step").value != "2.children.1" and address_of(app, "safety-step") is None
    assert app.selectbox(key="safety-run").value == address_of(app, "safety-run") == sharp.run_id
    assert "The address asks for" not in words(app) and not app.warning
    linked = open_view(label_safety.render, safety_run=other.run_id)
    assert "has no results to show here" in linked.warning[0].value
