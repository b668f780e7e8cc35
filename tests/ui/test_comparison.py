"""Words and tables of compared runs."""

from aquadash.lab import memory
from aquadash.store import RunStore
from aquadash.store.artifacts import PREDICTIONS
from aquadash.ui.compare import comparison_settings
from aquadash.ui.kit.compared import Compared
from tests.support import live_runs
from tests.support.runs import make_run, run_record, skilled


def test_the_same_pipeline_edited_in_between_is_a_difference() -> None:
    def carried(step: str) -> dict[str, object]:
        steps = f'{{"mine": {{"branches": [{{"operators": ["{step}"]}}]}}}}'
        return {"augmentation.pipeline": "mine", "augmentation.definitions": steps}

    one, other = run_record("one", carried("a")), run_record("other", carried("b"))
    ((label, told),) = comparison_settings.settings_table([one, other], everything=False)
    assert label == "Pipelines saved with the run"
    assert told[0].startswith("mine (version ") and told[1] not in (told[0], "–")
    assert comparison_settings.settings_table([one, run_record("other", carried("a"))], everything=False) == []
    labels = [label for label, _ in comparison_settings.settings_table([one, run_record("other")], everything=False)]
    assert "Augmentation" in labels and "Pipelines saved with the run" not in labels


def test_predictions_that_are_put_back_are_compared(store: RunStore) -> None:
    runs = tuple(make_run(store, name, predictions=skilled(0.7, seed=seed)) for seed, name in enumerate(("one", "two")))
    path = store.artifact(runs[1].run_id, PREDICTIONS)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    torn = Compared(runs, ("one", "two"), "test")
    assert torn.results.pairs[0].result is None and "damaged" in torn.damaged()["two"]
    assert torn.results.evaluations[0] is not None and torn.results.evaluations[1] is None
    path.write_bytes(whole)
    mended = Compared(runs, ("one", "two"), "test")
    assert mended.results.pairs[0].result is not None and not mended.damaged()

    first = mended.results.evaluations[0]
    live_runs.queue(store, runs[1].run_id)
    memory.refresh()
    assert Compared(runs, ("one", "two"), "test").results.evaluations == (first, None), "resumed while it is read"
