"""Damaged and retyped ZIP files of runs: each is taken in or refused in words, and the store and Home go on working.

``AQUADASH_FUZZ=2000`` tries 2,000 of them instead of 8.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from aquadash.errors import AquaDashError, StorageError
from aquadash.export import bundle, importing
from aquadash.runs import Run, RunStore
from aquadash.runs.artifacts import ROBUSTNESS
from aquadash.runs.first_model import add_first_model
from aquadash.runs.transfer import remove_traces
from tests.app_pages import open_app_page
from tests.robust_runs import made_up_result
from tests.test_export_importing import Files, other_store_zip, read, write

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["nan", "1e999", "[" * 300, "{}", "9" * 4000, "\x00", "<b>x</b>", "../../x", "\ud800"]),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(st.text(max_size=4), st.floats(), max_size=2),
)


def retyped(draw: st.DrawFn, value: Any) -> Any:
    """One value somewhere inside is another, or gone; texts that hold JSON are opened, too."""
    if isinstance(value, str) and value[:1] in "[{" and draw(st.booleans()):
        with suppress(ValueError):
            return json.dumps(retyped(draw, json.loads(value)))
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 9)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        changed = value.copy()
        if draw(st.integers(0, 9)):
            changed[key] = retyped(draw, value[key])
        else:
            del changed[key]
        return changed
    return draw(ODD)


def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Some bytes are others, gone or too many."""
    start = draw(st.integers(0, max(len(content) - 1, 0)))
    cut = draw(st.sampled_from([0, 1, 8, len(content)]))
    return content[:start] + draw(st.binary(max_size=8)) + content[start + cut :]


@st.composite
def archives(draw: st.DrawFn, files: Files) -> Files:
    """The files of a run, with one to three things changed."""
    files = dict(files)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([bundle.RUN] * 3 + sorted(set(files) - {bundle.MANIFEST})))
        try:
            files[name] = json.dumps(retyped(draw, json.loads(files[name]))).encode("utf-8", "surrogatepass")
        except ValueError:
            files[name] = damaged(draw, files[name])
    return files


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a run with everything but its network, which is large."""

    def add(store: RunStore) -> Run:
        run = add_first_model(store)
        store.add_text_artifact(run.run_id, ROBUSTNESS, made_up_result(fingerprint=run.dataset_fingerprint).to_json())
        store.model_path(run.run_id).unlink()
        return run

    found = read(other_store_zip(tmp_path_factory.mktemp("sound"), add))
    return {name: content for name, content in found.items() if name not in bundle.MADE - {bundle.RUN, bundle.MANIFEST}}


@pytest.mark.slow
@pytest.mark.usefixtures("no_engine")
@given(drawn=st.data())
@settings(
    max_examples=int(os.environ.get("AQUADASH_FUZZ", "8")),
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_archive_is_taken_in_or_refused(
    drawn: st.DataObject, sound: Files, store: RunStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "fuzz.zip", drawn.draw(archives(sound)))
    try:
        run = importing.import_run(store, path).run
    except AquaDashError as error:
        event("refused")
        assert not isinstance(error, StorageError) and "Unexpected" not in str(error)
        assert not store.client.search_runs([store.experiment_id])
        return
    event("taken in")
    assert [found.run_id for found in store.list_runs()] == [run.run_id]
    for read_part in (store.get, store.history, store.predictions, store.epoch_replay, store.environment):
        with suppress(AquaDashError):
            read_part(run.run_id)
    assert not open_app_page("home").error
    remove_traces(store, run.run_id)
