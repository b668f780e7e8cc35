"""Does a pipeline help? The form on the Augment page that starts two runs."""

from functools import partial

import pytest
import streamlit as st

from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.config import config_diff
from aquadash.errors import RunError
from aquadash.store import RunStore
from aquadash.ui.augment import paired_runs
from tests.support.app_pages import ids, words
from tests.support.search_fakes import FakeEngine
from tests.support.studios import open_view

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
