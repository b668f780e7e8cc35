"""The figures on the Augment page."""

from __future__ import annotations

import pytest

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec, op
from aquadash.ui.augment.studio import _numbers
from tests.app_pages import run_script
from tests.studios import small_dataset, studio


def page() -> None:
    import streamlit as st

    from aquadash.ui.augment import augment_numbers
    from tests import studios

    augment_numbers.show(studios.studio(**st.session_state["given"]))


def test_every_version_has_a_row_with_the_backends_figures() -> None:
    app = run_script(page, state=dict(branch=4))
    table = app.dataframe[0].value
    expected = augment.measure(small_dataset().train.images, studio().spec, seed=0, timed=False)
    assert list(table["Version"]) == [branch.title for branch in expected.branches]
    for row, branch in enumerate(expected.branches):
        assert table["Clipped"][row] == pytest.approx(100 * branch.clipped)
        assert table["Unchanged"][row] == pytest.approx(100 * branch.unchanged)
    assert (table["ms an image"][1:] > 0).all()
    colours = app.dataframe[1].value
    red = expected.branches[4].channels[0]
    assert colours["After"][0] == f"{red.mean_after:.1f} ± {red.deviation_after:.1f}"
    assert len(app.dataframe[2].value) == 3, "a row a step"
    assert not app.warning and any("👍" in caption.value for caption in app.caption)


def test_a_pipeline_that_ruins_images_is_warned_of_in_words() -> None:
    spec = PipelineSpec("p", "P", "", (Branch("*Snow*", (op("Add", value=255),)),))
    app = run_script(page, state=dict(pipeline=spec))
    assert "nearly constant" in app.warning[0].value
    assert r"\*Snow\*" in app.warning[0].value
    assert not any("👍" in caption.value for caption in app.caption)


def test_a_persons_own_pictures_are_measured_and_a_version_without_steps_has_no_times() -> None:
    app = run_script(page, state=dict(pipeline="none", own=True))
    assert any("3 pictures of your own" in caption.value for caption in app.caption)
    assert any("No step is switched on" in caption.value for caption in app.caption)


def test_only_a_version_that_changed_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _numbers.clear()
    measured: list[object] = []
    measure = augment.measure
    monkeypatch.setattr(
        augment, "measure", lambda *images, **rest: measured.append(rest["branch"]) or measure(*images, **rest)
    )
    app = run_script(page, state=dict(pipeline="notebook"))
    assert measured == [0, 1, 2, 3, 4]
    app.run()
    assert len(measured) == 5
    first, second, *rest = studio().spec.branches
    changed = PipelineSpec("notebook", "t", "s", (first, Branch(second.title, second.operators[:1]), *rest))
    app.session_state["given"] = {"pipeline": changed}
    app.run()
    assert measured[5:] == [1]
