"""The cost of runs, from their histories and stored networks."""

from pathlib import Path

from aquadash.store import EpochRecord, open_store
from aquadash.training.cost import cost_of, network_size
from tests.support.runs import make_run
from tests.support.weights_files import keras_file


def test_time_is_summed_and_the_first_epochs_compiling_does_not_count(tmp_path: Path) -> None:
    store = open_store()
    history = [EpochRecord(epoch, 1.0, 0.5, 1.0, 0.5, 0.01, 9.0 if epoch == 1 else 2.0) for epoch in (1, 2, 3)]
    run = make_run(store, "a")
    cost = cost_of(history, network_size(store, run.run_id))
    assert (cost.epochs, cost.seconds, cost.seconds_per_epoch) == (3, 13.0, 2.0)
    assert cost.parameters is None and cost.megabytes is None
    store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 1000))
    cost = cost_of([], network_size(store, run.run_id))
    assert cost.parameters == 1000 and cost.megabytes and cost.seconds is None
