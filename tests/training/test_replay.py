from pathlib import Path

import numpy as np
import pytest

from aquadash.store import EpochReplay, RunStatus, RunStore
from aquadash.store.artifacts import EPOCHS
from aquadash.training.checkpoint import probe_positions, with_epoch
from aquadash.training.prepare import TrainingData
from tests.support.runs import make_run


def data_of(labels: list[int]) -> TrainingData:
    count = len(labels)
    images = np.zeros((count, 2, 2, 3), np.uint8)
    held_out = np.arange(count, dtype=np.int64) * 3
    return TrainingData(images, np.zeros(count, np.int64), images, np.array(labels), held_out)


def test_probes_are_spread_over_the_classes_and_over_each_class() -> None:
    labels = np.repeat(np.arange(5), 75)
    chosen = probe_positions(labels)
    assert len(chosen) == 20 and np.bincount(labels[chosen]).tolist() == [4] * 5
    assert chosen[:4].tolist() == [0, 18, 37, 56]
    np.testing.assert_array_equal(chosen, probe_positions(labels))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([0, 1, 1, 1, 1, 1], [1, 3]), ([2, 2, 0], [1, 0, 2]), ([0], [1]), ([], [])],
)
def test_small_classes_give_what_they_have(labels: list[int], expected: list[int]) -> None:
    of_images = np.array(labels, np.int64)
    assert np.bincount(of_images[probe_positions(of_images, count=4)]).tolist() == expected


def test_epochs_are_added_one_by_one() -> None:
    data = data_of([0, 0, 1, 2])
    first = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    second = np.eye(3, dtype=np.float32)[[0, 0, 1, 0]]
    replay = with_epoch(None, 1, data, first)
    replay = with_epoch(replay, 2, data, second)
    assert replay.epochs == 2
    assert replay.probe_indices.tolist() == [0, 3, 6, 9] and replay.probe_labels.tolist() == [0, 0, 1, 2]
    assert replay.confusion_matrices.tolist() == [
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[2, 0, 0], [0, 1, 0], [1, 0, 0]],
    ]
    np.testing.assert_array_equal(replay.probe_probabilities, np.stack([first, second]))


def test_without_its_first_epochs_there_is_no_replay() -> None:
    assert with_epoch(None, 3, data_of([0, 1]), np.eye(2, dtype=np.float32)) is None


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    replay = with_epoch(None, 1, data_of([0, 1]), np.eye(2, dtype=np.float32))
    arrays = vars(replay)
    assert EpochReplay.from_arrays(arrays).epochs == 1
    for name, broken in (
        ("confusion_matrices", np.zeros((2, 2, 2), np.int32)),
        ("probe_labels", np.zeros(5, np.int64)),
        ("probe_probabilities", np.zeros((1, 2), np.float32)),
    ):
        with pytest.raises(ValueError, match="belong together"):
            EpochReplay.from_arrays({**arrays, name: broken})


def test_a_file_that_is_just_being_replaced_reads_as_none(store: RunStore, tmp_path: Path) -> None:
    run_id = make_run(store, status=RunStatus.QUEUED).run_id
    assert store.epoch_replay(run_id) is None
    replay = with_epoch(None, 1, data_of([0, 1]), np.eye(2, dtype=np.float32))
    store.add_epoch_replay(run_id, replay)
    found = store.epoch_replay(run_id)
    np.testing.assert_array_equal(found.probe_probabilities, replay.probe_probabilities)
    (tmp_path / EPOCHS).write_bytes(b"PK half a file")
    store.add_artifact(run_id, tmp_path / EPOCHS)
    assert store.epoch_replay(run_id) is None
