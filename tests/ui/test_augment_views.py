"""The views of the Augment page: its images, the preview, its figures, and the form that starts two runs to compare."""

import base64
import io
import re

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash import augment
from aquadash.augment import PIPELINES, Branch, PipelineSpec, op
from aquadash.config import config_diff
from aquadash.store import RunStore
from aquadash.ui.augment import paired_runs, studio_images
from tests.support.app_pages import address_of, alternatives, html, ids, run_script, words
from tests.support.encoded_pictures import saved
from tests.support.search_fakes import FakeEngine
from tests.support.studios import open_view, small_dataset, studio


def page() -> None:
    import streamlit as st

    from aquadash.ui.augment import augment_preview
    from tests.support import studios

    augment_preview.LOOKS.choose().render(studios.studio(**st.session_state["given"]), st.popover("Options"))


def visit(address: dict[str, str] | None = None, **arguments: object) -> AppTest:
    return run_script(page, state=arguments, **(address or {}))


def pictures(app: AppTest) -> list[np.ndarray]:
    """The pixels of every picture on the page."""
    encoded = re.findall(r'src="data:image/png;base64,([^"]*)"', html(app))
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in encoded]


def test_draws_go_round_the_versions_and_their_number_is_in_the_address() -> None:
    app, shown = visit(), studio()
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
    app, shown = visit({"look": "steps"}, branch=3), studio(branch=3)
    strip = augment.film_strip(shown.images, pipeline=shown.spec, branch=3, seed=0)
    np.testing.assert_array_equal(pictures(app)[6], strip[2, 1])
    assert augment.step_words(shown.in_view)[1][0] in alternatives(app)[6]
    app = visit({"look": "steps"}, branch=0)
    assert "No step of this version is on" in app.info[0].value and len(pictures(app)) == 3


def test_the_difference_can_be_amplified_and_signed() -> None:
    shown = studio("notebook-2")
    after = augment.preview(shown.images, pipeline=shown.spec, branch=0, seed=0, draws=1)[0]
    app = visit({"look": "difference"}, pipeline="notebook-2")
    np.testing.assert_array_equal(pictures(app)[5], augment.difference(shown.images[1], after[1], factor=2))
    app = visit({"look": "difference", "sign": "signed", "amplify": "8"}, pipeline="notebook-2")
    signed = augment.difference(shown.images[1], after[1], factor=8, signed=True)
    np.testing.assert_array_equal(pictures(app)[5], signed)
    change = np.abs(after[1].astype(float) - shown.images[1]).mean()
    assert f"{change:.1f} of 255 on average" in alternatives(app)[5]


@pytest.mark.parametrize("look", ["draws", "steps", "same", "difference", "histograms"])
def test_a_persons_own_pictures_are_shown_by_name_and_names_are_no_markup(look: str) -> None:
    app = visit({"look": look}, pipeline="notebook-1", own=True)
    assert "<b>" not in html(app)
    if look != "histograms":
        assert alternatives(app)[0] == "Your picture &lt;b&gt;0&lt;/b&gt;.jpg, original"


def numbers_page() -> None:
    import streamlit as st

    from aquadash.ui.augment import augment_numbers
    from tests.support import studios

    augment_numbers.render(studios.studio(**st.session_state["given"]))


def test_every_version_has_a_row_with_its_numbers() -> None:
    app = run_script(numbers_page, state=dict(branch=4))
    table = app.dataframe[0].value
    expected = augment.measure(small_dataset().train.images, studio().spec, seed=0, timed=False)
    assert list(table["Version"]) == [branch.title for branch in expected]
    assert list(table["Clipped"]) == pytest.approx([100 * branch.clipped for branch in expected])
    red = expected[4].channels[0]
    assert app.dataframe[1].value["After"][0] == f"{red.mean_after:.1f} ± {red.deviation_after:.1f}"
    assert not app.warning


def test_a_pipeline_that_ruins_images_is_warned_of() -> None:
    spec = PipelineSpec("p", "P", "", (Branch("*Snow*", (op("Add", value=255),)),))
    app = run_script(numbers_page, state=dict(pipeline=spec))
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
    import streamlit as st

    from aquadash.ui.augment import studio_images
    from tests.support.studios import small_dataset

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
