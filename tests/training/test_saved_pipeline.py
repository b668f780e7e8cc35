"""A run from a saved pipeline stays what it is when that is edited or deleted: it resumes and repeats itself."""

from collections.abc import Sequence

import numpy as np
import pytest

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec, embedded, op
from aquadash.augment import saved_pipelines as saved
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.store import EpochRecord, RunStatus, RunStore
from tests.support import live_runs
from tests.support.drawn_images import use_images
from tests.support.runs import make_run, without_seconds
from tests.support.tiny_networks import QUICK, assigned

_FLIP = PipelineSpec("", "", "", (Branch("Turned", (op("Fliplr", p=0.5), op("ChannelShuffle", p=0.5))),))
_OTHER = PipelineSpec("", "", "", (Branch("Inverted", (op("Multiply", mul=0.5),)),))


def config(**changes: object) -> RunConfig:
    text = "augmentation.pipeline=mine:2,mirror-shift augmentation.copies=2 augmentation.keep_originals=true"
    return with_values(assigned(f"{text} training.patience=0", base=QUICK), changes)


@pytest.fixture
def store(store: RunStore, monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> RunStore:
    use_images(monkeypatch, tiny_dataset)
    augment.save(_FLIP, title="Mine")
    return store


@pytest.mark.slow
@pytest.mark.usefixtures("without_detector", "uncompiled")
def test_a_run_outlives_its_pipeline(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = embedded(config())
    run_id = make_run(store, settings=wanted, status=RunStatus.QUEUED).run_id
    with monkeypatch.context() as patch:
        log_epoch = store.log_epoch

        def stop_after_one(run_id: str, record: EpochRecord, *, curve: Sequence[float], **_: object) -> None:
            log_epoch(run_id, record, curve=curve)
            raise RunError("broken off for a test")

        patch.setattr(store, "log_epoch", stop_after_one)
        assert live_runs.train(store, run_id).status is RunStatus.FAILED

    augment.save(_OTHER, title="Mine", replace_name="mine")
    saved.delete("mine")
    assert "mine" not in augment.library().pipelines
    resumed = live_runs.train(store, run_id)
    assert (resumed.status, resumed.message) == (RunStatus.FINISHED, "")
    # An epoch with the pipeline as it was, and one without it, are those of a run that never saw it.
    again = live_runs.train(
        store, make_run(store, settings=embedded(store.get(run_id).config), status=RunStatus.QUEUED).run_id
    )
    assert again.status is RunStatus.FINISHED and len(store.history(again.run_id)) == 2
    assert without_seconds(store.history(resumed.run_id)) == without_seconds(store.history(again.run_id))
    np.testing.assert_array_equal(
        store.predictions(resumed.run_id).probabilities, store.predictions(again.run_id).probabilities
    )


def test_the_engine_writes_the_pipeline_into_the_run(store: RunStore) -> None:
    from aquadash.work.queue import Engine

    run = Engine(store, serving=False).submit(config())
    assert run.config == embedded(config()) != config()
    assert store.list_runs()[0].config == run.config


def test_long_pipelines_fit_into_the_store(store: RunStore) -> None:
    steps = tuple(op("Fliplr", p=0.001 * number) for number in range(190))
    long = PipelineSpec("", "", "", tuple(Branch(f"Ümlaut {part}", steps[part::19]) for part in range(19)))
    augment.save(long, title="Long")
    wanted = embedded(config(**{"augmentation.pipeline": "long, mine"}))
    assert len(wanted.augmentation.definitions) > 8000
    run = make_run(store, settings=wanted, status=RunStatus.QUEUED)
    assert run.config == wanted and store.get(run.run_id).config == wanted
    artifact = store.artifact(run.run_id, "config.json")
    assert artifact.read_text(encoding="utf-8") == wanted.to_json()
