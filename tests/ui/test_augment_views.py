"""The views of the Augment page: the preview, its figures, and the form that starts two runs to compare."""

import base64
import io
import re
from functools import partial

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from aquadash import augment
from aquadash.augment import PIPELINES, Branch, PipelineSpec, op
from aquadash.config import config_diff
from aquadash.errors import RunError
from aquadash.store import RunStore
from aquadash.ui.augment import paired_runs
from tests.support.app_pages import address_of, alternatives, html, ids, run_script, words
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


open_launch = partial(open_view, paired_runs.launch)


def test_one_click_queues_and_compares(store: RunStore, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, *, query_params: gone.append((page, query_params)))
    app = open_launch(pair_base="quick", pair_seed="3")
    app.button(key="pair-launch").click().run()
    assert not app.exception
    with_it, without = store.list_runs()
    assert gone == [("pages/compare.py", {"runs": ids(without, with_it)})]
    assert config_diff([without.config, with_it.config]) == {"augmentation.pipeline": ["none", "notebook-1"]}
    assert (with_it.config.seed, with_it.config.data.source) == (3, "synthetic")
    assert [run.name.partition(":")[0] for run in (without, with_it)] == ["Without", "With"]


def test_what_goes_wrong_is_told(engine: FakeEngine) -> None:
    engine.error = RunError("The scheduler does not answer.")
    app = open_launch()
    app.button(key="pair-launch").click().run()
    assert "The scheduler does not answer." in words(app)


def test_a_pipeline_has_to_be_saved_and_to_change_something(engine: FakeEngine) -> None:
    draft = PipelineSpec("notebook-1", "Mine", "", PIPELINES["notebook-2"].branches)
    assert "Save the pipeline first" in words(open_launch(pipeline=draft))
    assert "both runs would be the same" in words(open_launch(pipeline="none"))
